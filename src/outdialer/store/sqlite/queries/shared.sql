-- What every room of the books uses.

-- name: current_epoch
SELECT max(key) AS epoch FROM epochs;

-- name: count
-- One count, changed with the row that is counted.
INSERT INTO counters (customer, kind, scope, name, n) VALUES (:customer, :kind, :scope, :name, :by)
ON CONFLICT (customer, kind, scope, name) DO UPDATE SET n = n + excluded.n;

-- name: counters
SELECT name, n FROM counters WHERE customer = :customer AND kind = :kind AND scope = :scope;

-- name: attempt_happened
-- One tiny row per change of an attempt; what it tells is rebuilt from the attempt.
INSERT INTO outbox (customer, kind, attempt, event_number, tm)
VALUES (:customer, :kind, :attempt, :event_number, :tm);

-- name: resource_happened
INSERT INTO outbox (customer, kind, subject, event_number, tm, payload)
VALUES (:customer, :kind, :subject, :event_number, :tm, :payload);

-- name: outplan_version
SELECT key, terms FROM outplan_versions WHERE customer = :customer AND key = :key;

-- name: ease_limit
-- After a change of its rate: no slot further ahead than the new rate can have reserved.
UPDATE limits SET next_slot = min(next_slot, :latest) WHERE customer = :customer AND scope = :scope;
