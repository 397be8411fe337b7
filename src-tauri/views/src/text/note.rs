//! Notifications: state or rule in the title, then number, deed, and until when.
//!
//! Never says more than is known at the time of writing, and never blames.

mod alert;
mod lock;
mod settings;

use std::collections::BTreeMap;

use chrono::TimeDelta;
use domain::{ContractId, Contracts, Instant, Observation, RuleKey, Severity, Symbol};
use serde::{Deserialize, Serialize};

use crate::view::{PositionView, Protection, View};

use super::{Deeds, Doubt, Held, Zones, reason, time, words};
pub use alert::alert;
pub use lock::{Beside, Locking, locked};
pub use settings::{Changed, SettingsNews, at_next_start, settings_changed};

/// One message to a person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Note {
    /// What happened, in a few words.
    pub title: String,
    /// Number, deed, until when, next step.
    pub body: String,
    /// How loudly it is told.
    pub severity: Severity,
    /// The rule it is about; null concerns protection, settings or records.
    #[serde(default)]
    pub rule: Option<RuleKey>,
    /// What it is for.
    #[serde(default)]
    pub purpose: Purpose,
}

/// What a message is for: what may hold it back depends on it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum Purpose {
    /// To be told if it weighs enough.
    #[default]
    News,
    /// The same, but it only says what may come, or that something is over: it holds back no news.
    Hint,
    /// Protection was lost, or is back.
    Protection,
    /// Somebody wants to see that messages arrive.
    Test,
}

impl Note {
    fn about(self, rule: RuleKey) -> Self {
        Self { rule: Some(rule), ..self }
    }

    fn hint(self, rule: RuleKey) -> Self {
        Self { purpose: Purpose::Hint, ..self.about(rule) }
    }

    pub(super) fn of_protection(self) -> Self {
        Self { purpose: Purpose::Protection, ..self }
    }
}

/// What is true around a message.
#[derive(Clone, Copy, Debug)]
pub struct Scene<'a> {
    /// Time of writing.
    pub now: Instant,
    /// Zones of the reader.
    pub zones: Zones,
    /// The broker in the words of people.
    pub broker: &'a str,
    /// Short name of the account it concerns, where more than one is watched.
    pub account: Option<&'a str>,
    /// Open positions of the accounts it concerns, as last known.
    pub open: &'a [Held],
    /// Another account-wide lock stays active.
    pub still_locked: bool,
    /// Roots by contract; a contract that is missing is shown by its id.
    pub symbols: &'a BTreeMap<ContractId, Symbol>,
}

/// An enforcement that ended, seen at the broker.
#[derive(Clone, Debug)]
pub struct Enforced<'a> {
    /// By which rule.
    pub rule: RuleKey,
    /// What it is called, as of [`reason::title`].
    pub title: &'a str,
    /// Value of limit, as of [`reason::short`].
    pub reason: &'a str,
    /// What was done.
    pub deeds: &'a Deeds,
    /// The lock that it set, if it set one.
    pub lock: Option<Locking<'a>>,
}

/// Something was closed, reduced or cancelled by a rule.
#[must_use]
pub fn enforced(news: &Enforced<'_>, scene: &Scene<'_>) -> Note {
    let heading = format!("{}: {}", news.title, news.reason);
    let done = news.deeds.done();
    match news.lock {
        None => scene.note(Severity::Warning, &heading, &done).about(news.rule),
        Some(lock) => {
            let body = lock.led_in(&format!("{heading}. {done} {}", lock.blocked(scene)));
            scene.note(Severity::Warning, &lock.title(scene), &body).about(news.rule)
        }
    }
}

/// A rule that does not enforce would have acted, as of [`Deeds::would`].
#[must_use]
pub fn observed(observation: &Observation, would: &str, scene: &Scene<'_>) -> Note {
    let (title, severity) = match observation.warn {
        true => ("Warning, not enforced", Severity::Warning),
        false => ("Observed, not enforced", Severity::Info),
    };
    let heading = format!("{}: {}", words::title(observation.rule), reason::short(&observation.breach));
    scene.note(severity, title, &format!("{heading}. {would}")).about(observation.rule)
}

/// Something could not be closed or cancelled.
#[derive(Clone, Debug)]
pub struct Failure<'a> {
    /// What is still open.
    pub open: &'a [(Contracts, Symbol)],
    /// How often it was tried.
    pub tries: u32,
    /// The broker's word, in short.
    pub why: &'a str,
    /// A lock stays active.
    pub lock_stays: bool,
    /// The market is closed: nothing can be done before it opens.
    pub market_closed: bool,
}

/// Protection failed: the trader must act.
#[must_use]
pub fn close_failed(failure: &Failure<'_>, scene: &Scene<'_>) -> Note {
    let sizes: Vec<String> = failure.open.iter().map(|(size, symbol)| words::size(*size, symbol)).collect();
    let what = match sizes.is_empty() {
        true => "orders still working".to_owned(),
        false => format!("{} still open", words::listed(&sizes)),
    };
    let tries = match failure.tries {
        1 => "1 try".to_owned(),
        more => format!("{more} tries"),
    };
    let lock = if failure.lock_stays { "Lock stays. " } else { "" };
    let again = if failure.market_closed { "we try again at the open" } else { "we keep trying" };
    let body =
        format!("{what} after {tries} (broker: {}). {lock}Close in {}; {again}.", failure.why, scene.broker);
    scene.note(Severity::Critical, "Close failed", &body).of_protection()
}

