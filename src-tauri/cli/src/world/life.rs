//! Lives of the engine: each begins on the home as it is, and ends in order or at once.

use crate::{
    happening::Happening,
    laws::Broken,
    process::{Birth, Process},
    replay,
    wire::{Knock, Net},
    world::{Event, World},
};

impl World<'_> {
    /// Starts an engine on the home as it is.
    pub fn begin_process(&mut self) -> Result<(), Broken> {
        if self.process.is_some() {
            return Ok(());
        }
        self.life += 1;
        self.tally.starts += 1;
        let (user, key) = self.gateway.credentials();
        let login = projectx::Credentials::new(user, key);
        let birth = Birth { home: self.home.path(), rulebook: &self.rulebook, login };
        let mut net = Net {
            now: self.now,
            life: self.life,
            host: &self.host,
            queue: &mut self.queue,
            weather: &mut self.weather,
        };
        let process = Process::begin(birth, &mut net);
        self.process = Some(process.map_err(|what| Broken { law: "an engine starts", what })?);
        self.queue.plan(self.now, Event::Second { life: self.life });
        self.troubles.quiet_since = self.now;
        self.troubles.undoubted_since = self.now;
        self.with_process(|_, _| Ok(()))
    }

    /// Ends the engine: in order, with everything written, or at once.
    pub fn end_process(&mut self, at_once: bool) -> Result<(), Broken> {
        if let Some(process) = self.process.as_mut().filter(|_| !at_once) {
            process.disk.break_down(false);
            process.breathe().map_err(|what| Broken { law: "the database takes everything", what })?;
            self.happened.append(&mut process.happened);
            self.watch()?;
        }
        self.bury()
    }

    pub(crate) fn bury(&mut self) -> Result<(), Broken> {
        let Some(process) = self.process.take() else { return Ok(()) };
        self.asleep = None;
        self.happened.push(Happening::Ended);
        let life = self.life;
        for (connection, _) in self.connections.iter().filter(|(_, owner)| owner.life == life) {
            let at = self.now + self.weather.way();
            self.queue.plan(at, Event::Leaves { connection: *connection });
        }
        self.queue.retain(|event| match event {
            Event::Due { life: its } | Event::Second { life: its } => *its != life,
            Event::Knock { life: its, knock: Knock::Timer(_) } => *its != life,
            Event::Request { .. }
            | Event::Dial { .. }
            | Event::Says { .. }
            | Event::Leaves { .. }
            | Event::Knock { .. }
            | Event::Cue(_) => true,
        });
        replay::replayed(&process).map_err(|what| Broken { law: "a replay decides the same", what })
    }
}
