//! Logging in and out, and the accounts of the login (gateway reference 1, 3.1).

use projectx::wire::{
    code::{LoginError, ValidateError},
    rest::{Accounts, LoginApp, LoginKey, NewToken, SearchAccounts, Token},
};

use super::{Answer, done, refuse, refuse_with, succeed};
use crate::gateway::{Gateway, HttpRequest, HttpResponse};

/// Text of code 7.
const AGREEMENTS: &str = "Please log into the ProjectX platform and complete the required agreements";

impl Gateway {
    pub(super) fn login_key(&mut self, request: &HttpRequest) -> Answer {
        let login: LoginKey = self.body(request)?;
        if let Some(code) = self.faults.login_error {
            let message = (code == LoginError::AgreementsNotSigned.code()).then(|| AGREEMENTS.to_string());
            return Ok(refuse_with(Token { token: None }, code, message));
        }
        if !self.auth.knows(&login.user_name) || login.api_key != self.auth.api_key {
            return Ok(refuse_with(Token { token: None }, LoginError::InvalidCredentials.code(), None));
        }
        let (_, token) = self.auth.begin(self.now, &mut self.rng);
        Ok(succeed(Token { token: Some(token) }))
    }

    /// No application is licensed here: the known user is refused for the application's sake.
    pub(super) fn login_app(&mut self, request: &HttpRequest) -> Answer {
        let login: LoginApp = self.body(request)?;
        let known = self.auth.knows(&login.user_name);
        let code = if known { LoginError::AppNotFound } else { LoginError::UserNotFound };
        Ok(refuse_with(Token { token: None }, code.code(), None))
    }

    /// A new token for the same session's user; the old one stays good until its own end.
    pub(super) fn validate(&mut self, token: Option<&str>) -> HttpResponse {
        if self.auth.valid(self.now, token).is_none() {
            return refuse_with(NewToken { new_token: None }, ValidateError::InvalidSession.code(), None);
        }
        let (_, token) = self.auth.begin(self.now, &mut self.rng);
        succeed(NewToken { new_token: Some(token) })
    }

    /// Ends this token only; its hub connections hear of it (gateway reference 11.2).
    pub(super) fn logout(&mut self, token: Option<&str>) -> HttpResponse {
        match self.auth.valid(self.now, token) {
            Some(session) => {
                self.auth.end(self.now, session);
                self.tell_logout(session);
                done()
            }
            None => refuse(ValidateError::InvalidSession.code(), None),
        }
    }

    pub(super) fn search_accounts(&mut self, request: &HttpRequest) -> Answer {
        let search: SearchAccounts = self.body(request)?;
        let accounts =
            self.accounts.iter().filter(|account| account.settings.active || !search.only_active_accounts);
        Ok(succeed(Accounts { accounts: Some(accounts.map(|account| account.row()).collect()) }))
    }
}
