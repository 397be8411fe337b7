//! One world: a simulator, an engine with its home, traders and troubles, in one thread and in virtual time.
//! Everything that happens is a step; after each the laws are looked at.

use std::{
    collections::BTreeMap,
    hash::{DefaultHasher, Hash, Hasher},
};

use chrono::NaiveDate;
use domain::{Instant, Rulebook};
use projectx::hub::Which;
use simulator::{AccountSettings, ConnectionId, Gateway, HttpRequest, Market, Settings};
use tempfile::TempDir;

use crate::{
    book, calendar,
    dice::Dice,
    director::{Cue, Director},
    happening::Happening,
    host::Host,
    laws::{Answering, Broken, Laws, Scene},
    process::{Died, Process},
    queue::Queue,
    report::Tally,
    sight::Sight,
    traders::Agent,
    trouble::Troubles,
    wire::{Fate, Knock, Net, RequestKey, Weather},
};

/// Characters of a step that are told.
const LONGEST_LINE: usize = 3_000;

/// From which step on steps are told in words, and to whom.
pub(crate) type Trace<'a> = (u64, Box<dyn FnMut(&str) + 'a>);

/// Something that is to happen.
#[derive(Debug)]
pub(crate) enum Event {
    /// A request arrives at the broker.
    Request { life: u64, key: RequestKey, request: HttpRequest, fate: Fate },
    /// A hub is dialled.
    Dial { life: u64, which: Which, dial: u64, token: String },
    /// A client's text arrives at a hub.
    Says { connection: ConnectionId, text: String },
    /// A client's socket ended.
    Leaves { connection: ConnectionId },
    /// Something arrives at the engine's port.
    Knock { life: u64, knock: Knock },
    /// The core wanted to be asked at this time.
    Due { life: u64 },
    /// The loop's regular look.
    Second { life: u64 },
    /// The plan of the day goes on.
    Cue(Cue),
}

/// Who listens at the other end of a hub connection.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Owner {
    pub life: u64,
    /// When its last frame arrives: none overtakes another.
    pub until: Instant,
}

/// One world.
pub(crate) struct World<'a> {
    pub now: Instant,
    pub step: u64,
    pub gateway: Gateway,
    pub host: Host,
    pub queue: Queue<Event>,
    pub weather: Weather,
    pub process: Option<Process>,
    /// What came for a process that sleeps.
    pub asleep: Option<Vec<Event>>,
    pub life: u64,
    pub rulebook: Rulebook,
    pub agents: Vec<Agent>,
    pub troubles: Troubles,
    pub director: Director,
    pub connections: BTreeMap<ConnectionId, Owner>,
    pub tally: Tally,
    pub sight: Sight,
    pub happened: Vec<Happening>,
    pub home: TempDir,
    laws: Laws,
    digest: DefaultHasher,
    trace: Option<Trace<'a>>,
}

impl<'a> World<'a> {
    /// A world before its first day.
    pub fn new(seed: u64, trace: Option<Trace<'a>>) -> Result<Self, Broken> {
        let mut dice = Dice::new(seed);
        let day = calendar::first_day(&mut dice.fork());
        let rules = &mut dice.fork();
        let start = domain::DailyReset::default().on(day - chrono::Days::new(1));
        let accounts = u32::try_from(dice.between(1..=3)).unwrap_or(1);
        let settings = Settings {
            seed: dice.seed(),
            accounts: AccountSettings::several(accounts),
            rest_commissions: dice.percent(80),
            journal_limit: 1,
            ..Settings::new(Market::Scenario)
        };
        let gateway = Gateway::new(settings, start);
        let ids = gateway.account_ids();
        let names: Vec<_> = ids.iter().map(|id| domain::AccountId::from(*id)).collect();
        let rulebook = book::rulebook(rules, &names);
        let agents = ids.iter().map(|id| Agent::new(&gateway, *id, dice.fork())).collect();
        let home = home().map_err(|error| Broken { law: "a home can be made", what: error.to_string() })?;
        let sight = Sight::new(&gateway, rulebook.reset);
        let mut world = Self {
            now: start,
            step: 0,
            host: Host::new(start),
            queue: Queue::default(),
            weather: Weather::new(dice.fork()),
            process: None,
            asleep: None,
            life: 0,
            agents,
            troubles: Troubles::new(start),
            director: Director::new(day, dice.fork()),
            connections: BTreeMap::new(),
            tally: Tally::default(),
            sight,
            happened: Vec::new(),
            home,
            laws: Laws::new(),
            digest: DefaultHasher::new(),
            trace,
            gateway,
            rulebook,
        };
        world.queue.plan(start, Event::Cue(Cue::DayBegins(0)));
        Ok(world)
    }

