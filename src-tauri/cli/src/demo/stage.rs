//! The stage: a simulator, an engine on a home of its own, and the trader.

use std::{fs, time::Duration};

use domain::{OrderSide, RuleKey};
use runtime::{
    Home, Running, Sign, Start,
    control::client::Client,
    credentials::Credentials,
    logs::{self, LogGuard},
};
use rust_decimal::Decimal;
use simulator::{Description, Gateway, Market, QuoteUpdate, Settings, Ticket, Trader};
use tracing::Level;
use views::{
    View,
    control::Reply,
    view::{Protection, ReceiptOutcome, ReceiptView},
};

use super::story::{Act, Expected, RISK_YAML, Scene};
use crate::{broker, exit::Failure, print};

/// How long an enforcement may take before it counts as missed; the grace of five seconds included.
const MISSED_AFTER: Duration = Duration::from_secs(20);

pub struct Stage {
    simulator: simulator::Running,
    engine: Running,
    viewer: Client,
    trader: Trader,
    account: i64,
    /// Receipts up to this number belong to earlier scenes.
    seen: i64,
    setting: String,
    _log: LogGuard,
}

impl Stage {
    /// Opens simulator and engine, and waits until the engine says that it protects.
    pub async fn open(home: Home) -> Result<Self, Failure> {
        let listen = ([127, 0, 0, 1], 0).into();
        let simulator =
            simulator::serve(Settings::new(Market::Manual), listen).await.map_err(Failure::other)?;
        let description = simulator.description().clone();
        write_settings(&home, &description).map_err(Failure::other)?;
        let log = logs::start(&home.logs(), Level::ERROR, "projectx").map_err(Failure::other)?;
        let mut engine = runtime::start(Start {
            home: home.clone(),
            broker: "the demo".to_string(),
            mode: "demo".to_string(),
            zones: print::zones(),
            login: Some(Credentials {
                user_name: description.username.clone(),
                api_key: description.api_key.clone(),
            }),
            connect: broker::projectx,
        })
        .await?;
        let protected = tokio::time::timeout(MISSED_AFTER, engine.signs.recv()).await;
        let Ok(Some(Sign::Protected { .. })) = protected else {
            return Err(Failure::other("the engine did not come to protect the simulated account"));
        };
        let mut viewer = Client::connect(home.path()).await?;
        viewer.watch().await?;
        let trader = simulator.handle().with(|gateway, _| Trader::new(gateway));
        let account = description.accounts.first().copied().unwrap_or_default();
        let setting = format!("Gateway {}, home {}.", description.base_url, home.path().display());
        Ok(Self { simulator, engine, viewer, trader, account, seen: 0, setting, _log: log })
    }

    pub fn setting(&self) -> &str {
        &self.setting
    }

    /// Plays a scene and waits until what must be seen is seen, with its receipt.
    pub async fn play(&mut self, scene: &Scene) -> Result<String, String> {
        for act in scene.acts {
            self.act(*act)?;
        }
        let receipt = tokio::time::timeout(MISSED_AFTER, self.enforced(scene))
            .await
            .map_err(|_| format!("nothing was seen within {} s", MISSED_AFTER.as_secs()))??;
        for act in scene.after {
            self.act(*act)?;
        }
        Ok(told(&receipt))
    }

    /// Figures over all scenes.
    pub async fn summary(&mut self) -> String {
        let Ok(view) = self.next_view().await else { return String::new() };
        match view.metrics.enforcement_latency_ms.zip(view.metrics.confirmation_latency_ms) {
            Some((sent, seen)) => format!(
                "From the event to the request: median {} ms. To the effect seen at the broker: median {} ms.",
                sent.p50_ms, seen.p50_ms
            ),
            None => String::new(),
        }
    }

    /// Ends engine and simulator.
    pub async fn close(self) -> Home {
        let home = self.engine.home.clone();
        self.engine.stop().await;
        self.simulator.shut_down().await;
        home
    }

