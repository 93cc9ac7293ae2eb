/* SPDX-License-Identifier: Apache-2.0 */
/* Attachments from a request to descriptors: order, seeding, references, conflicts, the end. */
#include <fcntl.h>
#include <sys/stat.h>

#include "base/sys.h"
#include "core/attachment/attachment.h"
#include "core/reconcile/reconcile.h"
#include "lib/storage.h"

#define ID_A "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define ID_B "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"

#define WANT(volume_, destination_, ...) \
    ((struct attachment){ .volume_name = (volume_), .destination = (destination_), __VA_ARGS__ })

/* The image: WORLD/image. */
static int open_image(void *context, const char *destination, struct error *err)
{
    char path[256];

    (void)context;
    (void)snprintf(path, sizeof(path), WORLD "/image%s", destination);
    int fd = sys_openat(AT_FDCWD, path, O_RDONLY | O_DIRECTORY, 0);
    return fd < 0 ? fail_sys(err, fd, "no directory in the image") : fd;
}

static const struct attachment_source image = { open_image, NULL, "sha256:i" };

static int insert(struct storage *s, struct attachment_set *set, const char *id)
{
    cleanup_tx struct tx tx = { 0 };

    CHECK_OK(tx_begin(&tx, s->task.db, &s->err), &s->err);
    CHECK_OK(db_exec(s->task.db,
                     "INSERT INTO container (id, name, image_id, image_name, state, config,"
                     " host_config, path, created_ns) VALUES (?1, substr(?1, 1, 2), 'i', 'i',"
                     " 'created', '{}', '{}', 'p', 1)",
                     ARGS(TEXT(id)), &s->err),
             &s->err);
    return attachment_set_insert(&s->task, set, id, &s->err) < 0 ? -1 : tx_commit(&tx, &s->err);
}

static int attach(struct storage *s, const char *id, const struct attachment *wanted, size_t count)
{
    struct attachment_set set = { 0 };

    if (attachment_set_plan(&s->task, wanted, count, &set, &s->err) < 0)
        return -1;
    int rc = attachment_set_build(&s->task, &set, &image, &s->err);
    if (rc == 0)
        rc = insert(s, &set, id);
    attachment_set_done(&s->task, &set, rc == 0);
    return rc;
}

static void check_clean(struct storage *s)
{
    struct findings findings;

    CHECK_OK(reconcile(&s->task, false, &findings, &s->err), &s->err);
    ck_assert_msg(findings.count == 0, "%s: %s", findings.items[0].kind, findings.items[0].object);
}

static void set_state(struct storage *s, const char *id, const char *state)
{
    CHECK_OK(db_exec(s->task.db, "UPDATE container SET state = ? WHERE id = ?",
                     ARGS(TEXT(state), TEXT(id)), &s->err),
             &s->err);
}

TEST(attachments_are_cleaned_ordered_and_checked)
{
    cleanup_storage struct storage s = { 0 };
    struct attachment_set set = { 0 };
    const struct attachment wanted[] = {
        WANT("cc", "/a/b/../b/c/"),
        WANT("aa", "/a"),
        WANT("bb", "//a/b"),
    };
    static const struct attachment bad[][2] = {
        { { .destination = "/" }, { .destination = "/x" } },
        { { .destination = "/x/" }, { .destination = "/y/../x" } },
        { { .destination = "x" }, { .destination = "/y" } },
        { { .destination = "/x", .subpath = "../up" }, { .destination = "/y" } },
        { { .destination = "/x", .subpath = "/abs" }, { .destination = "/y" } },
        { { .destination = "/x", .volume_name = "b/d" }, { .destination = "/y" } },
    };

    if (!storage_enter(&s, "tmpfs"))
        return;
    CHECK_OK(attachment_set_plan(&s.task, wanted, 3, &set, &s.err), &s.err);
    CHECK_STR(set.items[0].destination, "/a");
    CHECK_STR(set.items[1].destination, "/a/b");
    CHECK_STR(set.items[2].destination, "/a/b/c");
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
        CHECK_FAILS(attachment_set_plan(&s.task, bad[i], 2, &set, &s.err), &s.err, ERR_INVALID);
}

