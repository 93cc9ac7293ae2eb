/* SPDX-License-Identifier: Apache-2.0 */
/* Calls of org.freedesktop.systemd1.Manager, and resources as the properties of a unit. */
#include "runner/cgroup/cgroup_systemd.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "runner/cgroup/cgroup.h"
#include "runner/cgroup/dbus.h"
#include "runner/process/affinity.h"

#define CALL_TIMEOUT_MS   30000
#define STOP_TIMEOUT_MS   200
#define FORGET_TIMEOUT_MS 1000
#define USEC_PER_SEC      1000000
#define QUOTA_STEP_USEC                                                      \
    10000 /* systemd rounds so too; what it has and what we write must agree \
           */
#define DEFAULT_PERIOD 100000

static int check_part(const char *part, size_t length, struct error *err);
static const char *private_socket(char path[108]);
static int open_systemd(struct dbus *bus, struct error *err);
static pid_t make_holder(void);
static void put_start(struct dbus_body *body, const struct scope *scope,
                      const struct resources *resources, bool is_unified, pid_t holder);
static void put_resources(struct dbus_body *body, const struct resources *resources,
                          bool is_unified);
static void put_cpu(struct dbus_body *body, const struct resources *resources, bool is_unified);
static void put_set(struct dbus_body *body, const char *name, const char *list);
static uint8_t bits_at(const cpu_set_t *set, size_t first);
static void put_name(struct dbus_body *body, const char *name, const char *signature);
static void put_flag(struct dbus_body *body, const char *name, bool value);
static void put_text(struct dbus_body *body, const char *name, const char *value);
static void put_number(struct dbus_body *body, const char *name, int64_t value);
static struct dbus_call to_manager(const char *member, const char *signature,
                                   const struct dbus_body *body);
static int call(struct dbus *bus, const struct dbus_call *what, const char *awaited_unit,
                int64_t timeout_ms, struct error *err);
static int take_answer(struct dbus_message *message, const char *awaited_unit, bool *is_over,
                       struct error *err);

int scope_plan(struct arena *mem, const char *cgroups_path, const char *id, struct scope *scope,
               struct error *err)
{
    const char *text = cgroups_path != NULL && *cgroups_path != '\0'
                           ? cgroups_path
                           : arena_printf(mem, ":runner:%s", id);
    const char *prefix = strchr(text, ':');
    const char *name = prefix != NULL ? strchr(prefix + 1, ':') : NULL;

    if (name == NULL || strchr(name + 1, ':') != NULL || name[1] == '\0')
        return fail(err, ERR_INVALID,
                    "expected cgroupsPath to be of format \"slice:prefix:name\" for systemd "
                    "cgroups, got \"%s\" instead",
                    text);
    if (check_part(text, (size_t)(prefix - text), err) < 0 ||
        check_part(prefix + 1, (size_t)(name - prefix - 1), err) < 0 ||
        check_part(name + 1, strlen(name + 1), err) < 0)
        return -1;
    const char *slice = arena_strndup(mem, text, (size_t)(prefix - text));
    const char *start = arena_strndup(mem, prefix + 1, (size_t)(name - prefix - 1));
    if (*slice == '\0')
        slice = geteuid() == 0 ? "system.slice" : "user.slice";
    *scope = (struct scope){
        .slice = slice,
        .unit = arena_printf(mem, "%s%s%s.scope", start, *start != '\0' ? "-" : "", name + 1),
    };
    return 0;
}

int scope_start(const struct scope *scope, const struct resources *resources, bool is_unified,
                pid_t *holder, struct error *err)
{
    static struct dbus bus;
    static struct dbus_body body;

    if (open_systemd(&bus, err) < 0)
        return -1;
    *holder = make_holder();
    if (*holder < 0) {
        dbus_close(&bus);
        return fail_sys(err, *holder, "cannot make a process");
    }
    body = (struct dbus_body){ 0 };
    put_start(&body, scope, resources, is_unified, *holder);
    const struct dbus_call what = to_manager("StartTransientUnit", "ssa(sv)a(sa(sv))", &body);
    int64_t deadline_ms = clock_mono_ms() + FORGET_TIMEOUT_MS;
    int rc;
    do /* one of the same name that has just ended is still to be forgotten */
        rc = call(&bus, &what, scope->unit, CALL_TIMEOUT_MS, err);
    while (rc < 0 && err->code == ERR_EXISTS && clock_mono_ms() < deadline_ms &&
           nanosleep(&(struct timespec){ .tv_nsec = 20000000 }, NULL) == 0);
    dbus_close(&bus);
    if (rc == 0)
        return 0;
    scope_release(holder);
    return error_prefix(err, "cannot start unit '%s'", scope->unit);
}

void scope_release(pid_t *holder)
{
    if (*holder <= 0)
        return;
    (void)kill(*holder, SIGKILL); /* our child, not reaped: no other has its PID */
    while (waitpid(*holder, NULL, 0) < 0 && errno == EINTR)
        ;
    *holder = 0;
}

