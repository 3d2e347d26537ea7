-- The claim: everything is read first, decided, then written, inside one BEGIN IMMEDIATE transaction. The guards in
-- the WHERE clauses and the partial unique indexes of the schema say the same thing once more.

-- name: candidates
-- The targets that are still as the plan saw them, in lists and campaigns that may still dial.
SELECT t.key, t.version, t.tries_0 + t.tries_1 + t.tries_2 + t.tries_3 + t.tries_4 AS tries
FROM json_each(:targets) AS wanted
CROSS JOIN targets AS t ON t.key = wanted.value
JOIN outdials AS o ON o.customer = t.customer AND o.key = t.outdial
WHERE t.customer = :customer AND t.status = 'idle' AND t.tm_delete IS NULL AND o.tm_delete IS NULL;

-- name: running_campaigns
-- Campaigns that may dial, under which versions, and the rate that spaces their calls.
SELECT c.key, v.key AS version_key, p.key AS outplan_version, v.outdial, v.dial_rate
FROM json_each(:campaigns) AS wanted
CROSS JOIN campaigns AS c ON c.key = wanted.value
JOIN campaign_versions AS v ON v.customer = c.customer AND v.campaign = c.key AND v.version = c.version
JOIN outplans AS q ON q.customer = v.customer AND q.key = v.outplan
JOIN outplan_versions AS p ON p.customer = q.customer AND p.outplan = q.key AND p.version = q.version
WHERE c.customer = :customer AND c.status = 'run' AND c.tm_delete IS NULL;

-- name: open_trunks
SELECT t.key, t.rate_per_s, t.channels, u.in_use
FROM json_each(:trunks) AS wanted
CROSS JOIN trunks AS t ON t.key = wanted.value
JOIN trunk_use AS u ON u.customer = t.customer AND u.key = t.key
WHERE t.customer = :customer AND t.tm_delete IS NULL;

-- name: live_numbers
SELECT a.number
FROM json_each(:numbers) AS wanted
CROSS JOIN attempts AS a ON a.customer = :customer AND a.number = wanted.value AND a.status <> 'done';

-- name: last_keys
SELECT (SELECT coalesce(max(key), 0) FROM attempts) AS attempt,
       (SELECT coalesce(max(key), 0) FROM calls) AS call,
       (SELECT coalesce(max(key), 0) FROM legs) AS leg;

-- name: decide
INSERT INTO decisions (customer, tm, attempts, body) VALUES (:customer, :now, :attempts, :body);

-- name: claim_target
UPDATE targets
SET status = :status, due = NULL, version = version + 1, tm_update = :now,
    tries_0 = tries_0 + (:destination_index = 0),
    tries_1 = tries_1 + (:destination_index = 1),
    tries_2 = tries_2 + (:destination_index = 2),
    tries_3 = tries_3 + (:destination_index = 3),
    tries_4 = tries_4 + (:destination_index = 4)
WHERE key = :target AND customer = :customer AND version = :target_version AND status = 'idle' AND tm_delete IS NULL;

-- name: put_off_target
-- Its number is in a call: look again later.
UPDATE targets SET due = :due, due_reason = :due_reason, version = version + 1, tm_update = :now
WHERE key = :target AND customer = :customer AND version = :target_version AND status = 'idle';

-- name: insert_attempt
INSERT INTO attempts (
    key, customer, id, epoch, worker, decision, campaign, campaign_version, outplan_version, outdial, target, trunk,
    call, activeflow_id, destination, number, destination_index, try_count, send_not_before, send_not_after,
    covered_by, status, tm_create)
VALUES (
    :attempt, :customer, :attempt_id, :epoch, :worker, :decision, :campaign, :campaign_version, :outplan_version,
    :outdial, :target, :trunk, :call, :activeflow_id, :destination, :number, :destination_index, :try_count,
    :send_not_before, :send_not_after, :covered_by, :attempt_status, :now);

-- name: insert_call
INSERT INTO calls (key, customer, id, attempt, activeflow_id, status, tm_create)
VALUES (:call, :customer, :call_id, :attempt, :activeflow_id, :call_status, :now);

-- name: insert_legs
-- The first leg of each attempt of the batch, from :attempt to :last_attempt; their keys run side by side.
INSERT INTO legs (key, customer, call, attempt, number, trunk)
SELECT :leg + a.key - :attempt, a.customer, a.call, a.key, :leg_number, a.trunk
FROM attempts AS a
WHERE a.key BETWEEN :attempt AND :last_attempt AND a.customer = :customer;

-- name: claims_happened
-- The first event of each attempt of the batch.
INSERT INTO outbox (customer, kind, attempt, event_number, tm)
SELECT a.customer, :kind, a.key, a.event_number, :now
FROM attempts AS a
WHERE a.key BETWEEN :attempt AND :last_attempt AND a.customer = :customer;

-- name: reserve
-- A scope's next free send slot, and the channels taken.
INSERT INTO limits (customer, scope, next_slot, in_use) VALUES (:customer, :scope, :next_slot, :channels)
ON CONFLICT (customer, scope) DO UPDATE
SET next_slot = max(next_slot, excluded.next_slot), in_use = in_use + excluded.in_use;

-- name: reslot_attempts
-- The live attempts among those asked for whose campaign still runs and whose target is not
-- deleted, with the limits that space their calls.
SELECT a.key, a.campaign, a.trunk, v.dial_rate, t.rate_per_s,
       coalesce(of_campaign.next_slot, 0) AS campaign_slot, coalesce(of_trunk.next_slot, 0) AS trunk_slot
FROM json_each(:attempts) AS wanted
CROSS JOIN attempts AS a ON a.key = wanted.value
JOIN campaigns AS c ON c.customer = a.customer AND c.key = a.campaign
JOIN campaign_versions AS v ON v.customer = c.customer AND v.campaign = c.key AND v.version = c.version
JOIN trunks AS t ON t.customer = a.customer AND t.key = a.trunk
JOIN targets AS p ON p.customer = a.customer AND p.key = a.target
JOIN outdials AS o ON o.customer = a.customer AND o.key = a.outdial
LEFT JOIN limits AS of_campaign ON of_campaign.customer = a.customer AND of_campaign.scope = 'campaign:' || a.campaign
LEFT JOIN limits AS of_trunk ON of_trunk.customer = a.customer AND of_trunk.scope = 'trunk:' || a.trunk
WHERE a.customer = :customer AND a.status = 'dialing' AND c.status = 'run' AND c.tm_delete IS NULL
  AND p.tm_delete IS NULL AND o.tm_delete IS NULL;

-- name: reslot
UPDATE attempts SET send_not_before = :slot, send_not_after = :send_not_after, tm_update = :now
WHERE key = :attempt AND customer = :customer AND status = 'dialing';

-- name: close_target
UPDATE targets
SET status = :status, done_reason = :done_reason, due = NULL, version = version + 1, tm_update = :now
WHERE key = :target AND customer = :customer AND version = :target_version AND status = 'idle';
