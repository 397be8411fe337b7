//! What a person asks for holds from the moment of asking, also while the broker cannot be asked.

use domain::{AccountId, Command, Event, LockKey, Memory, RuleKey};

use crate::desk::{ACCOUNT, Desk, only};

/// A home that knows its account from an earlier run, and has not read it yet.
fn unread() -> Desk {
    let mut desk = Desk::down(only(|_| {}));
    let mut memory = Memory::default();
    memory.accounts.entry(ACCOUNT.into()).or_default();
    desk.restored(memory);
    desk
}

#[test]
fn a_lock_is_set_before_the_account_was_read() {
    let mut desk = unread();
    assert_eq!(
        desk.send(Event::Command(Command::LockOut { account: None, until: None })),
        "lock HARD trader until 10-29 17:00:00\nflatten by trader: done"
    );
    desk.hold("MNQ", 1, "21000");
    assert_eq!(desk.start(), "close MNQ by trader: 1 while 0 permitted by trader");
}

/// The broker's own lists tell what is to be closed: nothing has to be known here.
#[test]
fn a_flatten_does_not_wait_for_the_first_reading_and_comes_once() {
    let mut desk = unread();
    assert_eq!(desk.send(Event::Command(Command::Flatten { account: None })), "flatten by trader: flatten");
    desk.obey();
    desk.hold("MNQ", 1, "21000");
    assert_eq!(desk.start(), "", "opened since");
}

/// Ruling 8: with proof of the right to do so a lock ends before its time; the reason is kept. Nobody takes back
/// the trader's own.
#[test]
fn an_override_ends_the_lock_it_names_and_no_other() {
    let mut desk = Desk::new(only(|rules| rules.cooldown_after_loss.enabled = true));
    desk.position("MES", 1, "6120");
    let text = desk.fill("MES", domain::OrderSide::Sell, 1, "6000", "-600");
    assert!(text.starts_with("lock TIMER cooldown_after_loss"), "{text}");
    desk.obey();
    desk.send(Event::Command(Command::LockOut { account: Some(ACCOUNT.into()), until: None }));
    desk.obey();
    let mut end = |rule, account: &str| {
        let key = LockKey { account: AccountId::from(account), rule, symbol: None, cause: String::new() };
        desk.send(Event::Command(Command::Override { key, reason: "a mistyped limit".to_string() }))
    };
    assert_eq!(end(RuleKey::DailyRealizedLoss, ACCOUNT), "", "there is none");
    assert_eq!(end(RuleKey::CooldownAfterLoss, "another"), "");
    assert_eq!(end(RuleKey::Trader, ACCOUNT), "");
    let ended = "unlock cooldown_after_loss override { reason: \"a mistyped limit\" }";
    assert_eq!(end(RuleKey::CooldownAfterLoss, ACCOUNT), ended);
    assert_eq!(desk.lockouts(), ["HARD trader until 10-29 17:00:00"]);
}

/// Specification D-03: a rule that is still broken locks again at once.
#[test]
fn an_override_of_a_rule_that_is_still_broken_frees_nobody() {
    let mut desk = Desk::new(only(|rules| rules.daily_realized_loss.enabled = true));
    desk.fill("MES", domain::OrderSide::Sell, 1, "6000", "-600");
    let key = LockKey {
        account: AccountId::from(ACCOUNT),
        rule: RuleKey::DailyRealizedLoss,
        symbol: None,
        cause: String::new(),
    };
    let text = desk.send(Event::Command(Command::Override { key, reason: "please".to_string() }));
    assert!(text.starts_with("unlock daily_realized_loss override"), "{text}");
    assert_eq!(desk.lockouts(), ["HARD daily_realized_loss until 10-29 17:00:00"]);
}

/// A person cannot be told to wait: also orders that failed to go a moment ago are tried again.
#[test]
fn cancel_all_reaches_every_order_that_can_be_cancelled() {
    let mut desk = Desk::new(only(|_| {}));
    desk.limit(1, "MNQ", domain::OrderSide::Buy, 1, "20000");
    desk.limit(2, "ES", domain::OrderSide::Sell, 1, "7000");
    let cancel = |desk: &mut Desk| desk.send(Event::Command(Command::CancelAll { account: None }));
    assert_eq!(cancel(&mut desk), "cancel 1, 2 by trader: cancel");
    assert_eq!(cancel(&mut desk), "", "they are being cancelled");
    let ordered = desk.ordered();
    let why = "no answer".to_string();
    desk.report(&ordered, None, domain::Outcome::Failed { why });
    assert_eq!(cancel(&mut desk), "cancel 1, 2 by trader: cancel");
}
