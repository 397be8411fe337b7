//! Keeps one hub connected: dials, drives the hub's state machine, tells what it says, and begins anew
//! when the connection is lost. A connection lives no longer than the session it was opened with.
//!
//! A loss is told at once, before anything is tried. The first attempt after it follows at once, later
//! ones with growing pauses.

#[cfg(test)]
mod tests;

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use domain::broker::{Flaw, Malformed, Signal, Stamped};
use futures_util::{SinkExt, StreamExt};
use tokio::{
    sync::watch,
    time::{Instant, sleep, sleep_until, timeout},
};
use tokio_tungstenite::{
    WebSocketStream,
    tungstenite::{self, Message},
};

use super::{
    calls::Queries,
    clock::{jitter, now},
    dial::{Dial, DialError},
    http::CONNECT_TIMEOUT,
    outlet::Outlet,
    session::{Reason, Session},
};
use crate::{
    backoff::Backoff,
    hub::{Effect, Hub, Lost, Topic, Which},
    mask::masked,
    session::Token,
    signalr::Dead,
};

/// A message that cannot be sent within this time will not be: the socket is dead.
const SEND_TIMEOUT: Duration = Duration::from_secs(5);

/// How long a farewell may take.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(1);

/// A hub that was up for so long is tried again at once when it is lost; one that comes and goes is not.
const STABLE_AFTER: Duration = Duration::from_secs(10);

/// One hub, kept connected.
pub(super) struct Line<D: Dial> {
    pub which: Which,
    pub dial: D,
    pub session: Arc<Session>,
    pub outlet: Arc<Outlet>,
    pub queries: Arc<Queries>,
    pub wanted: watch::Receiver<BTreeSet<Topic>>,
    pub nudges: watch::Receiver<u64>,
    pub stop: watch::Receiver<bool>,
}

