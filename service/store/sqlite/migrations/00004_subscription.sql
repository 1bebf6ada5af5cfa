-- Subscriptions to several topics and to all of an owner's workspaces
-- (workspace 0), numbered messages, and pull points. What there was named one
-- topic in the simple dialect, and was written as GT4 writes.

-- +goose Up
CREATE TABLE pull_point (
    id      TEXT PRIMARY KEY,
    owner   TEXT    NOT NULL,
    created INTEGER NOT NULL,
    expires INTEGER NOT NULL,
    dropped INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE subscribed (
    id         TEXT PRIMARY KEY,
    workspace  INTEGER NOT NULL,
    owner      TEXT    NOT NULL,
    topics     TEXT    NOT NULL, -- separated by blanks
    format     TEXT    NOT NULL,
    expression BLOB    NOT NULL,
    filter     BLOB    NOT NULL, -- empty: none
    consumer   BLOB    NOT NULL,
    address    TEXT    NOT NULL,
    pull_point TEXT    NOT NULL,
    use_notify INTEGER NOT NULL,
    paused     INTEGER NOT NULL,
    paused_why TEXT    NOT NULL,
    failing    INTEGER NOT NULL,
    last       INTEGER NOT NULL, -- or that of a message in the outbox, which is higher
    expires    INTEGER NOT NULL,
    created    INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

INSERT INTO subscribed (id, workspace, owner, topics, format, expression, filter, consumer,
    address, pull_point, use_notify, paused, paused_why, failing, last, expires, created)
SELECT id, workspace, owner, topic, 'gt4', CAST(
    '<n:TopicExpression xmlns:n="http://docs.oasis-open.org/wsn/2004/06/wsn-WS-BaseNotification-1.2-draft-01.xsd"'
    || ' xmlns:t="' || CASE topic
        WHEN 'currentState' THEN 'http://www.globus.org/2008/06/workspace/types'
        ELSE 'http://docs.oasis-open.org/wsrf/2004/06/wsrf-WS-ResourceLifetime-1.2-draft-01.xsd'
    END || '" Dialect="http://docs.oasis-open.org/wsn/2004/06/TopicExpression/Simple">t:'
    || topic || '</n:TopicExpression>' AS BLOB), x'', consumer,
    address, '', use_notify, paused, '', 0, 0, expires, created
FROM subscription;

DROP TABLE subscription;
ALTER TABLE subscribed RENAME TO subscription;

DELETE FROM outbox WHERE subscription NOT IN (SELECT id FROM subscription);
ALTER TABLE outbox ADD COLUMN number INTEGER NOT NULL DEFAULT 0;

UPDATE outbox SET number = counted.number FROM (
    SELECT seq, row_number() OVER (PARTITION BY subscription ORDER BY seq) AS number FROM outbox
) AS counted WHERE counted.seq = outbox.seq;
