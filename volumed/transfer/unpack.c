/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The walk over an archive's entries: what each becomes, what it replaces, whiteouts.  Names are
 * place.c's, attributes are attributes.c's.
 */
#include "transfer/unpack.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/sys.h"
#include "transfer/attributes.h"
#include "transfer/mark.h"
#include "transfer/place.h"
#include "transfer/reader.h"

#define WHITEOUT_PREFIX ".wh."
#define WHITEOUT_OPAQUE ".wh..wh..opq"
#define WHITEOUT_META   ".wh..wh."
#define WHITEOUT_DEVICE makedev(0, 0)
#define REPLACING       ".volumed-replacing" /* in the way of no other: one entry at a time */

/* A directory's times are set when nothing is put into it any more. */
struct late_times {
    struct late_times *next;
    struct archive_entry *times;
    char path[];
};

struct unpack {
    struct confined *run;
    const struct unpack_rules *rules;
    struct archive *tar;
    struct place place;
    const char *name; /* of the present entry in the working directory */
    const char *mark; /* MARK_…, or "" */
    struct late_times *late;
    struct unpack_result result;
};

typedef int (*make_fn)(struct unpack *unpack, struct archive_entry *entry);

static int unpack_all(struct unpack *unpack, struct error *err);
static int unpack_entry(struct unpack *unpack, struct archive_entry *entry, struct error *err);
static int unpack_root(struct unpack *unpack, struct archive_entry *entry, struct error *err);
static int read_mark(struct unpack *unpack, struct archive_entry *entry, struct error *err);
static int unpack_named(struct unpack *unpack, struct archive_entry *entry, struct error *err);
static bool is_whiteout(const struct unpack *unpack);
static int unpack_whiteout(struct unpack *unpack, struct error *err);
static int mark_opaque(struct unpack *unpack, const char *name, struct error *err);
static int unpack_directory(struct unpack *unpack, struct archive_entry *entry, struct error *err);
static void keep_times(struct unpack *unpack, struct archive_entry *entry);
static int set_late_times(struct unpack *unpack, struct error *err);
static int unpack_file(struct unpack *unpack, struct archive_entry *entry, struct error *err);
static int fill_file(struct unpack *unpack, int fd, struct archive_entry *entry, struct error *err);
static int patch_file(struct unpack *unpack, struct archive_entry *entry, struct error *err);
static int end_file(struct unpack *unpack, int fd, struct archive_entry *entry, struct error *err);
static int open_file(const char *name);
static int clear_way_for_file(struct unpack *unpack, bool *is_file, struct error *err);
static int unpack_other(struct unpack *unpack, struct archive_entry *entry, struct error *err);
static make_fn find_maker(const struct unpack *unpack, struct archive_entry *entry);
static int make_link(struct unpack *unpack, struct archive_entry *entry);
static int make_symlink(struct unpack *unpack, struct archive_entry *entry);
static int make_special(struct unpack *unpack, struct archive_entry *entry);
static int make(struct unpack *unpack, struct archive_entry *entry, make_fn maker,
                struct error *err);
static int clear_way(struct unpack *unpack, bool is_for_dir, struct error *err);
static int set_attributes(struct unpack *unpack, const struct file *file,
                          struct archive_entry *entry, struct error *err);

int unpack_tar(struct confined *run, int root_fd, const struct unpack_rules *rules,
               struct inflate *source, struct unpack_result *result, struct error *err)
{
    cleanup_reader struct reader reader = { 0 };
    struct unpack work = { .run = run,
                           .rules = rules,
                           .place = { .root_fd = root_fd, .base = rules->below } };

    if (reader_open(&reader, source, err) < 0)
        return -1;
    work.tar = reader.tar;
    int rc = unpack_all(&work, err);
    if (rc >= 0)
        rc = set_late_times(&work, err);
    for (struct late_times *late = work.late, *next; late != NULL; late = next) {
        next = late->next;
        archive_entry_free(late->times);
        free(late);
    }
    if (rc < 0)
        return -1;
    *result = work.result;
    return 0;
}

