//! What protects a position that stays is not taken away by us: a stop of the trader's that is too large is made
//! smaller (specification A.1).

use chrono::TimeDelta;
use domain::{Action, Breach, Contracts, Deed, Enforcement, Order, OrderId};

use super::{Law, Scene};
use crate::happening::Happening;

/// A position that grew, or was opened, within this time may not be known yet: news takes its way.
const NEWS_TAKES: TimeDelta = TimeDelta::seconds(5);

/// The law.
#[derive(Debug, Default)]
pub(super) struct Guards;

impl Law for Guards {
    fn name(&self) -> &'static str {
        "no stop is taken from a position that stays"
    }

    fn watch(&mut self, scene: &Scene<'_>) -> Result<(), String> {
        if !scene.answering.is_calm(scene.now) {
            return Ok(());
        }
        for happening in scene.happened {
            if let Happening::Decided(Action::Enforce(it)) = happening
                && let Deed::Cancel { orders } = &it.deed
                && !matches!(it.breach, Breach::TraderCommand { .. })
            {
                cancelled(it, orders, scene)?;
            }
        }
        Ok(())
    }
}

fn cancelled(enforcement: &Enforcement, orders: &[OrderId], scene: &Scene<'_>) -> Result<(), String> {
    let engine = scene.process.and_then(|process| process.core.engine().account(&enforcement.account));
    let (Some(engine), Some(seen)) = (engine, scene.sight.account(&enforcement.account)) else {
        return Ok(());
    };
    let is_closing =
        |order: &Order| engine.engaged().is_flattening() || engine.engaged().of(&order.contract).is_some();
    for order in orders.iter().filter_map(|id| seen.orders.get(id)).map(|seeing| &seeing.order) {
        let Some(held) = seen.held.get(&order.contract) else { continue };
        let exposure = held.position.exposure;
        let guards = |it: &Order| {
            it.contract == order.contract
                && it.kind.is_stop()
                && it.status.covers()
                && it.side.reduces(exposure)
        };
        let stays = held.grown + NEWS_TAKES < scene.now && !is_closing(order);
        if !guards(order) || !stays || scene.sight.is_own(&order.id) {
            continue;
        }
        let others = seen.orders.values().map(|seeing| &seeing.order);
        let left: Contracts =
            others.filter(|it| guards(it) && !orders.contains(&it.id)).map(Order::remaining).sum();
        if left < exposure.size() {
            let Enforcement { rule, breach, .. } = enforcement;
            let (id, contract, held) = (&order.id, &order.contract, exposure.0);
            return Err(format!("stop {id} was taken from {held} {contract} by {rule:?}: {breach:?}"));
        }
    }
    Ok(())
}
