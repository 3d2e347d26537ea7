-- Outplans and their immutable versions.

-- name: insert
INSERT INTO outplans (customer, id, name, detail, version, tm_create, tm_update, tm_delete)
VALUES (:customer, :id, :name, :detail, :version, :tm_create, :tm_update, :tm_delete);

-- name: insert_version
INSERT INTO outplan_versions (customer, outplan, version, terms, tm_create)
VALUES (:customer, :outplan, :version, :terms, :now);

-- name: one
SELECT q.key, q.id, q.name, q.detail, q.version, q.tm_create, q.tm_update, q.tm_delete, p.terms
FROM outplans AS q
JOIN outplan_versions AS p ON p.customer = q.customer AND p.outplan = q.key AND p.version = q.version
WHERE q.customer = :customer AND q.id = :id;

-- name: page
SELECT q.key, q.id, q.name, q.detail, q.version, q.tm_create, q.tm_update, q.tm_delete, p.terms
FROM outplans AS q
JOIN outplan_versions AS p ON p.customer = q.customer AND p.outplan = q.key AND p.version = q.version
WHERE q.customer = :customer AND q.tm_delete IS NULL AND (q.tm_create, q.id) < (:before, :before_id)
ORDER BY q.tm_create DESC, q.id DESC
LIMIT :size;

-- name: page_of_deleted
SELECT q.key, q.id, q.name, q.detail, q.version, q.tm_create, q.tm_update, q.tm_delete, p.terms
FROM outplans AS q
JOIN outplan_versions AS p ON p.customer = q.customer AND p.outplan = q.key AND p.version = q.version
WHERE q.customer = :customer AND q.tm_delete IS NOT NULL AND (q.tm_create, q.id) < (:before, :before_id)
ORDER BY q.tm_create DESC, q.id DESC
LIMIT :size;

-- name: replace
UPDATE outplans SET name = :name, detail = :detail, version = version + 1, tm_update = :now
WHERE customer = :customer AND id = :id AND version = :version AND tm_delete IS NULL
RETURNING key;

-- name: mark_deleted
UPDATE outplans SET tm_delete = :now, tm_update = :now
WHERE customer = :customer AND id = :id AND tm_delete IS NULL;
