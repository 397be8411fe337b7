//! A break that is due begins, and lasts as long as it should (RULE-006, RULE-007). Where the engine may
//! take an execution for its own, or may have been forbidding it, it counts for nothing here.

use std::collections::{BTreeMap, BTreeSet};

use chrono::TimeDelta;
use domain::{
    AccountId, Action, ContractId, Deed, Exposure, Fill, Instant, LockKind, OrderId, RuleKey, TradeId, Usd,
    breach::TradeWindow,
    rulebook::{FrequencyWindow, TradeCount},
};

use super::{
    Law, Scene,
    debts::{Answers, Debts},
    locks::CLOCK_SLACK,
};
use crate::{happening::Happening, sight::Seen};

/// A close takes executions of its contract for its own for so long.
const CLAIMS_FOR: TimeDelta = TimeDelta::seconds(75);
/// The longest rolling window.
const KEPT: TimeDelta = TimeDelta::hours(1);
/// Trades that are so near to the edge of a window are left out.
const EDGE: TimeDelta = TimeDelta::seconds(2);

/// The law.
#[derive(Debug, Default)]
pub(super) struct Breaks {
    debts: Debts<Due>,
    accounts: BTreeMap<AccountId, Past>,
    /// What is due, until when, and the executions that make it so.
    due: BTreeMap<Due, (Instant, Vec<TradeId>)>,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Due {
    account: AccountId,
    rule: RuleKey,
    cause: String,
    order: OrderId,
}

/// What is known of an account.
#[derive(Debug, Default)]
struct Past {
    held: BTreeMap<ContractId, Exposure>,
    /// What closing orders have brought so far.
    results: BTreeMap<OrderId, Usd>,
    counted: BTreeSet<OrderId>,
    /// Trades that may still turn out not to count.
    fresh: Vec<Trade>,
    trades: Vec<Trade>,
    locked: Option<Instant>,
    cooled: Option<Instant>,
    /// When a close of ours was last decided; for every contract without one.
    closed: BTreeMap<Option<ContractId>, Instant>,
}

#[derive(Clone, Debug)]
struct Trade {
    id: TradeId,
    order: OrderId,
    contract: ContractId,
    at: Instant,
}

impl Law for Breaks {
    fn name(&self) -> &'static str {
        "a break that is due begins"
    }

    fn watch(&mut self, scene: &Scene<'_>) -> Result<(), String> {
        for happening in scene.happened {
            match happening {
                Happening::Decided(Action::Enforce(it)) => self.acted(&it.account, &it.deed, scene.now),
                Happening::Filled { fill, own } => self.filled(fill, *own, scene),
                Happening::Decided(_)
                | Happening::Began
                | Happening::Ended
                | Happening::Link(_)
                | Happening::Read(_)
                | Happening::Replied(_)
                | Happening::Asked(_)
                | Happening::Kept(_)
                | Happening::Told
                | Happening::Starved
                | Happening::Arrived(_) => {}
            }
        }
        for seen in &scene.sight.accounts {
            self.note_locks(seen, scene);
            self.count_trades(seen, scene);
        }
        let wrong = self.overdue(scene);
        if scene.process.is_none() {
            return Ok(());
        }
        self.debts.update(wrong, scene)
    }

    fn answers(&self) -> Answers {
        self.debts.answers()
    }
}

impl Breaks {
    fn acted(&mut self, account: &AccountId, deed: &Deed, now: Instant) {
        let contract = match deed {
            Deed::Reduce { contract, .. } => Some(contract.clone()),
            Deed::Flatten => None,
            Deed::Cancel { .. } | Deed::Shrink { .. } | Deed::Place { .. } | Deed::Modify { .. } => return,
        };
        let past = self.accounts.entry(account.clone()).or_default();
        past.fresh.retain(|trade| contract.as_ref().is_some_and(|it| *it != trade.contract));
        past.closed.insert(contract, now);
    }

    fn filled(&mut self, fill: &Fill, own: bool, scene: &Scene<'_>) {
        let past = self.accounts.entry(fill.account.clone()).or_default();
        let held = past.held.entry(fill.contract.clone()).or_default();
        let before = *held;
        let after = before + Exposure(fill.side.sign() * i64::from(fill.size.0));
        *held = after;
        if own || scene.process.is_none() || past.is_claimed(fill) {
            return;
        }
        if let Some((due, until)) = past.lost(fill, scene) {
            let known = self.due.entry(due).or_insert_with(|| (until, Vec::new()));
            known.0 = known.0.max(until);
            known.1.push(fill.id.clone());
        }
        let is_sure = scene.answering.is_orderly(scene.now);
        let turned = !after.same_side(before);
        let counts = match scene.rules(&fill.account).trade_frequency_limit.settings.count {
            TradeCount::Orders => !past.counted.contains(&fill.order),
            TradeCount::Entries => {
                let enters = !after.is_flat() && (turned || after.size() > before.size());
                is_sure && enters && !past.counted.contains(&fill.order)
            }
            TradeCount::RoundTurns => is_sure && turned && !before.is_flat(),
        };
        if counts && past.locked.is_none_or(|at| at + CLOCK_SLACK < fill.at) {
            past.counted.insert(fill.order.clone());
            let (id, order, contract) = (fill.id.clone(), fill.order.clone(), fill.contract.clone());
            past.fresh.push(Trade { id, order, contract, at: fill.at });
        }
    }

