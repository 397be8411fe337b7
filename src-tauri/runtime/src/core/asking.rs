//! What is asked of the broker beside enforcements: accounts, readings, subscriptions, metadata.

use std::collections::{BTreeMap, BTreeSet};

use chrono::TimeDelta;
use domain::{
    Account, AccountId, ContractId, Event, Instant, Instrument, Link, Question, Symbol,
    broker::{Answer, Ask, Call, CallError, CallId, Class, Reply},
    products,
    rulebook::Watched,
};
use engine::QUOTES_LINGER;
use views::text::upkeep;

use super::{Core, Output, book::Known, telling::About};
use crate::executor::Floor;

/// Wait before the list of accounts is asked for again after a failure.
const ACCOUNTS_RETRY: TimeDelta = TimeDelta::seconds(2);
/// Wait before it is asked for again where there is nothing to watch yet.
const ACCOUNTS_AWAITED: TimeDelta = TimeDelta::seconds(60);
/// A question without answer for this long is put again.
const ANSWER_WITHIN: TimeDelta = TimeDelta::seconds(12);

/// Symbols of the settings that are searched for at the broker; further ones are taken on trust.
const MOST_SEARCHES: usize = 20;

/// What a call was for.
#[derive(Clone, Debug)]
pub(super) enum Purpose {
    Accounts,
    Reading(AccountId),
    Orders(AccountId, Instant),
    Instrument(ContractId),
    Search(Symbol),
    Listed(Symbol),
    Bar(ContractId),
    Watch,
    Quotes,
    Lookup,
}

/// The accounts of the login.
#[derive(Debug, Default)]
pub(super) struct Accounts {
    /// When the list is to be asked for; `None` while it is known and nothing changed.
    due: Option<Instant>,
    watched: Vec<AccountId>,
    /// Those that are shown by the platform and not watched.
    others: Vec<Account>,
    /// The broker took note of whom to watch.
    noted: bool,
    quotes: Vec<ContractId>,
    /// When each contract was last held or wanted.
    of_interest: BTreeMap<ContractId, Instant>,
    /// The broker took note of the quotes to subscribe.
    subscribed: bool,
}

impl Accounts {
    pub fn watched(&self) -> &[AccountId] {
        &self.watched
    }

    pub fn others(&self) -> &[Account] {
        &self.others
    }

    /// The list is wanted, unless it is being asked for already.
    fn ask(&mut self, now: Instant) {
        self.due.get_or_insert(now);
    }
}

impl Core {
    pub(super) fn link_changed(&mut self, link: &Link, now: Instant) {
        match link {
            Link::LoggedIn => {
                self.accounts.due = Some(now);
                self.listed.begin_anew();
            }
            Link::UserUp => self.reconciler.doubt(None, now),
            Link::UserDown { why } => {
                tracing::warn!(target: "daemon", "user stream lost: {why}");
                self.reconciler.doubt(None, now);
            }
            Link::MarketDown { why } => tracing::warn!(target: "daemon", "market stream lost: {why}"),
            Link::MarketUp | Link::LoginRefused { .. } => {}
            Link::LoginFailed { why } => tracing::warn!(target: "daemon", "login failed: {why}"),
        }
    }

    pub(super) fn send(&mut self, call: Call, purpose: Purpose) -> CallId {
        let id = self.ids.fresh();
        self.purposes.insert(id, purpose);
        let class = self.class_of(&call);
        self.batch.asks.push(Ask { id, class, call });
        id
    }

    /// What decides whether a position is closed does not wait behind what keeps up with the broker
    /// (ruling 19).
    fn class_of(&self, call: &Call) -> Class {
        let Call::WorkingOrders(account) = call else { return Class::Routine };
        let account = self.engine.account(account);
        let is_decisive = account.is_some_and(|it| it.stops().deadlines().any(|at| at <= self.engine.now()));
        if is_decisive { Class::Enforcement } else { Class::Routine }
    }

    /// Searches the broker's contracts for a person; the answer is an [`Output::Found`].
    ///
    /// # Errors
    /// There is nobody to ask.
    pub fn search(&mut self, text: String) -> Result<(CallId, Vec<Output>), String> {
        if !self.links.logged_in {
            return Err(format!("{} cannot be asked without a connection.", self.setting.broker));
        }
        let id = self.send(Call::SearchInstruments(text), Purpose::Lookup);
        Ok((id, self.take_outputs()))
    }

    /// Asks for the accounts of the login when it is time.
    pub(super) fn read_accounts(&mut self, now: Instant) {
        if self.links.logged_in && self.accounts.due.is_some_and(|due| due <= now) {
            self.accounts.due = Some(now + ANSWER_WITHIN);
            self.send(Call::Accounts, Purpose::Accounts);
        }
    }

