//! The shell: puts the inner parts onto sockets and the clock, behind the two channels of
//! [`domain::broker`]. Everything runs in tasks that the [`Port`] owns and that end with it.

mod calls;
mod clock;
mod dial;
#[cfg(test)]
mod encrypted;
mod http;
mod keeper;
mod line;
mod outlet;
#[cfg(test)]
mod script;
mod session;
mod settings;
mod told;

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use domain::{
    Account,
    broker::{Answer, Ask, Call, CallError, Class, LoginError, Stamped},
};
use tokio::{
    sync::{mpsc, watch},
    task::JoinSet,
    time::timeout,
};

pub use settings::{Settings, SettingsError};

use crate::{
    budget::{Budget, Cost},
    hub::{Topic, Which},
    rest::{self, Request, Response},
    session::{Credentials, Token},
};
use calls::{Calls, Queries, ROUTINE_TIMEOUT};
use clock::{Monotonic, system_time};
use dial::Sockets;
use http::{Http, Post};
use keeper::{Hints, Keeper, LOGIN_TIMEOUT};
use line::{Line, stopped};
use outlet::{CHANNEL_LIMIT, Outlet};
use session::Session;
use settings::Addresses;

/// Asks that wait to be taken up. When full, the asker waits; asks are taken up at once.
pub const ASK_LIMIT: usize = 64;

/// Connections are used at least so often, so that they stay open.
const WARM_EVERY: Duration = Duration::from_secs(25);

/// What keeping them open costs.
const WARM_COST: Cost = Cost { requests: 2, bars: 0 };

/// How long a shutdown waits for what is under way, and for its outcome to be received.
const SHUTDOWN_TIMEOUT: Duration = Duration::from_secs(5);
const TELL_TIMEOUT: Duration = Duration::from_secs(1);

/// A connected broker: calls go in, signals come out.
#[derive(Debug)]
pub struct Port {
    /// Calls. Each that is taken up is answered by exactly one [`domain::broker::Reply`] among the
    /// signals, except by a shutdown.
    pub asks: mpsc::Sender<Ask>,
    /// Facts, links, replies, in order. May be read slowly: facts wait, quotes are merged per contract.
    pub signals: mpsc::Receiver<Stamped>,
    /// The rest. Dropping it ends everything.
    pub control: Control,
}

/// What can be done to a connection beside asking.
#[derive(Debug)]
pub struct Control {
    http: Arc<Http>,
    credentials: watch::Sender<Credentials>,
    nudges: watch::Sender<u64>,
    stop: watch::Sender<bool>,
    outlet: Arc<Outlet>,
    tasks: JoinSet<()>,
    forwarding: JoinSet<()>,
}

impl Control {
    /// Tries now what waits for a later attempt, a refused login included; takes no pooled connection
    /// for good any more; lets live hubs prove themselves. For waking up, a change of network, and
    /// impatient people.
    pub fn retry_now(&self) {
        self.http.start_over();
        self.nudges.send_modify(|count| *count += 1);
    }

    /// How many signals wait to be received.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.outlet.waiting()
    }

    /// Ends the present session, if any, and logs in with these.
    pub fn use_credentials(&self, credentials: Credentials) {
        self.credentials.send_replace(credentials);
    }

    /// Ends everything: waits for calls under way for a bounded time, says farewell to the hubs. The
    /// session is left to expire: whether a logout ends the trader's own sessions as well is unknown
    /// (gateway reference 1.4).
    pub async fn shutdown(mut self) {
        self.stop.send_replace(true);
        end(&mut self.tasks, SHUTDOWN_TIMEOUT).await;
        self.outlet.finish();
        end(&mut self.forwarding, TELL_TIMEOUT).await;
    }
}

/// Connects, and stays connected until the [`Control`] is shut down or dropped, or nobody receives the
/// signals any more. Returns at once: what comes of it is told by [`domain::Link`] signals. A link that
/// was never up is down.
///
/// # Errors
/// Addresses that cannot be used, or no usable certificates on this system.
///
/// # Panics
/// Outside a tokio runtime.
pub fn connect(settings: &Settings) -> Result<Port, SettingsError> {
    let addresses = Addresses::of(settings)?;
    let tls = settings::tls(&addresses)?;
    let parts = Parts::new(Http::new(&addresses.rest, tls.clone())?);
    let (credentials, new_credentials) = watch::channel(settings.credentials.clone());
    let (nudges, nudged) = watch::channel(0);
    let (stop, stopping) = watch::channel(false);
    let (accounts, watched_accounts) = watch::channel(BTreeSet::new());
    let (contracts, watched_contracts) = watch::channel(BTreeSet::new());
    let (asks, asked) = mpsc::channel(ASK_LIMIT);
    let (told, signals) = mpsc::channel(CHANNEL_LIMIT);

    let mut tasks = JoinSet::new();
    let hints = Hints { credentials: new_credentials, nudges: nudged.clone() };
    tasks.spawn(until_stopped(stopping.clone(), parts.keeper(hints).run()));
    tasks.spawn(until_stopped(stopping.clone(), parts.clone().keep_warm()));
    let user = Sockets::new(addresses.user_hub, tls.clone());
    tasks.spawn(parts.line(Which::User, user, watched_accounts, &nudged, &stopping).run());
    let market = Sockets::new(addresses.market_hub, tls);
    tasks.spawn(parts.line(Which::Market, market, watched_contracts, &nudged, &stopping).run());
    tasks.spawn(Arc::new(parts.calls(accounts, contracts)).serve(asked, stopping));

    let mut forwarding = JoinSet::new();
    forwarding.spawn({
        let (outlet, stop) = (parts.outlet.clone(), stop.clone());
        async move {
            outlet.forward(told).await;
            stop.send_replace(true);
        }
    });
    let Parts { http, outlet, .. } = parts;
    let control = Control { http, credentials, nudges, stop, outlet, tasks, forwarding };
    Ok(Port { asks, signals, control })
}

