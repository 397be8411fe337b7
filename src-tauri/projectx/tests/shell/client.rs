//! The client under test, asked and listened to with a bound on every wait.

use std::time::Duration;

use domain::{
    Event, Link,
    broker::{Answer, Ask, Call, CallError, CallId, Class, Inbox, Reply, Signal, Stamped},
};
use projectx::{Port, Settings, connect};
use tokio::time::timeout;

/// Longer than any of these stories takes on a busy machine.
const PATIENCE: Duration = Duration::from_secs(20);

pub struct Client {
    pub port: Port,
    next: u64,
    /// What was told while waiting for something.
    pub heard: Vec<String>,
}

impl Client {
    pub fn of(settings: &Settings) -> Self {
        Self { port: connect(settings).unwrap(), next: 0, heard: Vec::new() }
    }

    /// Connected, watching account 7.
    pub async fn up(settings: &Settings) -> Self {
        let mut client = Self::of(settings);
        client.wait_for("market up").await;
        client.ask(Class::Routine, Call::Watch(vec![7.into()])).await.unwrap();
        while !client.heard.contains(&"user up".to_string()) {
            client.next_text().await;
        }
        client
    }

    pub async fn next_signal(&mut self) -> Option<Stamped> {
        timeout(PATIENCE, self.port.signals.recv()).await.expect("nothing was told in time")
    }

    pub async fn wait_for(&mut self, text: &str) {
        while self.next_text().await != text {}
    }

    async fn next_text(&mut self) -> String {
        let signal = self.next_signal().await.unwrap().signal;
        self.heard.push(text(&signal));
        text(&signal)
    }

    pub async fn send(&mut self, class: Class, call: Call) -> CallId {
        self.next += 1;
        let id = CallId(self.next);
        self.port.asks.send(Ask { id, class, call }).await.unwrap();
        id
    }

    pub async fn reply(&mut self, id: CallId) -> Reply {
        loop {
            let signal = self.next_signal().await.unwrap().signal;
            self.heard.push(text(&signal));
            if let Signal::Reply(reply) = signal
                && reply.id == id
            {
                return reply;
            }
        }
    }

    pub async fn ask(&mut self, class: Class, call: Call) -> Result<Answer, CallError> {
        let id = self.send(class, call).await;
        self.reply(id).await.result
    }
}

/// A signal in a few words.
pub fn text(signal: &Signal) -> String {
    match signal {
        Signal::Link(Link::UserUp) => "user up".into(),
        Signal::Link(Link::UserDown { .. }) => "user down".into(),
        Signal::Link(Link::MarketUp) => "market up".into(),
        Signal::Link(Link::MarketDown { .. }) => "market down".into(),
        Signal::Link(Link::LoggedIn) => "logged in".into(),
        Signal::Link(Link::LoginFailed { .. } | Link::LoginRefused { .. }) => "login failed".into(),
        Signal::LoginRefused(error) => format!("login refused: {error}"),
        Signal::Malformed(report) => format!("malformed {}", report.what),
        Signal::Inbox(Inbox::Repeated) => "repeated".into(),
        Signal::Inbox(Inbox::Overflowed { .. }) => "overflowed".into(),
        Signal::Reply(reply) => format!("reply {}", reply.id.0),
        Signal::Event(Event::Account(account)) => format!("account {}", account.balance),
        Signal::Event(Event::Quote(quote)) => {
            format!("quote {}", quote.last.map(|price| price.to_string()).unwrap_or_default())
        }
        Signal::Event(event) => serde_json::to_value(event).unwrap()["event"].to_string(),
    }
}
