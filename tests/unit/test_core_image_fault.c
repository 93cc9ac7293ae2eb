/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every system call of import, load and remove that can fail fails once, and the process dies once
 * at each: the image is whole or absent, and what is left over goes at the next start.
 */
#include <errno.h>
#include <sys/wait.h>

#include "base/fault.h"
#include "lib/images.h"

#define STEPS_MAX 500

typedef int (*verb_fn)(struct images *images);

static int import(struct images *images)
{
    struct image_import_spec spec = { .repo = "one" };
    const char *id;

    return images_import(images, "a.tar", &spec, &id);
}

static int load(struct images *images)
{
    return images_load(images, "saved.tar");
}

static int rm(struct images *images)
{
    json_t *report = NULL;
    int rc = image_remove(&images->task, "one", false, &report, &images->err);

    json_decref(report);
    return rc;
}

static void make_archives(struct images *images)
{
    static const char *const refs[] = { "one", NULL };
    int fd = open("saved.tar", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    struct byte_sink sink = { images_write_fd, &fd };

    WORLD_RUN("mkdir a && echo a > a/f && tar -C a -cf a.tar .");
    CHECK_OK(import(images), &images->err);
    CHECK_OK(image_save(&images->task, refs, &sink, &images->err), &images->err);
    CHECK_OK(rm(images), &images->err);
    (void)close(fd);
}

/* The image is there with its layer, or neither is. */
static void check_whole_or_absent(struct images *images)
{
    struct error *err = &images->err;
    struct image image;

    CHECK_OK(image_collect_layers(&images->task, err), err);
    int64_t layers = images_count(images, "SELECT count(*) FROM layer");
    if (image_get(&images->task, "one", &image, err) == 0) {
        CHECK_INT((int)layers, 1);
        WORLD_RUN("cmp a/f " STATE "/layers/*/f && zstd -qt " STATE "/layers/*.tar.zst");
    } else {
        CHECK_INT((int)err->code, ERR_NOT_FOUND);
        CHECK_INT((int)layers, 0);
    }
    WORLD_RUN("test $(ls " STATE "/layers | wc -l) = %d", 2 * (int)layers);
}

static void prepare(struct images *images, verb_fn verb)
{
    struct image image;
    bool is_there = image_get(&images->task, "one", &image, &images->err) == 0;

    if (is_there != (verb == rm))
        CHECK_OK(is_there ? rm(images) : import(images), &images->err);
}

static void sweep_failures(verb_fn verb)
{
    struct images images;
    bool has_fired = true;
    int failures = 0;

    if (!images_enter(&images, "tmpfs"))
        return;
    make_archives(&images);
    for (int nth = 1; has_fired; nth++) {
        CHECK(nth < STEPS_MAX);
        prepare(&images, verb);
        fault_arm(nth, -EIO);
        int rc = verb(&images);
        has_fired = fault_fired();
        fault_disarm();
        failures += rc < 0;
        check_whole_or_absent(&images);
        WORLD_RUN("test -z \"$(ls " STATE "/tmp)\" || rm -r " STATE "/tmp/*");
    }
    CHECK(failures > 0);
    images_close(&images);
}

static void sweep_crashes(verb_fn verb)
{
    struct images images;
    int status = FAULT_CRASH_STATUS;
    int crashes = 0;

    if (!images_enter(&images, "tmpfs"))
        return;
    make_archives(&images);
    for (int nth = 1; status == FAULT_CRASH_STATUS; nth++) {
        CHECK(nth < STEPS_MAX);
        prepare(&images, verb);
        images_close(&images); /* the lock and the database are the child's now */
        pid_t pid = fork();
        if (pid == 0) {
            images_open(&images);
            fault_arm(nth, FAULT_CRASH);
            _exit(verb(&images) < 0 ? 1 : 0);
        }
        CHECK(pid > 0 && waitpid(pid, &status, 0) == pid && WIFEXITED(status));
        status = WEXITSTATUS(status);
        crashes += status == FAULT_CRASH_STATUS;
        images_open(&images);
        check_whole_or_absent(&images);
    }
    CHECK(crashes > 0);
    CHECK_INT(status, 0);
    images_close(&images);
}

TEST(import_is_all_or_nothing_whichever_call_fails)
{
    sweep_failures(import);
}

TEST(import_is_all_or_nothing_wherever_it_dies)
{
    sweep_crashes(import);
}

TEST(load_is_all_or_nothing_whichever_call_fails)
{
    sweep_failures(load);
}

TEST(load_is_all_or_nothing_wherever_it_dies)
{
    sweep_crashes(load);
}

TEST(remove_is_all_or_nothing_whichever_call_fails)
{
    sweep_failures(rm);
}

TEST(remove_is_all_or_nothing_wherever_it_dies)
{
    sweep_crashes(rm);
}
