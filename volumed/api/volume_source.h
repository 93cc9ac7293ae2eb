/* SPDX-License-Identifier: Apache-2.0 */
/* How Docker's clients ask for a clone, who know options only. */
#ifndef API_VOLUME_SOURCE_H
#define API_VOLUME_SOURCE_H

#include "core/volume.h"

/* Takes the option from=VOLUME or from=VOLUME@SNAPSHOT, if there is one, out of spec->options and
 * fills the spec's source with it. */
void volume_source_take(struct volume_spec *spec, struct arena *mem);

#endif
