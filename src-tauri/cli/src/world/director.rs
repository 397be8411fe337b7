//! The plan of the days: when traders trade, prices move and things go wrong, and when all of that rests so
//! that everything can settle. Between the stretches of trading the engine is off, sleeps or goes on.

use chrono::{Days, NaiveDate, TimeDelta};
use domain::{AccountId, Instant};

use crate::{
    calendar,
    dice::Dice,
    laws::{Broken, RECOVERED_WITHIN},
    market,
    process::{Process, SECOND},
    trouble::{ILLS, Ill},
    world::{Event, World},
};

/// How often the loop looks at the clock while nothing goes on: the real one does so every second, which
/// would only cost steps here.
const NIGHTLY: TimeDelta = TimeDelta::seconds(60);
/// Every trouble is over so long after the trading at the latest.
const LAST_TROUBLE: TimeDelta = TimeDelta::seconds(20);
/// What is to be settled gets so much time beyond the recovery.
const SETTLING: TimeDelta = TimeDelta::seconds(45);
/// Prices rest so long before everything must have settled.
const STILL: TimeDelta = TimeDelta::seconds(20);
/// How often a market at rest is heard of.
const AT_REST: TimeDelta = TimeDelta::seconds(20);
/// How far the last day reaches beyond its end: the reset is part of it.
const AFTERMATH: TimeDelta = TimeDelta::minutes(9);

/// What the plan says next.
#[derive(Clone, Debug)]
pub(crate) enum Cue {
    DayBegins(u32),
    /// The engine is there; traders come after a while.
    StretchBegins(TimeDelta),
    TraderActs(usize),
    PriceMoves,
    /// The market goes on while nobody trades.
    MarketRests,
    TroubleBegins,
    TroubleEnds(Ill, i64),
    Settled,
    Over,
}

/// Who plans.
#[derive(Debug)]
pub(crate) struct Director {
    pub dice: Dice,
    pub day: u32,
    pub days: u32,
    pub is_over: bool,
    first: NaiveDate,
    /// Traders trade until then.
    trading_until: Instant,
    settled_at: Instant,
    pace: TimeDelta,
    pub slept_since: Option<Instant>,
}

impl Director {
    pub fn new(first: NaiveDate, dice: Dice) -> Self {
        Self {
            dice,
            day: 0,
            days: 0,
            is_over: false,
            first,
            trading_until: Instant::MIN_UTC,
            settled_at: Instant::MIN_UTC,
            pace: NIGHTLY,
            slept_since: None,
        }
    }

    pub fn date(&self) -> NaiveDate {
        self.first + Days::new(u64::from(self.day))
    }

    /// How often the loop looks at the clock.
    pub fn pace(&self) -> TimeDelta {
        self.pace
    }
}

