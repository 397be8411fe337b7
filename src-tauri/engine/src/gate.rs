//! The gate in front of the rules: what active lockouts forbid is closed and cancelled, whoever caused
//! it (specification C.1). Looks at the state, not at the event, so that nothing slips by: locked means
//! more supervision, not less (L-31).

use domain::{
    Breach, ContractId, Contracts, Instant, LockKey, LockKind, Lockout, Order, OrderKind, Priority, RuleKey,
    Symbol,
};

use crate::{
    account::AccountState,
    judge::DISAGREE_FOR,
    wants::{Want, Wants},
};

impl AccountState {
    /// What the active lockouts, and closes that went wrong, make necessary. The lockouts in `fresh`
    /// were set in this step: what they forbid is their own doing, not a trade in spite of them.
    pub(crate) fn gate(&self, fresh: &[LockKey], now: Instant, wants: &mut Wants) {
        if self.lockouts.is_empty() && self.races.is_empty() {
            return;
        }
        for holding in self.holdings() {
            let position = &holding.position;
            if let Some(rule) = self.races.cause(&position.contract, position.exposure, now) {
                let breach = Breach::OwnEffect {
                    symbol: Some(position.symbol.clone()),
                    size: position.exposure.size(),
                };
                wants.reduce(&position.contract, Want::new(rule, breach, Priority::Critical));
            }
            let permitted = self.lockouts.permitted(&position.contract, &position.symbol, now, |_| true);
            let Some((lockout, permitted)) = permitted else { continue };
            let allowed =
                if permitted.same_side(position.exposure) { permitted.size() } else { Contracts::ZERO };
            if self.remaining(holding).size() > allowed {
                let held = position.exposure.size();
                let breach = if was_spared(lockout, &position.contract, held) {
                    lockout.breach.clone()
                } else {
                    breach(lockout, fresh, Some(&position.symbol), allowed, held)
                };
                let want = Want::new(lockout.key.rule, breach, priority(lockout.kind)).down_to(allowed);
                wants.reduce(&position.contract, want);
            }
        }
        self.gate_orders(fresh, now, wants);
    }

    fn gate_orders(&self, fresh: &[LockKey], now: Instant, wants: &mut Wants) {
        if self.engaged.is_flattening() || wants.flatten.is_some() {
            return;
        }
        for order in self.working_orders().map(|known| &known.order) {
            // What protects a position from us is made to fit by us: it is no entry of anybody.
            let protects = order.is_own() && order.side.reduces(self.exposure(&order.contract));
            if protects || !self.is_cancellable(order) || !self.is_entry(order) {
                continue;
            }
            let permitted = self.lockouts.permitted(&order.contract, &order.symbol, now, |it| {
                // What worked when the hours ended may be kept; a new entry never is (specification A.5).
                it.key.rule != RuleKey::SessionBlockOutside
                    || self.sessions.cancel_orders()
                    || order.created_at > it.since
            });
            let Some((lockout, permitted)) = permitted else { continue };
            let would_hold = self.exposure(&order.contract) + order.would_add();
            let allowed = if permitted.same_side(would_hold) { permitted.size() } else { Contracts::ZERO };
            let breach = breach(lockout, fresh, Some(&order.symbol), allowed, would_hold.size());
            let want = Want::new(lockout.key.rule, breach, priority(lockout.kind));
            match self.fitting(order, wants) {
                None => wants.cancel(&order.id, want),
                Some(size) if size < order.size && !self.tells_two_stories(now) => {
                    wants.shrink(&order.id, want.down_to(size));
                }
                Some(_) => {}
            }
        }
    }

    /// The size at which an order on the exit side does nothing but close: only its excess is an entry
    /// (specification A.1). `None` where nothing stays that it would close, or it can't be made smaller; a
    /// stop is never given up for that: until the position is gone, it may be all that protects it.
    fn fitting(&self, order: &Order, wants: &Wants) -> Option<Contracts> {
        let holding = self.positions.get(&order.contract)?;
        let held = holding.position.exposure;
        if !order.side.reduces(held) {
            return None;
        }
        let planned = wants.planned.get(&order.contract);
        let is_closing =
            self.remaining(holding).is_flat() || planned.is_some_and(|to| *to == Contracts::ZERO);
        let is_given_up = is_closing || self.quiet_changes.contains_key(&order.id);
        let filled = order.filled.max(self.ledger.executed(&order.id));
        (order.kind.is_stop() || !is_given_up).then(|| filled + held.size())
    }

    /// Whether an execution may be told in part only: an order that is just filling would lose its rest.
    fn tells_two_stories(&self, now: Instant) -> bool {
        self.disagree_since.is_some_and(|since| now < since + DISAGREE_FOR)
    }

    /// Market orders are filling, suspended children go with their parent, and what is being cancelled
    /// is being cancelled (ruling 22).
    pub(crate) fn is_cancellable(&self, order: &Order) -> bool {
        order.status.covers() && order.kind != OrderKind::Market && !self.engaged.is_ending(&order.id)
    }
}

/// Whether a position is what stood when a session ended: its grace is over, nobody traded in spite of
/// the record.
fn was_spared(lockout: &Lockout, contract: &ContractId, held: Contracts) -> bool {
    let kept = lockout.baseline.get(contract).map_or(Contracts::ZERO, |kept| kept.size());
    lockout.grace_ends().is_some() && held <= kept
}

fn breach(
    lockout: &Lockout,
    fresh: &[LockKey],
    symbol: Option<&Symbol>,
    permitted: Contracts,
    held: Contracts,
) -> Breach {
    if fresh.contains(&lockout.key) {
        return lockout.breach.clone();
    }
    Breach::WhileLocked {
        rule: lockout.key.rule,
        kind: lockout.kind,
        symbol: symbol.cloned(),
        permitted,
        held,
    }
}

pub(crate) fn priority(kind: LockKind) -> Priority {
    match kind {
        LockKind::Hard => Priority::Critical,
        LockKind::Timer => Priority::High,
        LockKind::Symbol => Priority::Medium,
    }
}
