-- What an access key may do and from where, its last use, and the secret that a rotation replaced; and when a
-- customer's deletion was scheduled.

ALTER TABLE access_keys ADD COLUMN permission INTEGER NOT NULL DEFAULT 0;
ALTER TABLE access_keys ADD COLUMN allowed_ips TEXT NOT NULL DEFAULT '[]';
ALTER TABLE access_keys ADD COLUMN old_token_hash BLOB;
ALTER TABLE access_keys ADD COLUMN tm_old_expire INTEGER;
ALTER TABLE access_keys ADD COLUMN tm_last_use INTEGER;

-- Keys from before could do what their customer's admin could; those of the first customer, what a super admin could.
UPDATE access_keys SET permission = CASE customer WHEN 1 THEN 33 ELSE 32 END;

CREATE UNIQUE INDEX access_keys_old_token ON access_keys (old_token_hash) WHERE old_token_hash IS NOT NULL;

ALTER TABLE customers ADD COLUMN tm_deletion_scheduled INTEGER;
