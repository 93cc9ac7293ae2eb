/* SPDX-License-Identifier: Apache-2.0 */
/* The verbs on volumes, on real filesystems and a real database. */
#include <fcntl.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/sys.h"
#include "core/operation/event.h"
#include "core/volume/volume.h"
#include "lib/storage.h"

static int create(struct storage *s, const struct volume_spec *spec, struct volume *volume,
                  bool *is_new)
{
    enum cost cost;

    return volume_create(&s->task, spec, volume, is_new, &cost, &s->err);
}

TEST(volume_create_makes_a_directory_and_says_so_once)
{
    cleanup_storage struct storage s = { 0 };
    struct volume_spec spec = VOLUME_SPEC_EMPTY;
    struct volume volume;
    struct volume again;
    struct event *events = NULL;
    struct stat st;
    bool is_new = false;

    if (!storage_enter(&s, "ext4"))
        return;
    spec.name = "data";
    CHECK_OK(create(&s, &spec, &volume, &is_new), &s.err);
    CHECK(is_new);
    CHECK_INT(stat(volume_path(&s.task, &volume), &st), 0);
    CHECK_INT((int)(st.st_mode & 07777), 0755);
    CHECK_OK(create(&s, &spec, &again, &is_new), &s.err);
    CHECK(!is_new);
    CHECK_STR(again.id, volume.id);
    int count = event_list(&s.task, 0, 100, &events, &s.err);
    CHECK_STR(events[count - 1].action, "create");
    CHECK_STR(events[count - 1].object_id, "data");
    CHECK_STR(pairs_get(&events[count - 1].attributes, "driver"), "local");
    CHECK_STR(events[count - 2].type, "pool");
}

TEST(volume_create_sets_owner_and_mode_whatever_the_umask)
{
    cleanup_storage struct storage s = { 0 };
    struct volume_spec spec = VOLUME_SPEC_EMPTY;
    struct volume volume;
    struct stat st;
    bool is_new = false;

    if (!storage_enter(&s, "tmpfs"))
        return;
    (void)umask(077);
    spec.name = "plain";
    CHECK_OK(create(&s, &spec, &volume, &is_new), &s.err);
    CHECK_INT(stat(volume_path(&s.task, &volume), &st), 0);
    CHECK_INT((int)(st.st_mode & 07777), 0755);
    spec.name = "shaped";
    spec.uid = 1000;
    pairs_set(&spec.options, s.task.mem, "gid", "7");
    pairs_set(&spec.options, s.task.mem, "mode", "2770");
    CHECK_OK(create(&s, &spec, &volume, &is_new), &s.err);
    CHECK_INT(stat(volume_path(&s.task, &volume), &st), 0);
    CHECK_INT((int)(st.st_mode & 07777), 02770);
    CHECK_INT((int)st.st_uid, 1000);
    CHECK_INT((int)st.st_gid, 7);
    CHECK_OK(create(&s, &spec, &volume, &is_new), &s.err);
    CHECK(!is_new);
    spec.uid = 1001;
    CHECK_FAILS(create(&s, &spec, &volume, &is_new), &s.err, ERR_CONFLICT);
}

