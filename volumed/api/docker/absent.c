/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The parts of Docker's API that this engine does not have: swarm, building, managed plugins,
 * registries.  Each refuses in the words and with the status that Docker's clients know.
 */
#include "api/docker/handlers.h"
#include "api/docker/query.h"

static int refuse_swarm(struct call *call, const char *message);

int docker_swarm_absent(struct call *call, struct error *err)
{
    (void)err;
    return refuse_swarm(call, "This node is not a swarm manager. Use \"docker swarm init\" or "
                              "\"docker swarm join\" to connect this node to swarm and try again.");
}

int docker_swarm_leave(struct call *call, struct error *err)
{
    (void)err;
    return refuse_swarm(call, "This node is not part of a swarm");
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

/* 503, as dockerd answers outside of a swarm; no error code of ours means that. */
static int refuse_swarm(struct call *call, const char *message)
{
    struct error refusal;

    (void)fail(&refusal, ERR_UNSUPPORTED, "%s", message);
    call_reply_error(call, 503, &refusal);
    return 0;
}
