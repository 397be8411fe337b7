//! One example for each rule, for the handbook: what it says, and how it is written. A test reads each as a
//! settings file.

use domain::RuleKey;

/// What the example does, and the lines below `rules:`. The trader's own lock has no settings.
pub(crate) const fn example(rule: RuleKey) -> Option<(&'static str, &'static str)> {
    Some(match rule {
        RuleKey::MaxContracts => (
            "three contracts at most, longs and shorts added up; the fourth is closed",
            "max_contracts: {limit: 3, count_type: gross}",
        ),
        RuleKey::MaxContractsPerInstrument => (
            "up to four MNQ or four MES; every other symbol is closed at once",
            "max_contracts_per_instrument:\n  instrument_limits: {MNQ: 4, MES: 4}\n  unknown_symbol_action: block",
        ),
        RuleKey::DailyRealizedLoss => (
            "the day ends at -300.00 of closed trades, whatever is open",
            "daily_realized_loss: {limit: -300, basis: realized}",
        ),
        RuleKey::DailyUnrealizedLoss => (
            "a position is closed at -120.00, valued at the price at which it could be left",
            "daily_unrealized_loss: {limit: -120, price_basis: exit_side}",
        ),
        RuleKey::MaxUnrealizedProfit => {
            ("a position is closed at +250.00", "max_unrealized_profit: {target: 250}")
        }
        RuleKey::TradeFrequencyLimit => (
            "six entries an hour and twelve a day; after the sixth a break of one hour",
            "trade_frequency_limit:\n  limits: {per_minute: null, per_hour: 6, per_session: 12}\n  \
             cooldown_on_breach: {per_hour_breach: 1h}\n  count: entries",
        ),
        RuleKey::CooldownAfterLoss => (
            "ten minutes after losing 50.00 in one trade, an hour after 150.00; other positions stay",
            "cooldown_after_loss:\n  loss_thresholds:\n    \
             - {loss_amount: -50, cooldown_duration: 10m}\n    \
             - {loss_amount: -150, cooldown_duration: 1h}\n  close_positions: false",
        ),
        RuleKey::NoStopLossGrace => (
            "a stop within 30 seconds, no farther than 200 ticks from the market",
            "no_stop_loss_grace: {grace_period_seconds: 30, max_stop_distance_ticks: 200}",
        ),
        RuleKey::SessionBlockOutside => (
            "mornings from Monday to Thursday; gold has hours of its own, over midnight",
            "session_block_outside:\n  session_hours: {start: \"08:30\", end: \"11:30\"}\n  \
             allowed_days: [0, 1, 2, 3]\n  per_instrument_sessions:\n    enabled: true\n    sessions:\n      \
             MGC: [{start: \"17:00\", end: \"16:00\", days: [6, 0, 1, 2, 3]}]",
        ),
        RuleKey::AuthLossGuard => (
            "flat and locked while the broker does not let the account trade",
            "auth_loss_guard: {on_can_trade_false: lockout}",
        ),
        RuleKey::SymbolBlocks => (
            "no crude oil, and neither NQ nor MNQ; a pattern with `*` stands in quotes",
            "symbol_blocks: {enabled: true, blocked_symbols: [CL, \"*NQ\"]}",
        ),
        RuleKey::TradeManagement => (
            "stop and target at 40 and 80 ticks, wider for MNQ, nothing moved",
            "trade_management:\n  enabled: true\n  auto_stop_loss: {ticks: 40}\n  \
             auto_take_profit: {ticks: 80}\n  auto_breakeven: {enabled: false}\n  \
             trailing_stop: {enabled: false}\n  per_instrument:\n    MNQ: {auto_stop_loss: {ticks: 60}}",
        ),
        RuleKey::DailyRealizedProfit => (
            "the day ends at +600.00, open results included",
            "daily_realized_profit: {target: 600, message: \"Enough for today.\"}",
        ),
        RuleKey::Trader => return None,
    })
}
