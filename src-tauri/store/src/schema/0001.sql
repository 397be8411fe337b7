-- Schema 1. Frozen: its checksum is kept in every database that it made; changes go into a new file.
--
-- Instants are ISO-8601 UTC with six digits of a second and `Z`, always of the same length. Money in REAL
-- columns is rounded to cents and only ever read by people; columns named `..._cents` are whole cents,
-- columns named `..._exact` are the exact decimal as text, and only those are read back. Null is unknown.

CREATE TABLE schema_version (
    version    INTEGER PRIMARY KEY,
    applied_at TIMESTAMP NOT NULL,
    checksum   TEXT NOT NULL
);

CREATE TABLE account_state (
    account_id           TEXT PRIMARY KEY,
    realized_pnl_today   REAL NOT NULL,
    unrealized_pnl_total REAL NOT NULL,
    last_daily_reset     TIMESTAMP NOT NULL,
    lockout_until        TIMESTAMP,
    cooldown_until       TIMESTAMP,
    error_state          BOOLEAN DEFAULT FALSE,
    error_message        TEXT,
    name                 TEXT,
    can_trade            BOOLEAN,
    visible              BOOLEAN,
    simulated            BOOLEAN,
    balance_exact        TEXT,
    realized_exact       TEXT,
    unrealized_exact     TEXT,
    updated_at           TIMESTAMP
);

CREATE TABLE positions (
    position_id        TEXT PRIMARY KEY,
    account_id         TEXT NOT NULL REFERENCES account_state (account_id),
    symbol             TEXT NOT NULL,
    side               TEXT NOT NULL CHECK (side IN ('long', 'short')),
    quantity           INTEGER NOT NULL CHECK (quantity > 0),
    entry_price        REAL NOT NULL,
    current_price      REAL,
    unrealized_pnl     REAL,
    opened_at          TIMESTAMP NOT NULL,
    last_update        TIMESTAMP NOT NULL,
    stop_loss_attached BOOLEAN DEFAULT FALSE,
    stop_loss_price    REAL,
    contract_id        TEXT NOT NULL,
    entry_price_exact  TEXT NOT NULL
);
CREATE INDEX positions_by_account ON positions (account_id);

CREATE TABLE enforcement_history (
    id              INTEGER PRIMARY KEY AUTOINCREMENT,
    timestamp       TIMESTAMP NOT NULL,
    account_id      TEXT NOT NULL REFERENCES account_state (account_id),
    rule_name       TEXT NOT NULL,
    action_type     TEXT NOT NULL,
    reason          TEXT NOT NULL,
    position_id     TEXT,
    order_id        TEXT,
    success         BOOLEAN NOT NULL,
    error_message   TEXT,
    kind            TEXT NOT NULL CHECK (kind IN ('intent', 'result', 'record')),
    enforcement_id  INTEGER,
    intent_id       INTEGER REFERENCES enforcement_history (id),
    outcome         TEXT NOT NULL,
    merged_rules    TEXT,
    cause_event_id  TEXT,
    contract_id     TEXT,
    priority        INTEGER,
    deed            TEXT,
    breach          TEXT,
    value           TEXT,
    limit_value     TEXT,
    attempt         INTEGER,
    latency_ms      INTEGER,
    latency_us      INTEGER,
    dry_run         BOOLEAN NOT NULL DEFAULT FALSE,
    detected_at     TIMESTAMP,
    sent_at         TIMESTAMP,
    acknowledged_at TIMESTAMP,
    confirmed_at    TIMESTAMP,
    overshoot       TEXT,
    done            TEXT,
    prev_hash       TEXT NOT NULL,
    hash            TEXT NOT NULL
);
CREATE UNIQUE INDEX enforcement_history_intents ON enforcement_history (enforcement_id) WHERE kind = 'intent';
CREATE UNIQUE INDEX enforcement_history_results ON enforcement_history (intent_id) WHERE intent_id IS NOT NULL;

CREATE TRIGGER enforcement_history_keeps_rows BEFORE DELETE ON enforcement_history
BEGIN SELECT RAISE(ABORT, 'enforcement_history is append-only'); END;
CREATE TRIGGER enforcement_history_keeps_contents BEFORE UPDATE ON enforcement_history
BEGIN SELECT RAISE(ABORT, 'enforcement_history is append-only'); END;
-- An INSERT OR REPLACE of an old row fires no DELETE trigger.
CREATE TRIGGER enforcement_history_appends BEFORE INSERT ON enforcement_history
WHEN NEW.id <> (SELECT coalesce(max(id), 0) + 1 FROM enforcement_history)
BEGIN SELECT RAISE(ABORT, 'enforcement_history is append-only'); END;

