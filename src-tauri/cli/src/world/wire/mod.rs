//! The broker port in virtual time: the same inner parts of `projectx` as in the real one (plans, answers,
//! hubs, sessions, budget, back-off), driven by the world's queue instead of sockets and clocks.

mod calls;
mod line;
mod session;
mod weather;

use std::{collections::BTreeMap, collections::VecDeque, time::Instant as Monotonic};

use chrono::DateTime;
use domain::{
    Instant,
    broker::{Ask, CallError, CallId, Signal},
};
use governor::clock::FakeRelativeClock;
use projectx::{
    Credentials,
    budget::Budget,
    hub::Which,
    rest::{Request, Response},
};
use simulator::{ConnectionId, Frame, HttpRequest, HttpResponse, Method};

use crate::{host::Host, queue::Queue, world::Event};
use calls::Running;
pub(crate) use line::DialFailure;
use line::Line;
use session::Session;
pub(crate) use weather::{Fate, Weather};

/// A broker's port of one engine process.
#[derive(Debug)]
pub(crate) struct Port {
    session: Session,
    user: Line,
    market: Line,
    calls: BTreeMap<CallId, Running>,
    /// Routine calls that wait for the budget, in their order.
    turns: VecDeque<CallId>,
    quiet_until: Option<Monotonic>,
    budget: Budget<FakeRelativeClock>,
    budget_clock: FakeRelativeClock,
    budget_time: Monotonic,
    /// Counts the queries of the broker's state, as the real port does.
    queries: u64,
    /// What is to be told to the loop, with the moment at which it was heard.
    told: Vec<(Monotonic, Signal)>,
}

/// Which request an answer belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RequestKey {
    Login(u64),
    Renewal(u64),
    Call { call: CallId, index: usize, again: bool },
}

/// What comes to the port from outside.
#[derive(Debug)]
pub(crate) enum Knock {
    /// A request ended.
    Response { key: RequestKey, result: Result<Received, CallError> },
    /// An attempt to connect ended.
    Dialled { which: Which, dial: u64, result: Result<ConnectionId, DialFailure> },
    /// A frame of a hub.
    Frame { connection: ConnectionId, frame: Frame },
    /// A time has come.
    Timer(Timer),
}

/// Times that the port waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Timer {
    LogIn(u64),
    LoginLimit(u64),
    Renew(u64),
    CallLimit(CallId),
    Turn,
    Pause(Which, u64),
    Hub(Which, u64),
}

/// An answer with what its headers say.
#[derive(Clone, Debug)]
pub(crate) struct Received {
    pub response: Response,
    pub server_time: Option<Instant>,
}

/// What the port works with.
pub(crate) struct Net<'a> {
    pub now: Instant,
    pub life: u64,
    pub host: &'a Host,
    pub queue: &'a mut Queue<Event>,
    pub weather: &'a mut Weather,
}

impl Net<'_> {
    pub fn monotonic(&self) -> Monotonic {
        self.host.monotonic(self.now)
    }

    fn timer(&mut self, at: Monotonic, timer: Timer) {
        let at = self.host.when(at).max(self.now);
        self.queue.plan(at, Event::Knock { life: self.life, knock: Knock::Timer(timer) });
    }

    fn send(&mut self, key: RequestKey, request: &Request, token: Option<&str>) {
        let fate = self.weather.fate(self.now);
        let request = HttpRequest {
            method: Method::Post,
            path: request.path.to_string(),
            query: String::new(),
            authorization: token.map(|token| format!("Bearer {token}")),
            content_type: Some("application/json".to_string()),
            body: request.body.clone().into_bytes(),
        };
        let at = self.now + self.weather.way();
        self.queue.plan(at, Event::Request { life: self.life, key, request, fate });
    }
}

