/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The runtime specification's config.json as structs: read once, strictly, by tables (spec.c), and
 * constant from then on.  Owns no behaviour beyond reading: what a member does is the business of
 * the file of that noun.
 */
#ifndef RUNNER_SPEC_H
#define RUNNER_SPEC_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/arena.h"
#include "base/error.h"

struct process; /* process.h */

/* (being filled) */
struct spec {
    const char *version;
    const struct process *process; /* never NULL; process->terminal says whether a pty is made */
    const json_t *annotations;     /* an object, or NULL */
    json_t *json;
};

/*
 * Reads and checks BUNDLE/config.json ('config' names another file, or is NULL).  The spec lives as
 * long as 'mem', its JSON until spec_close().
 *
 * Errors: INVALID names the member and what is wrong with it; NOT_FOUND.
 */
int spec_read(struct arena *mem, const char *bundle, const char *config, struct spec **spec,
              struct error *err);
void spec_close(struct spec *spec);

/* The annotation's text, or 'otherwise' when there is none of that name. */
const char *spec_annotation(const json_t *annotations, const char *name, const char *otherwise);

#endif
