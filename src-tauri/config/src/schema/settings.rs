//! Everything that is not a rule: `general` in risk.yaml, and the three other files.

use super::{File, Form, Group, Key, Kind, Unit, lens};

pub(super) const GENERAL: &[&Group] = &[&GENERAL_KEYS];
pub(super) const OTHER_FILES: &[&Group] =
    &[&ACCOUNTS, &DAILY_RESET, &HOLIDAYS, &TIMERS, &HARD_LOCKOUT, &COOLDOWNS, &API];

/// Path of the accounts' keys; a list, so each entry is read by itself.
pub(crate) const ACCOUNT: &str = "accounts[]";

const GRAVITY: Kind = Kind::Choice(&["INFO", "WARNING", "ERROR", "CRITICAL"]);
const TEXT: Kind = Kind::Text { longest: 200 };
const COOLDOWN: Kind = Kind::Duration { min: 1, max: 86_400 };

static GENERAL_KEYS: Group = Group {
    file: File::Risk,
    prefix: "general",
    rule: None,
    title: "General",
    help: "Settings of the program itself; they hold for every account.",
    keys: &[
        Key::new(
            "instruments",
            Kind::Symbols,
            "Instruments",
            "Roots that are subscribed even while nothing is held in them. Every traded symbol is protected, listed or not.",
        )
        .at(lens!(settings.general.instruments)),
        Key::new(
            "on_reduce_refused",
            Kind::Choice(&["alert", "close"]),
            "Where reducing is refused",
            "What follows when the platform does not let an account reduce a position: alert tells, close closes the whole position.",
        )
        .at(lens!(settings.general.on_reduce_refused)),
        Key::new("timezone", Kind::Zone, "Shown time zone", "Zone whose times are shown beside Central Time; with America/Chicago that is the computer's own. No schedule depends on it.")
            .at(lens!(settings.general.timezone)),
        Key::new("logging.level", Kind::Choice(&["DEBUG", "INFO", "WARNING", "ERROR"]), "Log level", "The least that is written into the log files, and shown by riskctl run. The api log has each request from INFO on. DEBUG adds detail of this program, not of the libraries in it.")
            .at(lens!(settings.logging.level)),
        Key::new("logging.directory", TEXT, "Log folder", "Folder of the log files; null is logs in the home folder, where a path that is not absolute begins. Takes effect at the next start.")
            .nullable()
            .at(lens!(settings.logging.directory)),
        Key::new("logging.max_size_mb", Kind::Whole { min: 1, max: 1000 }, "File size", "Size at which a log file is turned over; a new day has a new file anyway. Takes effect at the next start.")
            .unit(Unit::Megabytes)
            .at(lens!(settings.logging.max_size_mb)),
        Key::new("logging.retention_days", Kind::Whole { min: 1, max: 365 }, "Kept for", "How long the daemon log is kept. The enforcement and errors logs are kept for 90 days, the api log for 7. Takes effect at the next start.")
            .unit(Unit::Days)
            .at(lens!(settings.logging.retention_days)),
        Key::new("database.backup_enabled", Kind::Bool, "Backups", "Whether the database is backed up: five minutes before each trading day ends, and whenever the newest backup is too old.")
            .at(lens!(settings.database.backup_enabled)),
        Key::new("database.backup_interval_hours", Kind::Whole { min: 1, max: 168 }, "Backup every", "Another backup is taken once the newest one is this old.")
            .unit(Unit::Hours)
            .at(lens!(settings.database.backup_interval_hours)),
        Key::new("database.max_backups", Kind::Whole { min: 1, max: 100 }, "Backups kept", "How many backups are kept; the oldest are removed.")
            .unit(Unit::Files)
            .at(lens!(settings.database.max_backups)),
        Key::new("warnings.told_at_percent", Kind::Percents, "Told at", "Shares of a money or trade limit at which people are told, each once a day.")
            .unit(Unit::Percent)
            .at(lens!(settings.warnings.told_at_percent)),
        Key::new("notifications.desktop.enabled", Kind::Bool, "Desktop", "Whether the desktop shows notifications.")
            .at(lens!(settings.notifications.desktop.enabled)),
        Key::new("notifications.desktop.min_severity", GRAVITY, "Desktop from", "Least gravity of a message; lost protection is shown whatever it weighs.")
            .at(lens!(settings.notifications.desktop.min_severity)),
        Key::new("notifications.discord.enabled", Kind::Bool, "Discord", "Whether messages go to Discord; not built yet.")
            .at(lens!(settings.notifications.discord.enabled)),
        Key::new("notifications.discord.min_severity", GRAVITY, "Discord from", "Least gravity of a message.")
            .at(lens!(settings.notifications.discord.min_severity)),
        Key::new("notifications.discord.webhook_url", Kind::Secret, "Webhook", "The webhook's address, by reference.")
            .nullable()
            .at(lens!(settings.notifications.discord.webhook_url)),
        Key::new("notifications.telegram.enabled", Kind::Bool, "Telegram", "Whether messages go to Telegram; not built yet.")
            .at(lens!(settings.notifications.telegram.enabled)),
        Key::new("notifications.telegram.min_severity", GRAVITY, "Telegram from", "Least gravity of a message.")
            .at(lens!(settings.notifications.telegram.min_severity)),
        Key::new("notifications.telegram.bot_token", Kind::Secret, "Bot token", "The bot's token, by reference.")
            .nullable()
            .at(lens!(settings.notifications.telegram.bot_token)),
        Key::new("notifications.telegram.chat_id", TEXT, "Chat", "Who gets the messages.")
            .nullable()
            .at(lens!(settings.notifications.telegram.chat_id)),
        Key::new("notifications.email.enabled", Kind::Bool, "Email", "Whether messages go out by email; not built yet.")
            .at(lens!(settings.notifications.email.enabled)),
        Key::new("notifications.email.min_severity", GRAVITY, "Email from", "Least gravity of a message.")
            .at(lens!(settings.notifications.email.min_severity)),
        Key::new("notifications.email.smtp_host", TEXT, "Mail server", "Host name of the mail server.")
            .nullable()
            .at(lens!(settings.notifications.email.smtp_host)),
        Key::new("notifications.email.smtp_port", Kind::Whole { min: 1, max: 65_535 }, "Port", "Port of the mail server.")
            .at(lens!(settings.notifications.email.smtp_port)),
        Key::new("notifications.email.tls", Kind::Bool, "Encrypted", "Whether the connection must be encrypted.")
            .at(lens!(settings.notifications.email.tls)),
        Key::new("notifications.email.from", TEXT, "Sender", "Address of the sender.")
            .nullable()
            .at(lens!(settings.notifications.email.from)),
        Key::new("notifications.email.to", TEXT, "Receiver", "Address of the receiver.")
            .nullable()
            .at(lens!(settings.notifications.email.to)),
        Key::new("notifications.email.username", TEXT, "Mail login", "Login name at the mail server.")
            .nullable()
            .at(lens!(settings.notifications.email.username)),
        Key::new("notifications.email.password", Kind::Secret, "Mail password", "Password at the mail server, by reference.")
            .nullable()
            .at(lens!(settings.notifications.email.password)),
    ],
};

