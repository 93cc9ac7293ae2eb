/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The verb table: help, completion and the checks of the man page come from it.  A new verb is a
 * row here, a handler in its noun's file and an entry in volctl(1).
 */
#include "verbs.h"

#include <string.h>

#define OPTIONS(...)        \
    (const struct option[]) \
    {                       \
        __VA_ARGS__,        \
        {                   \
            .name = NULL    \
        }                   \
    }

/* clang-format off */
#define FILTER      { "filter", 'f', "KEY=VALUE", "show those that match alone; all keys must" }
#define NOW         { "now", 0, NULL, "remove for good, not to the trash" }
#define DRY_RUN     { "dry-run", 0, NULL, "tell what would go, change nothing" }
#define LABEL       { "label", 'l', "KEY=VALUE", "give a label; may be repeated" }
#define VOLUME_PLACE \
    LABEL, \
    { "opt", 'o', "KEY=VALUE", "give an option to the pool's driver; may be repeated" }, \
    { "pool", 0, "POOL", "put it there rather than in the default pool" }, \
    { "size", 0, "SIZE", "let it take so much at most, 'none' for no limit" }, \
    { "inodes", 0, "N", "let it have so many files and directories at most" }
#define CONTAINER_SHAPE { "name", 0, "NAME", "name the container" }, CONTAINER_OPTIONS
#define CONTAINER_OPTIONS \
    { "volume", 'v', "SOURCE:PATH[:MODE]", "attach a volume, VOLUME@SNAPSHOT or a host directory at PATH; may be repeated" }, \
    { "wait-writer", 0, "DURATION", "when another container writes to a volume of it, wait so long for its end" }, \
    { "volumes-from", 0, "CONTAINER[:MODE]", "attach what another container has; may be repeated" }, \
    { "tmpfs", 0, "PATH[:OPTIONS]", "put a tmpfs at PATH; may be repeated" }, \
    { "env", 'e', "KEY=VALUE", "set a variable of its environment; may be repeated" }, \
    { "workdir", 'w', "PATH", "start in PATH" }, \
    { "user", 'u', "USER[:GROUP]", "run as USER" }, \
    { "entrypoint", 0, "PROGRAM", "replace the image's entrypoint" }, \
    { "hostname", 0, "NAME", "set its host name" }, \
    { "network", 0, "none|host", "no network, or the host's" }, \
    { "restart", 0, "POLICY", "no, always, unless-stopped, on-failure[:N]" }, \
    { "memory", 'm', "SIZE", "limit its memory" }, \
    { "pids-limit", 0, "N", "limit its processes" }, \
    { "read-only", 0, NULL, "make its root read-only" }, \
    { "init", 0, NULL, "run an init that reaps orphans" }, \
    { "rm", 0, NULL, "remove it, and its anonymous volumes, once it has exited" }, \
    { "interactive", 'i', NULL, "give it a standard input" }, \
    { "tty", 't', NULL, "give it a terminal" }, \
    LABEL

const struct noun nouns[] = {
    { "volume",     "data that outlives its containers" },
    { "snapshot",   "frozen copies of volumes" },
    { "policy",     "when snapshots are made, and how long they stay" },
    { "set",        "snapshots of several volumes, cut at one instant" },
    { "trash",      "what was removed and can be restored" },
    { "file",       "what is in volumes and snapshots" },
    { "lineage",    "where data came from" },
    { "container",  "what runs, and what it has attached" },
    { "capsule",    "containers with all that they are made of, as files" },
    { "image",      "what containers start from" },
    { "pool",       "where volumes lie" },
    { "operation",  "what is under way, and what became of it" },
    { "event",      "what has happened" },
    { "system",     "the service as a whole" },
    { "completion", "scripts that complete command lines" },
    { 0 },
};