TEST(volume_create_refuses_as_dockerd_does)
{
    cleanup_storage struct storage s = { 0 };
    struct volume volume;
    struct volume *list = NULL;
    bool is_new = false;

    static const struct {
        const char *key;
        const char *value;
        enum error_code code;
        const char *text;
    } bad[] = {
        { "bogus", "1", ERR_INVALID, "create vv: invalid option: \"bogus\"" },
        { "device", "/x", ERR_INVALID, "create vv: missing required option: \"type\"" },
        { "type", "nfs", ERR_INVALID, "create vv: missing required option: \"device\"" },
        { "size", "10M", ERR_UNSUPPORTED, NULL },
        { "uid", "-1", ERR_INVALID, "invalid uid: '-1'" },
        { "mode", "9", ERR_INVALID, "invalid mode: '9'" },
        { "pool", "nowhere", ERR_NOT_FOUND, "no such pool: nowhere" },
        { "nocow", "true", ERR_UNSUPPORTED, NULL },
        { "from", "nowhere", ERR_NOT_FOUND, "get nowhere: no such volume" },
    };

    if (!storage_enter(&s, "ext4"))
        return;
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        struct volume_spec spec = VOLUME_SPEC_EMPTY;
        spec.name = "vv";
        pairs_set(&spec.options, s.task.mem, bad[i].key, bad[i].value);
        CHECK_FAILS(create(&s, &spec, &volume, &is_new), &s.err, bad[i].code);
        if (bad[i].text != NULL)
            CHECK_STR(s.err.message, bad[i].text);
    }
    struct volume_spec spec = VOLUME_SPEC_EMPTY;
    spec.name = "a/b";
    CHECK_FAILS(create(&s, &spec, &volume, &is_new), &s.err, ERR_INVALID);
    spec.name = "vv";
    spec.driver = "nosuch";
    CHECK_FAILS(create(&s, &spec, &volume, &is_new), &s.err, ERR_NOT_FOUND);
    CHECK_INT(volume_list(&s.task, &(struct filter){ 0 }, &list, &s.err), 0);
}

TEST(anonymous_volumes_are_a_stored_fact)
{
    cleanup_storage struct storage s = { 0 };
    struct volume_spec spec = VOLUME_SPEC_EMPTY;
    struct volume volume;
    bool is_new = false;

    if (!storage_enter(&s, "tmpfs"))
        return;
    CHECK_OK(create(&s, &spec, &volume, &is_new), &s.err);
    CHECK_OK(volume_get(&s.task, volume.name, &volume, &s.err), &s.err);
    CHECK(volume.is_anonymous);
    CHECK_INT((int)strlen(volume.name), 64);
    CHECK(pairs_get(&volume.labels, "com.docker.volume.anonymous") != NULL);
}

TEST(volume_remove_takes_row_and_data)
{
    cleanup_storage struct storage s = { 0 };
    struct volume_remove_spec spec = { 0 };
    struct volume volume;

    if (!storage_enter(&s, "btrfs"))
        return;
    volume = storage_volume(&s, "data", "x");
    const char *path = volume_path(&s.task, &volume);
    CHECK_OK(volume_protect(&s.task, "data", true, &s.err), &s.err);
    CHECK_FAILS(volume_remove(&s.task, "data", &spec, &s.err), &s.err, ERR_CONFLICT);
    CHECK_OK(volume_protect(&s.task, "data", false, &s.err), &s.err);
    spec.is_dry_run = true;
    CHECK_OK(volume_remove(&s.task, "data", &spec, &s.err), &s.err);
    CHECK_OK(volume_get(&s.task, "data", &volume, &s.err), &s.err);
    spec.is_dry_run = false;
    CHECK_OK(volume_remove(&s.task, "data", &spec, &s.err), &s.err);
    CHECK_FAILS(volume_get(&s.task, "data", &volume, &s.err), &s.err, ERR_NOT_FOUND);
    CHECK_STR(s.err.message, "get data: no such volume");
    CHECK_FAILS(volume_remove(&s.task, "data", &spec, &s.err), &s.err, ERR_NOT_FOUND);
    spec.force = true;
    CHECK_OK(volume_remove(&s.task, "data", &spec, &s.err), &s.err);
    WORLD_RUN("! test -e %s", path);
}

TEST(volume_remove_refuses_what_is_mounted_and_names_it)
{
    cleanup_storage struct storage s = { 0 };
    struct volume_remove_spec spec = { 0 };
    struct volume volume;
    bool is_mounted = false;

    if (!storage_enter(&s, "ext4"))
        return;
    volume = storage_volume(&s, "data", "x");
    WORLD_RUN("mkdir -p %s/sub " WORLD "/m && mount --bind %s/sub " WORLD "/m",
              volume_path(&s.task, &volume), volume_path(&s.task, &volume));
    CHECK_OK(volume_is_mounted(&s.task, &volume, &is_mounted, &s.err), &s.err);
    CHECK(is_mounted);
    CHECK_FAILS(volume_remove(&s.task, "data", &spec, &s.err), &s.err, ERR_BUSY);
    CHECK(strstr(s.err.message, WORLD "/m") != NULL);
    WORLD_RUN("umount " WORLD "/m");
    CHECK_OK(volume_remove(&s.task, "data", &spec, &s.err), &s.err);
}

