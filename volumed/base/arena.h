/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Memory of one task: allocated piece by piece, freed as a whole.  Every allocation is zeroed.
 * Running out of memory aborts the process (docs/adr/0004): it is crash-safe, and every size that a
 * client can choose is bounded before.
 */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include <stdarg.h>
#include <stddef.h>

#include "base/base.h"

struct arena;

struct arena *arena_new(void);
void arena_free(struct arena *mem);
void arena_cleanup(struct arena **mem);
#define cleanup_arena CLEANUP(arena_cleanup)

/* Forgets all allocations and keeps one block for the next task. */
void arena_reset(struct arena *mem);

void *arena_alloc(struct arena *mem, size_t size);
void *arena_array(struct arena *mem, size_t count, size_t size);

/* A larger copy of an array that is full: *capacity items of 'size', doubled (8 at first). */
void *arena_grow(struct arena *mem, const void *items, size_t *capacity, size_t size);
void *arena_memdup(struct arena *mem, const void *data, size_t size);

/* arena_strdup(mem, NULL) is NULL. */
char *arena_strdup(struct arena *mem, const char *text);
char *arena_strndup(struct arena *mem, const char *text, size_t max);
char *arena_printf(struct arena *mem, const char *fmt, ...) PRINTF_LIKE(2, 3);
char *arena_vprintf(struct arena *mem, const char *fmt, va_list args) PRINTF_LIKE(2, 0);

/* malloc family that aborts instead of failing; for structs that outlive a task. */
void *mem_alloc(size_t size);
void *mem_grow(void *old, size_t size);
char *mem_strdup(const char *text);

#endif