int scope_update(const char *unit, const struct resources *resources, bool is_unified,
                 struct error *err)
{
    static struct dbus bus;
    static struct dbus_body body;

    if (open_systemd(&bus, err) < 0)
        return -1;
    body = (struct dbus_body){ 0 };
    dbus_put_text(&body, unit);
    dbus_put_u32(&body, 1); /* until the next boot */
    size_t begin = dbus_array_begin(&body, 8);
    put_resources(&body, resources, is_unified);
    dbus_array_end(&body, begin, 8);
    const struct dbus_call what = to_manager("SetUnitProperties", "sba(sv)", &body);
    int rc = call(&bus, &what, NULL, CALL_TIMEOUT_MS, err);
    dbus_close(&bus);
    return rc < 0 ? error_prefix(err, "cannot change unit '%s'", unit) : 0;
}

void scope_stop(const char *unit)
{
    static struct dbus bus;
    static struct dbus_body body;
    struct error ignored; /* a unit that has stopped by itself is gone */

    if (open_systemd(&bus, &ignored) < 0)
        return;
    body = (struct dbus_body){ 0 };
    dbus_put_text(&body, unit);
    dbus_put_text(&body, "replace");
    const struct dbus_call what = to_manager("StopUnit", "ss", &body);
    (void)call(&bus, &what, NULL, STOP_TIMEOUT_MS,
               &ignored); /* mostly it has seen the end itself */
    dbus_close(&bus);
}

/* What systemd takes in a unit's name. */
static int check_part(const char *part, size_t length, struct error *err)
{
    static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                  "0123456789_.-@\\";

    if (length > 200 || strspn(part, allowed) < length)
        return fail(err, ERR_INVALID, "'%.*s' cannot be in the name of a systemd unit", (int)length,
                    part);
    return 0;
}

/* Of the system's manager, or of the user's own. */
static const char *private_socket(char path[108])
{
    const char *runtime_dir = getenv("XDG_RUNTIME_DIR");

    if (geteuid() == 0 || runtime_dir == NULL)
        return "/run/systemd/private";
    (void)snprintf(path, 108, "%s/systemd/private", runtime_dir); /* cut: nobody is there */
    return path;
}

static int open_systemd(struct dbus *bus, struct error *err)
{
    char path[108];
    const char *socket_path = private_socket(path);

    if (access(socket_path, F_OK) < 0)
        return fail(err, ERR_UNSUPPORTED,
                    "the systemd cgroup manager needs a running systemd: there is no '%s'; use the "
                    "cgroupfs manager",
                    socket_path);
    return dbus_open(bus, socket_path, err);
}

/* It goes with us, whatever happens. */
static pid_t make_holder(void)
{
    pid_t parent = getpid();
    pid_t pid = fork();

    if (pid != 0)
        return pid < 0 ? -errno : pid;
    (void)close_range(0, ~0u, 0); /* nobody waits for what it has inherited */
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
    while (getppid() == parent)
        (void)pause();
    _exit(0);
}

/* A scope of a container looks after itself (Delegate), and is forgotten when it has ended. */
static void put_start(struct dbus_body *body, const struct scope *scope,
                      const struct resources *resources, bool is_unified, pid_t holder)
{
    dbus_put_text(body, scope->unit);
    dbus_put_text(body, "replace");
    size_t begin = dbus_array_begin(body, 8);
    put_text(body, "Description", "a container of runner");
    put_text(body, "Slice", scope->slice);
    put_text(body, "CollectMode", "inactive-or-failed");
    put_flag(body, "Delegate", true);
    put_flag(body, "DefaultDependencies", false);
    put_name(body, "PIDs", "au");
    size_t pids = dbus_array_begin(body, sizeof(uint32_t));
    dbus_put_u32(body, (uint32_t)holder);
    dbus_array_end(body, pids, sizeof(uint32_t));
    put_resources(body, resources, is_unified);
    dbus_array_end(body, begin, 8);
    size_t others = dbus_array_begin(body, 8);
    dbus_array_end(body, others, 8);
}

/* What systemd would reset when it looks over its units; all is written to the group's files too.
 */
static void put_resources(struct dbus_body *body, const struct resources *resources,
                          bool is_unified)
{
    int64_t limit = resources->memory_limit.value;
    int64_t swap = resources->memory_swap.value;

    if (limit != 0)
        put_number(body, is_unified ? "MemoryMax" : "MemoryLimit", limit);
    if (is_unified && resources->memory_reservation.value != 0)
        put_number(body, "MemoryLow", resources->memory_reservation.value);
    if (is_unified && swap != 0 && (swap < 0 || limit > 0))
        put_number(body, "MemorySwapMax", swap < 0 ? -1 : swap - limit);
    if (resources->pids_limit.is_set && resources->pids_limit.value != 0)
        put_number(body, "TasksMax", resources->pids_limit.value);
    put_cpu(body, resources, is_unified);
}

