//! The laws of the world: what must be so after every step, whatever happened (invariants of specification
//! A.8), held against the simulator's own truth. Each is a file; a new rule is covered by a law of its own
//! and a mood of the traders that provokes it.

mod books;
mod breaks;
mod causes;
mod closed_hours;
mod closes;
mod cooldowns;
mod day_limits;
mod debts;
mod flat;
mod guards;
mod hours;
mod locks;
mod open_results;
mod orphans;
mod records;
mod results;
mod sizes;
mod status;
mod stops;
mod symbols;

use chrono::TimeDelta;
use domain::{AccountId, Instant, RuleKey, RuleMode, RuleSet, Rulebook};
use simulator::Gateway;

pub(crate) use debts::Answers;

use crate::{happening::Happening, process::Process, sight::Sight};

/// Within this time a breach is answered while the broker answers, in fair weather. The ways there and back
/// are at most 0.4 s each; an order fills within 40 ms, in three pieces at most; an account that is being
/// closed while something else fills needs a second round, after a look of 0.75 s and a verification. The
/// second of the specification (E.1-1) ends with the request; this ends with what is held. Where a trader
/// trades while our close is on its way and no order is surely ours, up to eight looks of some 0.4 s come
/// before the next close: sent at once it might turn the position (specification C.11).
pub(crate) const ANSWERED_WITHIN: TimeDelta = TimeDelta::seconds(5);

/// Within this time everything is as before once the last trouble is over: a line that is dead shows itself
/// after 30 s and pauses for 15 s at most, and what was lost is found by the next reading, 60 s after the
/// last one. A rule that failed keeps still for 10 s of it.
pub(crate) const RECOVERED_WITHIN: TimeDelta = TimeDelta::seconds(75);

/// The longest sleep in the middle of trading.
pub(crate) const LONGEST_SLEEP: TimeDelta = TimeDelta::seconds(600);

/// What a law sees.
pub(crate) struct Scene<'a> {
    /// True time.
    pub now: Instant,
    /// What happened in this step.
    pub happened: &'a [Happening],
    /// What really is.
    pub sight: &'a Sight,
    pub gateway: &'a Gateway,
    /// The engine, while one runs.
    pub process: Option<&'a Process>,
    /// The engine's idea of the time.
    pub engine_time: Option<Instant>,
    pub rulebook: &'a Rulebook,
    pub answering: Answering,
}

/// Whether the broker answers and the engine can hear it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Answering {
    /// Something is the matter now.
    pub is_troubled: bool,
    /// When the last trouble ended; a start of the engine is one.
    pub quiet_since: Instant,
    /// There is a reason for doubt, though the broker answers: a wrong clock, a disk that does not write.
    pub is_doubted: bool,
    /// When the last such reason ended.
    pub undoubted_since: Instant,
}

impl Answering {
    /// When something that is wrong since then must be right again; `None` while nobody can promise it.
    pub fn due(self, since: Instant) -> Option<Instant> {
        let begun = since.max(self.quiet_since + RECOVERED_WITHIN);
        (!self.is_troubled).then_some(begun + ANSWERED_WITHIN)
    }

    /// Since when something may have been of which the engine hears now: a computer that sleeps hears
    /// everything when it wakes.
    pub fn heard_since(self, now: Instant) -> Instant {
        let of_late = now - RECOVERED_WITHIN;
        if self.is_calm(now) { of_late } else { of_late - LONGEST_SLEEP }
    }

    /// Whether news came in its order for long enough.
    pub fn is_orderly(self, now: Instant) -> bool {
        self.is_calm(now) && !self.is_doubted && now >= self.undoubted_since + RECOVERED_WITHIN
    }

    /// Whether nothing was the matter for long enough.
    pub fn is_calm(self, now: Instant) -> bool {
        !self.is_troubled && now >= self.quiet_since + RECOVERED_WITHIN
    }
}

impl Scene<'_> {
    pub fn rules(&self, account: &AccountId) -> &RuleSet {
        self.rulebook.of(account)
    }

    /// Whether a rule is to act at an account.
    pub fn enforces(&self, account: &AccountId, rule: RuleKey) -> bool {
        let (enabled, mode) = self.rules(account).stance(rule);
        enabled && mode == RuleMode::Enforce
    }
}

/// One law.
pub(crate) trait Law: std::fmt::Debug {
    /// What it is about, in a few words.
    fn name(&self) -> &'static str;

    /// Looks at one step.
    fn watch(&mut self, scene: &Scene<'_>) -> Result<(), String>;

    /// Looks at a moment at which everything has settled: traders quiet, no trouble, time enough.
    fn settled(&mut self, _scene: &Scene<'_>) -> Result<(), String> {
        Ok(())
    }

    /// How many breaches were answered, and the longest time that took in fair weather.
    fn answers(&self) -> debts::Answers {
        debts::Answers::default()
    }
}

/// All laws.
#[derive(Debug)]
pub(crate) struct Laws(Vec<Box<dyn Law>>);

/// A law that was broken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Broken {
    pub law: &'static str,
    pub what: String,
}

impl Laws {
    pub fn new() -> Self {
        Self(vec![
            Box::new(locks::Locks::default()),
            Box::new(status::Status::default()),
            Box::new(closes::Closes::default()),
            Box::new(causes::Causes::default()),
            Box::new(flat::Flat::default()),
            Box::new(sizes::Sizes::default()),
            Box::new(symbols::Symbols::default()),
            Box::new(stops::Stops::default()),
            Box::new(day_limits::DayLimits::default()),
            Box::new(open_results::OpenResults::default()),
            Box::new(cooldowns::Cooldowns::default()),
            Box::new(breaks::Breaks::default()),
            Box::new(closed_hours::ClosedHours::default()),
            Box::new(orphans::Orphans::default()),
            Box::new(guards::Guards),
            Box::new(records::Records::default()),
            Box::new(books::Books),
        ])
    }

    pub fn watch(&mut self, scene: &Scene<'_>) -> Result<(), Broken> {
        for law in &mut self.0 {
            let (name, watched) = (law.name(), law.watch(scene));
            watched.map_err(|what| Broken { law: name, what })?;
        }
        Ok(())
    }

    pub fn settled(&mut self, scene: &Scene<'_>) -> Result<(), Broken> {
        for law in &mut self.0 {
            let (name, settled) = (law.name(), law.settled(scene));
            settled.map_err(|what| Broken { law: name, what })?;
        }
        Ok(())
    }

    pub fn answers(&self) -> debts::Answers {
        self.0.iter().fold(debts::Answers::default(), |all, law| all.with(law.answers()))
    }
}