impl World<'_> {
    pub(crate) fn cue(&mut self, cue: Cue) -> Result<(), Broken> {
        match cue {
            Cue::DayBegins(day) => self.day_begins(day),
            Cue::StretchBegins(length) => return self.stretch_begins(length),
            Cue::TraderActs(agent) => return self.trader_acts(agent),
            Cue::PriceMoves => self.price_moves(),
            Cue::MarketRests => self.market_rests(),
            Cue::TroubleBegins => return self.trouble_begins(),
            Cue::TroubleEnds(ill, account) => return self.trouble_ends(ill, account),
            Cue::Settled => return self.has_settled(),
            Cue::Over => self.director.is_over = true,
        }
        Ok(())
    }

    /// A trader does something at the worst moment: while our close is on its way.
    pub(crate) fn provoke(&mut self, account: &AccountId) {
        if self.now >= self.director.trading_until || !self.director.dice.percent(12) {
            return;
        }
        let Some(agent) = self.agents.iter_mut().find(|agent| AccountId::from(agent.account) == *account)
        else {
            return;
        };
        agent.interfere(&mut self.gateway, self.now);
        self.tally.deeds += 1;
        self.touched(false);
    }

    fn plan(&mut self, after: TimeDelta, cue: Cue) {
        self.queue.plan(self.now + after, Event::Cue(cue));
    }

    fn day_begins(&mut self, day: u32) {
        self.director.day = day;
        // Another day's executions count from now on.
        self.touched(false);
        self.tally.days += 1;
        let date = self.director.date();
        let reset = self.rulebook.reset;
        for stretch in calendar::stretches(reset, date, &mut self.director.dice) {
            self.queue.plan(stretch.from, Event::Cue(Cue::StretchBegins(stretch.length)));
        }
        let end = reset.on(date);
        if day + 1 < self.director.days {
            self.queue.plan(end, Event::Cue(Cue::DayBegins(day + 1)));
        } else {
            self.queue.plan(end + AFTERMATH, Event::Cue(Cue::Over));
        }
    }

    /// Half of the time the engine has long begun when the traders come: then every deadline counts from the
    /// first trade on. A third of the stretches is without trouble.
    fn stretch_begins(&mut self, length: TimeDelta) -> Result<(), Broken> {
        self.director.pace = SECOND;
        self.wake()?;
        self.begin_process()?;
        let dice = &mut self.director.dice;
        let warm = if dice.percent(50) { dice.seconds(82..=100) } else { dice.seconds(0..=20) };
        self.director.trading_until = self.now + warm + length;
        let settled = warm + length + LAST_TROUBLE + RECOVERED_WITHIN + SETTLING;
        self.director.settled_at = self.now + settled;
        for agent in 0..self.agents.len() {
            self.agents[agent].change_mood();
            let pause = self.agents[agent].pause();
            self.plan(warm + pause, Cue::TraderActs(agent));
        }
        self.plan(TimeDelta::seconds(1), Cue::PriceMoves);
        if self.director.dice.percent(67) {
            let first = self.director.dice.seconds(0..=30);
            self.plan(warm + first, Cue::TroubleBegins);
        }
        self.plan(settled, Cue::Settled);
        Ok(())
    }

    fn trader_acts(&mut self, agent: usize) -> Result<(), Broken> {
        if self.now >= self.director.trading_until {
            return Ok(());
        }
        let asked = self.agents[agent].act(&mut self.gateway, self.now);
        self.tally.deeds += 1;
        self.touched(false);
        if self.director.dice.one_in(30) {
            self.agents[agent].change_mood();
        }
        let pause = self.agents[agent].pause();
        self.plan(pause, Cue::TraderActs(agent));
        match asked.filter(|_| self.asleep.is_none()) {
            Some(command) => self.with_process(|process, net| process.command(command, net)),
            None => Ok(()),
        }
    }

    fn price_moves(&mut self) {
        if self.now + STILL >= self.director.settled_at {
            return;
        }
        let held: Vec<String> =
            self.sight.accounts.iter().flat_map(|seen| seen.held.keys()).map(ToString::to_string).collect();
        market::move_one(&mut self.gateway, self.now, &held, &mut self.director.dice);
        self.touched(false);
        let is_trading = self.now < self.director.trading_until;
        let pause = if is_trading { 100..=1_200 } else { 1_000..=4_000 };
        let pause = self.director.dice.ms(pause);
        self.plan(pause, Cue::PriceMoves);
    }

    /// Quotes come also at prices that do not change: a stream without any is a dead one.
    fn market_rests(&mut self) {
        let is_watched = self.process.is_some() && self.asleep.is_none();
        if self.director.pace == SECOND || !is_watched {
            return;
        }
        for contract in self.sight.accounts.iter().flat_map(|seen| seen.held.keys()) {
            market::rest(&mut self.gateway, self.now, contract.as_str());
        }
        self.carry_frames();
        self.plan(AT_REST, Cue::MarketRests);
    }

    fn trouble_begins(&mut self) -> Result<(), Broken> {
        if self.now >= self.director.trading_until {
            return Ok(());
        }
        let next = self.director.dice.seconds(5..=60);
        self.plan(next, Cue::TroubleBegins);
        let ill = self.director.dice.weighted(&ILLS);
        let is_away = self.process.is_none() || self.asleep.is_some();
        if is_away && matches!(ill, Ill::Kill | Ill::Stop | Ill::Sleep | Ill::Tighten) {
            return Ok(());
        }
        self.tally.troubles += 1;
        self.troubles.begin(ill.weight());
        let latest = self.director.trading_until + LAST_TROUBLE - self.now;
        let length = ill.length(&mut self.director.dice).min(latest);
        let account = self.director.dice.index(self.agents.len());
        let account = self.agents[account].account;
        self.plan(length, Cue::TroubleEnds(ill, account));
        self.strike(ill, account, length)
    }

    /// The computer wakes: what came meanwhile is there at once. On half of them the monotonic clock stood
    /// still.
    pub(crate) fn wake(&mut self) -> Result<(), Broken> {
        let Some(waiting) = self.asleep.take() else { return Ok(()) };
        if let Some(since) = self.director.slept_since.take()
            && self.director.dice.percent(50)
        {
            self.host.sleep(self.now - since);
        }
        for event in waiting {
            self.queue.plan(self.now, event);
        }
        self.troubles.quiet_since = self.now;
        self.with_process(Process::second)
    }

    fn has_settled(&mut self) -> Result<(), Broken> {
        self.settled()?;
        self.tally.settled += 1;
        self.director.pace = NIGHTLY;
        match self.director.dice.between(0..=99) {
            0..=49 => self.end_process(false),
            50..=69 => self.end_process(true),
            70..=94 => {
                self.asleep = Some(Vec::new());
                self.director.slept_since = Some(self.now);
                Ok(())
            }
            _ => {
                self.plan(TimeDelta::zero(), Cue::MarketRests);
                Ok(())
            }
        }
    }
}
