-- What happened, in the order of the commits.

-- name: newest_event
SELECT coalesce(max(seq), 0) AS key FROM sqlite_sequence WHERE name = 'outbox';

-- name: events_after
SELECT key, customer, kind, subject, attempt, event_number, tm, payload
FROM outbox WHERE key > :after ORDER BY key LIMIT :count;

-- name: attempts_by_key
SELECT a.*, c.id AS campaign_id, q.id AS outplan_id, o.id AS outdial_id, t.id AS target_id, t.name AS target_name,
       t.addresses, v.queue_id, p.terms, k.id AS call_id
FROM json_each(:attempts) AS wanted
CROSS JOIN attempts AS a ON a.key = wanted.value
JOIN campaigns AS c ON c.customer = a.customer AND c.key = a.campaign
JOIN campaign_versions AS v ON v.customer = a.customer AND v.key = a.campaign_version
JOIN outplan_versions AS p ON p.customer = a.customer AND p.key = a.outplan_version
JOIN outplans AS q ON q.customer = p.customer AND q.key = p.outplan
JOIN outdials AS o ON o.customer = a.customer AND o.key = a.outdial
JOIN targets AS t ON t.customer = a.customer AND t.key = a.target
JOIN calls AS k ON k.customer = a.customer AND k.key = a.call;

-- name: calls_of_attempts
SELECT k.*, a.id AS attempt_id, a.destination, a.destination_index, t.addresses, p.terms
FROM json_each(:attempts) AS wanted
CROSS JOIN attempts AS a ON a.key = wanted.value
JOIN calls AS k ON k.customer = a.customer AND k.key = a.call
JOIN targets AS t ON t.customer = a.customer AND t.key = a.target
JOIN outplan_versions AS p ON p.customer = a.customer AND p.key = a.outplan_version;
