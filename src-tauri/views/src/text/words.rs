//! Names and counts: what rules and holdings are called.

use domain::{Contracts, RuleKey, Side, Symbol, breach::TradeWindow};

/// One open position, as far as a sentence needs it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Held {
    /// Direction.
    pub side: Side,
    /// Contracts.
    pub size: Contracts,
    /// Root.
    pub symbol: Symbol,
}

/// The rule in the words of people.
#[must_use]
pub fn title(rule: RuleKey) -> &'static str {
    match rule {
        RuleKey::MaxContracts => "Max Contracts",
        RuleKey::MaxContractsPerInstrument => "Contract Limits",
        RuleKey::DailyRealizedLoss => "Daily Loss Limit",
        RuleKey::DailyUnrealizedLoss => "Open Loss per Position",
        RuleKey::MaxUnrealizedProfit => "Open Profit per Position",
        RuleKey::TradeFrequencyLimit => "Trade Limits",
        RuleKey::CooldownAfterLoss => "Cooldown After Loss",
        RuleKey::NoStopLossGrace => "Stop-Loss Required",
        RuleKey::SessionBlockOutside => "Trading Hours",
        RuleKey::AuthLossGuard => "Connection Guard",
        RuleKey::SymbolBlocks => "Symbol Block",
        RuleKey::TradeManagement => "Trade Management",
        RuleKey::DailyRealizedProfit => "Daily Profit Target",
        RuleKey::Trader => "Your own lock",
    }
}

/// What a rule or the trader did is called: their own commands go by the names of their buttons, what follows from
/// their own lock by the lock's.
#[must_use]
pub fn deed_title(rule: RuleKey, command: Option<&str>) -> &'static str {
    match (rule, command) {
        (RuleKey::Trader, Some("flatten")) => "Flatten All",
        (RuleKey::Trader, Some("cancel")) => "Cancel All",
        (RuleKey::Trader, Some("done")) => "Done for the day",
        _ => title(rule),
    }
}

/// The rule and the symbol it concerns: `Contract Limits, MNQ`.
#[must_use]
pub fn title_with(rule: RuleKey, symbol: Option<&Symbol>) -> String {
    match symbol {
        Some(symbol) => format!("{}, {symbol}", title(rule)),
        None => title(rule).to_owned(),
    }
}

/// The time over which trades are counted: `within a minute`.
#[must_use]
pub fn within(window: TradeWindow) -> &'static str {
    match window {
        TradeWindow::PerMinute => "within a minute",
        TradeWindow::PerHour => "within an hour",
        TradeWindow::PerSession => "in a trading day",
    }
}

/// What an account is called: the trader's own name for it, as the settings say; otherwise the broker's in short.
#[must_use]
pub fn account_name(own: Option<&str>, name: &str) -> String {
    match own.map(str::trim) {
        Some(own) if !own.is_empty() && own != name => own.to_owned(),
        Some(_) | None => short_name(name),
    }
}

/// First two parts and last four characters of an account's name: `50KTC-V2-…5101`. A name that this
/// would not shorten stays whole.
#[must_use]
pub fn short_name(name: &str) -> String {
    let end: String = name.chars().rev().take(4).collect::<Vec<_>>().into_iter().rev().collect();
    let mut parts = name.splitn(3, '-');
    let (Some(first), Some(second), Some(_)) = (parts.next(), parts.next(), parts.next()) else {
        return name.to_owned();
    };
    let short = format!("{first}-{second}-…{end}");
    if short.chars().count() < name.chars().count() { short } else { name.to_owned() }
}

/// `1 order`, `2 orders`.
#[must_use]
pub fn count(number: u32, noun: &str) -> String {
    format!("{number} {noun}{}", if number == 1 { "" } else { "s" })
}

/// `2 MNQ`.
#[must_use]
pub fn size(contracts: Contracts, symbol: &Symbol) -> String {
    format!("{contracts} {symbol}")
}

/// `MNQ`, or `an unknown contract`.
#[must_use]
pub fn symbol_or_unknown(symbol: Option<&Symbol>) -> String {
    symbol.map_or_else(|| "an unknown contract".to_owned(), ToString::to_string)
}

/// `Long 2 MNQ and Short 1 ES`; nothing held is `none`.
#[must_use]
pub fn holdings(held: &[Held]) -> String {
    match held {
        [] => "none".to_owned(),
        some => listed(&some.iter().map(holding).collect::<Vec<_>>()),
    }
}

/// `A`, `A and B`, `A, B and C`.
#[must_use]
pub fn listed(things: &[String]) -> String {
    match things {
        [] => String::new(),
        [one] => one.clone(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}

fn holding(held: &Held) -> String {
    let side = match held.side {
        Side::Long => "Long",
        Side::Short => "Short",
    };
    format!("{side} {}", size(held.size, &held.symbol))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn account_names_keep_what_tells_them_apart() {
        assert_eq!(short_name("50KTC-V2-204817-93365101"), "50KTC-V2-…5101");
        assert_eq!(short_name("PRAC-V2-204817-61407733"), "PRAC-V2-…7733");
        assert_eq!(short_name("DEMO"), "DEMO");
        assert_eq!(short_name("A-B-1234"), "A-B-1234");
        assert_eq!(short_name("Größe-ÄÖ-ÜÜÜÜÜÜÜ"), "Größe-ÄÖ-…ÜÜÜÜ");
    }

    #[test]
    fn the_traders_own_name_of_an_account_goes_before_the_brokers() {
        let name = "50KTC-V2-204817-93365101";
        assert_eq!(account_name(Some("Swing"), name), "Swing");
        for none in [None, Some(" "), Some(name)] {
            assert_eq!(account_name(none, name), "50KTC-V2-…5101");
        }
    }

    #[test]
    fn a_command_of_the_trader_is_called_like_its_button() {
        let titles = ["flatten", "cancel", "done", "lock"].map(|it| deed_title(RuleKey::Trader, Some(it)));
        assert_eq!(titles, ["Flatten All", "Cancel All", "Done for the day", "Your own lock"]);
        assert_eq!(deed_title(RuleKey::Trader, None), "Your own lock", "what a lock of theirs brings about");
        assert_eq!(deed_title(RuleKey::DailyRealizedLoss, None), "Daily Loss Limit");
    }

    #[test]
    fn lists_read_like_sentences() {
        let words = |text: &str| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
        assert_eq!(listed(&words("a")), "a");
        assert_eq!(listed(&words("a b")), "a and b");
        assert_eq!(listed(&words("a b c")), "a, b and c");
        assert_eq!(count(1, "order"), "1 order");
        assert_eq!(count(0, "order"), "0 orders");
    }
}
