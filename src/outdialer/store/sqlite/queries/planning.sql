-- The bounded picture that a plan is made from.

-- name: awake_campaigns
-- Campaigns that run or drain, with their current version, their limits and the counts of their lists.
SELECT c.key, c.id, v.key AS version_key, c.status, v.end_handle, v.dial_rate, v.dial_channels, v.service_level,
       p.key AS outplan_version,
       CASE WHEN o.tm_delete IS NULL THEN o.key END AS outdial,
       coalesce(l.next_slot, 0) AS next_slot, coalesce(l.in_use, 0) AS in_use,
       coalesce(idle.n, 0) AS idle, coalesce(progressing.n, 0) AS progressing
FROM campaigns AS c
JOIN campaign_versions AS v ON v.customer = c.customer AND v.campaign = c.key AND v.version = c.version
LEFT JOIN outplans AS q ON q.customer = v.customer AND q.key = v.outplan
LEFT JOIN outplan_versions AS p ON p.customer = q.customer AND p.outplan = q.key AND p.version = q.version
LEFT JOIN outdials AS o ON o.customer = v.customer AND o.key = v.outdial
LEFT JOIN limits AS l ON l.customer = c.customer AND l.scope = 'campaign:' || c.key
LEFT JOIN counters AS idle ON idle.customer = o.customer AND idle.kind = 'outdial' AND idle.scope = o.key
                              AND idle.name = 'idle'
LEFT JOIN counters AS progressing ON progressing.customer = o.customer AND progressing.kind = 'outdial'
                              AND progressing.scope = o.key AND progressing.name = 'progressing'
WHERE c.customer = :customer AND c.status <> 'stop' AND c.tm_delete IS NULL;

-- name: one_campaign
-- The same for one campaign, whatever its status.
SELECT c.key, c.id, v.key AS version_key, c.status, v.end_handle, v.dial_rate, v.dial_channels, v.service_level,
       p.key AS outplan_version, v.next_campaign_id,
       CASE WHEN o.tm_delete IS NULL THEN o.key END AS outdial,
       coalesce(l.next_slot, 0) AS next_slot, coalesce(l.in_use, 0) AS in_use,
       coalesce(idle.n, 0) AS idle, coalesce(progressing.n, 0) AS progressing
FROM campaigns AS c
JOIN campaign_versions AS v ON v.customer = c.customer AND v.campaign = c.key AND v.version = c.version
LEFT JOIN outplans AS q ON q.customer = v.customer AND q.key = v.outplan
LEFT JOIN outplan_versions AS p ON p.customer = q.customer AND p.outplan = q.key AND p.version = q.version
LEFT JOIN outdials AS o ON o.customer = v.customer AND o.key = v.outdial
LEFT JOIN limits AS l ON l.customer = c.customer AND l.scope = 'campaign:' || c.key
LEFT JOIN counters AS idle ON idle.customer = o.customer AND idle.kind = 'outdial' AND idle.scope = o.key
                              AND idle.name = 'idle'
LEFT JOIN counters AS progressing ON progressing.customer = o.customer AND progressing.kind = 'outdial'
                              AND progressing.scope = o.key AND progressing.name = 'progressing'
WHERE c.customer = :customer AND c.key = :key AND c.tm_delete IS NULL;

-- name: due_targets
-- Oldest due first, and those not yet due behind them: the first of these is when to look again.
SELECT key, version, destination_0, destination_1, destination_2, destination_3, destination_4,
       tries_0, tries_1, tries_2, tries_3, tries_4, due
FROM targets
WHERE customer = :customer AND outdial = :outdial AND status = 'idle' AND tm_delete IS NULL
ORDER BY due, key
LIMIT :count;

-- name: next_due
SELECT due FROM targets
WHERE customer = :customer AND outdial = :outdial AND status = 'idle' AND tm_delete IS NULL
ORDER BY due, key
LIMIT 1;

-- name: trunk_views
SELECT t.key, t.rate_per_s, t.channels, t.provider, t.paused_until, t.pause_reason, t.pauses, u.next_slot, u.in_use
FROM trunks AS t
JOIN trunk_use AS u ON u.customer = t.customer AND u.key = t.key
WHERE t.customer = :customer AND t.tm_delete IS NULL
ORDER BY t.key;
