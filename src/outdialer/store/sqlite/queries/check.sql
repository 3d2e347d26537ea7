-- What must hold in the books at rest and at any moment between two transactions. Every statement returns one line
-- of text for each thing that is wrong, and nothing when all is well. They count everything: not for the dialing path.

-- name: one_live_attempt_per_target
SELECT 'target ' || target || ' has ' || count(*) || ' live attempts'
FROM attempts WHERE status <> 'done' GROUP BY customer, target HAVING count(*) > 1;

-- name: one_live_call_per_person
SELECT 'a number has ' || count(*) || ' live attempts, the first is ' || min(key)
FROM attempts WHERE status <> 'done' GROUP BY customer, number HAVING count(*) > 1;

-- name: tries_are_charged_attempts
SELECT 'target ' || target || ' index ' || destination_index || ': tries and charged attempts differ by ' || sum(n)
FROM (
    SELECT key AS target, 0 AS destination_index, tries_0 AS n FROM targets
    UNION ALL
    SELECT key, 1, tries_1 FROM targets
    UNION ALL
    SELECT key, 2, tries_2 FROM targets
    UNION ALL
    SELECT key, 3, tries_3 FROM targets
    UNION ALL
    SELECT key, 4, tries_4 FROM targets
    UNION ALL
    SELECT target, destination_index, -1 FROM attempts WHERE charged = 1
)
GROUP BY target, destination_index HAVING sum(n) <> 0;

-- name: tries_are_numbered_without_gaps
SELECT 'target ' || target || ' index ' || destination_index || ': ' || count(*) || ' charged attempts, numbered up to '
       || max(try_count)
FROM attempts WHERE charged = 1
GROUP BY customer, target, destination_index
HAVING max(try_count) <> count(*) OR count(DISTINCT try_count) <> count(*);

-- name: progressing_targets_have_an_attempt
SELECT 'target ' || t.key || ' is progressing without a live attempt'
FROM targets AS t
WHERE t.status = 'progressing'
  AND NOT EXISTS (SELECT 1 FROM attempts AS a
                  WHERE a.customer = t.customer AND a.target = t.key AND a.status <> 'done');

-- name: live_attempts_have_a_target
SELECT 'attempt ' || a.key || ' is ' || a.status || ' and its target is ' || t.status
FROM attempts AS a JOIN targets AS t ON t.key = a.target
WHERE a.status <> 'done' AND t.status <> 'progressing';

-- name: attempts_and_calls_end_together
SELECT 'attempt ' || a.key || ' is ' || a.status || ' and its call is ' || coalesce(c.status, 'missing')
FROM attempts AS a LEFT JOIN calls AS c ON c.customer = a.customer AND c.key = a.call AND c.attempt = a.key
WHERE c.key IS NULL OR (a.status = 'done') <> (c.status = 'hangup');

-- name: calls_have_a_leg
SELECT 'call ' || c.key || ' has no leg'
FROM calls AS c
WHERE NOT EXISTS (SELECT 1 FROM legs AS l WHERE l.customer = c.customer AND l.call = c.key);

-- name: success_ends
SELECT 'target ' || t.key || ' has a successful attempt and is ' || t.status
FROM attempts AS a JOIN targets AS t ON t.key = a.target
WHERE a.result = 'success' AND (t.status <> 'done' OR t.done_reason <> 'success');

-- name: events_are_numbered_without_gaps
SELECT 'attempt ' || a.key || ' had ' || a.event_number || ' events, the outbox holds ' || count(o.key)
FROM attempts AS a LEFT JOIN outbox AS o ON o.customer = a.customer AND o.attempt = a.key
GROUP BY a.key
HAVING count(o.key) <> a.event_number OR max(o.event_number) <> a.event_number
    OR count(DISTINCT o.event_number) <> a.event_number
    OR sum(o.kind = 'claimed') <> 1 OR sum(o.kind = 'ended') <> (a.status = 'done');

-- name: limits_are_live_attempts
SELECT 'limit ' || scope || ' is off by ' || sum(n)
FROM (
    SELECT customer, scope, in_use AS n FROM limits
    UNION ALL
    SELECT customer, 'trunk:' || trunk, -1 FROM attempts WHERE status <> 'done'
    UNION ALL
    SELECT customer, 'campaign:' || campaign, -1 FROM attempts WHERE status <> 'done'
)
GROUP BY customer, scope HAVING sum(n) <> 0;

-- name: counters_are_counts
SELECT 'counter ' || kind || ' ' || scope || ' ' || name || ' is off by ' || sum(n)
FROM (
    SELECT customer, kind, scope, name, n FROM counters
    UNION ALL
    SELECT customer, 'outdial', outdial, CASE status WHEN 'done' THEN 'done.' || done_reason ELSE status END, -1
    FROM targets
    UNION ALL
    SELECT customer, 'outdial', outdial, 'retries_waiting', -1
    FROM targets WHERE status = 'idle' AND tries_0 + tries_1 + tries_2 + tries_3 + tries_4 > 0
    UNION ALL
    SELECT customer, 'campaign', campaign, 'attempts', -1 FROM attempts
    UNION ALL
    SELECT customer, 'campaign', campaign, 'dialing', -1 FROM attempts WHERE status = 'dialing'
    UNION ALL
    SELECT customer, 'campaign', campaign, 'ringing', -1
    FROM attempts WHERE status = 'dialing' AND tm_ringing IS NOT NULL
    UNION ALL
    SELECT customer, 'campaign', campaign, 'talking', -1 FROM attempts WHERE status = 'progressing'
    UNION ALL
    SELECT customer, 'campaign', campaign, 'answered', -1 FROM attempts WHERE answered = 1
    UNION ALL
    SELECT customer, 'campaign', campaign,
           CASE WHEN result = 'success' THEN 'succeeded' WHEN charged = 0 THEN 'not_sent'
                ELSE 'failed.' || hangup_reason END, -1
    FROM attempts WHERE status = 'done'
)
GROUP BY customer, kind, scope, name HAVING sum(n) <> 0;
