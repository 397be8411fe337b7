//! The gateway's whole behaviour without sockets, clock or threads: requests and hub messages go in with
//! the time, responses and frames come out. All faults, limits and the journal live here, so that
//! virtual and real time behave the same. The same settings and inputs give the same bytes.

mod account;
mod auth;
mod booking;
mod brackets;
mod catalogue;
mod change;
mod entry;
mod events;
mod faults;
mod http;
mod hub;
mod journal;
mod limits;
mod market;
mod matching;
mod order;
mod rest;
mod schedule;
mod stamp;
mod switch;
mod truth;

use chrono::TimeDelta;
use domain::Instant;
use rand::{RngExt, SeedableRng, rngs::StdRng};

pub use auth::TOKEN_LIFE_HOURS;
pub use faults::{Fault, FaultError, HubChoice, HubEnd, LONGEST_MS, PATH_FAULTS_LIMIT};
pub use http::{HttpRequest, HttpResponse, Method};
pub use hub::{CLIENT_MESSAGE_LIMIT, CONNECTIONS_LIMIT, ConnectionId, Frame, Hub, OUTGOING_LIMIT};
pub use journal::{Journal, Kind, Row};
pub use market::{QuoteUpdate, bars::BARS_LIMIT};
pub use truth::Truth;

use crate::settings::Settings;
use account::{Account, Trades};
use auth::Auth;
use catalogue::Catalogue;
use events::UserEvent;
use faults::Faults;
use hub::Hubs;
use market::Book;
use order::Orders;
use schedule::{Schedule, Task};

/// A simulated ProjectX gateway. Time never runs backwards: an earlier `now` counts as the latest one
/// seen.
#[derive(Debug)]
pub struct Gateway {
    settings: Settings,
    now: Instant,
    /// Chance in behaviour: delays, tokens, partial fills.
    rng: StdRng,
    /// Chance in what is only looked at: sizes in the depth of the market.
    paint: StdRng,
    catalogue: Catalogue,
    books: Vec<Book>,
    accounts: Vec<Account>,
    orders: Orders,
    trades: Trades,
    ids: Ids,
    auth: Auth,
    hubs: Hubs,
    faults: Faults,
    /// A user event that waits to be overtaken (fault `reorder_events`).
    held: Option<(Instant, UserEvent)>,
    journal: Journal,
    schedule: Schedule,
}

impl Gateway {
    /// A gateway at its first instant, which decides the front months; nothing is bought and nobody is
    /// logged in.
    #[must_use]
    pub fn new(settings: Settings, start: Instant) -> Self {
        let mut rng = StdRng::seed_from_u64(settings.seed);
        let catalogue = Catalogue::new(start);
        let books = catalogue
            .all()
            .iter()
            .map(|listing| Book::new(start, listing, StdRng::seed_from_u64(rng.random())))
            .collect();
        Self {
            now: start,
            paint: StdRng::seed_from_u64(rng.random()),
            auth: Auth::new(&mut rng),
            rng,
            catalogue,
            books,
            accounts: Account::several(&settings.accounts),
            orders: Orders::default(),
            trades: Trades::default(),
            ids: Ids::default(),
            hubs: Hubs::default(),
            faults: Faults::default(),
            held: None,
            journal: Journal::new(start, settings.journal_limit),
            schedule: Schedule::default(),
            settings,
        }
    }

    /// Lets everything happen that is due until `now`, each thing at its own time.
    pub fn advance(&mut self, now: Instant) {
        self.run_until(now);
    }

    /// When something happens by itself next, if ever.
    #[must_use]
    pub fn next_deadline(&self) -> Option<Instant> {
        let timer = self.hubs.next_due().map(|(at, ..)| at);
        [self.schedule.next_at(), timer].into_iter().flatten().min()
    }

    /// The frames that wait for a connection, in order. Nothing follows a `Close` or a `Reset`.
    pub fn outgoing(&mut self, connection: ConnectionId) -> Vec<Frame> {
        self.hubs.take(connection)
    }

    /// Connections for which frames wait.
    #[must_use]
    pub fn ready(&self) -> Vec<ConnectionId> {
        self.hubs.ready()
    }

    /// A socket ended; its subscriptions die with it.
    pub fn closed(&mut self, now: Instant, connection: ConnectionId) {
        self.run_until(now);
        self.hubs.forget(connection);
    }

    /// User name and API key of the one login.
    #[must_use]
    pub fn credentials(&self) -> (&str, &str) {
        (&self.auth.username, &self.auth.api_key)
    }

    /// The accounts' ids, in their order.
    #[must_use]
    pub fn account_ids(&self) -> Vec<i64> {
        self.accounts.iter().map(|account| account.id).collect()
    }

    /// The front contract of a root, by the exchange's or the vendor's name.
    #[must_use]
    pub fn front_contract(&self, root: &str) -> Option<&str> {
        let index = self.catalogue.front(root)?;
        Some(self.catalogue.listing(index).instrument.contract.as_str())
    }

    /// The name under which a token's requests are journalled.
    #[must_use]
    pub fn session_name(&self, token: &str) -> Option<String> {
        let number = self.auth.known(Some(token))?;
        self.auth.name(number).map(|name| name.to_string())
    }

    /// Pace of walks and scenarios.
    #[must_use]
    pub fn speed(&self) -> f64 {
        market::pace(self.settings.speed)
    }

    /// What was received and pushed so far.
    #[must_use]
    pub fn journal(&self) -> &Journal {
        &self.journal
    }

    /// The latest time seen.
    #[must_use]
    pub fn now(&self) -> Instant {
        self.now
    }

    /// Ends all hub connections as a server does that restarts: reconnecting is allowed.
    pub fn shut_down(&mut self, now: Instant) {
        self.run_until(now);
        self.drop_hub(HubChoice::Both, HubEnd::Close);
    }

    fn run_until(&mut self, now: Instant) {
        while let Some(next) = self.next_deadline().filter(|next| *next <= now) {
            self.now = self.now.max(next);
            match self.schedule.take_due(next) {
                Some(task) => self.perform(task),
                None => {
                    if let Some((_, id, due)) = self.hubs.next_due() {
                        self.tend(id, due);
                    }
                }
            }
        }
        self.now = self.now.max(now);
    }

    fn perform(&mut self, task: Task) {
        match task {
            Task::Step(contract) => self.step(contract),
            Task::Repeat(contract) => self.repeat_quote(contract),
            Task::Fill(order) => self.fill(order),
            Task::Reject(order) => self.end_order(order, projectx::wire::code::OrderStatus::Rejected),
            Task::Activate(order) => self.activate(order),
            Task::CancelSibling(order) => self.cancel_sibling(order),
            Task::AccountEcho(account) => self.tell_account(account),
            Task::ReleaseHeld => self.release_overdue(),
            Task::SilenceOver(hub) => self.end_silence(hub),
        }
    }

    fn plan_after(&mut self, delay: TimeDelta, task: Task) {
        self.schedule.plan(self.now + delay, task);
    }
}

/// Ids as they looked in 2026 (gateway reference 3.4 to 3.6), counted up.
#[derive(Debug)]
struct Ids {
    order: i64,
    trade: i64,
    position: i64,
}

impl Default for Ids {
    fn default() -> Self {
        Self { order: 3_300_000_416, trade: 2_950_000_730, position: 810_000_230 }
    }
}

impl Ids {
    fn order(&mut self) -> i64 {
        self.order += 1;
        self.order
    }

    fn trade(&mut self) -> i64 {
        self.trade += 1;
        self.trade
    }

    fn position(&mut self) -> i64 {
        self.position += 1;
        self.position
    }
}
