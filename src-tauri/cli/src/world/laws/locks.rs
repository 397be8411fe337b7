//! No lockout is lost or shortened: not by a restart, a reset, a reconnect, other rules or a turned clock
//! (invariants A.8-7 to A.8-9). What is in the database is in force, and what ends, ends when it should.

use std::collections::BTreeMap;

use chrono::TimeDelta;
use domain::{Action, EndCause, Instant, LockKey, Lockout};
use store::Record;

use super::{Law, Scene};
use crate::happening::{Happening, changed};

/// The broker's time comes in whole seconds, and half a second is what a clock may be off unnoticed: so much
/// earlier than by the truth a lockout may end.
pub(super) const CLOCK_SLACK: TimeDelta = TimeDelta::seconds(3);

/// The law.
#[derive(Debug, Default)]
pub(super) struct Locks {
    /// What is on the disk and not over.
    durable: BTreeMap<LockKey, Lockout>,
}

impl Law for Locks {
    fn name(&self) -> &'static str {
        "no lockout is lost or shortened"
    }

    fn watch(&mut self, scene: &Scene<'_>) -> Result<(), String> {
        for happening in scene.happened {
            match happening {
                Happening::Decided(Action::Unlock { key, cause }) => self.unlocked(key, cause, scene)?,
                Happening::Kept(kept) if changed(kept) => self.kept(&kept.0),
                Happening::Kept(_)
                | Happening::Decided(_)
                | Happening::Began
                | Happening::Ended
                | Happening::Link(_)
                | Happening::Read(_)
                | Happening::Replied(_)
                | Happening::Asked(_)
                | Happening::Told
                | Happening::Starved
                | Happening::Arrived(_)
                | Happening::Filled { .. } => {}
            }
        }
        self.are_in_force(scene)
    }
}

impl Locks {
    fn kept(&mut self, record: &Record) {
        if let Record::Lock { lockout, .. } = record {
            self.durable.insert(lockout.key.clone(), (**lockout).clone());
        } else if let Record::Unlock { key, .. } = record {
            self.durable.remove(key);
        }
    }

    /// A lockout ended: by its time, or because the rules no longer ask for it.
    fn unlocked(&self, key: &LockKey, cause: &EndCause, scene: &Scene<'_>) -> Result<(), String> {
        let Some(lockout) = self.durable.get(key) else { return Ok(()) };
        let too_early = |end: Option<Instant>| end.is_none_or(|end| scene.now + CLOCK_SLACK < end);
        let wrong = match cause {
            EndCause::Expiry | EndCause::Reset => too_early(lockout.end.at()),
            EndCause::Condition => lockout.end.at().is_some() && too_early(lockout.end.at()),
            EndCause::Config => {
                let symbol = lockout.key.symbol.as_ref();
                symbol.is_none_or(|symbol| super::symbols::is_blocked(scene, &key.account, symbol))
            }
            EndCause::Override { .. } => true,
        };
        if wrong { Err(format!("{key:?} ended by {cause:?}, due {:?}", lockout.end)) } else { Ok(()) }
    }

    fn are_in_force(&self, scene: &Scene<'_>) -> Result<(), String> {
        let (Some(process), Some(time)) = (scene.process, scene.engine_time) else { return Ok(()) };
        for (key, lockout) in &self.durable {
            if !lockout.is_active(time) {
                continue;
            }
            let account = process.core.engine().account(&key.account);
            let known = account.and_then(|account| account.lockouts().iter().find(|it| it.key == *key));
            let Some(known) = known else { return Err(format!("{key:?} is not in force")) };
            if known.end.at() < lockout.end.at() && lockout.end.at().is_some() {
                return Err(format!("{key:?} was shortened from {:?} to {:?}", lockout.end, known.end));
            }
        }
        Ok(())
    }
}
