/* SPDX-License-Identifier: Apache-2.0 */
/*
 * docker cp, export and commit, on a stopped container and on one that runs (a process whose root
 * is an overlay in a mount namespace of its own, as the runner makes them).
 */
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "base/uuid.h"
#include "core/box/box.h"
#include "core/container/container_files.h"
#include "lib/images.h"
#include "store/container.h"

#define ROOT STATE "/containers/%s"

struct made {
    struct images images;
    char id[HEX_ID_SIZE];
    pid_t pid; /* 0: it does not run */
};

/* A container "c" of an image with a few files; binds: WORK/rw at /rw, WORK/ro at /ro. */
static bool enter(struct made *made)
{
    struct container container = {
        .id = made->id,
        .name = "c",
        .image_name = "one",
        .state = "exited",
        .networking = json_object(),
        .path = "true",
        .error = "",
        .health = "",
    };
    struct image image;

    made->pid = 0;
    if (!images_enter(&made->images, "tmpfs"))
        return false;
    WORLD_RUN("mkdir -p a/dir/sub a/etc rw ro && echo one > a/dir/one && echo two > a/dir/sub/two "
              "&& ln -s dir a/link && ln -s /etc/passwd a/abs && ln -s /../../.. a/up && "
              "echo 'root:x:0:0::/:' > a/etc/passwd && echo 'u:x:7:8::/:' >> a/etc/passwd");
    CHECK(images_make(&made->images, "a", "one") != NULL);
    CHECK_OK(image_get(&made->images.task, "one", &image, &made->images.err), &made->images.err);
    hex_id_make(made->id);
    container.image_id = image.id;
    container.chain_id = image.chain_id;
    container.config = json_pack("{s:s, s:[s], s:s}", "User", "u", "Cmd", "true", "Hostname", "h");
    container.host_config = json_object();
    container.mounts = json_pack("[{s:s, s:s, s:s, s:b}, {s:s, s:s, s:s, s:b}]", "Type", "bind",
                                 "Source", WORK "/rw", "Destination", "/rw", "RW", 1, "Type",
                                 "bind", "Source", WORK "/ro", "Destination", "/ro", "RW", 0);
    CHECK_OK(store_container_insert(made->images.task.db, &container, &made->images.err),
             &made->images.err);
    container_done(&container);
    CHECK_OK(box_make(&made->images.task, made->id, &made->images.err), &made->images.err);
    return true;
}

static void run(struct made *made)
{
    cleanup_container struct container container = { 0 };
    const char *const *dirs;
    char options[1024];
    int ready[2];
    char byte;

    CHECK_OK(store_container_find(made->images.task.db, made->images.task.mem, made->id, &container,
                                  &made->images.err),
             &made->images.err);
    CHECK_OK(image_layers(&made->images.task, container.chain_id, &dirs, &made->images.err),
             &made->images.err);
    (void)snprintf(options, sizeof(options),
                   "lowerdir=%s,upperdir=" ROOT "/upper,workdir=" ROOT "/work", dirs[0], made->id,
                   made->id);
    CHECK_INT(pipe(ready), 0);
    made->pid = fork();
    if (made->pid == 0) {
        if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || unshare(CLONE_NEWNS) < 0 ||
            mkdir("merged", 0755) < 0 || mount("none", "merged", "overlay", 0, options) < 0 ||
            chdir("merged") < 0 || mkdir("proc", 0755) < 0 ||
            mount("proc", "proc", "proc", 0, NULL) < 0 || syscall(SYS_pivot_root, ".", ".") < 0 ||
            umount2(".", MNT_DETACH) < 0)
            _exit(1);
        (void)write(ready[1], "x", 1);
        for (;;)
            (void)pause();
    }
    CHECK_INT((int)read(ready[0], &byte, 1), 1);
    WORLD_RUN("echo %d > " ROOT "/supervise.pid", (int)getpid(), made->id);
    container.state = "running";
    container.pid = made->pid;
    CHECK_OK(store_container_update(made->images.task.db, &container, &made->images.err),
             &made->images.err);
}

static void leave(struct made *made)
{
    if (made->pid > 0) {
        (void)kill(made->pid, SIGKILL);
        (void)waitpid(made->pid, NULL, 0);
    }
    images_close(&made->images);
}

