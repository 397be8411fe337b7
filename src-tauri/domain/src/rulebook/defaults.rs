//! The values that apply where a file says nothing (specification part B, rulings 3 and 4).

use std::collections::BTreeMap;

use chrono::NaiveTime;

use super::rules::{
    AuthLossGuard, AutoBreakeven, AutoOrder, AutoTrail, CooldownAfterLoss, DailyRealizedLoss,
    DailyRealizedProfit, DailyUnrealizedLoss, FrequencyWindow, LossScope, LossTier, MaxContracts,
    MaxContractsPerInstrument, MaxUnrealizedProfit, NoStopLossGrace, OnCanTradeFalse, PriceBasis,
    SessionBlockOutside, SessionWindow, SizeEnforcement, SymbolBlocks, SymbolListMode, TradeCount,
    TradeFrequencyLimit, TradeManagementValues, UnknownSymbol,
};
use crate::{
    Contracts, Usd,
    breach::{Basis, CountType},
    calendar::CENTRAL,
};

impl Default for MaxContracts {
    fn default() -> Self {
        Self { limit: Contracts(5), count_type: CountType::Net, enforcement: SizeEnforcement::ReduceToLimit }
    }
}

impl Default for MaxContractsPerInstrument {
    fn default() -> Self {
        Self {
            default_limit: Some(Contracts(3)),
            instrument_limits: [("ES".into(), Contracts(1)), ("MNQ".into(), Contracts(2))].into(),
            enforcement: SizeEnforcement::ReduceToLimit,
            unknown_symbol: UnknownSymbol::UseDefault,
        }
    }
}

impl Default for DailyRealizedLoss {
    fn default() -> Self {
        Self { limit: Usd::from_cents(-50_000), basis: Basis::Combined, include_fees: true }
    }
}

impl Default for DailyUnrealizedLoss {
    fn default() -> Self {
        Self {
            limit: Usd::from_cents(-20_000),
            scope: LossScope::Position,
            price_basis: PriceBasis::LastElseMid,
            check_interval_seconds: 5,
        }
    }
}

impl Default for MaxUnrealizedProfit {
    fn default() -> Self {
        Self {
            target: Usd::from_cents(50_000),
            price_basis: PriceBasis::LastElseMid,
            check_interval_seconds: 5,
        }
    }
}

impl Default for TradeFrequencyLimit {
    fn default() -> Self {
        Self {
            per_minute: FrequencyWindow { limit: Some(3), cooldown_seconds: 60 },
            per_hour: FrequencyWindow { limit: Some(10), cooldown_seconds: 30 * 60 },
            per_session: FrequencyWindow { limit: Some(50), cooldown_seconds: 60 * 60 },
            count: TradeCount::Orders,
            close_positions: false,
        }
    }
}

impl Default for CooldownAfterLoss {
    fn default() -> Self {
        let tier = |dollars: i64, cooldown_seconds| LossTier {
            loss: Usd::from_cents(dollars * 100),
            cooldown_seconds,
        };
        Self { tiers: vec![tier(-100, 300), tier(-200, 900), tier(-300, 1800)], close_positions: true }
    }
}

impl Default for NoStopLossGrace {
    fn default() -> Self {
        Self {
            grace_period_seconds: 120,
            poll_interval_seconds: 30,
            require_full_coverage: true,
            max_stop_distance_ticks: None,
        }
    }
}

impl Default for SessionBlockOutside {
    fn default() -> Self {
        let at = |hour, minute| NaiveTime::from_hms_opt(hour, minute, 0).unwrap_or_default();
        Self {
            windows: vec![SessionWindow { start: at(8, 30), end: at(15, 0), days: (0..5).collect() }],
            timezone: CENTRAL,
            per_instrument: BTreeMap::new(),
            close_positions: true,
            cancel_orders: true,
            lockout: true,
            close_grace_seconds: 60,
            respect_holidays: true,
        }
    }
}

impl Default for AuthLossGuard {
    fn default() -> Self {
        Self {
            alert_on_disconnect: true,
            alert_on_auth_failure: true,
            alert_on_can_trade_false: true,
            on_can_trade_false: OnCanTradeFalse::Alert,
            log_as_error: false,
            check_interval_seconds: 30,
            alert_repeat_seconds: 60,
        }
    }
}

impl Default for SymbolBlocks {
    fn default() -> Self {
        Self { mode: SymbolListMode::Blacklist, patterns: Vec::new(), close_existing: true }
    }
}

impl Default for TradeManagementValues {
    fn default() -> Self {
        Self {
            stop_loss: AutoOrder { enabled: true, ticks: 10 },
            take_profit: AutoOrder { enabled: true, ticks: 20 },
            breakeven: AutoBreakeven { enabled: true, profit_threshold_ticks: 10, offset_ticks: 1 },
            trailing: AutoTrail { enabled: true, activation_ticks: 20, trail_ticks: 10 },
        }
    }
}

impl Default for DailyRealizedProfit {
    fn default() -> Self {
        Self {
            target: Usd::from_cents(100_000),
            basis: Basis::Combined,
            include_fees: true,
            message: "Daily profit target reached.".to_string(),
        }
    }
}
