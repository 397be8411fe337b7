//! Each fact of the broker counts once, whatever the number and order of its deliveries (invariant A.8-3):
//! when everything has settled, positions, orders and the day's figures are exactly the broker's.

use std::collections::BTreeMap;

use domain::{ContractId, Exposure, Fill, OrderId, OrderStatus};
use engine::AccountState;

use super::{Law, Scene};
use crate::sight::Seen;

/// The law.
#[derive(Debug)]
pub(super) struct Books;

impl Law for Books {
    fn name(&self) -> &'static str {
        "the books are the broker's"
    }

    fn watch(&mut self, _scene: &Scene<'_>) -> Result<(), String> {
        Ok(())
    }

    fn settled(&mut self, scene: &Scene<'_>) -> Result<(), String> {
        let Some(process) = scene.process else { return Ok(()) };
        let today = scene.sight.day_of(scene.now);
        for seen in &scene.sight.accounts {
            let Some(account) = process.core.engine().account(&seen.id) else {
                return Err(format!("{} is not known", seen.id));
            };
            same_positions(seen, account)?;
            same_orders(seen, account)?;
            let sum = seen.sum(today);
            let ledger = account.ledger();
            if ledger.day() != today {
                return Err(format!("the day is {}, not {today}", ledger.day()));
            }
            // Where the broker names no commissions, those of a table count (ruling 3).
            let costs = if ledger.is_estimated() { sum.costs } else { ledger.costs() };
            if (ledger.realized_gross(), costs) != (sum.gross, sum.costs) {
                return Err(format!(
                    "{}: {} gross and {} costs, really {} and {}: {}",
                    seen.id,
                    ledger.realized_gross(),
                    ledger.costs(),
                    sum.gross,
                    sum.costs,
                    differences(seen, account, scene)
                ));
            }
        }
        Ok(())
    }
}

/// The fills of the day that are known otherwise than they are.
fn differences(seen: &Seen, account: &AccountState, scene: &Scene<'_>) -> String {
    let ledger = account.ledger();
    let figures = |fill: &Fill| (fill.pnl, fill.fees, fill.commissions, fill.voided);
    let own = |fill: &Fill| ledger.result_of(fill).filter(|_| fill.pnl.is_none());
    let real = seen.fills.values().map(|(fill, _)| fill);
    let real = real.filter(|fill| scene.sight.day_of(fill.at) == ledger.day());
    let differing = real.filter_map(|fill| {
        let known = ledger.known(&fill.id).map(|known| figures(&known.fill));
        let differs = known != Some(figures(fill)) || own(fill).is_some();
        let own = own(fill);
        differs.then(|| format!("{} {known:?} {own:?}, really {:?}", fill.id, figures(fill)))
    });
    differing.collect::<Vec<_>>().join("; ")
}

fn same_positions(seen: &Seen, account: &AccountState) -> Result<(), String> {
    let real: BTreeMap<&ContractId, Exposure> =
        seen.held.values().map(|held| (&held.position.contract, held.position.exposure)).collect();
    let known: BTreeMap<&ContractId, Exposure> =
        account.holdings().map(|it| (&it.position.contract, it.position.exposure)).collect();
    if real == known { Ok(()) } else { Err(format!("held {known:?}, really {real:?}")) }
}

fn same_orders(seen: &Seen, account: &AccountState) -> Result<(), String> {
    let real: Vec<&OrderId> = seen
        .orders
        .values()
        .filter(|seeing| seeing.order.status == OrderStatus::Open)
        .map(|seeing| &seeing.order.id)
        .collect();
    let known: Vec<&OrderId> = account
        .working_orders()
        .filter(|known| known.order.status == OrderStatus::Open)
        .map(|known| &known.order.id)
        .collect();
    if real == known { Ok(()) } else { Err(format!("working {known:?}, really {real:?}")) }
}
