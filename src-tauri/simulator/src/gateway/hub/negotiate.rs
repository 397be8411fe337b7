//! Negotiation and the opening of connections (gateway reference 6.2).

use chrono::TimeDelta;
use domain::Instant;
use serde_json::{Value, json};

use super::{CONNECTIONS_LIMIT, Hub, connection::Connection};
use crate::gateway::{
    ConnectionId, Gateway, HttpRequest, HttpResponse,
    auth::{SessionNumber, identifier},
    faults::Mishap,
    journal::{self, Entry, Kind},
};

/// Life of a negotiated id that nobody connects with, in seconds (framework default).
const NEGOTIATED_SECONDS: i64 = 15;

/// Negotiated ids that may wait; the oldest are forgotten.
const NEGOTIATED_LIMIT: usize = 1_000;

/// An id that waits for its socket.
#[derive(Debug)]
pub(super) struct Negotiated {
    hub: Hub,
    at: Instant,
}

impl Gateway {
    /// `POST /hubs/…/negotiate`.
    pub(in crate::gateway) fn negotiate(&mut self, hub: Hub, request: &HttpRequest) -> HttpResponse {
        let versioned = request.parameter("negotiateVersion").is_some_and(|version| version != "0");
        let connection_id = identifier(&mut self.rng);
        let mut answer = json!({
            "negotiateVersion": i64::from(versioned),
            "connectionId": connection_id,
            "availableTransports": [
                {"transport": "WebSockets", "transferFormats": ["Text", "Binary"]},
                {"transport": "ServerSentEvents", "transferFormats": ["Text"]},
                {"transport": "LongPolling", "transferFormats": ["Text", "Binary"]},
            ],
        });
        let secret = if versioned {
            let token = identifier(&mut self.rng);
            answer["connectionToken"] = Value::String(token.clone());
            token
        } else {
            connection_id
        };
        self.remember_negotiated(hub, secret);
        HttpResponse::json(200, &answer)
    }

    /// Opens a hub connection: what a WebSocket upgrade does.
    ///
    /// # Errors
    /// The HTTP status of the refusal: 401 for a missing, unknown or expired token, 404 for an `id` that
    /// was not negotiated, 409 for one that is in use, 503 when [`CONNECTIONS_LIMIT`] is reached, or
    /// what the fault `http_status` asks for.
    pub fn open(
        &mut self,
        now: Instant,
        hub: Hub,
        token: Option<&str>,
        id: Option<&str>,
    ) -> Result<ConnectionId, u16> {
        self.run_until(now);
        let opened = self.admit(hub, token, id);
        let session = self.auth.known(token).and_then(|number| self.auth.name(number));
        let entry = Entry {
            kind: Kind::Request,
            session,
            path: Some(hub.path().into()),
            target: None,
            body: journal::body(&[]),
        };
        let row = self.journal.write(self.now, entry);
        self.journal.answered(row, opened.err().unwrap_or(101), None);
        opened
    }

    fn admit(&mut self, hub: Hub, token: Option<&str>, id: Option<&str>) -> Result<ConnectionId, u16> {
        for mishap in self.faults.meet(hub.path()) {
            if let Mishap::Status { status, .. } = mishap {
                return Err(status);
            }
        }
        let session: SessionNumber = self.auth.valid(self.now, token).ok_or(401_u16)?;
        if let Some(id) = id {
            self.claim(hub, id)?;
        }
        if self.hubs.connections.len() >= CONNECTIONS_LIMIT {
            return Err(503);
        }
        Ok(self.hubs.add(Connection::new(hub, session, id.map(str::to_string), self.now)))
    }

    fn claim(&mut self, hub: Hub, id: &str) -> Result<(), u16> {
        let hubs = &mut self.hubs;
        if hubs.connections.values().any(|one| one.hub == hub && one.negotiated.as_deref() == Some(id)) {
            return Err(409);
        }
        let fresh = self.now - TimeDelta::seconds(NEGOTIATED_SECONDS);
        match hubs.negotiated.get(id) {
            Some(waiting) if waiting.hub == hub && waiting.at > fresh => {
                hubs.negotiated.remove(id);
                Ok(())
            }
            Some(_) | None => Err(404),
        }
    }

    fn remember_negotiated(&mut self, hub: Hub, secret: String) {
        let negotiated = &mut self.hubs.negotiated;
        let fresh = self.now - TimeDelta::seconds(NEGOTIATED_SECONDS);
        negotiated.retain(|_, waiting| waiting.at > fresh);
        if negotiated.len() >= NEGOTIATED_LIMIT {
            let oldest = negotiated.iter().min_by_key(|(_, waiting)| waiting.at).map(|(id, _)| id.clone());
            oldest.and_then(|id| negotiated.remove(&id));
        }
        negotiated.insert(secret, Negotiated { hub, at: self.now });
    }
}
