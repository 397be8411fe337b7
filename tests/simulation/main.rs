//! The seeded world in the test suite: whole trading days with everything that can go wrong, and no
//! invariant broken.

#![allow(missing_docs, clippy::expect_used, reason = "a test's name says what it is")]

/// Trading days of the suite; `riskctl simulate-days` runs any number.
const DAYS: u32 = 60;

#[test]
fn whole_trading_days_break_no_invariant() {
    let outcome = world::simulate(1, DAYS).unwrap_or_else(|broken| panic!("{broken}"));
    let tally = outcome.tally;
    assert_eq!(tally.days, u64::from(DAYS));
    assert!(tally.troubles > 150, "a world without trouble proves nothing: {tally}");
    assert!(tally.answered() > 500 && tally.lockouts > 30, "nobody misbehaved: {tally}");
}

#[test]
fn the_same_seed_gives_the_same_days_byte_for_byte() {
    let (first, again) = (world::simulate(7, 5), world::simulate(7, 5));
    assert_eq!(first, again);
    assert_ne!(first, world::simulate(8, 5));
}
