-- Made by tools/dev/check-schema --write; what all migrations together make.

CREATE TABLE attachment (
    container_id  TEXT    NOT NULL REFERENCES container (id) ON DELETE CASCADE,
    destination   TEXT    NOT NULL,          -- cleaned absolute path
    volume_id     TEXT    NOT NULL REFERENCES volume (id) ON DELETE RESTRICT,
    mode          TEXT    NOT NULL CHECK (mode IN ('rw', 'ro', 'exclusive')),
    subpath       TEXT    NOT NULL DEFAULT '',
    options       TEXT    NOT NULL DEFAULT '{}',  -- JSON: nocopy, propagation, nosuid, nodev, noexec, create_subpath, uid_map, gid_map
    is_anonymous  INTEGER NOT NULL DEFAULT 0,  -- named nowhere by the client: `rm -v` takes the volume along
    PRIMARY KEY (container_id, destination)
) STRICT, WITHOUT ROWID;

CREATE INDEX attachment_by_volume ON attachment (volume_id);

CREATE TABLE attachment_snapshot (
    container_id  TEXT    NOT NULL,
    destination   TEXT    NOT NULL,
    snapshot_id   TEXT    NOT NULL REFERENCES snapshot (id) ON DELETE RESTRICT,
    scratch_id    TEXT    CHECK (length(scratch_id) = 36),
    is_own        INTEGER NOT NULL DEFAULT 0 CHECK (is_own IN (0, 1)),  -- cut for it, and goes with it
    PRIMARY KEY (container_id, destination),
    FOREIGN KEY (container_id, destination) REFERENCES attachment (container_id, destination) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;

CREATE INDEX attachment_snapshot_by_snapshot ON attachment_snapshot (snapshot_id);

CREATE TABLE container (
    id              TEXT    PRIMARY KEY CHECK (length(id) = 64),
    name            TEXT    NOT NULL UNIQUE,
    image_id        TEXT    NOT NULL,        -- not a reference: an image may be removed by force
    image_name      TEXT    NOT NULL,        -- as the client said it
    chain_id        TEXT    REFERENCES layer (chain_id) ON DELETE RESTRICT,
    state           TEXT    NOT NULL CHECK (state IN
                        ('created', 'starting', 'running', 'paused', 'restarting', 'exited', 'removing', 'dead')),
    config          TEXT    NOT NULL,
    host_config     TEXT    NOT NULL,
    networking      TEXT    NOT NULL DEFAULT '{}',
    mounts          TEXT    NOT NULL DEFAULT '[]',   -- binds and tmpfs, resolved when it was created (volumes: attachment)
    path            TEXT    NOT NULL,        -- what is run: path and args
    args            TEXT    NOT NULL DEFAULT '[]',
    pid             INTEGER NOT NULL DEFAULT 0,
    exit_code       INTEGER NOT NULL DEFAULT 0,
    error           TEXT    NOT NULL DEFAULT '',
    is_oom_killed   INTEGER NOT NULL DEFAULT 0,
    is_stop_wanted  INTEGER NOT NULL DEFAULT 0,  -- stopped by a person: restart policies leave it alone
    is_auto_remove  INTEGER NOT NULL DEFAULT 0,
    restart_count   INTEGER NOT NULL DEFAULT 0,
    generation      INTEGER NOT NULL DEFAULT 1,
    health          TEXT    NOT NULL DEFAULT '',  -- JSON {status, failing_streak, log}
    created_ns      INTEGER NOT NULL,
    started_ns      INTEGER NOT NULL DEFAULT 0,
    finished_ns     INTEGER NOT NULL DEFAULT 0
) STRICT;

CREATE INDEX container_by_image ON container (image_id);

CREATE INDEX container_by_state ON container (state);

CREATE TABLE departed (
    name         TEXT    NOT NULL,              -- of the container
    destination  TEXT    NOT NULL,
    volume_id    TEXT    NOT NULL,              -- refers to nothing: it may have been purged
    removed_ms   INTEGER NOT NULL,
    PRIMARY KEY (name, destination)
) STRICT, WITHOUT ROWID;

CREATE INDEX departed_by_age ON departed (removed_ms);

CREATE TABLE event (
    seq         INTEGER PRIMARY KEY,
    time_ns     INTEGER NOT NULL,
    type        TEXT    NOT NULL,            -- container, image, volume, snapshot, pool, operation, daemon
    action      TEXT    NOT NULL,
    object_id   TEXT    NOT NULL,
    attributes  TEXT    NOT NULL DEFAULT '{}',
    actor       TEXT    NOT NULL
) STRICT;

CREATE TABLE generation (
    container_id   TEXT    PRIMARY KEY REFERENCES container (id) ON DELETE CASCADE,
    name           TEXT    NOT NULL,           -- of the container whose generation it is
    number         INTEGER NOT NULL,
    outcome        TEXT    NOT NULL CHECK (outcome IN ('replaced', 'failed')),
    set_name       TEXT    NOT NULL DEFAULT '',  -- what its volumes held at its end
    recreation_id  TEXT    NOT NULL,
    retired_ms     INTEGER NOT NULL,
    UNIQUE (name, number)
) STRICT, WITHOUT ROWID;

CREATE TABLE growth (
    object          TEXT    PRIMARY KEY,        -- volume:<id>, pool:<id>
    used_bytes      INTEGER NOT NULL,
    bytes_per_day   INTEGER NOT NULL,
    since_ms        INTEGER NOT NULL,           -- of the first sample
    sampled_ms      INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE image (
    id          TEXT    PRIMARY KEY,         -- sha256:… of config, kept verbatim
    config      TEXT    NOT NULL,
    chain_id    TEXT    REFERENCES layer (chain_id) ON DELETE RESTRICT,  -- NULL: no layers
    parent      TEXT,
    size_bytes  INTEGER NOT NULL,
    created_ms  INTEGER NOT NULL
) STRICT;

CREATE TABLE image_tag (
    name        TEXT    PRIMARY KEY,         -- docker.io/library/busybox:latest
    image_id    TEXT    NOT NULL REFERENCES image (id) ON DELETE CASCADE,
    created_ms  INTEGER NOT NULL
) STRICT;

CREATE INDEX image_tag_by_image ON image_tag (image_id);

CREATE TABLE intent (
    object        TEXT PRIMARY KEY,          -- "volume:<id>"
    operation_id  TEXT NOT NULL REFERENCES operation (id) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;

CREATE INDEX intent_by_operation ON intent (operation_id);

CREATE TABLE layer (
    chain_id    TEXT    PRIMARY KEY,         -- sha256:… of the chain (OCI image spec, "ChainID")
    diff_id     TEXT    NOT NULL,
    parent      TEXT    REFERENCES layer (chain_id) ON DELETE RESTRICT,
    dir_id      TEXT    NOT NULL UNIQUE CHECK (length(dir_id) = 36),
    size_bytes     INTEGER NOT NULL,         -- of the files in it
    archive_bytes  INTEGER NOT NULL,         -- of its tar, uncompressed
    created_ms  INTEGER NOT NULL
) STRICT;

CREATE TABLE lease (
    volume_id     TEXT    NOT NULL REFERENCES volume (id) ON DELETE CASCADE,
    container_id  TEXT    NOT NULL REFERENCES container (id) ON DELETE CASCADE,
    state         TEXT    NOT NULL CHECK (state IN ('writer', 'standby', 'fenced')),
    epoch         INTEGER NOT NULL,         -- the volume's, when the state was given
    since_ms      INTEGER NOT NULL,
    PRIMARY KEY (volume_id, container_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX lease_by_container ON lease (container_id);

CREATE TABLE lineage (
    child_id     TEXT    NOT NULL,           -- of a volume or a snapshot
    relation     TEXT    NOT NULL CHECK (relation IN
                     ('seeded', 'cloned', 'cut', 'rolled-back', 'restored', 'written', 'imported')),
    parent_id    TEXT    NOT NULL,           -- of an image, a volume, a snapshot or a container
    time_ms      INTEGER NOT NULL,
    child_name   TEXT    NOT NULL,
    parent_kind  TEXT    NOT NULL CHECK (parent_kind IN ('image', 'volume', 'snapshot', 'container', 'capsule')),
    parent_name  TEXT    NOT NULL,
    detail       TEXT    NOT NULL DEFAULT '{}',  -- JSON: a seed's path, a container's image and generation, files
    PRIMARY KEY (child_id, relation, parent_id, time_ms)
) STRICT, WITHOUT ROWID;

CREATE INDEX lineage_by_snapshot ON lineage (parent_id) WHERE parent_kind = 'snapshot';

CREATE TABLE meta (
    key     TEXT PRIMARY KEY,
    value   TEXT NOT NULL
) STRICT;

CREATE TABLE operation (
    id               TEXT    PRIMARY KEY CHECK (length(id) = 36),
    kind             TEXT    NOT NULL,
    subject          TEXT    NOT NULL,       -- what it is about, for people
    state            TEXT    NOT NULL CHECK (state IN ('running', 'done', 'failed')),
    step             INTEGER NOT NULL DEFAULT 0,
    note             TEXT    NOT NULL DEFAULT '{}',  -- what resume needs to know; the kind's own
    actor            TEXT    NOT NULL,
    idempotency_key  TEXT,
    result           TEXT    NOT NULL DEFAULT '{}',
    error_code       TEXT    NOT NULL DEFAULT '',
    error_message    TEXT    NOT NULL DEFAULT '',
    started_ms       INTEGER NOT NULL,
    finished_ms      INTEGER NOT NULL DEFAULT 0
) STRICT, WITHOUT ROWID;

CREATE UNIQUE INDEX operation_by_key ON operation (idempotency_key) WHERE idempotency_key IS NOT NULL;

CREATE INDEX operation_running ON operation (started_ms) WHERE state = 'running';

CREATE TABLE plugin_mount (
    volume_id   TEXT    NOT NULL REFERENCES volume (id) ON DELETE RESTRICT,
    caller_id   TEXT    NOT NULL,
    count       INTEGER NOT NULL CHECK (count > 0),
    boot_id     TEXT    NOT NULL,            -- mounts do not outlive the boot they were made in
    PRIMARY KEY (volume_id, caller_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE policy (
    id           TEXT    PRIMARY KEY CHECK (length(id) = 36),
    name         TEXT    NOT NULL UNIQUE,
    schedule     TEXT    NOT NULL,
    keep         TEXT    NOT NULL,
    jitter_ms    INTEGER NOT NULL CHECK (jitter_ms >= 0),
    target_kind  TEXT    NOT NULL CHECK (target_kind IN ('volume', 'label', 'container')),
    target       TEXT    NOT NULL,           -- KEY or KEY=VALUE; a container's name; a volume's name when it was made
    volume_id    TEXT    REFERENCES volume (id) ON DELETE CASCADE CHECK ((volume_id IS NULL) = (target_kind <> 'volume')),
    created_ms   INTEGER NOT NULL,
    due_ms       INTEGER NOT NULL,           -- what its next run is for; names the snapshots, so that a second try
    next_ms      INTEGER NOT NULL,           -- … makes none twice; when that is tried: later than due after a failure
    last_ms      INTEGER NOT NULL DEFAULT 0, -- when it last ran; 0: never
    failures     INTEGER NOT NULL DEFAULT 0, -- in a row
    error        TEXT    NOT NULL DEFAULT '' -- of the last run
) STRICT, WITHOUT ROWID;

CREATE INDEX policy_by_volume ON policy (volume_id) WHERE volume_id IS NOT NULL;

CREATE TABLE pool (
    id          TEXT    PRIMARY KEY CHECK (length(id) = 36),
    name        TEXT    NOT NULL UNIQUE,
    driver      TEXT    NOT NULL,
    path        TEXT    NOT NULL UNIQUE,
    is_default  INTEGER NOT NULL DEFAULT 0 CHECK (is_default IN (0, 1)),
    created_ms  INTEGER NOT NULL
) STRICT;

CREATE UNIQUE INDEX pool_one_default ON pool (is_default) WHERE is_default = 1;

CREATE TABLE pool_disk (
    pool_id     TEXT    PRIMARY KEY REFERENCES pool (id) ON DELETE CASCADE,
    path        TEXT    NOT NULL UNIQUE,     -- of the image or the device
    is_device   INTEGER NOT NULL CHECK (is_device IN (0, 1)),
    filesystem  TEXT    NOT NULL CHECK (filesystem IN ('btrfs', 'xfs')),
    size_bytes  INTEGER NOT NULL,
    max_bytes   INTEGER NOT NULL             -- it may grow to this by itself; 0: as far as the host has room
) STRICT, WITHOUT ROWID;

CREATE TABLE pool_mark (
    pool_id         TEXT    PRIMARY KEY REFERENCES pool (id) ON DELETE CASCADE,
    warn_percent    INTEGER NOT NULL,
    purge_percent   INTEGER NOT NULL,
    refuse_percent  INTEGER NOT NULL CHECK (warn_percent <= purge_percent AND purge_percent <= refuse_percent),
    level           INTEGER NOT NULL DEFAULT 0 CHECK (level BETWEEN 0 AND 3)
) STRICT, WITHOUT ROWID;

CREATE TABLE project (
    id       INTEGER PRIMARY KEY,
    pool_id  TEXT    NOT NULL REFERENCES pool (id) ON DELETE CASCADE,
    data_id  TEXT    NOT NULL UNIQUE
) STRICT;

CREATE TABLE recreation (
    id           TEXT    PRIMARY KEY CHECK (length(id) = 36),
    state        TEXT    NOT NULL CHECK (state IN ('preparing', 'stopping', 'cutting', 'switching', 'starting',
                     'probation', 'undoing', 'committed', 'rolled_back')),
    plan         TEXT    NOT NULL,             -- JSON: what was asked for
    set_name     TEXT    NOT NULL DEFAULT '',  -- the cut between the old ones' end and the new ones' start
    failed_set   TEXT    NOT NULL DEFAULT '',  -- what was there when it was undone
    reason       TEXT    NOT NULL DEFAULT '',  -- why it is undone
    report       TEXT    NOT NULL DEFAULT '{}',
    decision     TEXT    NOT NULL DEFAULT '' CHECK (decision IN ('', 'commit', 'undo')),  -- a person's
    actor        TEXT    NOT NULL,
    deadline_ms  INTEGER NOT NULL DEFAULT 0,   -- of the probation
    started_ms   INTEGER NOT NULL,
    finished_ms  INTEGER NOT NULL DEFAULT 0
) STRICT, WITHOUT ROWID;

CREATE INDEX recreation_running ON recreation (started_ms) WHERE finished_ms = 0;

CREATE TABLE recreation_member (
    recreation_id  TEXT    NOT NULL REFERENCES recreation (id) ON DELETE CASCADE,
    position       INTEGER NOT NULL,           -- starts go up, stops go down
    name           TEXT    NOT NULL,           -- the container's, before and after
    old_id         TEXT    NOT NULL,
    new_id         TEXT    NOT NULL DEFAULT '',
    was_running    INTEGER NOT NULL CHECK (was_running IN (0, 1)),
    PRIMARY KEY (recreation_id, position)
) STRICT, WITHOUT ROWID;

CREATE INDEX recreation_member_by_name ON recreation_member (name);

CREATE TABLE replica (
    group_name   TEXT    NOT NULL REFERENCES replica_group (name) ON DELETE CASCADE,
    number       INTEGER NOT NULL CHECK (number > 0),
    state        TEXT    NOT NULL CHECK (state IN ('making', 'ready', 'refreshing', 'switched', 'removing')),
    source_id    TEXT    NOT NULL,              -- what it began with, or was refreshed from
    source_name  TEXT    NOT NULL,
    scaling_id   TEXT    NOT NULL,              -- that made or refreshed it last, or is at it
    was_running  INTEGER NOT NULL DEFAULT 0 CHECK (was_running IN (0, 1)),  -- before its refresh
    made_ms      INTEGER NOT NULL,
    refreshed_ms INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (group_name, number)
) STRICT, WITHOUT ROWID;

CREATE TABLE replica_group (
    name         TEXT    PRIMARY KEY,           -- of the container that is the template
    source_id    TEXT    NOT NULL,              -- what new ones begin with: a set's id, or VOLUME-ID@SNAPSHOT-ID
    source_name  TEXT    NOT NULL,              -- as it was called then
    size         TEXT    NOT NULL DEFAULT '',   -- limit of each clone; '': the template's own
    created_ms   INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE scaling (
    id           TEXT    PRIMARY KEY CHECK (length(id) = 36),
    group_name   TEXT    NOT NULL,
    state        TEXT    NOT NULL CHECK (state IN ('running', 'done', 'failed')),
    plan         TEXT    NOT NULL,              -- JSON: what was asked for
    replica      INTEGER NOT NULL DEFAULT 0,    -- the one at work, or that failed
    reason       TEXT    NOT NULL DEFAULT '',
    report       TEXT    NOT NULL DEFAULT '{}',
    actor        TEXT    NOT NULL,
    started_ms   INTEGER NOT NULL,
    finished_ms  INTEGER NOT NULL DEFAULT 0
) STRICT, WITHOUT ROWID;

CREATE UNIQUE INDEX scaling_running ON scaling (group_name) WHERE finished_ms = 0;

CREATE TRIGGER lineage_of_snapshot BEFORE DELETE ON snapshot
WHEN EXISTS (SELECT 1 FROM lineage WHERE parent_id = OLD.id AND parent_kind = 'snapshot')
BEGIN
    -- Its names are those that were noted of it: from the trash it goes without.
    INSERT OR IGNORE INTO lineage (child_id, relation, parent_id, time_ms, child_name, parent_kind, parent_name)
        SELECT OLD.id, 'cut', OLD.volume_id, OLD.created_ms, parent_name, 'volume',
               substr(parent_name, 1, instr(parent_name, '@') - 1)
        FROM lineage WHERE parent_id = OLD.id AND parent_kind = 'snapshot' LIMIT 1;
END;

CREATE TRIGGER snapshot_set_ends AFTER DELETE ON snapshot
WHEN old.set_id IS NOT NULL AND NOT EXISTS (SELECT 1 FROM snapshot WHERE set_id = old.set_id)
BEGIN
    DELETE FROM snapshot_set WHERE id = old.set_id;
END;

CREATE TABLE snapshot (
    id          TEXT    PRIMARY KEY CHECK (length(id) = 36),
    volume_id   TEXT    NOT NULL REFERENCES volume (id) ON DELETE RESTRICT,
    pool_id     TEXT    NOT NULL REFERENCES pool (id) ON DELETE RESTRICT,
    name        TEXT    NOT NULL,
    state       TEXT    NOT NULL CHECK (state IN ('ready', 'removing')),
    reason      TEXT    NOT NULL CHECK (reason IN ('user', 'safety', 'policy')),
    labels      TEXT    NOT NULL DEFAULT '{}',
    fence       TEXT    NOT NULL CHECK (fence IN ('idle', 'frozen', 'partial')),
    pause_ns    INTEGER NOT NULL DEFAULT 0,
    created_ms  INTEGER NOT NULL, set_id TEXT REFERENCES snapshot_set (id) ON DELETE RESTRICT,
    UNIQUE (volume_id, name)
) STRICT;

CREATE INDEX snapshot_by_age ON snapshot (volume_id, created_ms);

CREATE INDEX snapshot_by_set ON snapshot (set_id) WHERE set_id IS NOT NULL;

CREATE TABLE snapshot_hold (
    snapshot_id  TEXT    NOT NULL REFERENCES snapshot (id) ON DELETE RESTRICT,
    tag          TEXT    NOT NULL,
    kind         TEXT    NOT NULL CHECK (kind IN ('user', 'base')),  -- base: replication needs it
    actor        TEXT    NOT NULL,
    created_ms   INTEGER NOT NULL,
    PRIMARY KEY (snapshot_id, tag)
) STRICT, WITHOUT ROWID;

CREATE TABLE snapshot_set (
    id          TEXT    PRIMARY KEY CHECK (length(id) = 36),
    name        TEXT    NOT NULL UNIQUE,
    reason      TEXT    NOT NULL CHECK (reason IN ('user', 'safety', 'policy')),
    labels      TEXT    NOT NULL DEFAULT '{}',
    containers  TEXT    NOT NULL DEFAULT '[]',  -- those it was asked for by: [{"id", "name"}]
    size        INTEGER NOT NULL,               -- members it was made with
    fence       TEXT    NOT NULL CHECK (fence IN ('idle', 'frozen', 'partial')),
    pause_ns    INTEGER NOT NULL DEFAULT 0,
    created_ms  INTEGER NOT NULL
) STRICT;

CREATE TABLE trash (
    id          TEXT    PRIMARY KEY CHECK (length(id) = 36),  -- the volume's or the snapshot's
    kind        TEXT    NOT NULL CHECK (kind IN ('volume', 'snapshot')),
    name        TEXT    NOT NULL,            -- what it was called: VOLUME, VOLUME@SNAPSHOT
    pool_id     TEXT    NOT NULL REFERENCES pool (id) ON DELETE RESTRICT,
    actor       TEXT    NOT NULL,            -- who removed it
    removed_ms  INTEGER NOT NULL,
    expires_ms  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE volume (
    id            TEXT    PRIMARY KEY CHECK (length(id) = 36),
    name          TEXT    NOT NULL UNIQUE,
    pool_id       TEXT    NOT NULL REFERENCES pool (id) ON DELETE RESTRICT,
    data_id       TEXT    NOT NULL UNIQUE CHECK (length(data_id) = 36),
    state         TEXT    NOT NULL CHECK (state IN ('ready', 'removing')),
    driver        TEXT    NOT NULL,
    options       TEXT    NOT NULL DEFAULT '{}',
    labels        TEXT    NOT NULL DEFAULT '{}',
    is_anonymous  INTEGER NOT NULL DEFAULT 0 CHECK (is_anonymous IN (0, 1)),
    is_protected  INTEGER NOT NULL DEFAULT 0 CHECK (is_protected IN (0, 1)),
    is_seeded     INTEGER NOT NULL DEFAULT 0 CHECK (is_seeded IN (0, 1)),
    seeded_from   TEXT,                      -- JSON {image, path, time_ms}
    parent        TEXT,                      -- JSON {volume, snapshot} it was cloned from, names and ids of then
    created_ms    INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE volume_access (
    volume_id  TEXT    PRIMARY KEY REFERENCES volume (id) ON DELETE CASCADE,
    access     TEXT    NOT NULL CHECK (access IN ('shared', 'single-writer', 'exclusive', 'read-only')),
    succession TEXT    NOT NULL CHECK (succession IN ('none', 'standby', 'fenced')),  -- who may write after the writer
    epoch      INTEGER NOT NULL DEFAULT 0   -- grows with each new writer and each fence
) STRICT, WITHOUT ROWID;

CREATE TABLE volume_usage (
    volume_id       TEXT    PRIMARY KEY REFERENCES volume (id) ON DELETE CASCADE,
    data_id         TEXT    NOT NULL,           -- the tree that was walked
    version         INTEGER NOT NULL,           -- of the tree then, where the filesystem counts; else 0
    apparent_bytes  INTEGER NOT NULL,
    used_bytes      INTEGER NOT NULL,
    files           INTEGER NOT NULL,
    walked_ms       INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

