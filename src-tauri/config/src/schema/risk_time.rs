//! RULE-006 and RULE-009: how often and when.

use domain::{RuleKey, rulebook::SessionWindow};

use super::{File, Form, Group, Key, Kind, Lens, Strictness, Unit, enabled, json, lens, put, rule_mode};
use crate::sheet::Sheet;

const COOLDOWN: Kind = Kind::Duration { min: 1, max: 86_400 };
const COUNT: Kind = Kind::Whole { min: 1, max: 100_000 };

pub(super) const GROUPS: &[&Group] = &[&FREQUENCY, &SESSION];

static FREQUENCY: Group = Group {
    file: File::Risk,
    prefix: "rules.trade_frequency_limit",
    rule: Some(RuleKey::TradeFrequencyLimit),
    title: "Trade frequency limit",
    help: "A break after too many trades: the trade that reaches a limit is kept, the next one is prevented.",
    keys: &[
        enabled!(trade_frequency_limit),
        rule_mode!(trade_frequency_limit),
        Key::new("limits.per_minute", COUNT, "Per minute", "Trades within 60 seconds; null: no such limit.")
            .unit(Unit::Trades)
            .nullable()
            .stricter(Strictness::Lower)
            .at(lens!(rules.trade_frequency_limit.settings.per_minute.limit)),
        Key::new("limits.per_hour", COUNT, "Per hour", "Trades within 3600 seconds; null: no such limit.")
            .unit(Unit::Trades)
            .nullable()
            .stricter(Strictness::Lower)
            .at(lens!(rules.trade_frequency_limit.settings.per_hour.limit)),
        Key::new(
            "limits.per_session",
            COUNT,
            "Per trading day",
            "Trades since the daily reset; null: no such limit.",
        )
        .unit(Unit::Trades)
        .nullable()
        .stricter(Strictness::Lower)
        .at(lens!(rules.trade_frequency_limit.settings.per_session.limit)),
        Key::new(
            "cooldown_on_breach.per_minute_breach",
            COOLDOWN,
            "Break after the minute's limit",
            "How long no new exposure is allowed after the limit per minute.",
        )
        .stricter(Strictness::Higher)
        .at(lens!(rules.trade_frequency_limit.settings.per_minute.cooldown_seconds)),
        Key::new(
            "cooldown_on_breach.per_hour_breach",
            COOLDOWN,
            "Break after the hour's limit",
            "How long no new exposure is allowed after the limit per hour.",
        )
        .stricter(Strictness::Higher)
        .at(lens!(rules.trade_frequency_limit.settings.per_hour.cooldown_seconds)),
        Key::new(
            "cooldown_on_breach.per_session_breach",
            COOLDOWN,
            "Break after the day's limit",
            "How long no new exposure is allowed after the limit per trading day.",
        )
        .stricter(Strictness::Higher)
        .at(lens!(rules.trade_frequency_limit.settings.per_session.cooldown_seconds)),
        Key::new(
            "count",
            Kind::Choice(&["round_turns", "entries", "orders"]),
            "What counts as a trade",
            "orders: each of the trader's orders with a fill; entries: those that opened or enlarged exposure; round_turns: each return to flat.",
        )
        .stricter(Strictness::Later)
        .at(lens!(rules.trade_frequency_limit.settings.count)),
        Key::new(
            "close_positions",
            Kind::Bool,
            "Close everything",
            "Whether open positions are closed when the break begins.",
        )
        .stricter(Strictness::On)
        .at(lens!(rules.trade_frequency_limit.settings.close_positions)),
    ],
};

