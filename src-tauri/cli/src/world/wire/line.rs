//! One hub, kept connected in virtual time: dials, drives the hub's state machine, begins anew when the
//! connection is lost, with the pauses of the real port.

use std::{
    collections::BTreeSet,
    time::{Duration, Instant as Monotonic},
};

use domain::{Instant, broker::Signal};
use projectx::{
    backoff::Backoff,
    hub::{Effect, Hub, Lost, Topic, Which},
    signalr::Dead,
};
use simulator::{ConnectionId, Frame};

use super::{Net, Port, Timer, session::Reason};
use crate::world::Event;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(30);
const STABLE_AFTER: Duration = Duration::from_secs(10);

/// One hub's line.
#[derive(Debug)]
pub(super) struct Line {
    wanted: BTreeSet<Topic>,
    state: State,
    backoff: Backoff,
    told: Option<String>,
    /// Counts attempts: what belongs to an earlier one is passed over.
    dial: u64,
    queries: u64,
    /// When the present hub's next timer fires.
    armed: Option<Monotonic>,
    /// When the last text arrives that was sent on the present connection: none overtakes another.
    sent_until: Instant,
}

#[derive(Debug)]
enum State {
    /// No session.
    Idle,
    Pausing,
    Dialling {
        token: String,
    },
    Live(Box<Live>),
}

#[derive(Debug)]
struct Live {
    connection: ConnectionId,
    token: String,
    hub: Hub,
    up_since: Option<Monotonic>,
}

/// Why there is no connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum DialFailure {
    /// The gateway's HTTP status.
    Status(u16),
    /// No network.
    Unreachable,
}

/// How a connection ended.
enum End {
    Dial(DialFailure),
    DialTimeout,
    Hub(Lost),
    Socket,
    Session,
}

impl End {
    fn words(&self) -> String {
        match self {
            Self::Dial(DialFailure::Status(401)) => "the session is not valid".to_string(),
            Self::Dial(failure) => format!("{failure:?}"),
            Self::DialTimeout => "no connection within 30 s".to_string(),
            Self::Hub(lost) => lost.to_string(),
            Self::Socket => "connection lost: closed".to_string(),
            Self::Session => "reconnecting with another session".to_string(),
        }
    }
}

impl Line {
    pub fn new() -> Self {
        Self {
            wanted: BTreeSet::new(),
            state: State::Idle,
            backoff: Backoff::default(),
            told: None,
            dial: 0,
            queries: 0,
            armed: None,
            sent_until: Instant::MIN_UTC,
        }
    }

    pub fn connection(&self) -> Option<ConnectionId> {
        match &self.state {
            State::Live(live) => Some(live.connection),
            State::Idle | State::Pausing | State::Dialling { .. } => None,
        }
    }

    pub fn is_up(&self) -> bool {
        match &self.state {
            State::Live(live) => live.up_since.is_some(),
            State::Idle | State::Pausing | State::Dialling { .. } => false,
        }
    }

    fn live(&mut self) -> Option<&mut Live> {
        match &mut self.state {
            State::Live(live) => Some(live),
            State::Idle | State::Pausing | State::Dialling { .. } => None,
        }
    }
}

impl Port {
    pub(super) fn start_lines(&mut self, net: &mut Net<'_>) {
        for which in [Which::User, Which::Market] {
            if matches!(self.line(which).state, State::Idle) {
                self.dial(which, net);
            }
        }
    }

    /// Connections of a session that is over end; so do attempts with its token.
    pub(super) fn end_lines_of_sessions(&mut self, net: &mut Net<'_>) {
        for which in [Which::User, Which::Market] {
            let present = self.session.token();
            let other = match &self.line(which).state {
                State::Live(live) => present != Some(&live.token),
                State::Dialling { token } => present != Some(token),
                State::Idle | State::Pausing => false,
            };
            if other {
                self.line_ended(which, &End::Session, net);
            }
        }
    }

