//! What we do to positions: nothing but the broker's close calls, one at a time for a contract, never more
//! than is open, never past the target, never into new exposure (invariants A.8-1 and A.8-2).

use std::collections::BTreeMap;

use chrono::TimeDelta;
use domain::{
    AccountId, Action, ContractId, Contracts, Deed, Exposure, Fill, Instant, OrderId, OrderSide, RuleKey,
    broker::{Call, CallId},
};

use super::{Law, Scene};
use crate::{
    happening::{Arrival, Change, Happening},
    sight::number_of,
};

/// A trader's own reduction within this time before ours may lead below the target: news takes its way.
const RACE: TimeDelta = TimeDelta::seconds(5);
/// An answer that left the broker before something arrived there comes back within this time.
const LOOK_COMES_BACK: TimeDelta = TimeDelta::milliseconds(500);

/// The law.
#[derive(Debug, Default)]
pub(super) struct Closes {
    /// Exposure-changing calls without a reply.
    in_flight: BTreeMap<CallId, (AccountId, ContractId)>,
    /// When the last of them was sent.
    asked_at: BTreeMap<(AccountId, ContractId), Instant>,
    /// When the last of them was answered, or given up.
    replied_at: BTreeMap<(AccountId, ContractId), Instant>,
    /// Our closing orders that have not filled completely.
    closing: BTreeMap<OrderId, Closing>,
    exposures: BTreeMap<(AccountId, ContractId), Exposure>,
    /// When somebody else last traded a contract.
    traded: BTreeMap<(AccountId, ContractId), Instant>,
    /// When a close of ours last filled.
    closed: BTreeMap<(AccountId, ContractId), Instant>,
    /// The lowest target that was decided for a contract, until it is flat or grows.
    targets: BTreeMap<(AccountId, ContractId), (Contracts, Instant)>,
}

#[derive(Debug)]
struct Closing {
    account: AccountId,
    contract: ContractId,
    side: OrderSide,
    since: Instant,
    left: u32,
    /// It stood for one that was late, which arrived as well.
    crossed: bool,
}

impl Law for Closes {
    fn name(&self) -> &'static str {
        "closes only close"
    }

    fn watch(&mut self, scene: &Scene<'_>) -> Result<(), String> {
        for happening in scene.happened {
            match happening {
                Happening::Began | Happening::Ended => self.in_flight.clear(),
                Happening::Asked(ask) => self.asked(ask.id, &ask.call, scene.now)?,
                Happening::Replied(call) => {
                    if let Some(key) = self.in_flight.remove(call) {
                        self.replied_at.insert(key, scene.now);
                    }
                }
                Happening::Decided(Action::Enforce(it)) => self.decided(&it.account, &it.deed, scene),
                Happening::Arrived(arrival) => self.arrived(arrival, scene)?,
                Happening::Filled { fill, own } => self.filled(fill, *own, scene)?,
                Happening::Decided(_)
                | Happening::Kept(_)
                | Happening::Link(_)
                | Happening::Read(_)
                | Happening::Starved
                | Happening::Told => {}
            }
        }
        Ok(())
    }
}

impl Closes {
    fn asked(&mut self, id: CallId, call: &Call, now: Instant) -> Result<(), String> {
        let (Call::Close { account, contract } | Call::Reduce { account, contract, .. }) = call else {
            return Ok(());
        };
        let key = (account.clone(), contract.clone());
        if self.in_flight.values().any(|other| *other == key) {
            return Err(format!("two closes of {contract} are in flight at once"));
        }
        self.asked_at.insert(key.clone(), now);
        self.in_flight.insert(id, key);
        Ok(())
    }

