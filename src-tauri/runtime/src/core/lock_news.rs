//! Which locks are still to be told: a new one, and one that ends at another time than people know. Waits a
//! moment for the close that goes with it, so that one message tells both.

use std::collections::BTreeMap;

use chrono::TimeDelta;
use domain::{AccountId, Instant, LockEnd, LockKey, Lockout, Memory, RuleKey, Symbol};
use views::text::note::{Beside, Locking};

/// A lock whose close is not seen to be done within this time is told before it is.
const TELL_WITHIN: TimeDelta = TimeDelta::milliseconds(1_500);

/// A lock that is to be told.
#[derive(Clone, Debug)]
pub(super) struct News {
    lockout: Lockout,
    since: Instant,
    is_extended: bool,
}

impl News {
    pub fn lockout(&self) -> &Lockout {
        &self.lockout
    }

    pub fn locking<'a>(&'a self, beside: &'a Beside) -> Locking<'a> {
        Locking { lockout: &self.lockout, is_extended: self.is_extended, beside }
    }
}

/// What is to be told, by account and symbol, and what people know.
#[derive(Debug, Default)]
pub(super) struct LockNews {
    waiting: BTreeMap<(AccountId, Option<Symbol>), News>,
    /// When people know, or are about to be told, that the active locks end.
    known: BTreeMap<LockKey, LockEnd>,
}

impl LockNews {
    /// After a start: an earlier run told the locks.
    pub fn restored(memory: &Memory) -> Self {
        let lockouts = memory.accounts.values().flat_map(|account| &account.lockouts);
        Self { known: lockouts.map(|it| (it.key.clone(), it.end)).collect(), ..Self::default() }
    }

    /// A lock began or changed; a lowered baseline alone is no news.
    pub fn take(&mut self, lockout: &Lockout, now: Instant) {
        let before = self.known.insert(lockout.key.clone(), lockout.end);
        if before == Some(lockout.end) {
            return;
        }
        let place = (lockout.key.account.clone(), lockout.key.symbol.clone());
        let ends = ends_at(lockout.end);
        let waiting = self.waiting.get(&place);
        // Of several locks at once, the one that lasts longest is told.
        if waiting.is_some_and(|it| ends_at(it.lockout.end) > ends) {
            return;
        }
        let is_untold = waiting.is_some_and(|it| it.lockout.key == lockout.key && !it.is_extended);
        let is_extended = !is_untold && before.is_some_and(|before| ends_at(before) < ends);
        self.waiting.insert(place, News { lockout: lockout.clone(), since: now, is_extended });
    }

    /// A lock ended.
    pub fn ended(&mut self, key: &LockKey) {
        self.known.remove(key);
    }

    /// The lock that goes with a flatten of an account, or with the close of a symbol by its rule.
    pub fn told_with(&mut self, account: &AccountId, symbol: Option<Symbol>, rule: RuleKey) -> Option<News> {
        let place = (account.clone(), symbol);
        let news = self.waiting.get(&place)?;
        let belongs = place.1.is_none() || news.lockout.key.rule == rule;
        if belongs { self.waiting.remove(&place) } else { None }
    }

    /// Those that wait no longer.
    pub fn due(&mut self, now: Instant) -> Vec<News> {
        let due = self.waiting.extract_if(.., |_, it| now >= it.since + TELL_WITHIN);
        due.map(|(_, news)| news).collect()
    }

    pub fn next_deadline(&self) -> Option<Instant> {
        self.waiting.values().map(|it| it.since + TELL_WITHIN).min()
    }
}

/// No known end is later than any.
fn ends_at(end: LockEnd) -> Instant {
    end.at().unwrap_or(Instant::MAX_UTC)
}

#[cfg(test)]
mod tests {
    use domain::{Breach, LockKind, TradingDay};

    use super::*;

    fn at(second: u32) -> Instant {
        format!("2025-10-29T15:{:02}:{:02}Z", second / 60, second % 60).parse().unwrap()
    }

    fn cooldown(until: u32) -> Lockout {
        Lockout {
            key: LockKey {
                account: "1".into(),
                rule: RuleKey::CooldownAfterLoss,
                symbol: None,
                cause: String::new(),
            },
            kind: LockKind::Timer,
            breach: Breach::CannotTrade,
            since: at(0),
            end: LockEnd::Time(at(until)),
            day: TradingDay::default(),
            baseline: BTreeMap::new(),
            exempt: [].into(),
        }
    }

    fn told(news: &mut LockNews, second: u32) -> Vec<(Option<Instant>, bool)> {
        news.due(at(second)).into_iter().map(|it| (it.lockout.end.at(), it.is_extended)).collect()
    }

    #[test]
    fn a_lock_is_told_when_it_begins_and_whenever_it_ends_later() {
        let mut news = LockNews::default();
        news.take(&cooldown(300), at(0));
        assert_eq!(told(&mut news, 2), [(Some(at(300)), false)]);
        news.take(&cooldown(300), at(60));
        assert_eq!(told(&mut news, 62), [], "only its baseline went down");
        news.take(&cooldown(1_020), at(120));
        assert_eq!(news.next_deadline(), Some(at(120) + TELL_WITHIN));
        assert_eq!(told(&mut news, 122), [(Some(at(1_020)), true)]);
    }

    #[test]
    fn what_nobody_was_told_of_begins_and_what_an_earlier_run_told_is_known() {
        let mut news = LockNews::default();
        news.take(&cooldown(300), at(0));
        news.take(&cooldown(1_020), at(1));
        assert_eq!(told(&mut news, 3), [(Some(at(1_020)), false)]);

        let account = domain::memory::AccountMemory { lockouts: vec![cooldown(300)], ..Default::default() };
        let memory = Memory { accounts: [("1".into(), account)].into(), ..Memory::default() };
        let mut news = LockNews::restored(&memory);
        news.take(&cooldown(300), at(60));
        assert_eq!(news.next_deadline(), None);
        news.ended(&cooldown(300).key);
        news.take(&cooldown(600), at(400));
        assert_eq!(told(&mut news, 402), [(Some(at(600)), false)], "another one");
    }

    #[test]
    fn a_symbol_is_told_with_a_close_of_its_own_rule() {
        let mut news = LockNews::default();
        let symbol = Some(Symbol::new("RTY"));
        let key = LockKey { rule: RuleKey::SymbolBlocks, symbol: symbol.clone(), ..cooldown(0).key };
        news.take(&Lockout { key, end: LockEnd::Config, ..cooldown(0) }, at(0));
        let mut with = |symbol, rule| news.told_with(&"1".into(), symbol, rule).is_some();
        assert!(!with(None, RuleKey::SymbolBlocks), "a flatten of the account is another matter");
        assert!(!with(symbol.clone(), RuleKey::MaxContracts));
        assert!(with(symbol, RuleKey::SymbolBlocks));
    }
}