static ACCOUNTS: Group = Group {
    file: File::Accounts,
    prefix: ACCOUNT,
    rule: None,
    title: "Accounts",
    help: "The accounts to watch. None listed means every active, visible account of the login.",
    keys: &[
        Key::new("id", Kind::AccountId, "Id", "The broker's account number, not the display name."),
        Key::new("name", Kind::Text { longest: 100 }, "Name", "What you call it."),
        Key::new("enabled", Kind::Bool, "Watched", "Whether the account is watched; true if not said."),
        Key::new(
            "account_type",
            Kind::Choice(&["practice", "live"]),
            "Type",
            "practice for simulated money, live for real money; a note only.",
        ),
        Key::new("description", TEXT, "Description", "A note."),
        Key::new(
            "risk_config_file",
            TEXT,
            "Rules from a file",
            "A file beside this one, in the form of risk.yaml, whose rules replace those of risk.yaml.",
        ),
        Key::new(
            "config_overrides",
            Kind::Rules,
            "Rules of its own",
            "Rules that replace those of risk.yaml for this account: rule, key, value.",
        ),
    ],
};

static DAILY_RESET: Group = Group {
    file: File::Timers,
    prefix: "daily_reset",
    rule: None,
    title: "Daily reset",
    help: "When one trading day ends and the next begins, every calendar day.",
    keys: &[
        Key::new("time", Kind::Time, "Time", "Local time of the reset.").at(lens!(reset.time)),
        Key::new("timezone", Kind::Zone, "Time zone", "Zone of the reset.").at(lens!(reset.timezone)),
        Key::new(
            "enabled",
            Kind::AlwaysTrue("each trading day has a result and limits of its own"),
            "Enabled",
            "Always true.",
        ),
        Key::new(
            "clear_daily_pnl",
            Kind::AlwaysTrue("a result carried over would not be the day's any more, which the limits judge"),
            "Clear the result",
            "The day's result begins at zero.",
        ),
        Key::new(
            "unlock_daily_loss",
            Kind::Bool,
            "Unlock after a loss",
            "Whether lockouts of daily_realized_loss end; otherwise each lasts until it is overridden.",
        )
        .at(lens!(settings.timers.unlock_daily_loss)),
        Key::new(
            "unlock_daily_profit",
            Kind::Bool,
            "Unlock after a profit",
            "Whether lockouts of daily_realized_profit end; otherwise each lasts until it is overridden.",
        )
        .at(lens!(settings.timers.unlock_daily_profit)),
        Key::new(
            "clear_trade_count",
            Kind::AlwaysTrue("a count carried over would not be the day's any more, which the limits judge"),
            "Clear the trade count",
            "The day's trade count begins at zero.",
        ),
        Key::new(
            "skip_on_holidays",
            Kind::Only("false", "a day without a reset would carry its result into the next one"),
            "On holidays",
            "The reset happens on every calendar day.",
        )
        .form(Form::Alternative),
    ],
};

