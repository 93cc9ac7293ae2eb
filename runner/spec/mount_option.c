/* SPDX-License-Identifier: Apache-2.0 */
/* The tables of options. */
#include "runner/spec/mount_option.h"

#include <string.h>
#include <sys/mount.h>

#include "base/base.h"

#ifndef MOUNT_ATTR_NOSYMFOLLOW
#define MOUNT_ATTR_NOSYMFOLLOW 0x00200000
#endif

/* Flags of a mount; each has a recursive twin with an 'r' before its name. */
static const struct {
    const char *name;
    uint64_t set;
    uint64_t clear;
} attributes[] = {
    { "ro", MOUNT_ATTR_RDONLY, 0 },
    { "rw", 0, MOUNT_ATTR_RDONLY },
    { "nosuid", MOUNT_ATTR_NOSUID, 0 },
    { "suid", 0, MOUNT_ATTR_NOSUID },
    { "nodev", MOUNT_ATTR_NODEV, 0 },
    { "dev", 0, MOUNT_ATTR_NODEV },
    { "noexec", MOUNT_ATTR_NOEXEC, 0 },
    { "exec", 0, MOUNT_ATTR_NOEXEC },
    { "nodiratime", MOUNT_ATTR_NODIRATIME, 0 },
    { "diratime", 0, MOUNT_ATTR_NODIRATIME },
    { "noatime", MOUNT_ATTR_NOATIME, MOUNT_ATTR__ATIME },
    { "relatime", MOUNT_ATTR_RELATIME, MOUNT_ATTR__ATIME },
    { "norelatime", MOUNT_ATTR_RELATIME, MOUNT_ATTR__ATIME },
    { "strictatime", MOUNT_ATTR_STRICTATIME, MOUNT_ATTR__ATIME },
    { "nostrictatime", MOUNT_ATTR_RELATIME, MOUNT_ATTR__ATIME },
    { "atime", MOUNT_ATTR_RELATIME, MOUNT_ATTR__ATIME },
    { "nosymfollow", MOUNT_ATTR_NOSYMFOLLOW, 0 },
    { "symfollow", 0, MOUNT_ATTR_NOSYMFOLLOW },
};

static const struct {
    const char *name;
    uint64_t flag;
} propagations[] = {
    { "private", MS_PRIVATE },
    { "shared", MS_SHARED },
    { "slave", MS_SLAVE },
    { "unbindable", MS_UNBINDABLE },
};

/* What decides the kind of mount. */
static const struct {
    const char *name;
    size_t offset; /* of a bool in struct mount_options */
} kinds[] = {
    { "bind", offsetof(struct mount_options, is_bind) },
    { "rbind", offsetof(struct mount_options, is_recursive) },
    { "idmap", offsetof(struct mount_options, is_idmapped) },
    { "ridmap", offsetof(struct mount_options, is_idmapped_recursively) },
    { "tmpcopyup", offsetof(struct mount_options, copies_up) },
    { "nofail", offsetof(struct mount_options, is_optional) },
};

/* Known, and without an effect of their own here. */
static const char *const ignored[] = { "defaults", "async",   "nolazytime", "loud",
                                       "nomand",   "_netdev", "remount",    "auto",
                                       "noauto",   "nouser",  "user",       "copy-symlink" };

static bool read_kind(const char *name, struct mount_options *options);
static bool read_attribute(const char *name, struct mount_options *options);
static bool read_propagation(const char *name, struct mount_options *options);
static bool is_ignored(const char *name);

void mount_options_read(struct arena *mem, const char *const *list, struct mount_options *options)
{
    size_t count = 0;

    while (list != NULL && list[count] != NULL)
        count++;
    options->data = arena_array(mem, count + 1, sizeof(*options->data));
    for (size_t i = 0; i < count; i++)
        if (!read_kind(list[i], options) && !read_attribute(list[i], options) &&
            !read_propagation(list[i], options) && !is_ignored(list[i]))
            options->data[options->data_count++] = list[i];
    options->is_bind |= options->is_recursive;
    options->is_idmapped |= options->is_idmapped_recursively;
}

uint64_t mount_propagation_find(const char *name, bool *is_recursive)
{
    for (size_t i = 0; i < ARRAY_SIZE(propagations); i++) {
        *is_recursive = name[0] == 'r' && strcmp(name + 1, propagations[i].name) == 0;
        if (*is_recursive || strcmp(name, propagations[i].name) == 0)
            return propagations[i].flag;
    }
    return 0;
}

const char *const *mount_option_names(struct arena *mem)
{
    size_t max = 2 * ARRAY_SIZE(attributes) + 2 * ARRAY_SIZE(propagations) + ARRAY_SIZE(kinds);
    const char **names = arena_array(mem, max + 1, sizeof(*names));
    size_t count = 0;

    for (size_t i = 0; i < ARRAY_SIZE(attributes); i++) {
        names[count++] = attributes[i].name;
        names[count++] = arena_printf(mem, "r%s", attributes[i].name);
    }
    for (size_t i = 0; i < ARRAY_SIZE(propagations); i++) {
        names[count++] = propagations[i].name;
        names[count++] = arena_printf(mem, "r%s", propagations[i].name);
    }
    for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
        names[count++] = kinds[i].name;
    return names;
}

static bool read_kind(const char *name, struct mount_options *options)
{
    for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
        if (strcmp(name, kinds[i].name) == 0) {
            *((bool *)options + kinds[i].offset) = true; /* offset counts bytes, as bool does */
            return true;
        }
    return false;
}

/* Of two that contradict each other the later counts. */
static bool read_attribute(const char *name, struct mount_options *options)
{
    for (size_t i = 0; i < ARRAY_SIZE(attributes); i++) {
        uint64_t set = attributes[i].set;
        uint64_t clear = attributes[i].clear;
        if (strcmp(name, attributes[i].name) == 0) {
            options->set = (options->set & ~clear) | set;
            options->clear = (options->clear & ~set) | clear;
            return true;
        }
        if (name[0] == 'r' && strcmp(name + 1, attributes[i].name) == 0) {
            options->recursive_set = (options->recursive_set & ~clear) | set;
            options->recursive_clear = (options->recursive_clear & ~set) | clear;
            return true;
        }
    }
    return false;
}

static bool read_propagation(const char *name, struct mount_options *options)
{
    bool is_recursive = false;
    uint64_t flag = mount_propagation_find(name, &is_recursive);

    if (flag == 0)
        return false;
    options->propagation = flag;
    options->is_propagation_recursive = is_recursive;
    return true;
}

static bool is_ignored(const char *name)
{
    for (size_t i = 0; i < ARRAY_SIZE(ignored); i++)
        if (strcmp(name, ignored[i]) == 0)
            return true;
    return false;
}
