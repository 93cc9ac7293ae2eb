/* SPDX-License-Identifier: Apache-2.0 */
/* The text of a tree's stack, and the links that go with it.  Layers are stack_layer.c's. */
#include "driver/stack.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/dir.h"
#include "base/fs.h"
#include "base/sys.h"

#define STACK_FILE      "stack"
#define STACK_BYTES_MAX 4096
#define HEAD            "volumed-stack 1\n"
#define WORD_UPPER      "upper "
#define WORD_LAYER      "layer "
#define FILE_MODE       0600

static int parse(const char *text, struct stack *stack);
static int parse_line(const char *line, size_t size, struct stack *stack);
static int add_links(const struct driver_pool *pool, int refs_fd, const struct stack *stack,
                     struct error *err);
static void drop_links(int refs_fd, const struct stack *stack);
static bool has_layer(const struct stack *stack, const char *id);

int stack_read(int tree_fd, struct stack *stack, struct error *err)
{
    cleanup_arena struct arena *mem = arena_new();
    struct stack read = { 0 };
    char *text = NULL;

    if (fs_read_file(mem, tree_fd, STACK_FILE, STACK_BYTES_MAX, &text, NULL, err) < 0)
        return err->code == ERR_NOT_FOUND ? fail(err, ERR_CORRUPT, "a tree has no stack of layers")
                                          : -1;
    if (parse(text, &read) < 0)
        return fail(err, ERR_CORRUPT, "a tree's stack of layers cannot be read");
    *stack = read;
    return 0;
}

int stack_write(const struct driver_pool *pool, int tree_fd, const struct stack *stack,
                struct error *err)
{
    cleanup_buf struct buf text = { 0 };
    cleanup_fd int refs_fd = fs_make_dir(tree_fd, STACK_REFS, 0700, err);

    if (refs_fd < 0 || add_links(pool, refs_fd, stack, err) < 0)
        return -1;
    buf_printf(&text, HEAD);
    for (size_t i = 0; i < stack->count; i++)
        buf_printf(&text, "%s%s\n", i == 0 && stack->has_upper ? WORD_UPPER : WORD_LAYER,
                   stack->layers[i]);
    if (fs_write_file(tree_fd, STACK_FILE, text.data, text.size, FILE_MODE, err) < 0)
        return -1;
    drop_links(refs_fd, stack);
    return 0;
}

int stack_push(struct stack *stack, const char *layer, bool is_upper, struct error *err)
{
    if (stack->count == STACK_LAYERS_MAX)
        return fail(
            err, ERR_CONFLICT,
            "it has %d layers already, one for each snapshot; the lower ones are made one within a"
            " minute, when it is not in use",
            STACK_LAYERS_MAX);
    memmove(stack->layers[1], stack->layers[0], stack->count * sizeof(stack->layers[0]));
    memcpy(stack->layers[0], layer, UUID_SIZE);
    stack->count++;
    stack->has_upper = is_upper;
    return 0;
}

static int parse(const char *text, struct stack *stack)
{
    if (strncmp(text, HEAD, strlen(HEAD)) != 0)
        return -1;
    for (const char *line = text + strlen(HEAD); *line != '\0';) {
        size_t size = strcspn(line, "\n");
        if (line[size] != '\n' || parse_line(line, size, stack) < 0)
            return -1;
        line += size + 1;
    }
    return stack->count > 0 ? 0 : -1;
}

static int parse_line(const char *line, size_t size, struct stack *stack)
{
    size_t word = strlen(WORD_LAYER);
    bool is_upper = strncmp(line, WORD_UPPER, word) == 0;

    _Static_assert(sizeof(WORD_LAYER) == sizeof(WORD_UPPER), "one length for both");
    if (size != word + UUID_SIZE - 1 || stack->count == STACK_LAYERS_MAX ||
        (is_upper ? stack->count > 0 : strncmp(line, WORD_LAYER, word) != 0))
        return -1;
    char *id = stack->layers[stack->count++];
    memcpy(id, line + word, UUID_SIZE - 1);
    id[UUID_SIZE - 1] = '\0';
    stack->has_upper |= is_upper;
    return uuid_is_valid(id) ? 0 : -1;
}

static int add_links(const struct driver_pool *pool, int refs_fd, const struct stack *stack,
                     struct error *err)
{
    bool is_new = false;

    for (size_t i = 0; i < stack->count; i++) {
        char path[sizeof(STACK_LAYERS) + UUID_SIZE + sizeof("/ref")];
        (void)snprintf(path, sizeof(path), STACK_LAYERS "/%s/ref", stack->layers[i]); /* fits */
        int rc = sys_linkat(pool->fd, path, refs_fd, stack->layers[i], 0);
        is_new = is_new || rc == 0;
        if (rc < 0 && rc != -EEXIST)
            return fail_sys(err, rc, "cannot refer to layer '%s' of pool '%s'", stack->layers[i],
                            pool->name);
    }
    int rc = is_new ? sys_fsync(refs_fd) : 0;
    return rc < 0 ? fail_sys(err, rc, "cannot sync pool '%s'", pool->name) : 0;
}

/* What stays keeps a layer that is not needed, until the next time. */
static void drop_links(int refs_fd, const struct stack *stack)
{
    cleanup_dir DIR *dir = NULL;

    if (dir_open(refs_fd, ".", &dir) < 0)
        return;
    for (const struct dirent *entry; (entry = dir_next(dir)) != NULL;)
        if (!has_layer(stack, entry->d_name))
            (void)sys_unlinkat(refs_fd, entry->d_name, 0);
}

static bool has_layer(const struct stack *stack, const char *id)
{
    for (size_t i = 0; i < stack->count; i++)
        if (strcmp(stack->layers[i], id) == 0)
            return true;
    return false;
}
