//! RULE-010's watch over connection, login and permission to trade: who is told, when, and with which
//! open positions (specification B.10). Closes nothing; the lock on permission is the rule's own.

use std::collections::BTreeMap;

use chrono::TimeDelta;
use domain::{
    AccountId, Action, Alert, Event, Instant, Link, Notice, OpenPosition, Part, Question, RuleMode, Rulebook,
    Severity, Trouble,
    rulebook::{AuthLossGuard, Entry},
};

use crate::{
    Engine,
    account::AccountState,
    outage::{News, Outage},
    schedule::{Deadline, Why},
};

/// The watch over what all accounts share.
#[derive(Clone, Debug, Default)]
pub(crate) struct Vigil {
    things: BTreeMap<Thing, Lost>,
    /// When the user stream came back; it counts once the accounts were read again after that.
    user_back: Option<Instant>,
    /// When the accounts were last asked for.
    polled: Option<Instant>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Thing {
    Connection(Part),
    Login,
}

impl Thing {
    const ALL: [Self; 4] = [
        Self::Connection(Part::UserStream),
        Self::Connection(Part::MarketStream),
        Self::Connection(Part::Session),
        Self::Login,
    ];
}

#[derive(Clone, Debug, Default)]
struct Lost {
    outage: Outage,
    why: String,
}

/// How the accounts want to be told.
#[derive(Clone, Copy, Debug)]
struct Wish {
    every: TimeDelta,
    severity: Severity,
    is_told: bool,
}

impl Thing {
    fn trouble(self, why: &str) -> Trouble {
        let why = why.to_string();
        match self {
            Self::Connection(part) => Trouble::ConnectionLost { part, why },
            Self::Login => Trouble::AuthFailed { why },
        }
    }
}

impl Engine {
    /// Whether people are told of a trouble that all accounts share.
    #[must_use]
    pub fn tells_of(&self, trouble: &Trouble) -> bool {
        match trouble {
            Trouble::ConnectionLost { part, .. } => self.wish(Thing::Connection(*part)).is_told,
            Trouble::AuthFailed { .. } => self.wish(Thing::Login).is_told,
            Trouble::CanTradeFalse => false,
        }
    }

    /// Takes a change of the connection.
    pub(crate) fn watch_link(&mut self, link: &Link, out: &mut Vec<Action>) {
        match link {
            Link::UserDown { why } => {
                let user = Thing::Connection(Part::UserStream);
                if let Some(up) = self.vigil.user_back.take() {
                    // Up, but gone again before the accounts were read: nobody was told that it was back.
                    self.vigil.things.entry(user).or_default().outage.back(up);
                }
                self.lost(user, why, out);
            }
            Link::MarketDown { why } => self.lost(Thing::Connection(Part::MarketStream), why, out),
            Link::LoginFailed { why } => self.lost(Thing::Connection(Part::Session), why, out),
            Link::LoginRefused { why } => self.lost(Thing::Login, why, out),
            Link::UserUp => self.vigil.user_back = Some(self.now),
            Link::MarketUp => self.back(Thing::Connection(Part::MarketStream), self.now, out),
            Link::LoggedIn => {
                self.back(Thing::Connection(Part::Session), self.now, out);
                self.back(Thing::Login, self.now, out);
            }
        }
    }

    /// The user stream is back once every account has been read again and judged.
    pub(crate) fn settle_link(&mut self, out: &mut Vec<Action>) {
        let Some(up) = self.vigil.user_back else { return };
        let is_read = |account: &AccountState| account.read.is_some_and(|at| at >= up);
        if self.accounts.values().filter(|account| account.known).all(is_read) {
            self.vigil.user_back = None;
            self.back(Thing::Connection(Part::UserStream), up, out);
        }
    }

    /// Tells again of what lasts or has flapped, and asks for the accounts from time to time.
    pub(crate) fn keep_vigil(&mut self, event: &Event, out: &mut Vec<Action>) {
        let presses = self.accounts.values().any(|account| !account.positions.is_empty());
        for thing in Thing::ALL {
            if self.vigil.things.get(&thing).is_none_or(|it| it.outage.is_quiet()) {
                continue;
            }
            let (every, now) = (self.wish(thing).every, self.now);
            let news = self.vigil.things.get_mut(&thing).and_then(|it| it.outage.pass(now, every, presses));
            self.tell_trouble(thing, news, out);
        }
        for account in self.accounts.values_mut().filter(|account| !account.permission.is_quiet()) {
            let (wish, now) = (permission_wish(&self.rulebook, &account.id), self.now);
            let presses = !account.positions.is_empty();
            let news = account.permission.pass(now, wish.every, presses);
            account.tell_permission(news, wish, out);
        }
        if *event == Event::Tick {
            self.poll_accounts(out);
        }
    }

    /// When there is more to tell.
    pub(crate) fn vigil_deadline(&self) -> Option<Deadline> {
        let presses = self.accounts.values().any(|account| !account.positions.is_empty());
        let shared = self
            .vigil
            .things
            .iter()
            .filter_map(|(thing, it)| it.outage.due(self.wish(*thing).every, presses));
        let own = self.accounts.values().filter_map(|account| {
            let every = permission_wish(&self.rulebook, &account.id).every;
            account.permission.due(every, !account.positions.is_empty())
        });
        shared.chain(own).min().map(|at| Deadline { at, why: Why::TroubleDue })
    }

