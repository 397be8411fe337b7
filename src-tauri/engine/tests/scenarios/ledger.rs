//! The P&L tracker of specification C.7: the broker's figures count, the fills' own are held against them.

use domain::{
    Action, Event, Fill, Notice,
    OrderSide::{Buy, Sell},
};

use crate::desk::{Desk, only, usd};

fn desk() -> Desk {
    let mut desk = Desk::new(only(|_| {}));
    desk.metadata("MNQ");
    desk
}

fn notices(desk: &mut Desk, event: &Event) -> Vec<Notice> {
    let told = |action| {
        let Action::Alert(alert) = action else { return None };
        Some(alert.notice)
    };
    desk.engine.step(desk.now, event).into_iter().filter_map(told).collect()
}

/// Two bought at 21,000, as fill and as position.
fn bought(desk: &mut Desk) {
    desk.fill("MNQ", Buy, 2, "21000", "");
    desk.position("MNQ", 2, "21000");
}

/// Apply a fill, apply a correction, void it.
#[test]
fn ledger_scenario_1() {
    let mut desk = desk();
    bought(&mut desk);
    let fill = desk.fill_of("MNQ", Sell, 2, "20970", "-120");
    desk.send(Event::Fill(fill.clone()));
    assert_eq!(desk.realized(), "-120.00");
    desk.send(Event::Fill(Fill { pnl: Some(usd("-119")), ..fill.clone() }));
    assert_eq!(desk.realized(), "-119.00");
    desk.send(Event::Fill(Fill { voided: true, ..fill }));
    assert_eq!(desk.realized(), "0.00");
}

/// The broker's figure wins; a difference of more than a cent for one fill is told, once.
#[test]
fn ledger_scenario_2() {
    let mut desk = desk();
    bought(&mut desk);
    desk.position("MNQ", 0, "21000");
    let fill = desk.fill_of("MNQ", Sell, 2, "20970", "-125");
    let told = notices(&mut desk, &Event::Fill(fill));
    let [Notice::ResultDiffers { brokers, own, .. }] = told.as_slice() else { panic!("{told:?}") };
    assert_eq!((*brokers, *own), (usd("-125"), usd("-120")));
    assert_eq!(desk.realized(), "-125.00");
    assert_eq!(notices(&mut desk, &Event::Tick), []);
}

/// Without a figure of the broker the fills' own counts after two seconds; a late one replaces it.
#[test]
fn ledger_scenario_3() {
    let mut desk = desk();
    bought(&mut desk);
    let fill = desk.fill_of("MNQ", Sell, 2, "20970", "");
    desk.send(Event::Fill(fill.clone()));
    desk.position("MNQ", 0, "21000");
    assert_eq!(desk.realized(), "0.00");
    desk.later(2_000).tick();
    assert_eq!(desk.realized(), "-120.00");
    desk.send(Event::Fill(Fill { pnl: Some(usd("-118")), ..fill }));
    assert_eq!(desk.realized(), "-118.00");
}

/// Rebuilt from the broker's list of the day; a difference of more than a dollar is told.
#[test]
fn ledger_scenario_4() {
    let mut desk = desk();
    let fill = desk.fill_of("MNQ", Sell, 2, "20970", "-120");
    desk.send(Event::Fill(fill.clone()));
    desk.later(60_000);
    desk.send(Event::Link(domain::Link::UserDown { why: "closed".to_string() }));
    desk.send(Event::Link(domain::Link::UserUp));
    let mut read = |pnl| desk.reconcile(&[Fill { pnl: Some(usd(pnl)), ..fill.clone() }]);
    assert_eq!(read("-119.50"), "");
    assert_eq!(read("-150"), "alert: day of -119.50 known, -150.00 read");
    assert_eq!(desk.realized(), "-150.00");
}

/// The day of a fill is the trading day of the platform's time, not the calendar's date.
#[test]
fn ledger_scenario_5() {
    let mut desk = desk();
    desk.at("16:59:59");
    let before = desk.fill_of("MNQ", Sell, 2, "20970", "-120");
    desk.at("17:00:01").tick();
    desk.send(Event::Fill(before));
    assert_eq!(desk.realized(), "0.00");
    desk.fill("MNQ", Sell, 1, "20970", "-60");
    assert_eq!(desk.realized(), "-60.00");
    desk.at("2025-10-30T09:00:00").tick();
    assert_eq!(desk.realized(), "-60.00", "midnight begins no day");
}

/// Of a trade that the venue undid nobody knows what became of its position: the broker's figures count, and
/// an opening trade, which has none, is not taken for a close.
#[test]
fn a_voided_trade_gives_no_other_one_a_result() {
    let mut desk = desk();
    let entry = desk.fill_of("MNQ", Buy, 2, "21000", "");
    desk.send(Event::Fill(entry.clone()));
    desk.position("MNQ", 2, "21000");
    let exit = desk.later(60_000).fill_of("MNQ", Sell, 2, "20970", "-120");
    desk.send(Event::Fill(exit.clone()));
    desk.position("MNQ", 0, "21000");
    let exit = Fill { voided: true, ..exit };
    desk.send(Event::Fill(exit.clone()));
    let again = desk.later(60_000).fill_of("MNQ", Buy, 1, "20900", "");
    desk.send(Event::Fill(again.clone()));
    desk.position("MNQ", 1, "20900");
    desk.later(5_000).reconcile(&[entry, exit, again]);
    desk.later(5_000).tick();
    assert_eq!(desk.realized(), "0.00");
}

/// Sold twice, bought back, sold at another price, turned and closed: nothing was lost. Who takes the day to
/// have begun with one bought sees the third sale close what the first purchase opened.
fn round_trips(desk: &mut Desk) -> Vec<Fill> {
    let trades = [
        (Sell, 1, "21000", ""),
        (Sell, 1, "21000", ""),
        (Buy, 2, "21000", "0"),
        (Sell, 1, "20500", ""),
        (Buy, 2, "20500", "0"),
        (Sell, 1, "20500", "0"),
    ];
    let fills: Vec<Fill> = trades
        .iter()
        .map(|(side, size, price, pnl)| desk.later(100).fill_of("MNQ", *side, *size, price, pnl))
        .collect();
    fills[..5].iter().for_each(|fill| drop(desk.send(Event::Fill(fill.clone()))));
    fills
}

/// The list of positions shows nothing any more, the stream told of a position just before: until both say
/// the same, no result of the fills' own counts.
#[test]
fn a_reading_in_dispute_gives_no_fill_a_result() {
    let mut desk = desk();
    let fills = round_trips(&mut desk);
    desk.position("MNQ", 1, "20500");
    desk.later(100).hold("MNQ", 0, "20500");
    desk.reconcile_after(2_000, &fills);
    assert_eq!(desk.realized(), "0.00");
    desk.later(3_000).tick();
    assert_eq!(desk.realized(), "0.00");
}

/// A position closes between the list of positions and that of the fills. Where the gateway names no result
/// long after a fill, it opened something, whatever the fills add up to.
#[test]
fn a_reading_of_two_moments_gives_no_fill_a_result() {
    let mut desk = desk();
    let fills = round_trips(&mut desk);
    desk.position("MNQ", 1, "20500");
    desk.later(10_000).reconcile(&fills);
    desk.later(3_000).tick();
    assert_eq!(desk.realized(), "0.00");
}
