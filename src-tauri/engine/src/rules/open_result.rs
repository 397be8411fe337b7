//! What RULE-003, 004, 005 and 013 share: open results, position by position or all together.

use domain::{ContractId, RuleKey, Usd, rulebook::PriceBasis};
use rust_decimal::Decimal;

use super::{Gauge, Missing, Scene, Unit, Verdict};
use crate::{
    account::Holding,
    market::{Reached, Worth},
};

/// The open results of all positions together.
pub(super) fn total(scene: &Scene<'_>, basis: PriceBasis) -> Worth {
    scene.open_results(basis).map(|(_, worth)| worth).fold(Worth::NOTHING, Worth::plus)
}

/// Asks every position that is not being closed yet; `found` gets those whose open result fulfils the
/// condition. A position that cannot be judged hides no other.
pub(super) fn judge_each(
    scene: &Scene<'_>,
    basis: PriceBasis,
    condition: impl Fn(Usd) -> bool,
    mut found: impl FnMut(&Holding, Usd),
) -> Verdict {
    let mut verdict = Verdict::Passed;
    for (holding, worth) in open_by(scene, basis) {
        match worth.reached(&condition) {
            Reached::Yes(value) => {
                found(holding, value);
                verdict = Verdict::Violated;
            }
            Reached::No => {}
            Reached::Unsure(contract) if verdict == Verdict::Passed => verdict = skipped(contract),
            Reached::Unsure(_) => {}
        }
    }
    verdict
}

/// Positions of which something will be left once everything decided is done.
pub(super) fn open<'a>(scene: &Scene<'a>) -> impl Iterator<Item = &'a Holding> {
    let account = scene.account;
    account.holdings().filter(move |it| !account.remaining(it).is_flat())
}

/// The same with what each is worth.
pub(super) fn open_by<'a>(
    scene: &Scene<'a>,
    basis: PriceBasis,
) -> impl Iterator<Item = (&'a Holding, Worth)> {
    let account = scene.account;
    scene.open_results(basis).filter(move |(it, _)| !account.remaining(it).is_flat())
}

pub(super) fn skipped(contract: ContractId) -> Verdict {
    Verdict::Skipped(Missing::Value(contract))
}

/// How far each position has come towards a limit.
pub(super) fn gauges_of_each(scene: &Scene<'_>, rule: RuleKey, basis: PriceBasis, limit: Usd) -> Vec<Gauge> {
    let gauge = |(holding, worth): (&Holding, Worth)| Gauge {
        rule,
        symbol: Some(holding.position.symbol.clone()),
        unit: Unit::Usd,
        value: sure(&worth),
        limit: limit.0,
    };
    scene.open_results(basis).map(gauge).collect()
}

/// A figure is exact or it is none.
pub(super) fn sure(worth: &Worth) -> Option<Decimal> {
    worth.sure().map(|value| value.0)
}
