/* SPDX-License-Identifier: Apache-2.0 */
/* descriptors.json: what each standard stream was, by the name that criu has for it. */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/json.h"
#include "base/sys.h"
#include "runner/checkpoint/external.h"

#define STREAMS_FILE "descriptors.json"
#define STREAMS_MAX  ((size_t)64 * 1024)
#define INFO_MAX     4096

static const char *stream_name(struct arena *mem, pid_t pid, int fd);
static bool is_outside(struct arena *mem, pid_t pid, uint64_t mount_id);
static uint64_t mount_of(struct arena *mem, pid_t pid, int fd);
static bool is_ours(const char *name);

int external_streams_store(struct arena *mem, struct criu_call *call, int image_fd, pid_t pid,
                           struct error *err)
{
    cleanup_json json_t *names = json_array();
    cleanup_buf struct buf text = { 0 };

    for (int fd = 0; fd <= 2; fd++) {
        const char *name = stream_name(mem, pid, fd);
        (void)json_array_append_new(names, json_text_or_empty(name));
        if (strncmp(name, "file[", 5) == 0)
            criu_text(call, CRIU_EXTERNAL, name);
    }
    json_append(&text, names);
    return fs_write_file(image_fd, STREAMS_FILE, text.data, text.size, 0600, err);
}

int external_streams_restore(struct arena *mem, struct criu_call *call, int image_fd,
                             const int stdio[3], struct error *err)
{
    char *text = NULL;
    size_t size = 0;

    if (fs_read_file(mem, image_fd, STREAMS_FILE, STREAMS_MAX, &text, &size, err) < 0)
        return err->code == ERR_NOT_FOUND ? 0 : error_prefix(err, "standard streams of the image");
    cleanup_json json_t *names = json_read(text, size, err);
    if (names == NULL)
        return error_prefix(err, "'%s' of the image", STREAMS_FILE);
    for (int fd = 0; fd <= 2; fd++) {
        const char *name = json_string_value(json_array_get(names, (size_t)fd));
        if (name != NULL && is_ours(name))
            criu_inherit(call, name, stdio[fd]);
    }
    return 0;
}

/* What the link says, but that a file of the host's is named as criu finds it. */
static const char *stream_name(struct arena *mem, pid_t pid, int fd)
{
    const char *path = arena_printf(mem, "/proc/%d/fd/%d", (int)pid, fd);
    char name[512];
    struct stat st;
    ssize_t size = readlink(path, name, sizeof(name) - 1);

    if (size < 0)
        return "";
    name[size] = '\0';
    uint64_t mount_id = mount_of(mem, pid, fd);
    if (*name != '/' || sys_fstatat(AT_FDCWD, path, &st, 0) < 0 || !is_outside(mem, pid, mount_id))
        return arena_strdup(mem, name);
    return arena_printf(mem, "file[%llx:%llx]", (unsigned long long)mount_id,
                        (unsigned long long)st.st_ino);
}

/* True when no mount of the container's is this one. */
static bool is_outside(struct arena *mem, pid_t pid, uint64_t mount_id)
{
    char *text = NULL;
    size_t size = 0;
    struct error ignored; /* criu will say what it misses */
    const char *path = arena_printf(mem, "/proc/%d/mountinfo", (int)pid);
    const char *line = arena_printf(mem, "\n%llu ", (unsigned long long)mount_id);

    if (fs_read_file(mem, AT_FDCWD, path, (size_t)1 << 24, &text, &size, &ignored) < 0)
        return false;
    return strstr(arena_printf(mem, "\n%s", text), line) == NULL;
}

/* "mnt_id:\t25"; 0 when it cannot be read. */
static uint64_t mount_of(struct arena *mem, pid_t pid, int fd)
{
    static const char label[] = "mnt_id:";
    char *text = NULL;
    size_t size = 0;
    struct error ignored; /* as above */
    const char *path = arena_printf(mem, "/proc/%d/fdinfo/%d", (int)pid, fd);

    if (fs_read_file(mem, AT_FDCWD, path, INFO_MAX, &text, &size, &ignored) < 0)
        return 0;
    const char *found = strstr(text, label);
    return found != NULL ? strtoull(found + strlen(label), NULL, 10) : 0;
}

/* Sockets and terminals are not among them: those criu makes itself. */
static bool is_ours(const char *name)
{
    return strncmp(name, "pipe:", 5) == 0 || strncmp(name, "file[", 5) == 0;
}
