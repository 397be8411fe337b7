//! The ten messages of the look, word for word, and what surrounds them.

use super::*;
use crate::{
    text::{WouldLock, trouble},
    view::DesktopView,
};
use domain::{
    Alert, Breach, Contracts, EndCause, LockEnd, LockKey, LockKind, Lockout, Notice, Part, RuleMode, Side,
    TradingDay, Trouble, Usd, breach::Basis,
};

fn utc(text: &str) -> Instant {
    text.parse().unwrap()
}

fn scene<'a>(now: &str, open: &'a [Held], symbols: &'a BTreeMap<ContractId, Symbol>) -> Scene<'a> {
    Scene {
        now: utc(now),
        zones: Zones::CENTRAL,
        broker: "TopstepX",
        account: None,
        open,
        still_locked: false,
        symbols,
    }
}

fn closed(size: u32, symbol: &str) -> Vec<(Contracts, Symbol)> {
    vec![(Contracts(size), symbol.into())]
}

fn check(note: &Note, title: &str, body: &str) {
    assert_eq!((note.title.as_str(), note.body.as_str()), (title, body));
}

fn daily_loss(cents: i64) -> Breach {
    Breach::DailyLoss {
        basis: Basis::Combined,
        value: Usd::from_cents(cents),
        limit: Usd::from_cents(-50_000),
    }
}

fn lockout(rule: RuleKey, kind: LockKind, end: LockEnd, breach: Breach) -> Lockout {
    let since = utc("2025-11-18T20:24:31Z");
    Lockout {
        key: LockKey { account: "1".into(), rule, symbol: None, cause: String::new() },
        kind,
        breach,
        since,
        end,
        day: TradingDay(since.date_naive()),
        baseline: BTreeMap::new(),
        exempt: Default::default(),
    }
}

fn until_reset(rule: RuleKey) -> Lockout {
    lockout(rule, LockKind::Hard, LockEnd::Reset(utc(RESET)), daily_loss(-51_250))
}

fn begun(lockout: &Lockout) -> Locking<'_> {
    static NOTHING: Beside = Beside { own_words: None, except: None };
    Locking { lockout, is_extended: false, beside: &NOTHING }
}

fn cooldown(until: &str) -> Lockout {
    let (loss, limit) = (Usd::from_cents(-12_400), Usd::from_cents(-10_000));
    let breach = Breach::LosingTrade { loss, limit };
    lockout(RuleKey::CooldownAfterLoss, LockKind::Timer, LockEnd::Time(utc(until)), breach)
}

const RESET: &str = "2025-11-18T23:00:00Z";

#[test]
fn message_1_a_limit_was_reached() {
    let none = BTreeMap::new();
    let deeds = Deeds { closed: closed(2, "MNQ"), cancelled: 1, ..Deeds::default() };
    let reason = reason::short(&daily_loss(-51_250));
    let locked = until_reset(RuleKey::DailyRealizedLoss);
    let news = Enforced {
        rule: RuleKey::DailyRealizedLoss,
        title: "Daily Loss Limit",
        reason: &reason,
        deeds: &deeds,
        lock: Some(begun(&locked)),
    };
    check(
        &enforced(&news, &scene("2025-11-18T20:46:20Z", &[], &none)),
        "Locked until 5:00 PM CT",
        "Daily Loss Limit: −$512.50 of −$500. Closed 2 MNQ, cancelled 1 order. New trades blocked until \
         5:00 PM CT (in 2h 14m).",
    );
}

#[test]
fn message_2_a_limit_is_near() {
    let none = BTreeMap::new();
    let notice = Notice::NearLimit {
        rule: RuleKey::DailyRealizedLoss,
        contract: None,
        value: Usd::from_cents(-41_250),
        limit: Usd::from_cents(-50_000),
        level: 75,
        mode: RuleMode::Enforce,
    };
    let told = Alert { severity: Severity::Warning, account: None, notice };
    check(
        &alert(&told, &scene("2025-11-18T18:29:41Z", &[], &none)),
        "Near limit: $87.50 left",
        "Daily Loss Limit: −$412.50 of −$500 (83 %). At −$500 everything is closed.",
    );
}

