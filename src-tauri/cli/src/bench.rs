//! `riskctl bench latency`: how long it takes from the moment the gateway pushes an event to the moment
//! it receives the close request, read from the gateway's own journal. Beside it, in the same run, a
//! floor: the gateway client alone, which answers each event with a request without thinking. What is
//! between the two is what the product costs; the ratio holds on a slow machine as well.

use std::{fs, time::Duration};

use domain::{
    AccountId, Event, OrderSide, RuleKey,
    broker::{Ask, Call, CallId, Class, Signal},
    event::Link,
};
use runtime::{Home, Sign, Start, control::client::Client, credentials::Credentials, logs};
use serde::Serialize;
use serde_json::Value;
use simulator::{Costs, Handle, Market, Settings, Ticket, Trader};
use tempfile::TempDir;
use tracing::Level;
use views::{control::Reply, view::ReceiptOutcome};

use crate::{args::Bench, broker, demo, exit::Failure, print};

/// How long one breach may take.
const LIMIT: Duration = Duration::from_secs(20);
/// Between two breaches. Within two seconds of a close of its own the executor looks before it sends the next one:
/// three requests in place of one, and the rate budget would be what is measured.
const PACE: Duration = Duration::from_millis(2_100);

/// Times in microseconds.
#[derive(Clone, Copy, Debug, Serialize)]
struct Figures {
    samples: usize,
    median_us: u64,
    p99_us: u64,
    max_us: u64,
}

/// Measures and prints.
pub async fn run(options: Bench) -> Result<(), Failure> {
    let settings = Settings { costs: Costs::Zero, ..Settings::new(Market::Manual) };
    let gateway = simulator::serve(settings, ([127, 0, 0, 1], 0).into()).await.map_err(Failure::other)?;
    let description = gateway.description().clone();
    let login = Credentials { user_name: description.username.clone(), api_key: description.api_key.clone() };
    let handle = gateway.handle();
    let account = description.accounts.first().copied().unwrap_or_default();
    let mut bench = Bencher {
        trader: handle.with(|gateway, _| Trader::new(gateway)),
        contract: handle.with(|gateway, _| gateway.front_contract("MNQ").unwrap_or_default().to_string()),
        handle,
        account,
    };
    let api = config::Api {
        base_url: description.base_url.clone(),
        user_hub_url: description.user_hub_url.clone(),
        market_hub_url: description.market_hub_url.clone(),
    };
    let floor = bench.floor(&api, login.clone(), options.breaches).await?;
    let product = bench.product(&description, login, options.breaches).await?;
    gateway.shut_down().await;
    report(options.json, floor, product)
}

struct Bencher {
    handle: Handle,
    trader: Trader,
    account: i64,
    contract: String,
}

impl Bencher {
    /// The gateway client alone: every opening of a position is answered with a query.
    async fn floor(
        &mut self,
        api: &config::Api,
        login: Credentials,
        rounds: u32,
    ) -> Result<Figures, Failure> {
        let mut port = projectx::connect(&broker::settings(api, login)).map_err(Failure::other)?;
        let account = AccountId::from(self.account);
        let mut calls = 0;
        let mut ask = |call| {
            calls += 1;
            Ask { id: CallId(calls), class: Class::Enforcement, call }
        };
        let watch = ask(Call::Watch(vec![account.clone()]));
        port.asks.send(watch).await.map_err(Failure::other)?;
        let mut is_up = false;
        // Up, and quiet: every subscription stands.
        loop {
            let limit = if is_up { Duration::from_millis(300) } else { LIMIT };
            match tokio::time::timeout(limit, port.signals.recv()).await {
                Ok(signal) => is_up |= matches!(signal.map(|it| it.signal), Some(Signal::Link(Link::UserUp))),
                Err(_) if is_up => break,
                Err(elapsed) => return Err(Failure::other(elapsed)),
            }
        }
        let from = self.journal_length();
        for _ in 0..rounds {
            self.buy(3)?;
            loop {
                let signal =
                    tokio::time::timeout(LIMIT, port.signals.recv()).await.map_err(Failure::other)?;
                match signal.map(|it| it.signal) {
                    Some(Signal::Event(Event::Position(position))) if !position.exposure.is_flat() => {
                        let query = ask(Call::WorkingOrders(account.clone()));
                        port.asks.send(query).await.map_err(Failure::other)?;
                    }
                    Some(Signal::Reply(_)) => break,
                    Some(_) => {}
                    None => return Err(Failure::other("the gateway client ended")),
                }
            }
            self.close()?;
            tokio::time::sleep(PACE).await;
        }
        port.control.shutdown().await;
        figures(&self.reactions(from, "/api/Order/searchOpen"))
    }

