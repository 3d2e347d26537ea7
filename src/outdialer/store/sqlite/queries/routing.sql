-- The trunks that carriers and routes make.

-- name: living_entries
SELECT id, body, version, tm_create, tm_update, tm_delete FROM entries
WHERE customer = :customer AND kind = :kind AND tm_delete IS NULL;

-- name: routed_trunks
SELECT * FROM trunks WHERE provider > :nil;

-- name: retire_trunk
UPDATE trunks SET tm_delete = :now, tm_update = :now WHERE key = :key;

-- name: start_after
INSERT INTO limits (customer, scope, next_slot) VALUES (:customer, :scope, :slot)
ON CONFLICT (customer, scope) DO UPDATE SET next_slot = max(next_slot, excluded.next_slot);

-- name: own_trunk_gives_way
UPDATE trunks SET tm_delete = :now, tm_update = :now
WHERE customer = :customer AND provider = :nil AND tm_delete IS NULL AND EXISTS (
    SELECT 1 FROM trunks AS r WHERE r.customer = :customer AND r.provider > :nil AND r.tm_delete IS NULL);
