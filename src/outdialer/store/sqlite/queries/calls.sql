-- Attempts and calls as people see them.

-- name: one_attempt
SELECT * FROM attempt_rows WHERE customer = :customer AND id = :id;

-- name: page_of_attempts
SELECT * FROM attempt_rows
WHERE customer = :customer AND tm_delete IS NULL AND (tm_create, id) < (:before, :before_id)
ORDER BY tm_create DESC, id DESC
LIMIT :size;

-- name: page_of_deleted_attempts
SELECT * FROM attempt_rows
WHERE customer = :customer AND tm_delete IS NOT NULL AND (tm_create, id) < (:before, :before_id)
ORDER BY tm_create DESC, id DESC
LIMIT :size;

-- name: page_of_campaign
SELECT * FROM attempt_rows
WHERE customer = :customer AND campaign_id = :campaign_id AND tm_delete IS NULL
  AND (tm_create, id) < (:before, :before_id)
ORDER BY tm_create DESC, id DESC
LIMIT :size;

-- name: page_of_campaign_deleted
SELECT * FROM attempt_rows
WHERE customer = :customer AND campaign_id = :campaign_id AND tm_delete IS NOT NULL
  AND (tm_create, id) < (:before, :before_id)
ORDER BY tm_create DESC, id DESC
LIMIT :size;

-- name: destinations_of_target
SELECT destination_0, destination_1, destination_2, destination_3, destination_4
FROM targets
WHERE customer = :customer AND id = :target_id;

-- name: attempts_of_target
-- By the person's numbers, whose index dialing needs anyway: one of the targets would be written with every call.
-- They are few, and lie at up to five numbers; the reader sorts them.
SELECT * FROM attempt_rows
WHERE customer = :customer
  AND key IN (SELECT a.key
              FROM json_each(:numbers) AS wanted
              CROSS JOIN attempts AS a ON a.customer = :customer AND a.number = wanted.value
              WHERE a.target = (SELECT key FROM targets WHERE customer = :customer AND id = :target_id)
                AND (:deleted OR a.tm_delete IS NULL)
                AND (a.tm_create, a.id) < (:before, :before_id))
  AND (:campaign_id IS NULL OR campaign_id = :campaign_id);

-- name: attempts_in_order
SELECT * FROM attempt_rows WHERE customer = :customer AND key > :after ORDER BY key LIMIT :count;

-- name: attempts_of_campaign_in_order
-- Walks the customer's attempts in the order of their keys, which an index serves; the + keeps the campaign's from it.
SELECT * FROM attempt_rows
WHERE customer = :customer AND key > :after AND +campaign_id = :campaign_id
ORDER BY key
LIMIT :count;

-- name: mark_attempt_deleted
UPDATE attempts SET tm_delete = :now, tm_update = :now
WHERE customer = :customer AND id = :id AND status = 'done' AND tm_delete IS NULL;

-- name: one_call
SELECT k.*, a.id AS attempt_id, a.destination, a.destination_index, t.addresses, p.terms
FROM calls AS k
LEFT JOIN attempts AS a ON a.customer = k.customer AND a.key = k.attempt
LEFT JOIN targets AS t ON t.customer = a.customer AND t.key = a.target
LEFT JOIN outplan_versions AS p ON p.customer = a.customer AND p.key = a.outplan_version
WHERE k.customer = :customer AND k.id = :id;

-- name: call_of_activeflow
SELECT k.*, a.id AS attempt_id, a.destination, a.destination_index, t.addresses, p.terms
FROM calls AS k
LEFT JOIN attempts AS a ON a.customer = k.customer AND a.key = k.attempt
LEFT JOIN targets AS t ON t.customer = a.customer AND t.key = a.target
LEFT JOIN outplan_versions AS p ON p.customer = a.customer AND p.key = a.outplan_version
WHERE k.customer = :customer AND k.activeflow_id = :activeflow_id;

-- name: mark_activeflow_deleted
-- One whose call is up is over with that.
UPDATE calls
SET tm_activeflow_delete = :now,
    tm_activeflow_end = coalesce(tm_activeflow_end, CASE WHEN status <> 'hangup' THEN :now END)
WHERE customer = :customer AND activeflow_id = :activeflow_id AND tm_activeflow_delete IS NULL;

-- name: page_of_calls
SELECT k.*, a.id AS attempt_id, a.destination, a.destination_index, t.addresses, p.terms
FROM calls AS k
LEFT JOIN attempts AS a ON a.customer = k.customer AND a.key = k.attempt
LEFT JOIN targets AS t ON t.customer = a.customer AND t.key = a.target
LEFT JOIN outplan_versions AS p ON p.customer = a.customer AND p.key = a.outplan_version
WHERE k.customer = :customer AND k.tm_delete IS NULL AND (k.tm_create, k.id) < (:before, :before_id)
ORDER BY k.tm_create DESC, k.id DESC
LIMIT :size;

-- name: live_leg
SELECT l.key
FROM calls AS k
JOIN legs AS l ON l.customer = k.customer AND l.call = k.key
WHERE k.customer = :customer AND k.id = :id AND k.status <> 'hangup'
ORDER BY l.number DESC
LIMIT 1;
