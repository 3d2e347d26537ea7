-- Campaigns and their immutable versions. The status is not part of a version: people order it, they do not edit it.

-- name: insert
INSERT INTO campaigns (customer, id, status, version, tm_create, tm_update, tm_delete)
VALUES (:customer, :id, :status, :version, :tm_create, :tm_update, :tm_delete);

-- name: insert_version
INSERT INTO campaign_versions (
    customer, campaign, version, type, name, detail, service_level, end_handle, actions, outplan, outdial, queue_id,
    next_campaign_id, dial_rate, dial_channels, tm_create)
VALUES (
    :customer, :campaign, :version, :type, :name, :detail, :service_level, :end_handle, :actions,
    (SELECT key FROM outplans WHERE customer = :customer AND id = :outplan_id),
    (SELECT key FROM outdials WHERE customer = :customer AND id = :outdial_id),
    :queue_id, :next_campaign_id, :dial_rate, :dial_channels, :now);

-- name: one
SELECT c.key, c.id, c.status, c.version, c.tm_create, c.tm_update, c.tm_delete, v.type, v.name, v.detail,
       v.service_level, v.end_handle, v.actions, v.queue_id, v.next_campaign_id, v.dial_rate, v.dial_channels,
       v.outdial, q.id AS outplan_id, o.id AS outdial_id
FROM campaigns AS c
JOIN campaign_versions AS v ON v.customer = c.customer AND v.campaign = c.key AND v.version = c.version
LEFT JOIN outplans AS q ON q.customer = v.customer AND q.key = v.outplan
LEFT JOIN outdials AS o ON o.customer = v.customer AND o.key = v.outdial
WHERE c.customer = :customer AND c.id = :id;

-- name: page
SELECT c.key, c.id, c.status, c.version, c.tm_create, c.tm_update, c.tm_delete, v.type, v.name, v.detail,
       v.service_level, v.end_handle, v.actions, v.queue_id, v.next_campaign_id, v.dial_rate, v.dial_channels,
       v.outdial, q.id AS outplan_id, o.id AS outdial_id
FROM campaigns AS c
JOIN campaign_versions AS v ON v.customer = c.customer AND v.campaign = c.key AND v.version = c.version
LEFT JOIN outplans AS q ON q.customer = v.customer AND q.key = v.outplan
LEFT JOIN outdials AS o ON o.customer = v.customer AND o.key = v.outdial
WHERE c.customer = :customer AND c.tm_delete IS NULL AND (c.tm_create, c.id) < (:before, :before_id)
ORDER BY c.tm_create DESC, c.id DESC
LIMIT :size;

-- name: page_of_deleted
SELECT c.key, c.id, c.status, c.version, c.tm_create, c.tm_update, c.tm_delete, v.type, v.name, v.detail,
       v.service_level, v.end_handle, v.actions, v.queue_id, v.next_campaign_id, v.dial_rate, v.dial_channels,
       v.outdial, q.id AS outplan_id, o.id AS outdial_id
FROM campaigns AS c
JOIN campaign_versions AS v ON v.customer = c.customer AND v.campaign = c.key AND v.version = c.version
LEFT JOIN outplans AS q ON q.customer = v.customer AND q.key = v.outplan
LEFT JOIN outdials AS o ON o.customer = v.customer AND o.key = v.outdial
WHERE c.customer = :customer AND c.tm_delete IS NOT NULL AND (c.tm_create, c.id) < (:before, :before_id)
ORDER BY c.tm_create DESC, c.id DESC
LIMIT :size;

-- name: next_version
UPDATE campaigns SET version = version + 1, tm_update = :now
WHERE customer = :customer AND id = :id AND version = :version AND tm_delete IS NULL
RETURNING key;

-- name: mark_deleted
UPDATE campaigns SET tm_delete = :now, tm_update = :now
WHERE customer = :customer AND key = :campaign AND tm_delete IS NULL;

-- name: set_status
UPDATE campaigns SET status = :status, tm_update = :now
WHERE customer = :customer AND key = :campaign AND tm_delete IS NULL;

-- name: in_use
SELECT in_use FROM limits WHERE customer = :customer AND scope = :scope;

-- name: frozen
-- Whether the customer is to be deleted: none of its campaigns runs.
SELECT 1 FROM customers WHERE key = :customer AND tm_deletion_scheduled IS NOT NULL;
