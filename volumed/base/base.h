/* SPDX-License-Identifier: Apache-2.0 */
/* The few macros that every file may use.  Owns no code. */
#ifndef BASE_BASE_H
#define BASE_BASE_H

#include <stddef.h>

#define ARRAY_SIZE(array)       (sizeof(array) / sizeof((array)[0]))
#define PRINTF_LIKE(fmt, first) __attribute__((format(printf, fmt, first)))
#define CLEANUP(fn)             __attribute__((cleanup(fn)))
/* By way of void: the compiler cannot see that the member is aligned as its struct is. */
#define container_of(pointer, type, member) \
    ((type *)(void *)((char *)(pointer)-offsetof(type, member)))

/*
 * The same pointer without const, for an interface that takes one it only reads through.  A comment
 * at the call says which.
 */
static inline void *pointer_unconst(const void *pointer)
{
    union {
        const void *constant;
        void *variable;
    } either = { .constant = pointer };

    return either.variable;
}

#endif
