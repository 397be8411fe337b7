//! What a person asks for holds from the moment of asking, also while the broker cannot be asked.

use domain::{Command, Event, Memory};

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
        "lock HARD trader until 10-29 17:00:00\nflatten by trader: lock"
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
