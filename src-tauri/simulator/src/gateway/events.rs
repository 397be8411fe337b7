//! Events on their way to subscribers: wrapping, omitted nulls, and the faults that double, lose or
//! swap user events (gateway reference 8.1, 9.1). Decides nothing about what happened.

use std::sync::Arc;

use chrono::TimeDelta;
use projectx::wire::{
    code::{OrderStatus, PositionType},
    model::{self, Wrapped},
    signalr::{Message, RECORD_SEPARATOR},
};
use rand::RngExt;
use serde::Serialize;
use serde_json::Value;

use super::{
    ConnectionId, Gateway, Hub,
    account::Trade,
    hub::Topic,
    journal::{self, Entry, Kind},
    schedule::Task,
    stamp::Precision,
};

/// How long an event waits for the successor that is to overtake it, in milliseconds.
pub(super) const REORDER_WAIT_MS: i64 = 250;

/// When the account event is repeated after a fill, in milliseconds (gateway reference 9.2).
const ECHO_MS: [i64; 3] = [46, 190, 340];

/// What the live gateway writes beside the entity (gateway reference 8.1).
#[derive(Clone, Copy)]
enum Act {
    Insert,
    Upsert,
    Gone,
}

/// A user event that can still be lost, doubled or overtaken.
#[derive(Clone, Debug)]
pub(super) struct UserEvent {
    topic: Topic,
    target: &'static str,
    arguments: Value,
}

impl Gateway {
    pub(super) fn tell_order(&mut self, order: i64) {
        let Some(row) = self.order_row(order, Precision::Hub) else { return };
        self.tell(Topic::Orders(row.account_id), "GatewayUserOrder", Act::Upsert, &row);
    }

    pub(super) fn tell_trade(&mut self, trade: &Trade) {
        let row = self.trade_row(trade, Precision::Hub);
        self.tell(Topic::Trades(row.account_id), "GatewayUserTrade", Act::Insert, &row);
    }

    pub(super) fn tell_position(&mut self, row: &model::Position) {
        let act = if row.kind == PositionType::Undefined.code() { Act::Gone } else { Act::Upsert };
        self.tell(Topic::Positions(row.account_id), "GatewayUserPosition", act, row);
    }

    pub(super) fn tell_account(&mut self, account: usize) {
        let row = self.accounts[account].row();
        self.tell(Topic::Accounts, "GatewayUserAccount", Act::Upsert, &row);
    }

    /// After a fill the account is sent two to four times, with the same balance unless something
    /// happened in between.
    pub(super) fn tell_account_repeatedly(&mut self, account: usize) {
        self.tell_account(account);
        if self.is_immediate() {
            self.tell_account(account);
            return;
        }
        let repeats = self.rng.random_range(1..=ECHO_MS.len() as u64);
        for (_, after) in (0..repeats).zip(ECHO_MS) {
            self.plan_after(TimeDelta::milliseconds(after), Task::AccountEcho(account));
        }
    }

    fn tell<T: Serialize>(&mut self, topic: Topic, target: &'static str, act: Act, row: &T) {
        if !self.hubs.listening(topic) {
            return;
        }
        let action = match act {
            Act::Insert => 0,
            Act::Upsert => 1,
            Act::Gone => 2,
        };
        let arguments = Value::Array(vec![without_nulls(&Wrapped { action, data: row })]);
        self.send_user_event(UserEvent { topic, target, arguments });
    }

    fn send_user_event(&mut self, event: UserEvent) {
        let faults = &mut self.faults;
        if faults.lose > 0 {
            faults.lose -= 1;
            return;
        }
        let twice = faults.duplicate > 0;
        faults.duplicate = faults.duplicate.saturating_sub(1);
        if self.held.is_none() && faults.reorder > 0 {
            faults.reorder -= 1;
            self.held = Some((self.now, event.clone()));
            self.plan_after(TimeDelta::milliseconds(REORDER_WAIT_MS), Task::ReleaseHeld);
        } else {
            self.push(event.topic, event.target, &event.arguments);
            self.release_held();
        }
        if twice {
            self.push(event.topic, event.target, &event.arguments);
        }
    }