/// What a rule that only warns will do at its limit is to warn.
#[test]
fn a_limit_that_is_not_enforced_promises_no_deed() {
    let none = BTreeMap::new();
    let near = |level| Notice::NearLimit {
        rule: RuleKey::DailyRealizedLoss,
        contract: None,
        value: Usd::from_cents(-41_250),
        limit: Usd::from_cents(-50_000),
        level,
        mode: RuleMode::Warn,
    };
    let trades = Notice::NearTradeLimit {
        rule: RuleKey::TradeFrequencyLimit,
        count: 9,
        limit: 10,
        level: 90,
        mode: RuleMode::Warn,
    };
    let body = |notice| {
        let told = Alert { severity: Severity::Warning, account: None, notice };
        alert(&told, &scene("2025-11-18T18:29:41Z", &[], &none)).body
    };
    assert_eq!(
        body(near(75)),
        "Daily Loss Limit: −$412.50 of −$500 (83 %). At −$500 you are told; nothing is closed."
    );
    assert_eq!(
        body(near(100)),
        "−$412.50 of −$500 by the newest bar; there are no live quotes. You are told once a second look says \
         the same."
    );
    assert_eq!(body(trades), "Trade Limits: 9 of 10 trades. At 10 you are told; nothing is locked.");
}

#[test]
fn message_3_protection_ended() {
    let none = BTreeMap::new();
    let open = [Held { side: Side::Long, size: Contracts(2), symbol: "MNQ".into() }];
    let scene = scene("2025-11-18T19:12:06Z", &open, &none);
    check(
        &not_protected(&Doubt::UserStream, utc("2025-11-18T19:12:04Z"), &scene),
        "Not protected",
        "No connection to TopstepX since 1:12:04 PM CT. Open: Long 2 MNQ. Watch it in TopstepX.",
    );
}

#[test]
fn message_4_protection_is_back() {
    let none = BTreeMap::new();
    let judged = utc("2025-11-18T16:02:14Z");
    let scene = scene("2025-11-18T16:02:14Z", &[], &none);
    let again = |from, to| protected_again(&from, to, TimeDelta::seconds(42), judged, &scene);
    check(
        &again(Doubt::UserStream, Protection::Armed),
        "Armed again",
        "Connection back after 42 s. Everything read again and judged at 10:02:14 AM CT.",
    );
    check(
        &again(Doubt::Disk { why: "full".into() }, Protection::Observing),
        "Observing again",
        "Cause gone after 42 s. Everything read again and judged at 10:02:14 AM CT.",
    );
}

#[test]
fn message_5_a_stop_is_missing() {
    let symbols = BTreeMap::from([(ContractId::new("CON.F.US.MNQ.Z25"), Symbol::new("MNQ"))]);
    let missing = |covered, size| Alert {
        severity: Severity::Warning,
        account: None,
        notice: Notice::StopMissing {
            contract: "CON.F.US.MNQ.Z25".into(),
            covered: Contracts(covered),
            size: Contracts(size),
            closes_at: utc("2025-11-18T18:31:05Z"),
        },
    };
    let scene = scene("2025-11-18T18:29:41Z", &[], &symbols);
    check(
        &alert(&missing(0, 1), &scene),
        "Stop-Loss Required: 1 MNQ has no stop",
        "Closes at 12:31:05 PM CT (in 1m 24s) unless a stop is working.",
    );
    assert_eq!(alert(&missing(0, 2), &scene).title, "Stop-Loss Required: 2 MNQ have no stop");
    assert_eq!(alert(&missing(1, 3), &scene).title, "Stop-Loss Required: 2 of 3 MNQ without a stop");
}

#[test]
fn message_6_a_cooldown_began() {
    let none = BTreeMap::new();
    let cooldown = cooldown("2025-11-18T16:24:55Z");
    let deeds = Deeds { closed: closed(1, "MNQ"), ..Deeds::default() };
    let news = Enforced {
        rule: RuleKey::CooldownAfterLoss,
        title: "Cooldown After Loss",
        reason: "−$124.00 on one trade",
        deeds: &deeds,
        lock: Some(begun(&cooldown)),
    };
    check(
        &enforced(&news, &scene("2025-11-18T16:19:55Z", &[], &none)),
        "Locked until 10:24:55 AM CT",
        "Cooldown After Loss: −$124.00 on one trade. Closed 1 MNQ. New trades blocked until 10:24:55 AM CT \
         (in 5m 00s).",
    );
}

#[test]
fn message_7_a_close_failed() {
    let none = BTreeMap::new();
    let open = closed(2, "MNQ");
    let failure =
        Failure { open: &open, tries: 3, why: "market closed", lock_stays: true, market_closed: true };
    let note = close_failed(&failure, &scene("2025-11-18T21:10:00Z", &[], &none));
    check(
        &note,
        "Close failed",
        "2 MNQ still open after 3 tries (broker: market closed). Lock stays. Close in TopstepX; we try \
         again at the open.",
    );
    assert_eq!(note.severity, Severity::Critical);
}

