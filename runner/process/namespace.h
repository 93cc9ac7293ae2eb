/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The kinds of namespaces and what a spec wants of each: a new one, one to be joined, or the
 * caller's.  Who clones and who joins is launch.c's.
 */
#ifndef RUNNER_NAMESPACE_H
#define RUNNER_NAMESPACE_H

#include <jansson.h>
#include <stdbool.h>

#include "base/arena.h"
#include "base/error.h"

struct spec;

/* In the order in which they must be joined: the user namespace gives the right to the others. */
enum namespace_kind {
    NAMESPACE_USER,
    NAMESPACE_PID,
    NAMESPACE_IPC,
    NAMESPACE_UTS,
    NAMESPACE_NETWORK,
    NAMESPACE_CGROUP,
    NAMESPACE_TIME,
    NAMESPACE_MOUNT,
    NAMESPACE_KINDS
};

struct namespaces {
    unsigned int new_flags;    /* CLONE_NEW* of those to be made */
    int fds[NAMESPACE_KINDS];  /* of those to be joined, else -1 */
    unsigned int joined_flags; /* CLONE_NEW* of those to be joined */
};

/* The kind of a specification's name ("pid"), or -EINVAL. */
int namespace_kind_find(const char *name);
const char *namespace_kind_name(enum namespace_kind kind);

/* CLONE_NEW* of a kind. */
unsigned int namespace_flag(enum namespace_kind kind);

/*
 * Decides for each kind and opens those to be joined, each checked to be of its kind.
 * Errors: NOT_FOUND, INVALID.
 */
int namespaces_plan(const struct spec *spec, struct namespaces *namespaces, struct error *err);
void namespaces_close(struct namespaces *namespaces);

/* Joins those of 'wanted' (a mask of CLONE_NEW*) that are to be joined, in order. */
int namespaces_join(const struct namespaces *namespaces, unsigned int wanted, struct error *err);

/* Sets the flag IFF_UP of the loopback interface of the calling process's network namespace. */
int loopback_raise(struct error *err);

#endif
