//! What RULE-003 and RULE-013 share: the day's result, banked and together with what is open, and the
//! lock until the daily reset.

use domain::{EventKind, LockEnd, LockKey, RuleKey, Source, Usd, breach::Basis, rulebook::PriceBasis};
use rust_decimal::Decimal;

use super::{Lock, Remedy, Scene, Verdict, open_result};
use crate::{
    kinds::Kinds,
    market::{Reached, Worth},
};

/// Which result of the day is judged.
#[derive(Clone, Copy, Debug)]
pub(super) struct DayResult {
    pub basis: Basis,
    pub include_fees: bool,
}

impl DayResult {
    /// Whether a condition is true, and of which result: banked ones first, because they are sure.
    pub fn judge(
        self,
        scene: &Scene<'_>,
        condition: impl Fn(Usd) -> bool,
    ) -> Result<Option<(Basis, Usd)>, Verdict> {
        let realized = self.realized(scene);
        if condition(realized) {
            return Ok(Some((Basis::Realized, realized)));
        }
        if self.basis == Basis::Realized {
            return Ok(None);
        }
        match self.worth(scene).reached(condition) {
            Reached::Yes(value) => Ok(Some((Basis::Combined, value))),
            Reached::No => Ok(None),
            Reached::Unsure(contract) => Err(open_result::skipped(contract)),
        }
    }

    /// The day's result that a limit is held against, with how sure it is.
    pub fn worth(self, scene: &Scene<'_>) -> Worth {
        let realized = Worth::Live(self.realized(scene));
        match self.basis {
            Basis::Realized => realized,
            Basis::Combined => realized.plus(scene.reckoned.unbanked.get_or_init(|| open(scene)).clone()),
        }
    }

    /// The same as a figure of a gauge.
    pub fn value(self, scene: &Scene<'_>) -> Option<Decimal> {
        open_result::sure(&self.worth(scene))
    }

    pub fn listens() -> Kinds {
        Kinds::of(&[
            EventKind::TradeExecuted,
            EventKind::PositionOpened,
            EventKind::PositionUpdated,
            EventKind::PositionClosed,
            EventKind::UnrealizedPnlUpdate,
            EventKind::StateReconciled,
            EventKind::SessionTick,
            EventKind::ConfigChanged,
        ])
    }

    pub fn needs(self) -> &'static [Source] {
        match self.basis {
            Basis::Realized => &[Source::UserStream, Source::ResetSchedule],
            Basis::Combined => {
                &[Source::UserStream, Source::ResetSchedule, Source::MarketStream, Source::Metadata]
            }
        }
    }

    fn realized(self, scene: &Scene<'_>) -> Usd {
        scene.account.ledger().realized(self.include_fees)
    }
}

/// What is open and not banked: nothing counts twice, and nothing is left out, while the news of a position
/// and of its fills come one after the other.
fn open(scene: &Scene<'_>) -> Worth {
    let account = scene.account;
    let held = scene.open().zip(scene.reckoned.looks()).map(|((holding, worth), look)| {
        let position = &holding.position;
        match account.unbanked(position) {
            None => Worth::Unknown(position.contract.clone()),
            Some(part) if part == position.exposure => worth.clone(),
            Some(part) if part.is_flat() => Worth::NOTHING,
            Some(part) => look.worth_of(position, part, PriceBasis::LastElseMid),
        }
    });
    // What fills tell of before its position is seen is worth nobody knows what.
    let elsewhere = account.told_elsewhere().filter(|(_, told)| !told.is_flat());
    held.chain(elsewhere.map(|(contract, _)| Worth::Unknown(contract.clone())))
        .fold(Worth::NOTHING, Worth::plus)
}

/// Whether the day is locked by this rule already: nothing it finds now changes that.
pub(super) fn is_locked(scene: &Scene<'_>, rule: RuleKey) -> bool {
    let account = scene.account.id().clone();
    scene.account.lockouts().has(&LockKey { account, rule, symbol: None, cause: String::new() })
}

/// The account is flattened and stays locked until the daily reset.
pub(super) fn lock(scene: &Scene<'_>) -> Remedy {
    Remedy::Lock(Lock::hard(LockEnd::Reset(scene.day_end)))
}
