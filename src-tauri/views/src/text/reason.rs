//! Why something was done: the value of its limit, in one sentence part without a full stop.

use domain::{
    Breach, Contracts, Instant, RuleKey, Symbol, Usd,
    breach::{CountType, Step},
};

use super::{money, time, words};

/// With cents throughout, for pages and the audit: `−$512.50 of −$500.00`.
#[must_use]
pub fn full(breach: &Breach) -> String {
    sentence(breach, money::signed)
}

/// With whole limits without cents, for messages: `−$512.50 of −$500`.
#[must_use]
pub fn short(breach: &Breach) -> String {
    sentence(breach, money::short)
}

/// What was done because of a breach is called so.
#[must_use]
pub fn title(rule: RuleKey, breach: &Breach) -> &'static str {
    let command =
        if let Breach::TraderCommand { command, .. } = breach { Some(command.as_str()) } else { None };
    words::deed_title(rule, command)
}

/// The symbol that a breach concerns, if it concerns one.
#[must_use]
pub fn symbol(breach: &Breach) -> Option<&Symbol> {
    match breach {
        Breach::TooManyOfInstrument { symbol, .. }
        | Breach::NoStop { symbol, .. }
        | Breach::SymbolBlocked { symbol, .. }
        | Breach::OpenProfit { symbol, .. }
        | Breach::Management { symbol, .. } => Some(symbol),
        Breach::WhileLocked { symbol, .. }
        | Breach::OwnEffect { symbol, .. }
        | Breach::Leftover { symbol }
        | Breach::OpenLoss { symbol, .. }
        | Breach::OutsideSession { symbol, .. } => symbol.as_ref(),
        Breach::TooManyContracts { .. }
        | Breach::DailyLoss { .. }
        | Breach::TraderCommand { .. }
        | Breach::DailyProfit { .. }
        | Breach::CannotTrade
        | Breach::TooManyTrades { .. }
        | Breach::LosingTrade { .. } => None,
    }
}

fn sentence(breach: &Breach, limit_text: fn(Usd) -> String) -> String {
    match breach {
        Breach::TooManyContracts { count, limit, count_type } => {
            let how = match count_type {
                CountType::Net => "",
                CountType::Gross => ", longs plus shorts",
            };
            format!("{count} of {limit} contracts{how}")
        }
        Breach::TooManyOfInstrument { symbol, count, limit } => format!("{count} of {limit} {symbol}"),
        Breach::DailyLoss { value, limit, .. } => of(*value, *limit, limit_text),
        Breach::NoStop { symbol, covered, size, grace_seconds } => {
            let grace = time::elapsed(chrono::TimeDelta::seconds(i64::from(*grace_seconds)));
            format!("{covered} of {size} {symbol} covered by a stop after {grace}")
        }
        Breach::SymbolBlocked { symbol, pattern } => blocked(symbol, pattern),
        Breach::WhileLocked { rule, symbol, permitted, held, .. } => {
            let by = if *rule == RuleKey::Trader { "your own lock" } else { words::title(*rule) };
            while_locked(by, symbol.as_ref(), *permitted, *held)
        }
        Breach::OwnEffect { symbol, size } => format!(
            "{size} {} from a resting order that filled while we were closing",
            words::symbol_or_unknown(symbol.as_ref())
        ),
        Breach::Leftover { symbol } => {
            format!("orders left over from {}", words::symbol_or_unknown(symbol.as_ref()))
        }
        Breach::TraderCommand { .. } => "your own command".to_owned(),
        Breach::OpenLoss { symbol, value, limit } => {
            let value = of(*value, *limit, limit_text);
            symbol.as_ref().map_or_else(|| format!("{value} in all"), |symbol| format!("{value} in {symbol}"))
        }
        Breach::OpenProfit { symbol, value, target } => {
            format!("{} in {symbol}", of(*value, *target, limit_text))
        }
        Breach::DailyProfit { value, target, .. } => of(*value, *target, limit_text),
        Breach::Management { symbol, step, size, price } => {
            let size = words::size(*size, symbol);
            match step {
                Step::StopLoss => format!("stop for {size} at {price}"),
                Step::TakeProfit => format!("target for {size} at {price}"),
                Step::Breakeven => format!("stop for {size} to breakeven at {price}"),
                Step::Trailing => format!("trailing stop for {size} at {price}"),
            }
        }
        Breach::CannotTrade => "the broker does not let this account trade".to_owned(),
        Breach::TooManyTrades { window, count, limit } => {
            format!("{count} of {limit} trades {}", words::within(*window))
        }
        Breach::LosingTrade { loss, limit } => {
            format!("{} in one trade, break from {}", money::signed(*loss), limit_text(*limit))
        }
        Breach::OutsideSession { symbol, ended, .. } => outside(symbol.as_ref(), *ended),
    }
}

fn outside(symbol: Option<&Symbol>, ended: Option<Instant>) -> String {
    let hours = match symbol {
        Some(symbol) => format!("{symbol} hours"),
        None => "trading hours".to_owned(),
    };
    match ended {
        Some(ended) => format!("{hours} ended {}", time::schedule(ended, ended)),
        None => format!("outside {hours}"),
    }
}

fn of(value: Usd, limit: Usd, limit_text: fn(Usd) -> String) -> String {
    format!("{} of {}", money::signed(value), limit_text(limit))
}

fn blocked(symbol: &Symbol, pattern: &str) -> String {
    match pattern == symbol.as_str() {
        true => format!("{symbol} is blocked"),
        false => format!("{symbol} is blocked by {pattern}"),
    }
}