    /// Lives until so many days are over.
    pub fn live(&mut self, days: u32) -> Result<(), Broken> {
        self.director.days = days;
        while !self.director.is_over {
            self.step()?;
        }
        self.end_process(false)?;
        self.tally.answers = self.laws.answers();
        Ok(())
    }

    /// The day of the present step, from 1.
    pub fn day(&self) -> (u32, NaiveDate) {
        (self.director.day + 1, self.director.date())
    }

    /// Tells runs apart: every byte that travelled and every time are in it.
    pub fn digest(&self) -> u64 {
        self.digest.finish()
    }

    fn step(&mut self) -> Result<(), Broken> {
        self.step += 1;
        self.tally.steps += 1;
        let own_time = self.gateway.next_deadline();
        let next = self.queue.next_at();
        let is_brokers = own_time.is_some_and(|at| next.is_none_or(|next| at < next));
        if is_brokers {
            self.now = own_time.unwrap_or(self.now);
            self.gateway.advance(self.now);
            self.trace("the broker", &"its own time");
            self.touched(false);
        } else if let Some((at, event)) = self.queue.pop() {
            self.now = self.now.max(at);
            self.gateway.advance(self.now);
            self.happen(event)?;
        }
        self.watch()
    }

    fn happen(&mut self, event: Event) -> Result<(), Broken> {
        (self.now, self.step).hash(&mut self.digest);
        match event {
            Event::Request { life, key, request, fate } => {
                self.trace("request", &(&request.path, String::from_utf8_lossy(&request.body), fate));
                self.request(life, key, &request, fate);
            }
            Event::Dial { life, which, dial, token } => {
                self.trace("dial", &which);
                self.dial(life, which, dial, &token);
            }
            Event::Says { connection, text } => {
                self.trace("says", &text);
                text.hash(&mut self.digest);
                self.gateway.receive(self.now, connection, &text);
                self.carry_frames();
            }
            Event::Leaves { connection } => {
                self.trace("leaves", &connection);
                self.connections.remove(&connection);
                self.gateway.closed(self.now, connection);
            }
            Event::Knock { life, knock } => self.knock(life, knock)?,
            Event::Due { life } => {
                if self.is_alive(life, || Event::Due { life }) {
                    self.trace("due", &());
                    self.with_process(Process::is_due)?;
                }
            }
            Event::Second { life } => self.second(life)?,
            Event::Cue(cue) => {
                self.trace("cue", &cue);
                self.cue(cue)?;
            }
        }
        Ok(())
    }

    fn knock(&mut self, life: u64, knock: Knock) -> Result<(), Broken> {
        self.trace("knock", &knock);
        if let Knock::Frame { frame: simulator::Frame::Text(text), .. } = &knock {
            text.hash(&mut self.digest);
        }
        if life != self.life || self.process.is_none() {
            if let Knock::Dialled { result: Ok(connection), .. } = knock {
                self.queue.plan(self.now, Event::Leaves { connection });
            }
            return Ok(());
        }
        if let Some(waiting) = &mut self.asleep {
            waiting.push(Event::Knock { life, knock });
            return Ok(());
        }
        self.with_process(|process, net| process.knocked(knock, net))
    }

    fn second(&mut self, life: u64) -> Result<(), Broken> {
        if !self.is_alive(life, || Event::Second { life }) {
            return Ok(());
        }
        self.trace("second", &());
        let period = self.director.pace();
        self.queue.plan(self.now + period, Event::Second { life });
        if self.director.dice.percent(60)
            && let Some(process) = &mut self.process
        {
            process.breathe().map_err(|what| Broken { law: "the database takes everything", what })?;
        }
        self.with_process(Process::second)
    }