static int get(struct made *made, const char *path, const char *file)
{
    int fd = open(file, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    struct byte_sink sink = { images_write_fd, &fd };
    int rc = path == NULL
                 ? container_export(&made->images.task, "c", &sink, &made->images.err)
                 : container_archive_get(&made->images.task, "c", path, &sink, &made->images.err);

    (void)close(fd);
    return rc;
}

static int put(struct made *made, const struct archive_put_spec *spec, const char *file)
{
    int fd = open(file, O_RDONLY | O_CLOEXEC);
    struct byte_source source = { images_read_fd, &fd };
    int rc = container_archive_put(&made->images.task, "c", spec, &source, &made->images.err);

    (void)close(fd);
    return rc;
}

static void check_names(struct made *made, const char *path, const char *names)
{
    CHECK_OK(get(made, path, "got.tar"), &made->images.err);
    WORLD_RUN("test \"$(tar -P -tf got.tar | tr '\\n' ' ')\" = '%s' || "
              "{ tar -P -tf got.tar; exit 1; }",
              names);
}

static void check_reads(struct made *made)
{
    struct task *task = &made->images.task;
    struct error *err = &made->images.err;
    struct path_stat stat;

    CHECK_OK(container_path_stat(task, "c", "/dir", &stat, err), err);
    CHECK_STR(stat.name, "dir");
    CHECK(stat.go_mode == ((UINT32_C(1) << 31) | 0755));
    CHECK_OK(container_path_stat(task, "c", "link", &stat, err), err);
    CHECK_STR(stat.link_target, "/dir");
    CHECK_OK(container_path_stat(task, "c", "/abs", &stat, err), err);
    CHECK_STR(stat.link_target, "/etc/passwd");
    CHECK_OK(container_path_stat(task, "c", "/up", &stat, err), err);
    CHECK_STR(stat.link_target, "/");
    CHECK_OK(container_path_stat(task, "c", "/link/one", &stat, err), err);
    CHECK_INT((int)stat.size_bytes, 4);
    CHECK_FAILS(container_path_stat(task, "c", "/nothing", &stat, err), err, ERR_NOT_FOUND);
    CHECK_STR(err->message, "Could not find the file /nothing in container c");
    check_names(made, "/dir", "dir/ dir/one dir/sub/ dir/sub/two ");
    check_names(made, "/dir/.", "./ ./one ./sub/ ./sub/two ");
    check_names(made, "/link/", "link/ link/one link/sub/ link/sub/two ");
    check_names(made, "/link", "link ");
    check_names(made, "dir/sub/../one", "one ");
    /* The root of all roots is the container's, whatever a link says. */
    CHECK_OK(get(made, "/up/", "got.tar"), err);
    WORLD_RUN("tar -tf got.tar | grep -q '^up/dir/one$'");
    WORLD_RUN("echo inside > rw/f");
    check_names(made, "/rw", "rw/ rw/f ");
}

static void check_writes(struct made *made)
{
    struct archive_put_spec spec = { .path = "/dir" };
    struct error *err = &made->images.err;

    WORLD_RUN("mkdir -p new/x && echo 1 > new/x/y && echo 2 > new/one && chown -R 5:6 new && "
              "tar -C new -cf new.tar x one");
    CHECK_OK(put(made, &spec, "new.tar"), err);
    WORLD_RUN("test \"$(stat -c %%u:%%g " ROOT "/upper/dir/x/y)\" = 5:6 && "
              "test \"$(cat " ROOT "/upper/dir/one)\" = 2",
              made->id, made->id);
    spec = (struct archive_put_spec){ .path = "/link", .is_copy_uid_gid = true };
    CHECK_OK(put(made, &spec, "new.tar"), err);
    WORLD_RUN("test \"$(stat -c %%u:%%g " ROOT "/upper/dir/x/y)\" = 7:8", made->id);
    spec = (struct archive_put_spec){ .path = "/rw" };
    CHECK_OK(put(made, &spec, "new.tar"), err);
    WORLD_RUN("test -e rw/x/y");
    spec.path = "/ro";
    CHECK_FAILS(put(made, &spec, "new.tar"), err, ERR_DENIED);
    CHECK_STR(err->message, "mounted volume is marked read-only");
    spec.path = "/dir/one";
    CHECK_FAILS(put(made, &spec, "new.tar"), err, ERR_INVALID);
    CHECK_STR(err->message, "extraction point is not a directory");
    spec.path = "/nowhere";
    CHECK_FAILS(put(made, &spec, "new.tar"), err, ERR_NOT_FOUND);
    CHECK_STR(err->message, "Could not find the file /nowhere in container c");
    WORLD_RUN("rm -r new && mkdir new && echo 1 > new/sub && tar -C new -cf new.tar sub");
    spec = (struct archive_put_spec){ .path = "/dir", .is_no_overwrite_dir_non_dir = true };
    CHECK_FAILS(put(made, &spec, "new.tar"), err, ERR_INVALID);
    CHECK(strstr(err->message, "cannot overwrite directory with non-directory") != NULL);
}

TEST(files_go_in_and_out_of_a_stopped_container)
{
    struct made made;

    if (!enter(&made))
        return;
    check_reads(&made);
    check_writes(&made);
    WORLD_RUN("! grep overlay /proc/self/mountinfo | grep -qF \"$PWD/\"");
    leave(&made);
}

TEST(files_go_in_and_out_of_a_running_container)
{
    struct made made;

    if (!enter(&made))
        return;
    run(&made);
    WORLD_RUN("mkdir -p /proc/%d/root/rw /proc/%d/root/ro", (int)made.pid, (int)made.pid);
    check_reads(&made);
    check_writes(&made);
    WORLD_RUN("test \"$(cat /proc/%d/root/dir/one)\" = 2", (int)made.pid);
    leave(&made);
}

TEST(an_archive_does_not_write_through_a_link_of_the_containers_to_the_host)
{
    struct archive_put_spec spec = { .path = "/" };
    struct made made;

    if (!enter(&made))
        return;
    run(&made);
    WORLD_RUN("mkdir victim && ln -s " WORK "/victim /proc/%d/root/trap && mkdir -p t/trap && "
              "touch t/trap/x && tar -C t -cf t.tar trap/x",
              (int)made.pid);
    CHECK_INT(put(&made, &spec, "t.tar"), -1);
    WORLD_RUN("ln -sfn /proc/1/root" WORK "/victim /proc/%d/root/trap", (int)made.pid);
    CHECK_INT(put(&made, &spec, "t.tar"), -1);
    WORLD_RUN("test -z \"$(ls victim)\"");
    leave(&made);
}

TEST(a_process_that_took_a_dead_containers_number_is_not_entered)
{
    struct path_stat stat;
    struct made made;

    if (!enter(&made))
        return;
    run(&made);
    WORLD_RUN("echo 1 > " ROOT "/supervise.pid", made.id);
    CHECK_FAILS(container_path_stat(&made.images.task, "c", "/", &stat, &made.images.err),
                &made.images.err, ERR_BUSY);
    leave(&made);
}

TEST(an_export_is_the_root_without_what_is_mounted_in_it)
{
    struct made made;

    if (!enter(&made))
        return;
    run(&made);
    WORLD_RUN("mkdir -p /proc/%d/root/rw && echo x > rw/f", (int)made.pid);
    CHECK_OK(get(&made, NULL, "e.tar"), &made.images.err);
    WORLD_RUN("tar -tf e.tar | grep -q '^dir/sub/two$' && tar -tf e.tar | grep -q '^rw/$' && "
              "! tar -tf e.tar | grep -q '^rw/f$' && ! tar -tf e.tar | grep -q '^proc/.' && "
              "! tar -tf e.tar | grep -qx './'");
    leave(&made);
}

TEST(a_commit_is_what_the_container_changed)
{
    static const char *const changes[] = { "CMD [\"/bin/new\"]", NULL };
    struct commit_spec spec = {
        .container = "c", .repo = "two", .comment = "why", .author = "who", .changes = changes
    };
    struct made made;
    struct image image;
    const char *const *dirs;
    const char *id;

    if (!enter(&made))
        return;
    run(&made);
    WORLD_RUN("cd /proc/%d/root && echo new > new && rm abs && rm -r dir && mkdir dir && "
              "echo 3 > dir/three && rmdir etc/x 2> /dev/null; true",
              (int)made.pid);
    CHECK_OK(image_commit(&made.images.task, &spec, &id, &made.images.err), &made.images.err);
    CHECK_OK(image_get(&made.images.task, "two", &image, &made.images.err), &made.images.err);
    CHECK_STR(image.id, id);
    CHECK_OK(image_layers(&made.images.task, image.chain_id, &dirs, &made.images.err),
             &made.images.err);
    CHECK(dirs[1] != NULL && dirs[2] == NULL);
    WORLD_RUN("zstd -dc %s.tar.zst | tar -t | tr '\\n' ' ' > names && "
              "grep -q 'dir/ dir/.wh..wh..opq dir/three ' names && grep -q '\\.wh\\.abs' names",
              dirs[0]);
    WORLD_RUN("mkdir m && mount -t overlay -o lowerdir=%s:%s none m && test ! -e m/dir/one && "
              "test -e m/dir/three && test ! -e m/abs && test -e m/new && test -e m/link",
              dirs[0], dirs[1]);
    WORLD_RUN("printf '%%s' '%s' | jq -e '.config.Cmd == [\"/bin/new\"] and .author == \"who\" and "
              "(.history | length) == 2 and .config.Hostname == null and .config.User == \"u\"' "
              "> /dev/null",
              image.config);
    leave(&made);
}
