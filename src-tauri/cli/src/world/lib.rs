//! Whole trading days of simulator and engine in virtual time, from one seed: traders that misbehave, a
//! network, a computer and a broker that fail, and the invariants held against the simulator's own truth
//! after every step. Opens no socket, waits for nothing.

mod book;
mod broker;
mod calendar;
mod dice;
mod director;
mod disk;
mod glance;
mod happening;
mod host;
mod laws;
mod life;
mod market;
mod moods;
mod process;
mod queue;
mod replay;
mod report;
mod sight;
mod strikes;
mod traders;
mod trouble;
mod wire;
#[allow(clippy::module_inception, reason = "the world is what this library is about")]
mod world;

use std::{
    sync::Mutex,
    sync::atomic::{AtomicU32, Ordering},
    thread,
};

pub use report::{Breakage, Tally};
use world::World;

/// How a run ended well.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// What it was made of.
    pub tally: Tally,
    /// Of every byte that travelled and of every time: equal for equal runs.
    pub digest: u64,
}

/// Runs so many trading days. A world lasts five of them; the first has this seed, each other one the next
/// seed. The worlds share the processor's cores.
///
/// # Errors
/// The [`Breakage`] of the first world in which a law was broken.
pub fn simulate(seed: u64, days: u32) -> Result<Outcome, Box<Breakage>> {
    let worlds = days.div_ceil(calendar::DAYS);
    let next = AtomicU32::new(0);
    let ended = Mutex::new(Vec::new());
    let work = || {
        loop {
            let number = next.fetch_add(1, Ordering::Relaxed);
            if number >= worlds {
                return;
            }
            let length = calendar::DAYS.min(days - number * calendar::DAYS);
            let outcome = one(seed.wrapping_add(u64::from(number)), length);
            if outcome.is_err() {
                next.store(worlds, Ordering::Relaxed);
            }
            if let Ok(mut ended) = ended.lock() {
                ended.push((number, outcome));
            }
        }
    };
    let cores = thread::available_parallelism().map_or(1, std::num::NonZero::get);
    thread::scope(|scope| {
        for _ in 0..cores {
            scope.spawn(work);
        }
    });
    let mut ended = ended.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
    ended.sort_unstable_by_key(|(number, _)| *number);
    let mut whole = Outcome { tally: Tally::default(), digest: 0 };
    for (_, outcome) in ended {
        let outcome = outcome?;
        whole.tally.add(&outcome.tally);
        whole.digest = whole.digest.rotate_left(7) ^ outcome.digest;
    }
    Ok(whole)
}

/// Lives one world again, and hands every step from `from_step` on in words to `tell`.
///
/// # Errors
/// As [`simulate`].
pub fn retell(
    seed: u64,
    days: u32,
    from_step: u64,
    tell: impl FnMut(&str),
) -> Result<Outcome, Box<Breakage>> {
    live(seed, days, Some((from_step, Box::new(tell))))
}

fn one(seed: u64, days: u32) -> Result<Outcome, Box<Breakage>> {
    live(seed, days, None)
}

fn live(seed: u64, days: u32, trace: Option<world::Trace<'_>>) -> Result<Outcome, Box<Breakage>> {
    let mut world = World::new(seed, trace)
        .map_err(|broken| Box::new(Breakage { seed, day: (0, chrono::NaiveDate::MIN), step: 0, broken }))?;
    match world.live(days) {
        Ok(()) => Ok(Outcome { tally: world.tally, digest: world.digest() }),
        Err(broken) => Err(Box::new(Breakage { seed, day: world.day(), step: world.step, broken })),
    }
}
