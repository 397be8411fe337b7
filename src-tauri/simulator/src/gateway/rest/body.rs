//! Request bodies: what is not JSON of the right form is answered with the framework's ProblemDetails
//! (gateway reference 2.4).

use domain::Instant;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::gateway::{Gateway, HttpRequest, HttpResponse, auth::trace_id, stamp};

impl Gateway {
    /// The body of a request.
    pub(super) fn body<T: DeserializeOwned>(&mut self, request: &HttpRequest) -> Result<T, HttpResponse> {
        if !is_json(request.content_type.as_deref()) {
            return Err(self.problem(415, "Unsupported Media Type", "15.5.16", &Value::Null));
        }
        if request.body.is_empty() {
            return Err(self.invalid("", "A non-empty request body is required."));
        }
        serde_json::from_slice(&request.body).map_err(|error| self.invalid("$", &error.to_string()))
    }

    /// A refusal that names a member and what is wrong with it.
    pub(super) fn invalid(&mut self, member: &str, message: &str) -> HttpResponse {
        let errors = json!({member: [message], "request": ["The request field is required."]});
        self.problem(400, "One or more validation errors occurred.", "15.5.1", &errors)
    }

    /// A time stamp of a request.
    pub(super) fn time(&mut self, member: &str, text: &str) -> Result<Instant, HttpResponse> {
        stamp::read(text).ok_or_else(|| self.invalid(member, &format!("The value '{text}' is not a date.")))
    }

    /// An enum number of a request.
    pub(super) fn code<T: TryFrom<i64>>(&mut self, member: &str, number: i64) -> Result<T, HttpResponse> {
        T::try_from(number).map_err(|_| self.invalid(member, &format!("The value '{number}' is invalid.")))
    }

    fn problem(&mut self, status: u16, title: &str, section: &str, errors: &Value) -> HttpResponse {
        let mut details = json!({
            "type": format!("https://tools.ietf.org/html/rfc9110#section-{section}"),
            "title": title,
            "status": status,
            "traceId": trace_id(&mut self.rng),
        });
        if !errors.is_null() {
            details["errors"] = errors.clone();
        }
        HttpResponse::text(status, "application/problem+json; charset=utf-8", details.to_string())
    }
}

/// `application/json`, `text/json`, `application/*+json` (gateway reference 0).
fn is_json(content_type: Option<&str>) -> bool {
    let kind = content_type.and_then(|value| value.split(';').next()).unwrap_or_default();
    let kind = kind.trim().to_ascii_lowercase();
    let suffixed = kind.starts_with("application/") && kind.ends_with("+json");
    suffixed || kind == "application/json" || kind == "text/json"
}
