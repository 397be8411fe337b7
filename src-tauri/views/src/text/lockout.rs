//! What a lockout forbids, how it ends, and what stays allowed.

use domain::{EndCause, Instant, LockEnd, LockKind, Lockout, RuleKey, Symbol};

use super::{reason, time, words};

/// Title of a lockout: its rule; the trader's own lock until the reset is `Done for the day`.
#[must_use]
pub fn title(lockout: &Lockout) -> &'static str {
    match (lockout.key.rule, lockout.end) {
        (RuleKey::Trader, LockEnd::Reset(_)) => "Done for the day",
        _ => words::title(lockout.key.rule),
    }
}

/// The same with the symbol that it concerns: `Symbol Block, RTY`.
#[must_use]
pub fn title_with(lockout: &Lockout) -> String {
    match &lockout.key.symbol {
        Some(symbol) => format!("{}, {symbol}", title(lockout)),
        None => title(lockout).to_owned(),
    }
}

/// Why it exists: the value of its limit, as one sentence.
#[must_use]
pub fn reason(lockout: &Lockout) -> String {
    reason::full(&lockout.breach)
}

/// What the trader wants to hear when his target is reached, as one sentence; `None` where he wrote nothing.
#[must_use]
pub fn own_words(message: &str) -> Option<String> {
    let words = message.trim();
    let is_ended = words.ends_with(['.', '!', '?', '…']);
    (!words.is_empty()).then(|| if is_ended { words.to_owned() } else { format!("{words}.") })
}

/// What trades on in spite of the end of the general hours: `except ES, which has its own hours`.
pub fn except<'a>(symbols: impl IntoIterator<Item = &'a Symbol>) -> Option<String> {
    let symbols: Vec<String> = symbols.into_iter().map(ToString::to_string).collect();
    let own = match symbols.as_slice() {
        [] => return None,
        [_] => "which has its own hours",
        [..] => "which have their own hours",
    };
    Some(format!("except {}, {own}", words::listed(&symbols)))
}

/// Why one ended.
#[must_use]
pub fn ended(cause: &EndCause) -> String {
    match cause {
        EndCause::Override { reason } => format!("overridden: {reason}"),
        EndCause::Expiry => "its time is over".to_string(),
        EndCause::Condition => "its condition came true".to_string(),
        EndCause::Config => "the settings no longer ask for it".to_string(),
        EndCause::Reset => "a new trading day began".to_string(),
    }
}

/// How it ends and what stays allowed.
#[must_use]
pub fn ends(lockout: &Lockout, now: Instant) -> String {
    let end = ending(lockout, now);
    let except = except(&lockout.exempt).map(|except| format!(", {except}")).unwrap_or_default();
    match (lockout.kind, staying(lockout, now)) {
        (LockKind::Hard, staying) => {
            let staying = staying.unwrap_or_default();
            format!("{end} {staying}New positions are closed at once{except}; exits stay allowed.")
        }
        (LockKind::Timer, _) => {
            format!("{end} New and larger positions are closed back at once; exits stay allowed.")
        }
        (LockKind::Symbol, None) => {
            format!("{end} Its positions are closed at once; other symbols trade normally.")
        }
        (LockKind::Symbol, Some(staying)) => {
            format!("{end} {staying}New ones in it are closed at once; other symbols trade normally.")
        }
    }
}

/// What was open when it began may stay, for a while or for good.
fn staying(lockout: &Lockout, now: Instant) -> Option<String> {
    if lockout.baseline.is_empty() || !lockout.spares_baseline(now) {
        return None;
    }
    let until = lockout.grace_ends().map(|at| format!(" until {}", time::event(at, now))).unwrap_or_default();
    Some(format!("What was open before may stay{until}. "))
}

/// Since when, and on what it ends; `Lock since 2:24:31 PM CT, ends at the daily reset.`
fn ending(lockout: &Lockout, now: Instant) -> String {
    let name = match lockout.kind {
        LockKind::Hard => "Lock",
        LockKind::Timer => "Cooldown",
        LockKind::Symbol => "Symbol lock",
    };
    let since = time::event(lockout.since, now);
    let own = if lockout.key.rule == RuleKey::Trader { " It cannot be taken back." } else { "" };
    let how = match lockout.end {
        LockEnd::Time(_) => "ends by itself".to_owned(),
        LockEnd::Reset(_) => "ends at the daily reset".to_owned(),
        LockEnd::SessionStart(Some(_)) => "ends when the next trading hours begin".to_owned(),
        LockEnd::SessionStart(None) => "no next trading hours are known".to_owned(),
        LockEnd::CanTrade => "ends when the broker lets the account trade again".to_owned(),
        LockEnd::Config => unblocked(lockout),
    };
    format!("{name} since {since}, {how}.{own}")
}

