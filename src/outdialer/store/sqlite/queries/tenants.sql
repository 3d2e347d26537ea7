-- Customers themselves.

-- name: customer_itself
SELECT * FROM customers WHERE key = :customer;

-- name: page_of_customers
-- Keys grow, so the newest customer has the highest one.
SELECT * FROM customers
WHERE key < :before_key AND coalesce(tm_create, 0) < :before
ORDER BY key DESC
LIMIT :size;

-- name: next_customer
SELECT max(key) + 1 AS key FROM customers;

-- name: insert_customer
INSERT INTO customers (
    key, id, name, detail, email, phone_number, address, webhook_method, webhook_uri, billing_account_id, rtp_debug,
    status, version, tm_create)
VALUES (
    :key, :id, :name, :detail, :email, :phone_number, :address, :webhook_method, :webhook_uri, :billing_account_id,
    :rtp_debug, :status, :version, :tm_create);

-- name: replace_customer
UPDATE customers
SET name = :name, detail = :detail, email = :email, phone_number = :phone_number, address = :address,
    webhook_method = :webhook_method, webhook_uri = :webhook_uri, billing_account_id = :billing_account_id,
    rtp_debug = :rtp_debug, version = version + 1, tm_update = :now
WHERE key = :key AND version = :version AND tm_delete IS NULL;

-- name: schedule_deletion
UPDATE customers SET tm_deletion_scheduled = :now, version = version + 1, tm_update = :now
WHERE key = :customer AND tm_deletion_scheduled IS NULL;

-- name: keep_customer
UPDATE customers SET tm_deletion_scheduled = NULL, version = version + 1, tm_update = :now
WHERE key = :customer AND tm_deletion_scheduled > :too_late;

-- name: running_campaigns
SELECT id FROM campaigns WHERE customer = :customer AND status = 'run' AND tm_delete IS NULL;

-- name: customer_with
SELECT customer FROM agents WHERE id = :agent
UNION ALL SELECT customer FROM access_keys WHERE token_hash = :token_hash
LIMIT 1;
