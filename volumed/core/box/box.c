/* SPDX-License-Identifier: Apache-2.0 */
/* Paths and files of boxes. */
#include "core/box/box.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "base/fs.h"
#include "base/sys.h"
#include "base/units.h"
#include "core/service.h"

#define EXIT_SIZE_MAX    4096
#define EXIT_NUMBERS     5
#define EXIT_NUMBER_SIZE 24

static const char *const directories[] = { "rootfs", "upper", "work" };

static int make_dir(int dirfd, const char *name);

const char *box_path(struct task *task, const char *id)
{
    return arena_printf(task->mem, "%s/containers/%s", task->service->state_dir, id);
}

int box_make(struct task *task, const char *id, struct error *err)
{
    int rc = make_dir(task->service->containers_fd, id);

    if (rc < 0)
        return fail_sys(err, rc, "cannot make the directory of container '%s'", id);
    cleanup_fd int dirfd = box_open(task, id, err);
    if (dirfd < 0)
        return -1;
    for (size_t i = 0; i < ARRAY_SIZE(directories); i++) {
        rc = make_dir(dirfd, directories[i]);
        if (rc < 0)
            return fail_sys(err, rc, "cannot make '%s' of container '%s'", directories[i], id);
    }
    return 0;
}

int box_open(struct task *task, const char *id, struct error *err)
{
    int fd = sys_openat(task->service->containers_fd, id, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);

    return fd < 0 ? fail_sys(err, fd, "cannot open the directory of container '%s'", id) : fd;
}

int box_remove(struct task *task, const char *id, struct error *err)
{
    return fs_remove_tree(task->service->containers_fd, id, err);
}

int box_read_exit(struct arena *mem, int dirfd, struct box_exit *result, struct error *err)
{
    char *text;
    size_t size;

    if (fs_read_file(mem, dirfd, "exit", EXIT_SIZE_MAX, &text, &size, err) < 0)
        return err->code == ERR_NOT_FOUND ? 0 : -1;
    char *newline = strchr(text, '\n');
    if (newline != NULL)
        *newline = '\0';
    if (box_exit_parse(text, result, err) < 0)
        return -1;
    if (newline != NULL && newline[1] != '\0') {
        result->message = newline + 1;
        newline[1 + strcspn(newline + 1, "\n")] = '\0';
    }
    return 1;
}

int box_exit_parse(const char *text, struct box_exit *result, struct error *err)
{
    int64_t numbers[EXIT_NUMBERS];
    const char *rest = text;

    for (size_t i = 0; i < EXIT_NUMBERS; i++) {
        char word[EXIT_NUMBER_SIZE];
        size_t length = strcspn(rest, " ");
        if (length >= sizeof(word))
            return fail(err, ERR_CORRUPT, "an exit record is not readable: '%s'", text);
        memcpy(word, rest, length);
        word[length] = '\0';
        if (units_parse_int(word, &numbers[i]) < 0)
            return fail(err, ERR_CORRUPT, "an exit record is not readable: '%s'", text);
        rest += length + (rest[length] == ' ');
    }
    *result = (struct box_exit){
        .code = numbers[0],
        .signal = numbers[1],
        .is_oom = numbers[2] != 0,
        .started_ns = numbers[3],
        .finished_ns = numbers[4],
    };
    return 0;
}

int64_t box_status_pid(const char *status)
{
    char word[EXIT_NUMBER_SIZE] = "";
    const char *begin = status + strcspn(status, " ");
    int64_t pid = 0;

    begin += strspn(begin, " ");
    size_t length = strcspn(begin, " ");
    if (length < sizeof(word))
        memcpy(word, begin, length);
    return units_parse_int(word, &pid) < 0 ? 0 : pid;
}

static int make_dir(int dirfd, const char *name)
{
    int rc = sys_mkdirat(dirfd, name, 0711);

    return rc == -EEXIST ? 0 : rc;
}
