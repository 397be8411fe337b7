-- Metadata of contracts is read back at a start: whole, and as exact as the broker told it.
ALTER TABLE instruments ADD COLUMN name TEXT NOT NULL DEFAULT '';
ALTER TABLE instruments ADD COLUMN tick_value_exact TEXT NOT NULL DEFAULT '0';
