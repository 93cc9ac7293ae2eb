-- 0004_replicas.sql: many alike from one, and layers.  Forward only; never edit once released.

-- Replicas: containers made after one, each on clones of a golden state.

CREATE TABLE replica_group (
    name         TEXT    PRIMARY KEY,           -- of the container that is the template
    source_id    TEXT    NOT NULL,              -- what new ones begin with: a set's id, or VOLUME-ID@SNAPSHOT-ID
    source_name  TEXT    NOT NULL,              -- as it was called then
    size         TEXT    NOT NULL DEFAULT '',   -- limit of each clone; '': the template's own
    created_ms   INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

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

-- Anonymous volumes of containers that were removed, for successors of their name.

CREATE TABLE departed (
    name         TEXT    NOT NULL,              -- of the container
    destination  TEXT    NOT NULL,
    volume_id    TEXT    NOT NULL,              -- refers to nothing: it may have been purged
    removed_ms   INTEGER NOT NULL,
    PRIMARY KEY (name, destination)
) STRICT, WITHOUT ROWID;

CREATE INDEX departed_by_age ON departed (removed_ms);

-- Capsules: where volumes that were imported came from.

DROP TRIGGER lineage_of_snapshot;
DROP INDEX lineage_by_snapshot;
ALTER TABLE lineage RENAME TO lineage_before;

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

INSERT INTO lineage (child_id, relation, parent_id, time_ms, child_name, parent_kind, parent_name, detail)
    SELECT child_id, relation, parent_id, time_ms, child_name, parent_kind, parent_name, detail FROM lineage_before;
DROP TABLE lineage_before;

CREATE INDEX lineage_by_snapshot ON lineage (parent_id) WHERE parent_kind = 'snapshot';

CREATE TRIGGER lineage_of_snapshot BEFORE DELETE ON snapshot
WHEN EXISTS (SELECT 1 FROM lineage WHERE parent_id = OLD.id AND parent_kind = 'snapshot')
BEGIN
    -- Its names are those that were noted of it: from the trash it goes without.
    INSERT OR IGNORE INTO lineage (child_id, relation, parent_id, time_ms, child_name, parent_kind, parent_name)
        SELECT OLD.id, 'cut', OLD.volume_id, OLD.created_ms, parent_name, 'volume',
               substr(parent_name, 1, instr(parent_name, '@') - 1)
        FROM lineage WHERE parent_id = OLD.id AND parent_kind = 'snapshot' LIMIT 1;
END;
