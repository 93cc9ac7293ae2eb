/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Start and stop: reads the configuration, opens the state, recovers, opens the doors, waits for a
 * signal.  The only file that knows every folder.  Containers do not notice any of it.
 */
#include <errno.h>
#include <grp.h>
#include <limits.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "activation.h"
#include "api/docker/docker.h"
#include "api/native/native.h"
#include "api/plugin/plugin.h"
#include "base/arena.h"
#include "base/log.h"
#include "base/path.h"
#include "base/sys.h"
#include "config.h"
#include "core/box/monitor.h"
#include "core/container/container_freezer.h"
#include "core/container/exec.h"
#include "core/pool/pool.h"
#include "core/pool/pool_mirror.h"
#include "core/pool/pool_spare.h"
#include "core/reconcile/recover.h"
#include "core/recreate/recreator.h"
#include "core/service.h"
#include "http/http.h"
#include "job/scheduler.h"
#include "store/db.h"

#define STOP_GRACE_MS     5000
#define SOCKET_MODE_ROOT  0600
#define SOCKET_MODE_GROUP 0660

struct daemon {
    struct config config;
    struct arena *mem;
    struct activation activation;
    struct service service;
    struct http_server *server;
    struct scheduler *scheduler;
};

static int run(struct daemon *daemon, struct error *err);
static int find_programs(struct daemon *daemon, struct service_spec *spec, struct error *err);
static int find_program(struct daemon *daemon, const char *name, const char *given,
                        const char **path, struct error *err);
static int start_server(struct daemon *daemon, struct error *err);
static int open_plugin_door(struct daemon *daemon, struct error *err);
static int open_main_door(struct daemon *daemon, struct error *err);
static int find_group(const struct daemon *daemon, gid_t *gid, struct error *err);
static void serve(struct http_call *http, void *worker, void *context);
static void *worker_start(void *context, struct error *err);
static void worker_stop(void *worker);
static void worker_rest(void *worker);
static bool worker_must_rest(void *worker);
static void wait_for_signal(void);
static void mirror_pools(struct service *service);
static void stop(struct daemon *daemon);

static const struct http_worker_ops worker_ops = { worker_start, worker_stop, worker_rest,
                                                   worker_must_rest };

int main(int argc, char **argv)
{
    static struct daemon daemon;
    struct error err;

    daemon.mem = arena_new();
    if (config_load(&daemon.config, daemon.mem, argc, argv, &err) < 0) {
        (void)fprintf(stderr, "volumed: %s\n", err.message);
        return 2;
    }
    if (daemon.config.wants_help || daemon.config.wants_version) {
        (void)fputs(daemon.config.wants_help ? config_usage : "volumed " VOLUMED_VERSION "\n",
                    stdout);
        return EXIT_SUCCESS;
    }
    int rc = run(&daemon, &err);
    stop(&daemon);
    if (rc < 0)
        (void)fprintf(stderr, "volumed: %s\n", err.message);
    arena_free(daemon.mem);
    return rc < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}

static int run(struct daemon *daemon, struct error *err)
{
    struct service_spec spec = { .default_pool = daemon->config.default_pool,
                                 .state_dir = daemon->config.state_dir };
    sigset_t all;

    log_set_level(daemon->config.log_level);
    activation_take(&daemon->activation);
    (void)sigfillset(&all);
    /* NOLINTBEGIN(concurrency-mt-unsafe): no thread is running yet */
    (void)sigprocmask(SIG_SETMASK, &all, NULL); /* signals are read in wait_for_signal only */
    (void)mallopt(M_ARENA_MAX, 2); /* a heap for each thread would cost more than locks */
    /* NOLINTEND(concurrency-mt-unsafe) */
    if (find_programs(daemon, &spec, err) < 0 || service_open(&daemon->service, &spec, err) < 0)
        return -1;
    daemon->service.waits_max = (int)daemon->config.workers / 2;
    daemon->service.freezer = &container_freezer;
    daemon->service.trash_ttl_ms = daemon->config.trash_ttl_ns / 1000000;
    daemon->service.carry_window_ms = daemon->config.carry_window_ns / 1000000;
    daemon->service.execs = execs_new();
    daemon->service.monitor = monitor_new(&daemon->service, err);
    if (daemon->service.monitor == NULL)
        return -1;
    daemon->service.recreator = recreator_new(&daemon->service, err);
    if (daemon->service.recreator == NULL)
        return -1;
    /* The plugin's door opens before recovery ends: a dead plugin stalls other engines for long. */
    if (start_server(daemon, err) < 0 || open_plugin_door(daemon, err) < 0)
        return -1;
    struct task *task = worker_start(&daemon->service, err);
    int rc = task == NULL ? -1 : recover(task, err);
    if (task != NULL)
        worker_stop(task);
    if (rc < 0 || open_main_door(daemon, err) < 0)
        return -1;
    daemon->scheduler = scheduler_start(&daemon->service, err);
    if (daemon->scheduler == NULL)
        return -1;
    (void)malloc_trim(0); /* recovery may have needed much more than serving does */
    log_info("serving socket=%s state=%s version=%s", daemon->config.socket,
             daemon->config.state_dir, VOLUMED_VERSION);
    wait_for_signal();
    return 0;
}

static int find_programs(struct daemon *daemon, struct service_spec *spec, struct error *err)
{
    return find_program(daemon, "confined", NULL, &spec->confined_path, err) < 0
               ? -1
               : find_program(daemon, "runner", daemon->config.runner, &spec->runner_path, err);
}

