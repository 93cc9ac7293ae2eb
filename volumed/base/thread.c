/* SPDX-License-Identifier: Apache-2.0 */
/* Starting threads. */
#include "base/thread.h"

#include <signal.h>

#define STACK_SIZE ((size_t)512 * 1024)

int thread_start(pthread_t *thread, const char *name, void *(*body)(void *), void *argument,
                 struct error *err)
{
    pthread_attr_t attributes;
    sigset_t all;
    sigset_t old;

    (void)pthread_attr_init(&attributes);
    (void)pthread_attr_setstacksize(&attributes, STACK_SIZE);
    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &old); /* the new thread inherits it */
    int rc = pthread_create(thread, &attributes, body, argument);
    (void)pthread_sigmask(SIG_SETMASK, &old, NULL);
    (void)pthread_attr_destroy(&attributes);
    if (rc != 0)
        return fail_sys(err, -rc, "cannot start thread '%s'", name);
    (void)pthread_setname_np(*thread, name); /* for people only */
    return 0;
}