    /// Reads the accounts that are due. Without the user stream nothing is read: what it would tell could
    /// not be kept up to date.
    pub(super) fn reconcile(&mut self, now: Instant) {
        if !self.links.user_up {
            return;
        }
        for account in self.reconciler.due(now) {
            let now = self.engine.now();
            let known = self.engine.account(&account).map(|account| account.fills_since(now));
            let fills_since = known.unwrap_or_else(|| self.engine.rulebook().reset.last_until(now));
            let call = Call::Snapshot { account: account.clone(), fills_since };
            let id = self.send(call, Purpose::Reading(account.clone()));
            self.reconciler.asked(&account, id, now);
        }
    }

    /// Quotes for everything that is held or wanted, whatever the configuration lists, and for what it lists.
    pub(super) fn subscribe_quotes(&mut self, now: Instant) {
        let of_interest = &mut self.accounts.of_interest;
        of_interest.extend(self.engine.contracts_of_interest().into_iter().map(|contract| (contract, now)));
        of_interest.retain(|_, last| now - *last < QUOTES_LINGER);
        let wanted: BTreeSet<ContractId> =
            of_interest.keys().chain(self.listed.contracts()).cloned().collect();
        let wanted: Vec<ContractId> = wanted.into_iter().collect();
        if self.links.logged_in && (wanted != self.accounts.quotes || !self.accounts.subscribed) {
            self.accounts.subscribed = true;
            self.accounts.quotes.clone_from(&wanted);
            self.send(Call::WatchQuotes(wanted), Purpose::Quotes);
        }
    }

    pub(super) fn ask_question(&mut self, question: Question, now: Instant) {
        match question {
            Question::Orders { account } => {
                self.send(Call::WorkingOrders(account.clone()), Purpose::Orders(account, now));
            }
            Question::Everything { account } => {
                self.contradicted(&account, now);
            }
            Question::Instrument { contract } => {
                self.send(Call::Instrument(contract.clone()), Purpose::Instrument(contract));
            }
            Question::LatestBar { contract } => {
                self.send(Call::LatestBar(contract.clone()), Purpose::Bar(contract));
            }
            Question::Accounts => self.accounts.ask(now),
        }
    }

    pub(super) fn replied(&mut self, received: Instant, reply: &Reply) {
        let now = self.time(received);
        self.barred.replied(reply);
        let known = Known { engine: &self.engine, reconciler: &self.reconciler, now };
        let mut floor = Floor { now, book: &known, ids: &mut self.ids };
        if let Some(effects) = self.executor.replied(reply, &mut floor) {
            let mut events = std::collections::VecDeque::new();
            self.take_effects(effects, now, &mut events);
            for event in events {
                self.step(now, event);
            }
            return;
        }
        let Some(purpose) = self.purposes.remove(&reply.id) else { return };
        match (purpose, &reply.result) {
            (Purpose::Accounts, Ok(Answer::Accounts(accounts))) => self.accounts_read(accounts, now),
            (Purpose::Accounts, result) => {
                self.accounts.due = Some(now + ACCOUNTS_RETRY);
                tracing::warn!(target: "daemon", "accounts could not be read: {}", failure(result));
            }
            (Purpose::Reading(account), result) => self.reading_done(&account, reply.id, result, now),
            (Purpose::Orders(account, asked_at), Ok(Answer::WorkingOrders(orders))) => {
                let orders = orders.clone();
                self.step(now, Event::Orders { account, orders, asked_at });
            }
            (Purpose::Orders(account, _), result) => {
                tracing::warn!(target: "daemon", %account, "orders could not be read: {}", failure(result));
                self.step(now, Event::Unanswered(Question::Orders { account }));
            }
            (Purpose::Instrument(_), Ok(Answer::Instrument(instrument))) => {
                self.step(now, Event::Instrument(instrument.clone()));
            }
            (Purpose::Instrument(contract), result) => {
                tracing::warn!(target: "daemon", %contract, "metadata could not be read: {}", failure(result));
                self.step(now, Event::Unanswered(Question::Instrument { contract }));
            }
            (Purpose::Listed(symbol), result) => self.listed_found(&symbol, result, now),
            (Purpose::Search(symbol), Ok(Answer::Instruments(found))) => {
                self.searched(&symbol, found, now);
            }
            (Purpose::Search(symbol), result) => {
                tracing::warn!(target: "daemon", %symbol, "could not be searched for: {}", failure(result));
            }
            (Purpose::Bar(contract), Ok(Answer::Bar { at, close })) => {
                let (at, close) = (*at, *close);
                self.step(now, Event::Bar { contract, at, close });
            }
            (Purpose::Bar(contract), result) => {
                tracing::warn!(target: "daemon", %contract, "no bar could be read: {}", failure(result));
                self.step(now, Event::Unanswered(Question::LatestBar { contract }));
            }
            (Purpose::Lookup, result) => {
                let found = match result {
                    Ok(Answer::Instruments(found)) => Ok(found.clone()),
                    other => Err(failure(other)),
                };
                self.batch.signs.push(Output::Found { search: reply.id, found });
            }
            (Purpose::Watch | Purpose::Quotes, Ok(_)) => {}
            (Purpose::Watch, result) => {
                self.accounts.noted = false;
                self.accounts.due = Some(now + ACCOUNTS_RETRY);
                tracing::warn!(target: "daemon", "the accounts cannot be watched: {}", failure(result));
            }
            (Purpose::Quotes, result) => {
                self.accounts.subscribed = false;
                tracing::warn!(target: "daemon", "a subscription failed: {}", failure(result));
            }
        }
    }