    /// Whether this life goes on; what comes while it sleeps is kept.
    fn is_alive(&mut self, life: u64, event: impl FnOnce() -> Event) -> bool {
        if life != self.life || self.process.is_none() {
            return false;
        }
        if let Some(waiting) = &mut self.asleep {
            waiting.push(event());
            return false;
        }
        true
    }

    /// Lets the process do something, and buries it if it dies of it.
    pub fn with_process(
        &mut self,
        act: impl FnOnce(&mut Process, &mut Net<'_>) -> Result<(), Died>,
    ) -> Result<(), Broken> {
        let mut net = Net {
            now: self.now,
            life: self.life,
            host: &self.host,
            queue: &mut self.queue,
            weather: &mut self.weather,
        };
        let Some(process) = self.process.as_mut() else { return Ok(()) };
        let lived = act(process, &mut net);
        if lived.is_ok()
            && let Some(at) = process.wants_timer(&net)
        {
            net.queue.plan(at, Event::Due { life: net.life });
        }
        self.happened.append(&mut process.happened);
        if lived.is_err() { self.bury() } else { Ok(()) }
    }

    /// Looks at the laws.
    pub fn watch(&mut self) -> Result<(), Broken> {
        for happening in std::mem::take(&mut self.happened) {
            if happening.is_telling() {
                self.trace("  -", &happening);
            }
            if matches!(happening, Happening::Starved) {
                self.troubles.quiet_since = self.now;
            }
            self.happened.push(happening);
        }
        let engine_time = self.process.as_ref().map(|process| process.time(self.host.monotonic(self.now)));
        let scene = Scene {
            now: self.now,
            happened: &self.happened,
            sight: &self.sight,
            gateway: &self.gateway,
            process: self.process.as_ref(),
            engine_time,
            rulebook: &self.rulebook,
            answering: answering(&self.troubles, self.process.is_none() || self.asleep.is_some()),
        };
        let lawful = self.laws.watch(&scene);
        self.tally.count(&self.happened);
        self.happened.clear();
        lawful
    }

    /// Everything has settled: the laws look closer.
    pub fn settled(&mut self) -> Result<(), Broken> {
        if let Some(process) = &mut self.process {
            process.breathe().map_err(|what| Broken { law: "the database takes everything", what })?;
            self.happened.append(&mut process.happened);
        }
        self.watch()?;
        let engine_time = self.process.as_ref().map(|process| process.time(self.host.monotonic(self.now)));
        let scene = Scene {
            now: self.now,
            happened: &[],
            sight: &self.sight,
            gateway: &self.gateway,
            process: self.process.as_ref(),
            engine_time,
            rulebook: &self.rulebook,
            answering: answering(&self.troubles, false),
        };
        self.laws.settled(&scene)
    }

    /// The broker's state may have changed.
    pub fn touched(&mut self, by_us: bool) {
        self.carry_frames();
        self.sight.refresh(&self.gateway, self.now, by_us, &mut self.happened);
    }

    pub fn hash(&mut self, it: &impl Hash) {
        it.hash(&mut self.digest);
    }

    pub fn trace(&mut self, what: &str, more: &dyn std::fmt::Debug) {
        let (step, now) = (self.step, self.now);
        if let Some((from, tell)) = &mut self.trace
            && step >= *from
        {
            let mut line = format!("{step} {} {what} {more:?}", now.format("%H:%M:%S%.6f"));
            if let Some((cut, _)) = line.char_indices().nth(LONGEST_LINE) {
                line.truncate(cut);
            }
            tell(&line);
        }
    }
}

fn answering(troubles: &Troubles, is_absent: bool) -> Answering {
    Answering {
        is_troubled: troubles.is_grave() || is_absent,
        quiet_since: troubles.quiet_since,
        is_doubted: troubles.is_doubtful(),
        undoubted_since: troubles.undoubted_since,
    }
}

/// A home for one world. In memory where the system has such a place: what a loss of power takes is played
/// by the world itself.
fn home() -> std::io::Result<TempDir> {
    let memory = std::path::Path::new("/dev/shm");
    if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() }
}
