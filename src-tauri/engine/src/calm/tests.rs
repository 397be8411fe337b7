//! An engine that rests and one that is kept from it decide the same, whatever happens.

#![allow(clippy::indexing_slicing, clippy::wildcard_enum_match_arm)]

mod world;

use domain::{Action, Event, Instant, RuleKey, Rulebook};
use proptest::prelude::*;

use self::world::{Input, Move, RULES, World, moves};
use crate::{Engine, Stopwatch};

/// Counts how often a rule is asked.
#[derive(Default)]
struct Asked(usize);

impl Stopwatch for Asked {
    fn begin(&mut self) {}

    fn end(&mut self, _: RuleKey) {
        self.0 += 1;
    }
}

struct Pair {
    resting: Engine,
    restless: Engine,
    asked: Asked,
    asked_in_full: Asked,
    inputs: usize,
}

impl Pair {
    fn new() -> Self {
        let new = || Engine::new(Rulebook::default());
        let (asked, asked_in_full) = (Asked::default(), Asked::default());
        Self { resting: new(), restless: new(), asked, asked_in_full, inputs: 0 }
    }

    /// What both say to it.
    fn judge(&mut self, now: Instant, input: &Input) -> Vec<Action> {
        let event = match input {
            Input::Event(event) => event,
            Input::Start(rules, memory) => {
                let new = || Engine::new((**rules).clone());
                (self.resting, self.restless) = (new(), new());
                &Event::Restored(memory.clone())
            }
        };
        self.restless.accounts.values_mut().for_each(|account| account.calm = None);
        let actions = self.resting.step_timed(now, event, &mut self.asked);
        let in_full = self.restless.step_timed(now, event, &mut self.asked_in_full);
        assert_eq!(actions, in_full, "{now} {event:?}");
        assert_eq!(verdicts(&self.resting), verdicts(&self.restless), "{now} {event:?}");
        self.inputs += 1;
        if self.inputs.is_multiple_of(16) {
            self.compare_all();
        }
        actions
    }

    /// All that is known of the accounts, but for the calm itself.
    fn compare_all(&mut self) {
        let known = |engine: &mut Engine| -> Vec<String> {
            let accounts = engine.accounts.values_mut().map(|account| {
                let calm = account.calm.take();
                let text = format!("{account:?}");
                account.calm = calm;
                text
            });
            accounts.collect()
        };
        assert_eq!(known(&mut self.resting), known(&mut self.restless));
    }
}

fn verdicts(engine: &Engine) -> Vec<(RuleKey, String)> {
    let rules = engine.accounts().flat_map(|account| account.rules());
    rules.map(|armed| (armed.key(), format!("{:?}", armed.verdict()))).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn who_rests_decides_what_who_does_not_rest_decides(rules in 0..RULES, moves in moves()) {
        let mut pair = Pair::new();
        World::play(rules, &moves, |now, input| pair.judge(now, input));
        pair.compare_all();
    }
}

/// How often the rules are asked, at rest and in full, after a position was opened, covered and looked at.
fn asked_in(then: &[Move]) -> (usize, usize) {
    let quiet = [
        Move::Quote(60, 0, 0),
        Move::Quote(60, 1, 0),
        Move::Trade(0, 1, true),
        Move::Stop(0, -40),
        Move::Obey,
        Move::Seconds(3),
        Move::Obey,
        Move::Answer,
        Move::Seconds(15),
        Move::Answer,
        Move::Quote(60, 0, 2),
        Move::Tick(200),
    ];
    let asked = |moves: &[Move]| {
        let mut pair = Pair::new();
        World::play(1, moves, |now, input| pair.judge(now, input));
        (pair.asked.0, pair.asked_in_full.0)
    };
    let (before, after) = (asked(&quiet), asked(&[&quiet, then].concat()));
    (after.0 - before.0, after.1 - before.1)
}

#[test]
fn a_protected_position_and_a_price_that_goes_nowhere_ask_no_rule_anything() {
    let quiet = [Move::Quote(160, 0, 1), Move::Quote(160, 0, 0), Move::Tick(300)].repeat(8);
    let (asked, in_full) = asked_in(&quiet);
    assert_eq!(asked, 0);
    assert!(in_full > 50, "{in_full}");
}

#[test]
fn a_price_that_counts_asks_them() {
    let (asked, in_full) = asked_in(&[Move::Quote(160, 0, -30)]);
    assert_eq!(asked, in_full);
    assert!(asked > 0);
}

/// What the trader did himself is noted with the next price, and only then is there nothing more to say.
#[test]
fn a_stop_that_lies_beyond_breakeven_is_noted_all_the_same() {
    let stop = [Move::Quote(160, 0, 8), Move::Stop(0, 4), Move::Obey, Move::Seconds(2), Move::Answer];
    let gained = [9, 12, 13, 12].map(|ticks| Move::Quote(160, 0, ticks));
    let (asked, in_full) = asked_in(&[&stop[..], &gained[..]].concat());
    assert!(0 < asked && asked < in_full, "{asked} of {in_full}");
}
