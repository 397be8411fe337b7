-- A row of a measurement sums up a minute: metric_value is the average of its samples.
ALTER TABLE performance_metrics ADD COLUMN samples INTEGER;
ALTER TABLE performance_metrics ADD COLUMN p95 REAL;
ALTER TABLE performance_metrics ADD COLUMN largest REAL;
CREATE INDEX alerts_by_time ON alerts (time);
