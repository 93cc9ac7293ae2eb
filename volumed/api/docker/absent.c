/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The parts of Docker's API that this engine does not have: swarm, building, managed plugins,
 * registries.  Each refuses in the words and with the status that Docker's clients know.
 */
#include "api/docker/handlers.h"
#include "api/docker/query.h"

int docker_swarm_absent(struct call *call, struct error *err)
{
    static const struct error no_swarm = {
        .code = ERR_UNSUPPORTED,
        .message = "This node is not a swarm manager. Use \"docker swarm init\" or \"docker swarm "
                   "join\" to connect this node to swarm and try again.",
    };

    (void)err;
    call_reply_error(call, 503, &no_swarm); /* what dockerd says outside of a swarm */
    return 0;
}

int docker_build(struct call *call, struct error *err)
{
    (void)call;
    return fail(err, ERR_UNSUPPORTED,
                "volumed does not build images: build elsewhere, then 'docker load' or 'docker "
                "import'");
}

int docker_build_prune(struct call *call, struct error *err)
{
    json_t *report = json_object();

    json_set(report, "CachesDeleted", json_null());
    json_set(report, "SpaceReclaimed", json_integer(0));
    return call_reply_json(call, 200, report, err);
}

int docker_plugin_list(struct call *call, struct error *err)
{
    return call_reply_json(call, 200, json_array(), err);
}

int docker_plugin_inspect(struct call *call, struct error *err)
{
    return fail(err, ERR_NOT_FOUND, "plugin \"%s\" not found", call->args[0]);
}

int docker_registry_absent(struct call *call, struct error *err)
{
    (void)call;
    return fail(err, ERR_UNSUPPORTED,
                "volumed does not speak to registries: use 'docker load' and 'docker save'");
}
