-- The books of a dialing engine. Integer keys inside, public identifiers (UUID blobs) outside. Every table carries
-- its customer, and every reference names the customer too, so that no row can point into another customer's books.
-- Nothing declares a foreign key to rows of history (attempts, decisions, versions) unless an index serves it: SQLite
-- would walk the whole referring table for every row of history that is removed. The checker verifies those instead.
-- Instants are microseconds since 1970 UTC; lengths of time are milliseconds. Statuses are the domain's words.

CREATE TABLE meta (
    name  TEXT PRIMARY KEY,
    value BLOB NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE customers (
    key  INTEGER PRIMARY KEY,
    id   BLOB NOT NULL UNIQUE,
    name TEXT NOT NULL DEFAULT ''
) STRICT;

CREATE TABLE workers (
    key  INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE
) STRICT;

-- One row per life of an engine. Only the newest epoch may write to attempts.
CREATE TABLE epochs (
    key      INTEGER PRIMARY KEY AUTOINCREMENT,
    worker   INTEGER NOT NULL REFERENCES workers (key),
    tm_start INTEGER NOT NULL
) STRICT;

CREATE TABLE trunks (
    key           INTEGER PRIMARY KEY,
    customer      INTEGER NOT NULL REFERENCES customers (key),
    id            BLOB NOT NULL,
    name          TEXT NOT NULL,
    host          TEXT NOT NULL,
    port          INTEGER NOT NULL,
    domain        TEXT NOT NULL,
    username      TEXT NOT NULL,
    password_file TEXT NOT NULL,
    realm         TEXT NOT NULL,
    rate_per_s    REAL NOT NULL,
    channels      INTEGER NOT NULL,
    max_ring_ms   INTEGER NOT NULL,
    refusals      INTEGER NOT NULL DEFAULT 0,
    pauses        INTEGER NOT NULL DEFAULT 0,
    pause_reason  TEXT NOT NULL DEFAULT '',
    paused_until  INTEGER NOT NULL DEFAULT 0,
    version       INTEGER NOT NULL,
    tm_create     INTEGER NOT NULL,
    tm_update     INTEGER,
    tm_delete     INTEGER,
    UNIQUE (customer, key),
    UNIQUE (customer, id)
) STRICT;

-- How and when to dial: what people see, and which immutable version holds the terms.
CREATE TABLE outplans (
    key       INTEGER PRIMARY KEY,
    customer  INTEGER NOT NULL REFERENCES customers (key),
    id        BLOB NOT NULL,
    name      TEXT NOT NULL,
    detail    TEXT NOT NULL,
    version   INTEGER NOT NULL,
    tm_create INTEGER NOT NULL,
    tm_update INTEGER,
    tm_delete INTEGER,
    UNIQUE (customer, key),
    UNIQUE (customer, id)
) STRICT;

CREATE INDEX outplans_page ON outplans (customer, tm_create, id) WHERE tm_delete IS NULL;

-- Never updated: attempts were claimed under these terms (JSON).
CREATE TABLE outplan_versions (
    key       INTEGER PRIMARY KEY,
    customer  INTEGER NOT NULL,
    outplan   INTEGER NOT NULL,
    version   INTEGER NOT NULL,
    terms     TEXT NOT NULL,
    tm_create INTEGER NOT NULL,
    UNIQUE (customer, key),
    UNIQUE (customer, outplan, version),
    FOREIGN KEY (customer, outplan) REFERENCES outplans (customer, key)
) STRICT;

CREATE TABLE campaigns (
    key       INTEGER PRIMARY KEY,
    customer  INTEGER NOT NULL REFERENCES customers (key),
    id        BLOB NOT NULL,
    status    TEXT NOT NULL,
    version   INTEGER NOT NULL,
    tm_create INTEGER NOT NULL,
    tm_update INTEGER,
    tm_delete INTEGER,
    UNIQUE (customer, key),
    UNIQUE (customer, id)
) STRICT;

CREATE INDEX campaigns_page ON campaigns (customer, tm_create, id) WHERE tm_delete IS NULL;
CREATE INDEX campaigns_awake ON campaigns (customer) WHERE status <> 'stop' AND tm_delete IS NULL;

-- A list of targets; bound to the campaign that dials it.
CREATE TABLE outdials (
    key       INTEGER PRIMARY KEY,
    customer  INTEGER NOT NULL REFERENCES customers (key),
    id        BLOB NOT NULL,
    campaign  INTEGER,
    name      TEXT NOT NULL,
    detail    TEXT NOT NULL,
    data      TEXT NOT NULL,
    version   INTEGER NOT NULL,
    tm_create INTEGER NOT NULL,
    tm_update INTEGER,
    tm_delete INTEGER,
    UNIQUE (customer, key),
    UNIQUE (customer, id),
    FOREIGN KEY (customer, campaign) REFERENCES campaigns (customer, key)
) STRICT;

CREATE INDEX outdials_page ON outdials (customer, tm_create, id) WHERE tm_delete IS NULL;
CREATE INDEX outdials_of_campaign ON outdials (customer, campaign) WHERE campaign IS NOT NULL;

-- Never updated: what a campaign was when an attempt was claimed for it.
CREATE TABLE campaign_versions (
    key              INTEGER PRIMARY KEY,
    customer         INTEGER NOT NULL,
    campaign         INTEGER NOT NULL,
    version          INTEGER NOT NULL,
    type             TEXT NOT NULL,
    name             TEXT NOT NULL,
    detail           TEXT NOT NULL,
    service_level    INTEGER NOT NULL,
    end_handle       TEXT NOT NULL,
    actions          TEXT NOT NULL,
    outplan          INTEGER,
    outdial          INTEGER,
    queue_id         BLOB NOT NULL,
    next_campaign_id BLOB NOT NULL,
    dial_rate        REAL NOT NULL,
    dial_channels    INTEGER NOT NULL,
    tm_create        INTEGER NOT NULL,
    UNIQUE (customer, key),
    UNIQUE (customer, campaign, version),
    FOREIGN KEY (customer, campaign) REFERENCES campaigns (customer, key),
    FOREIGN KEY (customer, outplan) REFERENCES outplans (customer, key),
    FOREIGN KEY (customer, outdial) REFERENCES outdials (customer, key)
) STRICT;

-- One person of a list. destination_N is what is dialled; addresses holds the rest of the five addresses as JSON
-- where there is a rest.
CREATE TABLE targets (
    key           INTEGER PRIMARY KEY,
    customer      INTEGER NOT NULL,
    outdial       INTEGER NOT NULL,
    id            BLOB NOT NULL,
    name          TEXT NOT NULL,
    detail        TEXT NOT NULL,
    data          TEXT NOT NULL,
    status        TEXT NOT NULL,
    due           INTEGER,
    due_reason    TEXT NOT NULL,
    done_reason   TEXT NOT NULL,
    version       INTEGER NOT NULL DEFAULT 1,
    tries_0       INTEGER NOT NULL DEFAULT 0 CHECK (tries_0 >= 0),
    tries_1       INTEGER NOT NULL DEFAULT 0 CHECK (tries_1 >= 0),
    tries_2       INTEGER NOT NULL DEFAULT 0 CHECK (tries_2 >= 0),
    tries_3       INTEGER NOT NULL DEFAULT 0 CHECK (tries_3 >= 0),
    tries_4       INTEGER NOT NULL DEFAULT 0 CHECK (tries_4 >= 0),
    destination_0 TEXT NOT NULL,
    destination_1 TEXT NOT NULL,
    destination_2 TEXT NOT NULL,
    destination_3 TEXT NOT NULL,
    destination_4 TEXT NOT NULL,
    addresses     TEXT,
    tm_create     INTEGER NOT NULL,
    tm_update     INTEGER,
    tm_delete     INTEGER,
    CHECK ((status = 'idle') = (due IS NOT NULL)),
    CHECK ((status = 'done') = (done_reason <> '')),
    UNIQUE (customer, key),
    UNIQUE (customer, id),
    FOREIGN KEY (customer, outdial) REFERENCES outdials (customer, key)
) STRICT;

CREATE INDEX targets_due ON targets (customer, outdial, due) WHERE status = 'idle' AND tm_delete IS NULL;
CREATE INDEX targets_page ON targets (customer, outdial, tm_create, id) WHERE tm_delete IS NULL;

-- One row per planning tick that decided something (JSON: what was planned, which gates were closed). attempts: how
-- many attempts on the books it decided.
CREATE TABLE decisions (
    key      INTEGER PRIMARY KEY,
    customer INTEGER NOT NULL REFERENCES customers (key),
    tm       INTEGER NOT NULL,
    attempts INTEGER NOT NULL CHECK (attempts >= 0),
    body     TEXT NOT NULL,
    UNIQUE (customer, key)
) STRICT;

-- One try of one destination: first the intent, written before anything is sent, then the facts.
CREATE TABLE attempts (
    key               INTEGER PRIMARY KEY,
    customer          INTEGER NOT NULL,
    id                BLOB NOT NULL,
    epoch             INTEGER NOT NULL REFERENCES epochs (key),
    worker            INTEGER NOT NULL REFERENCES workers (key),
    decision          INTEGER NOT NULL,
    campaign          INTEGER NOT NULL,
    campaign_version  INTEGER NOT NULL,
    outplan_version   INTEGER NOT NULL,
    outdial           INTEGER NOT NULL,
    target            INTEGER NOT NULL,
    trunk             INTEGER NOT NULL,
    call              INTEGER NOT NULL,
    activeflow_id     BLOB NOT NULL,
    destination       TEXT NOT NULL,
    number            TEXT NOT NULL,
    destination_index INTEGER NOT NULL CHECK (destination_index BETWEEN 0 AND 4),
    try_count         INTEGER NOT NULL CHECK (try_count > 0),
    send_not_before   INTEGER NOT NULL,
    send_not_after    INTEGER NOT NULL,
    covered_by        TEXT NOT NULL,
    status            TEXT NOT NULL,
    result            TEXT NOT NULL DEFAULT '',
    hangup_reason     TEXT NOT NULL DEFAULT '',
    hangup_detail     TEXT NOT NULL DEFAULT '',
    sip_code          INTEGER NOT NULL DEFAULT 0,
    q850_cause        INTEGER NOT NULL DEFAULT 0,
    answered          INTEGER NOT NULL DEFAULT 0,
    answered_by       TEXT NOT NULL DEFAULT '',
    charged           INTEGER NOT NULL DEFAULT 1,
    late_answer       INTEGER NOT NULL DEFAULT 0,
    ring_ms           INTEGER NOT NULL DEFAULT 0,
    talk_ms           INTEGER NOT NULL DEFAULT 0,
    event_number      INTEGER NOT NULL DEFAULT 1,
    tm_create         INTEGER NOT NULL,
    tm_update         INTEGER,
    tm_ringing        INTEGER,
    tm_progressing    INTEGER,
    tm_hangup         INTEGER,
    tm_delete         INTEGER,
    CHECK ((status = 'done') = (result <> '')),
    UNIQUE (customer, key),
    UNIQUE (customer, id),
    FOREIGN KEY (customer, campaign) REFERENCES campaigns (customer, key),
    FOREIGN KEY (customer, outdial) REFERENCES outdials (customer, key),
    FOREIGN KEY (customer, target) REFERENCES targets (customer, key),
    FOREIGN KEY (customer, trunk) REFERENCES trunks (customer, key)
) STRICT;

-- One live attempt per target, and one live call per person: breaking either is impossible, not merely unlikely.
CREATE UNIQUE INDEX attempts_live_target ON attempts (customer, target) WHERE status <> 'done';
CREATE UNIQUE INDEX attempts_live_number ON attempts (customer, number) WHERE status <> 'done';
CREATE INDEX attempts_of_number ON attempts (customer, number, tm_create);
CREATE INDEX attempts_page ON attempts (customer, tm_create, id) WHERE tm_delete IS NULL;
CREATE INDEX attempts_of_campaign ON attempts (customer, campaign, tm_create, id) WHERE tm_delete IS NULL;

-- One SIP dialog with one far end. attempt is null for calls that no campaign made.
CREATE TABLE calls (
    key            INTEGER PRIMARY KEY,
    customer       INTEGER NOT NULL,
    id             BLOB NOT NULL,
    attempt        INTEGER,
    activeflow_id  BLOB NOT NULL,
    status         TEXT NOT NULL,
    hangup_by      TEXT NOT NULL DEFAULT '',
    hangup_reason  TEXT NOT NULL DEFAULT '',
    hangup_detail  TEXT NOT NULL DEFAULT '',
    sip_code       INTEGER NOT NULL DEFAULT 0,
    q850_cause     INTEGER NOT NULL DEFAULT 0,
    answered       INTEGER NOT NULL DEFAULT 0,
    tm_create      INTEGER NOT NULL,
    tm_update      INTEGER,
    tm_ringing     INTEGER,
    tm_progressing INTEGER,
    tm_hangup      INTEGER,
    tm_delete      INTEGER,
    UNIQUE (customer, key),
    UNIQUE (customer, id)
) STRICT;

CREATE INDEX calls_page ON calls (customer, tm_create, id) WHERE tm_delete IS NULL;

CREATE TABLE bridges (
    key       INTEGER PRIMARY KEY,
    customer  INTEGER NOT NULL REFERENCES customers (key),
    id        BLOB NOT NULL,
    tm_create INTEGER NOT NULL,
    tm_delete INTEGER,
    UNIQUE (customer, key),
    UNIQUE (customer, id)
) STRICT;

-- A call seen from its trunk: a failover makes a new leg of the same call. dialog is what ends it after a restart.
CREATE TABLE legs (
    key            INTEGER PRIMARY KEY,
    customer       INTEGER NOT NULL,
    call           INTEGER NOT NULL,
    attempt        INTEGER,
    number         INTEGER NOT NULL,
    bridge         INTEGER,
    trunk          INTEGER NOT NULL,
    dialog         BLOB NOT NULL DEFAULT x'',
    answered_until INTEGER,
    UNIQUE (customer, call, number),
    FOREIGN KEY (customer, call) REFERENCES calls (customer, key),
    FOREIGN KEY (customer, bridge) REFERENCES bridges (customer, key),
    FOREIGN KEY (customer, trunk) REFERENCES trunks (customer, key)
) STRICT;

-- Every limit is a row of one kind: 'trunk:7', 'campaign:12'. budget is for ratios that must not be exceeded.
CREATE TABLE limits (
    customer  INTEGER NOT NULL REFERENCES customers (key),
    scope     TEXT NOT NULL,
    next_slot INTEGER NOT NULL DEFAULT 0,
    in_use    INTEGER NOT NULL DEFAULT 0 CHECK (in_use >= 0),
    budget    INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (customer, scope)
) STRICT, WITHOUT ROWID;

-- Counts kept with the change, so that no page and no plan ever counts rows.
CREATE TABLE counters (
    customer INTEGER NOT NULL REFERENCES customers (key),
    kind     TEXT NOT NULL,
    scope    INTEGER NOT NULL,
    name     TEXT NOT NULL,
    n        INTEGER NOT NULL,
    PRIMARY KEY (customer, kind, scope, name)
) STRICT, WITHOUT ROWID;

-- What happened, in the transaction in which it happened. Rows of attempts are tiny, because what they tell can be
-- rebuilt from the attempt; rows of resources carry the object as JSON. Consumers keep their own marks.
CREATE TABLE outbox (
    key          INTEGER PRIMARY KEY AUTOINCREMENT,
    customer     INTEGER NOT NULL,
    kind         TEXT NOT NULL,
    subject      BLOB,
    attempt      INTEGER,
    event_number INTEGER NOT NULL,
    tm           INTEGER NOT NULL,
    payload      TEXT
) STRICT;

CREATE TABLE access_keys (
    key          INTEGER PRIMARY KEY,
    customer     INTEGER NOT NULL REFERENCES customers (key),
    id           BLOB NOT NULL,
    name         TEXT NOT NULL,
    detail       TEXT NOT NULL,
    token_prefix TEXT NOT NULL,
    token_hash   BLOB NOT NULL UNIQUE,
    tm_expire    INTEGER,
    tm_create    INTEGER NOT NULL,
    tm_update    INTEGER,
    tm_delete    INTEGER,
    UNIQUE (customer, key),
    UNIQUE (customer, id)
) STRICT;