    fn accounts_read(&mut self, accounts: &[Account], now: Instant) {
        let watched: Vec<&Account> = accounts.iter().filter(|it| self.is_to_watch(it)).collect();
        if let Watched::Listed(listed) = &self.engine.rulebook().accounts {
            let missing = listed.iter().filter(|id| accounts.iter().all(|it| it.id != **id));
            let missing: Vec<String> = missing.map(ToString::to_string).collect();
            self.guard.missing_accounts(missing);
        }
        let others = accounts.iter().filter(|it| it.visible && !self.is_to_watch(it));
        self.accounts.others = others.cloned().collect();
        let ids: Vec<AccountId> = watched.iter().map(|it| it.id.clone()).collect();
        let facts: Vec<Account> = watched.into_iter().cloned().collect();
        // Told once: the list is read again from time to time.
        for account in facts.iter().filter(|it| !self.accounts.watched.contains(&it.id)) {
            tracing::info!(
                target: "daemon",
                checkpoint = 3,
                account = %account.id,
                name = account.name,
                can_trade = account.can_trade,
                simulated = ?account.simulated,
                "account connected"
            );
        }
        for account in facts {
            self.step(now, Event::Account(account));
        }
        if self.links.watched.is_none() {
            self.search_symbols();
        }
        self.links.watched = Some(ids.len());
        self.accounts.due = ids.is_empty().then(|| now + ACCOUNTS_AWAITED);
        // In another order they are the same accounts: the stream would have nothing new to confirm.
        let is_same = self.accounts.noted && self.reconciler.is_watching(&ids);
        self.accounts.watched.clone_from(&ids);
        if !is_same {
            self.accounts.noted = true;
            self.reconciler.watch(&ids, now);
            self.links.user_up = false;
            self.send(Call::Watch(ids), Purpose::Watch);
        }
    }

    /// Symbols of the settings that this product does not know itself: does the broker (specification B.2)?
    fn search_symbols(&mut self) {
        let rulebook = self.engine.rulebook();
        let rules = rulebook.own.values().chain([&rulebook.base]);
        let limits = rules.map(|rules| &rules.max_contracts_per_instrument).filter(|entry| entry.enabled);
        let named: BTreeSet<Symbol> = limits
            .flat_map(|entry| entry.settings.instrument_limits.keys())
            .filter(|symbol| products::find(symbol.as_str()).is_none())
            .take(MOST_SEARCHES)
            .cloned()
            .collect();
        for symbol in named {
            self.send(Call::SearchInstruments(symbol.to_string()), Purpose::Search(symbol));
        }
    }

    fn searched(&mut self, symbol: &Symbol, found: &[Instrument], now: Instant) {
        if !found.iter().any(|it| it.symbol == *symbol) {
            let note = upkeep::unknown_symbol(symbol.as_str(), &self.setting.broker);
            self.tell(note, About::all("unknown_symbol"), now);
        }
    }

    /// An account that the login got since its list was read, or one that was shown again.
    pub(super) fn account_told(&mut self, account: &Account, now: Instant) {
        let is_new = !self.accounts.watched.contains(&account.id) && self.is_to_watch(account);
        if is_new && self.links.watched.is_some() && self.accounts.due.is_none() {
            self.accounts.due = Some(now);
        }
    }

    fn is_to_watch(&self, account: &Account) -> bool {
        match &self.engine.rulebook().accounts {
            Watched::All => account.visible,
            Watched::Listed(ids) => ids.contains(&account.id),
        }
    }

    fn reading_done(
        &mut self,
        account: &AccountId,
        call: CallId,
        result: &Result<Answer, CallError>,
        now: Instant,
    ) {
        let asked = self.reconciler.account_of(call).map(|(_, asked)| asked);
        match (result, asked) {
            (Ok(Answer::Snapshot(snapshot)), Some(asked_at)) => {
                let mut snapshot = snapshot.clone();
                snapshot.asked_at = asked_at;
                self.step(now, Event::Snapshot(snapshot));
                self.reconciler.succeeded(account, now);
                self.finish_pending(account, now);
            }
            (_, None) => {}
            (result, Some(_)) => {
                let why = failure(result);
                tracing::warn!(target: "daemon", %account, "could not be read: {why}");
                self.reconciler.failed(account, why, now);
                // The login may have lost it.
                if result.as_ref().is_err_and(|error| !error.is_passing()) && self.accounts.due.is_none() {
                    self.accounts.due = Some(now);
                }
            }
        }
    }

    /// The first judged reading of all accounts is announced once.
    pub(super) fn announce(&mut self, protection: views::view::Protection) {
        self.batch.signs.push(Output::Protected(protection));
    }
}

fn failure(result: &Result<Answer, CallError>) -> String {
    match result {
        Ok(_) => "an answer to another question".to_string(),
        Err(error) => error.to_string(),
    }
}
