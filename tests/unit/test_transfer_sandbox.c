/* SPDX-License-Identifier: Apache-2.0 */
/* A confined child as it is seen from outside while it waits for input: what it has given up. */
#include "lib/images.h"
#include "transfer/child.h"

static void start(struct child *child, const char *verb, int dir_fd)
{
    struct child_spec spec = {
        .program = "/proc/self/exe",
        .verb = verb,
        .input = CHILD_PIPE,
        .fds = &dir_fd,
        .fd_count = dir_fd < 0 ? 0 : 1,
    };
    struct error err;

    (void)signal(SIGPIPE, SIG_IGN);
    CHECK_OK(child_start(child, &spec, &err), &err);
    /* It is confined once its filter is on. */
    WORLD_RUN("for i in $(seq 100); do grep -q '^Seccomp:.2$' /proc/%d/status && exit 0; "
              "sleep 0.05; done; exit 1",
              (int)child->pid);
}

static void check_status(const struct child *child, const char *field, const char *value)
{
    WORLD_RUN("grep -q '^%s:[[:space:]]*%s$' /proc/%d/status || { grep '^%s' /proc/%d/status; "
              "exit 1; }",
              field, value, (int)child->pid, field, (int)child->pid);
}

static void check_namespaces(const struct child *child)
{
    static const char *const kinds[] = { "mnt", "net", "ipc", "uts" };

    for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
        WORLD_RUN("test \"$(readlink /proc/%d/ns/%s)\" != \"$(readlink /proc/self/ns/%s)\"",
                  (int)child->pid, kinds[i], kinds[i]);
}

TEST(a_child_without_files_has_no_rights_and_sees_nothing)
{
    cleanup_child struct child child = CHILD_NONE;

    if (!world_enter("tmpfs"))
        return;
    start(&child, "inflate", -1);
    check_status(&child, "CapEff", "0000000000000000");
    check_status(&child, "CapPrm", "0000000000000000");
    check_status(&child, "CapBnd", "0000000000000000");
    check_status(&child, "NoNewPrivs", "1");
    check_namespaces(&child);
    WORLD_RUN("test -z \"$(ls -A /proc/%d/root/)\"", (int)child.pid);
    WORLD_RUN("test $(wc -l < /proc/%d/mountinfo) = 1", (int)child.pid);
    WORLD_RUN("test \"$(ls /proc/%d/fd | tr '\\n' ' ')\" = '0 1 2 3 '", (int)child.pid);
}

TEST(a_child_that_unpacks_sees_its_directory_alone)
{
    cleanup_child struct child child = CHILD_NONE;
    cleanup_buf struct buf report = { 0 };
    struct error err;

    if (!world_enter("tmpfs"))
        return;
    WORLD_RUN("mkdir " WORLD_DIR "/d && touch " WORLD_DIR "/d/mine");
    int dir = open(WORLD_DIR "/d", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    start(&child, "unpack-layer", dir);
    /* chown dac_override fowner fsetid mknod setfcap: what a layer may say of its files. */
    check_status(&child, "CapEff", "000000008800001b");
    check_namespaces(&child);
    WORLD_RUN("test \"$(ls -A /proc/%d/root/)\" = mine", (int)child.pid);
    WORLD_RUN("test $(wc -l < /proc/%d/mountinfo) = 1 && "
              "grep -q 'nosuid,nodev,noexec' /proc/%d/mountinfo",
              (int)child.pid, (int)child.pid);
    /* No descriptor leads to a directory but the root that was entered. */
    WORLD_RUN("for fd in /proc/%d/fd/*; do [ ! -d $fd ] || test \"$(readlink $fd)\" = / || exit 1; "
              "done",
              (int)child.pid);
    CHECK_OK(child_wait(&child, &report, &err), &err);
    (void)close(dir);
}

TEST(a_child_that_is_not_waited_for_is_gone)
{
    struct child child = CHILD_NONE;

    if (!world_enter("tmpfs"))
        return;
    start(&child, "inflate", -1);
    int pid = (int)child.pid;
    child_done(&child);
    CHECK_INT(kill(pid, 0), -1);
    child_done(&child);
}