/// An automatic order could not be placed or changed.
#[must_use]
pub fn order_failed(symbol: &str, reason: &str, why: &str, scene: &Scene<'_>) -> Note {
    let title = format!("{}: {symbol} not managed", words::title(RuleKey::TradeManagement));
    let body = format!(
        "The {reason} could not be set (broker: {why}). Look at your orders in {}; we try again.",
        scene.broker
    );
    scene.note(Severity::Error, &title, &body).about(RuleKey::TradeManagement)
}

/// Protection ended.
#[must_use]
pub fn not_protected(doubt: &Doubt, since: Instant, scene: &Scene<'_>) -> Note {
    let text = doubt.text(scene.broker);
    let what = text.trim_end_matches('.');
    let since = time::event(since, scene.now);
    let open = match scene.open {
        [] => format!("No position was open. {}", doubt.advice(scene.broker)),
        held => format!("Open: {}. Watch it in {}.", words::holdings(held), scene.broker),
    };
    scene.note(Severity::Error, "Not protected", &format!("{what} since {since}. {open}")).of_protection()
}

/// The engine stopped answering its viewer: told by the viewer itself, from the last picture it has.
#[must_use]
pub fn engine_lost(last: &View, now: Instant, zones: Zones) -> Note {
    let open: Vec<Held> = last.accounts.iter().flat_map(|account| &account.positions).map(held).collect();
    let scene = Scene {
        now,
        zones: last.zones(zones),
        broker: &last.broker,
        account: None,
        open: &open,
        still_locked: false,
        symbols: &BTreeMap::new(),
    };
    not_protected(&Doubt::EngineLost, last.at, &scene)
}

/// The engine in the tray program ended by itself, and none takes its place.
#[must_use]
pub fn engine_ended(why: &str) -> Note {
    let why = why.trim_end_matches('.');
    let body = format!("{why}. Nothing is watched or enforced. Quit Risk Manager and start it again.");
    of_the_engine(Severity::Critical, "Not protected: the engine ended", body)
}

/// The engine in the tray program ended by itself, and another one took its place.
#[must_use]
pub fn engine_restarted() -> Note {
    let body = "It ended by a mistake of this program and reads everything again. The log says more.";
    of_the_engine(Severity::Error, "The engine was started again", body.to_owned())
}

fn of_the_engine(severity: Severity, title: &str, body: String) -> Note {
    Note { title: title.to_owned(), body, severity, rule: None, purpose: Purpose::Protection }
}

fn held(position: &PositionView) -> Held {
    Held { side: position.side, size: position.size, symbol: position.symbol.clone() }
}

/// Protection is back: from what doubt, to which state, after how long.
#[must_use]
pub fn protected_again(
    from: &Doubt,
    to: Protection,
    after: TimeDelta,
    judged_at: Instant,
    scene: &Scene<'_>,
) -> Note {
    let title = match to {
        Protection::Armed => "Armed again",
        Protection::Locked => "Locked, and enforced again",
        Protection::Observing => "Observing again",
        Protection::NotProtected => "Still not protected",
    };
    let what = if from.is_connection() { "Connection back" } else { "Cause gone" };
    let body = format!(
        "{what} after {}. Everything read again and judged at {}.",
        time::lasted(after),
        time::event(judged_at, scene.now)
    );
    scene.note(Severity::Info, title, &body).of_protection()
}

/// The settings files changed and cannot be used.
#[must_use]
pub fn settings_refused(fault: &str) -> Note {
    Note {
        title: "Settings not taken over".to_owned(),
        body: format!("{fault}. The settings from before stay enforced. `riskctl config check` says more."),
        severity: Severity::Error,
        rule: None,
        purpose: Purpose::News,
    }
}

/// The database was lost and another one took its place.
#[must_use]
pub fn database_replaced(what: &str) -> Note {
    Note {
        title: "Database replaced".to_owned(),
        body: format!("{what} Compare figures and lockouts in `riskctl status` with what you remember."),
        severity: Severity::Error,
        rule: None,
        purpose: Purpose::News,
    }
}

/// What a test button sends.
#[must_use]
pub fn test(now: Instant) -> Note {
    Note {
        title: "Test message".to_owned(),
        body: format!("Messages of Risk Manager arrive here. Sent at {}.", time::event(now, now)),
        severity: Severity::Info,
        rule: None,
        purpose: Purpose::Test,
    }
}

impl Scene<'_> {
    pub(super) fn note(&self, severity: Severity, title: &str, body: &str) -> Note {
        let title = match self.account {
            Some(account) => format!("{title} · {account}"),
            None => title.to_owned(),
        };
        Note { title, body: body.to_owned(), severity, rule: None, purpose: Purpose::News }
    }

    fn symbol(&self, contract: &ContractId) -> String {
        self.symbols.get(contract).map_or_else(|| contract.to_string(), ToString::to_string)
    }
}

#[cfg(test)]
mod tests;