TEST(volume_remove_names_the_containers_that_refer_to_it)
{
    cleanup_storage struct storage s = { 0 };
    struct volume_remove_spec spec = { 0 };
    struct volume volume;

    if (!storage_enter(&s, "tmpfs"))
        return;
    volume = storage_volume(&s, "data", "x");
    CHECK_OK(db_exec(s.task.db,
                     "INSERT INTO container (id, name, image_id, image_name, state, config,"
                     " host_config, path, created_ns) VALUES (?, 'c', 'i', 'i', 'exited', '{}',"
                     " '{}', 'p', 1)",
                     ARGS(TEXT("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa")),
                     &s.err),
             &s.err);
    CHECK_OK(db_exec(s.task.db,
                     "INSERT INTO attachment (container_id, destination, volume_id, mode)"
                     " SELECT id, '/d', ?, 'rw' FROM container",
                     ARGS(TEXT(volume.id)), &s.err),
             &s.err);
    CHECK_FAILS(volume_remove(&s.task, "data", &spec, &s.err), &s.err, ERR_CONFLICT);
    CHECK_STR(s.err.message, "remove data: volume is in use - "
                             "[aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa]");
    CHECK_OK(volume_rename(&s.task, "data", "other", &s.err), &s.err);
    CHECK_FAILS(volume_remove(&s.task, "other", &spec, &s.err), &s.err, ERR_CONFLICT);
}

TEST(volume_rename_and_label_change_the_row_alone)
{
    cleanup_storage struct storage s = { 0 };
    struct volume volume;
    struct pairs set = { 0 };
    static const char *const remove[] = { "old", NULL };

    if (!storage_enter(&s, "tmpfs"))
        return;
    (void)storage_volume(&s, "data", "x");
    (void)storage_volume(&s, "taken", "y");
    CHECK_FAILS(volume_rename(&s.task, "data", "taken", &s.err), &s.err, ERR_EXISTS);
    CHECK_OK(volume_rename(&s.task, "data", "moved", &s.err), &s.err);
    storage_check_text(&s, "moved", "x");
    pairs_set(&set, s.task.mem, "old", "1");
    pairs_set(&set, s.task.mem, "a", "1");
    CHECK_OK(volume_label(&s.task, "moved", &set, NULL, &s.err), &s.err);
    pairs_set(&set, s.task.mem, "a", "2");
    pairs_remove(&set, "old");
    CHECK_OK(volume_label(&s.task, "moved", &set, remove, &s.err), &s.err);
    CHECK_OK(volume_get(&s.task, "moved", &volume, &s.err), &s.err);
    CHECK(pairs_equal(&volume.labels, &set));
}

TEST(volume_prune_takes_anonymous_ones_and_leaves_what_is_used)
{
    cleanup_storage struct storage s = { 0 };
    struct volume_spec spec = VOLUME_SPEC_EMPTY;
    struct volume volume;
    struct prune_result result;
    struct filter filter = { 0 };
    bool is_new = false;

    if (!storage_enter(&s, "ext4"))
        return;
    (void)storage_volume(&s, "named", "x");
    CHECK_OK(create(&s, &spec, &volume, &is_new), &s.err);
    WORLD_RUN("dd if=/dev/zero of=%s/big bs=64k count=16 status=none && sync",
              volume_path(&s.task, &volume));
    CHECK_OK(volume_prune(&s.task, &filter, &(struct volume_prune_spec){ .is_dry_run = true },
                          &result, &s.err),
             &s.err);
    CHECK_INT((int)result.count, 1);
    CHECK_OK(volume_get(&s.task, volume.name, &volume, &s.err), &s.err);
    CHECK_OK(volume_prune(&s.task, &filter, &(struct volume_prune_spec){ .is_dry_run = false },
                          &result, &s.err),
             &s.err);
    CHECK_INT((int)result.count, 1);
    CHECK_STR(result.names[0], volume.name);
    CHECK(result.reclaimed_bytes >= 1024 * 1024);
    CHECK_FAILS(volume_get(&s.task, volume.name, &volume, &s.err), &s.err, ERR_NOT_FOUND);
    filter = (struct filter){ 1, (struct filter_term[]){ { "all", "true" } } };
    CHECK_OK(volume_prune(&s.task, &filter, &(struct volume_prune_spec){ .is_dry_run = false },
                          &result, &s.err),
             &s.err);
    CHECK_INT((int)result.count, 1);
    CHECK_STR(result.names[0], "named");
}