static int unpack_all(struct unpack *unpack, struct error *err)
{
    struct archive_entry *entry;

    for (;;) {
        int got = reader_next(unpack->tar, &entry, err);
        if (got <= 0)
            return got;
        if (++unpack->result.entries > unpack->rules->entries_max)
            return fail(err, ERR_INVALID, "the archive has more than %lld entries",
                        (long long)unpack->rules->entries_max);
        if (unpack_entry(unpack, entry, err) < 0) {
            if (err->code == ERR_NOT_FOUND || err->code == ERR_EXISTS)
                err->code = ERR_INVALID; /* what the archive lacks, not what the client asks for */
            return error_prefix(err, "entry '%.200s'", archive_entry_pathname(entry));
        }
    }
}

static int unpack_entry(struct unpack *unpack, struct archive_entry *entry, struct error *err)
{
    if (place_clean(&unpack->place, archive_entry_pathname(entry), unpack->place.path, err) < 0)
        return -1;
    if (strcmp(unpack->place.path, unpack->place.base) == 0)
        return unpack_root(unpack, entry, err);
    unpack->name = place_enter(&unpack->place, err);
    if (unpack->name == NULL || read_mark(unpack, entry, err) < 0)
        return -1;
    if (strcmp(unpack->mark, MARK_REMOVED) == 0)
        return clear_way(unpack, false, err);
    return is_whiteout(unpack) ? unpack_whiteout(unpack, err) : unpack_named(unpack, entry, err);
}

/* The root itself is there already; a layer may say what it is to look like. */
static int unpack_root(struct unpack *unpack, struct archive_entry *entry, struct error *err)
{
    struct file root = { .fd = unpack->place.root_fd };

    if (archive_entry_hardlink(entry) != NULL || archive_entry_filetype(entry) != AE_IFDIR)
        return fail(err, ERR_INVALID, "the root can only be a directory");
    if (!unpack->rules->has_whiteouts && !unpack->rules->is_exact)
        return 0;
    keep_times(unpack, entry);
    return set_attributes(unpack, &root, entry, err);
}

/* What tar has no word for.  Its names are those of mark.h, and others mean nothing. */
static int read_mark(struct unpack *unpack, struct archive_entry *entry, struct error *err)
{
    static const char *const marks[] = { MARK_REMOVED, MARK_PATCHED, MARK_SOCKET };
    const char *name;
    const void *value;
    size_t size;

    unpack->mark = "";
    (void)archive_entry_xattr_reset(entry); /* returns a count */
    while (archive_entry_xattr_next(entry, &name, &value, &size) == ARCHIVE_OK) {
        if (!unpack->rules->is_exact || strcmp(name, MARK_NAME) != 0)
            continue;
        for (size_t i = 0; i < ARRAY_SIZE(marks); i++)
            if (strlen(marks[i]) == size && memcmp(marks[i], value, size) == 0)
                unpack->mark = marks[i];
        return unpack->mark[0] != '\0' ? 0 : fail(err, ERR_INVALID, "its mark is unknown");
    }
    return 0;
}

static int unpack_named(struct unpack *unpack, struct archive_entry *entry, struct error *err)
{
    if (archive_entry_hardlink(entry) == NULL && archive_entry_filetype(entry) == AE_IFDIR)
        return unpack_directory(unpack, entry, err);
    if (archive_entry_hardlink(entry) == NULL && archive_entry_filetype(entry) == AE_IFREG)
        return unpack_file(unpack, entry, err);
    return unpack_other(unpack, entry, err);
}

static bool is_whiteout(const struct unpack *unpack)
{
    return unpack->rules->has_whiteouts &&
           strncmp(unpack->name, WHITEOUT_PREFIX, strlen(WHITEOUT_PREFIX)) == 0;
}

/*
 * A whiteout hides what lies in layers below, never what this layer itself holds: there it makes a
 * directory opaque, and means nothing to a file.
 */
