//! RULE-001, 002, 008, 010, 011: sizes, stops, connections, symbols.

use domain::{Contracts, RuleKey};
use serde_json::{Value as Json, json};

use super::{
    File, Form, Group, Key, Kind, Lens, Strictness, Unit, enabled, json as to_json, lens, put, rule_mode,
};
use crate::sheet::Sheet;

const SIZE_ENFORCEMENT: Kind = Kind::Choice(&["reduce_to_limit", "close_all"]);
const CONTRACTS: Kind = Kind::Whole { min: 1, max: 1000 };

pub(super) const GROUPS: &[&Group] =
    &[&MAX_CONTRACTS, &PER_INSTRUMENT, &NO_STOP_LOSS_GRACE, &AUTH_LOSS_GUARD, &SYMBOL_BLOCKS];

static MAX_CONTRACTS: Group = Group {
    file: File::Risk,
    prefix: "rules.max_contracts",
    rule: Some(RuleKey::MaxContracts),
    title: "Max contracts (account-wide)",
    help: "Caps the contracts held at once over all instruments. The excess is closed; nothing is locked.",
    keys: &[
        enabled!(max_contracts),
        rule_mode!(max_contracts),
        Key::new(
            "limit",
            CONTRACTS,
            "Contract limit",
            "Most contracts held at once; a mini and a micro count 1 each. More than this is a breach.",
        )
        .unit(Unit::Contracts)
        .stricter(Strictness::Lower)
        .at(lens!(rules.max_contracts.settings.limit)),
        Key::new(
            "count_type",
            Kind::Choice(&["net", "gross"]),
            "Counting",
            "net lets longs and shorts offset each other, also across instruments; gross adds them up.",
        )
        .stricter(Strictness::Later)
        .at(lens!(rules.max_contracts.settings.count_type)),
        Key::new(
            "enforcement",
            SIZE_ENFORCEMENT,
            "Answer to an excess",
            "reduce_to_limit closes the excess, close_all closes every position of the account.",
        )
        .stricter(Strictness::Later)
        .at(lens!(rules.max_contracts.settings.enforcement)),
        Key::new("reduce_to_limit", Kind::Bool, "Old form", "Old form of enforcement: reduce_to_limit.")
            .form(Form::Alternative)
            .at(lens!(forms.reduce_to_limit)),
        Key::new("close_all", Kind::Bool, "Old form", "Old form of enforcement: close_all.")
            .form(Form::Alternative)
            .at(lens!(forms.close_all)),
    ],
};

static PER_INSTRUMENT: Group = Group {
    file: File::Risk,
    prefix: "rules.max_contracts_per_instrument",
    rule: Some(RuleKey::MaxContractsPerInstrument),
    title: "Max contracts per instrument",
    help: "Caps the contracts of each root symbol, all expiries together. The excess is closed.",
    keys: &[
        enabled!(max_contracts_per_instrument),
        rule_mode!(max_contracts_per_instrument),
        Key::new(
            "default_limit",
            CONTRACTS,
            "Limit of other symbols",
            "Most contracts of a symbol without a limit of its own; null allows none of them.",
        )
        .unit(Unit::Contracts)
        .nullable()
        .stricter(Strictness::Together)
        .at(lens!(rules.max_contracts_per_instrument.settings.default_limit)),
        Key::new(
            "instrument_limits.<symbol>",
            Kind::Whole { min: 0, max: 1000 },
            "Limit of a symbol",
            "Most contracts of this symbol; 0 allows none. NQ and ENQ, ES and EP are the same symbol.",
        )
        .unit(Unit::Contracts)
        .stricter(Strictness::Together)
        .at(Lens {
            get: |sheet, symbol| {
                to_json(&sheet.rules.max_contracts_per_instrument.settings.instrument_limits.get(symbol))
            },
            set: |sheet, symbol, value| {
                let mut limit = Contracts::ZERO;
                put(&mut limit, value)?;
                let limits = &mut sheet.rules.max_contracts_per_instrument.settings.instrument_limits;
                limits.insert(symbol.into(), limit);
                Ok(())
            },
        })
        .each(|sheet: &Sheet| {
            sheet.rules.max_contracts_per_instrument.settings.instrument_limits.keys().cloned().collect()
        }),
        Key::new(
            "enforcement",
            SIZE_ENFORCEMENT,
            "Answer to an excess",
            "reduce_to_limit closes the excess, close_all closes every position of that symbol.",
        )
        .stricter(Strictness::Later)
        .at(lens!(rules.max_contracts_per_instrument.settings.enforcement)),
        Key::new(
            "unknown_symbol_action",
            Kind::UnlistedSymbols,
            "Symbols without a limit",
            "use_default applies default_limit; block, allow_with_limit:N and allow_unlimited override it.",
        )
        .stricter(Strictness::Together)
        .at(lens!(rules.max_contracts_per_instrument.settings.unknown_symbol)),
    ],
};

