/* SPDX-License-Identifier: Apache-2.0 */
/* The mounts, parents before children: the usual ones, three files of ours, and what was asked for.
 */
#include <stdlib.h>
#include <string.h>

#include "base/path.h"
#include "core/box/oci.h"
#include "runtime/program.h"

#define TMPFS_DEFAULTS "noexec,nosuid,nodev"

/* What every container has, unless something else is wanted at the place. */
static const struct usual {
    const char *destination;
    const char *type;
    const char *source;
    const char *options;
} usuals[] = {
    { "/proc", "proc", "proc", "nosuid,noexec,nodev" },
    { "/dev", "tmpfs", "tmpfs", "nosuid,strictatime,mode=755,size=65536k" },
    { "/dev/pts", "devpts", "devpts", "nosuid,noexec,newinstance,ptmxmode=0666,mode=0620,gid=5" },
    { "/sys", "sysfs", "sysfs", "nosuid,noexec,nodev,ro" },
    { "/sys/fs/cgroup", "cgroup", "cgroup", "ro,nosuid,noexec,nodev" },
    { "/dev/mqueue", "mqueue", "mqueue", "nosuid,noexec,nodev" },
};

static const struct own_file {
    const char *name;
    const char *destination;
} own_files[] = {
    { "resolv.conf", "/etc/resolv.conf" },
    { "hostname", "/etc/hostname" },
    { "hosts", "/etc/hosts" },
};

struct sorted {
    json_t *mount;
    int depth;
    size_t order;
};

static void add_usual(json_t *list, const struct oci_input *input);
static void add_shm(struct task *task, json_t *list, const struct oci_input *input);
static void add_own_files(struct task *task, json_t *list, const struct oci_input *input);
static void add_init(json_t *list, const struct oci_input *input);
static void add_volumes(struct task *task, json_t *list, const struct oci_input *input);
static void add_volume_options(json_t *options, const struct attachment *attachment);
static void add_others(struct task *task, json_t *list, const struct container *container);
static void add_bind(json_t *list, const json_t *mount);
static void add_tmpfs(struct task *task, json_t *list, const json_t *mount);
static json_t *mount_json(const char *destination, const char *type, const char *source,
                          json_t *options);
static json_t *options_of(const char *words);
static void add_option(json_t *options, const char *option);
static bool is_wanted_elsewhere(const struct oci_input *input, const char *destination);
static json_t *sort(struct task *task, json_t *list);
static int compare(const void *a, const void *b);
static const char *text(const json_t *object, const char *name);

json_t *oci_mounts(struct task *task, const struct oci_input *input, struct error *err)
{
    json_t *list = json_array();

    (void)err;
    add_usual(list, input);
    add_shm(task, list, input);
    add_own_files(task, list, input);
    add_init(list, input);
    add_volumes(task, list, input);
    add_others(task, list, input->container);
    json_t *sorted = sort(task, list);
    json_decref(list);
    return sorted;
}

static void add_usual(json_t *list, const struct oci_input *input)
{
    bool is_privileged = json_is_true(json_object_get(input->container->host_config, "Privileged"));

    for (size_t i = 0; i < ARRAY_SIZE(usuals); i++) {
        if (is_wanted_elsewhere(input, usuals[i].destination))
            continue;
        json_t *options = options_of(usuals[i].options);
        /* A privileged container may write where others only read. */
        for (size_t k = 0; is_privileged && k < json_array_size(options);)
            if (strcmp(json_string_value(json_array_get(options, k)), "ro") == 0)
                (void)json_array_remove(options, k); /* the place exists */
            else
                k++;
        json_array_append_new(
            list, mount_json(usuals[i].destination, usuals[i].type, usuals[i].source, options));
    }
}

static void add_shm(struct task *task, json_t *list, const struct oci_input *input)
{
    const json_t *host = input->container->host_config;

    if (strcmp(text(host, "IpcMode"), "none") == 0 || is_wanted_elsewhere(input, "/dev/shm"))
        return;
    if (strcmp(text(host, "IpcMode"), "host") == 0) {
        json_array_append_new(list, mount_json("/dev/shm", "bind", "/dev/shm",
                                               options_of("rbind,rprivate,nosuid,noexec,nodev")));
        return;
    }
    const char *options = arena_printf(task->mem, "nosuid,noexec,nodev,mode=1777,size=%lld",
                                       json_integer_value(json_object_get(host, "ShmSize")));
    json_array_append_new(list, mount_json("/dev/shm", "tmpfs", "shm", options_of(options)));
}

static void add_own_files(struct task *task, json_t *list, const struct oci_input *input)
{
    for (size_t i = 0; i < ARRAY_SIZE(own_files); i++) {
        if (is_wanted_elsewhere(input, own_files[i].destination))
            continue;
        const char *source = arena_printf(task->mem, "%s/%s", input->box_path, own_files[i].name);
        json_array_append_new(list, mount_json(own_files[i].destination, "bind", source,
                                               options_of("rbind,rprivate")));
    }
}