static int unpack_whiteout(struct unpack *unpack, struct error *err)
{
    const char *hidden = unpack->name + strlen(WHITEOUT_PREFIX);
    struct stat st;

    if (strcmp(unpack->name, WHITEOUT_OPAQUE) == 0)
        return mark_opaque(unpack, NULL, err);
    if (strncmp(unpack->name, WHITEOUT_META, strlen(WHITEOUT_META)) == 0)
        return 0; /* aufs's own, of no meaning elsewhere */
    if (*hidden == '\0' || strcmp(hidden, ".") == 0 || strcmp(hidden, "..") == 0)
        return fail(err, ERR_INVALID, "a whiteout of nothing");
    int rc = sys_fstatat(AT_FDCWD, hidden, &st, AT_SYMLINK_NOFOLLOW);
    if (rc == 0)
        return S_ISDIR(st.st_mode) ? mark_opaque(unpack, hidden, err) : 0;
    if (rc == -ENOENT)
        rc = sys_mknodat(AT_FDCWD, hidden, S_IFCHR, WHITEOUT_DEVICE);
    return rc < 0 ? fail_sys(err, rc, "cannot make the whiteout") : 0;
}

/* Our root is the tree's, so the working directory's own path holds no link. */
static int mark_opaque(struct unpack *unpack, const char *name, struct error *err)
{
    char path[PATH_MAX];
    char whole[PATH_MAX + NAME_MAX + 2];

    if (getcwd(path, sizeof(path)) == NULL)
        return fail_sys(err, -errno, "cannot tell where it is");
    (void)snprintf(whole, sizeof(whole), "%s/%s", path, name != NULL ? name : ""); /* fits */
    report_add(unpack->run, "opaque", whole);
    return 0;
}

static int unpack_directory(struct unpack *unpack, struct archive_entry *entry, struct error *err)
{
    struct stat st;
    int rc = sys_mkdirat(AT_FDCWD, unpack->name, 0700);

    if (rc == -EEXIST) {
        rc = sys_fstatat(AT_FDCWD, unpack->name, &st, AT_SYMLINK_NOFOLLOW);
        if (rc == 0 && !S_ISDIR(st.st_mode)) {
            if (clear_way(unpack, true, err) < 0)
                return -1;
            rc = sys_mkdirat(AT_FDCWD, unpack->name, 0700);
        }
    }
    if (rc < 0)
        return fail_sys(err, rc, "cannot make the directory");
    if (!unpack->rules->has_attributes)
        return 0;
    cleanup_fd int fd = sys_openat(AT_FDCWD, unpack->name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);
    if (fd < 0)
        return fail_sys(err, fd, "cannot open the directory");
    struct file directory = { .fd = fd };
    keep_times(unpack, entry);
    return set_attributes(unpack, &directory, entry, err);
}

static void keep_times(struct unpack *unpack, struct archive_entry *entry)
{
    size_t size = strlen(unpack->place.path) + 1;
    struct late_times *late = mem_alloc(sizeof(*late) + size);

    memcpy(late->path, unpack->place.path, size);
    late->times = archive_entry_clone(entry);
    late->next = unpack->late;
    unpack->late = late;
}

static int set_late_times(struct unpack *unpack, struct error *err)
{
    for (const struct late_times *late = unpack->late; late != NULL; late = late->next) {
        cleanup_fd int fd = place_open(&unpack->place, late->path, O_RDONLY | O_DIRECTORY);
        struct file directory = { .fd = fd };
        if (fd < 0) /* replaced by a later entry */
            continue;
        if (attributes_set_times(&directory, late->times, err) < 0)
            return error_prefix(err, "entry '%.200s'", late->path);
    }
    return 0;
}

/* What another file is replaced with is built beside it, so that one that finds no room leaves the
 * other as it was. */
