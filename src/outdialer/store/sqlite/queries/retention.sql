-- Removing what is old, in small steps. Keys are given in the order of time, so that every statement walks a short
-- range of keys and no index is kept for it. The newest row of a table stays: its key must not be given again.

-- name: oldest_events
SELECT key, customer, tm FROM outbox WHERE key > 0 ORDER BY key LIMIT :count;

-- name: first_needed
-- The cursor of the enabled webhook that is furthest behind; null: nobody needs the outbox.
SELECT min(webhook_states.cursor) AS cursor
FROM webhook_states
CROSS JOIN customers AS c ON c.key = webhook_states.customer
WHERE webhook_states.standing = 'enabled' AND c.tm_deletion_scheduled IS NULL;

-- name: delete_events
DELETE FROM outbox WHERE key <= :last;

-- name: first_event
SELECT tm FROM outbox WHERE key > 0 ORDER BY key LIMIT 1;

-- name: attempts_behind
-- over: nobody will ever dial the target again, and nothing has happened to it since.
SELECT a.key, a.customer, a.call, a.decision, a.campaign, a.campaign_version, a.outplan_version, a.outdial,
       a.result, a.hangup_reason, a.charged, a.answered, a.tm_create,
       a.status = 'done' AND t.status <> 'progressing' AND t.tm_update < :before
           AND (t.status = 'done' OR coalesce(o.tm_delete < :before, 0)) AS over
FROM attempts AS a
CROSS JOIN targets AS t ON t.customer = a.customer AND t.key = a.target
CROSS JOIN outdials AS o ON o.customer = a.customer AND o.key = a.outdial
WHERE a.key > :after AND a.key < (SELECT max(key) FROM attempts)
ORDER BY a.key
LIMIT :count;

-- name: delete_legs
DELETE FROM legs WHERE customer = :customer AND call = :call;

-- name: delete_call
DELETE FROM calls WHERE key = :call AND customer = :customer AND status = 'hangup';

-- name: delete_attempt
DELETE FROM attempts WHERE key = :attempt AND customer = :customer AND status = 'done';

-- name: release_decision
UPDATE decisions SET attempts = attempts - :attempts WHERE key = :decision;

-- name: decisions_behind
SELECT key, tm, attempts FROM decisions
WHERE key > :after AND key < (SELECT max(key) FROM decisions)
ORDER BY key
LIMIT :count;

-- name: delete_decision
DELETE FROM decisions WHERE key = :key AND attempts = 0;

-- name: campaign_versions_behind
-- over: a later version was made long ago, and no attempt on the books refers to this one.
SELECT v.key, v.customer,
       coalesce(c.n, 0) = 0
           AND EXISTS (SELECT 1 FROM campaign_versions AS n
                       WHERE n.customer = v.customer AND n.campaign = v.campaign AND n.version > v.version
                         AND n.tm_create < :before) AS over
FROM campaign_versions AS v
LEFT JOIN counters AS c ON c.customer = v.customer AND c.kind = 'campaign_version' AND c.scope = v.key
                       AND c.name = 'attempts'
WHERE v.key > :after
ORDER BY v.key
LIMIT :count;

-- name: outplan_versions_behind
SELECT v.key, v.customer,
       coalesce(c.n, 0) = 0
           AND EXISTS (SELECT 1 FROM outplan_versions AS n
                       WHERE n.customer = v.customer AND n.outplan = v.outplan AND n.version > v.version
                         AND n.tm_create < :before) AS over
FROM outplan_versions AS v
LEFT JOIN counters AS c ON c.customer = v.customer AND c.kind = 'outplan_version' AND c.scope = v.key
                       AND c.name = 'attempts'
WHERE v.key > :after
ORDER BY v.key
LIMIT :count;

-- name: delete_campaign_version
DELETE FROM campaign_versions WHERE key = :key AND customer = :customer;

-- name: delete_outplan_version
DELETE FROM outplan_versions WHERE key = :key AND customer = :customer;

-- name: delete_counters
DELETE FROM counters WHERE customer = :customer AND kind = :kind AND scope = :key;

-- name: requests_behind
SELECT key, tm FROM requests WHERE key > :after ORDER BY key LIMIT :count;

-- name: delete_request
DELETE FROM requests WHERE key = :key;