#[test]
fn message_8_a_target_was_reached() {
    let none = BTreeMap::new();
    let deeds = Deeds { closed: closed(1, "ES"), ..Deeds::default() };
    let locked = until_reset(RuleKey::DailyRealizedProfit);
    let news = Enforced {
        rule: RuleKey::DailyRealizedProfit,
        title: "Daily Profit Target",
        reason: "+$1,004.00 of +$1,000",
        deeds: &deeds,
        lock: Some(begun(&locked)),
    };
    assert_eq!(
        enforced(&news, &scene("2025-11-18T19:58:10Z", &[], &none)).body,
        "Daily Profit Target: +$1,004.00 of +$1,000. Closed 1 ES. Done until 5:00 PM CT (in 3h 02m)."
    );
}

#[test]
fn the_traders_own_words_lead_in_his_target() {
    let none = BTreeMap::new();
    let scene = scene("2025-11-18T19:58:10Z", &[], &none);
    let (value, target) = (Usd::from_cents(100_400), Usd::from_cents(100_000));
    let breach = Breach::DailyProfit { basis: Basis::Combined, value, target };
    let reached = lockout(RuleKey::DailyRealizedProfit, LockKind::Hard, LockEnd::Reset(utc(RESET)), breach);
    let beside = Beside { own_words: Some("Walk the dog.".into()), except: None };
    let lock = Locking { beside: &beside, ..begun(&reached) };
    let told = "Walk the dog. Daily Profit Target: +$1,004.00 of +$1,000.";
    let until = "Done until 5:00 PM CT (in 3h 02m).";
    assert_eq!(locked(&lock, &scene).body, format!("{told} {until}"));
    let deeds = Deeds { closed: closed(1, "ES"), ..Deeds::default() };
    let news = Enforced {
        rule: RuleKey::DailyRealizedProfit,
        title: "Daily Profit Target",
        reason: "+$1,004.00 of +$1,000",
        deeds: &deeds,
        lock: Some(lock),
    };
    assert_eq!(enforced(&news, &scene).body, format!("{told} Closed 1 ES. {until}"));
}

#[test]
fn message_10_it_was_only_observed() {
    let none = BTreeMap::new();
    let observation = Observation {
        account: "1".into(),
        rule: RuleKey::DailyRealizedLoss,
        breach: daily_loss(-50_100),
        lock: Some(LockKind::Hard),
        end: None,
        omitted: Default::default(),
        detected_at: utc("2025-11-18T17:26:40Z"),
        warn: false,
    };
    let scene = scene("2025-11-18T17:26:40Z", &[], &none);
    let would = Deeds { closed: closed(2, "MNQ"), ..Deeds::default() };
    let would = would.would(Some(WouldLock::Until(utc(RESET))), scene.now);
    check(
        &observed(&observation, &would, &scene),
        "Observed, not enforced",
        "Daily Loss Limit: −$501.00 of −$500. Would have closed 2 MNQ and locked until 5:00 PM CT.",
    );
}

#[test]
fn a_rule_for_one_position_leads_with_its_number() {
    let none = BTreeMap::new();
    let deeds = Deeds { closed: closed(1, "MNQ"), ..Deeds::default() };
    let news = Enforced {
        rule: RuleKey::MaxContracts,
        title: "Max Contracts",
        reason: "6 of 5 contracts",
        deeds: &deeds,
        lock: None,
    };
    let scene = Scene { account: Some("50KTC-V2-…5101"), ..scene("2025-11-18T17:10:31Z", &[], &none) };
    check(&enforced(&news, &scene), "Max Contracts: 6 of 5 contracts · 50KTC-V2-…5101", "Closed 1 MNQ.");
}

#[test]
fn a_lock_that_ends_says_whether_trading_is_free() {
    let none = BTreeMap::new();
    let lockout = Box::new(until_reset(RuleKey::DailyRealizedLoss));
    let notice = Notice::Unlocked { lockout, cause: EndCause::Reset };
    let told = Alert { severity: Severity::Info, account: None, notice };
    let free = scene(RESET, &[], &none);
    check(
        &alert(&told, &free),
        "Lock ended: Daily Loss Limit",
        "A new trading day began. New trades are allowed again.",
    );
    let still = Scene { still_locked: true, ..free };
    assert_eq!(alert(&told, &still).body, "A new trading day began. Another lock stays.");
}

#[test]
fn without_a_position_the_advice_is_to_look_after_the_cause() {
    let none = BTreeMap::new();
    let since = utc("2025-11-18T19:12:04Z");
    check(
        &not_protected(&Doubt::UserStream, since, &scene("2025-11-18T19:12:04Z", &[], &none)),
        "Not protected",
        "No connection to TopstepX since 1:12:04 PM CT. No position was open. Check your network.",
    );
}

