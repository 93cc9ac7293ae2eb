/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A service that starts real containers by the real runner, for sweeps (on lib/images.h).  Include
 * it in one file of a program.
 */
#ifndef LIB_CONTAINERS_H
#define LIB_CONTAINERS_H

#include <libgen.h>
#include <limits.h>
#include <stdio.h>

#include "core/box/monitor.h"
#include "core/pool/pool.h"
#include "core/recreate/recreator.h"
#include "lib/images.h"

/* BUILD/runner, beside BUILD/unit/ where this program is. */
static inline const char *containers_runner(void)
{
    static char runner[PATH_MAX];
    char self[PATH_MAX] = { 0 };

    CHECK(readlink("/proc/self/exe", self, sizeof(self) - 1) > 0);
    (void)snprintf(runner, sizeof(runner), "%s/../runner", dirname(self));
    CHECK(access(runner, X_OK) == 0);
    return runner;
}

/* Without pools, which recover() or pools_open() brings. */
static inline void containers_open(struct images *images)
{
    images_open(images);
    images->service.runner_path = containers_runner();
    images->service.monitor = monitor_new(&images->service, &images->err);
    images->service.recreator = recreator_new(&images->service, &images->err);
    CHECK(images->service.monitor != NULL && images->service.recreator != NULL);
}

static inline void containers_close(struct images *images)
{
    recreator_free(images->service.recreator);
    monitor_free(images->service.monitor);
    pools_close(images->service.pools);
    images_close(images);
}

#endif
