-- Whose the private files in a bucket are, and what they are called.
CREATE TABLE files (
    key       TEXT    PRIMARY KEY,
    owner     TEXT    NOT NULL,
    area      TEXT    NOT NULL,
    name      TEXT    NOT NULL,
    type      TEXT    NOT NULL,
    size      INTEGER NOT NULL CHECK (size >= 0),
    sha256    TEXT    NOT NULL,
    etag      TEXT    NOT NULL,
    public    INTEGER NOT NULL CHECK (public IN (0, 1)),
    added     INTEGER,
    confirmed INTEGER, -- NULL until it was seen in the bucket
    expires   INTEGER
) STRICT, WITHOUT ROWID;
-- Every index ends with the key, by which all lists are ordered.
CREATE INDEX files_owner ON files (owner);
CREATE INDEX files_owner_area ON files (owner, area);
CREATE INDEX files_area ON files (area);
CREATE INDEX files_expires ON files (expires) WHERE confirmed IS NULL;
