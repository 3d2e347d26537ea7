-- What must hold in the books at rest and at any moment between two transactions. Every statement returns one line
-- of text for each thing that is wrong, and nothing when all is well. They count everything: not for the dialing path.

-- name: one_live_attempt_per_target
SELECT 'target ' || target || ' has ' || count(*) || ' live attempts'
FROM attempts WHERE status <> 'done' GROUP BY customer, target HAVING count(*) > 1;

-- name: one_live_call_per_person
SELECT 'a number has ' || count(*) || ' live attempts, the first is ' || min(key)
FROM attempts WHERE status <> 'done' GROUP BY customer, number HAVING count(*) > 1;

-- name: requests_are_counted
SELECT 'customer ' || customer || ': requests and their total differ by ' || sum(n) || ' bytes'
FROM (
    SELECT customer, bytes AS n FROM request_totals
    UNION ALL
    SELECT customer, -500 - coalesce(length(body), 0) FROM requests
)
GROUP BY customer HAVING sum(n) <> 0;

-- name: tries_are_charged_attempts
-- Of targets that nobody will ever dial again, attempts may have been removed.
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
GROUP BY target, destination_index
HAVING sum(n) < 0
    OR (sum(n) > 0 AND NOT EXISTS (SELECT 1 FROM targets AS t JOIN outdials AS o ON o.key = t.outdial
                                   WHERE t.key = target AND (t.status = 'done' OR o.tm_delete IS NOT NULL)));

-- name: tries_of_lists_are_charged_attempts
-- Whatever was removed: the tries of a list are its charged attempts and the removed ones.
SELECT 'outdial ' || outdial || ': tries and charged attempts, removed ones included, differ by ' || sum(n)
FROM (
    SELECT customer, outdial, tries_0 + tries_1 + tries_2 + tries_3 + tries_4 AS n FROM targets
    UNION ALL
    SELECT customer, outdial, -1 FROM attempts WHERE charged = 1
    UNION ALL
    SELECT customer, scope, -n FROM counters WHERE kind = 'removed_tries'
)
GROUP BY customer, outdial HAVING sum(n) <> 0;

-- name: tries_are_numbered_without_gaps
-- Up to the target's tries; what was removed is what came first.
SELECT 'target ' || a.target || ' index ' || a.destination_index || ': ' || count(*) || ' charged attempts, numbered '
       || min(a.try_count) || ' to ' || max(a.try_count)
FROM attempts AS a JOIN targets AS t ON t.key = a.target WHERE a.charged = 1
GROUP BY a.customer, a.target, a.destination_index
HAVING max(a.try_count) - min(a.try_count) + 1 <> count(*) OR count(DISTINCT a.try_count) <> count(*)
    OR max(a.try_count) <> CASE a.destination_index WHEN 0 THEN t.tries_0 WHEN 1 THEN t.tries_1 WHEN 2 THEN t.tries_2
                                                    WHEN 3 THEN t.tries_3 ELSE t.tries_4 END;

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
-- Up to the last one; what was removed is what came first.
SELECT 'attempt ' || a.key || ' had ' || a.event_number || ' events, the outbox holds ' || count(o.key)
FROM attempts AS a JOIN outbox AS o ON o.customer = a.customer AND o.attempt = a.key
GROUP BY a.key
HAVING max(o.event_number) <> a.event_number OR max(o.event_number) - min(o.event_number) + 1 <> count(o.key)
    OR count(DISTINCT o.event_number) <> count(o.key)
    OR sum(o.kind = 'claimed') <> (min(o.event_number) = 1) OR sum(o.kind = 'ended') <> (a.status = 'done');

-- name: events_are_all_there
-- Every event that ever was is in the outbox or was removed from its beginning.
SELECT 'the outbox holds ' || held || ' events, ' || removed || ' were removed, ' || made || ' were made'
FROM (SELECT (SELECT count(*) FROM outbox) AS held,
             (SELECT coalesce(sum(n), 0) FROM counters WHERE kind = 'removed_events') AS removed,
             (SELECT coalesce(max(seq), 0) FROM sqlite_sequence WHERE name = 'outbox') AS made)
WHERE held + removed <> made
UNION ALL
SELECT 'the outbox ends before its newest event'
FROM sqlite_sequence
WHERE name = 'outbox' AND seq <> (SELECT max(key) FROM outbox) AND (SELECT count(*) FROM outbox) > 0;

-- name: attempts_have_all_their_events
-- Of an attempt that began after the oldest one whose beginning is there, none was removed.
SELECT 'attempt ' || key || ' has lost its first event'
FROM attempts
WHERE key > (SELECT min(attempt) FROM outbox WHERE kind = 'claimed')
  AND key NOT IN (SELECT attempt FROM outbox WHERE kind = 'claimed');

-- name: history_refers_to_what_is_there
SELECT 'call ' || c.key || ' is of attempt ' || c.attempt || ', which is not there'
FROM calls AS c LEFT JOIN attempts AS a ON a.customer = c.customer AND a.key = c.attempt
WHERE c.attempt IS NOT NULL AND a.key IS NULL
UNION ALL
SELECT 'leg ' || l.key || ' is of attempt ' || l.attempt || ', which is not there'
FROM legs AS l LEFT JOIN attempts AS a ON a.customer = l.customer AND a.key = l.attempt
WHERE l.attempt IS NOT NULL AND a.key IS NULL
UNION ALL
SELECT 'attempt ' || a.key || ' was decided or claimed under what is not there'
FROM attempts AS a
LEFT JOIN decisions AS d ON d.customer = a.customer AND d.key = a.decision
LEFT JOIN campaign_versions AS v ON v.customer = a.customer AND v.key = a.campaign_version AND v.campaign = a.campaign
LEFT JOIN outplan_versions AS p ON p.customer = a.customer AND p.key = a.outplan_version
WHERE d.key IS NULL OR v.key IS NULL OR p.key IS NULL
UNION ALL
SELECT 'event ' || o.key || ' is of attempt ' || o.attempt || ' of nobody or of somebody else'
FROM outbox AS o LEFT JOIN attempts AS a ON a.key = o.attempt
WHERE o.attempt IS NOT NULL
  AND (a.customer <> o.customer OR (a.key IS NULL AND o.attempt > (SELECT coalesce(max(key), 0) FROM attempts)));

-- name: decisions_count_their_attempts
SELECT 'decision ' || decision || ' counts ' || sum(n) || ' attempts too many'
FROM (
    SELECT customer, key AS decision, attempts AS n FROM decisions
    UNION ALL
    SELECT customer, decision, -1 FROM attempts
)
GROUP BY customer, decision HAVING sum(n) <> 0;

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
-- What was removed was counted under the same name, so that rows and removed rows are what the counter says.
SELECT 'counter ' || kind || ' ' || scope || ' ' || name || ' is off by ' || sum(n)
FROM (
    SELECT customer, kind, scope, name, n FROM counters WHERE kind NOT LIKE 'removed%'
    UNION ALL
    SELECT customer, 'campaign', scope, name, -n FROM counters WHERE kind = 'removed'
    UNION ALL
    SELECT customer, 'campaign_version', campaign_version, 'attempts', -1 FROM attempts
    UNION ALL
    SELECT customer, 'outplan_version', outplan_version, 'attempts', -1 FROM attempts
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
