//! A quote that changes nothing costs no memory: it is by far the most frequent event. In a program of its
//! own, because counting takes the place of the usual allocator.

#![allow(clippy::unwrap_used)]

#[path = "../../benches/floor/mod.rs"]
#[allow(dead_code, reason = "the benchmark measures more kinds of events")]
mod floor;

use domain::Event;

use floor::{ALONE, EVERYWHERE, Floor, quote};

#[test]
fn a_quote_that_changes_nothing_allocates_nothing_under_thirteen_rules_and_ten_accounts() {
    let mut floor = Floor::open();
    let rules: Vec<usize> = floor.engine.accounts().map(|account| account.rules().len()).collect();
    assert_eq!(rules, [13; 10]);
    let mut allocations = |event: &Event| {
        let mut actions = Vec::new();
        let counted = allocation_counter::measure(|| actions = floor.after(100, event));
        (counted.count_total, actions.len())
    };
    for symbol in [EVERYWHERE, ALONE] {
        for repeated in 0..100 {
            assert_eq!(allocations(&quote(symbol, 0)), (0, 0), "{symbol}, repetition {repeated}");
        }
    }
    let (counted, alerts) = allocations(&quote(EVERYWHERE, -120));
    assert!(counted > 0 && alerts > 0, "what people are told of is counted");
}
