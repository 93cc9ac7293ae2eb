/* SPDX-License-Identifier: Apache-2.0 */
/* The end of a container's life in memory. */
#include "model/container.h"

#include <string.h>

static void drop(json_t **json);

void container_done(struct container *container)
{
    if (container == NULL)
        return;
    drop(&container->config);
    drop(&container->host_config);
    drop(&container->networking);
    drop(&container->mounts);
}

bool container_is_live(const struct container *container)
{
    return strcmp(container->state, "running") == 0 || strcmp(container->state, "paused") == 0;
}

static void drop(json_t **json)
{
    json_decref(*json);
    *json = NULL;
}
