-- 0002_storage.sql: what storage forgives with.  Forward only; never edit once released.

-- pools
-- A pool in a filesystem of its own: on an image file behind a loop device, or on a block device.
CREATE TABLE pool_disk (
    pool_id     TEXT    PRIMARY KEY REFERENCES pool (id) ON DELETE CASCADE,
    path        TEXT    NOT NULL UNIQUE,     -- of the image or the device
    is_device   INTEGER NOT NULL CHECK (is_device IN (0, 1)),
    filesystem  TEXT    NOT NULL CHECK (filesystem IN ('btrfs', 'xfs')),
    size_bytes  INTEGER NOT NULL,
    max_bytes   INTEGER NOT NULL             -- it may grow to this by itself; 0: as far as the host has room
) STRICT, WITHOUT ROWID;

-- quotas

-- A pool's watermarks, in percent used, and how many of them were passed when somebody last looked.
CREATE TABLE pool_mark (
    pool_id         TEXT    PRIMARY KEY REFERENCES pool (id) ON DELETE CASCADE,
    warn_percent    INTEGER NOT NULL,
    purge_percent   INTEGER NOT NULL,
    refuse_percent  INTEGER NOT NULL CHECK (warn_percent <= purge_percent AND purge_percent <= refuse_percent),
    level           INTEGER NOT NULL DEFAULT 0 CHECK (level BETWEEN 0 AND 3)
) STRICT, WITHOUT ROWID;

-- The numbers that project quotas know trees by.  A number is taken before its tree is made, and is free again
-- when reconcile finds no such tree.
CREATE TABLE project (
    id       INTEGER PRIMARY KEY,
    pool_id  TEXT    NOT NULL REFERENCES pool (id) ON DELETE CASCADE,
    data_id  TEXT    NOT NULL UNIQUE
) STRICT;

