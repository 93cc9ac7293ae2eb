/* SPDX-License-Identifier: Apache-2.0 */
/* Blocks in a chain, a bump pointer in the newest. */
#include "base/arena.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BLOCK_SIZE ((size_t)16 * 1024)
#define ALIGNMENT  16

struct block {
    struct block *next;
    size_t size;
    size_t used;
    _Alignas(ALIGNMENT) char data[];
};

struct arena {
    struct block *newest;
};

static struct block *block_new(size_t size, struct block *next);

struct arena *arena_new(void)
{
    struct arena *mem = mem_alloc(sizeof(*mem));

    mem->newest = block_new(BLOCK_SIZE, NULL);
    return mem;
}

void arena_free(struct arena *mem)
{
    if (mem == NULL)
        return;
    for (struct block *block = mem->newest, *next; block != NULL; block = next) {
        next = block->next;
        free(block);
    }
    free(mem);
}

void arena_cleanup(struct arena **mem)
{
    arena_free(*mem);
}

void arena_reset(struct arena *mem)
{
    struct block *keep = NULL;

    for (struct block *block = mem->newest, *next; block != NULL; block = next) {
        next = block->next;
        if (next == NULL && block->size == BLOCK_SIZE)
            keep = block;
        else
            free(block);
    }
    if (keep == NULL) {
        keep = block_new(BLOCK_SIZE, NULL);
    } else {
        memset(keep->data, 0, keep->used);
        keep->used = 0;
    }
    mem->newest = keep;
}

void *arena_alloc(struct arena *mem, size_t size)
{
    struct block *block = mem->newest;

    if (size > SIZE_MAX - BLOCK_SIZE)
        abort();
    size = (size + ALIGNMENT - 1) & ~(size_t)(ALIGNMENT - 1);
    if (block->size - block->used < size) {
        block = block_new(size > BLOCK_SIZE / 4 ? size + BLOCK_SIZE : BLOCK_SIZE, mem->newest);
        mem->newest = block;
    }
    void *piece = block->data + block->used;
    block->used += size;
    return piece;
}

void *arena_array(struct arena *mem, size_t count, size_t size)
{
    size_t total;

    if (__builtin_mul_overflow(count, size, &total))
        abort();
    return arena_alloc(mem, total);
}

void *arena_grow(struct arena *mem, const void *items, size_t *capacity, size_t size)
{
    size_t larger = *capacity == 0 ? 8 : *capacity * 2;
    void *copy = arena_array(mem, larger, size);

    if (*capacity > 0)
        memcpy(copy, items, *capacity * size);
    *capacity = larger;
    return copy;
}

void *arena_memdup(struct arena *mem, const void *data, size_t size)
{
    void *copy = arena_alloc(mem, size);

    if (size > 0)
        memcpy(copy, data, size);
    return copy;
}

char *arena_strdup(struct arena *mem, const char *text)
{
    return text == NULL ? NULL : arena_memdup(mem, text, strlen(text) + 1);
}

char *arena_strndup(struct arena *mem, const char *text, size_t max)
{
    size_t length = strnlen(text, max);
    char *copy = arena_alloc(mem, length + 1);

    memcpy(copy, text, length);
    return copy;
}

char *arena_vprintf(struct arena *mem, const char *fmt, va_list args)
{
    va_list again;

    va_copy(again, args);
    int length = vsnprintf(NULL, 0, fmt, again);
    va_end(again);
    if (length < 0)
        abort();
    char *text = arena_alloc(mem, (size_t)length + 1);
    (void)vsnprintf(text, (size_t)length + 1, fmt, args); /* measured just above */
    return text;
}

char *arena_printf(struct arena *mem, const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    char *text = arena_vprintf(mem, fmt, args);
    va_end(args);
    return text;
}

void *mem_alloc(size_t size)
{
    void *piece = calloc(1, size > 0 ? size : 1);

    if (piece == NULL)
        abort();
    return piece;
}

void *mem_grow(void *old, size_t size)
{
    void *piece = realloc(old, size);

    if (piece == NULL)
        abort();
    return piece;
}

char *mem_strdup(const char *text)
{
    char *copy = strdup(text);

    if (copy == NULL)
        abort();
    return copy;
}

static struct block *block_new(size_t size, struct block *next)
{
    struct block *block = mem_alloc(sizeof(*block) + size);

    block->next = next;
    block->size = size;
    return block;
}
