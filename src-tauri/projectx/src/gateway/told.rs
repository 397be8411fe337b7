//! What of the wire goes into the log: one line a request, with what came of it. Never a body: it may hold a
//! login, a token or a name.

use std::time::Duration;

use domain::broker::CallError;

use super::http::Received;
use crate::{mask::masked, rest::Request};

/// Name of the broker's own code in every answer.
const CODE: &str = "\"errorCode\":";

/// Writes down that a request was answered, or why not.
pub(super) fn request(request: &Request, result: &Result<Received, CallError>, took: Duration) {
    let ms = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
    match result {
        Ok(Received { response, .. }) => tracing::debug!(
            method = "POST",
            path = request.path,
            status = response.status,
            code = error_code(&response.body),
            ms,
            "request"
        ),
        Err(error) => tracing::debug!(
            method = "POST",
            path = request.path,
            error = masked(&error.to_string()),
            ms,
            "request"
        ),
    }
}

/// The broker's code at the end or the beginning of an answer, without reading all of it.
fn error_code(body: &str) -> Option<i64> {
    let (_, after) = body.rsplit_once(CODE)?;
    let after = after.trim_start();
    let end = after.find(|c: char| c != '-' && !c.is_ascii_digit()).unwrap_or(after.len());
    after[..end].parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_code_of_an_answer_is_found_where_there_is_one() {
        assert_eq!(error_code(r#"{"orders":[],"success":true,"errorCode":0,"errorMessage":null}"#), Some(0));
        assert_eq!(error_code(r#"{"success":false,"errorCode": 3}"#), Some(3));
        assert_eq!(error_code(r#"{"errorCode":null}"#), None);
        assert_eq!(error_code("<html>"), None);
    }
}