static void put_cpu(struct dbus_body *body, const struct resources *resources, bool is_unified)
{
    int64_t quota = resources->cpu_quota.value;
    int64_t period = resources->cpu_period.value > 0 ? resources->cpu_period.value : DEFAULT_PERIOD;

    if (resources->cpu_shares.value > 0)
        put_number(body, is_unified ? "CPUWeight" : "CPUShares",
                   is_unified ? cgroup_v2_weight(resources->cpu_shares.value)
                              : resources->cpu_shares.value);
    if (resources->cpu_period.value > 0)
        put_number(body, "CPUQuotaPeriodUSec", period);
    if (quota != 0) {
        int64_t usec = quota < 0 ? -1 : (int64_t)((double)quota * USEC_PER_SEC / (double)period);
        if (usec >= 0)
            usec = (usec + QUOTA_STEP_USEC - 1) / QUOTA_STEP_USEC * QUOTA_STEP_USEC;
        put_number(body, "CPUQuotaPerSecUSec", usec);
    }
    if (is_unified) {
        put_set(body, "AllowedCPUs", resources->cpuset_cpus);
        put_set(body, "AllowedMemoryNodes", resources->cpuset_mems);
    }
}

/* A list of numbers as bits; one that cannot be read fails where it is written to its file. */
static void put_set(struct dbus_body *body, const char *name, const char *list)
{
    struct error ignored;
    cpu_set_t set;

    if (list == NULL || *list == '\0' || affinity_read(list, &set, &ignored) < 0)
        return;
    put_name(body, name, "ay");
    size_t begin = dbus_array_begin(body, 1);
    for (size_t first = 0; first < CPU_SETSIZE; first += 8)
        dbus_put_u8(body, bits_at(&set, first));
    dbus_array_end(body, begin, 1);
}

static uint8_t bits_at(const cpu_set_t *set, size_t first)
{
    unsigned int bits = 0;

    for (unsigned int bit = 0; bit < 8; bit++)
        if (CPU_ISSET(first + bit, set))
            bits |= 1u << bit;
    return (uint8_t)bits;
}

static void put_name(struct dbus_body *body, const char *name, const char *signature)
{
    dbus_align(body, 8);
    dbus_put_text(body, name);
    dbus_put_signature(body, signature);
}

static void put_flag(struct dbus_body *body, const char *name, bool value)
{
    put_name(body, name, "b");
    dbus_put_u32(body, value);
}

static void put_text(struct dbus_body *body, const char *name, const char *value)
{
    put_name(body, name, "s");
    dbus_put_text(body, value);
}

/* -1 is "infinity". */
static void put_number(struct dbus_body *body, const char *name, int64_t value)
{
    put_name(body, name, "t");
    dbus_put_u64(body, (uint64_t)value);
}

static struct dbus_call to_manager(const char *member, const char *signature,
                                   const struct dbus_body *body)
{
    return (struct dbus_call){
        .path = "/org/freedesktop/systemd1",
        .interface = "org.freedesktop.systemd1.Manager",
        .member = member,
        .signature = signature,
        .body = body,
    };
}

/* Until the reply, or, when a job is what was asked for, until that of the unit is over. */
static int call(struct dbus *bus, const struct dbus_call *what, const char *awaited_unit,
                int64_t timeout_ms, struct error *err)
{
    int64_t deadline_ms = clock_mono_ms() + timeout_ms;
    bool is_over = false;
    uint32_t serial = 0;

    if (dbus_send(bus, what, &serial, err) < 0)
        return -1;
    while (!is_over) {
        struct dbus_message message;
        if (dbus_receive(bus, deadline_ms, &message, err) < 0)
            return -1;
        bool is_answer = message.type != DBUS_SIGNAL && message.reply_to == serial;
        bool is_end = message.type == DBUS_SIGNAL && awaited_unit != NULL &&
                      strcmp(message.member, "JobRemoved") == 0;
        if ((is_answer || is_end) && take_answer(&message, awaited_unit, &is_over, err) < 0)
            return -1;
    }
    return 0;
}

static int take_answer(struct dbus_message *message, const char *awaited_unit, bool *is_over,
                       struct error *err)
{
    const char *text = "";
    const char *unit = "";
    const char *result = "";
    uint32_t job = 0;

    if (message->type == DBUS_ERROR) {
        (void)dbus_get_text(message, &text); /* mostly one is there */
        bool is_taken = strcmp(message->error_name, "org.freedesktop.systemd1.UnitExists") == 0;
        return fail(err, is_taken ? ERR_EXISTS : ERR_SYSTEM, "%s",
                    *text != '\0' ? text : message->error_name);
    }
    if (message->type == DBUS_REPLY) {
        *is_over = awaited_unit == NULL;
        return 0;
    }
    if (awaited_unit == NULL || strcmp(message->signature, "uoss") != 0 ||
        dbus_get_u32(message, &job) < 0 || dbus_get_text(message, &text) < 0 ||
        dbus_get_text(message, &unit) < 0 || dbus_get_text(message, &result) < 0 ||
        strcmp(unit, awaited_unit) != 0)
        return 0;
    *is_over = true;
    return strcmp(result, "done") == 0 ? 0 : fail(err, ERR_SYSTEM, "systemd says: %s", result);
}