static SESSION: Group = Group {
    file: File::Risk,
    prefix: "rules.session_block_outside",
    rule: Some(RuleKey::SessionBlockOutside),
    title: "Session block outside hours",
    help: "Trading only inside these hours, none on holidays. Outside, the account is locked until the next session.",
    keys: &[
        enabled!(session_block_outside),
        rule_mode!(session_block_outside),
        Key::new("session_hours.start", Kind::Time, "Start", "When the session begins.")
            .stricter(Strictness::Together)
            .form(Form::Unless("sessions"))
            .at(lens!(forms.start)),
        Key::new(
            "session_hours.end",
            Kind::Time,
            "End",
            "When the session ends; an end before the start lies on the next day.",
        )
        .stricter(Strictness::Together)
        .form(Form::Unless("sessions"))
        .at(lens!(forms.end)),
        Key::new(
            "sessions",
            Kind::Windows,
            "Several sessions",
            "Several windows instead of session_hours; a window without days is open on allowed_days.",
        )
        .stricter(Strictness::Together)
        .form(Form::Alternative)
        .at(lens!(forms.sessions)),
        Key::new(
            "allowed_days",
            Kind::Days,
            "Days",
            "Days on which a session begins: 0 is Monday, 6 is Sunday.",
        )
        .stricter(Strictness::Together)
        .at(lens!(forms.allowed_days)),
        Key::new("timezone", Kind::Zone, "Time zone", "Zone of these hours.")
            .stricter(Strictness::Together)
            .at(lens!(rules.session_block_outside.settings.timezone)),
        Key::new(
            "pre_market.enabled",
            Kind::Bool,
            "Before the session",
            "Whether the session begins at pre_market.start already.",
        )
        .stricter(Strictness::Together)
        .form(Form::Unless("sessions"))
        .at(lens!(forms.pre_market.enabled)),
        Key::new("pre_market.start", Kind::Time, "Begins", "Start of the time before the session.")
            .stricter(Strictness::Together)
            .form(Form::Unless("sessions"))
            .at(lens!(forms.pre_market.at)),
        Key::new(
            "after_hours.enabled",
            Kind::Bool,
            "After the session",
            "Whether the session ends at after_hours.end only.",
        )
        .stricter(Strictness::Together)
        .form(Form::Unless("sessions"))
        .at(lens!(forms.after_hours.enabled)),
        Key::new("after_hours.end", Kind::Time, "Ends", "End of the time after the session.")
            .stricter(Strictness::Together)
            .form(Form::Unless("sessions"))
            .at(lens!(forms.after_hours.at)),
        Key::new(
            "per_instrument_sessions.enabled",
            Kind::Bool,
            "Hours of their own",
            "Whether the symbols listed below follow hours of their own instead of these.",
        )
        .stricter(Strictness::Together)
        .at(lens!(forms.per_instrument_sessions)),
        Key::new(
            "per_instrument_sessions.sessions.<symbol>",
            Kind::Windows,
            "Hours of a symbol",
            "Windows of this symbol; a window without days is open on allowed_days.",
        )
        .stricter(Strictness::Together)
        .at(Lens {
            get: |sheet, symbol| json(&sheet.rules.session_block_outside.settings.per_instrument.get(symbol)),
            set: |sheet, symbol, value| {
                let mut windows: Vec<SessionWindow> = Vec::new();
                put(&mut windows, value)?;
                let own = &mut sheet.rules.session_block_outside.settings.per_instrument;
                own.insert(symbol.into(), windows);
                Ok(())
            },
        })
        .each(Sheet::session_symbols),
        Key::new(
            "close_positions_at_session_end",
            Kind::Bool,
            "Close at the end",
            "Whether open positions are closed after the end and its grace.",
        )
        .stricter(Strictness::On)
        .at(lens!(rules.session_block_outside.settings.close_positions)),
        Key::new(
            "cancel_orders_at_session_end",
            Kind::Bool,
            "Cancel at the end",
            "Whether entry orders that work when the hours end are cancelled; under the lockout one placed later always is.",
        )
        .stricter(Strictness::On)
        .at(lens!(rules.session_block_outside.settings.cancel_orders)),
        Key::new(
            "lockout_outside_session",
            Kind::Bool,
            "Lock outside",
            "Whether new exposure is forbidden outside; otherwise it is only told.",
        )
        .stricter(Strictness::On)
        .at(lens!(rules.session_block_outside.settings.lockout)),
        Key::new(
            "session_close_grace",
            Kind::Duration { min: 0, max: 600 },
            "Grace at the end",
            "How long open positions may stay after the end.",
        )
        .stricter(Strictness::Lower)
        .at(lens!(rules.session_block_outside.settings.close_grace_seconds)),
        Key::new(
            "respect_holidays",
            Kind::Bool,
            "Holidays",
            "Whether the list in timers.yaml counts: no session begins on a holiday, and early closes end one.",
        )
        .stricter(Strictness::On)
        .at(lens!(rules.session_block_outside.settings.respect_holidays)),
        Key::new("holidays.dates", Kind::Dates, "Holidays", "Old place of the list in timers.yaml.")
            .form(Form::Alternative)
            .at(lens!(forms.session_holidays)),
        Key::new(
            "holidays.early_close",
            Kind::EarlyCloses,
            "Early closes",
            "Old place of the list in timers.yaml.",
        )
        .form(Form::Alternative)
        .at(lens!(forms.session_early_closes)),
    ],
};