#[test]
fn a_limit_of_one_position_names_it_and_an_unconfirmed_one_says_so() {
    let symbols = BTreeMap::from([(ContractId::new("CON.F.US.MNQ.Z25"), Symbol::new("MNQ"))]);
    let near = |level, cents| Alert {
        severity: Severity::Warning,
        account: None,
        notice: Notice::NearLimit {
            rule: RuleKey::DailyUnrealizedLoss,
            contract: Some("CON.F.US.MNQ.Z25".into()),
            value: Usd::from_cents(cents),
            limit: Usd::from_cents(-20_000),
            level,
            mode: RuleMode::Enforce,
        },
    };
    let scene = scene("2025-11-18T18:29:41Z", &[], &symbols);
    check(
        &alert(&near(75, -16_000), &scene),
        "Near limit: $40.00 left",
        "Open Loss per Position, MNQ: −$160.00 of −$200 (80 %). At −$200 it is closed.",
    );
    check(
        &alert(&near(100, -25_000), &scene),
        "Open Loss per Position, MNQ: reached, not confirmed",
        "−$250.00 of −$200 by the newest bar; there are no live quotes. It acts once a second look says the \
         same.",
    );
}

#[test]
fn trades_that_are_left_are_counted() {
    let none = BTreeMap::new();
    let notice = Notice::NearTradeLimit {
        rule: RuleKey::TradeFrequencyLimit,
        count: 9,
        limit: 10,
        level: 90,
        mode: RuleMode::Enforce,
    };
    check(
        &alert(
            &Alert { severity: Severity::Warning, account: None, notice },
            &scene("2025-11-18T18:29:41Z", &[], &none),
        ),
        "Near limit: 1 trade left",
        "Trade Limits: 9 of 10 trades.",
    );
}

#[test]
fn late_quotes_say_what_pauses() {
    let symbols = BTreeMap::from([(ContractId::new("CON.F.US.EP.Z25"), Symbol::new("ES"))]);
    let notice = Notice::QuotesLate { contract: "CON.F.US.EP.Z25".into(), lag_ms: 2_400 };
    let told = alert(
        &Alert { severity: Severity::Warning, account: None, notice },
        &scene("2025-11-18T18:29:41Z", &[], &symbols),
    );
    assert_eq!(told.title, "Quotes of ES arrive late");
    assert!(told.body.contains("pause until they arrive in time"), "{}", told.body);
}

#[test]
fn a_viewer_that_lost_the_engine_says_so_itself() {
    let last = crate::sample::armed();
    check(
        &engine_lost(&last, last.at + TimeDelta::seconds(3), Zones::CENTRAL),
        "Not protected",
        "The engine does not answer since 10:42:18 AM CT. Open: Long 2 MNQ. Watch it in TopstepX.",
    );
}

/// An unlock and a breach as the shipped settings show them, and what each setting keeps back.
#[test]
fn the_desktop_is_told_what_its_settings_ask_for() {
    let none = BTreeMap::new();
    let scene = scene("2025-11-18T20:46:20Z", &[], &none);
    let news = |severity| scene.note(severity, "News", "Body.");
    let [unlock, breach, failure] = [Severity::Info, Severity::Warning, Severity::Critical].map(news);
    let lost = not_protected(&Doubt::UserStream, scene.now, &scene);
    let minute = TimeDelta::minutes(1);
    let back = protected_again(&Doubt::UserStream, Protection::Armed, minute, scene.now, &scene);
    let tried = test(scene.now);
    let all = [&unlock, &breach, &failure, &lost, &back, &tried];
    let shown = |enabled, min_severity| all.map(|note| DesktopView { enabled, min_severity }.shows(note));
    assert_eq!(all.map(|note| DesktopView::default().shows(note)), [true; 6]);
    assert_eq!(shown(true, Severity::Warning), [false, true, true, true, true, true]);
    assert_eq!(shown(true, Severity::Error), [false, false, true, true, true, true]);
    assert_eq!(shown(true, Severity::Critical), [false, false, true, true, true, true]);
    assert_eq!(shown(false, Severity::Info), [false, false, false, false, false, true]);
}

