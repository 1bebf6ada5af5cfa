-- The record, first version. Times are milliseconds since 1970 (0: none),
-- durations nanoseconds. What never changes of a workspace is apart from what
-- does, so that a change of state rewrites a short row.

-- +goose Up
CREATE TABLE workspace (
    id       INTEGER PRIMARY KEY,
    owner    TEXT    NOT NULL,
    group_id TEXT    NOT NULL,
    created  INTEGER NOT NULL,
    initial  TEXT    NOT NULL,
    spec     TEXT    NOT NULL -- JSON: spec, demand, nics
) STRICT;

CREATE TABLE standing (
    workspace      INTEGER PRIMARY KEY,
    host           TEXT    NOT NULL,
    state          TEXT    NOT NULL,
    fault          TEXT    NOT NULL,
    released       INTEGER NOT NULL,
    version        INTEGER NOT NULL,
    changed        INTEGER NOT NULL,
    lease_start    INTEGER NOT NULL,
    lease_duration INTEGER NOT NULL,
    lease_grace    INTEGER NOT NULL,
    mechanism      TEXT    NOT NULL,
    save_to        TEXT    NOT NULL
) STRICT;

CREATE TABLE workspace_group (
    id    TEXT PRIMARY KEY,
    owner TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE member (
    group_id  TEXT    NOT NULL,
    workspace INTEGER NOT NULL,
    PRIMARY KEY (group_id, workspace)
) STRICT, WITHOUT ROWID;

CREATE TABLE change (
    id         INTEGER PRIMARY KEY,
    kind       TEXT    NOT NULL,
    workspace  INTEGER NOT NULL,
    status     INTEGER NOT NULL,
    step       INTEGER NOT NULL,
    attempt    INTEGER NOT NULL,
    not_before INTEGER NOT NULL,
    argument   TEXT    NOT NULL,
    fault      TEXT    NOT NULL,
    created    INTEGER NOT NULL
) STRICT;

CREATE TABLE subscription (
    id         TEXT PRIMARY KEY,
    workspace  INTEGER NOT NULL,
    owner      TEXT    NOT NULL,
    topic      TEXT    NOT NULL,
    dialect    TEXT    NOT NULL,
    expression TEXT    NOT NULL,
    consumer   BLOB    NOT NULL,
    address    TEXT    NOT NULL,
    use_notify INTEGER NOT NULL,
    paused     INTEGER NOT NULL,
    expires    INTEGER NOT NULL,
    created    INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE outbox (
    seq          INTEGER PRIMARY KEY,
    subscription TEXT    NOT NULL,
    workspace    INTEGER NOT NULL,
    topic        TEXT    NOT NULL,
    state        TEXT    NOT NULL,
    fault        TEXT    NOT NULL,
    at           INTEGER NOT NULL
) STRICT;

CREATE TABLE answered (
    request    BLOB PRIMARY KEY, -- digest of owner and message ID
    workspaces TEXT    NOT NULL, -- JSON: their keys
    group_id   TEXT    NOT NULL,
    at         INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE used (
    owner    TEXT PRIMARY KEY,
    duration INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE meta (
    id             INTEGER PRIMARY KEY CHECK (id = 1),
    last_workspace INTEGER NOT NULL,
    last_change    INTEGER NOT NULL,
    last_message   INTEGER NOT NULL
) STRICT;

INSERT INTO meta (id, last_workspace, last_change, last_message) VALUES (1, 0, 0, 0);
