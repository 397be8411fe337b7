-- What nothing has a use for. Countdowns are rows of `lockouts` and deadlines of `stop_coverage`, from which a
-- start restores them: a second list of them could only contradict. What caused a lockout stands in its breach
-- and in the audit. A connection is that of the login, not of an account, and alerts have a table of their own.
DROP TABLE timers;
ALTER TABLE lockouts DROP COLUMN cause_event_id;
ALTER TABLE connection_log DROP COLUMN account_id;
ALTER TABLE connection_log DROP COLUMN last_alert_at;
