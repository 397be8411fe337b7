//! RULE-003, 004, 005, 007, 012, 013: losses, profits, automatic orders.

use domain::{RuleKey, rulebook::TradeManagementValues};

use super::{
    File, Form, Group, Key, Kind, Lens, Sign, Strictness, Unit, enabled, json, lens, put, rule_mode,
};
use crate::sheet::Sheet;

const PRICE_BASIS: Kind = Kind::Choice(&["last_else_mid", "mid", "exit_side"]);
const RECHECK: Kind = Kind::Whole { min: 1, max: 60 };
const BASIS_HELP: &str =
    "realized judges banked results only; combined also judges banked plus open results.";
const FEES_HELP: &str =
    "Whether fees and commissions count, as they do in the broker's own limits and the balance.";
const PRICE_HELP: &str = "last_else_mid: last trade inside bid and ask, otherwise the middle; mid: the middle; exit_side: bid for longs, ask for shorts.";
const RECHECK_HELP: &str = "Safety re-check between quotes.";
const RESET_HELP: &str = "May repeat the daily reset of timers.yaml; it must be equal to it.";

pub(super) const GROUPS: &[&Group] =
    &[&DAILY_LOSS, &OPEN_LOSS, &OPEN_PROFIT, &COOLDOWN, &MANAGEMENT, &DAILY_PROFIT];

static DAILY_LOSS: Group = Group {
    file: File::Risk,
    prefix: "rules.daily_realized_loss",
    rule: Some(RuleKey::DailyRealizedLoss),
    title: "Daily realized loss",
    help: "Ends the day at the loss limit: everything is closed, the account is locked until the daily reset.",
    keys: &[
        enabled!(daily_realized_loss),
        rule_mode!(daily_realized_loss),
        Key::new(
            "limit",
            Kind::Money(Sign::Loss),
            "Daily Loss Limit",
            "The day's result at which the day ends; losses are negative, reaching it is a breach.",
        )
        .unit(Unit::Dollars)
        .stricter(Strictness::Higher)
        .at(lens!(rules.daily_realized_loss.settings.limit)),
        Key::new("basis", Kind::Choice(&["realized", "combined"]), "What counts", BASIS_HELP)
            .stricter(Strictness::Later)
            .at(lens!(rules.daily_realized_loss.settings.basis)),
        Key::new("include_fees", Kind::Bool, "Net of fees", FEES_HELP)
            .stricter(Strictness::On)
            .at(lens!(rules.daily_realized_loss.settings.include_fees)),
        Key::new("reset_time", Kind::Time, "Daily reset", RESET_HELP)
            .form(Form::Alternative)
            .at(lens!(forms.reset_times[0].time)),
        Key::new("timezone", Kind::Zone, "Zone of the reset", RESET_HELP)
            .form(Form::Alternative)
            .at(lens!(forms.reset_times[0].timezone)),
    ],
};

static OPEN_LOSS: Group = Group {
    file: File::Risk,
    prefix: "rules.daily_unrealized_loss",
    rule: Some(RuleKey::DailyUnrealizedLoss),
    title: "Daily unrealized loss (per position)",
    help: "Closes a position whose open loss reaches the limit. Trading goes on; nothing is locked.",
    keys: &[
        enabled!(daily_unrealized_loss),
        rule_mode!(daily_unrealized_loss),
        Key::new(
            "limit",
            Kind::Money(Sign::Loss),
            "Open loss limit",
            "The open result of a position at which it is closed; losses are negative.",
        )
        .unit(Unit::Dollars)
        .stricter(Strictness::Higher)
        .at(lens!(rules.daily_unrealized_loss.settings.limit)),
        Key::new(
            "scope",
            Kind::Choice(&["position", "account_total"]),
            "What is judged",
            "position judges each position by itself; account_total judges the sum and closes all.",
        )
        .stricter(Strictness::Unclear)
        .at(lens!(rules.daily_unrealized_loss.settings.scope)),
        Key::new("price_basis", PRICE_BASIS, "Price", PRICE_HELP)
            .stricter(Strictness::Unclear)
            .at(lens!(rules.daily_unrealized_loss.settings.price_basis)),
        Key::new("check_interval_seconds", RECHECK, "Re-check", RECHECK_HELP)
            .unit(Unit::Seconds)
            .stricter(Strictness::Lower)
            .at(lens!(rules.daily_unrealized_loss.settings.check_interval_seconds)),
    ],
};

