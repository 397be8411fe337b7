-- What a personal session began with, so that its end can be told from the day's figures.
ALTER TABLE clock_sessions ADD COLUMN trades_in INTEGER NOT NULL DEFAULT 0;
ALTER TABLE clock_sessions ADD COLUMN realized_cents_in INTEGER NOT NULL DEFAULT 0;
CREATE UNIQUE INDEX clock_sessions_open ON clock_sessions (account_id) WHERE clock_out IS NULL;