static NO_STOP_LOSS_GRACE: Group = Group {
    file: File::Risk,
    prefix: "rules.no_stop_loss_grace",
    rule: Some(RuleKey::NoStopLossGrace),
    title: "No stop-loss grace (always on)",
    help: "Closes a position that has no working stop when its grace is over. It cannot be switched off.",
    keys: &[
        Key { help: "Always true: it cannot be switched off.", ..enabled!(no_stop_loss_grace) },
        Key { help: "Always enforce: it cannot be weakened.", ..rule_mode!(no_stop_loss_grace) },
        Key::new(
            "grace_period_seconds",
            Kind::Whole { min: 5, max: 600 },
            "Grace",
            "How long a position may stand without full stop coverage.",
        )
        .unit(Unit::Seconds)
        .stricter(Strictness::Lower)
        .at(lens!(rules.no_stop_loss_grace.settings.grace_period_seconds)),
        Key::new(
            "action",
            Kind::Only("close_position", "an unprotected position has one safe answer"),
            "Answer",
            "The position is closed; there is no other answer.",
        ),
        Key::new(
            "poll_interval_seconds",
            Kind::Whole { min: 5, max: 60 },
            "Order check",
            "How often the working orders are asked for while a position is open.",
        )
        .unit(Unit::Seconds)
        .stricter(Strictness::Lower)
        .at(lens!(rules.no_stop_loss_grace.settings.poll_interval_seconds)),
        Key::new(
            "require_full_coverage",
            Kind::Bool,
            "Full coverage",
            "Whether every contract must be covered by a stop; otherwise one stop for a part is enough.",
        )
        .stricter(Strictness::On)
        .at(lens!(rules.no_stop_loss_grace.settings.require_full_coverage)),
        Key::new(
            "max_stop_distance_ticks",
            Kind::Whole { min: 1, max: 100_000 },
            "Farthest stop",
            "A stop farther than this from the market does not count; null counts any distance.",
        )
        .unit(Unit::Ticks)
        .nullable()
        .stricter(Strictness::Lower)
        .at(lens!(rules.no_stop_loss_grace.settings.max_stop_distance_ticks)),
    ],
};

static AUTH_LOSS_GUARD: Group = Group {
    file: File::Risk,
    prefix: "rules.auth_loss_guard",
    rule: Some(RuleKey::AuthLossGuard),
    title: "Auth loss guard",
    help: "Tells when protection is lost: connection, login, or the right to trade.",
    keys: &[
        enabled!(auth_loss_guard),
        rule_mode!(auth_loss_guard),
        Key::new("alert_on_disconnect", Kind::Bool, "Lost connection", "Tell when a connection is lost.")
            .stricter(Strictness::On)
            .at(lens!(rules.auth_loss_guard.settings.alert_on_disconnect)),
        Key::new("alert_on_auth_failure", Kind::Bool, "Refused login", "Tell when the login is refused.")
            .stricter(Strictness::On)
            .at(lens!(rules.auth_loss_guard.settings.alert_on_auth_failure)),
        Key::new(
            "alert_on_can_trade_false",
            Kind::Bool,
            "Trading not allowed",
            "Tell when the broker no longer lets the account trade.",
        )
        .stricter(Strictness::On)
        .at(lens!(rules.auth_loss_guard.settings.alert_on_can_trade_false)),
        Key::new(
            "on_can_trade_false",
            Kind::Choice(&["alert", "lockout"]),
            "Then also",
            "alert tells only; lockout flattens and locks until the account may trade again.",
        )
        .stricter(Strictness::Later)
        .at(lens!(rules.auth_loss_guard.settings.on_can_trade_false)),
        Key::new(
            "log_level",
            Kind::Choice(&["WARNING", "ERROR"]),
            "Gravity of a lost connection",
            "How grave the message about a lost connection is.",
        )
        .at(Lens {
            get: |sheet, _| {
                json!(if sheet.rules.auth_loss_guard.settings.log_as_error { "ERROR" } else { "WARNING" })
            },
            set: |sheet, _, value: Json| {
                sheet.rules.auth_loss_guard.settings.log_as_error = value == "ERROR";
                Ok(())
            },
        }),
        Key::new(
            "check_interval_seconds",
            Kind::Whole { min: 5, max: 300 },
            "Check",
            "How often the broker is asked whether the account may trade; the connection is watched all the time.",
        )
        .unit(Unit::Seconds)
        .stricter(Strictness::Lower)
        .at(lens!(rules.auth_loss_guard.settings.check_interval_seconds)),
        Key::new(
            "alert_repeat_seconds",
            Kind::Whole { min: 10, max: 3600 },
            "Repeat",
            "Least time between two alerts of one kind.",
        )
        .unit(Unit::Seconds)
        .at(lens!(rules.auth_loss_guard.settings.alert_repeat_seconds)),
    ],
};

static SYMBOL_BLOCKS: Group = Group {
    file: File::Risk,
    prefix: "rules.symbol_blocks",
    rule: Some(RuleKey::SymbolBlocks),
    title: "Symbol blocks",
    help: "Keeps the trader out of listed symbols, or inside a list. A blocked position is closed.",
    keys: &[
        enabled!(symbol_blocks),
        rule_mode!(symbol_blocks),
        Key::new(
            "mode",
            Kind::Choice(&["blacklist", "whitelist"]),
            "Reading of the list",
            "blacklist forbids blocked_symbols; whitelist allows allowed_symbols and nothing else.",
        )
        .stricter(Strictness::Together)
        .at(lens!(rules.symbol_blocks.settings.mode)),
        Key::new(
            "blocked_symbols",
            Kind::Patterns,
            "Blocked",
            "Patterns of root symbols that are forbidden; * stands for any letters, ? for one.",
        )
        .stricter(Strictness::Together)
        .at(lens!(forms.blocked_symbols)),
        Key::new(
            "allowed_symbols",
            Kind::Patterns,
            "Allowed",
            "Patterns of root symbols that are allowed when mode is whitelist.",
        )
        .stricter(Strictness::Together)
        .at(lens!(forms.allowed_symbols)),
        Key::new(
            "close_existing",
            Kind::Bool,
            "Close what is held",
            "Whether positions that existed before the block are closed too.",
        )
        .stricter(Strictness::On)
        .at(lens!(rules.symbol_blocks.settings.close_existing)),
        Key::new(
            "confirm_block_all",
            Kind::Bool,
            "Block everything",
            "Must be true for a list that leaves no symbol to trade.",
        )
        .at(lens!(forms.confirm_block_all)),
    ],
};