fn unblocked(lockout: &Lockout) -> String {
    let symbol = words::symbol_or_unknown(lockout.key.symbol.as_ref());
    format!("no time limit: ends the trading day after you take {symbol} off the list")
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::{Breach, ContractId, Exposure, LockKey, TradingDay};

    fn lockout(rule: RuleKey, kind: LockKind, end: LockEnd, symbol: Option<&str>) -> Lockout {
        let since: Instant = "2025-11-18T20:24:31Z".parse().unwrap();
        Lockout {
            key: LockKey { account: "1".into(), rule, symbol: symbol.map(Symbol::new), cause: String::new() },
            kind,
            breach: Breach::TraderCommand { command: "lock".into(), until: None },
            since,
            end,
            day: TradingDay(since.date_naive()),
            baseline: Default::default(),
            exempt: Default::default(),
        }
    }

    #[test]
    fn each_kind_says_how_it_ends_and_what_stays_allowed() {
        let now: Instant = "2025-11-18T20:46:20Z".parse().unwrap();
        let reset: Instant = "2025-11-18T23:00:00Z".parse().unwrap();
        let check = |lockout: Lockout, expected: &str| assert_eq!(ends(&lockout, now), expected);
        check(
            lockout(RuleKey::DailyRealizedLoss, LockKind::Hard, LockEnd::Reset(reset), None),
            "Lock since 2:24:31 PM CT, ends at the daily reset. New positions are closed at once; exits \
             stay allowed.",
        );
        check(
            lockout(RuleKey::TradeFrequencyLimit, LockKind::Timer, LockEnd::Time(reset), None),
            "Cooldown since 2:24:31 PM CT, ends by itself. New and larger positions \
             are closed back at once; exits stay allowed.",
        );
        check(
            lockout(RuleKey::SymbolBlocks, LockKind::Symbol, LockEnd::Config, Some("RTY")),
            "Symbol lock since 2:24:31 PM CT, no time limit: ends the trading day after you take RTY off \
             the list. Its positions are closed at once; other symbols trade normally.",
        );
        check(
            lockout(RuleKey::Trader, LockKind::Hard, LockEnd::Time(reset), None),
            "Lock since 2:24:31 PM CT, ends by itself. It cannot be taken back. New \
             positions are closed at once; exits stay allowed.",
        );
        check(
            lockout(RuleKey::AuthLossGuard, LockKind::Hard, LockEnd::CanTrade, None),
            "Lock since 2:24:31 PM CT, ends when the broker lets the account trade again. New positions \
             are closed at once; exits stay allowed.",
        );
    }

    #[test]
    fn what_may_stay_and_what_trades_on_is_said() {
        let since: Instant = "2025-11-18T20:24:31Z".parse().unwrap();
        let open: Instant = "2025-11-18T23:00:00Z".parse().unwrap();
        let standing = [(ContractId::new("CON.F.US.RTY.Z25"), Exposure(1))];
        let baseline = || standing.clone().into();
        let of_symbol =
            |rule| lockout(rule, LockKind::Symbol, LockEnd::SessionStart(Some(open)), Some("RTY"));
        let says = |lockout: &Lockout, expected: &str| {
            let said = ends(lockout, since);
            assert!(said.ends_with(expected), "{said}");
        };
        let kept = Lockout { baseline: baseline(), ..of_symbol(RuleKey::SymbolBlocks) };
        says(
            &kept,
            "What was open before may stay. New ones in it are closed at once; other symbols trade normally.",
        );
        let closes_at = Some(since + chrono::TimeDelta::seconds(60));
        let breach = Breach::OutsideSession { symbol: Some("RTY".into()), ended: Some(since), closes_at };
        let grace = Lockout { baseline: baseline(), breach, ..of_symbol(RuleKey::SessionBlockOutside) };
        says(
            &grace,
            "What was open before may stay until 2:25:31 PM CT. New ones in it are closed at once; other \
             symbols trade normally.",
        );
        assert!(ends(&grace, open).contains(" Its positions are closed at once;"), "the grace is over");

        let general =
            lockout(RuleKey::SessionBlockOutside, LockKind::Hard, LockEnd::SessionStart(Some(open)), None);
        let with_own = |symbols: &[&str]| {
            let exempt = symbols.iter().map(Symbol::new).collect();
            Lockout { exempt, ..general.clone() }
        };
        says(
            &with_own(&["ES"]),
            "New positions are closed at once, except ES, which has its own hours; exits stay allowed.",
        );
        says(&with_own(&["ES", "NQ"]), "except ES and NQ, which have their own hours; exits stay allowed.");
    }

    #[test]
    fn own_words_are_a_sentence() {
        assert_eq!(own_words("Enough for today!").as_deref(), Some("Enough for today!"));
        assert_eq!(own_words(" Walk the dog ").as_deref(), Some("Walk the dog."));
        assert_eq!(own_words("  "), None);
    }

    #[test]
    fn the_traders_own_lock_until_the_reset_is_done_for_the_day() {
        let at = "2025-11-18T23:00:00Z".parse().unwrap();
        let own = |end| title(&lockout(RuleKey::Trader, LockKind::Hard, end, None));
        assert_eq!(own(LockEnd::Reset(at)), "Done for the day");
        assert_eq!(own(LockEnd::Time(at)), "Your own lock");
    }
}