/// Logs in and lists the accounts, once: for a form that tests credentials.
///
/// # Errors
/// A refusal of the login, or [`LoginError::Passing`] with what kept it from being tried to the end.
pub async fn probe(settings: &Settings) -> Result<Vec<Account>, LoginError> {
    let unusable = |error: SettingsError| LoginError::Passing(CallError::Unreachable(error.to_string()));
    let addresses = Addresses::of(settings).map_err(unusable)?;
    let tls = settings::tls(&addresses).map_err(unusable)?;
    let http = Http::new(&addresses.rest, tls).map_err(unusable)?;
    let token = rest::logged_in(&once(&http, &rest::log_in(&settings.credentials), None).await?)?;
    let plan = rest::plan(&Call::Accounts, system_time()).map_err(LoginError::Passing)?;
    let mut responses = Vec::new();
    for request in &plan.requests {
        responses.push(once(&http, request, Some(&token)).await?);
    }
    let answer = rest::finish(&Call::Accounts, &responses).map_err(LoginError::Passing)?;
    let Answer::Accounts(accounts) = answer else {
        return Err(LoginError::Passing(CallError::Protocol("no accounts".into())));
    };
    Ok(accounts)
}

async fn once(http: &Http, request: &Request, token: Option<&Token>) -> Result<Response, LoginError> {
    match timeout(LOGIN_TIMEOUT, http.post(request, token)).await {
        Ok(Ok(received)) => Ok(received.response),
        Ok(Err(error)) => Err(LoginError::Passing(error)),
        Err(_) => Err(LoginError::Passing(CallError::TimedOut(LOGIN_TIMEOUT))),
    }
}

async fn end(tasks: &mut JoinSet<()>, limit: Duration) {
    let ended = timeout(limit, async { while tasks.join_next().await.is_some() {} }).await;
    if ended.is_err() {
        tasks.shutdown().await;
    }
}

async fn until_stopped(mut stop: watch::Receiver<bool>, task: impl Future<Output = ()>) {
    tokio::select! {
        () = task => {}
        () = stopped(&mut stop) => {}
    }
}

/// What the tasks share.
#[derive(Clone)]
struct Parts {
    http: Arc<Http>,
    session: Arc<Session>,
    budget: Arc<Budget<Monotonic>>,
    outlet: Arc<Outlet>,
    queries: Arc<Queries>,
}

impl Parts {
    fn new(http: Http) -> Self {
        Self {
            http: Arc::new(http),
            session: Arc::new(Session::new()),
            budget: Arc::new(Budget::new(Monotonic)),
            outlet: Arc::default(),
            queries: Arc::default(),
        }
    }

    fn keeper(&self, hints: Hints) -> Keeper<Http> {
        let Self { http, session, budget, outlet, .. } = self.clone();
        Keeper::new(http, session, budget, outlet, hints)
    }

    fn line(
        &self,
        which: Which,
        dial: Sockets,
        wanted: watch::Receiver<BTreeSet<Topic>>,
        nudges: &watch::Receiver<u64>,
        stop: &watch::Receiver<bool>,
    ) -> Line<Sockets> {
        let Self { session, outlet, queries, .. } = self.clone();
        Line { which, dial, session, outlet, queries, wanted, nudges: nudges.clone(), stop: stop.clone() }
    }

    fn calls(
        &self,
        accounts: watch::Sender<BTreeSet<Topic>>,
        contracts: watch::Sender<BTreeSet<Topic>>,
    ) -> Calls<Http> {
        let Self { http, session, budget, outlet, queries } = self.clone();
        Calls::new(http, session, budget, outlet, queries, accounts, contracts)
    }

    async fn keep_warm(self) {
        loop {
            self.session.token_in_the_end().await;
            if self.budget.take(Class::Routine, WARM_COST).is_ok() {
                let _ = timeout(ROUTINE_TIMEOUT, self.http.warm()).await;
            }
            let _ = timeout(WARM_EVERY, self.http.cold()).await;
        }
    }
}
