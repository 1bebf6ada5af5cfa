-- Hosts that were added while the service ran, and what is known of all: what they
-- have, since when they are out of reach, what was given up on them.

-- +goose Up
CREATE TABLE host (
    host   TEXT PRIMARY KEY,
    record TEXT NOT NULL -- JSON
) STRICT, WITHOUT ROWID;
