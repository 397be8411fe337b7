//! Where the gateway is, and whether it may be talked to as asked: plain http only to this machine.

use reqwest::Url;
use rustls::{ClientConfig, RootCertStore, crypto::ring};
use rustls_platform_verifier::BuilderVerifierExt;
use std::{net::IpAddr, sync::Arc};
use thiserror::Error;

use crate::session::Credentials;

/// What is needed to connect.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Address of the REST endpoints, without `/api`.
    pub base_url: String,
    /// Address of the user hub; `https` and `wss` mean the same here.
    pub user_hub_url: String,
    /// Address of the market hub.
    pub market_hub_url: String,
    /// The login.
    pub credentials: Credentials,
}

/// Why settings cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum SettingsError {
    /// No address at all.
    #[error("{setting}: `{text}` is no address: {why}")]
    Address {
        /// Which setting.
        setting: &'static str,
        /// Its value.
        text: String,
        /// What is wrong with it.
        why: String,
    },
    /// Unencrypted to another machine.
    #[error("{setting}: plain http is allowed to this machine only; `{host}` needs https or wss")]
    Plain {
        /// Which setting.
        setting: &'static str,
        /// The machine.
        host: String,
    },
    /// The system's certificates cannot be used.
    #[error("cannot set up encryption: {0}")]
    Tls(String),
}

/// The checked addresses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Addresses {
    pub rest: Url,
    pub user_hub: Url,
    pub market_hub: Url,
}

impl Addresses {
    pub fn of(settings: &Settings) -> Result<Self, SettingsError> {
        Ok(Self {
            rest: address("base_url", &settings.base_url, ["http", "https"])?,
            user_hub: address("user_hub_url", &settings.user_hub_url, ["ws", "wss"])?,
            market_hub: address("market_hub_url", &settings.market_hub_url, ["ws", "wss"])?,
        })
    }

    fn need_encryption(&self) -> bool {
        [&self.rest, &self.user_hub, &self.market_hub].iter().any(|url| is_encrypted(url))
    }
}

/// One TLS configuration for requests and hubs: the system's own verification, ring's cryptography.
/// Trusts nobody when all addresses are on this machine and unencrypted.
pub(super) fn tls(addresses: &Addresses) -> Result<ClientConfig, SettingsError> {
    let failed = |error: rustls::Error| SettingsError::Tls(error.to_string());
    let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(failed)?;
    Ok(if addresses.need_encryption() {
        builder.with_platform_verifier().map_err(failed)?.with_no_client_auth()
    } else {
        builder.with_root_certificates(RootCertStore::empty()).with_no_client_auth()
    })
}

/// `[plain, encrypted]` are the schemes of the result; both families are understood.
fn address(setting: &'static str, text: &str, [plain, encrypted]: [&str; 2]) -> Result<Url, SettingsError> {
    let unusable = |why: String| SettingsError::Address { setting, text: text.to_string(), why };
    let mut url: Url = text.trim().parse().map_err(|error| unusable(format!("{error}")))?;
    let host = url.host_str().ok_or_else(|| unusable("no host".into()))?.to_string();
    let scheme = match url.scheme() {
        "https" | "wss" => encrypted,
        "http" | "ws" if is_this_machine(&host) => plain,
        "http" | "ws" => return Err(SettingsError::Plain { setting, host }),
        other => return Err(unusable(format!("scheme `{other}`"))),
    };
    // http to ws is a change the URL standard refuses, so the text is changed instead.
    if url.scheme() != scheme {
        let rest = url.as_str().split_once(':').map_or("", |(_, rest)| rest);
        url = format!("{scheme}:{rest}").parse().map_err(|error| unusable(format!("{error}")))?;
    }
    Ok(url)
}

fn is_encrypted(url: &Url) -> bool {
    matches!(url.scheme(), "https" | "wss")
}

fn is_this_machine(host: &str) -> bool {
    host.eq_ignore_ascii_case("localhost")
        || host.trim_matches(['[', ']']).parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hub(text: &str) -> Result<String, SettingsError> {
        address("user_hub_url", text, ["ws", "wss"]).map(String::from)
    }

    #[test]
    fn hubs_may_be_written_as_http_or_ws() {
        assert_eq!(hub("https://rtc.topstepx.com/hubs/user").unwrap(), "wss://rtc.topstepx.com/hubs/user");
        assert_eq!(hub("wss://rtc.topstepx.com/hubs/user").unwrap(), "wss://rtc.topstepx.com/hubs/user");
        assert_eq!(hub("http://127.0.0.1:4000/hubs/user").unwrap(), "ws://127.0.0.1:4000/hubs/user");
        assert_eq!(hub("http://[::1]:4000/hubs/user").unwrap(), "ws://[::1]:4000/hubs/user");
        assert_eq!(hub("ws://localhost:4000/hubs/user").unwrap(), "ws://localhost:4000/hubs/user");
    }

    #[test]
    fn nothing_goes_unencrypted_to_another_machine() {
        for text in
            ["http://rtc.topstepx.com/hubs/user", "ws://192.168.1.7/hubs/user", "http://127.0.0.1.evil.com/"]
        {
            let error = hub(text).unwrap_err();
            assert!(matches!(error, SettingsError::Plain { .. }), "{text}");
            assert!(error.to_string().contains("https or wss"));
        }
    }

    #[test]
    fn what_is_no_address_is_said() {
        for text in ["", "rtc.topstepx.com", "ftp://127.0.0.1/", "https://"] {
            assert!(matches!(hub(text), Err(SettingsError::Address { .. })), "{text}");
        }
    }
}
