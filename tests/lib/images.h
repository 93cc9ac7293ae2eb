/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A service over a new state directory for tests of images and archives (on lib/storage.h), and the
 * test program itself as its confined child.  Include it in one file of a program.
 */
#ifndef LIB_IMAGES_H
#define LIB_IMAGES_H

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include "core/image/image.h"
#include "core/operation/event.h"
#include "core/service.h"
#include "lib/world.h"
#include "store/db.h"
#include "transfer/confined.h"

#define STATE WORLD_DIR "/state"
#define WORK  WORLD_DIR "/work"

/* The program started as `… confined VERB` is such a child: volumed's main does the same. */
__attribute__((constructor)) static void become_confined_child(int argc, char **argv)
{
    if (argc > 1 && strcmp(argv[1], "confined") == 0)
        _exit(confined_main(argc, argv));
}

struct images {
    struct service service;
    struct task task;
    struct error err;
};

static inline void images_open(struct images *images)
{
    static const struct service_spec spec = { .state_dir = STATE,
                                              .runner_path = "",
                                              .confined_path = "/proc/self/exe" };

    *images = (struct images){ 0 };
    (void)signal(SIGPIPE, SIG_IGN);
    CHECK_OK(service_open(&images->service, &spec, &images->err), &images->err);
    images->task = (struct task){
        .service = &images->service,
        .db = service_db_open(&images->service, &images->err),
        .mem = arena_new(),
        .actor = "test",
    };
    CHECK(images->task.db != NULL);
}

static inline void images_close(struct images *images)
{
    db_close(images->task.db);
    arena_free(images->task.mem);
    service_close(&images->service);
}

/* In a new world whose working directory is WORK; false when this machine cannot. */
static inline bool images_enter(struct images *images, const char *filesystem)
{
    if (!world_enter(filesystem))
        return false;
    WORLD_RUN("mkdir -p " WORK);
    CHECK_INT(chdir(WORK), 0);
    images_open(images);
    return true;
}

static inline ssize_t images_read_fd(void *context, void *data, size_t size, struct error *err)
{
    ssize_t got = read(*(int *)context, data, size);

    return got < 0 ? fail(err, ERR_SYSTEM, "read") : got;
}

static inline int images_write_fd(void *context, const void *data, size_t size, struct error *err)
{
    return write(*(int *)context, data, size) == (ssize_t)size ? 0 : fail(err, ERR_SYSTEM, "write");
}

/* What a load told, one line after another. */
static char images_said[4096];

static inline void images_hear(void *context, const json_t *message)
{
    const char *line = json_string_value(json_object_get(message, "stream"));

    (void)context;
    CHECK(line != NULL && strlen(images_said) + strlen(line) < sizeof(images_said));
    strcat(images_said, line);
}

static inline int images_load(struct images *images, const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    struct byte_source source = { images_read_fd, &fd };
    struct progress progress = { images_hear, NULL };

    CHECK(fd >= 0);
    images_said[0] = '\0';
    int rc = image_load(&images->task, &source, &progress, &images->err);
    (void)close(fd);
    return rc;
}

static inline int images_import(struct images *images, const char *path,
                                const struct image_import_spec *spec, const char **id)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    struct byte_source source = { images_read_fd, &fd };

    CHECK(fd >= 0);
    int rc = image_import(&images->task, spec, &source, id, &images->err);
    (void)close(fd);
    return rc;
}

/* An image 'name' of one layer that holds what is in the directory 'path'. */
static inline const char *images_make(struct images *images, const char *path, const char *name)
{
    struct image_import_spec spec = { .repo = name };
    const char *id = NULL;

    WORLD_RUN("tar --sort=name -C %s -cf " WORK "/.made.tar .", path);
    CHECK_OK(images_import(images, WORK "/.made.tar", &spec, &id), &images->err);
    return id;
}

/* How many rows, and how many names in STATE's folder. */
static inline int64_t images_count(struct images *images, const char *sql)
{
    int64_t count = -1;

    CHECK_OK(db_query_i64(images->task.db, sql, NO_ARGS, &count, &images->err), &images->err);
    return count;
}

#endif
