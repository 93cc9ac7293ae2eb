/* SPDX-License-Identifier: Apache-2.0 */
/* Files in STATE/holds, called <boot>.<uuid>: a path of a control group on each line. */
#include "core/fence/hold_note.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/dir.h"
#include "base/fs.h"
#include "base/log.h"
#include "base/sys.h"
#include "base/uuid.h"
#include "core/service.h"
#include "runtime/supervisor.h"

#define DIRECTORY   "holds"
#define NOTE_MAX    ((size_t)1 << 20)
#define DEATH_MS    1000 /* for a holder whose connection has ended to end too */
#define DEATH_PAUSE 10

static int open_directory(struct task *task, struct error *err);
static int settle(struct task *task, int dir_fd, const char *name, struct error *err);
static int await_holder(int fd, struct error *err);
static const char **read_groups(struct task *task, int dir_fd, const char *name, struct error *err);
static int thaw(struct task *task, const char *const *groups, struct error *err);

int hold_note_open(struct task *task, const char **name, struct error *err)
{
    char id[UUID_SIZE];
    cleanup_fd int dir_fd = open_directory(task, err);

    if (dir_fd < 0)
        return -1;
    uuid_make(id);
    const char *made = arena_printf(task->mem, "%s.%s", task->service->boot_id, id);
    cleanup_fd int fd = sys_openat(dir_fd, made, O_RDWR | O_CREAT | O_EXCL | O_APPEND, 0600);
    if (fd < 0)
        return fail_sys(err, fd, "cannot note what is held");
    if (flock(fd, LOCK_EX | LOCK_NB) < 0)
        return fail_sys(err, -errno, "cannot lock the note of what is held");
    *name = made;
    return move_fd(&fd);
}

void hold_note_remove(struct task *task, const char *name)
{
    struct error err;
    cleanup_fd int dir_fd = open_directory(task, &err);

    if (dir_fd >= 0)
        (void)sys_unlinkat(dir_fd, name, 0); /* an empty one goes at the next start */
}

void hold_note_settle(struct task *task, const char *name)
{
    struct error err;
    cleanup_fd int dir_fd = open_directory(task, &err);

    if (dir_fd < 0 || settle(task, dir_fd, name, &err) < 0)
        log_error("control groups may be frozen still note=%s error=\"%s\"", name, err.message);
}

void hold_note_settle_all(struct task *task)
{
    cleanup_dir DIR *dir = NULL;
    struct error err;
    cleanup_fd int dir_fd = open_directory(task, &err);
    int rc = dir_fd < 0 ? dir_fd : dir_open(dir_fd, ".", &dir);

    if (rc < 0) {
        log_error("cannot look for what was held");
        return;
    }
    size_t length = strlen(task->service->boot_id);
    for (const struct dirent *entry; (entry = dir_next(dir)) != NULL;) {
        if (strncmp(entry->d_name, task->service->boot_id, length) == 0)
            hold_note_settle(task, entry->d_name);
        else
            (void)sys_unlinkat(dir_fd, entry->d_name, 0); /* or the next start does */
    }
}

static int open_directory(struct task *task, struct error *err)
{
    return fs_make_dir(task->service->state_fd, DIRECTORY, 0700, err);
}

static int settle(struct task *task, int dir_fd, const char *name, struct error *err)
{
    cleanup_fd int fd = sys_openat(dir_fd, name, O_RDONLY | O_NOFOLLOW, 0);

    if (fd == -ENOENT)
        return 0;
    if (fd < 0)
        return fail_sys(err, fd, "cannot open it");
    if (await_holder(fd, err) < 0)
        return -1;
    const char **groups = read_groups(task, dir_fd, name, err);
    if (groups == NULL || (groups[0] != NULL && thaw(task, groups, err) < 0))
        return -1;
    (void)sys_unlinkat(dir_fd, name, 0); /* read again, it would thaw the same once more */
    return 0;
}

/* Whoever lives thaws them itself, at the end of its connection or at its deadline. */
static int await_holder(int fd, struct error *err)
{
    for (int waited_ms = 0; flock(fd, LOCK_EX | LOCK_NB) < 0; waited_ms += DEATH_PAUSE) {
        if (errno != EWOULDBLOCK)
            return fail_sys(err, -errno, "cannot lock it");
        if (waited_ms > DEATH_MS)
            return fail(err, ERR_BUSY, "its holder still lives");
        (void)poll(NULL, 0, DEATH_PAUSE); /* sleeps */
    }
    return 0;
}

/* Those that are still there, NULL-terminated.  A last line without its end was never acted on. */
static const char **read_groups(struct task *task, int dir_fd, const char *name, struct error *err)
{
    const char **groups = NULL;
    size_t capacity = 0;
    size_t count = 0;
    char *text = NULL;
    size_t size = 0;

    if (fs_read_file(task->mem, dir_fd, name, NOTE_MAX, &text, &size, err) < 0)
        return NULL;
    for (char *line = text, *end; (end = memchr(line, '\n', size - (size_t)(line - text))) != NULL;
         line = end + 1) {
        *end = '\0';
        if (count + 1 >= capacity)
            groups = arena_grow(task->mem, groups, &capacity, sizeof(*groups));
        if (access(line, F_OK) == 0)
            groups[count++] = line;
    }
    if (groups == NULL)
        return arena_array(task->mem, 1, sizeof(*groups));
    groups[count] = NULL;
    return groups;
}

static int thaw(struct task *task, const char *const *groups, struct error *err)
{
    cleanup_fd int fd = supervisor_hold(task->service->runner_path, groups, -1, err);

    if (fd < 0 || supervisor_hold_release(fd, err) < 0)
        return -1;
    log_warn("control groups were thawed whose holder died first=%s", groups[0]);
    return 0;
}
