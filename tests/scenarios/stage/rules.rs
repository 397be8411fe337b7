//! Settings of the rules for one story: everything is wide open but what the story is about.

use std::{collections::BTreeMap, fmt};

/// `risk.yaml`.
#[derive(Clone)]
pub struct Rules(BTreeMap<&'static str, String>);

impl Rules {
    /// No rule gets in the way.
    pub fn open() -> Self {
        let open = [
            ("max_contracts", "{limit: 1000}"),
            ("max_contracts_per_instrument", "{default_limit: 1000, instrument_limits: {}}"),
            ("daily_realized_loss", "{limit: -1000000}"),
            ("daily_unrealized_loss", "{enabled: false}"),
            ("max_unrealized_profit", "{enabled: false}"),
            ("trade_frequency_limit", "{enabled: false}"),
            ("cooldown_after_loss", "{enabled: false}"),
            ("no_stop_loss_grace", "{grace_period_seconds: 600}"),
            ("session_block_outside", "{enabled: false}"),
            ("auth_loss_guard", "{enabled: false}"),
            ("symbol_blocks", "{enabled: false}"),
            ("daily_realized_profit", "{enabled: false}"),
        ];
        Self(open.into_iter().map(|(rule, values)| (rule, values.to_string())).collect())
    }

    /// One rule's values, in YAML's flow style.
    pub fn with(mut self, rule: &'static str, values: &str) -> Self {
        self.0.insert(rule, values.to_string());
        self
    }

    /// Two MNQ are allowed.
    pub fn two_mnq() -> Self {
        Self::open().with("max_contracts_per_instrument", "{instrument_limits: {MNQ: 2}}")
    }

    /// The day ends at this result, fees counted.
    pub fn day_ends_at(limit: &str) -> Self {
        Self::open().with("daily_realized_loss", &format!("{{limit: {limit}}}"))
    }
}

impl fmt::Display for Rules {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "rules:")?;
        self.0.iter().try_for_each(|(rule, values)| writeln!(f, "  {rule}: {values}"))
    }
}