/// What RULE-010 tells is a loss of protection in its own words; a barred account is none.
#[test]
fn trouble_with_the_connection_is_told_whatever_it_weighs() {
    let none = BTreeMap::new();
    let scene = scene("2025-11-18T20:46:20Z", &[], &none);
    let lost = Trouble::ConnectionLost { part: Part::UserStream, why: "closed".into() };
    let purpose = |trouble: &Trouble| {
        let gone = trouble::gone(Severity::Info, trouble, (scene.now, 1), &[], &scene);
        let over = trouble::over(Severity::Info, trouble, (scene.now, scene.now), 1, &scene);
        (gone.purpose, over.purpose)
    };
    assert_eq!(purpose(&lost), (Purpose::Protection, Purpose::Protection));
    assert_eq!(purpose(&Trouble::CanTradeFalse), (Purpose::News, Purpose::News));
}

/// What the trader pressed is not told as a lock: nothing is locked by it.
#[test]
fn a_flatten_of_the_trader_goes_by_the_name_of_its_button() {
    let none = BTreeMap::new();
    let deeds = Deeds { closed: closed(2, "MNQ"), cancelled: 1, ..Deeds::default() };
    let breach = domain::Breach::TraderCommand { command: "flatten".into(), until: None };
    let (rule, reason) = (RuleKey::Trader, reason::short(&breach));
    let news =
        Enforced { rule, title: reason::title(rule, &breach), reason: &reason, deeds: &deeds, lock: None };
    check(
        &enforced(&news, &scene("2025-11-18T20:46:20Z", &[], &none)),
        "Flatten All: your own command",
        "Closed 2 MNQ, cancelled 1 order.",
    );
}

#[test]
fn a_lock_that_lasts_longer_and_one_of_a_symbol_say_so() {
    let none = BTreeMap::new();
    let scene = scene("2025-11-18T16:19:55Z", &[], &none);
    let longer = cooldown("2025-11-18T16:31:55Z");
    check(
        &locked(&Locking { is_extended: true, ..begun(&longer) }, &scene),
        "Cooldown extended to 10:31:55 AM CT",
        "Cooldown After Loss: −$124.00 in one trade, break from −$100. New trades blocked until 10:31:55 AM \
         CT (in 12m).",
    );
    let breach = Breach::OutsideSession { symbol: Some("ES".into()), ended: None, closes_at: None };
    let end = LockEnd::SessionStart(Some(utc("2025-11-18T23:00:00Z")));
    let mut hours = lockout(RuleKey::SessionBlockOutside, LockKind::Symbol, end, breach);
    hours.key.symbol = Some("ES".into());
    let note = locked(&begun(&hours), &scene);
    assert_eq!(note.title, "ES locked until 5:00 PM CT");
    assert!(note.body.ends_with(" New trades in ES blocked until 5:00 PM CT (in 6h 41m)."), "{}", note.body);
}

#[test]
fn a_lock_names_what_trades_on() {
    let none = BTreeMap::new();
    let scene = scene("2025-11-18T16:19:55Z", &[], &none);
    let beside = Beside { own_words: None, except: Some("except ES, which has its own hours".into()) };
    let body = locked(&Locking { beside: &beside, ..begun(&cooldown("2025-11-18T16:31:55Z")) }, &scene).body;
    assert!(
        body.ends_with("blocked until 10:31:55 AM CT (in 12m), except ES, which has its own hours."),
        "{body}"
    );
}

/// What may come again and again counts to its rule, so that there is at most one a minute; the countdown to
/// a close does not.
#[test]
fn what_comes_again_belongs_to_its_rule() {
    let symbols = BTreeMap::new();
    let scene = scene("2025-11-18T18:29:41Z", &[], &symbols);
    let told = |notice| {
        let note = alert(&Alert { severity: Severity::Warning, account: None, notice }, &scene);
        (note.rule, note.purpose)
    };
    let contract = || ContractId::new("CON.F.US.MNQ.Z25");
    let hint = |rule| (Some(rule), Purpose::Hint);
    let near = Notice::NearTradeLimit {
        rule: RuleKey::TradeFrequencyLimit,
        count: 9,
        limit: 10,
        level: 90,
        mode: RuleMode::Enforce,
    };
    assert_eq!(told(near), hint(RuleKey::TradeFrequencyLimit));
    let lockout = Box::new(until_reset(RuleKey::DailyRealizedLoss));
    let over = Notice::Unlocked { lockout, cause: EndCause::Reset };
    assert_eq!(told(over), hint(RuleKey::DailyRealizedLoss));
    assert_eq!(told(Notice::StopLeftAlone { contract: contract() }), hint(RuleKey::TradeManagement));
    let missing = Notice::StopMissing {
        contract: contract(),
        covered: Contracts(0),
        size: Contracts(1),
        closes_at: scene.now,
    };
    assert_eq!(told(missing), (None, Purpose::News));
}
