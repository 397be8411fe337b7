-- The past is told by account and time.
CREATE INDEX enforcement_history_by_account ON enforcement_history (account_id, timestamp);