static int unpack_file(struct unpack *unpack, struct archive_entry *entry, struct error *err)
{
    const char *building = unpack->name;

    if (strcmp(unpack->mark, MARK_PATCHED) == 0)
        return patch_file(unpack, entry, err);
    cleanup_fd int fd = open_file(building);

    if (fd == -EEXIST) {
        bool is_file = false;
        if (clear_way_for_file(unpack, &is_file, err) < 0)
            return -1;
        building = is_file ? REPLACING : unpack->name;
        if (is_file)
            (void)sys_unlinkat(AT_FDCWD, building, 0); /* of one that was killed */
        fd = open_file(building);
    }
    if (fd < 0)
        return fail_sys(err, fd, "cannot make the file");
    int rc = fill_file(unpack, fd, entry, err);
    if (rc == 0 && building != unpack->name) {
        int moved = sys_renameat2(AT_FDCWD, building, AT_FDCWD, unpack->name, 0);
        rc = moved < 0 ? fail_sys(err, moved, "cannot put the file in place") : 0;
    }
    if (rc < 0)
        (void)sys_unlinkat(AT_FDCWD, building, 0); /* the failure is what counts */
    return rc;
}

static int fill_file(struct unpack *unpack, int fd, struct archive_entry *entry, struct error *err)
{
    return reader_save(unpack->tar, fd, archive_entry_size(entry), err) < 0
               ? -1
               : end_file(unpack, fd, entry, err);
}

/* After its data. */
static int end_file(struct unpack *unpack, int fd, struct archive_entry *entry, struct error *err)
{
    unpack->result.bytes += archive_entry_size(entry);
    if (!unpack->rules->has_attributes)
        return 0;
    struct file file = { .fd = fd };
    if (set_attributes(unpack, &file, entry, err) < 0)
        return -1;
    return attributes_set_times(&file, entry, err);
}

static int patch_file(struct unpack *unpack, struct archive_entry *entry, struct error *err)
{
    struct stat st;
    cleanup_fd int fd =
        sys_openat(AT_FDCWD, unpack->name, O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY, 0);

    if (fd < 0 || fstat(fd, &st) < 0)
        return fail_sys(err, fd < 0 ? fd : -errno, "cannot open the file that it changes");
    if (!S_ISREG(st.st_mode))
        return fail(err, ERR_INVALID, "what it changes is no file");
    return reader_patch(unpack->tar, fd, archive_entry_size(entry), err) < 0
               ? -1
               : end_file(unpack, fd, entry, err);
}

/* Its mode comes with its attributes. */
static int open_file(const char *name)
{
    return sys_openat(AT_FDCWD, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0600);
}

/* A file stays until the new one is whole. */
static int clear_way_for_file(struct unpack *unpack, bool *is_file, struct error *err)
{
    struct stat st;

    *is_file = !unpack->rules->is_exact && /* whose names are all another's */
               sys_fstatat(AT_FDCWD, unpack->name, &st, AT_SYMLINK_NOFOLLOW) >= 0 &&
               S_ISREG(st.st_mode);
    return *is_file ? 0 : clear_way(unpack, false, err);
}

static int unpack_other(struct unpack *unpack, struct archive_entry *entry, struct error *err)
{
    struct file file = { .fd = -1, .name = unpack->name };
    make_fn maker = find_maker(unpack, entry);

    if (maker == NULL)
        return fail(err, ERR_INVALID, "its kind has no place in this archive");
    if (maker == make_special && unpack->rules->has_whiteouts &&
        archive_entry_filetype(entry) == AE_IFCHR && archive_entry_rdev(entry) == WHITEOUT_DEVICE)
        return fail(err, ERR_INVALID, "a device 0:0 is a whiteout of the disk's, not of archives");
    if (make(unpack, entry, maker, err) < 0)
        return -1;
    if (maker == make_link || !unpack->rules->has_attributes)
        return 0; /* a link shares the attributes of what it links */
    if (set_attributes(unpack, &file, entry, err) < 0)
        return -1;
    return attributes_set_times(&file, entry, err);
}