    fn act(&mut self, act: Act) -> Result<(), String> {
        let Self { simulator, trader, account, .. } = self;
        simulator.handle().with(|gateway, now| {
            let contract = |root: &str| {
                gateway.front_contract(root).map(ToString::to_string).ok_or(format!("no contract of {root}"))
            };
            let ticket = match act {
                Act::Market(root, side, size) => Ticket::market(*account, &contract(root)?, side, size),
                Act::LimitBelow(root, size, points) => {
                    let contract = contract(root)?;
                    let price = below(gateway, &contract, points)?;
                    Ticket::limit(*account, &contract, OrderSide::Buy, size, price)
                }
                Act::StopBelow(root, size, points) => {
                    let contract = contract(root)?;
                    let price = below(gateway, &contract, points)?;
                    Ticket::stop(*account, &contract, OrderSide::Sell, size, price)
                }
                Act::Close(root) => {
                    let contract = contract(root)?;
                    let close = trader.close(gateway, now, (*account, &contract), None);
                    return close.map_err(|error| error.to_string());
                }
                Act::CancelAll => {
                    let orders = trader.orders(gateway, now, *account).map_err(|error| error.to_string())?;
                    for order in orders {
                        let cancel = trader.cancel(gateway, now, (*account, order.id));
                        cancel.map_err(|error| error.to_string())?;
                    }
                    return Ok(());
                }
                Act::Fall(root, points) => {
                    let contract = contract(root)?;
                    let last = Some(below(gateway, &contract, points)?);
                    gateway.post_quote(now, &contract, QuoteUpdate { last, ..QuoteUpdate::default() });
                    return Ok(());
                }
            };
            trader.place(gateway, now, &ticket).map(|_| ()).map_err(|error| error.to_string())
        })
    }

    async fn enforced(&mut self, scene: &Scene) -> Result<ReceiptView, String> {
        loop {
            let view = self.next_view().await?;
            let receipt = view.receipts.iter().find(|receipt| {
                receipt.seq > self.seen
                    && receipt.rule == scene.rule
                    && receipt.outcome == ReceiptOutcome::Confirmed
            });
            if let Some(receipt) = receipt
                && self.is_seen(scene.expected, &view)
            {
                self.seen = receipt.seq;
                return Ok(receipt.clone());
            }
        }
    }

    /// Whether the simulator's own truth, and the engine's view, show what must be.
    fn is_seen(&mut self, expected: Expected, view: &View) -> bool {
        let Self { simulator, trader, account, .. } = self;
        simulator.handle().with(|gateway, now| {
            let positions = trader.positions(gateway, now, *account).unwrap_or_default();
            let orders = trader.orders(gateway, now, *account).unwrap_or_default();
            let of = |root: &str| gateway.front_contract(root).unwrap_or_default().to_string();
            match expected {
                Expected::Held(root, size) => {
                    let held: i64 =
                        positions.iter().filter(|it| it.contract_id == of(root)).map(|it| it.size).sum();
                    held == size
                }
                Expected::NoOrders(root) => orders.iter().all(|order| order.contract_id != of(root)),
                Expected::FlatAndLocked => positions.is_empty() && view.protection == Protection::Locked,
            }
        })
    }

    async fn next_view(&mut self) -> Result<View, String> {
        loop {
            match self.viewer.next().await {
                Ok(Reply::View { view }) => return Ok(*view),
                Ok(
                    Reply::Note { .. }
                    | Reply::Log { .. }
                    | Reply::Accepted
                    | Reply::Refused { .. }
                    | Reply::Settings { .. }
                    | Reply::Preview { .. }
                    | Reply::Contracts { .. }
                    | Reply::History { .. }
                    | Reply::Reconciled { .. }
                    | Reply::Presets { .. },
                ) => {}
                Err(error) => return Err(error.to_string()),
            }
        }
    }
}

/// Settings for a simulated gateway.
pub fn write_settings(home: &Home, description: &Description) -> std::io::Result<()> {
    fs::create_dir_all(home.config())?;
    let Description { base_url, user_hub_url, market_hub_url, .. } = description;
    let api =
        format!("base_url: {base_url}\nuser_hub_url: {user_hub_url}\nmarket_hub_url: {market_hub_url}\n");
    fs::write(home.config().join("api.yaml"), api)?;
    fs::write(home.config().join("risk.yaml"), RISK_YAML)
}

fn below(gateway: &Gateway, contract: &str, points: i64) -> Result<Decimal, String> {
    let (last, _, _) = gateway.prices(contract).ok_or_else(|| format!("no price of {contract}"))?;
    Ok(last - Decimal::from(points))
}

/// What a receipt says, with its stations.
fn told(receipt: &ReceiptView) -> String {
    let done = receipt.done.as_deref().unwrap_or("done.");
    let station = |at: Option<domain::Instant>| {
        receipt.detected_at.zip(at).map(|(from, to)| (to - from).num_microseconds().unwrap_or_default())
    };
    let milliseconds = |micros: i64| format!("{}.{:01} ms", micros / 1000, micros % 1000 / 100);
    let stations: Vec<String> = [
        ("request", station(receipt.sent_at)),
        ("accepted", station(receipt.acknowledged_at)),
        ("seen", station(receipt.confirmed_at)),
    ]
    .into_iter()
    .filter_map(|(name, micros)| micros.map(|micros| format!("{name} {}", milliseconds(micros))))
    .collect();
    let lock = matches!(receipt.rule, RuleKey::DailyRealizedLoss) && receipt.action == "flatten_account";
    let lock = if lock { " Locked until the trading day ends." } else { "" };
    format!("{done}{lock} After the event: {}.", stations.join(", "))
}