    fn decided(&mut self, account: &AccountId, deed: &Deed, scene: &Scene<'_>) {
        let mut aim = |contract: &ContractId, to: Contracts| {
            let key = (account.clone(), contract.clone());
            let target = self.targets.entry(key).or_insert((to, scene.now));
            *target = (target.0.min(to), scene.now);
        };
        match deed {
            Deed::Reduce { contract, to } => aim(contract, *to),
            Deed::Flatten => {
                let held = scene.sight.account(account).map(|seen| seen.held.keys().collect::<Vec<_>>());
                held.into_iter().flatten().for_each(|contract| aim(contract, Contracts::ZERO));
                let known: Vec<ContractId> = self
                    .exposures
                    .keys()
                    .filter(|(whose, _)| whose == account)
                    .map(|(_, contract)| contract.clone())
                    .collect();
                known.iter().for_each(|contract| aim(contract, Contracts::ZERO));
            }
            Deed::Cancel { .. } | Deed::Shrink { .. } | Deed::Place { .. } | Deed::Modify { .. } => {}
        }
    }

    fn arrived(&mut self, arrival: &Arrival, scene: &Scene<'_>) -> Result<(), String> {
        match &arrival.what {
            Change::Close { contract, by } => self.close_arrived(arrival, contract, *by, scene),
            Change::Cancel { .. } => Ok(()),
            // Our own protective orders follow the position (RULE-012).
            Change::Resize { order, size } => {
                let seen = scene.sight.account(&arrival.account);
                let known = seen.and_then(|seen| {
                    seen.orders.values().find(|seeing| number_of(&seeing.order.id) == *order)
                });
                let known = known.filter(|it| !scene.sight.is_own(&it.order.id));
                let larger = known.zip(*size).is_some_and(|(it, size)| size > it.order.size.0);
                if larger { Err(format!("order {order} was enlarged to {size:?}")) } else { Ok(()) }
            }
            Change::Place { contract, size, stop_or_target } => {
                self.place_arrived(arrival, contract, *size, *stop_or_target, scene)
            }
            Change::Other { path } => Err(format!("a request to {path}")),
        }
    }

    fn close_arrived(
        &mut self,
        arrival: &Arrival,
        contract: &ContractId,
        by: Option<u32>,
        scene: &Scene<'_>,
    ) -> Result<(), String> {
        if !arrival.accepted {
            return Ok(());
        }
        let seen = scene.sight.account(&arrival.account);
        let newest = seen.and_then(|seen| {
            let ours = seen.orders.values().filter(|it| scene.sight.is_own(&it.order.id));
            ours.filter(|it| it.order.contract == *contract).max_by_key(|it| number_of(&it.order.id))
        });
        let Some(seeing) = newest else { return Err(format!("no closing order of {contract} is seen")) };
        // One of the other side closes what was held before a turn.
        let is_same = |it: &Closing| {
            it.account == arrival.account && it.contract == *contract && it.side == seeing.order.side
        };
        let unfilled = self.closing.iter().find(|(_, it)| is_same(it));
        if let Some((order, first)) = unfilled
            && !self.is_crossing(&(arrival.account.clone(), contract.clone()), first.since)
        {
            return Err(format!("{contract} is closed again while {order} is not filled"));
        }
        let crossed = unfilled.is_some();
        let closing = Closing {
            account: arrival.account.clone(),
            contract: contract.clone(),
            side: seeing.order.side,
            since: scene.now,
            left: seeing.order.remaining().0,
            crossed,
        };
        self.closing.insert(seeing.order.id.clone(), closing);
        let _ = by;
        Ok(())
    }

    /// RULE-012 places orders that reduce what is held, and no others.
    fn place_arrived(
        &mut self,
        arrival: &Arrival,
        contract: &ContractId,
        size: Option<u32>,
        stop_or_target: bool,
        scene: &Scene<'_>,
    ) -> Result<(), String> {
        if !arrival.accepted {
            return Ok(());
        }
        if !scene.enforces(&arrival.account, RuleKey::TradeManagement) || !stop_or_target {
            return Err(format!("an order in {contract} that nobody asked for"));
        }
        let key = (arrival.account.clone(), contract.clone());
        let raced = self.traded.get(&key).is_some_and(|at| *at + RACE >= scene.now);
        let Some(seen) = scene.sight.account(&arrival.account) else { return Ok(()) };
        let held = seen.exposure(contract);
        let newest = seen.orders.values().max_by_key(|it| number_of(&it.order.id)).map(|it| &it.order);
        let reduces = newest.is_some_and(|order| order.contract != *contract || order.side.reduces(held));
        if raced
            || !scene.answering.is_calm(scene.now)
            || reduces && size.is_some_and(|it| it <= held.size().0)
        {
            return Ok(());
        }
        Err(format!("an order over {size:?} {contract} was placed while {} were held", held.0))
    }