    /// The whole product: every entry is one contract too many.
    async fn product(
        &mut self,
        description: &simulator::Description,
        login: Credentials,
        rounds: u32,
    ) -> Result<Figures, Failure> {
        let directory = TempDir::with_prefix("risk-manager-bench-").map_err(Failure::other)?;
        let home = Home::find(Some(directory.path()))?;
        demo::write_settings(&home, description).map_err(Failure::other)?;
        let unlimited = "\
rules:
  no_stop_loss_grace: {grace_period_seconds: 600}
  trade_frequency_limit: {enabled: false}
  cooldown_after_loss: {enabled: false}
  session_block_outside: {enabled: false}
";
        fs::write(home.config().join("risk.yaml"), unlimited).map_err(Failure::other)?;
        let _log = logs::start(&home, Some(Level::ERROR), "projectx").map_err(Failure::other)?;
        let start = Start {
            home: home.clone(),
            broker: "the bench".to_string(),
            mode: "bench".to_string(),
            zones: print::zones_of_computer(),
            login: Some(login),
            connect: broker::projectx,
        };
        let mut engine = runtime::start(start).await?;
        match tokio::time::timeout(LIMIT, engine.signs.recv()).await {
            Ok(Some(Sign::Protected { .. })) => {}
            _ => return Err(Failure::other("the engine did not come to protect the account")),
        }
        let mut viewer = Client::connect(home.path()).await?;
        viewer.watch().await?;
        let from = self.journal_length();
        let mut seen = 0;
        for _ in 0..rounds {
            self.buy(3)?;
            seen =
                tokio::time::timeout(LIMIT, confirmed(&mut viewer, seen)).await.map_err(Failure::other)??;
            self.close()?;
            tokio::time::sleep(PACE).await;
        }
        engine.stop().await;
        figures(&self.reactions(from, "/api/Position/partialCloseContract"))
    }

    fn buy(&mut self, size: i64) -> Result<(), Failure> {
        let Self { handle, trader, account, contract } = self;
        let ticket = Ticket::market(*account, contract, OrderSide::Buy, size);
        handle.with(|gateway, now| trader.place(gateway, now, &ticket)).map_err(Failure::other)?;
        Ok(())
    }

    fn close(&mut self) -> Result<(), Failure> {
        let Self { handle, trader, account, contract } = self;
        handle
            .with(|gateway, now| trader.close(gateway, now, (*account, contract), None))
            .map_err(Failure::other)
    }

    fn journal_length(&self) -> usize {
        self.rows().len()
    }

    fn rows(&self) -> Vec<Value> {
        self.handle.with(|gateway, _| {
            let rows = gateway.journal().after(0);
            rows.filter_map(|row| serde_json::to_value(row).ok()).collect()
        })
    }

    /// From each pushed opening of a position to the next request of the same session on a path, in
    /// nanoseconds.
    fn reactions(&self, from: usize, path: &str) -> Vec<u64> {
        let mut pushed: std::collections::BTreeMap<String, u64> = std::collections::BTreeMap::new();
        let mut reactions = Vec::new();
        for row in &self.rows()[from..] {
            let session = row["session"].as_str().unwrap_or_default().to_string();
            let at = row["at_ns"].as_u64().unwrap_or_default();
            let opened = row["target"] == "GatewayUserPosition" && row["body"][0]["data"]["size"] == 3;
            if row["kind"] == "event" && opened {
                pushed.insert(session, at);
            } else if row["kind"] == "request"
                && row["path"].as_str() == Some(path)
                && let Some(since) = pushed.remove(&session)
            {
                reactions.push(at - since);
            }
        }
        reactions
    }
}

/// Waits for the next confirmed reduction.
async fn confirmed(viewer: &mut Client, seen: i64) -> Result<i64, Failure> {
    loop {
        let Reply::View { view } = viewer.next().await? else { continue };
        let receipt = view.receipts.iter().find(|receipt| {
            receipt.seq > seen
                && receipt.rule == RuleKey::MaxContractsPerInstrument
                && receipt.outcome == ReceiptOutcome::Confirmed
        });
        if let Some(receipt) = receipt {
            return Ok(receipt.seq);
        }
    }
}

fn figures(nanoseconds: &[u64]) -> Result<Figures, Failure> {
    let mut sorted: Vec<u64> = nanoseconds.iter().map(|ns| ns / 1_000).collect();
    sorted.sort_unstable();
    let last = sorted.len().checked_sub(1).ok_or_else(|| Failure::other("nothing was measured"))?;
    let at = |percent: usize| sorted[last * percent / 100];
    Ok(Figures { samples: sorted.len(), median_us: at(50), p99_us: at(99), max_us: at(100) })
}

fn report(as_json: bool, floor: Figures, product: Figures) -> Result<(), Failure> {
    if as_json {
        return print::json(&serde_json::json!({"floor": floor, "product": product}));
    }
    print::line("From the pushed event to the received request, by the gateway's journal:\n")?;
    let mut table = print::table(&["", "samples", "median µs", "P99 µs", "max µs"]);
    for (name, it) in [("gateway client alone (floor)", floor), ("whole product, flushed to disk", product)] {
        let cells =
            [it.samples.to_string(), it.median_us.to_string(), it.p99_us.to_string(), it.max_us.to_string()];
        table.add_row([name.to_string()].into_iter().chain(cells));
    }
    print::line(table)?;
    let (whole, tenth) =
        (product.median_us / floor.median_us.max(1), product.median_us * 10 / floor.median_us.max(1) % 10);
    print::line(format!("\nRatio of the medians: {whole}.{tenth}"))?;
    Ok(())
}
