-- The lives of an engine: epochs, and what an earlier life left open.

-- name: all_customers
SELECT key FROM customers ORDER BY key;

-- name: insert_customer
INSERT INTO customers (key, id) VALUES (:key, :id);

-- name: insert_meta
INSERT INTO meta (name, value) VALUES (:name, :value);

-- name: put_meta
INSERT INTO meta (name, value) VALUES (:name, :value) ON CONFLICT (name) DO UPDATE SET value = excluded.value;

-- name: meta
SELECT value FROM meta WHERE name = :name;

-- name: insert_worker
INSERT INTO workers (name) VALUES (:name) ON CONFLICT (name) DO NOTHING;

-- name: worker
SELECT key FROM workers WHERE name = :name;

-- name: insert_epoch
INSERT INTO epochs (worker, tm_start) VALUES (:worker, :now);

-- name: live_channels
-- Channels taken by the live attempts of a customer.
SELECT trunk, campaign FROM attempts WHERE customer = :customer AND status <> 'done';

-- name: forget_channels
UPDATE limits SET in_use = 0 WHERE customer = :customer;

-- name: settle_trunk_slots
-- A slot further ahead than the rate can put it was reserved by a clock that has been set back since.
UPDATE limits SET next_slot = min(next_slot, :horizon + coalesce((
    SELECT CASE WHEN t.rate_per_s > 0 THEN CAST(1000000 / t.rate_per_s AS INTEGER) + 1 ELSE 0 END
    FROM trunks AS t WHERE t.customer = limits.customer AND limits.scope = 'trunk:' || t.key), 0))
WHERE customer = :customer AND scope LIKE 'trunk:%';

-- name: settle_campaign_slots
UPDATE limits SET next_slot = min(next_slot, :horizon + coalesce((
    SELECT CASE WHEN v.dial_rate > 0 THEN CAST(1000000 / v.dial_rate AS INTEGER) + 1 ELSE 0 END
    FROM campaigns AS c
    JOIN campaign_versions AS v ON v.customer = c.customer AND v.campaign = c.key AND v.version = c.version
    WHERE c.customer = limits.customer AND limits.scope = 'campaign:' || c.key), 0))
WHERE customer = :customer AND scope LIKE 'campaign:%';

-- name: settle_pauses
-- The same for the pauses of trunks.
UPDATE trunks SET paused_until = min(paused_until, :longest) WHERE customer = :customer;

-- name: unresolved
-- The attempts of earlier epochs that are not done, with the newest leg of their call.
SELECT a.key, a.id, a.call, a.campaign, a.outdial, a.target, a.trunk, a.destination_index, a.status, a.destination,
       a.outplan_version, a.send_not_after, a.tm_ringing, a.tm_progressing,
       l.key AS leg, l.number AS leg_number, l.dialog, l.answered_until,
       t.destination_0, t.destination_1, t.destination_2, t.destination_3, t.destination_4,
       t.tries_0, t.tries_1, t.tries_2, t.tries_3, t.tries_4
FROM attempts AS a
JOIN legs AS l ON l.customer = a.customer AND l.call = a.call
    AND l.number = (SELECT max(m.number) FROM legs AS m WHERE m.customer = a.customer AND m.call = a.call)
JOIN targets AS t ON t.customer = a.customer AND t.key = a.target
WHERE a.customer = :customer AND a.status <> 'done' AND a.epoch < :epoch;

-- name: claimed
-- A claim of this life that is on the books and not over, by the identifier drawn for it.
SELECT a.key AS attempt, a.call, l.key AS leg, l.number
FROM attempts AS a
JOIN legs AS l ON l.customer = a.customer AND l.call = a.call
WHERE a.customer = :customer AND a.id = :id AND a.epoch = :epoch AND a.status <> 'done'
ORDER BY l.number DESC LIMIT 1;

-- name: revoked
SELECT a.key
FROM json_each(:attempts) AS wanted
CROSS JOIN attempts AS a ON a.key = wanted.value
JOIN targets AS t ON t.customer = a.customer AND t.key = a.target
JOIN outdials AS o ON o.customer = a.customer AND o.key = a.outdial
WHERE a.customer = :customer AND (t.tm_delete IS NOT NULL OR o.tm_delete IS NOT NULL);

-- name: call_script
SELECT c.id, v.name, v.actions
FROM campaign_versions AS v
JOIN campaigns AS c ON c.customer = v.customer AND c.key = v.campaign
WHERE v.customer = :customer AND v.key = :key;

-- name: target_facts
SELECT t.key, t.id, t.name, t.detail, t.data, o.id AS outdial_id, o.name AS outdial_name, o.data AS outdial_data
FROM json_each(:targets) AS wanted
CROSS JOIN targets AS t ON t.key = wanted.value
JOIN outdials AS o ON o.customer = t.customer AND o.key = t.outdial
WHERE t.customer = :customer;
