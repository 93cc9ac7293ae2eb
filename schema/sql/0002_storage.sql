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

-- leases

-- lineage

-- layered trees

