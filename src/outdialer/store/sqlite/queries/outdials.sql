-- Outdials (lists) and their targets.

-- name: insert
INSERT INTO outdials (customer, id, campaign, name, detail, data, version, tm_create, tm_update, tm_delete)
VALUES (:customer, :id, (SELECT key FROM campaigns WHERE customer = :customer AND id = :campaign_id),
        :name, :detail, :data, :version, :tm_create, :tm_update, :tm_delete);

-- name: one
SELECT o.key, o.id, c.id AS campaign_id, o.name, o.detail, o.data, o.version, o.tm_create, o.tm_update, o.tm_delete
FROM outdials AS o
LEFT JOIN campaigns AS c ON c.customer = o.customer AND c.key = o.campaign
WHERE o.customer = :customer AND o.id = :id;

-- name: page
SELECT o.key, o.id, c.id AS campaign_id, o.name, o.detail, o.data, o.version, o.tm_create, o.tm_update, o.tm_delete
FROM outdials AS o
LEFT JOIN campaigns AS c ON c.customer = o.customer AND c.key = o.campaign
WHERE o.customer = :customer AND o.tm_delete IS NULL AND (o.tm_create, o.id) < (:before, :before_id)
ORDER BY o.tm_create DESC, o.id DESC
LIMIT :size;

-- name: page_of_deleted
SELECT o.key, o.id, c.id AS campaign_id, o.name, o.detail, o.data, o.version, o.tm_create, o.tm_update, o.tm_delete
FROM outdials AS o
LEFT JOIN campaigns AS c ON c.customer = o.customer AND c.key = o.campaign
WHERE o.customer = :customer AND o.tm_delete IS NOT NULL AND (o.tm_create, o.id) < (:before, :before_id)
ORDER BY o.tm_create DESC, o.id DESC
LIMIT :size;

-- name: replace
UPDATE outdials
SET campaign = (SELECT key FROM campaigns WHERE customer = :customer AND id = :campaign_id),
    name = :name, detail = :detail, data = :data, version = version + 1, tm_update = :now
WHERE customer = :customer AND id = :id AND version = :version AND tm_delete IS NULL
RETURNING key;

-- name: mark_deleted
UPDATE outdials SET tm_delete = :now, tm_update = :now
WHERE customer = :customer AND id = :id AND tm_delete IS NULL;

-- name: unbind
-- Free the lists that are bound to a campaign, but for one.
UPDATE outdials SET campaign = NULL, tm_update = :now
WHERE customer = :customer AND campaign = :campaign AND key IS NOT :keep
RETURNING id;

-- name: bind
UPDATE outdials SET campaign = :campaign, tm_update = :now
WHERE customer = :customer AND key = :outdial AND campaign IS NOT :campaign
RETURNING id;

-- name: insert_target
INSERT INTO targets (
    customer, outdial, id, name, detail, data, status, due, due_reason, done_reason,
    destination_0, destination_1, destination_2, destination_3, destination_4, addresses, tm_create)
VALUES (
    :customer, :outdial, :id, :name, :detail, :data, :status, :due, :due_reason, :done_reason,
    :destination_0, :destination_1, :destination_2, :destination_3, :destination_4, :addresses, :due);

-- name: one_target
SELECT t.*, o.id AS outdial_id
FROM targets AS t
JOIN outdials AS o ON o.customer = t.customer AND o.key = t.outdial
WHERE t.customer = :customer AND t.id = :id AND o.id = :outdial_id;

-- name: page_of_targets
SELECT t.*, o.id AS outdial_id
FROM outdials AS o
JOIN targets AS t ON t.customer = o.customer AND t.outdial = o.key
WHERE o.customer = :customer AND o.id = :outdial_id AND t.tm_delete IS NULL
  AND (t.tm_create, t.id) < (:before, :before_id)
ORDER BY t.tm_create DESC, t.id DESC
LIMIT :size;

-- name: page_of_deleted_targets
SELECT t.*, o.id AS outdial_id
FROM outdials AS o
JOIN targets AS t ON t.customer = o.customer AND t.outdial = o.key
WHERE o.customer = :customer AND o.id = :outdial_id AND t.tm_delete IS NOT NULL
  AND (t.tm_create, t.id) < (:before, :before_id)
ORDER BY t.tm_create DESC, t.id DESC
LIMIT :size;

-- name: mark_target_deleted
UPDATE targets
SET tm_delete = :now, tm_update = :now, status = :status, done_reason = :done_reason, due = :due,
    version = version + 1
WHERE customer = :customer AND key = :target AND tm_delete IS NULL;

-- name: targets_in_order
SELECT t.*, o.id AS outdial_id
FROM outdials AS o
JOIN targets AS t ON t.customer = o.customer AND t.outdial = o.key
WHERE o.customer = :customer AND o.id = :outdial_id AND t.key > :after
ORDER BY t.key
LIMIT :count;
