//! Why the trader is not protected, and what can be done about it. Says nothing that is not known.

use domain::{Means, RuleKey, Symbol, broker::LoginError};

use super::words;

/// A reason for not being protected, with what is known of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Doubt {
    /// The first answer of the broker is not in yet.
    Starting,
    /// There is no user name and API key.
    NoCredentials,
    /// The broker refused them, or the session ended and was not renewed.
    Login {
        /// The broker's word, in short.
        why: String,
        /// Which refusal it was, where that is known.
        error: Option<LoginError>,
    },
    /// The broker cannot be reached, or its answers fail.
    Unreachable {
        /// What happened, in short.
        why: String,
    },
    /// No positions, orders and fills arrive.
    UserStream,
    /// No prices arrive.
    MarketStream,
    /// The account is being read.
    Reading,
    /// The account could not be read as a whole.
    Reconcile {
        /// What happened, in short.
        why: String,
    },
    /// What must be kept cannot be written.
    Disk {
        /// What happened, in short.
        why: String,
    },
    /// This computer's clock and the broker's are too far apart.
    Clock {
        /// By how much, in whole seconds.
        apart_seconds: i64,
    },
    /// A settings file cannot be used.
    Config {
        /// File, place and mistake.
        why: String,
    },
    /// A rule cannot act.
    Rule {
        /// Which.
        rule: RuleKey,
        /// For one symbol only.
        symbol: Option<Symbol>,
        /// What is missing.
        why: String,
    },
    /// This run judges and sends nothing, as it was asked to.
    DryRun,
    /// There is nothing to watch.
    NoAccounts,
    /// The engine does not answer its viewer.
    EngineLost,
    /// The account refuses what a rule does (ruling 24).
    Barred {
        /// Which rule.
        rule: RuleKey,
        /// What is refused.
        means: Means,
    },
    /// Whether there are user name and API key cannot be known.
    Keyring(Keyring),
}

/// Why the system's keyring tells nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Keyring {
    /// There is none.
    Missing,
    /// It wants its password first.
    Locked,
    /// No answer came.
    Silent,
    /// Something else.
    Refused {
        /// What happened, in short.
        why: String,
    },
}

impl Doubt {
    /// Its kind, as in [`crate::view::DoubtView::kind`].
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Starting => "starting",
            Self::NoCredentials | Self::Login { .. } | Self::Keyring(_) => "login",
            Self::Unreachable { .. } => "unreachable",
            Self::UserStream => "user_stream",
            Self::MarketStream => "market_stream",
            Self::Reading | Self::Reconcile { .. } => "reconcile",
            Self::Disk { .. } => "disk",
            Self::Clock { .. } => "clock",
            Self::Config { .. } => "config",
            Self::Rule { .. } | Self::Barred { .. } => "rule",
            Self::DryRun => "dry_run",
            Self::NoAccounts => "accounts",
            Self::EngineLost => "engine_lost",
        }
    }

    /// It lies in the way to the broker.
    #[must_use]
    pub fn is_connection(&self) -> bool {
        matches!(
            self,
            Self::Login { .. }
                | Self::Unreachable { .. }
                | Self::UserStream
                | Self::MarketStream
                | Self::Reconcile { .. }
        )
    }

    /// What and why, as one sentence.
    #[must_use]
    pub fn text(&self, broker: &str) -> String {
        match self {
            Self::Starting => format!("Waiting for the first answer from {broker}."),
            Self::NoCredentials => format!("No user name and API key for {broker} yet."),
            Self::Login { why, .. } => format!("{broker} refused the login: {why}."),
            Self::Unreachable { why } => format!("No connection to {broker}: {why}."),
            Self::UserStream => format!("No connection to {broker}."),
            Self::MarketStream => format!("No quotes from {broker}."),
            Self::Reading => "Reading positions and orders.".to_owned(),
            Self::Reconcile { why } => format!("Positions and orders could not be read: {why}."),
            Self::Disk { why } => format!("Locks and records are not saved: {why}."),
            Self::Clock { apart_seconds } => {
                format!("This computer's clock is {} s off.", apart_seconds.unsigned_abs())
            }
            Self::Config { why } => format!("The settings cannot be used: {why}."),
            Self::Rule { rule, symbol, why } => {
                format!("{} cannot act: {why}.", words::title_with(*rule, symbol.as_ref()))
            }
            Self::DryRun => "Dry run: the rules are judged and nothing is enforced.".to_owned(),
            Self::NoAccounts => format!("{broker} shows no account to watch."),
            Self::EngineLost => "The engine does not answer.".to_owned(),
            Self::Barred { rule, means } => {
                let what = match means {
                    Means::Reduce => "lets no program close a part of its positions",
                    Means::Cancel => "lets no program cancel or move its orders",
                };
                format!("{} can't act on this account: {broker} {what}.", words::title(*rule))
            }
            Self::Keyring(keyring) => keyring.text(),
        }
    }

    /// What the trader can do about it.
    #[must_use]
    pub fn advice(&self, broker: &str) -> String {
        match self {
            Self::Starting | Self::Reading => "This takes a few seconds.".to_owned(),
            Self::NoCredentials => "Enter them in Setup.".to_owned(),
            Self::Login { error, .. } => login_advice(error.as_ref(), broker),
            Self::Unreachable { .. } | Self::UserStream => "Check your network.".to_owned(),
            Self::MarketStream => format!("Open results are unknown. Watch them in {broker}."),
            Self::Reconcile { .. } => format!("Tried again by itself. Watch your positions in {broker}."),
            Self::Disk { .. } => "Free some space or check the disk.".to_owned(),
            Self::Clock { .. } => "Let the system set the time by itself.".to_owned(),
            Self::Config { .. } => "Correct the file. The last good settings stay enforced.".to_owned(),
            Self::Rule { .. } => "The other rules act.".to_owned(),
            Self::DryRun => "Stop it and start without --dry-run to be protected.".to_owned(),
            Self::NoAccounts => format!("Check in {broker} that an account is active."),
            Self::EngineLost => "Quit Risk Manager and start it again.".to_owned(),
            Self::Barred { means: Means::Reduce, .. } => {
                "In Risk Settings, under Refused Part Closes, choose to close the position. The other rules act."
                    .to_owned()
            }
            Self::Barred { means: Means::Cancel, .. } => {
                "Switch it off for this account. The other rules act.".to_owned()
            }
            Self::Keyring(keyring) => keyring.advice().to_owned(),
        }
    }
}

