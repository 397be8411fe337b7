//! Executions as RULE-006 and RULE-007 see them: what counts as one trade, what one closing order
//! brought, and which of it is news. Both fire on news only, never because they are asked again
//! (ruling 10).

use std::collections::BTreeMap;

use chrono::TimeDelta;
use domain::{
    ContractId, Exposure, Fill, Instant, OrderId, RuleKey, TradeId, Usd, breach::TradeWindow,
    memory::KnownFill, rulebook::TradeCount,
};

use crate::{account::AccountState, ledger::Learned};

/// A fill that was learned and is not judged yet.
#[derive(Clone, Debug)]
pub(crate) struct News {
    pub fill: TradeId,
    /// Not known at all before, rather than corrected.
    pub new: bool,
    /// The rule whose close it comes from.
    pub by: Option<RuleKey>,
}

/// One trade of the trader, as RULE-006 counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Trade {
    /// When.
    pub at: Instant,
    /// Everything that makes it one was learned since the rules were last asked.
    pub is_news: bool,
}

/// What one closing order has brought so far, fill by fill.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Closing {
    /// Time of each fill and the order's result up to it.
    pub results: Vec<(Instant, Usd)>,
    /// The first of these fills that is news.
    pub news_from: Instant,
}

/// A fill and what was held of its contract around it.
struct Turn<'a> {
    known: &'a KnownFill,
    before: Exposure,
    after: Exposure,
}

impl Turn<'_> {
    /// It opened or enlarged exposure, or turned it to the other side.
    fn enters(&self) -> bool {
        !self.after.is_flat()
            && (!self.after.same_side(self.before) || self.after.size() > self.before.size())
    }

    /// It ended a position.
    fn ends_position(&self) -> bool {
        !self.before.is_flat() && !self.after.same_side(self.before)
    }

    /// The trader's own, and not consumed by a lockout.
    fn counts(&self) -> bool {
        !self.known.own && !self.known.locked
    }
}

/// Length of a rolling window; `None` for the trading day.
#[must_use]
pub(crate) fn length(window: TradeWindow) -> Option<TimeDelta> {
    match window {
        TradeWindow::PerMinute => Some(TimeDelta::seconds(60)),
        TradeWindow::PerHour => Some(TimeDelta::seconds(3600)),
        TradeWindow::PerSession => None,
    }
}

/// One trade for each order, in the order of their times, where one of its fills qualifies.
fn by_order<'a>(
    fills: impl Iterator<Item = (&'a KnownFill, bool)>,
    is_news: impl Fn(&KnownFill) -> bool,
) -> Vec<Trade> {
    let mut fills: Vec<(&KnownFill, bool)> = fills.collect();
    // Stable: the fills of one order stay in the order of their times.
    fills.sort_by(|(one, _), (other, _)| one.fill.order.cmp(&other.fill.order));
    let orders = fills.chunk_by(|(one, _), (other, _)| one.fill.order == other.fill.order);
    let trade = |fills: &[(&KnownFill, bool)]| {
        let (first, _) = fills.first()?;
        let mut counted = fills.iter().filter(|(_, qualifies)| *qualifies).peekable();
        counted.peek()?;
        Some(Trade { at: first.fill.at, is_news: counted.all(|(known, _)| is_news(known)) })
    };
    let mut trades: Vec<Trade> = orders.filter_map(trade).collect();
    trades.sort_unstable();
    trades
}

impl AccountState {
    /// Keeps a fill in mind until the rules are asked.
    pub(crate) fn note_fill(&mut self, fill: &Fill, learned: Learned, by: Option<RuleKey>) {
        if !fill.voided {
            self.news.push(News { fill: fill.id.clone(), new: learned == Learned::New, by });
        }
    }

    /// The trader's trades of the day and of the hour before it, in the order of their times.
    #[must_use]
    pub fn trades(&self, count: TradeCount) -> Vec<Trade> {
        let is_news = |known: &KnownFill| self.news.iter().any(|it| it.new && it.fill == known.fill.id);
        match count {
            TradeCount::Orders => {
                let counts = self.ledger.in_order().filter(|known| !known.own && !known.locked);
                by_order(counts.map(|known| (known, true)), is_news)
            }
            TradeCount::Entries => {
                let turns = self.turns();
                let counts = turns.iter().filter(|turn| turn.counts());
                by_order(counts.map(|turn| (turn.known, turn.enters())), is_news)
            }
            TradeCount::RoundTurns => {
                let turns = self.turns();
                let ends = turns.iter().filter(|turn| turn.counts() && turn.ends_position());
                ends.map(|turn| Trade { at: turn.known.fill.at, is_news: is_news(turn.known) }).collect()
            }
        }
    }

    /// Results of the closing orders that are news; those that `except` made itself are left out.
    #[must_use]
    pub(crate) fn closings(&self, except: RuleKey) -> Vec<Closing> {
        let news = self.news.iter().filter(|it| it.by != Some(except));
        let fills = news.filter_map(|it| self.ledger.known(&it.fill)).map(|known| &known.fill);
        let mut first: BTreeMap<&OrderId, Instant> = BTreeMap::new();
        for fill in fills.filter(|fill| fill.pnl.is_some() && !fill.voided) {
            first.entry(&fill.order).and_modify(|at| *at = fill.at.min(*at)).or_insert(fill.at);
        }
        let of = |order: &OrderId| {
            let closing = self.ledger.in_order().map(|known| &known.fill).filter(|fill| fill.order == *order);
            let results = closing.filter_map(|fill| Some((fill.at, fill.pnl?)));
            results
                .scan(Usd::ZERO, |sum, (at, pnl)| {
                    *sum += pnl;
                    Some((at, *sum))
                })
                .collect()
        };
        first.into_iter().map(|(order, news_from)| Closing { results: of(order), news_from }).collect()
    }

    /// All fills with what was held around them: what the fills say is held now, taken back fill by fill.
    fn turns(&self) -> Vec<Turn<'_>> {
        let mut held: BTreeMap<&ContractId, Exposure> =
            self.book.iter().map(|(contract, exposure)| (contract, *exposure)).collect();
        let fills = self.ledger.in_order().rev();
        let mut turns: Vec<Turn<'_>> = fills
            .map(|known| {
                let fill = &known.fill;
                let after = held.entry(&fill.contract).or_default();
                let before = *after + -Exposure(fill.side.sign() * i64::from(fill.size.0));
                Turn { known, before, after: std::mem::replace(after, before) }
            })
            .collect();
        turns.reverse();
        turns
    }
}
