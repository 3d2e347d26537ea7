-- Trunks and access keys.

-- name: trunks
-- Deleted ones too: calls may be up on them.
SELECT * FROM trunks WHERE customer = :customer ORDER BY key;

-- name: trunk
SELECT * FROM trunks WHERE customer = :customer AND id = :id;

-- name: insert_trunk
INSERT INTO trunks (
    customer, id, name, host, port, domain, username, password_file, realm, rate_per_s, channels, max_ring_ms,
    prefix, postfix, headers, provider, provider_channels, version, tm_create)
VALUES (
    :customer, :id, :name, :host, :port, :domain, :username, :password_file, :realm, :rate_per_s, :channels,
    :max_ring_ms, :prefix, :postfix, :headers, :provider, :provider_channels, 1, :now);

-- name: replace_trunk
UPDATE trunks
SET name = :name, host = :host, port = :port, domain = :domain, username = :username,
    password_file = :password_file, realm = :realm, rate_per_s = :rate_per_s, channels = :channels,
    max_ring_ms = :max_ring_ms, prefix = :prefix, postfix = :postfix, headers = :headers, provider = :provider,
    provider_channels = :provider_channels, version = version + 1, tm_update = :now, tm_delete = NULL
WHERE customer = :customer AND id = :id;

-- name: set_pause
UPDATE trunks
SET refusals = :refusals, pauses = :pauses, pause_reason = :reason, paused_until = :until, tm_update = :now
WHERE customer = :customer AND key = :trunk;

-- name: insert_access_key
INSERT INTO access_keys (
    customer, id, name, detail, permission, allowed_ips, token_prefix, token_hash, old_token_hash, tm_old_expire,
    tm_expire, tm_last_use, tm_create, tm_update, tm_delete)
VALUES (
    :customer, :id, :name, :detail, :permission, :allowed_ips, :token_prefix, :token_hash, :old_token_hash,
    :tm_old_expire, :tm_expire, :tm_last_use, :tm_create, :tm_update, :tm_delete)
ON CONFLICT (customer, id) DO NOTHING;

-- name: access_key
SELECT k.*, c.status, c.tm_deletion_scheduled
FROM access_keys AS k
JOIN customers AS c ON c.key = k.customer
WHERE k.token_hash = :token_hash OR k.old_token_hash = :token_hash;

-- name: access_keys
SELECT * FROM access_keys WHERE customer = :customer AND tm_delete IS NULL ORDER BY key;