/// How a connection ended.
#[derive(Debug, thiserror::Error)]
enum End {
    #[error(transparent)]
    Dial(#[from] DialError),
    #[error("no connection within {} s", CONNECT_TIMEOUT.as_secs())]
    DialTimeout,
    #[error(transparent)]
    Hub(#[from] Lost),
    #[error("connection lost: {0}")]
    Socket(String),
    #[error("connection lost: a message could not be sent")]
    Unsendable,
    #[error("reconnecting with another session")]
    Session,
    #[error("shut down")]
    Stopped,
}

impl From<tungstenite::Error> for End {
    fn from(error: tungstenite::Error) -> Self {
        Self::Socket(masked(&error.to_string()))
    }
}

impl<D: Dial> Line<D> {
    /// Ends when it is told to stop.
    pub async fn run(mut self) {
        let mut backoff = Backoff::default();
        let mut told: Option<String> = None;
        loop {
            let token = tokio::select! {
                token = self.session.token_in_the_end() => token,
                () = stopped(&mut self.stop) => return,
            };
            let mut up_since = None;
            let (end, socket) = self.connect(&token, &mut up_since).await;
            let why = end.to_string();
            if up_since.is_some() || told.as_ref() != Some(&why) {
                self.tell(Signal::Link(self.which.down(why.clone())), now()).await;
                told = Some(why);
            }
            if up_since.is_some_and(|since: Instant| since.elapsed() >= STABLE_AFTER) {
                backoff.reset();
            }
            self.draw_conclusions(&end, &token, &mut backoff);
            if let (End::Session | End::Stopped, Some(mut socket)) = (end, socket) {
                let _ = timeout(CLOSE_TIMEOUT, socket.close(None)).await;
            }
            tokio::select! {
                () = sleep(backoff.next(jitter())) => {}
                Ok(()) = self.nudges.changed() => {}
                () = stopped(&mut self.stop) => return,
            }
        }
    }

    fn draw_conclusions(&self, end: &End, token: &Token, backoff: &mut Backoff) {
        match end {
            End::Dial(DialError::Unauthorized) => self.session.ended(token, Reason::Expired),
            End::Hub(Lost::LoggedOut) => self.session.ended(token, Reason::ThrownOut),
            End::Hub(Lost::Dead(Dead::Closed { may_reconnect: false, .. })) => backoff.not_at_once(),
            End::Session => backoff.reset(),
            End::Dial(DialError::Failed(_))
            | End::DialTimeout
            | End::Hub(Lost::Dead(_) | Lost::Refused { .. } | Lost::Unconfirmed { .. })
            | End::Socket(_)
            | End::Unsendable
            | End::Stopped => {}
        }
    }

    /// One connection from dialling to its end, with its socket if there was one.
    async fn connect(
        &mut self,
        token: &Token,
        up_since: &mut Option<Instant>,
    ) -> (End, Option<WebSocketStream<D::Stream>>) {
        match self.dial(token).await {
            Ok(mut socket) => match self.drive(&mut socket, token, up_since).await {
                Ok(end) | Err(end) => (end, Some(socket)),
            },
            Err(end) => (end, None),
        }
    }

    async fn dial(&mut self, token: &Token) -> Result<WebSocketStream<D::Stream>, End> {
        self.nudges.mark_unchanged();
        loop {
            tokio::select! {
                dialled = timeout(CONNECT_TIMEOUT, self.dial.dial(token)) => {
                    return Ok(dialled.map_err(|_| End::DialTimeout)??);
                }
                () = self.session.end_of(token) => return Err(End::Session),
                // Asked to try now: an attempt that hangs is given up for a new one.
                Ok(()) = self.nudges.changed() => {}
                () = stopped(&mut self.stop) => return Err(End::Stopped),
            }
        }
    }

    /// Runs one connection to its end; ends that others decided are no errors.
    async fn drive(
        &mut self,
        socket: &mut WebSocketStream<D::Stream>,
        token: &Token,
        up_since: &mut Option<Instant>,
    ) -> Result<End, End> {
        let mut effects = Vec::new();
        let wanted = self.wanted.borrow_and_update().clone();
        let mut hub = Hub::open(self.which, wanted, now(), &mut effects);
        let mut queries = self.queries.count();
        loop {
            self.perform(&mut effects, socket, now()).await?;
            if hub.is_up() {
                up_since.get_or_insert_with(Instant::now);
            }
            tokio::select! {
                frame = socket.next() => {
                    let received = now();
                    let counted = self.queries.count();
                    if std::mem::replace(&mut queries, counted) != counted {
                        hub.forget();
                    }
                    let read = read(frame, &mut hub, received, &mut effects);
                    // What was said before the end counts.
                    self.perform(&mut effects, socket, received).await?;
                    read?;
                }
                () = sleep_until(hub.deadline().into()) => hub.tick(now(), &mut effects)?,
                Ok(()) = self.wanted.changed() => {
                    let wanted = self.wanted.borrow_and_update().clone();
                    hub.want(wanted, now(), &mut effects);
                }
                Ok(()) = self.nudges.changed() => hub.ping(now(), &mut effects),
                () = self.session.end_of(token) => return Ok(End::Session),
                () = stopped(&mut self.stop) => return Ok(End::Stopped),
            }
        }
    }

    async fn perform(
        &self,
        effects: &mut Vec<Effect>,
        socket: &mut WebSocketStream<D::Stream>,
        received: std::time::Instant,
    ) -> Result<(), End> {
        for effect in effects.drain(..) {
            match effect {
                Effect::Send(text) => timeout(SEND_TIMEOUT, socket.send(Message::text(text)))
                    .await
                    .map_err(|_| End::Unsendable)??,
                Effect::Tell(signal) => self.tell(signal, received).await,
            }
        }
        Ok(())
    }

    async fn tell(&self, signal: Signal, received: std::time::Instant) {
        self.outlet.tell(Stamped { received, signal }).await;
    }
}

fn read(
    frame: Option<Result<Message, tungstenite::Error>>,
    hub: &mut Hub,
    received: std::time::Instant,
    effects: &mut Vec<Effect>,
) -> Result<(), End> {
    match frame {
        Some(Ok(Message::Text(text))) => Ok(hub.receive(&text, received, effects)?),
        Some(Ok(Message::Binary(bytes))) => {
            effects.push(Effect::Tell(Signal::Malformed(Malformed {
                flaw: Flaw::Unreadable,
                what: "hub message".into(),
                why: "binary where text was agreed".into(),
                account: None,
                raw: masked(&String::from_utf8_lossy(&bytes)),
            })));
            Ok(())
        }
        // Answered by the library; the hub's own silence is what counts.
        Some(Ok(Message::Ping(_) | Message::Pong(_) | Message::Frame(_))) => Ok(()),
        Some(Ok(Message::Close(_))) | None => Err(End::Socket("closed".into())),
        Some(Err(error)) => Err(error.into()),
    }
}

/// Ends when everything is to end, also when nobody is left who could say so.
pub(super) async fn stopped(stop: &mut watch::Receiver<bool>) {
    let _ = stop.wait_for(|stop| *stop).await;
}