    fn dial(&mut self, which: Which, net: &mut Net<'_>) {
        let token = self.session.token().map(str::to_string);
        let line = self.line_mut(which);
        line.dial += 1;
        let Some(token) = token else {
            line.state = State::Idle;
            return;
        };
        let dial = line.dial;
        line.state = State::Dialling { token: token.clone() };
        let at = net.now + net.weather.way();
        net.queue.plan(at, Event::Dial { life: net.life, which, dial, token });
        net.timer(net.monotonic() + CONNECT_TIMEOUT, Timer::Pause(which, dial));
    }

    pub(super) fn dialled(
        &mut self,
        which: Which,
        dial: u64,
        result: Result<ConnectionId, DialFailure>,
        net: &mut Net<'_>,
    ) {
        let line = self.line_mut(which);
        let is_present = line.dial == dial && matches!(line.state, State::Dialling { .. });
        match result {
            Ok(connection) if !is_present => net.queue.plan(net.now, Event::Leaves { connection }),
            Ok(connection) => self.connected(which, connection, net),
            Err(_) if !is_present => {}
            Err(failure) => self.line_ended(which, &End::Dial(failure), net),
        }
    }

    fn connected(&mut self, which: Which, connection: ConnectionId, net: &mut Net<'_>) {
        let (now, queries) = (net.monotonic(), self.queries);
        let line = self.line_mut(which);
        let State::Dialling { token } = &line.state else { return };
        let mut effects = Vec::new();
        let hub = Hub::open(which, line.wanted.clone(), now, &mut effects);
        let live = Live { connection, token: token.clone(), hub, up_since: None };
        line.state = State::Live(Box::new(live));
        line.queries = queries;
        self.perform(which, effects, net);
        self.watch_hub(which, net);
    }

    pub(super) fn frame(&mut self, connection: ConnectionId, frame: &Frame, net: &mut Net<'_>) {
        let which = match (self.user.connection(), self.market.connection()) {
            (Some(user), _) if user == connection => Which::User,
            (_, Some(market)) if market == connection => Which::Market,
            (Some(_) | None, Some(_) | None) => return,
        };
        let (now, queries) = (net.monotonic(), self.queries);
        let line = self.line_mut(which);
        let is_news = std::mem::replace(&mut line.queries, queries) != queries;
        let Some(live) = line.live() else { return };
        let mut effects = Vec::new();
        let end = match frame {
            Frame::Text(text) => {
                if is_news {
                    live.hub.forget();
                }
                live.hub.receive(text, now, &mut effects).err().map(End::Hub)
            }
            Frame::Close | Frame::Reset => Some(End::Socket),
        };
        // What was said before the end counts.
        self.perform(which, effects, net);
        if let Some(end) = end {
            self.line_ended(which, &end, net);
        }
    }

    pub(super) fn want(&mut self, which: Which, wanted: BTreeSet<Topic>, net: &mut Net<'_>) {
        let now = net.monotonic();
        let line = self.line_mut(which);
        if line.wanted == wanted {
            return;
        }
        line.wanted.clone_from(&wanted);
        let mut effects = Vec::new();
        if let Some(live) = line.live() {
            live.hub.want(wanted, now, &mut effects);
        }
        self.perform(which, effects, net);
        self.watch_hub(which, net);
    }

    pub(super) fn hub_due(&mut self, which: Which, dial: u64, net: &mut Net<'_>) {
        let now = net.monotonic();
        let line = self.line_mut(which);
        if line.dial != dial {
            return;
        }
        line.armed = None;
        let Some(live) = line.live() else { return };
        let mut effects = Vec::new();
        let end = if now >= live.hub.deadline() { live.hub.tick(now, &mut effects).err() } else { None };
        self.perform(which, effects, net);
        match end {
            Some(lost) => self.line_ended(which, &End::Hub(lost), net),
            None => self.watch_hub(which, net),
        }
    }