    fn lost(&mut self, thing: Thing, why: &str, out: &mut Vec<Action>) {
        let every = self.wish(thing).every;
        let lost = self.vigil.things.entry(thing).or_default();
        lost.why = why.to_string();
        let news = lost.outage.gone(self.now, every);
        self.tell_trouble(thing, news, out);
    }

    fn back(&mut self, thing: Thing, until: Instant, out: &mut Vec<Action>) {
        let news = self.vigil.things.get_mut(&thing).and_then(|lost| lost.outage.back(until));
        self.tell_trouble(thing, news, out);
    }

    fn tell_trouble(&self, thing: Thing, news: Option<News>, out: &mut Vec<Action>) {
        let (wish, why) = (self.wish(thing), self.vigil.things.get(&thing).map_or("", |it| it.why.as_str()));
        let Some(news) = news.filter(|_| wish.is_told) else { return };
        let open = || self.accounts.values().flat_map(AccountState::named_positions).collect();
        let (severity, notice) = note(news, thing.trouble(why), wish.severity, open);
        out.push(Action::Alert(Alert { severity, account: None, notice }));
    }

    /// One voice for all accounts: as often and as loudly as the strictest of them wants. Before there is
    /// an account, the rules for all of them count.
    fn wish(&self, thing: Thing) -> Wish {
        let base = self.accounts.is_empty().then_some(&self.rulebook.base.auth_loss_guard);
        let entries = self.accounts.keys().map(|id| &self.rulebook.of(id).auth_loss_guard).chain(base);
        let wanted = || {
            entries.clone().filter(|entry| speaks(entry)).map(|entry| &entry.settings).filter(|guard| {
                match thing {
                    Thing::Connection(_) => guard.alert_on_disconnect,
                    Thing::Login => guard.alert_on_auth_failure,
                }
            })
        };
        let every = wanted().map(|guard| guard.alert_repeat_seconds).min();
        let loud = thing == Thing::Login || wanted().any(|guard| guard.log_as_error);
        // What nobody is told of is not due at every moment.
        let unsaid = || AuthLossGuard::default().alert_repeat_seconds;
        Wish {
            every: TimeDelta::seconds(every.unwrap_or_else(unsaid).into()),
            severity: if loud { Severity::Error } else { Severity::Warning },
            is_told: every.is_some(),
        }
    }

    /// Asks whether the accounts may still trade: the stream may have lost the message.
    fn poll_accounts(&mut self, out: &mut Vec<Action>) {
        let is_down = |thing| self.vigil.things.get(&thing).is_some_and(|it| it.outage.since().is_some());
        if is_down(Thing::Login) || is_down(Thing::Connection(Part::Session)) {
            return;
        }
        let entries = self.accounts.keys().map(|id| &self.rulebook.of(id).auth_loss_guard);
        let every = entries.filter(|it| it.enabled).map(|it| it.settings.check_interval_seconds).min();
        let Some(every) = every.map(|seconds| TimeDelta::seconds(seconds.into())) else { return };
        let last = *self.vigil.polled.get_or_insert(self.now);
        if self.now >= last + every {
            self.vigil.polled = Some(self.now);
            out.push(Action::Ask(Question::Accounts));
        }
    }
}

impl AccountState {
    /// Holds the broker's word on permission against what was known, and ends what waited for it.
    pub(crate) fn watch_permission(&mut self, rulebook: &Rulebook, now: Instant, out: &mut Vec<Action>) {
        let Some(can_trade) = self.info.as_ref().map(|info| info.can_trade) else { return };
        let wish = permission_wish(rulebook, &self.id);
        let news = match can_trade {
            true => self.permission.back(now),
            false => self.permission.gone(now, wish.every),
        };
        self.tell_permission(news, wish, out);
        if can_trade {
            for lockout in self.lockouts.take_permitted(now) {
                self.unlocked(lockout, domain::EndCause::Condition, out);
            }
        }
    }

    fn tell_permission(&self, news: Option<News>, wish: Wish, out: &mut Vec<Action>) {
        let Some(news) = news.filter(|_| wish.is_told) else { return };
        let open = || self.named_positions().collect();
        let (severity, notice) = note(news, Trouble::CanTradeFalse, wish.severity, open);
        self.alert(severity, notice, out);
    }

    fn named_positions(&self) -> impl Iterator<Item = OpenPosition> {
        self.holdings().map(|holding| OpenPosition {
            account: self.id.clone(),
            symbol: holding.position.symbol.clone(),
            exposure: holding.position.exposure,
        })
    }
}

fn permission_wish(rulebook: &Rulebook, account: &AccountId) -> Wish {
    let entry = &rulebook.of(account).auth_loss_guard;
    Wish {
        every: TimeDelta::seconds(entry.settings.alert_repeat_seconds.into()),
        severity: Severity::Error,
        is_told: speaks(entry) && entry.settings.alert_on_can_trade_false,
    }
}

/// A rule that only observes tells nobody.
fn speaks(entry: &Entry<AuthLossGuard>) -> bool {
    entry.enabled && entry.mode != RuleMode::Observe
}

fn note(
    news: News,
    trouble: Trouble,
    severity: Severity,
    open: impl FnOnce() -> Vec<OpenPosition>,
) -> (Severity, Notice) {
    match news {
        News::Gone { since, times } => (severity, Notice::Trouble { trouble, since, times, open: open() }),
        News::Back { since, until, times } => {
            let severity = if times > 1 { Severity::Warning } else { Severity::Info };
            (severity, Notice::TroubleOver { trouble, since, until, times })
        }
    }
}
