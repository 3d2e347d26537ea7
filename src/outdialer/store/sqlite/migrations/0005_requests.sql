-- Requests with an Idempotency-Key, for a day. name is the key's SHA-256; a row without status is a request that
-- still runs, or whose server died; an answer that holds a secret is sealed under the key and the credential.
CREATE TABLE requests (
    key         INTEGER PRIMARY KEY,
    customer    INTEGER NOT NULL REFERENCES customers (key),
    name        BLOB NOT NULL,
    request     TEXT NOT NULL,
    fingerprint BLOB NOT NULL,
    credential  BLOB NOT NULL,
    tm          INTEGER NOT NULL,
    status      INTEGER,
    headers     TEXT,
    body        BLOB,
    UNIQUE (customer, name)
) STRICT;
