//! Positions that nobody wanted: while our close is under way, a resting stop of the trader may fill as
//! well and open the other side. Such a position is recognised and closed (ruling 17). "Never reverses"
//! is a promise about what we send; this keeps its spirit about what results.

use std::collections::BTreeMap;

use chrono::TimeDelta;
use domain::{ContractId, Exposure, Fill, Instant, RuleKey};

/// How long after the end of a close a resting order's fill still counts as its effect. Leftovers are
/// cancelled 2 s after the end; this leaves room for the cancel and for late news.
const AFTERMATH: TimeDelta = TimeDelta::seconds(10);

/// Closes that are under way or ended a moment ago, by contract.
#[derive(Clone, Debug, Default)]
pub struct Races {
    by_contract: BTreeMap<ContractId, Race>,
}

#[derive(Clone, Debug)]
struct Race {
    rule: RuleKey,
    closing: Exposure,
    began: Instant,
    until: Option<Instant>,
    /// A fill on the closing side came from an order that was resting before the close began.
    resting_filled: bool,
}

impl Races {
    pub(crate) fn began(&mut self, contract: ContractId, rule: RuleKey, closing: Exposure, now: Instant) {
        let race = Race { rule, closing, began: now, until: None, resting_filled: false };
        self.by_contract.entry(contract).and_modify(|known| known.until = None).or_insert(race);
    }

    /// An order of ours filled after its position was gone, and opened one on the other side of it.
    pub(crate) fn opened(&mut self, contract: ContractId, rule: RuleKey, closing: Exposure, now: Instant) {
        let until = Some(now + AFTERMATH);
        let race = Race { rule, closing, began: now, until, resting_filled: true };
        let known = self.by_contract.entry(contract).or_insert_with(|| race.clone());
        if known.closing.same_side(closing) && known.is_open(now) {
            known.resting_filled = true;
        } else {
            *known = race;
        }
    }

    pub(crate) fn ended(&mut self, contract: &ContractId, now: Instant) {
        if let Some(race) = self.by_contract.get_mut(contract) {
            race.until = Some(now + AFTERMATH);
        }
    }

    /// A new fill; `first_heard` is when its order was first heard of, if it was.
    pub(crate) fn filled(&mut self, fill: &Fill, first_heard: Option<Instant>, now: Instant) {
        let Some(race) = self.by_contract.get_mut(&fill.contract) else { return };
        let resting = first_heard.is_some_and(|heard| heard < race.began);
        if race.is_open(now) && fill.side.reduces(race.closing) && resting {
            race.resting_filled = true;
        }
    }

    /// The rule whose close caused the exposure that is held now, if one did.
    #[must_use]
    pub fn cause(&self, contract: &ContractId, held: Exposure, now: Instant) -> Option<RuleKey> {
        let race = self.by_contract.get(contract)?;
        let other_side = !held.is_flat() && !held.same_side(race.closing);
        (race.is_open(now) && race.resting_filled && other_side).then_some(race.rule)
    }

    /// Whether nothing is being closed, and nothing was a moment ago.
    pub(crate) fn is_empty(&self) -> bool {
        self.by_contract.is_empty()
    }

    pub(crate) fn forget_old(&mut self, now: Instant) {
        self.by_contract.retain(|_, race| race.is_open(now));
    }
}

impl Race {
    fn is_open(&self, now: Instant) -> bool {
        self.until.is_none_or(|until| now < until)
    }
}
