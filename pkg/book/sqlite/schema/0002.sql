-- Imports. The records of one count once it is done, so that a list comes in
-- whole or not at all; a record without an import counts at once. A handstamp
-- that does not know this step sees them all.
CREATE TABLE imports (
    seq     INTEGER PRIMARY KEY,
    batch   TEXT    NOT NULL,
    run     TEXT    NOT NULL, -- the last attempt; the ones before it have lost the import
    first   INTEGER NOT NULL, -- none of its records has a lower number
    touched INTEGER NOT NULL,
    done    INTEGER -- NULL while records are missing
) STRICT;
CREATE UNIQUE INDEX imports_open ON imports (batch) WHERE done IS NULL;
ALTER TABLE records ADD COLUMN import INTEGER;

CREATE INDEX places_admission ON places (admission);

-- What was revoked and may still be in somebody's hands: sessions that lived,
-- each in a row of its own, and attractions.
ALTER TABLE admissions ADD COLUMN revoked INTEGER;
CREATE TABLE revocations (
    seq        INTEGER PRIMARY KEY,
    at         INTEGER NOT NULL,
    ends       INTEGER NOT NULL, -- nothing that was handed out is good for longer
    session    BLOB    UNIQUE CHECK (length(session) = 32),
    attraction TEXT    UNIQUE,
    CHECK ((session IS NULL) <> (attraction IS NULL))
) STRICT;
CREATE INDEX revocations_at ON revocations (at);
CREATE INDEX revocations_ends ON revocations (ends);

CREATE TRIGGER revocations_device AFTER UPDATE OF state ON devices
WHEN OLD.state = 'seated' AND NEW.state = 'revoked'
BEGIN
    INSERT INTO revocations (at, ends, session)
    SELECT NEW.ended, a.ends, s.session
    FROM admissions a, (SELECT OLD.session AS session UNION SELECT OLD.previous) s
    WHERE a.seq = NEW.admission AND a.state = 'active' AND a.ends > NEW.ended AND s.session IS NOT NULL
    ON CONFLICT DO NOTHING;
END;

-- A handstamp that does not know this step says no time.
CREATE TRIGGER revocations_admission AFTER UPDATE OF state ON admissions
WHEN OLD.state = 'active' AND NEW.state = 'revoked'
BEGIN
    INSERT INTO revocations (at, ends, session)
    SELECT t.at, NEW.ends, s.session
    FROM (SELECT coalesce(NEW.revoked, CAST(unixepoch('subsec') * 1000000 AS INTEGER)) AS at) t,
        (SELECT session FROM devices WHERE admission = NEW.seq AND state = 'seated'
         UNION SELECT previous FROM devices WHERE admission = NEW.seq AND state = 'seated') s
    WHERE NEW.ends > t.at AND s.session IS NOT NULL
    ON CONFLICT DO NOTHING;
END;
