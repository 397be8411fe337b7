//! Hub methods: subscribing and unsubscribing, and the snapshots that follow (gateway reference 7).

use projectx::wire::signalr::Message;
use serde_json::Value;

use super::{
    Hub, Topic,
    connection::{ConnectionId, Phase},
};
use crate::gateway::{
    Gateway,
    journal::{self, Entry, Kind},
};

/// Why a call fails.
enum Refusal {
    NoMethod,
    BadArguments,
}

/// What a method does: take or leave a topic; `None` for a contract nobody knows.
type Wish = (Change, Option<Topic>);

#[derive(Clone, Copy, PartialEq, Eq)]
enum Change {
    Subscribe,
    Unsubscribe,
}

impl Gateway {
    pub(super) fn invoke(&mut self, id: ConnectionId, message: Message) {
        let now = self.now;
        let target = message.target.unwrap_or_default();
        let arguments = message.arguments.unwrap_or_default();
        let Some(hub) = self.hubs.get(id).map(|connection| connection.hub) else { return };
        self.note_invocation(id, hub, &target, &arguments);
        let wish = self.understand(hub, &target, &arguments);
        let Some(connection) = self.hubs.get(id) else { return };
        let failed = format!("Failed to invoke '{target}' due to an error on the server.");
        let outcome = match wish {
            Ok((change, topic)) => {
                match (change, topic) {
                    (Change::Subscribe, Some(topic)) => drop(connection.topics.insert(topic)),
                    (Change::Unsubscribe, Some(topic)) => drop(connection.topics.remove(&topic)),
                    (Change::Subscribe | Change::Unsubscribe, None) => {}
                }
                connection.complete(now, message.invocation_id, Ok(()));
                (change == Change::Subscribe).then_some(topic).flatten()
            }
            Err(refusal) => {
                let detail = match refusal {
                    Refusal::NoMethod => " HubException: Method does not exist.",
                    Refusal::BadArguments => "",
                };
                connection.complete(now, message.invocation_id, Err(format!("{failed}{detail}")));
                None
            }
        };
        if let Some(topic) = outcome {
            self.show_state(id, topic);
        }
    }

    fn note_invocation(&mut self, id: ConnectionId, hub: Hub, target: &str, arguments: &[Value]) {
        let session = self.hubs.get(id).map(|connection| connection.session);
        let entry = Entry {
            kind: Kind::Request,
            session: session.and_then(|number| self.auth.name(number)),
            path: Some(hub.path().into()),
            target: Some(target.into()),
            body: journal::raw(&Value::Array(arguments.to_vec())),
        };
        self.journal.write(self.now, entry);
    }

    fn understand(&self, hub: Hub, target: &str, arguments: &[Value]) -> Result<Wish, Refusal> {
        let name = target.to_ascii_lowercase();
        let (change, what) = match name.strip_prefix("un") {
            Some(rest) => (Change::Unsubscribe, rest),
            None => (Change::Subscribe, name.as_str()),
        };
        let account = |topic: fn(i64) -> Topic| match arguments {
            [one] => one.as_i64().map(|id| Some(topic(id))).ok_or(Refusal::BadArguments),
            _ => Err(Refusal::BadArguments),
        };
        let contract = |topic: fn(_) -> Topic| match arguments {
            [one] => one.as_str().map(|id| self.catalogue.find(id).map(topic)).ok_or(Refusal::BadArguments),
            _ => Err(Refusal::BadArguments),
        };
        let topic = match (hub, what) {
            (Hub::User, "subscribeaccounts") if arguments.is_empty() => Some(Topic::Accounts),
            (Hub::User, "subscribeaccounts") => return Err(Refusal::BadArguments),
            (Hub::User, "subscribeorders") => account(Topic::Orders)?,
            (Hub::User, "subscribepositions") => account(Topic::Positions)?,
            (Hub::User, "subscribetrades") => account(Topic::Trades)?,
            (Hub::Market, "subscribecontractquotes") => contract(Topic::Quotes)?,
            (Hub::Market, "subscribecontracttrades") => contract(Topic::Prints)?,
            (Hub::Market, "subscribecontractmarketdepth") => contract(Topic::Depth)?,
            (Hub::User | Hub::Market, _) => return Err(Refusal::NoMethod),
        };
        Ok((change, topic))
    }

    /// Quotes begin with a full one, depth with a snapshot, everything else with the next event.
    fn show_state(&mut self, id: ConnectionId, topic: Topic) {
        let shown = match topic {
            Topic::Quotes(contract) => self.quote_snapshot(contract),
            Topic::Depth(contract) => self.depth_snapshot(contract),
            Topic::Prints(contract) => {
                self.watch(contract);
                None
            }
            Topic::Accounts | Topic::Orders(_) | Topic::Positions(_) | Topic::Trades(_) => None,
        };
        let ready = self.hubs.get(id).is_some_and(|connection| connection.phase == Phase::Ready);
        if let Some((target, arguments)) = shown.filter(|_| ready) {
            self.push_to(id, target, arguments);
        }
    }
}
