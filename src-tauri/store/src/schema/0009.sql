-- Which of an account's orders still work is asked at each change of them; old ones are taken away.
CREATE INDEX orders_working ON orders (account_id) WHERE status IN ('open', 'pending', 'suspended', 'cancel_pending');
CREATE INDEX orders_by_update ON orders (last_update);
