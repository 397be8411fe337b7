//! Troubles strike, and pass.

use chrono::TimeDelta;
use simulator::Fault;

use crate::{
    book,
    laws::Broken,
    trouble::{self, Ill},
    world::World,
};

/// How late orders fill when nothing is the matter: never within the request that placed them.
const USUAL_FILL_MS: u32 = 25;
/// Slow fills are so many times twenty at most: three pieces are there before the broker's lists are believed
/// where they show nothing of an accepted close, which is 1.75 s after its answer (specification C.11).
const SLOWER_FILL_MS: u32 = 25;

impl World<'_> {
    pub(crate) fn strike(&mut self, ill: Ill, account: i64, length: TimeDelta) -> Result<(), Broken> {
        let ms = length.num_milliseconds();
        match ill {
            Ill::Storm => self.weather.storm(Some(self.director.dice.between(1_000..=6_000))),
            Ill::Flaky => {
                let share = self.director.dice.between(10..=70);
                self.weather.flaky(u32::try_from(share).unwrap_or(50));
            }
            Ill::Cut => self.weather.cut(Some(self.now + length)),
            Ill::Kill => return self.kill(),
            Ill::Stop => return self.end_process(false),
            Ill::Sleep => {
                self.asleep = Some(Vec::new());
                self.director.slept_since = Some(self.now);
            }
            Ill::WallClock => {
                let ahead = self.director.dice.between(-100_000..=100_000);
                self.host.turn_wall_clock(TimeDelta::seconds(ahead));
            }
            Ill::Disk => self.break_disk(true),
            Ill::Tighten => {
                self.rulebook = book::tightened(&mut self.director.dice, &self.rulebook);
                if self.asleep.is_none() {
                    let rulebook = self.rulebook.clone();
                    return self.with_process(|process, net| process.rules(&rulebook, net));
                }
            }
            Ill::Void => self.void(account),
            Ill::Drop => {
                let hub = *self.director.dice.choose(&["user", "market", "both"]);
                let how = *self.director.dice.choose(&["close", "reset"]);
                self.fault(&format!(r#"{{"kind":"drop_hub","hub":"{hub}","how":"{how}"}}"#));
            }
            Ill::Silence => {
                let hub = *self.director.dice.choose(&["user", "market", "both"]);
                self.fault(&format!(r#"{{"kind":"hub_silence","hub":"{hub}","ms":{ms}}}"#));
            }
            Ill::Malformed => self.set(Fault::MalformedEvent { text: self.nonsense() }),
            Ill::Expire => self.set(Fault::ExpireTokens {}),
            Ill::Duplicate => {
                let times = self.few(30);
                self.set(Fault::DuplicateEvents { times });
            }
            Ill::Lose => {
                let times = self.few(6);
                self.set(Fault::LoseEvents { times });
            }
            Ill::Reorder => {
                let times = self.few(20);
                self.set(Fault::ReorderEvents { times });
            }
            Ill::SlowFills => {
                let ms = SLOWER_FILL_MS * self.few(20);
                self.set(Fault::FillLatency { ms });
            }
            Ill::Pieces => self.set(Fault::PartialFills { on: true }),
            Ill::Shut => self.set(Fault::MarketClosed { on: true }),
            Ill::CannotTrade => self.set(Fault::CanTrade { account_id: account, value: false }),
            Ill::FlipAsUpdate => self.set(Fault::FlipAsUpdate { on: true }),
        }
        Ok(())
    }

    pub(crate) fn trouble_ends(&mut self, ill: Ill, account: i64) -> Result<(), Broken> {
        self.troubles.end(ill.weight(), self.now);
        match ill {
            Ill::Storm => self.weather.storm(None),
            Ill::Flaky => self.weather.flaky(0),
            Ill::Kill | Ill::Stop => {
                // One that was to die at a certain point and never came there dies now.
                if self.process.as_ref().is_some_and(|process| process.death.is_some()) {
                    self.end_process(true)?;
                }
                return self.begin_process();
            }
            Ill::Sleep => return self.wake(),
            Ill::WallClock => self.host.turn_wall_clock(TimeDelta::zero()),
            Ill::Disk => self.break_disk(false),
            Ill::Duplicate => self.set(Fault::DuplicateEvents { times: 0 }),
            Ill::Lose => self.set(Fault::LoseEvents { times: 0 }),
            Ill::Reorder => self.set(Fault::ReorderEvents { times: 0 }),
            Ill::SlowFills => self.set(Fault::FillLatency { ms: USUAL_FILL_MS }),
            Ill::Pieces => self.set(Fault::PartialFills { on: false }),
            Ill::Shut => self.set(Fault::MarketClosed { on: false }),
            Ill::CannotTrade => self.set(Fault::CanTrade { account_id: account, value: true }),
            Ill::FlipAsUpdate => self.set(Fault::FlipAsUpdate { on: false }),
            Ill::Cut | Ill::Drop | Ill::Silence | Ill::Expire | Ill::Void | Ill::Malformed | Ill::Tighten => {
            }
        }
        Ok(())
    }

    fn kill(&mut self) -> Result<(), Broken> {
        match trouble::death(&mut self.director.dice) {
            None => self.end_process(true),
            death @ Some(_) => {
                if let Some(process) = &mut self.process {
                    process.death = death;
                }
                Ok(())
            }
        }
    }

    fn break_disk(&mut self, is_broken: bool) {
        if let Some(process) = &mut self.process {
            process.disk.break_down(is_broken);
        }
    }

    /// The venue undoes one of the latest executions.
    fn void(&mut self, account: i64) {
        let seen = self.sight.account(&account.into());
        let Some((fill, _)) = seen.and_then(|seen| seen.fills.values().last()) else { return };
        let Ok(trade_id) = fill.id.as_str().parse() else { return };
        self.set(Fault::VoidTrade { trade_id });
        self.sight.voided(&self.gateway, trade_id);
    }

    fn fault(&mut self, text: &str) {
        if let Ok(fault) = Fault::parse(text.as_bytes()) {
            self.set(fault);
        }
    }

    /// What the gateway refuses does not happen.
    fn set(&mut self, fault: Fault) {
        let _ = self.gateway.set_fault(self.now, fault);
        self.touched(false);
    }

    fn few(&mut self, most: i64) -> u32 {
        u32::try_from(self.director.dice.between(1..=most)).unwrap_or(1)
    }

    fn nonsense(&self) -> String {
        r#"{"type":1,"target":"GatewayUserPosition","arguments":[{"action":1,"data":{"size":"many"}}]}"#
            .to_string()
    }
}
