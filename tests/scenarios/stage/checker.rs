//! What must hold in every scenario, whatever its story: read from the gateway's journal and books, from
//! the audit, and from what the engine left behind.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use super::{
    Stage,
    journal::{Journal, Row},
};

/// All that Risk Manager ever asks of the gateway.
const ALLOWED: [&str; 20] = [
    "/api/Auth/loginKey",
    "/api/Auth/validate",
    "/api/Auth/logout",
    "/api/Account/search",
    "/api/Position/searchOpen",
    "/api/Position/closeContract",
    "/api/Position/partialCloseContract",
    "/api/Order/searchOpen",
    "/api/Order/search",
    "/api/Order/cancel",
    "/api/Order/modify",
    "/api/Order/place",
    "/api/Trade/search",
    "/api/Contract/search",
    "/api/Contract/searchById",
    "/api/Contract/available",
    "/api/History/retrieveBars",
    "/api/Status/ping",
    "/hubs/user",
    "/hubs/market",
];

/// The gateway's limit in any minute (gateway reference 2.5).
const REQUESTS_PER_MINUTE: usize = 200;
const MINUTE_NS: u64 = 60_000_000_000;

const LIMIT: i64 = 1;
const MARKET: i64 = 2;
const STOP: i64 = 4;
const BUY: i64 = 0;

/// Checks the whole scenario. `settled`: an engine ran to the end, so nothing may be pending.
pub fn check(stage: &Stage, settled: bool) {
    let journal = stage.simulator.journal();
    only_allowed_requests(&journal);
    stays_within_the_rate_limit(&journal);
    looks_before_it_repeats(stage, &journal);
    never_enlarges_an_order(stage, &journal);
    places_only_what_protects(stage, &journal);
    never_closes_more_than_is_open(stage, &journal);
    the_audit_is_sound(stage, settled);
    leaves_no_traces(stage);
}

fn only_allowed_requests(journal: &Journal) {
    for row in journal.requests() {
        assert!(ALLOWED.contains(&row.path.as_str()), "never to be sent: {row}");
    }
}

/// Counted per session, as the gateway counts: an engine that is killed leaves no count behind.
fn stays_within_the_rate_limit(journal: &Journal) {
    let mut windows: BTreeMap<Option<&str>, VecDeque<u64>> = BTreeMap::new();
    for row in journal.requests().into_iter().filter(|row| row.path.starts_with("/api/")) {
        let window = windows.entry(row.session.as_deref()).or_default();
        window.push_back(row.at_ns);
        while window.front().is_some_and(|first| first + MINUTE_NS < row.at_ns) {
            window.pop_front();
        }
        assert!(window.len() < REQUESTS_PER_MINUTE, "too many requests within a minute: {row}");
    }
}

/// Between two close calls for one position there is news of it, or a question about it, or the first was
/// refused unexecuted.
fn looks_before_it_repeats(stage: &Stage, journal: &Journal) {
    let mut unseen: BTreeMap<(String, String), &Row> = BTreeMap::new();
    let mut repeated = Vec::new();
    for row in journal.rows_of_engine() {
        let data = if row.kind == "event" { &row.body[0]["data"] } else { &row.body };
        let account = data["accountId"].to_string();
        let contract = data["contractId"].to_string();
        if row.is_close() {
            if !was_refused(row) {
                repeated
                    .extend(unseen.insert((account, contract), row).map(|first| format!("{first}\n{row}")));
            }
        } else if row.path.ends_with("/Position/searchOpen") {
            unseen.retain(|(of, _), _| *of != account);
        } else if matches!(row.target.as_deref(), Some("GatewayUserPosition" | "GatewayUserTrade")) {
            unseen.remove(&(account, contract));
        }
    }
    assert!(repeated.len() <= stage.misses, "closed twice without looking:\n{}", repeated.join("\n"));
}

/// Refused by the gateway's door: nothing was executed, and the caller knows.
fn was_refused(row: &Row) -> bool {
    matches!(row.status, Some(401 | 429))
}

fn never_enlarges_an_order(stage: &Stage, journal: &Journal) {
    let placed = stage.simulator.placed.lock().unwrap();
    for row in journal.to("/Order/modify") {
        let known = row.body["orderId"].as_i64().and_then(|id| placed.get(&id));
        if let (Some(before), Some(now)) = (known, row.body["size"].as_i64()) {
            assert!(now < *before, "an order became larger: {row}");
        }
    }
}

/// An order that Risk Manager places is a stop or a limit with a tag of its own, used once, on the exit side
/// of a position and not larger than it.
fn places_only_what_protects(stage: &Stage, journal: &Journal) {
    let mut tags = BTreeSet::new();
    for row in journal.to("/Order/place").into_iter().filter(|row| !was_refused(row)) {
        let tag = row.body["customTag"].as_str().unwrap_or_default();
        assert!(tag.starts_with("rm-") && tags.insert(tag.to_string()), "no tag of its own: {row}");
        assert!([LIMIT, STOP].contains(&row.body["type"].as_i64().unwrap()), "no protective order: {row}");
        let account = row.body["accountId"].as_i64().unwrap();
        let truth = stage.simulator.truth(account);
        let created = order_tagged(stage, account, tag);
        let held = held_at(&truth, &created);
        let size = row.body["size"].as_i64().unwrap();
        let change = if row.body["side"] == BUY { size } else { -size };
        assert!(held * change < 0 && size <= held.abs(), "placed while {held} were held: {row}");
    }
}

fn order_tagged(stage: &Stage, account: i64, tag: &str) -> Value {
    let wish = json!({"accountId": account, "startTimestamp": "2020-01-01T00:00:00Z"});
    let answer = stage.simulator.post("/api/Order/search", &wish);
    answer["orders"].as_array().unwrap().iter().find(|it| it["customTag"] == tag).cloned().unwrap()
}