    /// What is executed while a lockout is in force is no trade, and what is told then is not judged.
    fn note_locks(&mut self, seen: &Seen, scene: &Scene<'_>) {
        let past = self.accounts.entry(seen.id.clone()).or_default();
        past.held = seen.held.iter().map(|(it, held)| (it.clone(), held.position.exposure)).collect();
        let account = scene.process.and_then(|process| process.core.engine().account(&seen.id));
        let Some(account) = account else {
            past.fresh.clear();
            return;
        };
        let locks = account.lockouts();
        let wide = locks.account_wide();
        if wide.is_some() {
            past.locked = Some(scene.now);
            past.fresh.clear();
        }
        if locks.iter().any(|it| it.key.rule == RuleKey::CooldownAfterLoss) {
            past.cooled = Some(scene.now);
        }
        self.due.retain(|due, (until, _)| {
            let is_there = |it: &domain::Lockout| {
                let is_it = it.key.rule == due.rule && it.key.cause == due.cause;
                is_it && it.end.at().is_some_and(|end| end + CLOCK_SLACK >= *until)
            };
            let any_kind_covers = due.rule == RuleKey::TradeFrequencyLimit;
            let rests = if any_kind_covers { wide.is_some() } else { wide == Some(LockKind::Hard) };
            due.account != seen.id || !(rests || locks.iter().any(is_there))
        });
    }

    /// Trades that have become sure are counted in every window that ends with one of them.
    fn count_trades(&mut self, seen: &Seen, scene: &Scene<'_>) {
        let Some(past) = self.accounts.get_mut(&seen.id) else { return };
        let sure: Vec<Trade> = past.fresh.extract_if(.., |it| it.at + CLOCK_SLACK < scene.now).collect();
        if sure.is_empty() {
            return;
        }
        let today = scene.sight.day_of(scene.now);
        past.trades.retain(|it| it.at + KEPT >= scene.now || scene.sight.day_of(it.at) == today);
        for last in sure {
            past.trades.push(last.clone());
            if !scene.enforces(&seen.id, RuleKey::TradeFrequencyLimit) {
                continue;
            }
            for (window, length, values) in windows(scene, &seen.id) {
                let is_within = |it: &&Trade| match length {
                    Some(length) => last.at - it.at < length - EDGE,
                    None => scene.sight.day_of(it.at) == today && scene.sight.day_of(last.at) == today,
                };
                let counted = past.trades.iter().filter(is_within).map(|it| it.id.clone());
                let counted: Vec<TradeId> = counted.filter(|it| !is_void(seen, it)).collect();
                if values.limit.is_some_and(|limit| counted.len() >= limit as usize) {
                    let until = last.at + TimeDelta::seconds(values.cooldown_seconds.into());
                    let (account, order) = (seen.id.clone(), last.order.clone());
                    let (rule, cause) = (RuleKey::TradeFrequencyLimit, window.key().to_string());
                    self.due.insert(Due { account, rule, cause, order }, (until, counted));
                }
            }
        }
    }

    /// What is due and not there.
    fn overdue(&mut self, scene: &Scene<'_>) -> Vec<(Due, Instant)> {
        let today = scene.sight.day_of(scene.now);
        self.due.retain(|due, (until, fills)| {
            let seen = scene.sight.account(&due.account);
            let is_of_today = |it: &TradeId| {
                seen.and_then(|seen| seen.fills.get(it))
                    .is_some_and(|(fill, _)| !fill.voided && scene.sight.day_of(fill.at) == today)
            };
            *until > scene.now && fills.iter().all(is_of_today)
        });
        let wrong = |due: &Due| (due.clone(), self.debts.met(due).unwrap_or(scene.now));
        self.due.keys().map(wrong).collect()
    }
}

impl Past {
    /// Whether the engine may take an execution for one of its own closes.
    fn is_claimed(&self, fill: &Fill) -> bool {
        [None, Some(fill.contract.clone())]
            .iter()
            .any(|contract| self.closed.get(contract).is_some_and(|at| *at + CLAIMS_FOR > fill.at))
    }

    /// The break that a losing order makes due.
    fn lost(&mut self, fill: &Fill, scene: &Scene<'_>) -> Option<(Due, Instant)> {
        let sum = self.results.entry(fill.order.clone()).or_default();
        *sum += fill.pnl?;
        let tiers = &scene.rules(&fill.account).cooldown_after_loss.settings.tiers;
        let depth = tiers.iter().filter(|tier| *sum <= tier.loss).count();
        let tier = tiers.get(depth.checked_sub(1)?)?;
        let cools = self.cooled.is_some_and(|at| at + CLOCK_SLACK >= fill.at);
        if cools || !scene.enforces(&fill.account, RuleKey::CooldownAfterLoss) {
            return None;
        }
        let (account, order) = (fill.account.clone(), fill.order.clone());
        let due = Due { account, rule: RuleKey::CooldownAfterLoss, cause: String::new(), order };
        Some((due, fill.at + TimeDelta::seconds(tier.cooldown_seconds.into())))
    }
}

fn is_void(seen: &Seen, trade: &TradeId) -> bool {
    seen.fills.get(trade).is_none_or(|(fill, _)| fill.voided)
}

fn windows(scene: &Scene<'_>, account: &AccountId) -> [(TradeWindow, Option<TimeDelta>, FrequencyWindow); 3] {
    let settings = &scene.rules(account).trade_frequency_limit.settings;
    [
        (TradeWindow::PerMinute, Some(TimeDelta::minutes(1)), settings.per_minute),
        (TradeWindow::PerHour, Some(TimeDelta::hours(1)), settings.per_hour),
        (TradeWindow::PerSession, None, settings.per_session),
    ]
}
