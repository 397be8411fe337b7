-- What RULE-012 needs in order to know its position again, and to leave alone what was taken away.
ALTER TABLE trade_management_state ADD COLUMN position_id TEXT;
ALTER TABLE trade_management_state ADD COLUMN stops_lost INTEGER NOT NULL DEFAULT 0;
ALTER TABLE trade_management_state ADD COLUMN target_lost BOOLEAN NOT NULL DEFAULT FALSE;
