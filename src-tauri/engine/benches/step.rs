//! How long the engine takes for one event, with thirteen rules and ten accounts: under 5 µs at the median.
//! Beside each figure stands its floor, what it costs merely to copy such an event.

#![allow(missing_docs, clippy::unwrap_used, reason = "the macros write a function, the floor is a fixture")]

mod floor;

use std::{
    hint::black_box,
    time::{Duration, Instant},
};

use criterion::{Criterion, criterion_group, criterion_main};
use domain::{Event, OrderSide};

use floor::{ACCOUNTS, ALONE, EVERYWHERE, Floor, position, quote, stop};

/// What is measured: a name, milliseconds between the events, and the events, each in its turn.
type Case = (&'static str, i64, fn(&mut Floor) -> Vec<Event>);

const CASES: [Case; 7] = [
    ("quote that changes nothing", 100, |_| each_account_twice(|_, _| quote(EVERYWHERE, 0))),
    ("quote that changes the result of one account", 100, |_| {
        each_account_twice(|account, _| quote(ALONE, 1 + account % 5))
    }),
    ("quote that changes the result of all accounts", 100, |_| {
        each_account_twice(|account, _| quote(EVERYWHERE, 1 + account % 5))
    }),
    ("fill", 100, |floor| {
        each_account_twice(|account, again| {
            floor.fill(account, if again { OrderSide::Sell } else { OrderSide::Buy })
        })
    }),
    ("position", 100, |_| each_account_twice(|account, again| position(account, 3 + i64::from(again)))),
    ("order", 100, |_| each_account_twice(|account, again| stop(account, 1 - 2 * i64::from(again)))),
    ("tick", 1_000, |_| each_account_twice(|_, _| Event::Tick)),
];

fn each_account_twice(mut event: impl FnMut(i64, bool) -> Event) -> Vec<Event> {
    let turns = [false, true].into_iter().flat_map(|again| (0..ACCOUNTS).map(move |it| (it, again)));
    turns.map(|(account, again)| event(account, again)).collect()
}

fn step(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("step");
    for (name, every, events) in CASES {
        group.bench_function(name, |bencher| {
            bencher
                .iter_custom(|times| measure(times, events, |floor, event| floor.after(every, event).len()));
        });
    }
    group.finish();
    let mut group = criterion.benchmark_group("floor");
    for (name, _, events) in CASES {
        group.bench_function(name, |bencher| {
            bencher.iter_custom(|times| {
                measure(times, events, |_, event| usize::from(event.clone() == Event::Tick))
            });
        });
    }
    group.finish();
}

/// The time that so many events take, on a fresh floor whenever one has seen them all.
fn measure(
    mut times: u64,
    events: fn(&mut Floor) -> Vec<Event>,
    take: impl Fn(&mut Floor, &Event) -> usize,
) -> Duration {
    let mut total = Duration::ZERO;
    while times > 0 {
        let mut floor = Floor::open();
        let events = events(&mut floor);
        let begun = Instant::now();
        for event in events.iter().take(usize::try_from(times).unwrap_or(usize::MAX)) {
            black_box(take(&mut floor, black_box(event)));
        }
        total += begun.elapsed();
        times = times.saturating_sub(events.len() as u64);
    }
    total
}

criterion_group! {
    name = benches;
    config = Criterion::default()
        .warm_up_time(Duration::from_millis(500))
        .measurement_time(Duration::from_secs(2));
    targets = step
}
criterion_main!(benches);
