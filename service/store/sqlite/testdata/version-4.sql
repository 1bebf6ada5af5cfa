BEGIN TRANSACTION;
CREATE TABLE goose_db_version (
		id INTEGER PRIMARY KEY AUTOINCREMENT,
		version_id INTEGER NOT NULL,
		is_applied INTEGER NOT NULL,
		tstamp TIMESTAMP DEFAULT (datetime('now'))
	);
INSERT INTO goose_db_version VALUES(1,0,1,'2026-11-22 06:02:38');
INSERT INTO goose_db_version VALUES(2,1,1,'2026-11-22 06:02:38');
INSERT INTO goose_db_version VALUES(3,2,1,'2026-11-22 06:02:38');
INSERT INTO goose_db_version VALUES(4,3,1,'2026-11-22 06:02:38');
INSERT INTO goose_db_version VALUES(5,4,1,'2026-11-22 06:02:38');
CREATE TABLE workspace (
    id       INTEGER PRIMARY KEY,
    owner    TEXT    NOT NULL,
    group_id TEXT    NOT NULL,
    created  INTEGER NOT NULL,
    initial  TEXT    NOT NULL,
    spec     TEXT    NOT NULL -- JSON: spec, demand, nics
) STRICT;
INSERT INTO workspace VALUES(1,'/O=Example/OU=People/CN=Ada','',1795327358032,'Running','{"Spec":{"Name":"http://example.org/sample","Architecture":"x86","VMM":{"Type":"Xen","Versions":["3"]},"Kernel":{"Image":"file://vmlinuz","Parameters":"ro"},"Disks":[{"Role":"root","Name":"","Location":"file://base.img","MountAs":"sda1","ReadOnly":false,"SizeMB":0}],"NICs":[{"Name":"eth0","Association":"public","Method":"AllocateAndConfigure","MAC":"","Hostname":"","IP":"","Netmask":"","Gateway":"","Broadcast":"","Network":""}],"Files":[{"Path":"/etc/motd","Content":"\u003chello\u003e"}],"UserData":"","StageIn":{"Endpoint":"e","Source":"s","Destination":"d","Checksum":"c","ChecksumType":"t"},"StageOut":null},"Demand":{"MemoryMB":256,"CPUs":2,"CPUPercent":40,"Architecture":"x86","CPUsGiven":true},"NICs":[{"Name":"eth0","Association":"public","Method":"AllocateAndConfigure","MAC":"A2:AA:BB:00:00:01","Hostname":"","IP":"10.0.0.1","Netmask":"","Gateway":"","Broadcast":"","Network":""}]}');
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
, expired INTEGER NOT NULL DEFAULT 0) STRICT;
INSERT INTO standing VALUES(1,'host00','Running','',0,2,1795327358032,1793534400005,3600000000000,60000000000,'Serialize','',0);
CREATE TABLE workspace_group (
    id    TEXT PRIMARY KEY,
    owner TEXT NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO workspace_group VALUES('g','');
CREATE TABLE member (
    group_id  TEXT    NOT NULL,
    workspace INTEGER NOT NULL,
    PRIMARY KEY (group_id, workspace)
) STRICT, WITHOUT ROWID;
INSERT INTO member VALUES('g',1);
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
INSERT INTO change VALUES(1,'',1,0,0,0,0,'','',0);
CREATE TABLE outbox (
    seq          INTEGER PRIMARY KEY,
    subscription TEXT    NOT NULL,
    workspace    INTEGER NOT NULL,
    topic        TEXT    NOT NULL,
    state        TEXT    NOT NULL,
    fault        TEXT    NOT NULL,
    at           INTEGER NOT NULL
, number INTEGER NOT NULL DEFAULT 0) STRICT;
INSERT INTO outbox VALUES(1,'s',1,'currentState','Running','',0,1);
CREATE TABLE answered (
    request    BLOB PRIMARY KEY, -- digest of owner and message ID
    workspaces TEXT    NOT NULL, -- JSON: their keys
    group_id   TEXT    NOT NULL,
    at         INTEGER NOT NULL
, digest TEXT NOT NULL DEFAULT '') STRICT, WITHOUT ROWID;
CREATE TABLE used (
    owner    TEXT PRIMARY KEY,
    duration INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO used VALUES('ada',3600000000000);
CREATE TABLE meta (
    id             INTEGER PRIMARY KEY CHECK (id = 1),
    last_workspace INTEGER NOT NULL,
    last_change    INTEGER NOT NULL,
    last_message   INTEGER NOT NULL
) STRICT;
INSERT INTO meta VALUES(1,1,1,1);
CREATE TABLE pull_point (
    id      TEXT PRIMARY KEY,
    owner   TEXT    NOT NULL,
    created INTEGER NOT NULL,
    expires INTEGER NOT NULL,
    dropped INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS "subscription" (
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
INSERT INTO subscription VALUES('s',1,'','currentState','',X'',X'',X'','','',0,0,'',0,1,0,0);
DELETE FROM sqlite_sequence;
INSERT INTO sqlite_sequence VALUES('goose_db_version',5);
COMMIT;
