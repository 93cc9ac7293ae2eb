/* SPDX-License-Identifier: Apache-2.0 */
/* One short list for the process; there are as many claims as threads at work. */
#include "core/operation/claim.h"

#include <string.h>

#include "base/thread.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* guards: claims */
static pthread_cond_t left = PTHREAD_COND_INITIALIZER;
static struct list claims = { &claims, &claims };

static bool is_listed(const char *name);

void claim_enter(struct claim *claim, const char *name)
{
    LOCK_SCOPE(&lock);
    while (is_listed(name))
        (void)pthread_cond_wait(&left, &lock); /* fails only on misuse */
    claim->name = name;
    list_append(&claims, &claim->node);
}

void claim_leave(struct claim *claim)
{
    if (claim->name == NULL)
        return;
    LOCK_SCOPE(&lock);
    list_remove(&claim->node);
    claim->name = NULL;
    (void)pthread_cond_broadcast(&left); /* fails only on misuse */
}

void claim_move(struct claim *from, struct claim *to, const char *name)
{
    LOCK_SCOPE(&lock);
    to->name = name;
    list_append(&claims, &to->node);
    list_remove(&from->node);
    from->name = NULL;
}

bool claim_is_held(const char *name)
{
    LOCK_SCOPE(&lock);
    return is_listed(name);
}

static bool is_listed(const char *name)
{
    list_each(node, &claims)
        if (strcmp(container_of(node, struct claim, node)->name, name) == 0)
            return true;
    return false;
}