    /// Sends the event that waits to be overtaken, if any.
    pub(super) fn release_held(&mut self) {
        if let Some((_, event)) = self.held.take() {
            self.push(event.topic, event.target, &event.arguments);
        }
    }

    /// Sends the event that waited for too long.
    pub(super) fn release_overdue(&mut self) {
        let wait = TimeDelta::milliseconds(REORDER_WAIT_MS);
        if self.held.as_ref().is_some_and(|(since, _)| *since + wait <= self.now) {
            self.release_held();
        }
    }

    /// Sends a market event to its subscribers.
    pub(super) fn push(&mut self, topic: Topic, target: &str, arguments: &Value) {
        if !self.hubs.listening(topic) {
            return;
        }
        let text = record(target, arguments);
        let (body, target): (_, Arc<str>) = (journal::raw(arguments), target.into());
        for connection in self.hubs.subscribers(topic) {
            connection.send(self.now, text.clone());
            let entry = Entry {
                kind: Kind::Event,
                session: self.auth.name(connection.session),
                path: None,
                target: Some(target.clone()),
                body: body.clone(),
            };
            self.journal.write(self.now, entry);
        }
    }

    /// Sends an event to one connection.
    pub(super) fn push_to(&mut self, id: ConnectionId, target: &'static str, arguments: Value) {
        let now = self.now;
        let Some(session) = self.hubs.send_to(id, now, record(target, &arguments)) else { return };
        let entry = Entry {
            kind: Kind::Event,
            session: self.auth.name(session),
            path: None,
            target: Some(target.into()),
            body: journal::raw(&arguments),
        };
        self.journal.write(now, entry);
    }

    /// A raw record to everybody on the user hub.
    pub(super) fn push_raw(&mut self, text: &str) {
        if self.hubs.is_silent(Hub::User) {
            return;
        }
        let body = journal::body(text.as_bytes());
        let text: Arc<str> = format!("{}{RECORD_SEPARATOR}", text.trim_end_matches(RECORD_SEPARATOR)).into();
        for connection in self.hubs.ready_of_hub(Hub::User) {
            connection.send(self.now, text.clone());
            let entry = Entry {
                kind: Kind::Event,
                session: self.auth.name(connection.session),
                path: None,
                target: Some("malformed".into()),
                body: body.clone(),
            };
            self.journal.write(self.now, entry);
        }
    }

    /// The sessions of a token hear that it ended elsewhere (gateway reference 8.9).
    pub(super) fn tell_logout(&mut self, session: u64) {
        let arguments = Value::Array(vec![Value::Object(serde_json::Map::new())]);
        for id in self.hubs.ready_of_session(session) {
            self.push_to(id, "GatewayLogout", arguments.clone());
        }
    }
}

/// Whether an order of this status is listed by REST: suspended children and pending entries are not
/// (gateway reference 3.4, 4).
pub(super) const fn is_listed(status: OrderStatus) -> bool {
    match status {
        OrderStatus::None | OrderStatus::Pending | OrderStatus::Suspended => false,
        OrderStatus::Open
        | OrderStatus::Filled
        | OrderStatus::Cancelled
        | OrderStatus::Expired
        | OrderStatus::Rejected
        | OrderStatus::PendingCancellation => true,
    }
}

/// A payload as the hubs write it: members that are null are left out.
pub(super) fn without_nulls<T: Serialize>(payload: &T) -> Value {
    let mut value = serde_json::to_value(payload).unwrap_or_default();
    strip(&mut value);
    value
}

fn strip(value: &mut Value) {
    if let Value::Object(members) = value {
        members.retain(|_, member| !member.is_null());
        members.values_mut().for_each(strip);
    }
}

fn record(target: &str, arguments: &Value) -> Arc<str> {
    let arguments = arguments.as_array().cloned().unwrap_or_default();
    Message::invocation(None, target, arguments).to_record().into()
}
