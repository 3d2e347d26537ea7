-- Access keys and agents.

-- name: access_key_of
SELECT * FROM access_keys WHERE customer = :customer AND id = :id;

-- name: page_of_access_keys
SELECT * FROM access_keys
WHERE customer = :customer AND tm_delete IS NULL AND (tm_create, id) < (:before, :before_id)
ORDER BY tm_create DESC, id DESC
LIMIT :size;

-- name: rename_access_key
UPDATE access_keys SET name = :name, detail = :detail, allowed_ips = :allowed_ips, tm_update = :now
WHERE customer = :customer AND id = :id AND tm_update IS :tm_update AND tm_delete IS NULL;

-- name: rotate_access_key
UPDATE access_keys
SET token_prefix = :token_prefix, token_hash = :token_hash, old_token_hash = :old_token_hash,
    tm_old_expire = :tm_old_expire, tm_expire = :tm_expire, tm_update = :now
WHERE customer = :customer AND id = :id AND token_hash = :replaced AND tm_delete IS NULL;

-- name: note_access_key_use
UPDATE access_keys SET tm_last_use = :now
WHERE customer = :customer AND id = :id AND (tm_last_use IS NULL OR tm_last_use < :before);

-- name: revoke_access_key
UPDATE access_keys SET tm_delete = :now, tm_update = :now
WHERE customer = :customer AND id = :id AND tm_delete IS NULL;

-- name: insert_agent
INSERT INTO agents (
    customer, id, username, password_hash, name, detail, ring_method, status, permission, tag_ids, addresses,
    direct_hash, version, tm_create, tm_update, tm_delete)
VALUES (
    :customer, :id, :username, :password_hash, :name, :detail, :ring_method, :status, :permission, :tag_ids,
    :addresses, :direct_hash, :version, :tm_create, :tm_update, :tm_delete);

-- name: count_agents
SELECT count(*) AS n FROM (SELECT 1 FROM agents WHERE customer = :customer AND tm_delete IS NULL LIMIT :most);

-- name: one_agent
SELECT * FROM agents WHERE customer = :customer AND id = :id;

-- name: page_of_agents
-- tag_ids: a JSON list; an agent that holds any of them fits. Null: every agent does.
SELECT * FROM agents AS g
WHERE g.customer = :customer AND g.tm_delete IS NULL AND (g.tm_create, g.id) < (:before, :before_id)
    AND (:status IS NULL OR g.status = :status)
    AND (:tag_ids IS NULL OR EXISTS (
        SELECT 1 FROM json_each(:tag_ids) AS wanted CROSS JOIN json_each(g.tag_ids) AS held
        WHERE held.value = wanted.value))
ORDER BY g.tm_create DESC, g.id DESC
LIMIT :size;

-- name: replace_agent
UPDATE agents
SET name = :name, detail = :detail, ring_method = :ring_method, status = :status, permission = :permission,
    tag_ids = :tag_ids, addresses = :addresses, direct_hash = :direct_hash, version = version + 1, tm_update = :now
WHERE customer = :customer AND id = :id AND version = :version AND tm_delete IS NULL
RETURNING key;

-- name: set_agent_password
UPDATE agents SET password_hash = :password_hash, version = version + 1, tm_update = :now
WHERE customer = :customer AND id = :id AND tm_delete IS NULL;

-- name: mark_agent_deleted
UPDATE agents SET tm_delete = :now, tm_update = :now
WHERE customer = :customer AND id = :id AND tm_delete IS NULL
RETURNING key;

-- name: another_admin
SELECT 1 FROM agents
WHERE customer = :customer AND tm_delete IS NULL AND permission & :admin <> 0 AND id <> :id
LIMIT 1;

-- name: forget_addresses
DELETE FROM agent_addresses WHERE customer = :customer AND agent = :agent;

-- name: insert_address
INSERT INTO agent_addresses (customer, target, agent) VALUES (:customer, :target, :agent);

-- name: login
SELECT * FROM agents WHERE username = :username AND tm_delete IS NULL;

-- name: login_of
SELECT * FROM agents WHERE id = :id AND tm_delete IS NULL;