impl Keyring {
    fn text(&self) -> String {
        match self {
            Self::Missing => "This system has no keyring to read user name and API key from.".to_owned(),
            Self::Locked => "The keyring is locked: user name and API key cannot be read.".to_owned(),
            Self::Silent => "The keyring does not answer: user name and API key cannot be read.".to_owned(),
            Self::Refused { why } => format!("The keyring did not give user name and API key: {why}."),
        }
    }

    fn advice(&self) -> &'static str {
        match self {
            Self::Missing => "Install or start one, then open Setup: it names another way too.",
            Self::Locked => "Unlock it, then press Try again in Setup.",
            Self::Silent => "Look for its password prompt, then press Try again in Setup.",
            Self::Refused { .. } => "Save both again in Setup.",
        }
    }
}

/// What to do about each refusal of a login (gateway reference 1.1).
fn login_advice(error: Option<&LoginError>, broker: &str) -> String {
    match error {
        Some(LoginError::Agreements) => {
            format!("Sign in to {broker} in your browser, sign them, then save here again.")
        }
        Some(LoginError::NoSubscription) => {
            format!("Subscribe to API access in {broker} under Settings, API, then save here again.")
        }
        Some(LoginError::KeyLoginDisabled) => {
            format!("Make a new API key in {broker} under Settings, API, and enter it in Setup.")
        }
        Some(LoginError::Refused { .. }) => {
            format!("Make a new API key in {broker} and enter it in Setup. If that fails too, ask {broker}.")
        }
        Some(LoginError::Passing(_)) => "Tried again by itself.".to_owned(),
        Some(LoginError::Credentials) | None => {
            "Check both in Setup: the user name is not the e-mail address.".to_owned()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_doubt_says_what_why_and_what_to_do() {
        let doubt = Doubt::Clock { apart_seconds: -75 };
        assert_eq!(doubt.kind(), "clock");
        assert_eq!(doubt.text("TopstepX"), "This computer's clock is 75 s off.");
        let doubt = Doubt::Login { why: "invalid credentials".into(), error: None };
        assert_eq!(doubt.text("TopstepX"), "TopstepX refused the login: invalid credentials.");
        assert_eq!(doubt.advice("TopstepX"), "Check both in Setup: the user name is not the e-mail address.");
        let doubt = Doubt::Keyring(Keyring::Locked);
        assert_eq!(doubt.kind(), "login");
        assert_eq!(doubt.text("TopstepX"), "The keyring is locked: user name and API key cannot be read.");
        assert_eq!(doubt.advice("TopstepX"), "Unlock it, then press Try again in Setup.");
        let doubt = Doubt::Barred { rule: RuleKey::MaxContracts, means: Means::Reduce };
        assert_eq!(doubt.kind(), "rule");
        assert_eq!(
            doubt.text("TopstepX"),
            "Max Contracts can't act on this account: TopstepX lets no program close a part of its positions."
        );
        assert!(doubt.advice("TopstepX").starts_with("In Risk Settings, under Refused Part Closes"));
        let doubt = Doubt::Rule {
            rule: RuleKey::MaxContractsPerInstrument,
            symbol: Some("MNQ".into()),
            why: "the account refuses partial closes".into(),
        };
        assert_eq!(
            doubt.text("TopstepX"),
            "Contract Limits, MNQ cannot act: the account refuses partial closes."
        );
    }
}