TEST(new_volumes_are_seeded_and_published_with_the_container)
{
    static const char *const filesystems[] = { "btrfs", "xfs", "ext4", "tmpfs" };

    for (size_t i = 0; i < ARRAY_SIZE(filesystems); i++) {
        cleanup_storage struct storage s = { 0 };
        struct attachment *list = NULL;
        struct volume volume;
        size_t count = 0;
        const struct attachment wanted[] = {
            WANT("named", "/data"),
            WANT(NULL, "/data"),
            WANT(NULL, "/nothing"),
            WANT("bare", "/data", .is_nocopy = true),
        };
        if (!storage_enter(&s, filesystems[i]))
            continue;
        WORLD_RUN("mkdir -p " WORLD "/image/data/d && cd " WORLD "/image && chmod 2750 data &&"
                  " chown 5:6 data && printf x > data/f && ln data/f data/d/g");
        CHECK_FAILS(attach(&s, ID_A, wanted, 2), &s.err, ERR_INVALID);
        check_clean(&s);
        struct attachment fit[] = { wanted[0], wanted[1], wanted[2], wanted[3] };
        fit[1].destination = "/data/d";
        fit[3].destination = "/bare";
        CHECK_OK(attach(&s, ID_A, fit, 4), &s.err);
        CHECK_OK(attachment_list(&s.task, ID_A, &list, &count, &s.err), &s.err);
        CHECK_INT((int)count, 4);
        CHECK_OK(volume_get(&s.task, "named", &volume, &s.err), &s.err);
        CHECK(volume.is_seeded && strstr(volume.seeded_from, "sha256:i") != NULL);
        WORLD_RUN("test \"$(stat -c '%%u %%g %%a' %s)\" = '5 6 2750' &&"
                  " test \"$(stat -c %%h %s/f)\" = 2",
                  volume_path(&s.task, &volume), volume_path(&s.task, &volume));
        CHECK_OK(volume_get(&s.task, "bare", &volume, &s.err), &s.err);
        CHECK(!volume.is_seeded);
        check_clean(&s);
    }
}

TEST(an_existing_empty_volume_is_seeded_once)
{
    cleanup_storage struct storage s = { 0 };
    struct volume volume;
    const struct attachment wanted[] = { WANT("data", "/data") };

    if (!storage_enter(&s, "btrfs"))
        return;
    WORLD_RUN("mkdir -p " WORLD "/image/data && printf x > " WORLD "/image/data/f");
    (void)storage_volume(&s, "data", NULL);
    CHECK_OK(attach(&s, ID_A, wanted, 1), &s.err);
    storage_check_text(&s, "data", "x");
    CHECK_OK(volume_get(&s.task, "data", &volume, &s.err), &s.err);
    CHECK(volume.is_seeded);
    WORLD_RUN("rm %s/f", volume_path(&s.task, &volume));
    CHECK_OK(attach(&s, ID_B, wanted, 1), &s.err);
    WORLD_RUN("! test -e %s/f", volume_path(&s.task, &volume));
    check_clean(&s);
}

TEST(a_volume_with_contents_or_in_use_is_not_seeded)
{
    cleanup_storage struct storage s = { 0 };
    struct volume volume;
    const struct attachment full[] = { WANT("full", "/data") };
    const struct attachment used[] = { WANT("used", "/data") };

    if (!storage_enter(&s, "ext4"))
        return;
    WORLD_RUN("mkdir -p " WORLD "/image/data && printf x > " WORLD "/image/data/f");
    (void)storage_volume(&s, "full", "mine");
    CHECK_OK(attach(&s, ID_A, full, 1), &s.err);
    storage_check_text(&s, "full", "mine");
    volume = storage_volume(&s, "used", NULL);
    WORLD_RUN("mkdir " WORLD "/m && mount --bind %s " WORLD "/m", volume_path(&s.task, &volume));
    CHECK_OK(attach(&s, ID_B, used, 1), &s.err);
    WORLD_RUN("! test -e " WORLD "/m/f && umount " WORLD "/m");
    set_state(&s, ID_B, "running");
    CHECK_OK(volume_get(&s.task, "used", &volume, &s.err), &s.err);
    cleanup_fd int fd = open_image(NULL, "/data", &s.err);
    CHECK_OK(volume_seed(&s.task, &volume, fd, "i", "/data", &s.err), &s.err);
    WORLD_RUN("! test -e %s/f", volume_path(&s.task, &volume));
    check_clean(&s);
}

TEST(an_exclusive_writer_keeps_other_writers_from_starting)
{
    cleanup_storage struct storage s = { 0 };
    const struct attachment writer[] = { WANT("data", "/data") };
    const struct attachment alone[] = { WANT("data", "/data", .mode = ACCESS_EXCLUSIVE) };

    if (!storage_enter(&s, "tmpfs"))
        return;
    CHECK_OK(attach(&s, ID_A, alone, 1), &s.err);
    CHECK_OK(attach(&s, ID_B, writer, 1), &s.err);
    set_state(&s, ID_A, "running");
    CHECK_OK(attachment_check_start(&s.task, ID_A, &s.err), &s.err);
    CHECK_FAILS(attachment_check_start(&s.task, ID_B, &s.err), &s.err, ERR_CONFLICT);
    set_state(&s, ID_A, "exited");
    set_state(&s, ID_B, "running");
    CHECK_FAILS(attachment_check_start(&s.task, ID_A, &s.err), &s.err, ERR_CONFLICT);
    CHECK_OK(db_exec(s.task.db, "UPDATE attachment SET mode = 'ro' WHERE container_id = ?",
                     ARGS(TEXT(ID_B)), &s.err),
             &s.err);
    CHECK_OK(attachment_check_start(&s.task, ID_A, &s.err), &s.err);
}