impl Port {
    /// A port that begins to log in.
    pub fn open(login: Credentials, net: &mut Net<'_>) -> Self {
        let clock = FakeRelativeClock::default();
        let mut port = Self {
            session: Session::new(login, net.monotonic()),
            user: Line::new(),
            market: Line::new(),
            calls: BTreeMap::new(),
            turns: VecDeque::new(),
            quiet_until: None,
            budget: Budget::new(clock.clone()),
            budget_clock: clock,
            budget_time: net.monotonic(),
            queries: 0,
            told: Vec::new(),
        };
        port.begin_session(net);
        port
    }

    /// Takes an ask; its reply is told later, or at once.
    pub fn ask(&mut self, ask: Ask, net: &mut Net<'_>) {
        self.set_budget_clock(net);
        self.take_ask(ask, net);
    }

    /// Takes what comes from outside.
    pub fn knocked(&mut self, knock: Knock, net: &mut Net<'_>) {
        self.set_budget_clock(net);
        match knock {
            Knock::Response { key: RequestKey::Login(attempt), result } => {
                self.login_answered(attempt, result, net);
            }
            Knock::Response { key: RequestKey::Renewal(attempt), result } => {
                self.renewal_answered(attempt, result, net);
            }
            Knock::Response { key: RequestKey::Call { call, index, again }, result } => {
                self.call_answered(call, (index, again), result, net);
            }
            Knock::Dialled { which, dial, result } => self.dialled(which, dial, result, net),
            Knock::Frame { connection, frame } => self.frame(connection, &frame, net),
            Knock::Timer(timer) => self.timer(timer, net),
        }
    }

    /// What was told since the last time, in order.
    pub fn take_told(&mut self) -> Vec<(Monotonic, Signal)> {
        std::mem::take(&mut self.told)
    }

    /// Tries at once what waits for a later attempt; lets live hubs prove themselves.
    pub fn nudge(&mut self, net: &mut Net<'_>) {
        self.nudge_session(net);
        self.nudge_line(Which::User, net);
        self.nudge_line(Which::Market, net);
    }

    /// Whether a hub is connected and confirmed, as the port knows it.
    pub fn is_up(&self, which: Which) -> bool {
        self.line(which).is_up()
    }

    fn timer(&mut self, timer: Timer, net: &mut Net<'_>) {
        match timer {
            Timer::LogIn(attempt) => self.log_in(attempt, net),
            Timer::LoginLimit(attempt) => self.login_late(attempt, net),
            Timer::Renew(attempt) => self.renew(attempt, net),
            Timer::CallLimit(call) => self.call_late(call, net),
            Timer::Turn => self.next_turns(net),
            Timer::Pause(which, dial) => self.pause_over(which, dial, net),
            Timer::Hub(which, dial) => self.hub_due(which, dial, net),
        }
    }

    fn tell(&mut self, signal: Signal, net: &Net<'_>) {
        self.told.push((net.monotonic(), signal));
    }

    fn line(&self, which: Which) -> &Line {
        match which {
            Which::User => &self.user,
            Which::Market => &self.market,
        }
    }

    fn line_mut(&mut self, which: Which) -> &mut Line {
        match which {
            Which::User => &mut self.user,
            Which::Market => &mut self.market,
        }
    }

    fn set_budget_clock(&mut self, net: &Net<'_>) {
        let now = net.monotonic();
        self.budget_clock.advance(now.saturating_duration_since(self.budget_time));
        self.budget_time = now;
    }
}

impl Received {
    /// A response of the simulator as it reaches the port.
    pub fn of(response: HttpResponse) -> Self {
        let date = response.header("date").and_then(|text| DateTime::parse_from_rfc2822(text).ok());
        let retry_after = response.header("retry-after").and_then(|text| text.parse().ok());
        Self {
            server_time: date.map(|at| at.to_utc()),
            response: Response {
                status: response.status,
                retry_after: retry_after.map(std::time::Duration::from_secs),
                body: String::from_utf8_lossy(&response.body).into_owned(),
            },
        }
    }
}