CREATE TABLE performance_metrics (
    id           INTEGER PRIMARY KEY AUTOINCREMENT,
    timestamp    TIMESTAMP NOT NULL,
    metric_name  TEXT NOT NULL,
    metric_value REAL NOT NULL,
    account_id   TEXT
);
CREATE INDEX performance_metrics_by_time ON performance_metrics (timestamp);

CREATE TABLE lockouts (
    id              INTEGER PRIMARY KEY AUTOINCREMENT,
    account_id      TEXT NOT NULL REFERENCES account_state (account_id),
    rule            TEXT NOT NULL,
    kind            TEXT NOT NULL CHECK (kind IN ('HARD', 'TIMER', 'SYMBOL')),
    symbol          TEXT,
    cause           TEXT NOT NULL DEFAULT '',
    exempt_symbols  TEXT NOT NULL,
    reason          TEXT NOT NULL,
    breach          TEXT NOT NULL,
    created_at      TIMESTAMP NOT NULL,
    expires_at      TIMESTAMP,
    end_condition   TEXT NOT NULL CHECK (end_condition IN
        ('at_time', 'until_reset', 'until_session_start', 'until_can_trade', 'until_config')),
    trading_day     TEXT NOT NULL,
    baseline        TEXT NOT NULL,
    status          TEXT NOT NULL CHECK (status IN ('active', 'ended')),
    ended_at        TIMESTAMP,
    ended_by        TEXT CHECK (ended_by IN ('expiry', 'condition', 'config', 'override', 'reset')),
    override_reason TEXT,
    cause_event_id  TEXT
);
CREATE UNIQUE INDEX lockouts_active ON lockouts (account_id, rule, ifnull(symbol, ''), cause)
    WHERE status = 'active';
CREATE INDEX lockouts_by_account ON lockouts (account_id);

CREATE TABLE timers (
    name        TEXT PRIMARY KEY,
    account_id  TEXT NOT NULL REFERENCES account_state (account_id),
    purpose     TEXT NOT NULL CHECK (purpose IN ('cooldown', 'stop_grace', 'session_grace', 'other')),
    contract_id TEXT,
    started_at  TIMESTAMP NOT NULL,
    duration_ms INTEGER NOT NULL,
    deadline_at TIMESTAMP NOT NULL,
    status      TEXT NOT NULL
);

CREATE TABLE daily_pnl (
    account_id         TEXT NOT NULL REFERENCES account_state (account_id),
    trading_day        TEXT NOT NULL,
    realized_cents     INTEGER NOT NULL,
    fees_cents         INTEGER NOT NULL,
    realized_exact     TEXT NOT NULL,
    fees_exact         TEXT NOT NULL,
    trade_count        INTEGER NOT NULL,
    win_count          INTEGER NOT NULL,
    loss_count         INTEGER NOT NULL,
    estimated          BOOLEAN NOT NULL,
    max_combined_cents INTEGER,
    min_combined_cents INTEGER,
    opened_at          TIMESTAMP NOT NULL,
    closed_at          TIMESTAMP,
    PRIMARY KEY (account_id, trading_day)
);

CREATE TABLE reset_log (
    id             INTEGER PRIMARY KEY AUTOINCREMENT,
    account_id     TEXT NOT NULL REFERENCES account_state (account_id),
    reset_type     TEXT NOT NULL CHECK (reset_type IN ('daily', 'weekly')),
    trading_day    TEXT NOT NULL,
    scheduled_at   TIMESTAMP NOT NULL,
    executed_at    TIMESTAMP NOT NULL,
    figures_before TEXT,
    backup_file    TEXT,
    result         TEXT NOT NULL,
    UNIQUE (account_id, reset_type, trading_day)
);

CREATE TABLE trade_log (
    account_id        TEXT NOT NULL REFERENCES account_state (account_id),
    trade_id          TEXT NOT NULL,
    order_id          TEXT NOT NULL,
    contract_id       TEXT NOT NULL,
    symbol            TEXT NOT NULL,
    side              TEXT NOT NULL,
    size              INTEGER NOT NULL,
    price             TEXT NOT NULL,
    pnl_cents         INTEGER,
    fees_cents        INTEGER NOT NULL,
    pnl_exact         TEXT,
    fees_exact        TEXT NOT NULL,
    commissions_exact TEXT,
    voided            BOOLEAN NOT NULL,
    own               BOOLEAN NOT NULL,
    locked_at_time    BOOLEAN NOT NULL,
    platform_time     TIMESTAMP NOT NULL,
    received_at       TIMESTAMP NOT NULL,
    trading_day       TEXT NOT NULL,
    UNIQUE (account_id, trade_id)
);
CREATE INDEX trade_log_by_time ON trade_log (account_id, platform_time);
CREATE INDEX trade_log_by_day ON trade_log (account_id, trading_day);