fn while_locked(title: &str, symbol: Option<&Symbol>, permitted: Contracts, held: Contracts) -> String {
    let symbol = words::symbol_or_unknown(symbol);
    match permitted {
        Contracts::ZERO => format!("{held} {symbol} while locked by {title}"),
        _ => format!("{held} {symbol} while locked by {title}, {permitted} allowed"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::{
        LockKind, RuleKey,
        breach::{Basis, TradeWindow},
    };

    fn check(breach: Breach, expected: &str) {
        assert_eq!(full(&breach), expected);
    }

    #[test]
    fn every_reason_names_the_value_and_its_limit() {
        let mnq = || Symbol::new("MNQ");
        check(
            Breach::TooManyContracts {
                count: Contracts(6),
                limit: Contracts(5),
                count_type: CountType::Gross,
            },
            "6 of 5 contracts, longs plus shorts",
        );
        check(
            Breach::TooManyOfInstrument { symbol: mnq(), count: Contracts(6), limit: Contracts(4) },
            "6 of 4 MNQ",
        );
        check(
            Breach::NoStop { symbol: mnq(), covered: Contracts(0), size: Contracts(1), grace_seconds: 120 },
            "0 of 1 MNQ covered by a stop after 2m 00s",
        );
        check(Breach::SymbolBlocked { symbol: Symbol::new("RTY"), pattern: "RTY".into() }, "RTY is blocked");
        check(
            Breach::SymbolBlocked { symbol: Symbol::new("RTY"), pattern: "R*".into() },
            "RTY is blocked by R*",
        );
        check(
            Breach::OwnEffect { symbol: Some(mnq()), size: Contracts(2) },
            "2 MNQ from a resting order that filled while we were closing",
        );
        check(Breach::Leftover { symbol: None }, "orders left over from an unknown contract");
        check(Breach::TraderCommand { command: "flatten".into(), until: None }, "your own command");
    }

    #[test]
    fn reasons_of_rules_about_time() {
        let ended: Instant = "2025-11-18T21:00:00Z".parse().unwrap();
        let outside = |symbol: Option<&str>, ended| Breach::OutsideSession {
            symbol: symbol.map(Symbol::new),
            ended,
            closes_at: None,
        };
        let trades = |window| Breach::TooManyTrades { window, count: 3, limit: 3 };
        check(trades(TradeWindow::PerMinute), "3 of 3 trades within a minute");
        check(trades(TradeWindow::PerHour), "3 of 3 trades within an hour");
        check(trades(TradeWindow::PerSession), "3 of 3 trades in a trading day");
        check(
            Breach::LosingTrade { loss: Usd::from_cents(-12_050), limit: Usd::from_cents(-10_000) },
            "−$120.50 in one trade, break from −$100.00",
        );
        check(outside(None, Some(ended)), "trading hours ended 3:00 PM CT");
        check(outside(Some("ES"), Some(ended)), "ES hours ended 3:00 PM CT");
        check(outside(None, None), "outside trading hours");
    }

    #[test]
    fn exposure_while_locked_says_what_was_allowed() {
        let breach = |permitted| Breach::WhileLocked {
            rule: RuleKey::DailyRealizedLoss,
            kind: LockKind::Hard,
            symbol: Some(Symbol::new("MNQ")),
            permitted: Contracts(permitted),
            held: Contracts(3),
        };
        check(breach(0), "3 MNQ while locked by Daily Loss Limit");
        check(breach(2), "3 MNQ while locked by Daily Loss Limit, 2 allowed");
    }

    #[test]
    fn money_limits_are_exact_on_pages_and_short_in_messages() {
        let breach = Breach::DailyLoss {
            basis: Basis::Combined,
            value: Usd::from_cents(-51_250),
            limit: Usd::from_cents(-50_000),
        };
        assert_eq!(full(&breach), "−$512.50 of −$500.00");
        assert_eq!(short(&breach), "−$512.50 of −$500");
    }

    #[test]
    fn automatic_orders_name_their_size_and_price() {
        let step = |step, price: &str| Breach::Management {
            symbol: "MNQ".into(),
            step,
            size: Contracts(2),
            price: domain::Price(price.parse().unwrap()),
        };
        check(step(Step::StopLoss, "20997.50"), "stop for 2 MNQ at 20997.5");
        check(step(Step::TakeProfit, "21005"), "target for 2 MNQ at 21005");
        check(step(Step::Breakeven, "21000.25"), "stop for 2 MNQ to breakeven at 21000.25");
        check(step(Step::Trailing, "21004.75"), "trailing stop for 2 MNQ at 21004.75");
    }

    #[test]
    fn open_results_name_their_symbol() {
        let loss = |symbol: Option<&str>| Breach::OpenLoss {
            symbol: symbol.map(Symbol::new),
            value: Usd::from_cents(-21_250),
            limit: Usd::from_cents(-20_000),
        };
        check(loss(Some("ES")), "−$212.50 of −$200.00 in ES");
        check(loss(None), "−$212.50 of −$200.00 in all");
        let (value, target) = (Usd::from_cents(51_250), Usd::from_cents(50_000));
        check(Breach::OpenProfit { symbol: "MNQ".into(), value, target }, "+$512.50 of +$500.00 in MNQ");
        let target = Breach::DailyProfit { basis: Basis::Realized, value, target };
        assert_eq!(short(&target), "+$512.50 of +$500");
        check(Breach::CannotTrade, "the broker does not let this account trade");
    }
}
