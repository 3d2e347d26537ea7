-- Entries of every kind: tags, flows, queues, extensions, trunks, carriers, routes, numbers.

-- name: insert_entry
INSERT INTO entries (customer, kind, id, unique_name, related, body, version, tm_create, tm_update, tm_delete)
VALUES (:customer, :kind, :id, :unique_name, :related, :body, :version, :tm_create, :tm_update, :tm_delete);

-- name: count_entries
-- At most as many as the caller asks for, so that it costs the same however many there are.
SELECT count(*) AS n FROM (
    SELECT 1 FROM entries WHERE customer = :customer AND kind = :kind AND tm_delete IS NULL LIMIT :most);

-- name: one_entry
SELECT id, body, version, tm_create, tm_update, tm_delete FROM entries
WHERE customer = :customer AND kind = :kind AND id = :id;

-- name: entry_named
SELECT id, body, version, tm_create, tm_update, tm_delete FROM entries
WHERE customer = :customer AND kind = :kind AND unique_name = :unique_name AND unique_name <> '' AND tm_delete IS NULL;

-- name: page_of_entries
SELECT id, body, version, tm_create, tm_update, tm_delete FROM entries
WHERE customer = :customer AND kind = :kind AND tm_delete IS NULL AND (tm_create, id) < (:before, :before_id)
    AND (:related IS NULL OR related = :related)
ORDER BY tm_create DESC, id DESC
LIMIT :size;

-- name: page_of_deleted_entries
SELECT id, body, version, tm_create, tm_update, tm_delete FROM entries
WHERE customer = :customer AND kind = :kind AND tm_delete IS NOT NULL AND (tm_create, id) < (:before, :before_id)
    AND (:related IS NULL OR related = :related)
ORDER BY tm_create DESC, id DESC
LIMIT :size;

-- name: owned_entry
SELECT e.customer, e.id, e.body, e.version, e.tm_create, e.tm_update, e.tm_delete
FROM customers
CROSS JOIN entries AS e ON e.customer = customers.key AND e.kind = :kind AND e.id = :id;

-- name: page_of_owned_entries
SELECT customer, id, body, version, tm_create, tm_update, tm_delete FROM entries
WHERE kind = :kind AND tm_delete IS NULL AND (tm_create, id) < (:before, :before_id)
    AND (:customer_id IS NULL OR customer = (SELECT key FROM customers WHERE id = :customer_id))
ORDER BY tm_create DESC, id DESC
LIMIT :size;

-- name: replace_entry
UPDATE entries SET unique_name = :unique_name, related = :related, body = :body, version = version + 1, tm_update = :now
WHERE customer = :customer AND kind = :kind AND id = :id AND version = :version AND tm_delete IS NULL;

-- name: mark_entry_deleted
UPDATE entries SET tm_delete = :now, tm_update = :now
WHERE customer = :customer AND kind = :kind AND id = :id AND tm_delete IS NULL;
