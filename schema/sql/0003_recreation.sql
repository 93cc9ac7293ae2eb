-- 0003_recreation.sql: containers that are replaced, and those that they replaced.

-- One replacement of containers by others.  Its state says what is done; core/recreate/recreate_run.c draws it.
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

-- Containers that were replaced and are kept to go back to, or to look at why they failed.
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
