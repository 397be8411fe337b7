//! Notifications: state or rule in the title, then number, deed, and until when.
//!
//! Never says more than is known at the time of writing, and never blames.

use std::collections::BTreeMap;

use chrono::TimeDelta;
use domain::{
    Alert, ContractId, Contracts, EndCause, Instant, LockEnd, Lockout, Notice, Observation, RuleKey,
    Severity, Symbol, Usd,
};
use serde::{Deserialize, Serialize};

use crate::view::{PositionView, Protection, View};

use super::{Deeds, Doubt, Held, WouldLock, Zones, money, reason, time, trouble, words};

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
    /// Protection was lost, or is back.
    Protection,
    /// Somebody wants to see that messages arrive.
    Test,
}

impl Note {
    fn about(self, rule: RuleKey) -> Self {
        Self { rule: Some(rule), ..self }
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
    /// Value of limit, as of [`reason::short`].
    pub reason: &'a str,
    /// What was done.
    pub deeds: &'a Deeds,
    /// End of the lock that it set, if it set one.
    pub lock: Option<LockEnd>,
}

/// Something was closed, reduced or cancelled by a rule.
#[must_use]
pub fn enforced(news: &Enforced<'_>, scene: &Scene<'_>) -> Note {
    let heading = format!("{}: {}", words::title(news.rule), news.reason);
    let done = news.deeds.done();
    match news.lock {
        None => scene.note(Severity::Warning, &heading, &done).about(news.rule),
        Some(end) => {
            let body = format!("{heading}. {done} {}", blocked_until(news.rule, end, scene));
            scene.note(Severity::Warning, &locked_title(end, scene), &body).about(news.rule)
        }
    }
}

/// An account was locked without anything to close.
#[must_use]
pub fn locked(lockout: &Lockout, scene: &Scene<'_>) -> Note {
    let heading = format!(
        "{}: {}",
        words::title_with(lockout.key.rule, lockout.key.symbol.as_ref()),
        reason::short(&lockout.breach)
    );
    let body = format!("{heading}. {}", blocked_until(lockout.key.rule, lockout.end, scene));
    scene.note(Severity::Warning, &locked_title(lockout.end, scene), &body).about(lockout.key.rule)
}

/// A rule that does not enforce would have acted.
#[must_use]
pub fn observed(
    observation: &Observation,
    would: &Deeds,
    lock: Option<WouldLock>,
    scene: &Scene<'_>,
) -> Note {
    let (title, severity) = match observation.warn {
        true => ("Warning, not enforced", Severity::Warning),
        false => ("Observed, not enforced", Severity::Info),
    };
    let heading = format!("{}: {}", words::title(observation.rule), reason::short(&observation.breach));
    let body = format!("{heading}. {}", would.would(lock, scene.now));
    scene.note(severity, title, &body).about(observation.rule)
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
    scene.note(Severity::Error, &title, &body)
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
        zones,
        broker: &last.broker,
        account: None,
        open: &open,
        still_locked: false,
        symbols: &BTreeMap::new(),
    };
    not_protected(&Doubt::EngineLost, last.at, &scene)
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

/// A looser setting was saved and waits for the next trading day.
#[must_use]
pub fn looser_change(rule: RuleKey, from: &str, to: &str, applies_at: Instant, scene: &Scene<'_>) -> Note {
    let body = format!(
        "{} {from} → {to} applies at {}. Until then {from} is enforced.",
        words::title(rule),
        time::ahead(applies_at, scene.now, scene.zones)
    );
    scene.note(Severity::Info, "Looser change saved", &body)
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

/// What became of changed settings; texts as of the comparison.
#[derive(Clone, Copy, Debug)]
pub struct SettingsNews<'a> {
    /// In force now.
    pub applied: &'a [String],
    /// Queued, because they protect less.
    pub waits: &'a [String],
    /// From when these apply.
    pub from: Instant,
    /// Refused, because the account is locked.
    pub refused: &'a [String],
    /// Queued before, and taken back.
    pub withdrawn: &'a [String],
}

/// The settings changed; `None` when no rule did.
#[must_use]
pub fn settings_changed(news: &SettingsNews<'_>, now: Instant, zones: Zones) -> Option<Note> {
    let from = format!("From {}", time::ahead(news.from, now, zones));
    let parts = [
        ("Applied", news.applied),
        (from.as_str(), news.waits),
        ("Refused while locked", news.refused),
        ("Withdrawn", news.withdrawn),
    ];
    let body: Vec<String> = parts
        .iter()
        .filter(|(_, changes)| !changes.is_empty())
        .map(|(what, changes)| format!("{what}: {}.", changes.join("; ")))
        .collect();
    let (title, severity) = match news.refused.is_empty() {
        true => ("Settings changed", Severity::Info),
        false => ("Settings not loosened while locked", Severity::Warning),
    };
    (!body.is_empty()).then(|| Note {
        title: title.to_owned(),
        body: body.join(" "),
        severity,
        rule: None,
        purpose: Purpose::News,
    })
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

/// Everything that the engine itself asks to be told.
#[must_use]
pub fn alert(alert: &Alert, scene: &Scene<'_>) -> Note {
    match &alert.notice {
        Notice::Unlocked { lockout, cause } => unlocked(alert.severity, lockout, cause, scene),
        Notice::StopMissing { contract, covered, size, closes_at } => {
            let title = format!("Stop-Loss Required: {}", uncovered(scene.symbol(contract), *covered, *size));
            let until = time::ahead(*closes_at, scene.now, scene.zones);
            scene.note(alert.severity, &title, &format!("Closes at {until} unless a stop is working."))
        }
        Notice::NearLimit { rule, contract, value, limit, level } => {
            let symbol = contract.as_ref().map(|contract| scene.symbol(contract).into());
            near_limit(
                alert.severity,
                &Near { rule: *rule, symbol, value: *value, limit: *limit, level: *level },
                scene,
            )
        }
        Notice::DangerousStop { contract, .. } => scene.note(
            alert.severity,
            &format!("Stop on the wrong side: {}", scene.symbol(contract)),
            &format!("If it fills, it opens a position. Cancel it in {}.", scene.broker),
        ),
        Notice::StopsUnknown { contract, since } => scene.note(
            alert.severity,
            &format!("Stop-Loss Required: {} cannot be judged", scene.symbol(contract)),
            &format!(
                "Its orders are unknown since {}. Asked again and again. Watch it in {}.",
                time::event(*since, scene.now),
                scene.broker
            ),
        ),
        Notice::Loop { contract, actions } => scene.note(
            alert.severity,
            &format!("{}: acted {actions} times within a minute", scene.symbol(contract)),
            "Something keeps opening it without a new trade of yours. Check other programs and copiers.",
        ),
        Notice::StopRuleForced => scene.note(
            alert.severity,
            "Stop-Loss Required stays on",
            "The settings switch it off or weaken it. It is enforced all the same.",
        ),
        Notice::NoTradingHours { symbol } => scene.note(
            alert.severity,
            &format!("{} without an end", words::title_with(RuleKey::SessionBlockOutside, symbol.as_ref())),
            "No trading hours begin within the next 14 days. Check sessions and holidays in the settings.",
        ),
        Notice::DayStarted { day } => scene.note(
            alert.severity,
            "New trading day",
            &format!("{} began. Daily figures start at zero.", day.0.format("%a %b %-d")),
        ),
        Notice::NearTradeLimit { rule, count, limit, .. } => {
            let left = words::count(limit.saturating_sub(*count), "trade");
            let body = format!("{}: {count} of {limit} trades.", words::title(*rule));
            scene.note(alert.severity, &format!("Near limit: {left} left"), &body)
        }
        Notice::Trouble { trouble, since, times, open } => {
            trouble::gone(alert.severity, trouble, (*since, *times), open, scene)
        }
        Notice::TroubleOver { trouble, since, until, times } => {
            trouble::over(alert.severity, trouble, (*since, *until), *times, scene)
        }
        Notice::QuotesLate { contract, lag_ms } => scene.note(
            alert.severity,
            &format!("Quotes of {} arrive late", scene.symbol(contract)),
            &format!(
                "{} later than usual. Limits on open results pause until they arrive in time; the other \
                 rules act.",
                time::lasted(TimeDelta::milliseconds(*lag_ms))
            ),
        ),
        Notice::QuotesInTime { contract } => scene.note(
            alert.severity,
            &format!("Quotes of {} arrive in time again", scene.symbol(contract)),
            "Open results are judged again.",
        ),
        Notice::ResultDiffers { fill, contract, brokers, own } => scene.note(
            alert.severity,
            &format!("Result of a trade in {} differs", scene.symbol(contract)),
            &format!(
                "{} says {}, the fills add up to {} (trade {fill}). The broker's figure counts.",
                scene.broker,
                money::signed(*brokers),
                money::signed(*own)
            ),
        ),
        Notice::StopMovedIn { contract, meant, placed } => scene.note(
            alert.severity,
            &format!("{}: stop of {} nearer", words::title(RuleKey::TradeManagement), scene.symbol(contract)),
            &format!("The market has passed {meant} already. The stop is placed at {placed}."),
        ),
        Notice::StopLeftAlone { contract } => scene.note(
            alert.severity,
            &format!("{}: {} left alone", words::title(RuleKey::TradeManagement), scene.symbol(contract)),
            "Its automatic stop was taken away twice and is not placed again. Stop-Loss Required goes on.",
        ),
        Notice::DayDiffers { known, brokers } => scene.note(
            alert.severity,
            "The day's result differs",
            &format!(
                "Read again, {} says {} of trades that were known with {}. Compare the trades in {}.",
                scene.broker,
                money::signed(*brokers),
                money::signed(*known),
                scene.broker
            ),
        ),
    }
}

fn unlocked(severity: Severity, lockout: &Lockout, cause: &EndCause, scene: &Scene<'_>) -> Note {
    let title = words::title_with(lockout.key.rule, lockout.key.symbol.as_ref());
    let why = match cause {
        EndCause::Expiry => "Its time is over.".to_owned(),
        EndCause::Condition => "Its condition came true.".to_owned(),
        EndCause::Config => "The settings no longer ask for it.".to_owned(),
        EndCause::Reset => "A new trading day began.".to_owned(),
        EndCause::Override { reason } => format!("Overridden: {reason}."),
    };
    let after = if scene.still_locked { "Another lock stays." } else { "New trades are allowed again." };
    scene.note(severity, &format!("Lock ended: {title}"), &format!("{why} {after}"))
}

/// A limit that came near.
struct Near {
    rule: RuleKey,
    symbol: Option<Symbol>,
    value: Usd,
    limit: Usd,
    level: u32,
}

fn near_limit(severity: Severity, near: &Near, scene: &Scene<'_>) -> Note {
    let Near { rule, symbol, value, limit, level } = near;
    let title = words::title_with(*rule, symbol.as_ref());
    let (now, limit_text) = (money::signed(*value), money::short(*limit));
    if *level >= 100 {
        let body = format!(
            "{now} of {limit_text} by the newest bar; there are no live quotes. It acts once a second look \
             says the same."
        );
        return scene.note(severity, &format!("{title}: reached, not confirmed"), &body);
    }
    let left = money::unsigned((limit.abs() - value.abs()).max(Usd::ZERO));
    let used = money::used_percent(*value, *limit);
    let what = if symbol.is_some() { "it" } else { "everything" };
    let body = format!("{title}: {now} of {limit_text} ({used} %). At {limit_text} {what} is closed.");
    scene.note(severity, &format!("Near limit: {left} left"), &body)
}

fn uncovered(symbol: String, covered: Contracts, size: Contracts) -> String {
    match (covered.0, size.0) {
        (0, 1) => format!("1 {symbol} has no stop"),
        (0, size) => format!("{size} {symbol} have no stop"),
        (covered, size) => format!("{} of {size} {symbol} without a stop", size.saturating_sub(covered)),
    }
}

fn locked_title(end: LockEnd, scene: &Scene<'_>) -> String {
    match end.at() {
        Some(at) => format!("Locked until {}", time::schedule(at, scene.now)),
        None => "Locked".to_owned(),
    }
}

/// `New trades blocked until 5:00 PM CT (in 2h 14m).`; where the trader wanted to stop, `Done until …`.
fn blocked_until(rule: RuleKey, end: LockEnd, scene: &Scene<'_>) -> String {
    let wanted = matches!(rule, RuleKey::DailyRealizedProfit | RuleKey::Trader);
    let what = if wanted { "Done" } else { "New trades blocked" };
    let until = match (end, end.at()) {
        (_, Some(at)) => time::ahead(at, scene.now, scene.zones),
        (LockEnd::CanTrade, None) => format!("{} lets the account trade again", scene.broker),
        (LockEnd::Config, None) => "the settings unblock it".to_owned(),
        (_, None) => "the next trading hours".to_owned(),
    };
    format!("{what} until {until}.")
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