static OPEN_PROFIT: Group = Group {
    file: File::Risk,
    prefix: "rules.max_unrealized_profit",
    rule: Some(RuleKey::MaxUnrealizedProfit),
    title: "Max unrealized profit (per position)",
    help: "Banks a position whose open profit reaches the target. Trading goes on; nothing is locked.",
    keys: &[
        enabled!(max_unrealized_profit),
        rule_mode!(max_unrealized_profit),
        Key::new(
            "target",
            Kind::Money(Sign::Gain),
            "Open profit target",
            "The open result of a position at which it is closed.",
        )
        .unit(Unit::Dollars)
        .stricter(Strictness::Lower)
        .at(lens!(rules.max_unrealized_profit.settings.target)),
        Key::new("price_basis", PRICE_BASIS, "Price", PRICE_HELP)
            .stricter(Strictness::Unclear)
            .at(lens!(rules.max_unrealized_profit.settings.price_basis)),
        Key::new("check_interval_seconds", RECHECK, "Re-check", RECHECK_HELP)
            .unit(Unit::Seconds)
            .stricter(Strictness::Lower)
            .at(lens!(rules.max_unrealized_profit.settings.check_interval_seconds)),
    ],
};

static COOLDOWN: Group = Group {
    file: File::Risk,
    prefix: "rules.cooldown_after_loss",
    rule: Some(RuleKey::CooldownAfterLoss),
    title: "Cooldown after loss",
    help: "A break after a losing trade: the deeper the loss of one closing order, the longer the break.",
    keys: &[
        enabled!(cooldown_after_loss),
        rule_mode!(cooldown_after_loss),
        Key::new(
            "loss_thresholds",
            Kind::Tiers,
            "Steps",
            "From which loss of one closing order the break lasts how long; the deepest step reached counts.",
        )
        .stricter(Strictness::LongerEverywhere)
        .form(Form::Unless("loss_threshold"))
        .at(lens!(rules.cooldown_after_loss.settings.tiers)),
        Key::new(
            "close_positions",
            Kind::Bool,
            "Close everything",
            "Whether open positions are closed when the break begins.",
        )
        .stricter(Strictness::On)
        .at(lens!(rules.cooldown_after_loss.settings.close_positions)),
        Key::new(
            "loss_threshold",
            Kind::Money(Sign::Loss),
            "Single step",
            "Old form: one loss instead of steps.",
        )
        .unit(Unit::Dollars)
        .form(Form::Alternative)
        .at(lens!(forms.loss_threshold)),
        Key::new(
            "cooldown_duration",
            Kind::Duration { min: 1, max: 86_400 },
            "Single duration",
            "Old form: how long the break after loss_threshold lasts; 15m if not said.",
        )
        .form(Form::Alternative)
        .at(lens!(forms.cooldown_seconds)),
    ],
};

static DAILY_PROFIT: Group = Group {
    file: File::Risk,
    prefix: "rules.daily_realized_profit",
    rule: Some(RuleKey::DailyRealizedProfit),
    title: "Daily realized profit",
    help: "Keeps a good day: everything is closed, the account is locked until the daily reset.",
    keys: &[
        enabled!(daily_realized_profit),
        rule_mode!(daily_realized_profit),
        Key::new(
            "target",
            Kind::Money(Sign::Gain),
            "Daily Profit Target",
            "The day's result at which the day ends; reaching it is enough.",
        )
        .unit(Unit::Dollars)
        .stricter(Strictness::Lower)
        .at(lens!(rules.daily_realized_profit.settings.target)),
        Key::new("basis", Kind::Choice(&["realized", "combined"]), "What counts", BASIS_HELP)
            .stricter(Strictness::Later)
            .at(lens!(rules.daily_realized_profit.settings.basis)),
        Key::new("include_fees", Kind::Bool, "Net of fees", FEES_HELP)
            .stricter(Strictness::Off)
            .at(lens!(rules.daily_realized_profit.settings.include_fees)),
        Key::new("message", Kind::Text { longest: 200 }, "Message", "What the trader is told.")
            .at(lens!(rules.daily_realized_profit.settings.message)),
        Key::new("reset_time", Kind::Time, "Daily reset", RESET_HELP)
            .form(Form::Alternative)
            .at(lens!(forms.reset_times[1].time)),
        Key::new("timezone", Kind::Zone, "Zone of the reset", RESET_HELP)
            .form(Form::Alternative)
            .at(lens!(forms.reset_times[1].timezone)),
    ],
};

/// A value of RULE-012, once for every symbol and once for one of them.
macro_rules! automatic {
    ($path:literal, $kind:expr, $title:literal, $help:literal, $($field:tt)+) => {
        [
            Key::new($path, $kind, $title, $help).at(lens!(rules.trade_management.settings.values.$($field)+)),
            Key::new(concat!("per_instrument.<symbol>.", $path), $kind, $title, $help)
                .at(Lens {
                    get: |sheet, symbol| json(&own(sheet, symbol).map(|values| values.$($field)+)),
                    set: |sheet, symbol, value| put(&mut own_mut(sheet, symbol).$($field)+, value),
                })
                .each(|sheet| {
                    sheet.rules.trade_management.settings.per_instrument.keys().cloned().collect()
                }),
        ]
    };
}