CREATE VIEW frequency_counts AS
SELECT account_id, order_id, min(platform_time) AS first_fill_at
FROM trade_log WHERE NOT own AND NOT voided
GROUP BY account_id, order_id;

CREATE TABLE orders (
    account_id   TEXT NOT NULL REFERENCES account_state (account_id),
    order_id     TEXT NOT NULL,
    contract_id  TEXT NOT NULL,
    type         TEXT NOT NULL,
    status       TEXT NOT NULL,
    side         TEXT NOT NULL,
    size         INTEGER NOT NULL,
    filled       INTEGER NOT NULL,
    limit_price  TEXT,
    stop_price   TEXT,
    filled_price TEXT,
    custom_tag   TEXT,
    parent_id    TEXT,
    linked_id    TEXT,
    own          BOOLEAN NOT NULL,
    created_at   TIMESTAMP NOT NULL,
    first_seen   TIMESTAMP NOT NULL,
    last_update  TIMESTAMP NOT NULL,
    PRIMARY KEY (account_id, order_id)
);

CREATE TABLE stop_coverage (
    account_id        TEXT NOT NULL REFERENCES account_state (account_id),
    contract_id       TEXT NOT NULL,
    covered_qty       INTEGER,
    since             TIMESTAMP,
    uncovered_since   TIMESTAMP,
    deadline_at       TIMESTAMP,
    bracket_order_ids TEXT,
    PRIMARY KEY (account_id, contract_id)
);

CREATE TABLE trade_management_state (
    account_id       TEXT NOT NULL REFERENCES account_state (account_id),
    contract_id      TEXT NOT NULL,
    stop_order_id    TEXT,
    target_order_id  TEXT,
    best_price       TEXT,
    breakeven_done   BOOLEAN NOT NULL DEFAULT FALSE,
    trailing_active  BOOLEAN NOT NULL DEFAULT FALSE,
    PRIMARY KEY (account_id, contract_id)
);

CREATE TABLE connection_log (
    id            INTEGER PRIMARY KEY AUTOINCREMENT,
    account_id    TEXT,
    channel       TEXT NOT NULL,
    state         TEXT NOT NULL,
    why           TEXT,
    since         TIMESTAMP NOT NULL,
    last_alert_at TIMESTAMP
);

CREATE TABLE alerts (
    id               INTEGER PRIMARY KEY AUTOINCREMENT,
    time             TIMESTAMP NOT NULL,
    severity         TEXT NOT NULL,
    type             TEXT NOT NULL,
    account_id       TEXT,
    text             TEXT NOT NULL,
    channels         TEXT NOT NULL,
    delivered        BOOLEAN NOT NULL,
    error            TEXT,
    suppressed_count INTEGER NOT NULL
);

CREATE TABLE config_snapshots (
    id      INTEGER PRIMARY KEY AUTOINCREMENT,
    time    TIMESTAMP NOT NULL,
    hash    TEXT NOT NULL,
    origin  TEXT NOT NULL,
    os_user TEXT,
    diff    TEXT NOT NULL,
    content TEXT NOT NULL,
    valid   BOOLEAN NOT NULL
);

CREATE TABLE admin_audit (
    id        INTEGER PRIMARY KEY AUTOINCREMENT,
    time      TIMESTAMP NOT NULL,
    os_user   TEXT,
    command   TEXT NOT NULL,
    arguments TEXT NOT NULL,
    result    TEXT NOT NULL
);

CREATE TABLE clock_sessions (
    id             INTEGER PRIMARY KEY AUTOINCREMENT,
    account_id     TEXT NOT NULL REFERENCES account_state (account_id),
    clock_in       TIMESTAMP NOT NULL,
    clock_out      TIMESTAMP,
    trades         INTEGER,
    realized_cents INTEGER,
    violations     INTEGER
);

CREATE TABLE instruments (
    contract_id       TEXT PRIMARY KEY,
    symbol            TEXT NOT NULL,
    tick_size         TEXT NOT NULL,
    tick_value_micros INTEGER NOT NULL,
    active            BOOLEAN NOT NULL,
    updated_at        TIMESTAMP NOT NULL
);

CREATE TABLE weekly_stats (
    account_id     TEXT NOT NULL REFERENCES account_state (account_id),
    week_start     TEXT NOT NULL,
    realized_cents INTEGER NOT NULL,
    trades         INTEGER NOT NULL,
    PRIMARY KEY (account_id, week_start)
);

-- One row: the latest engine time that was written down.
CREATE TABLE last_seen (
    id      INTEGER PRIMARY KEY CHECK (id = 1),
    seen_at TIMESTAMP NOT NULL
);