/* Given, beside us, or in ../libexec/volumed. */
static int find_program(struct daemon *daemon, const char *name, const char *given,
                        const char **path, struct error *err)
{
    char self[PATH_MAX] = { 0 };

    if (readlink("/proc/self/exe", self, sizeof(self) - 1) < 0)
        return fail_sys(err, -errno, "cannot find our own program");
    *strrchr(self, '/') = '\0';
    const char *candidates[] = {
        given,
        arena_printf(daemon->mem, "%s/%s", self, name),
        path_clean(daemon->mem, arena_printf(daemon->mem, "%s/../libexec/volumed/%s", self, name)),
    };
    for (size_t i = given != NULL ? 0 : 1; i < ARRAY_SIZE(candidates); i++) {
        if (access(candidates[i], X_OK) == 0) {
            *path = candidates[i];
            return 0;
        }
        if (given != NULL)
            break;
    }
    return fail(err, ERR_NOT_FOUND, "cannot find the %s '%s'%s", name,
                given != NULL ? given : candidates[1],
                strcmp(name, "runner") == 0 ? "; name it with --runner" : "");
}

static int start_server(struct daemon *daemon, struct error *err)
{
    struct http_server_spec spec = {
        .worker_count = (int)daemon->config.workers,
        .worker_ops = &worker_ops,
        .worker_context = &daemon->service,
        .server_name = "volumed/" VOLUMED_VERSION " (linux)",
    };

    daemon->server = http_server_new(&spec, err);
    return daemon->server == NULL ? -1 : 0;
}

static int open_plugin_door(struct daemon *daemon, struct error *err)
{
    int fd = daemon->activation.plugin_fd;

    if (fd < 0 && daemon->config.plugin_socket[0] == '\0')
        return 0;
    if (fd < 0)
        fd = http_listen_unix(daemon->config.plugin_socket, SOCKET_MODE_ROOT, 0, err);
    return fd < 0 ? -1
                  : http_server_listen(daemon->server, fd, plugin_serve, &daemon->service, err);
}

static int open_main_door(struct daemon *daemon, struct error *err)
{
    int fd = daemon->activation.main_fd;
    gid_t gid = 0;

    if (find_group(daemon, &gid, err) < 0)
        return -1;
    if (fd < 0)
        fd = http_listen_unix(daemon->config.socket,
                              gid != 0 ? SOCKET_MODE_GROUP : SOCKET_MODE_ROOT, gid, err);
    return fd < 0 ? -1 : http_server_listen(daemon->server, fd, serve, &daemon->service, err);
}

static int find_group(const struct daemon *daemon, gid_t *gid, struct error *err)
{
    char buffer[4096];
    struct group group;
    struct group *found = NULL;

    if (daemon->config.group[0] == '\0')
        return 0;
    (void)getgrnam_r(daemon->config.group, &group, buffer, sizeof(buffer), &found);
    if (found == NULL)
        return fail(err, ERR_NOT_FOUND, "there is no group '%s'", daemon->config.group);
    *gid = group.gr_gid;
    return 0;
}

/* Two doors in one socket: ours under its prefix, Docker's for all else. */
static void serve(struct http_call *http, void *worker, void *context)
{
    if (strncmp(http_path(http), NATIVE_PREFIX, strlen(NATIVE_PREFIX)) == 0)
        native_serve(http, worker, context);
    else
        docker_serve(http, worker, context);
}

static void *worker_start(void *context, struct error *err)
{
    struct service *service = context;
    struct db *db = service_db_open(service, err);

    if (db == NULL)
        return NULL;
    struct task *task = mem_alloc(sizeof(*task));
    *task = (struct task){ .service = service, .db = db, .mem = arena_new(), .actor = "volumed" };
    return task;
}

static void worker_stop(void *worker)
{
    struct task *task = worker;

    db_close(task->db);
    arena_free(task->mem);
    free(task);
}

static void worker_rest(void *worker)
{
    struct task *task = worker;

    pool_spare_refill();
    db_checkpoint_if_due(task->db);
}

static bool worker_must_rest(void *worker)
{
    const struct task *task = worker;

    return pool_spare_is_due() || db_checkpoint_is_due(task->db);
}

static void wait_for_signal(void)
{
    sigset_t wanted;
    int signal = 0;

    (void)sigemptyset(&wanted);
    (void)sigaddset(&wanted, SIGTERM);
    (void)sigaddset(&wanted, SIGINT);
    (void)sigwait(&wanted, &signal); /* fails only for a set without signals */
    log_info("stopping signal=%d", signal);
}

/* So that after a clean stop the pools know all that the database knows. */
static void mirror_pools(struct service *service)
{
    struct error err;
    struct task *task = worker_start(service, &err);
    int rc = task == NULL ? -1 : pool_mirror_flush(task, &err);

    if (rc < 0)
        log_warn("pools have no current copy of their rows error=\"%s\"", err.message);
    if (task != NULL)
        worker_stop(task);
}

static void stop(struct daemon *daemon)
{
    scheduler_stop(daemon->scheduler);
    if (daemon->server != NULL) {
        http_server_stop(daemon->server, STOP_GRACE_MS);
        recreator_free(daemon->service.recreator);
        monitor_free(daemon->service.monitor);
        http_server_free(daemon->server);
    } else {
        recreator_free(daemon->service.recreator);
        monitor_free(daemon->service.monitor);
    }
    execs_free(daemon->service.execs);
    if (daemon->service.is_recovered)
        mirror_pools(&daemon->service);
    pools_close(daemon->service.pools);
    service_close(&daemon->service);
}