fn own<'a>(sheet: &'a Sheet, symbol: &str) -> Option<&'a TradeManagementValues> {
    sheet.rules.trade_management.settings.per_instrument.get(symbol)
}

/// The values of a symbol, which begin as those of every symbol.
fn own_mut<'a>(sheet: &'a mut Sheet, symbol: &str) -> &'a mut TradeManagementValues {
    let settings = &mut sheet.rules.trade_management.settings;
    settings.per_instrument.entry(symbol.into()).or_insert(settings.values)
}

const STOP_ON: [Key; 2] = automatic!(
    "auto_stop_loss.enabled",
    Kind::Bool,
    "Automatic stop",
    "Whether a stop is placed when a position opens or grows without one.",
    stop_loss.enabled
);
const STOP: [Key; 2] = automatic!(
    "auto_stop_loss.ticks",
    Kind::Whole { min: 1, max: 1000 },
    "Distance of the stop",
    "Distance of the automatic stop from the average entry.",
    stop_loss.ticks
);
const PROFIT_ON: [Key; 2] = automatic!(
    "auto_take_profit.enabled",
    Kind::Bool,
    "Automatic target",
    "Whether a target is placed when a position opens.",
    take_profit.enabled
);
const PROFIT: [Key; 2] = automatic!(
    "auto_take_profit.ticks",
    Kind::Whole { min: 1, max: 5000 },
    "Distance of the target",
    "Distance of the automatic target from the average entry.",
    take_profit.ticks
);
const EVEN_ON: [Key; 2] = automatic!(
    "auto_breakeven.enabled",
    Kind::Bool,
    "Break Even",
    "Whether the stop is moved to the entry once the position is ahead.",
    breakeven.enabled
);
const EVEN: [Key; 2] = automatic!(
    "auto_breakeven.profit_threshold_ticks",
    Kind::Whole { min: 1, max: 5000 },
    "Break Even from",
    "Profit at which the stop is moved.",
    breakeven.profit_threshold_ticks
);
const EVEN_OFFSET: [Key; 2] = automatic!(
    "auto_breakeven.offset_ticks",
    Kind::Whole { min: 0, max: 4999 },
    "Break Even offset",
    "Distance of the moved stop from the entry, on the profit side; less than the profit that moves it.",
    breakeven.offset_ticks
);
const TRAIL_ON: [Key; 2] = automatic!(
    "trailing_stop.enabled",
    Kind::Bool,
    "Trailing stop",
    "Whether the stop follows the best price.",
    trailing.enabled
);
const TRAIL_FROM: [Key; 2] = automatic!(
    "trailing_stop.activation_ticks",
    Kind::Whole { min: 1, max: 5000 },
    "Trailing from",
    "Profit at which the stop begins to follow.",
    trailing.activation_ticks
);
const TRAIL: [Key; 2] = automatic!(
    "trailing_stop.trail_ticks",
    Kind::Whole { min: 1, max: 5000 },
    "Trailing distance",
    "Distance of the stop from the best price; at most the profit from which it follows.",
    trailing.trail_ticks
);

static MANAGEMENT: Group = Group {
    file: File::Risk,
    prefix: "rules.trade_management",
    rule: Some(RuleKey::TradeManagement),
    title: "Trade management (automation)",
    help: "Places stops and targets and moves stops. It never closes by market and never locks.",
    keys: &[
        enabled!(trade_management),
        rule_mode!(trade_management),
        STOP_ON[0].stricter(Strictness::Together),
        STOP[0].unit(Unit::Ticks).stricter(Strictness::Together),
        PROFIT_ON[0],
        PROFIT[0].unit(Unit::Ticks),
        EVEN_ON[0],
        EVEN[0].unit(Unit::Ticks),
        EVEN_OFFSET[0].unit(Unit::Ticks),
        TRAIL_ON[0],
        TRAIL_FROM[0].unit(Unit::Ticks),
        TRAIL[0].unit(Unit::Ticks),
        STOP_ON[1].stricter(Strictness::Together),
        STOP[1].unit(Unit::Ticks).stricter(Strictness::Together),
        PROFIT_ON[1],
        PROFIT[1].unit(Unit::Ticks),
        EVEN_ON[1],
        EVEN[1].unit(Unit::Ticks),
        EVEN_OFFSET[1].unit(Unit::Ticks),
        TRAIL_ON[1],
        TRAIL_FROM[1].unit(Unit::Ticks),
        TRAIL[1].unit(Unit::Ticks),
    ],
};
