//! Addresses of the broker: https and wss anywhere, plain http and ws to this machine only.

use url::{Host, Url};

use crate::yaml::Scalar;

/// What is wrong with an address.
pub(crate) struct Problem {
    pub what: String,
    pub why: &'static str,
}

/// The address without a trailing slash.
pub(crate) fn read(scalar: &Scalar, hub: bool) -> Result<String, Problem> {
    let problem = |what: &str, why| Problem { what: format!("The address {what}."), why };
    let url = Url::parse(&scalar.text)
        .map_err(|error| problem(&format!("can't be read: {error}"), "It is used as it stands."))?;
    let (plain, encrypted) = match url.scheme() {
        "https" => (false, true),
        "http" => (true, false),
        "wss" if hub => (false, true),
        "ws" if hub => (true, false),
        _ => (false, false),
    };
    if !plain && !encrypted {
        return Err(problem("begins with something else than https", "No other way leads to the broker."));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(problem("contains a login", "Credentials are never kept in a file."));
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err(problem("ends in a query or a mark", "Paths are appended to it."));
    }
    if plain && !is_this_machine(&url) {
        return Err(problem(
            "is plain http to another machine",
            "The login would travel readable; plain http and ws are for 127.0.0.1, [::1] and localhost only.",
        ));
    }
    Ok(scalar.text.trim_end_matches('/').to_string())
}

fn is_this_machine(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name.eq_ignore_ascii_case("localhost"),
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, hub: bool) -> Result<String, String> {
        let scalar = Scalar { text: text.to_string(), plain: true, reference: None };
        read(&scalar, hub).map_err(|problem| problem.what)
    }

    #[test]
    fn plain_addresses_lead_to_this_machine_only() {
        assert_eq!(check("https://api.topstepx.com/", false).as_deref(), Ok("https://api.topstepx.com"));
        for good in ["http://127.0.0.1:80", "http://127.9.9.9", "http://[::1]:5000", "http://localhost:5000"]
        {
            assert!(check(good, false).is_ok(), "{good}");
        }
        assert!(check("ws://127.0.0.1:5000/hubs/user", true).is_ok());
        for bad in [
            "http://api.topstepx.com",
            "http://127.0.0.1.example.com",
            "http://localhost.example.com",
            "http://127.0.0.1@example.com",
            "http://0.0.0.0",
            "wss://rtc.topstepx.com",
            "file:///etc/passwd",
            "https://user:secret@api.topstepx.com",
            "api.topstepx.com",
        ] {
            assert!(check(bad, false).is_err(), "{bad}");
        }
        assert!(check("ws://rtc.topstepx.com/hubs/user", true).is_err());
    }
}
