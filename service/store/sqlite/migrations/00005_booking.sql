-- What the scheduler records: one booking for each lease, what operators asked of
-- hosts, and the times that were learned. What a workspace demands can change
-- while it runs; spec keeps what it was made with.

-- +goose Up
CREATE TABLE booking (
    id      INTEGER PRIMARY KEY,
    booking TEXT    NOT NULL -- JSON
) STRICT;

CREATE TABLE host_mode (
    host TEXT PRIMARY KEY,
    mode TEXT NOT NULL -- JSON
) STRICT, WITHOUT ROWID;

CREATE TABLE learned (
    id   INTEGER PRIMARY KEY CHECK (id = 1),
    data BLOB NOT NULL
) STRICT;

ALTER TABLE standing ADD COLUMN booking INTEGER NOT NULL DEFAULT 0;
ALTER TABLE standing ADD COLUMN parked INTEGER NOT NULL DEFAULT 0;
ALTER TABLE standing ADD COLUMN lease_warn INTEGER NOT NULL DEFAULT 0;
ALTER TABLE standing ADD COLUMN memory INTEGER NOT NULL DEFAULT 0;
ALTER TABLE standing ADD COLUMN cpus INTEGER NOT NULL DEFAULT 0;
ALTER TABLE standing ADD COLUMN cpus_given INTEGER NOT NULL DEFAULT 0;
ALTER TABLE standing ADD COLUMN cpu_percent INTEGER NOT NULL DEFAULT 0;
ALTER TABLE standing ADD COLUMN disk INTEGER NOT NULL DEFAULT 0;
ALTER TABLE standing ADD COLUMN net_in INTEGER NOT NULL DEFAULT 0;
ALTER TABLE standing ADD COLUMN net_out INTEGER NOT NULL DEFAULT 0;

UPDATE standing SET
    memory = coalesce(json_extract(w.spec, '$.Demand.MemoryMB'), 0),
    cpus = coalesce(json_extract(w.spec, '$.Demand.CPUs'), 0),
    cpus_given = coalesce(json_extract(w.spec, '$.Demand.CPUsGiven'), 0),
    cpu_percent = coalesce(json_extract(w.spec, '$.Demand.CPUPercent'), 0)
FROM workspace AS w WHERE w.id = standing.workspace;

CREATE TABLE account (
    owner    TEXT PRIMARY KEY,
    cpu_time INTEGER NOT NULL,
    at       INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

ALTER TABLE outbox ADD COLUMN lease TEXT NOT NULL DEFAULT '';
ALTER TABLE outbox ADD COLUMN lease_end INTEGER NOT NULL DEFAULT 0;