    fn filled(&mut self, fill: &Fill, own: bool, scene: &Scene<'_>) -> Result<(), String> {
        let key = (fill.account.clone(), fill.contract.clone());
        let before = self.exposures.get(&key).copied().unwrap_or_default();
        let after = before + Exposure(fill.side.sign() * i64::from(fill.size.0));
        self.exposures.insert(key.clone(), after);
        let last_trade = self.traded.get(&key).copied();
        if !own {
            self.traded.insert(key.clone(), scene.now);
            if !before.same_side(after) || after.size() > before.size() {
                self.targets.remove(&key);
            }
            return Ok(());
        }
        let Some((since, crossed)) = self.fill_closing(fill) else {
            return self.protected(fill, (before, after), scene);
        };
        self.closed.insert(key.clone(), scene.now);
        let raced = crossed || last_trade.is_some_and(|at| at >= since);
        let grew = !after.is_flat() && (!before.same_side(after) || after.size() > before.size());
        if grew && !raced {
            return Err(format!("our close took {} from {} to {}", fill.contract, before.0, after.0));
        }
        let recently = last_trade.is_some_and(|at| at + RACE >= since);
        let calm = scene.answering.is_calm(scene.now);
        if let Some((target, _)) = self.targets.get(&key)
            && after.size() < *target
            && calm
            && !recently
        {
            return Err(format!("{} was closed to {}, though {target} may stay", fill.contract, after.0));
        }
        if after.is_flat() {
            self.targets.remove(&key);
        }
        Ok(())
    }

    /// A protective order of ours filled. Two that are not linked may both fill (ruling 17), and so may one
    /// whose position somebody, or a close of ours that was under way, closed a moment ago.
    fn protected(
        &mut self,
        fill: &Fill,
        (before, after): (Exposure, Exposure),
        scene: &Scene<'_>,
    ) -> Result<(), String> {
        let key = (fill.account.clone(), fill.contract.clone());
        self.targets.remove(&key);
        let just = |at: Option<&Instant>| at.is_some_and(|at| *at + RACE >= scene.now);
        let raced = just(self.traded.get(&key)) || just(self.closed.get(&key));
        let last = self.traded.insert(key, scene.now);
        if !scene.enforces(&fill.account, RuleKey::TradeManagement) {
            return Err(format!("fill {} of no close of ours", fill.id));
        }
        let grew = !after.is_flat() && (!before.same_side(after) || after.size() > before.size());
        if grew && !raced && scene.answering.is_calm(scene.now) {
            let last = last.map(|at| at.to_string()).unwrap_or_default();
            return Err(format!("our order took {} from {} to {}, {last}", fill.contract, before.0, after.0));
        }
        Ok(())
    }

    /// What has no answer for 2 s is looked for and sent again (specification C.11), and the late one may arrive beside
    /// it: no answer told of that one, and the look may have left the broker before.
    fn is_crossing(&self, key: &(AccountId, ContractId), arrived: Instant) -> bool {
        let unheard = self.replied_at.get(key).is_none_or(|at| *at < arrived);
        let since = if unheard { arrived + LOOK_COMES_BACK } else { arrived };
        self.asked_at.get(key).is_some_and(|asked| *asked <= since)
    }

    /// When the close that this fill belongs to arrived, and whether it crossed another one.
    fn fill_closing(&mut self, fill: &Fill) -> Option<(Instant, bool)> {
        let closing = self.closing.get_mut(&fill.order)?;
        closing.left = closing.left.saturating_sub(fill.size.0);
        let found = (closing.since, closing.crossed);
        if closing.left == 0 {
            self.closing.remove(&fill.order);
        }
        Some(found)
    }
}
