-- Who the customers are, who works for them, and what they keep beside their campaigns.

ALTER TABLE customers ADD COLUMN detail TEXT NOT NULL DEFAULT '';
ALTER TABLE customers ADD COLUMN email TEXT NOT NULL DEFAULT '';
ALTER TABLE customers ADD COLUMN phone_number TEXT NOT NULL DEFAULT '';
ALTER TABLE customers ADD COLUMN address TEXT NOT NULL DEFAULT '';
ALTER TABLE customers ADD COLUMN webhook_method TEXT NOT NULL DEFAULT '';
ALTER TABLE customers ADD COLUMN webhook_uri TEXT NOT NULL DEFAULT '';
ALTER TABLE customers ADD COLUMN billing_account_id BLOB NOT NULL DEFAULT x'00000000000000000000000000000000';
ALTER TABLE customers ADD COLUMN rtp_debug INTEGER NOT NULL DEFAULT 0;
ALTER TABLE customers ADD COLUMN status TEXT NOT NULL DEFAULT 'active';
ALTER TABLE customers ADD COLUMN version INTEGER NOT NULL DEFAULT 1;
ALTER TABLE customers ADD COLUMN tm_create INTEGER;
ALTER TABLE customers ADD COLUMN tm_update INTEGER;
ALTER TABLE customers ADD COLUMN tm_delete INTEGER;

-- A customer's public id is a UUID version 8 whose last bytes are its key.
UPDATE customers SET id = x'00000000000080008000000000000001' WHERE key = 1;

CREATE INDEX access_keys_page ON access_keys (customer, tm_create, id) WHERE tm_delete IS NULL;

-- What people edit and read as a whole: tags, flows, queues, extensions, trunks, carriers, routes, numbers. body is
-- the record as JSON without the columns beside it; unique_name is what only one living entry of its kind may
-- have, related what a list can be narrowed by.
CREATE TABLE entries (
    key         INTEGER PRIMARY KEY,
    customer    INTEGER NOT NULL REFERENCES customers (key),
    kind        TEXT NOT NULL,
    id          BLOB NOT NULL,
    unique_name TEXT NOT NULL,
    related     BLOB NOT NULL,
    body        TEXT NOT NULL,
    version     INTEGER NOT NULL,
    tm_create   INTEGER NOT NULL,
    tm_update   INTEGER,
    tm_delete   INTEGER,
    UNIQUE (customer, kind, id)
) STRICT;

CREATE INDEX entries_page ON entries (customer, kind, tm_create, id) WHERE tm_delete IS NULL;
CREATE UNIQUE INDEX entries_named ON entries (customer, kind, unique_name)
    WHERE unique_name <> '' AND tm_delete IS NULL;

-- People who take calls or run the place. tag_ids and addresses are JSON, as in the record.
CREATE TABLE agents (
    key           INTEGER PRIMARY KEY,
    customer      INTEGER NOT NULL REFERENCES customers (key),
    id            BLOB NOT NULL UNIQUE,
    username      TEXT NOT NULL,
    password_hash TEXT NOT NULL,
    name          TEXT NOT NULL,
    detail        TEXT NOT NULL,
    ring_method   TEXT NOT NULL,
    status        TEXT NOT NULL,
    permission    INTEGER NOT NULL,
    tag_ids       TEXT NOT NULL,
    addresses     TEXT NOT NULL,
    version       INTEGER NOT NULL,
    tm_create     INTEGER NOT NULL,
    tm_update     INTEGER,
    tm_delete     INTEGER,
    UNIQUE (customer, key)
) STRICT;

CREATE INDEX agents_page ON agents (customer, tm_create, id) WHERE tm_delete IS NULL;
CREATE UNIQUE INDEX agents_username ON agents (username) WHERE tm_delete IS NULL;

-- One row for each address of a living agent: nobody is rung for somebody else.
CREATE TABLE agent_addresses (
    customer INTEGER NOT NULL,
    target   TEXT NOT NULL,
    agent    INTEGER NOT NULL,
    PRIMARY KEY (customer, target),
    FOREIGN KEY (customer, agent) REFERENCES agents (customer, key)
) STRICT, WITHOUT ROWID;

CREATE INDEX agent_addresses_of ON agent_addresses (customer, agent);