TEST(volume_list_filters)
{
    cleanup_storage struct storage s = { 0 };
    struct volume *list = NULL;
    struct filter filter = { 0 };

    if (!storage_enter(&s, "tmpfs"))
        return;
    (void)storage_volume(&s, "alpha", NULL);
    (void)storage_volume(&s, "beta", NULL);
    CHECK_INT(volume_list(&s.task, &filter, &list, &s.err), 2);
    filter = (struct filter){ 1, (struct filter_term[]){ { "name", "lph" } } };
    CHECK_INT(volume_list(&s.task, &filter, &list, &s.err), 1);
    CHECK_STR(list[0].name, "alpha");
    filter = (struct filter){ 1, (struct filter_term[]){ { "dangling", "true" } } };
    CHECK_INT(volume_list(&s.task, &filter, &list, &s.err), 2);
    filter = (struct filter){ 1, (struct filter_term[]){ { "dangling", "false" } } };
    CHECK_INT(volume_list(&s.task, &filter, &list, &s.err), 0);
}

TEST(foreign_volumes_are_mounted_on_use)
{
    cleanup_storage struct storage s = { 0 };
    struct volume_spec spec = VOLUME_SPEC_EMPTY;
    struct volume_remove_spec remove = { 0 };
    struct volume volume;
    bool is_new = false;

    if (!storage_enter(&s, "ext4"))
        return;
    WORLD_RUN("mkdir " WORLD "/host && echo there > " WORLD "/host/f");
    spec.name = "bound";
    pairs_set(&spec.options, s.task.mem, "type", "none");
    pairs_set(&spec.options, s.task.mem, "device", WORLD "/host");
    pairs_set(&spec.options, s.task.mem, "o", "bind");
    CHECK_OK(create(&s, &spec, &volume, &is_new), &s.err);
    WORLD_RUN("! test -e %s/f", volume_path(&s.task, &volume));
    cleanup_fd int fd = volume_open(&s.task, &volume, &s.err);
    CHECK_OK(fd, &s.err);
    CHECK(faccessat(fd, "f", R_OK, 0) == 0);
    sys_close_fd(&fd);
    CHECK_OK(volume_remove(&s.task, "bound", &remove, &s.err), &s.err);
    WORLD_RUN("test -e " WORLD "/host/f");
    spec.options.count = 0;
    pairs_set(&spec.options, s.task.mem, "type", "tmpfs");
    pairs_set(&spec.options, s.task.mem, "device", "tmpfs");
    pairs_set(&spec.options, s.task.mem, "o", "size=1m,uid=1000");
    CHECK_OK(create(&s, &spec, &volume, &is_new), &s.err);
    fd = volume_open(&s.task, &volume, &s.err);
    CHECK_OK(fd, &s.err);
    WORLD_RUN("findmnt -n -o FSTYPE %s | grep -q tmpfs", volume_path(&s.task, &volume));
}

TEST(usage_counts_hard_links_once_and_holes_not)
{
    cleanup_storage struct storage s = { 0 };
    struct volume volume;
    struct usage usage;

    if (!storage_enter(&s, "ext4"))
        return;
    volume = storage_volume(&s, "data", NULL);
    WORLD_RUN("cd %s && dd if=/dev/zero of=a bs=4k count=4 status=none && ln a b &&"
              " truncate -s 1M hole && mkdir d && sync",
              volume_path(&s.task, &volume));
    CHECK_OK(volume_usage(&s.task, &volume, &usage, &s.err), &s.err);
    CHECK_INT((int)usage.apparent_bytes, 16384 + 1048576);
    CHECK(usage.used_bytes > 16384 && usage.used_bytes <= 16384 + 4096);
    CHECK_INT((int)usage.files, 3);
}
