/* SPDX-License-Identifier: Apache-2.0 */
/* Stacks of layers: what they show stays when they get deep, and when they are made shorter. */
#include <fcntl.h>

#include "base/sys.h"
#include "core/reconcile/reconcile.h"
#include "core/volume/volume_compact.h"
#include "core/volume/volume_data.h"
#include "lib/storage.h"

#define POOL  STATE "/pools/default"
#define DEPTH "wc -l < " POOL "/volumes/%s/stack" /* and one for the head */

static bool enter(struct storage *s, const char *filesystem)
{
    storage_default_pool = "layered";
    if (!storage_enter(s, filesystem))
        return false;
    WORLD_RUN("cat > " WORLD "/list.sh << 'END'\n"
              "cd $1 || exit\n"
              "find . -printf '%%P %%y %%m %%U %%G %%l\\n' | grep -v '^ ' | sort\n"
              "find . -type f | sort | xargs -r sha256sum\n"
              "find . | sort | xargs getfattr -h -d -m - 2> /dev/null\n"
              "find . -type f | sort | xargs -r getfacl -n 2> /dev/null\n"
              "true\nEND");
    return true;
}

static int cut(struct storage *s, const char *name)
{
    const struct snapshot_spec spec = { .name = name };
    struct snapshot snapshot;

    return snapshot_create(&s->task, "data", &spec, &snapshot, &s->err);
}

/* "data" with 'count' snapshots s1, s2 …, between which all kinds of changes were made. */
static struct volume deep(struct storage *s, int count)
{
    struct volume volume = storage_volume(s, "data", "0");

    WORLD_RUN(
        "cd %s && mkdir -p d/e gone opaque && echo x > d/e/x && echo x > opaque/x &&"
        " ln f link && chown 5:6 d && setfattr -n trusted.note -v kept f && setfacl -m u:7:r f",
        volume_path(&s->task, &volume));
    for (int i = 1; i <= count; i++) {
        char name[16];
        (void)snprintf(name, sizeof(name), "s%d", i);
        CHECK_OK(cut(s, name), &s->err);
        WORLD_RUN("cd %s && echo %d > f && echo %d > n%d && rm -f n%d && rm -rf opaque &&"
                  " mkdir opaque && echo %d > opaque/y && { test ! -d gone || rmdir gone; } &&"
                  " if [ -d d ]; then mv d m; else mv m d; fi",
                  volume_path(&s->task, &volume), i, i, i, i - 3, i);
    }
    return volume;
}

/* All that is in the volume and in its snapshots goes to a file. */
static void list_all(struct storage *s, const struct volume *volume, const char *file)
{
    const struct driver_pool *pool = NULL;
    struct snapshot *list = NULL;
    int count = snapshot_list(&s->task, "data", &list, &s->err);

    CHECK_OK(count, &s->err);
    CHECK_OK(pool_open(&s->task, volume->pool_id, &pool, &s->err), &s->err);
    WORLD_RUN("sh " WORLD "/list.sh %s > " WORLD "/%s", volume_path(&s->task, volume), file);
    for (int i = 0; i < count; i++) {
        cleanup_fd int fd = snapshot_data_open(pool, &list[i], &s->err);
        CHECK(fd >= 0);
        WORLD_RUN("sh " WORLD "/list.sh /proc/%d/fd/%d/. >> " WORLD "/%s", (int)getpid(), fd, file);
    }
}

static void check_nothing_amiss(struct storage *s)
{
    struct findings findings = { 0 };

    CHECK_OK(reconcile(&s->task, false, &findings, &s->err), &s->err);
    ck_assert_msg(findings.count == 0, "%s %s", findings.items[0].kind, findings.items[0].object);
}

TEST(layers_become_one_and_everything_shows_as_before)
{
    static const char *const filesystems[] = { "tmpfs", "ext4", "xfs" };
    cleanup_storage struct storage s = { 0 };

    for (size_t i = 0; i < ARRAY_SIZE(filesystems); i++) {
        if (!enter(&s, filesystems[i]))
            continue;
        struct volume volume = deep(&s, 14);
        list_all(&s, &volume, "before");
        CHECK_INT(volume_compact(&s.task, &volume, &s.err), 1);
        WORLD_RUN("test $(" DEPTH ") -le 9", volume.data_id);
        list_all(&s, &volume, "after");
        WORLD_RUN("diff " WORLD "/before " WORLD "/after && grep -q user:7 " WORLD "/after &&"
                  " grep -q trusted.note " WORLD "/after");
        CHECK_INT(volume_compact(&s.task, &volume, &s.err), 0);
        check_nothing_amiss(&s);
        storage_close(&s);
    }
}

TEST(layers_that_only_the_volume_has_are_kept_once)
{
    cleanup_storage struct storage s = { 0 };
    const struct snapshot_remove_spec spec = { .is_now = true };

    if (!enter(&s, "tmpfs"))
        return;
    struct volume volume = deep(&s, 14);
    for (int i = 1; i < 14; i++) {
        char name[16];
        (void)snprintf(name, sizeof(name), "s%d", i);
        CHECK_OK(snapshot_remove(&s.task, "data", name, &spec, &s.err), &s.err);
    }
    list_all(&s, &volume, "before");
    CHECK_INT(volume_compact(&s.task, &volume, &s.err), 1);
    list_all(&s, &volume, "after");
    /* s14 has all sealed ones, so that it and the volume share the new one. */
    WORLD_RUN("diff " WORLD "/before " WORLD "/after && test $(" DEPTH ") = 3 &&"
              " test $(ls -d " POOL "/layers/*-*/work | wc -l) -gt 0 &&"
              " test $(ls " POOL "/layers/*-*/ref | while read r; do"
              "  test -d ${r%%ref}work || echo $r; done | wc -l) = 1",
              volume.data_id);
    check_nothing_amiss(&s);
}

TEST(a_stack_has_an_end_and_compaction_moves_it)
{
    cleanup_storage struct storage s = { 0 };

    if (!enter(&s, "tmpfs"))
        return;
    struct volume volume = deep(&s, 21);
    CHECK_FAILS(cut(&s, "more"), &s.err, ERR_CONFLICT);
    ck_assert_msg(strstr(s.err.message, "22 layers") != NULL, "%s", s.err.message);
    WORLD_RUN("echo still > %s/f", volume_path(&s.task, &volume));
    CHECK_OK(volume_compact_due(&s.task, &s.err), &s.err);
    CHECK_OK(cut(&s, "more"), &s.err);
    check_nothing_amiss(&s);
}

TEST(layers_stay_while_somebody_has_the_volume)
{
    cleanup_storage struct storage s = { 0 };

    if (!enter(&s, "tmpfs"))
        return;
    struct volume volume = deep(&s, 13);
    WORLD_RUN("mkdir " WORLD "/bind && mount --bind %s " WORLD "/bind",
              volume_path(&s.task, &volume));
    CHECK_FAILS(volume_compact(&s.task, &volume, &s.err), &s.err, ERR_BUSY);
    CHECK_OK(volume_compact_due(&s.task, &s.err), &s.err);
    WORLD_RUN("test $(" DEPTH ") = 15", volume.data_id);
    WORLD_RUN("umount " WORLD "/bind");
    CHECK_OK(volume_compact_due(&s.task, &s.err), &s.err);
    WORLD_RUN("test $(" DEPTH ") -le 9", volume.data_id);
}