-- What a volume took when it was last looked at, and how fast that changes.
CREATE TABLE volume_usage (
    volume_id       TEXT    PRIMARY KEY REFERENCES volume (id) ON DELETE CASCADE,
    data_id         TEXT    NOT NULL,           -- the tree that was walked
    version         INTEGER NOT NULL,           -- of the tree then, where the filesystem counts; else 0
    apparent_bytes  INTEGER NOT NULL,
    used_bytes      INTEGER NOT NULL,
    files           INTEGER NOT NULL,
    walked_ms       INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- How volumes and pools grow: the last sample and the rate, smoothed.
CREATE TABLE growth (
    object          TEXT    PRIMARY KEY,        -- volume:<id>, pool:<id>
    used_bytes      INTEGER NOT NULL,
    bytes_per_day   INTEGER NOT NULL,
    since_ms        INTEGER NOT NULL,           -- of the first sample
    sampled_ms      INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- sets

-- Snapshots of several volumes, cut at one instant.  It goes with its last member.
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
ALTER TABLE snapshot ADD COLUMN set_id TEXT REFERENCES snapshot_set (id) ON DELETE RESTRICT;
CREATE INDEX snapshot_by_set ON snapshot (set_id) WHERE set_id IS NOT NULL;
CREATE TRIGGER snapshot_set_ends AFTER DELETE ON snapshot
WHEN old.set_id IS NOT NULL AND NOT EXISTS (SELECT 1 FROM snapshot WHERE set_id = old.set_id)
BEGIN
    DELETE FROM snapshot_set WHERE id = old.set_id;
END;

-- trash
-- What was removed and can be restored.  Its row in 'volume' or 'snapshot' stays, in state 'removing' and under
-- the name 'trash:<id>', so that the name is free and all that refers to it comes back with it.  A volume's data
-- lies in POOL/trash/<data_id> (or still in POOL/volumes), a snapshot's in POOL/snapshots/<id>.
CREATE TABLE trash (
    id          TEXT    PRIMARY KEY CHECK (length(id) = 36),  -- the volume's or the snapshot's
    kind        TEXT    NOT NULL CHECK (kind IN ('volume', 'snapshot')),
    name        TEXT    NOT NULL,            -- what it was called: VOLUME, VOLUME@SNAPSHOT
    pool_id     TEXT    NOT NULL REFERENCES pool (id) ON DELETE RESTRICT,
    actor       TEXT    NOT NULL,            -- who removed it
    removed_ms  INTEGER NOT NULL,
    expires_ms  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- policies
-- When volumes are cut and how long the snapshots stay (model/schedule.h, model/retention.h).
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

-- What is held is not removed, by nobody.
CREATE TABLE snapshot_hold (
    snapshot_id  TEXT    NOT NULL REFERENCES snapshot (id) ON DELETE RESTRICT,
    tag          TEXT    NOT NULL,
    kind         TEXT    NOT NULL CHECK (kind IN ('user', 'base')),  -- base: replication needs it
    actor        TEXT    NOT NULL,
    created_ms   INTEGER NOT NULL,
    PRIMARY KEY (snapshot_id, tag)
) STRICT, WITHOUT ROWID;

-- leases

-- An attachment that shows a snapshot, which it pins; with a scratch, STATE/containers/<id>/scratch/<scratch_id>/.
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

-- Volumes on whose writers there is a rule; the others have no row and are 'shared'.
CREATE TABLE volume_access (
    volume_id  TEXT    PRIMARY KEY REFERENCES volume (id) ON DELETE CASCADE,
    access     TEXT    NOT NULL CHECK (access IN ('shared', 'single-writer', 'exclusive', 'read-only')),
    succession TEXT    NOT NULL CHECK (succession IN ('none', 'standby', 'fenced')),  -- who may write after the writer
    epoch      INTEGER NOT NULL DEFAULT 0   -- grows with each new writer and each fence
) STRICT, WITHOUT ROWID;

-- What a running container may do to a volume at present; where there is no row, what its attachment says.
CREATE TABLE lease (
    volume_id     TEXT    NOT NULL REFERENCES volume (id) ON DELETE CASCADE,
    container_id  TEXT    NOT NULL REFERENCES container (id) ON DELETE CASCADE,
    state         TEXT    NOT NULL CHECK (state IN ('writer', 'standby', 'fenced')),
    epoch         INTEGER NOT NULL,         -- the volume's, when the state was given
    since_ms      INTEGER NOT NULL,
    PRIMARY KEY (volume_id, container_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX lease_by_container ON lease (container_id);


-- lineage

-- Where data came from.  A row is written where there is a parent, and refers to nothing: it outlives both ends,
-- and the names are those of then.  That a snapshot was cut from its volume is in the snapshot's own row while it
-- has one, and comes here with its end, if anything descends from it.
CREATE TABLE lineage (
    child_id     TEXT    NOT NULL,           -- of a volume or a snapshot
    relation     TEXT    NOT NULL CHECK (relation IN
                     ('seeded', 'cloned', 'cut', 'rolled-back', 'restored', 'written')),
    parent_id    TEXT    NOT NULL,           -- of an image, a volume, a snapshot or a container
    time_ms      INTEGER NOT NULL,
    child_name   TEXT    NOT NULL,
    parent_kind  TEXT    NOT NULL CHECK (parent_kind IN ('image', 'volume', 'snapshot', 'container')),
    parent_name  TEXT    NOT NULL,
    detail       TEXT    NOT NULL DEFAULT '{}',  -- JSON: a seed's path, a container's image and generation, files
    PRIMARY KEY (child_id, relation, parent_id, time_ms)
) STRICT, WITHOUT ROWID;
CREATE INDEX lineage_by_snapshot ON lineage (parent_id) WHERE parent_kind = 'snapshot';

INSERT INTO lineage (child_id, relation, parent_id, time_ms, child_name, parent_kind, parent_name)
    SELECT id, 'cloned', coalesce(parent ->> 'snapshot_id', parent ->> 'volume_id'), created_ms, name,
           iif(parent ->> 'snapshot_id' IS NULL, 'volume', 'snapshot'),
           iif(parent ->> 'snapshot_id' IS NULL, parent ->> 'volume',
               (parent ->> 'volume') || '@' || (parent ->> 'snapshot'))
    FROM volume WHERE parent ->> 'volume_id' IS NOT NULL;
INSERT INTO lineage (child_id, relation, parent_id, time_ms, child_name, parent_kind, parent_name, detail)
    SELECT id, 'seeded', seeded_from ->> 'image', coalesce(seeded_from ->> 'time_ms', created_ms), name, 'image',
           seeded_from ->> 'image', json_object('path', seeded_from ->> 'path')
    FROM volume WHERE parent IS NULL AND seeded_from ->> 'image' IS NOT NULL;

CREATE TRIGGER lineage_of_snapshot BEFORE DELETE ON snapshot
WHEN EXISTS (SELECT 1 FROM lineage WHERE parent_id = OLD.id AND parent_kind = 'snapshot')
BEGIN
    -- Its names are those that were noted of it: from the trash it goes without.
    INSERT OR IGNORE INTO lineage (child_id, relation, parent_id, time_ms, child_name, parent_kind, parent_name)
        SELECT OLD.id, 'cut', OLD.volume_id, OLD.created_ms, parent_name, 'volume',
               substr(parent_name, 1, instr(parent_name, '@') - 1)
        FROM lineage WHERE parent_id = OLD.id AND parent_kind = 'snapshot' LIMIT 1;
END;

-- layered trees