static HOLIDAYS: Group = Group {
    file: File::Timers,
    prefix: "holidays",
    rule: None,
    title: "Holidays",
    help: "Exchange holidays, for everyone. The shipped list names its source.",
    keys: &[
        Key::new("dates", Kind::Dates, "Holidays", "Dates on which no session begins.")
            .at(lens!(holidays.dates)),
        Key::new(
            "early_close",
            Kind::EarlyCloses,
            "Early closes",
            "Dates that end early, with the local closing time.",
        )
        .at(lens!(holidays.early_closes)),
        Key::new("source", Kind::Text { longest: 500 }, "Source", "Where the list comes from; a note.")
            .form(Form::Alternative),
    ],
};

static TIMERS: Group = Group {
    file: File::Timers,
    prefix: "",
    rule: None,
    title: "Timers",
    help: "Safety sweep and messages.",
    keys: &[
        Key::new(
            "check_interval",
            Kind::Duration { min: 1, max: 60 },
            "Safety sweep",
            "Timers are looked at each second, oftener than asked for here; the key is here so that files may say it.",
        )
        .form(Form::Alternative),
        Key::new(
            "auto_unlock.enabled",
            Kind::AlwaysTrue("a lockout ends at its time; nobody has to be there to end it"),
            "Lockouts end by themselves",
            "Always true.",
        ),
        Key::new("auto_unlock.notify", Kind::Bool, "Tell the end", "Whether the end of a lockout is told.")
            .at(lens!(settings.timers.notify_unlock)),
        Key::new(
            "dst.auto_adjust",
            Kind::AlwaysTrue("schedules are wall-clock times and follow the clocks"),
            "Follow the clocks",
            "Always true.",
        ),
        Key::new(
            "dst.notify",
            Kind::Bool,
            "Tell a change of the clocks",
            "Whether a change of the clocks is told.",
        )
        .at(lens!(settings.timers.notify_dst)),
    ],
};

const DAY_LOCK: Kind =
    Kind::Only("until_reset", "the day's limits hold until the trading day ends; no lock is permanent");

static HARD_LOCKOUT: Group = Group {
    file: File::Timers,
    prefix: "",
    rule: None,
    title: "Lockouts",
    help: "How lockouts end. Each rule has one answer; the keys are here so that files may say it.",
    keys: &[
        Key::new(
            "hard_lockout.daily_realized_loss",
            DAY_LOCK,
            "After a daily loss",
            "Ends at the daily reset.",
        )
        .form(Form::Alternative),
        Key::new(
            "hard_lockout.daily_realized_profit",
            DAY_LOCK,
            "After a daily profit",
            "Ends at the daily reset.",
        )
        .form(Form::Alternative),
        Key::new(
            "hard_lockout.session_block_outside",
            Kind::Only(
                "until_session_start",
                "the lock outside the hours ends with the next session; no lock is permanent",
            ),
            "Outside the hours",
            "Ends at the next session start.",
        )
        .form(Form::Alternative),
        Key::new(
            "hard_lockout.auth_loss_guard",
            Kind::Only("until_can_trade", "that lock follows the broker; no lock is permanent"),
            "Trading not allowed",
            "Ends when the account may trade again.",
        )
        .form(Form::Alternative),
        Key::new(
            "symbol_lockout.symbol_blocks",
            Kind::Only("permanent", "a symbol is blocked as long as the configuration blocks it"),
            "Blocked symbol",
            "Lasts as long as the symbol is blocked.",
        )
        .form(Form::Alternative),
    ],
};

static COOLDOWNS: Group = Group {
    file: File::Timers,
    prefix: "timer_cooldown",
    rule: None,
    title: "Cooldowns",
    help: "May be said here or in risk.yaml; said in both, they must be equal.",
    keys: &[
        Key::new(
            "trade_frequency_limit.per_minute_breach",
            COOLDOWN,
            "After the minute's limit",
            "See risk.yaml.",
        )
        .form(Form::Alternative),
        Key::new(
            "trade_frequency_limit.per_hour_breach",
            COOLDOWN,
            "After the hour's limit",
            "See risk.yaml.",
        )
        .form(Form::Alternative),
        Key::new(
            "trade_frequency_limit.per_session_breach",
            COOLDOWN,
            "After the day's limit",
            "See risk.yaml.",
        )
        .form(Form::Alternative),
        Key::new(
            "cooldown_after_loss",
            COOLDOWN,
            "After a loss",
            "The duration of loss_threshold in risk.yaml.",
        )
        .form(Form::Alternative),
    ],
};

static API: Group = Group {
    file: File::Api,
    prefix: "",
    rule: None,
    title: "Broker",
    help: "Where the broker is. Credentials are never here: they live in the operating system's keyring.",
    keys: &[
        Key::new("base_url", Kind::Url { hub: false }, "REST", "Address of the REST interface.")
            .at(lens!(api.base_url)),
        Key::new(
            "user_hub_url",
            Kind::Url { hub: true },
            "User hub",
            "Accounts, orders, positions and trades.",
        )
        .at(lens!(api.user_hub_url)),
        Key::new("market_hub_url", Kind::Url { hub: true }, "Market hub", "Quotes.")
            .at(lens!(api.market_hub_url)),
    ],
};