/// What was held of an order's contract when it was created.
fn held_at(truth: &Value, order: &Value) -> i64 {
    let at = |value: &Value| value["creationTimestamp"].as_str().unwrap().parse::<DateTime<Utc>>().unwrap();
    let fills = truth["fills"].as_array().unwrap().iter();
    fills
        .filter(|fill| fill["contractId"] == order["contractId"] && at(fill) <= at(order))
        .map(|fill| {
            let size = fill["size"].as_i64().unwrap();
            if fill["side"] == BUY { size } else { -size }
        })
        .sum()
}

/// Goes through the gateway's own book: each order that came from a close call was not larger than what
/// was open at that moment and not already being closed; and no close call went out that found nothing to
/// close.
fn never_closes_more_than_is_open(stage: &Stage, journal: &Journal) {
    let mut closing_orders = 0;
    for account in &stage.simulator.accounts {
        let closing = closing_orders_of(stage, *account);
        closing_orders += closing.len();
        let truth = stage.simulator.truth(*account);
        replay(&closing, truth["fills"].as_array().unwrap());
    }
    let by_trader = journal.requests_of_trader().into_iter().filter(|row| row.is_close()).count();
    let by_engine = journal.closes().into_iter().filter(|row| !was_refused(row)).count();
    let effective = closing_orders - by_trader;
    assert!(
        by_engine <= effective + stage.misses,
        "{by_engine} close calls, of which {effective} had something to close; {} were expected to miss",
        stage.misses
    );
}

/// What happens at the gateway to one contract.
enum Step<'v> {
    Closing(&'v Value),
    Fill(&'v Value),
}

fn replay(closing: &[Value], fills: &[Value]) {
    let at = |value: &Value| value["creationTimestamp"].as_str().unwrap().parse::<DateTime<Utc>>().unwrap();
    let mut steps: Vec<(DateTime<Utc>, Step<'_>)> =
        closing.iter().map(|it| (at(it), Step::Closing(it))).collect();
    steps.extend(fills.iter().map(|it| (at(it), Step::Fill(it))));
    // An order comes before its own fills, which may bear the same time.
    steps.sort_by_key(|(at, step)| (*at, matches!(step, Step::Fill(_))));
    let mut held: BTreeMap<&str, i64> = BTreeMap::new();
    let mut in_flight: BTreeMap<i64, i64> = BTreeMap::new();
    for (_, step) in steps {
        let (Step::Closing(value) | Step::Fill(value)) = step;
        let size = value["size"].as_i64().unwrap();
        let change = if value["side"] == BUY { size } else { -size };
        let held = held.entry(value["contractId"].as_str().unwrap()).or_default();
        match step {
            Step::Closing(order) => {
                let closing: i64 = in_flight.values().sum();
                let open = held.abs() - closing;
                assert!(
                    *held * change < 0 && size <= open,
                    "closes {size} of {held}, {closing} on their way: {order}"
                );
                in_flight.insert(order["id"].as_i64().unwrap(), size);
            }
            Step::Fill(fill) => {
                if let Some(left) = in_flight.get_mut(&fill["orderId"].as_i64().unwrap()) {
                    *left -= size;
                }
                *held += change;
            }
        }
    }
}

/// Orders that came from close calls: market orders without a tag or parent that nobody placed.
fn closing_orders_of(stage: &Stage, account: i64) -> Vec<Value> {
    let wish = json!({"accountId": account, "startTimestamp": "2020-01-01T00:00:00Z"});
    let answer = stage.simulator.post("/api/Order/search", &wish);
    let placed = stage.simulator.placed.lock().unwrap();
    let is_closing = |order: &&Value| {
        order["type"] == MARKET
            && order["customTag"].is_null()
            && order["parentOrderId"].is_null()
            && !placed.contains_key(&order["id"].as_i64().unwrap())
    };
    answer["orders"].as_array().unwrap().iter().filter(is_closing).cloned().collect()
}

fn the_audit_is_sound(stage: &Stage, settled: bool) {
    if !stage.home.file("state.db").exists() {
        return;
    }
    let verified = stage.home.ask(&["audit", "verify"]);
    let expected = if stage.audit_was_lost { 1 } else { 0 };
    assert_eq!(verified.code, Some(expected), "{}{}", verified.output, verified.errors);
    assert_eq!(verified.errors.contains("whole since, but not before"), stage.audit_was_lost);
    for line in stage.home.log() {
        assert!(!settled || line["outcome"] != "pending", "left pending: {line}");
        the_stamps_are_in_order(&line);
    }
}

/// Detected, sent, acknowledged; and confirmed after sent.
fn the_stamps_are_in_order(line: &Value) {
    let stamp = |name: &str| line[name].as_str().map(|text| text.parse::<DateTime<Utc>>().unwrap());
    let stations = ["detected_at", "sent_at", "acknowledged_at"].map(stamp);
    let known: Vec<_> = stations.into_iter().flatten().collect();
    assert!(known.is_sorted(), "{line}");
    if let (Some(sent), Some(confirmed)) = (stations[1], stamp("confirmed_at")) {
        assert!(sent <= confirmed, "{line}");
    }
}

fn leaves_no_traces(stage: &Stage) {
    let errors = stage.errors();
    assert!(!errors.contains("panicked"), "{errors}");
    assert!(!errors.contains(&stage.simulator.api_key), "the key stands in the log");
    assert_eq!(stage.home.holds_text(&stage.simulator.api_key), None, "the key stands in a file");
}
