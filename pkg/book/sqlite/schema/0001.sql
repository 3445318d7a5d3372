-- Times are microseconds since 1970, UTC. NULL means never or not known.
-- Sessions and ticket codes are here as hashes only.

CREATE TABLE meta (
    one  INTEGER PRIMARY KEY CHECK (one = 1),
    open INTEGER NOT NULL -- 1 while the write-ahead log may hold what this file does not
) STRICT;
INSERT INTO meta VALUES (1, 0);

-- Every ticket that was ever shown, or revoked before it was.
CREATE TABLE tickets (
    fingerprint BLOB PRIMARY KEY CHECK (length(fingerprint) = 32),
    first_use   INTEGER, -- never moved once it is set
    revoked     INTEGER
) STRICT, WITHOUT ROWID;

CREATE TABLE admissions (
    seq          INTEGER PRIMARY KEY,
    id           TEXT    NOT NULL UNIQUE,
    ticket       BLOB    NOT NULL REFERENCES tickets (fingerprint),
    state        TEXT    NOT NULL CHECK (state IN ('active', 'ended', 'revoked')),
    begins       INTEGER NOT NULL,
    ends         INTEGER NOT NULL,
    seats        INTEGER NOT NULL CHECK (seats > 0),
    entitlements TEXT    NOT NULL, -- JSON: a list of gate.Entitlement
    lost         TEXT    NOT NULL DEFAULT '[]', -- JSON: attractions that were revoked, closed to a fresh verdict
    source       TEXT    NOT NULL,
    ref          TEXT    NOT NULL,
    verdict      INTEGER,
    revision     INTEGER NOT NULL
) STRICT;
CREATE INDEX admissions_ticket ON admissions (ticket);
CREATE INDEX admissions_ends ON admissions (ends);
CREATE UNIQUE INDEX admissions_one ON admissions (ticket) WHERE state = 'active';

-- Which admissions ever opened an attraction.
CREATE TABLE places (
    attraction TEXT    NOT NULL,
    admission  INTEGER NOT NULL,
    PRIMARY KEY (attraction, admission)
) STRICT, WITHOUT ROWID;

CREATE TABLE devices (
    seq        INTEGER PRIMARY KEY,
    id         TEXT    NOT NULL UNIQUE,
    admission  INTEGER NOT NULL REFERENCES admissions (seq),
    state      TEXT    NOT NULL CHECK (state IN ('seated', 'left', 'evicted', 'revoked')),
    session    BLOB    UNIQUE CHECK (length(session) = 32),
    previous   BLOB, -- the session before the last rotation
    rotated    INTEGER,
    first_seen INTEGER NOT NULL,
    last_seen  INTEGER NOT NULL,
    ended      INTEGER
) STRICT;
CREATE INDEX devices_admission ON devices (admission);

-- Every session that was rotated away: showing one late is theft.
CREATE TABLE spent (
    session BLOB    PRIMARY KEY CHECK (length(session) = 32),
    device  INTEGER NOT NULL,
    at      INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX spent_device ON spent (device);

-- Requests that may be sent again after a lost answer.
CREATE TABLE requests (
    key    BLOB    PRIMARY KEY CHECK (length(key) = 32),
    body   BLOB    NOT NULL CHECK (length(body) = 32),
    device INTEGER NOT NULL,
    at     INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX requests_at ON requests (at);

-- Tickets that we issued or imported ourselves.
CREATE TABLE records (
    seq         INTEGER PRIMARY KEY,
    id          TEXT    NOT NULL UNIQUE,
    code        BLOB    NOT NULL CHECK (length(code) = 32),
    products    TEXT    NOT NULL, -- JSON: a list of [attraction, package]
    seats       INTEGER NOT NULL CHECK (seats >= 0),
    valid_from  INTEGER,
    valid_until INTEGER,
    note        TEXT    NOT NULL,
    batch       TEXT    NOT NULL,
    issued      INTEGER NOT NULL,
    revoked     INTEGER
) STRICT;
-- 96 bits tell the codes apart in half the space, so that an import of a
-- million stays quick. Two codes that share them are refused, not mixed up.
CREATE UNIQUE INDEX records_code ON records (substr(code, 1, 12));
CREATE INDEX records_batch ON records (batch, seq) WHERE batch <> '';

CREATE TABLE record_places (
    attraction TEXT    NOT NULL,
    record     INTEGER NOT NULL,
    PRIMARY KEY (attraction, record)
) STRICT, WITHOUT ROWID;

CREATE TABLE audit (
    seq     INTEGER PRIMARY KEY,
    at      INTEGER NOT NULL,
    actor   TEXT    NOT NULL,
    action  TEXT    NOT NULL,
    target  TEXT    NOT NULL,
    request TEXT    NOT NULL,
    before  TEXT    NOT NULL,
    after   TEXT    NOT NULL,
    detail  TEXT    NOT NULL,
    hash    BLOB    NOT NULL CHECK (length(hash) = 32)
) STRICT;
CREATE TRIGGER audit_insert BEFORE INSERT ON audit
WHEN NEW.seq <> (SELECT coalesce(max(seq), 0) + 1 FROM audit)
BEGIN SELECT RAISE(ABORT, 'the audit can only be appended to'); END;
CREATE TRIGGER audit_update BEFORE UPDATE ON audit
BEGIN SELECT RAISE(ABORT, 'the audit can only be appended to'); END;
CREATE TRIGGER audit_delete BEFORE DELETE ON audit
BEGIN SELECT RAISE(ABORT, 'the audit can only be appended to'); END;