TEST(subpaths_are_opened_beneath_the_volume)
{
    cleanup_storage struct storage s = { 0 };
    struct attachment_mount *mounts = NULL;
    size_t count = 0;
    struct stat st;
    struct stat expected;
    struct attachment wanted[] = { WANT("data", "/data", .subpath = "a/b"),
                                   WANT("data", "/data/x", .subpath = "new/dir",
                                        .can_create_subpath = true) };

    if (!storage_enter(&s, "btrfs"))
        return;
    struct volume volume = storage_volume(&s, "data", "x");
    WORLD_RUN("cd %s && mkdir -p a/b && ln -s /etc link && ln -s a inside",
              volume_path(&s.task, &volume));
    CHECK_OK(attach(&s, ID_A, wanted, 2), &s.err);
    CHECK_OK(attachment_open(&s.task, ID_A, &mounts, &count, &s.err), &s.err);
    CHECK_INT((int)count, 2);
    CHECK_STR(mounts[0].attachment.destination, "/data");
    CHECK_INT(fstat(mounts[0].fd, &st), 0);
    CHECK_INT(stat(arena_printf(s.task.mem, "%s/a/b", volume_path(&s.task, &volume)), &expected),
              0);
    CHECK(st.st_ino == expected.st_ino);
    attachment_close(mounts, count);
    wanted[0].subpath = "link/ssl";
    CHECK_OK(attach(&s, ID_B, wanted, 1), &s.err);
    CHECK_FAILS(attachment_open(&s.task, ID_B, &mounts, &count, &s.err), &s.err, ERR_INVALID);
    CHECK_OK(db_exec(s.task.db, "UPDATE attachment SET subpath = 'gone'", NO_ARGS, &s.err), &s.err);
    CHECK_FAILS(attachment_open(&s.task, ID_B, &mounts, &count, &s.err), &s.err, ERR_NOT_FOUND);
}

TEST(rm_v_takes_anonymous_volumes_that_nobody_else_has)
{
    cleanup_storage struct storage s = { 0 };
    struct attachment_garbage garbage;
    struct attachment *copies = NULL;
    struct volume *list = NULL;
    struct filter filter = { 0 };
    size_t count = 0;
    const struct attachment wanted[] = { WANT("named", "/a"), WANT(NULL, "/b"), WANT(NULL, "/c") };

    if (!storage_enter(&s, "tmpfs"))
        return;
    CHECK_OK(attach(&s, ID_A, wanted, 3), &s.err);
    CHECK_OK(attachment_copy(&s.task, ID_A, true, &copies, &count, &s.err), &s.err);
    CHECK_INT((int)count, 3);
    CHECK_INT((int)copies[0].mode, ACCESS_RO);
    attachment_merge(&s.task, &copies, &count, &WANT(NULL, "/c/."), 1);
    CHECK_INT((int)count, 3);
    CHECK_OK(attach(&s, ID_B, copies, count), &s.err);
    CHECK_INT(volume_list(&s.task, &filter, &list, &s.err), 4);

    CHECK_OK(attachment_delete(&s.task, ID_A, ATTACHMENT_VOLUMES_GO, &garbage, &s.err), &s.err);
    CHECK_INT((int)garbage.count, 1);
    attachment_garbage_remove(&s.task, &garbage);
    CHECK_OK(attachment_delete(&s.task, ID_B, ATTACHMENT_VOLUMES_GO, &garbage, &s.err), &s.err);
    CHECK_INT((int)garbage.count, 2);
    attachment_garbage_remove(&s.task, &garbage);
    CHECK_INT(volume_list(&s.task, &filter, &list, &s.err), 1);
    CHECK_STR(list[0].name, "named");
    check_clean(&s);
}

TEST(a_volume_made_meanwhile_by_another_is_taken_instead)
{
    cleanup_storage struct storage s = { 0 };
    struct attachment_set set = { 0 };
    const struct attachment wanted[] = { WANT("data", "/data"), WANT("data", "/again") };

    if (!storage_enter(&s, "btrfs"))
        return;
    CHECK_OK(attachment_set_plan(&s.task, wanted, 2, &set, &s.err), &s.err);
    CHECK_OK(attachment_set_build(&s.task, &set, &image, &s.err), &s.err);
    struct volume volume = storage_volume(&s, "data", "theirs");
    CHECK_OK(insert(&s, &set, ID_A), &s.err);
    attachment_set_done(&s.task, &set, true);
    CHECK_STR(set.items[0].volume_id, volume.id);
    CHECK_STR(set.items[1].volume_id, volume.id);
    storage_check_text(&s, "data", "theirs");
    check_clean(&s);
}
