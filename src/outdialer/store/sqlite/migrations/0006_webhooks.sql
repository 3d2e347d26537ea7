-- Where each place that events are delivered to stands in the outbox, and what waits for its next try.

-- endpoint: the id of an entry of the kind 'webhook', or a customer's public id for its own webhook_uri. Everything
-- up to cursor is delivered, waits, or was given up. standing: 'enabled', 'disabled' with its reason, or 'unset' (a
-- customer that has no webhook_uri at the moment).
CREATE TABLE webhook_states (
    customer      INTEGER NOT NULL REFERENCES customers (key),
    endpoint      BLOB NOT NULL,
    standing      TEXT NOT NULL DEFAULT 'enabled',
    reason        TEXT NOT NULL DEFAULT '',
    cursor        INTEGER NOT NULL,
    failing_since INTEGER,
    secret_number INTEGER NOT NULL DEFAULT 1,
    tm_rotate     INTEGER,
    PRIMARY KEY (customer, endpoint)
) STRICT, WITHOUT ROWID;

-- In the order of the keys for each subject. body is what is sent, so that it does not matter what becomes of the
-- outbox.
CREATE TABLE webhook_waiting (
    key       INTEGER PRIMARY KEY,
    customer  INTEGER NOT NULL,
    endpoint  BLOB NOT NULL,
    event_id  TEXT NOT NULL,
    type      TEXT NOT NULL,
    subject   BLOB NOT NULL,
    body      BLOB NOT NULL,
    tries     INTEGER NOT NULL,
    first_try INTEGER,
    last_try  INTEGER,
    due       INTEGER NOT NULL,
    code      INTEGER NOT NULL,
    why       TEXT NOT NULL,
    UNIQUE (customer, endpoint, event_id),
    FOREIGN KEY (customer, endpoint) REFERENCES webhook_states (customer, endpoint) ON DELETE CASCADE
) STRICT;

CREATE INDEX webhook_waiting_in_order ON webhook_waiting (customer, endpoint);

-- An endpoint begins and ends in the very transaction that makes or removes it, whoever does that: so it misses
-- nothing that is written after it, and gets nothing that was written before.
CREATE TRIGGER webhook_begins AFTER INSERT ON entries WHEN NEW.kind = 'webhook'
BEGIN
    INSERT INTO webhook_states (customer, endpoint, cursor)
    SELECT NEW.customer, NEW.id, coalesce(max(seq), 0) FROM sqlite_sequence WHERE name = 'outbox';
END;

CREATE TRIGGER webhook_ends AFTER UPDATE OF tm_delete ON entries
WHEN NEW.kind = 'webhook' AND NEW.tm_delete IS NOT NULL
BEGIN
    DELETE FROM webhook_states WHERE customer = NEW.customer AND endpoint = NEW.id;
END;

CREATE TRIGGER own_webhook_is_born AFTER INSERT ON customers WHEN NEW.webhook_uri <> ''
BEGIN
    INSERT INTO webhook_states (customer, endpoint, cursor)
    SELECT NEW.key, NEW.id, coalesce(max(seq), 0) FROM sqlite_sequence WHERE name = 'outbox';
END;

CREATE TRIGGER own_webhook_begins AFTER UPDATE OF webhook_uri ON customers
WHEN OLD.webhook_uri = '' AND NEW.webhook_uri <> ''
BEGIN
    INSERT INTO webhook_states (customer, endpoint, cursor)
    SELECT NEW.key, NEW.id, coalesce(max(seq), 0) FROM sqlite_sequence WHERE name = 'outbox'
    ON CONFLICT DO UPDATE SET standing = 'enabled', reason = '', failing_since = NULL, cursor = excluded.cursor;
END;

CREATE TRIGGER own_webhook_moves AFTER UPDATE OF webhook_uri ON customers
WHEN OLD.webhook_uri <> '' AND NEW.webhook_uri <> '' AND NEW.webhook_uri <> OLD.webhook_uri
BEGIN
    UPDATE webhook_states SET standing = 'enabled', reason = '', failing_since = NULL
    WHERE customer = NEW.key AND endpoint = NEW.id;
END;

CREATE TRIGGER own_webhook_ends AFTER UPDATE OF webhook_uri ON customers
WHEN OLD.webhook_uri <> '' AND NEW.webhook_uri = ''
BEGIN
    UPDATE webhook_states SET standing = 'unset' WHERE customer = NEW.key AND endpoint = NEW.id;
    DELETE FROM webhook_waiting WHERE customer = NEW.key AND endpoint = NEW.id;
END;

-- Addresses that were written down before anything was delivered.
INSERT INTO webhook_states (customer, endpoint, cursor)
SELECT key, id, (SELECT coalesce(max(seq), 0) FROM sqlite_sequence WHERE name = 'outbox') FROM customers
WHERE webhook_uri <> '';
