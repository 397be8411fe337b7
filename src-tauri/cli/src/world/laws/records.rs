//! What is written down is whole: the audit verifies, each enforcement ends once, each trading day begins
//! once.

use std::collections::BTreeSet;

use domain::{AccountId, EnforcementId, TradingDay};
use store::Record;

use super::{Law, Scene};
use crate::happening::{Happening, changed};

/// The law.
#[derive(Debug, Default)]
pub(super) struct Records {
    begun: BTreeSet<(AccountId, TradingDay)>,
    ended: BTreeSet<EnforcementId>,
}

impl Law for Records {
    fn name(&self) -> &'static str {
        "the records are whole"
    }

    fn watch(&mut self, scene: &Scene<'_>) -> Result<(), String> {
        for happening in scene.happened {
            if let Happening::Kept(kept) = happening
                && changed(kept)
            {
                self.kept(&kept.0)?;
            } else if let Happening::Began = happening {
                is_whole(scene)?;
            }
        }
        Ok(())
    }

    fn settled(&mut self, scene: &Scene<'_>) -> Result<(), String> {
        is_whole(scene)?;
        let Some(process) = scene.process else { return Ok(()) };
        let pending = process.disk.store().pending_intents().map_err(|error| error.to_string())?;
        match pending.first().filter(|_| process.core.is_idle()) {
            Some(intent) => Err(format!("{:?} has no result", intent.enforcement)),
            None => Ok(()),
        }
    }
}

impl Records {
    fn kept(&mut self, record: &Record) -> Result<(), String> {
        if let Record::Reset(reset) = record
            && !self.begun.insert((reset.account.clone(), reset.day))
        {
            return Err(format!("{} began twice", reset.day));
        }
        if let Record::Receipt(receipt) = record
            && !self.ended.insert(receipt.enforcement)
        {
            return Err(format!("{:?} ended twice", receipt.enforcement));
        }
        Ok(())
    }
}

fn is_whole(scene: &Scene<'_>) -> Result<(), String> {
    let Some(process) = scene.process else { return Ok(()) };
    process.disk.store().verify_audit().map(|_| ()).map_err(|fault| fault.to_string())
}
