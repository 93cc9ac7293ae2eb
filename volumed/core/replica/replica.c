/* SPDX-License-Identifier: Apache-2.0 */
/* What a replica is called and how it is known. */
#include "core/replica/replica.h"

#include <string.h>

#include "base/clock.h"
#include "core/container/container.h"
#include "core/volume/volume.h"
#include "store/replica.h"

#define ANONYMOUS_DIGITS 12 /* of an anonymous volume's name, in its clone's */

const char *replica_name(struct arena *mem, const char *group, int64_t number)
{
    return arena_printf(mem, "%s-%lld", group, (long long)number);
}

const char *replica_volume_name(struct task *task, const char *name,
                                const struct attachment *attachment)
{
    return arena_printf(task->mem, "%s.%.*s", name,
                        attachment->is_anonymous ? ANONYMOUS_DIGITS : (int)UINT8_MAX,
                        attachment->volume_name);
}

bool replica_is_one(const struct container *container)
{
    return json_object_get(json_object_get(container->config, "Labels"), REPLICA_LABEL) != NULL;
}

bool replica_is_whole(struct task *task, const struct replica *replica)
{
    cleanup_container struct container container = { 0 };
    struct error ignored; /* then it is made again */
    const char *name = replica_name(task->mem, replica->group_name, replica->number);

    return strcmp(replica->state, "ready") == 0 &&
           container_get(task, name, &container, &ignored) == 0 &&
           strcmp(container.name, name) == 0;
}

int replica_volumes(struct task *task, const char *name, const char *scaling, struct volume **list,
                    struct error *err)
{
    struct filter_term terms[] = {
        { "label", arena_printf(task->mem, REPLICA_LABEL "=%s", name) },
        { "label", arena_printf(task->mem, REPLICA_SCALING_LABEL "=%s", scaling) },
    };
    const struct filter filter = { scaling != NULL ? 2 : 1, terms };

    return volume_list(task, &filter, list, err);
}

int replica_save(struct scale_run *run, struct replica *replica, const char *state,
                 struct error *err)
{
    replica->state = state;
    return store_replica_put(run->task->db, replica, err);
}