    fn watch_hub(&mut self, which: Which, net: &mut Net<'_>) {
        let line = self.line_mut(which);
        let (dial, armed) = (line.dial, line.armed);
        if let Some(at) = line.live().map(|live| live.hub.deadline())
            && armed.is_none_or(|armed| at < armed)
        {
            line.armed = Some(at);
            net.timer(at, Timer::Hub(which, dial));
        }
    }

    /// Sends on the present connection of a line.
    fn send_on(&mut self, which: Which, net: &mut Net<'_>, event: impl FnOnce(ConnectionId) -> Event) {
        let line = self.line_mut(which);
        if let Some(connection) = line.connection() {
            line.sent_until = net.weather.arrival(net.now).max(line.sent_until);
            net.queue.plan(line.sent_until, event(connection));
        }
    }

    fn perform(&mut self, which: Which, effects: Vec<Effect>, net: &mut Net<'_>) {
        let now = net.monotonic();
        for effect in effects {
            match effect {
                Effect::Send(text) => {
                    self.send_on(which, net, |connection| Event::Says { connection, text });
                }
                Effect::Tell(signal) => self.tell(signal, net),
            }
        }
        if let Some(live) = self.line_mut(which).live()
            && live.hub.is_up()
        {
            live.up_since.get_or_insert(now);
        }
    }

    fn line_ended(&mut self, which: Which, end: &End, net: &mut Net<'_>) {
        let now = net.monotonic();
        let why = end.words();
        self.send_on(which, net, |connection| Event::Leaves { connection });
        let line = self.line_mut(which);
        let (up_since, token) = match std::mem::replace(&mut line.state, State::Pausing) {
            State::Live(live) => (live.up_since, Some(live.token)),
            State::Dialling { token } => (None, Some(token)),
            State::Idle | State::Pausing => (None, None),
        };
        line.dial += 1;
        line.armed = None;
        let tells = up_since.is_some() || line.told.as_ref() != Some(&why);
        if tells {
            line.told = Some(why.clone());
        }
        if up_since.is_some_and(|since| now.saturating_duration_since(since) >= STABLE_AFTER) {
            line.backoff.reset();
        }
        match end {
            End::Hub(Lost::Dead(Dead::Closed { may_reconnect: false, .. })) => line.backoff.not_at_once(),
            End::Session => line.backoff.reset(),
            End::Dial(_) | End::DialTimeout | End::Hub(_) | End::Socket => {}
        }
        let pause = line.backoff.next(net.weather.jitter());
        let dial = line.dial;
        if tells {
            self.tell(Signal::Link(which.down(why)), net);
        }
        net.timer(now + pause, Timer::Pause(which, dial));
        match (end, token) {
            (End::Dial(DialFailure::Status(401)), Some(token)) => {
                self.session_ended(&token, Reason::Expired, net);
            }
            (End::Hub(Lost::LoggedOut), Some(token)) => {
                self.session_ended(&token, Reason::ThrownOut, net);
            }
            _ => {}
        }
    }

    /// A pause is over, or an attempt to connect took too long.
    pub(super) fn pause_over(&mut self, which: Which, dial: u64, net: &mut Net<'_>) {
        let line = self.line(which);
        if line.dial != dial {
            return;
        }
        match line.state {
            State::Pausing => self.dial(which, net),
            State::Dialling { .. } => self.line_ended(which, &End::DialTimeout, net),
            State::Idle | State::Live(_) => {}
        }
    }

    pub(super) fn nudge_line(&mut self, which: Which, net: &mut Net<'_>) {
        let now = net.monotonic();
        let line = self.line_mut(which);
        match &mut line.state {
            State::Pausing | State::Dialling { .. } => self.dial(which, net),
            State::Live(live) => {
                let mut effects = Vec::new();
                live.hub.ping(now, &mut effects);
                self.perform(which, effects, net);
            }
            State::Idle => {}
        }
    }
}