static bool is_wanted_elsewhere(const struct oci_input *input, const char *destination)
{
    size_t i;
    json_t *mount;

    for (size_t k = 0; k < input->volume_count; k++)
        if (strcmp(input->volumes[k].attachment.destination, destination) == 0)
            return true;
    json_array_foreach(input->container->mounts, i, mount)
    {
        if (strcmp(text(mount, "Destination"), destination) == 0)
            return true;
    }
    return false;
}

static void add_init(json_t *list, const struct oci_input *input)
{
    if (input->init_path != NULL)
        json_array_append_new(
            list, mount_json(OCI_INIT, "bind", input->init_path, options_of("bind,ro")));
}

static void add_volumes(struct task *task, json_t *list, const struct oci_input *input)
{
    for (size_t i = 0; i < input->volume_count; i++) {
        const struct attachment *attachment = &input->volumes[i].attachment;
        const char *source = arena_printf(task->mem, "/proc/self/fd/%zu", PROGRAM_FD_FIRST + i);
        bool is_bind = !attachment->is_scratch;
        json_t *options = is_bind
                              ? options_of("rbind")
                              : json_list(scratch_options(task->mem, &input->volumes[i].scratch));
        add_volume_options(options, attachment);
        json_array_append_new(list,
                              mount_json(attachment->destination, is_bind ? "bind" : "overlay",
                                         is_bind ? source : "overlay", options));
    }
}

static void add_volume_options(json_t *options, const struct attachment *attachment)
{
    if (!attachment->is_scratch)
        add_option(options,
                   attachment->propagation[0] != '\0' ? attachment->propagation : "rprivate");
    if (attachment_is_read_only(attachment))
        add_option(options, "rro");
    if (attachment->is_nosuid)
        add_option(options, "nosuid");
    if (attachment->is_nodev)
        add_option(options, "nodev");
    if (attachment->is_noexec)
        add_option(options, "noexec");
}

static void add_others(struct task *task, json_t *list, const struct container *container)
{
    size_t i;
    json_t *mount;

    json_array_foreach(container->mounts, i, mount)
    {
        if (strcmp(text(mount, "Type"), "bind") == 0)
            add_bind(list, mount);
        else
            add_tmpfs(task, list, mount);
    }
}

static void add_bind(json_t *list, const json_t *mount)
{
    bool is_shallow = json_is_true(json_object_get(mount, "NonRecursive"));
    bool is_shallow_ro = json_is_true(json_object_get(mount, "ReadOnlyNonRecursive"));
    json_t *options = options_of(is_shallow ? "bind" : "rbind");

    add_option(options, text(mount, "Propagation"));
    if (!json_is_true(json_object_get(mount, "RW")))
        add_option(options, is_shallow || is_shallow_ro ? "ro" : "rro");
    json_array_append_new(
        list, mount_json(text(mount, "Destination"), "bind", text(mount, "Source"), options));
}

/* The client's options come after the defaults and win over them. */
static void add_tmpfs(struct task *task, json_t *list, const json_t *mount)
{
    const char *own = text(mount, "Options");
    const char *options =
        own[0] == '\0' ? TMPFS_DEFAULTS : arena_printf(task->mem, "%s,%s", TMPFS_DEFAULTS, own);
    json_t *words = options_of(options);

    if (!json_is_true(json_object_get(mount, "RW")))
        add_option(words, "ro");
    json_array_append_new(list, mount_json(text(mount, "Destination"), "tmpfs", "tmpfs", words));
}

/* Takes over 'options'. */
static json_t *mount_json(const char *destination, const char *type, const char *source,
                          json_t *options)
{
    return json_pack("{ss ss ss so}", "destination", destination, "type", type, "source", source,
                     "options", options);
}

static json_t *options_of(const char *words)
{
    json_t *list = json_array();

    for (;;) {
        size_t length = strcspn(words, ",");
        if (length > 0)
            json_array_append_new(list, json_stringn(words, length));
        if (words[length] == '\0')
            return list;
        words += length + 1;
    }
}

static void add_option(json_t *options, const char *option)
{
    json_array_append_new(options, json_string(option));
}

static json_t *sort(struct task *task, json_t *list)
{
    size_t count = json_array_size(list);
    struct sorted *items = arena_array(task->mem, count + 1, sizeof(*items));
    json_t *sorted = json_array();

    for (size_t i = 0; i < count; i++) {
        items[i].mount = json_array_get(list, i);
        items[i].depth = path_depth(text(items[i].mount, "destination"));
        items[i].order = i;
    }
    qsort(items, count, sizeof(*items), compare);
    for (size_t i = 0; i < count; i++)
        json_array_append(sorted, items[i].mount);
    return sorted;
}

static int compare(const void *a, const void *b)
{
    const struct sorted *left = a;
    const struct sorted *right = b;

    if (left->depth != right->depth)
        return left->depth < right->depth ? -1 : 1;
    return left->order < right->order ? -1 : 1;
}

static const char *text(const json_t *object, const char *name)
{
    const char *value = json_string_value(json_object_get(object, name));

    return value != NULL ? value : "";
}