static make_fn find_maker(const struct unpack *unpack, struct archive_entry *entry)
{
    if (archive_entry_hardlink(entry) != NULL)
        return make_link;
    switch (archive_entry_filetype(entry)) {
    case AE_IFLNK: return make_symlink;
    case AE_IFCHR:
    case AE_IFBLK:
    case AE_IFIFO: return unpack->rules->has_attributes ? make_special : NULL;
    default: return NULL;
    }
}

static int make(struct unpack *unpack, struct archive_entry *entry, make_fn maker,
                struct error *err)
{
    int rc = maker(unpack, entry);

    if (rc == -EEXIST) {
        if (clear_way(unpack, false, err) < 0)
            return -1;
        rc = maker(unpack, entry);
    }
    if (rc < 0 && maker == make_link)
        return fail_sys(err, rc, "cannot link it to '%.200s'", archive_entry_hardlink(entry));
    return rc < 0 ? fail_sys(err, rc, "cannot make it") : 0;
}

/* The target is named from the archive's root, and looked up inside it like any entry. */
static int make_link(struct unpack *unpack, struct archive_entry *entry)
{
    char target[PATH_MAX];
    struct error err;

    if (place_clean(&unpack->place, archive_entry_hardlink(entry), target, &err) < 0 ||
        target[0] == '\0')
        return -EXDEV;
    return place_link(&unpack->place, target, unpack->name);
}

static int make_symlink(struct unpack *unpack, struct archive_entry *entry)
{
    return sys_symlinkat(archive_entry_symlink(entry), AT_FDCWD, unpack->name);
}

static int make_special(struct unpack *unpack, struct archive_entry *entry)
{
    bool is_socket = strcmp(unpack->mark, MARK_SOCKET) == 0;
    mode_t kind = is_socket ? S_IFSOCK : archive_entry_filetype(entry);

    return sys_mknodat(AT_FDCWD, unpack->name, kind | archive_entry_perm(entry),
                       archive_entry_rdev(entry));
}

/* Removes what has the entry's name. */
static int clear_way(struct unpack *unpack, bool is_for_dir, struct error *err)
{
    struct stat st;
    int rc = sys_fstatat(AT_FDCWD, unpack->name, &st, AT_SYMLINK_NOFOLLOW);

    if (rc < 0)
        return fail_sys(err, rc, "cannot look at what is there");
    bool is_dir = S_ISDIR(st.st_mode);
    if (unpack->rules->is_no_overwrite_dir_non_dir && is_dir != is_for_dir)
        return fail(err, ERR_INVALID, "cannot overwrite %s with %s",
                    is_dir ? "directory" : "non-directory",
                    is_for_dir ? "directory" : "non-directory");
    if (unpack->rules->has_whiteouts && is_for_dir && S_ISCHR(st.st_mode) &&
        st.st_rdev == WHITEOUT_DEVICE && mark_opaque(unpack, unpack->name, err) < 0)
        return -1;
    place_forget(&unpack->place);
    return fs_remove_tree(AT_FDCWD, unpack->name, err);
}

static int set_attributes(struct unpack *unpack, const struct file *file,
                          struct archive_entry *entry, struct error *err)
{
    const struct unpack_rules *rules = unpack->rules;
    uid_t uid = rules->is_owned ? rules->uid : (uid_t)archive_entry_uid(entry);
    gid_t gid = rules->is_owned ? rules->gid : (gid_t)archive_entry_gid(entry);

    if (rules->is_exact && attributes_keep_only(file, entry, err) < 0)
        return -1;
    if (attributes_set(file, entry, uid, gid, err) < 0)
        return -1;
    if (!rules->is_exact || file->fd >= 0 || archive_entry_filetype(entry) == AE_IFLNK)
        return 0;
    /* A default ACL and the change of the owner have taken from the mode that it was made with. */
    int rc = sys_fchmodat(AT_FDCWD, file->name, archive_entry_perm(entry));
    return rc < 0 ? fail_sys(err, rc, "cannot set its mode") : 0;
}
