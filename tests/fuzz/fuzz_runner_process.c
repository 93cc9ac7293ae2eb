/* SPDX-License-Identifier: Apache-2.0 */
/* A process object (`exec --process`) as an engine gives it, and all that is made of it by text. */
#include <assert.h>
#include <jansson.h>
#include <sched.h>

#include "base/arena.h"
#include "base/json.h"
#include "fuzz.h"
#include "runner/container/net_device.h"
#include "runner/process/affinity.h"
#include "runner/process/capability.h"
#include "runner/process/memory_policy.h"
#include "runner/process/process.h"
#include "runner/spec/field.h"

int fuzz_one(const unsigned char *data, size_t size)
{
    cleanup_arena struct arena *mem = arena_new();
    char *text = arena_memdup(mem, data, size);
    struct capabilities capabilities = { 0 };
    struct memory_policy policy;
    struct process process = { 0 };
    struct error err = { 0 };
    cpu_set_t set;
    cleanup_json json_t *json = fields_parse(text, size, &err);

    if (json == NULL)
        return 0;
    (void)memory_policy_read(json, &policy, &err); /* as below, either way is fine */
    if (json_is_object(json))
        (void)net_devices_check(json, &err);
    const char *list =
        json_string_value(json_object_get(json_object_get(json, "execCPUAffinity"), "initial"));
    if (list != NULL && affinity_read(list, &set, &err) == 0)
        assert(CPU_COUNT(&set) > 0);
    if (fields_read(mem, "process", json, process_fields, &process, &err) < 0 ||
        process_check(&process, &err) < 0) {
        assert(err.code != ERR_NONE && err.message[0] != '\0');
        return 0;
    }
    assert(process.args[0] != NULL && process.cwd[0] == '/');
    (void)process_env(&process, "HOME");
    if (capabilities_read(&process, &capabilities, &err) == 0)
        assert((capabilities.ambient & ~capabilities.permitted) == 0);
    return 0;
}
