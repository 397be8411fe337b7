//! The requests that open and extend a session (gateway reference 1.1, 1.3). A wrong key is answered
//! with HTTP 200 and a code.

use domain::broker::{CallError, LoginError, Refusal};
use serde_json::{Value, json};

use super::refusal::Verb;
use super::{Request, Response, check_status, decode, refused, request};
use crate::{
    mask::masked,
    normalise::read,
    session::{Credentials, Token},
    wire::{
        code,
        rest::{Envelope, LoginKey, NewToken, Token as TokenReply, path},
    },
};

/// What came of a request to extend a session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Validated {
    /// A new token from now on.
    Renewed(Token),
    /// The old token goes on.
    Kept,
    /// The session is over: log in.
    Ended(String),
}

/// Logs in with an API key.
#[must_use]
pub fn log_in(credentials: &Credentials) -> Request {
    let body = LoginKey { user_name: credentials.user().to_string(), api_key: credentials.key().to_string() };
    request(path::LOGIN_KEY, &body)
}

/// The token of a login.
///
/// # Errors
/// A refusal by code, which another attempt does not change, or [`LoginError::Passing`].
pub fn logged_in(response: &Response) -> Result<Token, LoginError> {
    match check_status(response) {
        Ok(()) => {}
        // Ill-typed or empty fields, checked before the credentials.
        Err(CallError::Refused { code: 400, text, .. }) => {
            return Err(LoginError::Refused { code: 400, text });
        }
        Err(error) => return Err(LoginError::Passing(error)),
    }
    // The body is a token or tells about one: it is in no error text.
    let unreadable = || LoginError::Passing(CallError::Protocol("the answer to the login".into()));
    let body: Value = serde_json::from_str(&response.body).map_err(|_| unreadable())?;
    let envelope: Envelope = read(&body).map_err(|_| unreadable())?;
    if !envelope.success || envelope.error_code != 0 {
        return Err(login_refused(envelope.error_code, envelope.error_message));
    }
    let reply: TokenReply = read(&body).map_err(|_| unreadable())?;
    reply.token.filter(|token| !token.is_empty()).map(Token::new).ok_or_else(unreadable)
}

/// Asks for the session of the token it is sent with to be extended.
#[must_use]
pub fn validate() -> Request {
    request(path::VALIDATE, &json!({}))
}

/// What came of it. `current` is the token that was sent.
///
/// # Errors
/// It could not be asked, or the answer makes no sense; the session may go on.
pub fn validated(response: &Response, current: &Token) -> Result<Validated, CallError> {
    match decode(Verb::Search, response) {
        Ok(body) => {
            let reply: NewToken =
                read(&body).map_err(|_| CallError::Protocol("the answer to the renewal".into()))?;
            Ok(match reply.new_token {
                Some(token) if !token.is_empty() && token != current.text() => {
                    Validated::Renewed(Token::new(token))
                }
                Some(_) | None => Validated::Kept,
            })
        }
        Err(CallError::Unauthorized(why)) => Ok(Validated::Ended(why)),
        Err(CallError::Refused { code, .. }) => Ok(Validated::Ended(
            code::ValidateError::try_from(code)
                .map_or_else(|error| error.to_string(), |code| format!("{code:?}")),
        )),
        Err(error) => Err(error),
    }
}

fn login_refused(number: i64, message: Option<String>) -> LoginError {
    let text = |name: String| message.as_deref().map_or(name, masked);
    match code::LoginError::try_from(number) {
        Ok(
            code::LoginError::UserNotFound
            | code::LoginError::PasswordVerificationFailed
            | code::LoginError::InvalidCredentials,
        ) => LoginError::Credentials,
        Ok(code::LoginError::AgreementsNotSigned) => LoginError::Agreements,
        Ok(code::LoginError::ApiSubscriptionNotFound) => LoginError::NoSubscription,
        Ok(code::LoginError::ApiKeyAuthenticationDisabled) => LoginError::KeyLoginDisabled,
        // Says nothing about the credentials: worth another try.
        Ok(name @ (code::LoginError::UnknownError | code::LoginError::Success)) => {
            LoginError::Passing(refused(number, &text(format!("{name:?}")), Refusal::Other))
        }
        Ok(
            name @ (code::LoginError::AppNotFound
            | code::LoginError::AppVerificationFailed
            | code::LoginError::InvalidDevice),
        ) => LoginError::Refused { code: number, text: text(format!("{name:?}")) },
        Err(unknown) => LoginError::Refused { code: number, text: text(unknown.to_string()) },
    }
}