const struct verb verbs[] = {
    { "volume", "create", "NAME", cmd_volume_create, "make a volume", "create volume", 1, 1, 0,
      OPTIONS(VOLUME_PLACE,
              { "uid", 0, "N", "owner of its root directory" },
              { "gid", 0, "N", "group of its root directory" },
              { "mode", 0, "OCTAL", "permissions of its root directory" },
              { "from", 0, "VOLUME[@SNAPSHOT]", "begin with a copy of that" },
              { "access", 0, "ACCESS", "shared (default), single-writer, exclusive or read-only" }),
      "A volume of that name with the same options is returned as it is; one with other options is a conflict." },
    { "volume", "clone", "SOURCE[@SNAPSHOT] NAME", cmd_volume_clone, "copy a volume or a snapshot to a new volume",
      "clone", 2, 2, 0, OPTIONS(VOLUME_PLACE),
      "The answer tells the cost: O(1), O(files) or O(bytes), by what the pool's driver can do." },
    { "volume", "ls", "", cmd_volume_ls, "list volumes", "list volumes", 0, 0, 0,
      OPTIONS(FILTER, { "size", 's', NULL, "with what is known of their sizes, and their limits" }),
      "Filters: name, label, label!, driver, dangling, pool." },
    { "volume", "inspect", "NAME...", cmd_volume_inspect, "show all of a volume, and who refers to it",
      "inspect volume", 1, WORDS_MANY, 0, NULL, NULL },
    { "volume", "rename", "NAME NEW-NAME", cmd_volume_rename, "give a volume another name", "rename volume", 2, 2, 0,
      NULL, "Containers that refer to it keep it." },
    { "volume", "resize", "NAME [SIZE]", cmd_volume_resize, "let a volume take more or less", "resize volume", 1, 2,
      0, OPTIONS({ "inodes", 0, "N", "let it have so many files and directories at most, or 'none'" }),
      "SIZE 'none' lifts the limit.  Its containers go on; refused when it takes more already." },
    { "volume", "label", "NAME KEY=VALUE|KEY-...", cmd_volume_label, "set labels, or with KEY- remove them",
      "label volume", 2, WORDS_MANY, 0, NULL, NULL },
    { "volume", "protect", "NAME...", cmd_volume_protect, "refuse its removal and rollback", "protect volume", 1,
      WORDS_MANY, 0, NULL, NULL },
    { "volume", "unprotect", "NAME...", cmd_volume_unprotect, "allow them again", "unprotect volume", 1, WORDS_MANY,
      0, NULL, NULL },
    { "volume", "rm", "NAME...", cmd_volume_rm, "remove volumes", "remove volume", 1, WORDS_MANY, 0,
      OPTIONS({ "force", 'f', NULL, "do not complain about one that is not there" },
              { "with-snapshots", 0, NULL, "remove its snapshots too" },
              NOW, DRY_RUN),
      "Refused while any container, also a stopped one, refers to it.  It goes to the trash, with its snapshots, and "
      "the name is free at once; snapshots that policies made need no --with-snapshots for that." },
    { "volume", "prune", "", cmd_volume_prune, "remove volumes that nobody refers to", "prune volumes", 0, 0, 0,
      OPTIONS({ "all", 'a', NULL, "also those with a name that somebody chose" }, FILTER, NOW, DRY_RUN),
      "Without --all only anonymous volumes go.  Filters: label, label!, until, pool." },
    { "volume", "usage", "NAME...", cmd_volume_usage, "tell what volumes take", "measure volume", 1, WORDS_MANY, 0,
      OPTIONS({ "fresh", 0, NULL, "as of now, whatever that costs" }),
      "Where the filesystem counts, this takes no walk and may be half a minute old; a large volume elsewhere was "
      "walked in the background, and its age is told." },
    { "volume", "release", "NAME...", cmd_volume_release, "forget mounts that another engine lost",
      "release volume", 1, WORDS_MANY, 0, NULL,
      "For an engine that let a volume go while volumed was away.  Refused while any process has it mounted." },
    { "volume", "leases", "NAME", cmd_volume_leases, "show who may write to a volume", "list leases of volume", 1, 1,
      0, NULL, NULL },
    { "volume", "set-access", "NAME ACCESS", cmd_volume_set_access, "say who may use a volume at once",
      "set access of volume", 2, 2, 0,
      OPTIONS({ "succession", 0, "WHO", "who writes after the writer: none, standby (default) or fenced" }),
      "ACCESS is shared, single-writer, exclusive or read-only.  Refused while its users break it." },
    { "volume", "fence", "NAME", cmd_volume_fence, "take the right to write from running containers", "fence volume",
      1, 1, 0,
      OPTIONS({ "container", 0, "CONTAINER", "from this one alone" },
              { "how", 0, "HOW", "read-only, stop, or auto: stop what cannot be made read-only (auto)" }),
      "A mount cannot be made read-only while a file of it is open for writing." },
    { "volume", "rollback", "VOLUME@SNAPSHOT", cmd_volume_rollback, "put a volume back to a snapshot", "roll back", 1,
      1, 0, OPTIONS({ "dry-run", 0, NULL, "check that it could be done, change nothing" }),
      "What the volume held becomes a snapshot itself, which is told.  Refused while anything has it mounted." },

    { "snapshot", "create", "[VOLUME[@SNAPSHOT]...]", cmd_snapshot_create, "freeze a volume's present contents",
      "snapshot", 0, WORDS_MANY, 0,
      OPTIONS(LABEL, { "freeze-timeout", 0, "DURATION", "how long its writers may stand still (5s)" },
              { "set", 0, "NAME", "cut several volumes at one instant, each VOLUME@NAME" },
              { "container", 0, "CONTAINER", "with --set: all volumes of that; may be repeated" },
              { "hook-before", 0, "CONTAINER=COMMAND", "run it there first; may be repeated" },
              { "hook-after", 0, "CONTAINER=COMMAND", "run it there afterwards, in any case; may be repeated" },
              { "hook-timeout", 0, "DURATION", "how long each of them may take (30s)" },
              { "no-hooks", 0, NULL, "do not run those of the containers' labels" }),
      "Containers that have it mounted are frozen meanwhile; the answer tells for how long.  Without a name it is "
      "named by its time.  Containers labelled org.volumed.hook.before and org.volumed.hook.after have hooks as well." },
    { "snapshot", "ls", "[VOLUME]", cmd_snapshot_ls, "list snapshots, oldest first", "list snapshots", 0, 1, 0, NULL,
      NULL },
    { "snapshot", "inspect", "VOLUME@SNAPSHOT...", cmd_snapshot_inspect, "show all of a snapshot",
      "inspect snapshot", 1, WORDS_MANY, 0, NULL, NULL },
    { "snapshot", "rm", "VOLUME@SNAPSHOT...", cmd_snapshot_rm, "remove snapshots", "remove snapshot", 1, WORDS_MANY,
      0, OPTIONS(NOW, DRY_RUN), "They go to the trash." },
    { "snapshot", "hold", "VOLUME@SNAPSHOT...", cmd_snapshot_hold, "keep snapshots from being removed", "hold", 1,
      WORDS_MANY, 0, OPTIONS({ "tag", 0, "TAG", "for whom or what (hold); a snapshot may have several" }),
      "Neither people nor policies remove what is held." },
    { "snapshot", "release", "VOLUME@SNAPSHOT...", cmd_snapshot_release, "take holds away", "release", 1, WORDS_MANY,
      0, OPTIONS({ "tag", 0, "TAG", "this one alone" }), NULL },
    { "snapshot", "holds", "VOLUME@SNAPSHOT...", cmd_snapshot_holds, "list the holds of snapshots", "list holds of", 1,
      WORDS_MANY, 0, NULL, NULL },

    { "policy", "create", "NAME", cmd_policy_create, "have volumes cut by the clock", "create policy", 1, 1, 0,
      OPTIONS({ "schedule", 0, "WHEN", "hourly, daily, weekly, monthly, yearly, an interval (15m), or cron's five fields" },
              { "keep", 0, "RULES", "what stays (24h,7d,4w)" },
              { "jitter", 0, "DURATION", "be late by up to that, by as much each time" },
              { "volume", 0, "VOLUME", "cut this volume" },
              { "label", 'l', "KEY[=VALUE]", "cut all volumes with that label" },
              { "container", 0, "CONTAINER", "cut all volumes of this container, as a set" }),
      "RULES are counts of periods (24h,7d,4w,12m,3y keeps the newest of each of the last 24 hours that have any, and "
      "so on), last=N, within=DURATION, tag=KEY[=VALUE], min-age=DURATION, safety=DURATION (those made before "
      "rollbacks), and free=PERCENT% or free=SIZE: while less of the pool is free, the oldest go.  What no rule keeps "
      "goes; the newest, held ones, and what people made stay in any case.  A volume can bring its policy along: options "
      "snapshots=WHEN and keep=RULES, also with docker volume create -o." },
    { "policy", "ls", "", cmd_policy_ls, "list policies", "list policies", 0, 0, 0, NULL, NULL },
    { "policy", "inspect", "POLICY...", cmd_policy_inspect, "show all of a policy", "inspect policy", 1, WORDS_MANY, 0,
      NULL, NULL },
    { "policy", "plan", "POLICY", cmd_policy_plan, "tell which snapshots stay, which go, and why", "plan policy", 1, 1,
      0, NULL, "Changes nothing.  With --quiet: the names of those that go." },
    { "policy", "run", "POLICY...", cmd_policy_run, "cut and clean up at once", "run policy", 1, WORDS_MANY, 0, NULL,
      "When it is due next stays as it is." },
    { "policy", "rm", "POLICY...", cmd_policy_rm, "remove policies; their snapshots stay", "remove policy", 1,
      WORDS_MANY, 0, NULL, NULL },

    { "set", "ls", "", cmd_set_ls, "list sets, oldest first", "list sets", 0, 0, 0, NULL, NULL },
    { "set", "inspect", "SET...", cmd_set_inspect, "show all of a set", "inspect set", 1, WORDS_MANY, 0, NULL, NULL },
    { "set", "rm", "SET...", cmd_set_rm, "remove sets with all their snapshots", "remove set", 1, WORDS_MANY, 0,
      OPTIONS(NOW, DRY_RUN), "They go to the trash." },
    { "set", "rollback", "SET", cmd_set_rollback, "put all volumes of a set back", "roll back set", 1, 1, 0,
      OPTIONS({ "dry-run", 0, NULL, "check that it could be done, change nothing" }),
      "All or none.  What the volumes held becomes a set itself, which is told.  Refused while anything has one of "
      "them mounted." },
    { "set", "clone", "SET", cmd_set_clone, "copy all volumes of a set to new ones", "clone set", 1, 1, 0,
      OPTIONS({ "prefix", 0, "TEXT", "what the new names begin with" },
              { "suffix", 0, "TEXT", "what they end with" },
              { "pool", 0, "POOL", "put them there rather than beside their sources" },
              LABEL),
      "All or none." },

    { "trash", "ls", "", cmd_trash_ls, "list what was removed and can be restored, oldest first", "list the trash", 0,
      0, 0, NULL, NULL },
    { "trash", "restore", "ID|NAME", cmd_trash_restore, "bring back a removed volume or snapshot", "restore", 1, 1, 0,
      OPTIONS({ "as", 0, "NAME", "under another name, when its own is taken" }),
      "A volume comes back with its contents, labels, options and the snapshots that went with it.  Of several of one "
      "name the last removed is meant." },
    { "trash", "purge", "[ID|NAME...]", cmd_trash_purge, "remove for good what is in the trash", "purge", 0,
      WORDS_MANY, 0,
      OPTIONS({ "all", 'a', NULL, "all of it" },
              { "older", 0, "DURATION", "what was removed longer ago than that" },
              DRY_RUN),
      "What has expired is purged by itself, and the oldest when its pool runs short of space." },

    { "file", "ls", "VOLUME[@SNAPSHOT] [PATH]", cmd_file_ls, "list a directory", "list", 1, 2, 0, NULL,
      "Links are followed inside the volume and lead nowhere else." },
    { "file", "cat", "VOLUME[@SNAPSHOT] PATH...", cmd_file_cat, "print files", "print", 2, WORDS_MANY, 0, NULL,
      "With --json: an object of path and text, which must be UTF-8." },
    { "file", "get", "VOLUME[@SNAPSHOT] PATH [DESTINATION]", cmd_file_get, "copy a file or directory to this host",
      "get", 2, 3, 0, NULL,
      "DESTINATION (by default the name in the current directory) must not be there yet; it appears when it is "
      "whole." },
    { "file", "restore", "VOLUME@SNAPSHOT PATH...", cmd_file_restore, "put files back as a snapshot has them", "restore",
      2, WORDS_MANY, 0,
      OPTIONS({ "to", 0, "PATH", "put the one PATH there instead" },
              { "replace", 0, NULL, "also in the place of directories, with all that is in them" },
              { "dry-run", 0, NULL, "tell what would be replaced, change nothing" }),
      "All or none, each in one rename, with owner, mode and attributes; the volume may be in use." },
    { "file", "diff", "VOLUME[@SNAPSHOT] [VOLUME[@SNAPSHOT]]", cmd_file_diff, "tell what changed from one to the other",
      "compare", 1, 2, 0,
      OPTIONS({ "stat", 0, NULL, "only how many, and by how many bytes" },
              { "quick", 0, NULL, "take files of the same size and time for the same, unread" }),
      "A snapshot alone is compared with its volume's present contents.  Work by the number of changes on btrfs, by "
      "that of files elsewhere." },
    { "file", "tar", "VOLUME[@SNAPSHOT] [PATH]", cmd_file_tar, "write a file or directory as a tar", "pack", 1, 2, 0,
      OPTIONS({ "output", 'o', "FILE", "write there, not to standard output" }), NULL },

    { "lineage", "show", "[VOLUME|VOLUME@SNAPSHOT]", cmd_lineage_show, "show what data descends from", "trace", 0, 1, 0,
      OPTIONS({ "dot", 0, NULL, "as a graph for dot(1)" }, { "all", 'a', NULL, "of every volume, one tree each" }),
      "Images, clones, rollbacks, restored files and the containers that wrote, also those that are gone; names are "
      "those of then." },

    { "container", "create", "IMAGE [COMMAND [ARG...]]", cmd_container_create, "make a container, not started",
      "create container from", 1, WORDS_MANY, 1, OPTIONS(CONTAINER_SHAPE), NULL },
    { "container", "run", "IMAGE [COMMAND [ARG...]]", cmd_container_run, "make a container and start it",
      "run", 1, WORDS_MANY, 1,
      OPTIONS({ "detach", 'd', NULL, "print its id and leave it running" }, CONTAINER_SHAPE),
      "The exit status is the container's; 125 when volctl or the service failed, 126 and 127 when the command could "
      "not be run or found.  SIGINT and SIGTERM are passed on to the container." },
    { "container", "ls", "", cmd_container_ls, "list containers", "list containers", 0, 0, 0,
      OPTIONS({ "all", 'a', NULL, "also those that do not run" },
              { "last", 'n', "N", "the N newest, running or not" },
              FILTER),
      "Filters: id, name, label, status, ancestor, volume, exited, health, before, since." },
    { "container", "inspect", "CONTAINER...", cmd_container_inspect, "show all of a container", "inspect container",
      1, WORDS_MANY, 0, NULL, NULL },
    { "container", "attachments", "CONTAINER", cmd_container_attachments, "list the volumes a container has",
      "list attachments of container", 1, 1, 0, NULL, NULL },
    { "container", "start", "CONTAINER...", cmd_container_start, "start containers", "start container", 1,
      WORDS_MANY, 0, NULL, NULL },
    { "container", "stop", "CONTAINER...", cmd_container_stop, "stop containers", "stop container", 1, WORDS_MANY, 0,
      OPTIONS({ "time", 't', "SECONDS", "kill it after so many (10)" },
              { "signal", 's', "SIGNAL", "ask it by this signal" }),
      NULL },
    { "container", "restart", "CONTAINER...", cmd_container_restart, "stop containers and start them again",
      "restart container", 1, WORDS_MANY, 0,
      OPTIONS({ "time", 't', "SECONDS", "kill it after so many (10)" },
              { "signal", 's', "SIGNAL", "ask it by this signal" }),
      NULL },
    { "container", "kill", "CONTAINER...", cmd_container_kill, "send a signal to containers", "kill container", 1,
      WORDS_MANY, 0, OPTIONS({ "signal", 's', "SIGNAL", "the signal (KILL)" }), NULL },
    { "container", "pause", "CONTAINER...", cmd_container_pause, "freeze containers", "pause container", 1,
      WORDS_MANY, 0, NULL, NULL },
    { "container", "unpause", "CONTAINER...", cmd_container_unpause, "thaw containers", "unpause container", 1,
      WORDS_MANY, 0, NULL, NULL },
    { "container", "wait", "CONTAINER...", cmd_container_wait, "wait until containers do not run, print exit codes",
      "wait for container", 1, WORDS_MANY, 0, NULL, NULL },
    { "container", "rename", "CONTAINER NEW-NAME", cmd_container_rename, "give a container another name",
      "rename container", 2, 2, 0, NULL, NULL },
    { "container", "logs", "CONTAINER", cmd_container_logs, "print what a container has written", "read logs of", 1,
      1, 0,
      OPTIONS({ "follow", 'f', NULL, "go on until it exits" },
              { "since", 0, "TIME", "from then on" },
              { "until", 0, "TIME", "up to then" },
              { "tail", 'n', "N", "the last N lines" },
              { "timestamps", 't', NULL, "with the time of each line" }),
      "With --json: {\"stdout\", \"stderr\"}; with --follow JSON lines instead." },
    { "container", "exec", "CONTAINER COMMAND [ARG...]", cmd_container_exec, "run a command in a running container",
      "run a command in", 2, WORDS_MANY, 1,
      OPTIONS({ "detach", 'd', NULL, "do not wait for it" },
              { "env", 'e', "KEY=VALUE", "set a variable of its environment; may be repeated" },
              { "interactive", 'i', NULL, "pass standard input on" },
              { "tty", 't', NULL, "give it a terminal" },
              { "user", 'u', "USER[:GROUP]", "run as USER" },
              { "workdir", 'w', "PATH", "start in PATH" },
              { "privileged", 0, NULL, "give it all capabilities" }),
      "The exit status is the command's; 125 when volctl or the service failed, 126 and 127 when the command could "
      "not be run or found." },
    { "container", "mount", "CONTAINER VOLUME[@SNAPSHOT]:PATH[:MODE]", cmd_container_mount,
      "attach a volume to a container that is there", "attach a volume to", 2, 2, 0,
      OPTIONS({ "subpath", 0, "PATH", "that directory of the volume instead of its root" }),
      "A running container sees it at once; it is kept over restarts." },
    { "container", "unmount", "CONTAINER PATH", cmd_container_unmount, "detach a volume from a container",
      "detach a volume from", 2, 2, 0,
      OPTIONS({ "force", 'f', NULL, "also while a process uses it, which keeps what it has open" }),
      "The volume stays.  Refused while a process uses it." },
    { "container", "promote", "CONTAINER PATH NAME", cmd_container_promote, "make a volume of a container's scratch",
      "promote a scratch of", 3, 3, 0, NULL, "A running container stands still meanwhile.  The scratch stays." },
    { "container", "rm", "CONTAINER...", cmd_container_rm, "remove containers; volumes stay", "remove container", 1,
      WORDS_MANY, 0,
      OPTIONS({ "force", 'f', NULL, "kill it first, and do not complain about one that is not there" },
              { "volumes", 'v', NULL, "remove its anonymous volumes too" }),
      NULL },

    { "container", "recreate", "CONTAINER[=IMAGE]... [-- COMMAND [ARG...]]", cmd_container_recreate,
      "replace containers, software and data together, or put both back", "recreate", 1, WORDS_MANY, 0,
      OPTIONS({ "image", 0, "IMAGE", "the new one's image; by default what the same name is now" },
              { "probation", 0, "DURATION|manual", "how long the new one is watched (30s); 0: not at all" },
              { "probe", 0, "COMMAND", "a shell command in the new one that must succeed" },
              { "no-snapshot", 0, NULL, "do not cut its volumes: they will not go back" },
              { "keep-new-data-as", 0, "VOLUME", "when it is rolled back, keep what was written as a volume" },
              { "keep", 0, "N", "earlier generations to keep (3)" },
              { "detach", 'd', NULL, "print the recreation's id and do not wait" },
              DRY_RUN, CONTAINER_OPTIONS),
      "The old one is stopped, all its volumes are cut, the new one takes its name, volumes and options and is watched: "
      "it must stay up and, with a health check or a probe, pass it.  If it does not, volumes and the old container are "
      "put back; the exit status is then 1.  Several are replaced as one, started in the order given." },
    { "container", "rehearse", "CONTAINER [-- COMMAND [ARG...]]", cmd_container_rehearse,
      "try a new image or other options on clones, while the container runs on", "rehearse", 1, WORDS_MANY, 0,
      OPTIONS({ "image", 0, "IMAGE", "the image to try; by default what the same name is now" },
              { "probation", 0, "DURATION", "how long it is watched (30s)" },
              { "probe", 0, "COMMAND", "a shell command in it that must succeed" },
              { "freeze-timeout", 0, "DURATION", "how long the container may stand still while its volumes are cut (5s)" },
              { "with-network", 0, NULL, "give it the container's network; else it has none" },
              { "keep", 0, NULL, "leave the rehearsed container and its clones" },
              { "promote", 0, NULL, "when it passed, recreate the container with that very image" },
              CONTAINER_OPTIONS),
      "All volumes are cut at one instant and cloned.  Told are the verdict, what was written, the end of its log, and "
      "what the image would have put into fresh volumes that these lack.  The exit status is 1 when it failed." },
    { "container", "rollback", "CONTAINER", cmd_container_rollback, "put an earlier generation back, with its data",
      "roll back", 1, 1, 0,
      OPTIONS({ "to", 0, "GENERATION", "which (the one before)" },
              { "probation", 0, "DURATION|manual", "how long it is watched (30s); 0: not at all" },
              { "probe", 0, "COMMAND", "a shell command in it that must succeed" },
              { "no-snapshot", 0, NULL, "leave the volumes as they are" },
              { "keep-new-data-as", 0, "VOLUME", "when that fails, keep what was written as a volume" },
              { "keep", 0, "N", "earlier generations to keep (3)" },
              { "detach", 'd', NULL, "print the recreation's id and do not wait" },
              DRY_RUN),
      "The present generation is kept, with its data, so that this can be taken back in the same way." },
    { "container", "commit", "CONTAINER", cmd_container_commit, "end a probation: the new container stays",
      "commit", 1, 1, 0, NULL, NULL },
    { "container", "undo", "CONTAINER", cmd_container_undo, "end a probation: the old container and data come back",
      "undo", 1, 1, 0, NULL, NULL },
    { "container", "history", "CONTAINER", cmd_container_history, "list the generations of a container, newest first",
      "list generations of container", 1, 1, 0, NULL, NULL },

    { "container", "scale", "CONTAINER N", cmd_container_scale,
      "have N replicas of a container, each on its own clones of one state", "scale", 2, 2, 0,
      OPTIONS({ "from-snapshot", 0, "SET|VOLUME@SNAPSHOT", "what new ones begin with; later, what the group has" },
              { "size", 0, "SIZE", "limit of each clone (the limits of what it is cloned from)" },
              { "refresh", 0, NULL, "also give those that are there new clones, one after the other" },
              { "keep", 0, "PATH", "with --refresh: carry this path of the container over; may be repeated" },
              { "detach", 'd', NULL, "print the scaling's id and do not wait" },
              { "dry-run", 0, NULL, "tell which would come, go and be refreshed; change nothing" }),
      "They are called CONTAINER-1 to CONTAINER-N.  Those above N go, the highest first, their volumes to the trash.  "
      "The exit status is 1 when one could not be made: it is absent then, and those before it stay." },
    { "container", "replicas", "CONTAINER", cmd_container_replicas, "list the replicas of a container",
      "list replicas of container", 1, 1, 0, NULL, NULL },

    { "container", "export", "CONTAINER", cmd_container_export,
      "write a container with its image and volumes to a file", "export container", 1, 1, 0,
      OPTIONS({ "to", 0, "FILE", "the file, which only its owner may read; '-' is standard output" },
              { "snapshots", 0, "all|last|none", "which snapshots of its volumes go along (none)" }),
      "Its volumes are cut at one instant; it runs on.  What comes of it is a capsule: see volctl capsule." },

    { "capsule", "verify", "FILE", cmd_capsule_verify, "read a capsule to its end and check it", "verify", 1, 1, 0,
      NULL, "Reads standard input where FILE is '-'.  Damage is told with its place." },
    { "capsule", "import", "FILE", cmd_capsule_import, "make a container of a capsule, with its volumes", "import", 1,
      1, 0,
      OPTIONS({ "rename", 0, "OLD=NEW", "another name for the container or a volume; may be repeated" },
              { "pool", 0, "POOL", "put its volumes there rather than in the default pool" },
              { "dry-run", 0, NULL, "read all of it and tell what would be made; make nothing" }),
      "Reads standard input where FILE is '-'.  Container and volumes appear together when all of them are whole, or "
      "not at all.  The container is not started." },

    { "image", "ls", "", cmd_image_ls, "list images", "list images", 0, 0, 0, OPTIONS(FILTER),
      "Filters: reference, label, dangling, before, since, until." },
    { "image", "inspect", "IMAGE...", cmd_image_inspect, "show all of an image", "inspect image", 1, WORDS_MANY, 0,
      NULL, NULL },
    { "image", "load", "[FILE]", cmd_image_load, "take images from a docker or OCI archive", "load", 0, 1, 0,
      NULL, "Reads standard input without FILE, or with '-'." },
    { "image", "import", "FILE [NAME[:TAG]]", cmd_image_import, "make an image of a root filesystem's tar",
      "import", 1, 2, 0,
      OPTIONS({ "change", 'c', "LINE", "a Dockerfile line (CMD, ENV, ...) to apply; may be repeated" },
              { "message", 0, "TEXT", "a comment in its history" }),
      "Reads standard input where FILE is '-'." },
    { "image", "save", "IMAGE...", cmd_image_save, "write images to an archive", "save image", 1, WORDS_MANY, 0,
      OPTIONS({ "output", 'o', "FILE", "write there, not to standard output" }), NULL },
    { "image", "tag", "IMAGE NAME[:TAG]", cmd_image_tag, "give an image a further name", "tag image", 2, 2, 0, NULL,
      NULL },
    { "image", "rm", "IMAGE...", cmd_image_rm, "remove images, or names of them", "remove image", 1, WORDS_MANY, 0,
      OPTIONS({ "force", 'f', NULL, "also when stopped containers were made from it" }), NULL },

    { "pool", "ls", "", cmd_pool_ls, "list pools", "list pools", 0, 0, 0, NULL, NULL },
    { "pool", "create", "NAME [PATH]", cmd_pool_create, "make a pool of a directory, or on a disk of its own",
      "create pool", 1, 2, 0,
      OPTIONS({ "driver", 0, "DRIVER", "btrfs, reflink, directory, layered or image; on a disk of its own xfs, btrfs or auto" },
              { "size", 0, "SIZE", "make an image file of SIZE for it, at PATH or in the state directory" },
              { "max", 0, "SIZE", "let the image grow up to SIZE; by default as far as the host has room" },
              { "device", 0, "DEVICE", "format a block device for it" },
              { "force", 'f', NULL, "overwrite what is on the device" }),
      "PATH alone names a directory: an empty one, or one to be made.  Without PATH, or with --size, --max or "
      "--device, or with driver xfs, the pool gets a filesystem of its own." },
    { "pool", "adopt", "[PATH]", cmd_pool_adopt, "take over a pool that the database does not know", "adopt pool", 0, 1,
      0,
      OPTIONS({ "image", 0, "FILE", "take it from an image" },
              { "device", 0, "DEVICE", "take it from a block device" },
              { "name", 0, "NAME", "call it NAME; by default as it was called" },
              { "dry-run", 0, NULL, "look and tell, take nothing over" }),
      "After the database was lost, or for a disk of another host.  Volumes, snapshots and all that is known of "
      "them come from the pool itself.  A volume whose name is taken is renamed; data that no row knows becomes a "
      "volume 'found-...'." },
    { "pool", "resize", "POOL SIZE", cmd_pool_resize, "change the size of a pool on an image", "resize pool", 2, 2, 0,
      NULL, "While it is in use; up as the host has room, down on btrfs alone." },
    { "pool", "set", "POOL MARK=PERCENT...", cmd_pool_set, "say how full a pool may become", "set marks of pool", 2,
      4, 0, NULL,
      "MARK is warn (80: an event), purge (90: trash and what has expired goes) or refuse (95: no new snapshots and "
      "clones).  100 turns one off." },
    { "pool", "inspect", "POOL...", cmd_pool_inspect, "show all of a pool", "inspect pool", 1, WORDS_MANY, 0, NULL,
      NULL },
    { "pool", "rm", "POOL...", cmd_pool_rm, "forget empty pools", "remove pool", 1, WORDS_MANY, 0,
      NULL, "Directories and devices stay as they are; images are removed." },

    { "operation", "ls", "", cmd_operation_ls, "list operations, newest first", "list operations", 0, 0, 0,
      OPTIONS({ "running", 0, NULL, "those under way alone" }, { "limit", 'n', "N", "at most N (100)" }), NULL },
    { "operation", "inspect", "ID...", cmd_operation_inspect, "show all of an operation", "inspect operation", 1,
      WORDS_MANY, 0, NULL, NULL },

    { "event", "ls", "", cmd_event_ls, "list events, oldest first", "list events", 0, 0, 0,
      OPTIONS({ "after", 0, "SEQ", "those after this number" },
              { "since", 0, "TIME", "those from then on" },
              { "limit", 'n', "N", "at most N (100)" }),
      "Without --after and --since: the newest." },
    { "event", "follow", "", cmd_event_follow, "print events as they happen", "follow events", 0, 0, 0,
      OPTIONS({ "after", 0, "SEQ", "begin after this number" },
              { "since", 0, "TIME", "begin at that time" },
              { "reconnect", 0, NULL, "when the service goes away, wait for it and go on where it was" }),
      "With --json: a JSON document a line." },

    { "system", "info", "", cmd_system_info, "show the service's state", "show the service's state", 0, 0, 0, NULL,
      NULL },
    { "system", "check", "", cmd_system_check, "hold disk, mounts and processes against the records",
      "check the system", 0, 0, 0, OPTIONS({ "repair", 0, NULL, "put right what can be" }),
      "Exit status 11 when something is found that was not repaired." },
    { "system", "df", "", cmd_system_df, "show what takes space", "measure what takes space", 0, 0, 0, NULL, NULL },
    { "system", "version", "", cmd_system_version, "show the versions of volctl and the service",
      "ask for the version", 0, 0, 0, NULL, NULL },

    { "completion", "bash", "", cmd_completion_bash, "print a script for bash", "complete", 0, 0, 0, NULL,
      "Put it into /etc/bash_completion.d, or: source <(volctl completion bash)." },
    { 0 },
};

/* clang-format on */

const struct noun *noun_find(const char *name)
{
    for (const struct noun *noun = nouns; noun->name != NULL; noun++)
        if (strcmp(noun->name, name) == 0)
            return noun;
    return NULL;
}

const struct verb *verb_find(const char *noun, const char *name)
{
    for (const struct verb *verb = verbs; verb->name != NULL; verb++)
        if (strcmp(verb->noun, noun) == 0 && strcmp(verb->name, name) == 0)
            return verb;
    return NULL;
}

const struct verb *verb_find_alone(const char *name)
{
    const struct verb *found = NULL;

    for (const struct verb *verb = verbs; verb->name != NULL; verb++)
        if (strcmp(verb->name, name) == 0) {
            if (found != NULL)
                return NULL;
            found = verb;
        }
    return found;
}
