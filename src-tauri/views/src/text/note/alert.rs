//! What the engine itself asks to be told, notice by notice.

use chrono::TimeDelta;
use domain::{Alert, Contracts, EndCause, Lockout, Notice, RuleKey, RuleMode, Severity, Symbol, Usd};

use super::{Note, Scene};
use crate::text::{lockout as lockout_text, money, time, trouble, words};

/// Everything that the engine itself asks to be told.
#[must_use]
pub fn alert(alert: &Alert, scene: &Scene<'_>) -> Note {
    let note = worded(alert, scene);
    match hints_of(&alert.notice) {
        Some(rule) => note.hint(rule),
        None => note,
    }
}

/// The rule of what comes again and again and is urgent to nobody; a countdown to a close is.
fn hints_of(notice: &Notice) -> Option<RuleKey> {
    match notice {
        Notice::NearLimit { rule, .. } | Notice::NearTradeLimit { rule, .. } => Some(*rule),
        Notice::Unlocked { lockout, .. } => Some(lockout.key.rule),
        Notice::StopMovedIn { .. } | Notice::StopLeftAlone { .. } => Some(RuleKey::TradeManagement),
        Notice::StopMissing { .. }
        | Notice::DangerousStop { .. }
        | Notice::StopsUnknown { .. }
        | Notice::Loop { .. }
        | Notice::StopRuleForced
        | Notice::DayStarted { .. }
        | Notice::Trouble { .. }
        | Notice::TroubleOver { .. }
        | Notice::QuotesLate { .. }
        | Notice::QuotesInTime { .. }
        | Notice::ResultDiffers { .. }
        | Notice::DayDiffers { .. }
        | Notice::NoTradingHours { .. }
        | Notice::RuleFailed { .. } => None,
    }
}

fn worded(alert: &Alert, scene: &Scene<'_>) -> Note {
    match &alert.notice {
        Notice::Unlocked { lockout, cause } => unlocked(alert.severity, lockout, cause, scene),
        Notice::StopMissing { contract, covered, size, closes_at } => {
            let title = format!("Stop-Loss Required: {}", uncovered(scene.symbol(contract), *covered, *size));
            let until = time::ahead(*closes_at, scene.now, scene.zones);
            scene.note(alert.severity, &title, &format!("Closes at {until} unless a stop is working."))
        }
        Notice::NearLimit { rule, contract, value, limit, level, mode } => {
            let symbol = contract.as_ref().map(|contract| scene.symbol(contract).into());
            near_limit(
                alert.severity,
                &Near { rule: *rule, symbol, value: *value, limit: *limit, level: *level, mode: *mode },
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
        Notice::RuleFailed { rule } => scene.note(
            alert.severity,
            &format!("{} could not be judged", words::title(*rule)),
            "A mistake in this program. The other rules act; it is tried again with every change.",
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
        Notice::NearTradeLimit { rule, count, limit, mode, .. } => {
            let left = words::count(limit.saturating_sub(*count), "trade");
            let only_told = match mode {
                RuleMode::Enforce => String::new(),
                RuleMode::Warn | RuleMode::Observe => format!(" At {limit} you are told; nothing is locked."),
            };
            let body = format!("{}: {count} of {limit} trades.{only_told}", words::title(*rule));
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
    let title = lockout_text::title_with(lockout);
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
    mode: RuleMode,
}

fn near_limit(severity: Severity, near: &Near, scene: &Scene<'_>) -> Note {
    let Near { rule, symbol, value, limit, level, mode } = near;
    let title = words::title_with(*rule, symbol.as_ref());
    let (now, limit_text) = (money::signed(*value), money::short(*limit));
    if *level >= 100 {
        let then = match mode {
            RuleMode::Enforce => "It acts",
            RuleMode::Warn | RuleMode::Observe => "You are told",
        };
        let body = format!(
            "{now} of {limit_text} by the newest bar; there are no live quotes. {then} once a second look \
             says the same."
        );
        return scene.note(severity, &format!("{title}: reached, not confirmed"), &body);
    }
    let left = money::unsigned((limit.abs() - value.abs()).max(Usd::ZERO));
    let used = money::used_percent(*value, *limit);
    let then = match (mode, symbol) {
        (RuleMode::Enforce, Some(_)) => "it is closed",
        (RuleMode::Enforce, None) => "everything is closed",
        (RuleMode::Warn | RuleMode::Observe, _) => "you are told; nothing is closed",
    };
    let body = format!("{title}: {now} of {limit_text} ({used} %). At {limit_text} {then}.");
    scene.note(severity, &format!("Near limit: {left} left"), &body)
}

fn uncovered(symbol: String, covered: Contracts, size: Contracts) -> String {
    match (covered.0, size.0) {
        (0, 1) => format!("1 {symbol} has no stop"),
        (0, size) => format!("{size} {symbol} have no stop"),
        (covered, size) => format!("{} of {size} {symbol} without a stop", size.saturating_sub(covered)),
    }
}
