//! Requests and responses as the core sees them: no sockets, no streaming.

use chrono::TimeDelta;
use serde::Serialize;

/// Verb of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// Only `Status/ping`, hub upgrades and the reading control paths.
    Get,
    /// Every other endpoint.
    Post,
    /// Only `DELETE /sim/fault`.
    Delete,
    /// Anything else; refused.
    Other,
}

/// One request.
#[derive(Clone, Debug)]
pub struct HttpRequest {
    /// Verb.
    pub method: Method,
    /// Path without the query, such as `/api/Order/place`.
    pub path: String,
    /// Query without its question mark, still encoded.
    pub query: String,
    /// The `Authorization` header.
    pub authorization: Option<String>,
    /// The `Content-Type` header.
    pub content_type: Option<String>,
    /// Body; empty when there is none.
    pub body: Vec<u8>,
}

/// The answer to a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HttpResponse {
    /// Status code.
    pub status: u16,
    /// Headers, lower-case names.
    pub headers: Vec<(&'static str, String)>,
    /// Body.
    pub body: Vec<u8>,
    /// How long the answer is held back after the request was executed (fault `http_latency`).
    pub delay: TimeDelta,
}

impl HttpRequest {
    /// A POST with a JSON body.
    ///
    /// # Errors
    /// The body cannot be written as JSON.
    pub fn post<T: Serialize>(path: &str, token: Option<&str>, body: &T) -> Result<Self, serde_json::Error> {
        Ok(Self {
            method: Method::Post,
            path: path.to_string(),
            query: String::new(),
            authorization: token.map(|token| format!("Bearer {token}")),
            content_type: Some("application/json".to_string()),
            body: serde_json::to_vec(body)?,
        })
    }

    /// A GET without token.
    #[must_use]
    pub fn get(path: &str) -> Self {
        Self {
            method: Method::Get,
            path: path.to_string(),
            query: String::new(),
            authorization: None,
            content_type: None,
            body: Vec::new(),
        }
    }

    /// The token of the header or, failing that, of the query; hubs take either and tolerate both
    /// (gateway reference 6.1).
    #[must_use]
    pub fn token(&self) -> Option<String> {
        let bearer = self.authorization.as_deref().and_then(|header| {
            let (scheme, token) = header.split_once(' ')?;
            scheme.eq_ignore_ascii_case("bearer").then(|| token.trim().to_string())
        });
        bearer.or_else(|| self.parameter("access_token"))
    }

    /// The first value of a query parameter, decoded.
    #[must_use]
    pub fn parameter(&self, name: &str) -> Option<String> {
        form_urlencoded::parse(self.query.as_bytes())
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.into_owned())
    }
}

impl HttpResponse {
    /// A status without a body.
    #[must_use]
    pub fn empty(status: u16) -> Self {
        Self { status, headers: Vec::new(), body: Vec::new(), delay: TimeDelta::zero() }
    }

    /// Text of some type.
    #[must_use]
    pub fn text(status: u16, content_type: &str, body: impl Into<Vec<u8>>) -> Self {
        Self {
            headers: vec![("content-type", content_type.to_string())],
            body: body.into(),
            ..Self::empty(status)
        }
    }

    /// A value as JSON.
    #[must_use]
    pub fn json<T: Serialize>(status: u16, body: &T) -> Self {
        match serde_json::to_vec(body) {
            Ok(bytes) => Self::text(status, "application/json; charset=utf-8", bytes),
            Err(error) => Self::text(500, "text/plain; charset=utf-8", error.to_string()),
        }
    }

    /// The value of a header.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| *key == name).map(|(_, value)| value.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_token_comes_from_the_header_or_the_query() {
        let mut request = HttpRequest::get("/hubs/user");
        assert_eq!(request.token(), None);
        request.query = "access_token=a%2Bb.c&id=7&access_token=other".to_string();
        assert_eq!(request.token().as_deref(), Some("a+b.c"));
        request.authorization = Some("bearer from.header".to_string());
        assert_eq!(request.token().as_deref(), Some("from.header"));
        assert_eq!(request.parameter("id").as_deref(), Some("7"));
    }
}
