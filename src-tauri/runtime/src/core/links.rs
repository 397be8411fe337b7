//! What is known of the connection, the disk, the clock and the settings, and what it means: the reasons
//! for not being protected (invariant 9). Starts with every doubt there is.

use std::collections::BTreeMap;

use chrono::TimeDelta;
use domain::{AccountId, Instant, broker::LoginError, event::Link};
use views::text::{Doubt, Keyring};

use crate::clock::TOO_FAR_APART;

/// State of everything that protection stands on, except the engine's own knowledge.
#[derive(Debug)]
pub struct Links {
    pub(crate) user_up: bool,
    pub(crate) market_up: bool,
    pub(crate) logged_in: bool,
    pub(crate) login_refused: Option<LoginError>,
    pub(crate) login_failed: Option<String>,
    /// Whether there are some, as far as the keyring tells.
    pub(crate) credentials: Result<bool, Keyring>,
    /// The broker's list of accounts was read, and how many of it are watched.
    pub(crate) watched: Option<usize>,
    pub(crate) disk: Result<(), String>,
    pub(crate) clock_apart: Option<TimeDelta>,
    pub(crate) config: Result<(), String>,
    pub(crate) last_event: Option<Instant>,
    pub(crate) last_quote: Option<Instant>,
}

impl Default for Links {
    fn default() -> Self {
        Self {
            user_up: false,
            market_up: false,
            logged_in: false,
            login_refused: None,
            login_failed: None,
            credentials: Ok(true),
            watched: None,
            disk: Ok(()),
            clock_apart: None,
            config: Ok(()),
            last_event: None,
            last_quote: None,
        }
    }
}

impl Links {
    pub(crate) fn changed(&mut self, link: &Link) {
        match link {
            Link::UserUp => self.user_up = true,
            Link::UserDown { .. } => self.user_up = false,
            Link::MarketUp => self.market_up = true,
            Link::MarketDown { .. } => self.market_up = false,
            Link::LoggedIn => {
                self.logged_in = true;
                self.login_refused = None;
                self.login_failed = None;
            }
            Link::LoginFailed { why } => {
                self.logged_in = false;
                self.login_failed = Some(why.clone());
            }
            // The refusal itself was noted with all it says.
            Link::LoginRefused { .. } => self.logged_in = false,
        }
    }

    /// Everything that stands in the way of protection for all accounts, the weightiest first.
    pub(crate) fn doubts(&self) -> Vec<Doubt> {
        let mut doubts = Vec::new();
        if let Err(why) = &self.config {
            doubts.push(Doubt::Config { why: why.clone() });
        }
        if let Err(keyring) = &self.credentials {
            doubts.push(Doubt::Keyring(keyring.clone()));
        } else if self.credentials == Ok(false) {
            doubts.push(Doubt::NoCredentials);
        } else if let Some(refusal) = &self.login_refused {
            doubts.push(Doubt::Login { why: refusal.to_string(), error: Some(refusal.clone()) });
        } else if let Some(why) = &self.login_failed {
            doubts.push(Doubt::Unreachable { why: why.clone() });
        } else if !self.logged_in {
            doubts.push(Doubt::Starting);
        } else if self.watched == Some(0) {
            doubts.push(Doubt::NoAccounts);
        } else {
            self.stream_doubts(&mut doubts);
        }
        if let Some(apart) = self.clock_apart.filter(|apart| apart.abs() > TOO_FAR_APART) {
            doubts.push(Doubt::Clock { apart_seconds: apart.num_seconds() });
        }
        if let Err(why) = &self.disk {
            doubts.push(Doubt::Disk { why: why.clone() });
        }
        doubts
    }

    fn stream_doubts(&self, doubts: &mut Vec<Doubt>) {
        if !self.user_up {
            doubts.push(Doubt::UserStream);
        }
        if !self.market_up {
            doubts.push(Doubt::MarketStream);
        }
        if self.watched.is_none() {
            doubts.push(Doubt::Starting);
        }
    }
}

/// Since when each doubt exists, so that a lasting one keeps its beginning.
#[derive(Debug, Default)]
pub struct Since {
    begun: BTreeMap<(&'static str, Option<AccountId>), Instant>,
}

impl Since {
    /// Brings the beginnings in line with the doubts there are now.
    pub(crate) fn update(&mut self, doubts: &[(Doubt, Option<AccountId>)], now: Instant) {
        let current: Vec<_> = doubts.iter().map(|(doubt, account)| (doubt.kind(), account.clone())).collect();
        self.begun.retain(|key, _| current.contains(key));
        for key in current {
            self.begun.entry(key).or_insert(now);
        }
    }

    pub(crate) fn of(&self, doubt: &Doubt, account: Option<&AccountId>) -> Option<Instant> {
        self.begun.get(&(doubt.kind(), account.cloned())).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What cannot be read is not missing (invariant 10).
    #[test]
    fn a_locked_keyring_is_no_missing_login() {
        let doubts = |credentials| Links { credentials, ..Links::default() }.doubts();
        assert_eq!(doubts(Err(Keyring::Locked)), [Doubt::Keyring(Keyring::Locked)]);
        assert_eq!(doubts(Ok(false)), [Doubt::NoCredentials]);
        assert_eq!(doubts(Ok(true)), [Doubt::Starting]);
    }
}
