/* SPDX-License-Identifier: Apache-2.0 */
/* What was written in a probation or a rehearsal. */
#ifndef CORE_RECREATE_WRITTEN_H
#define CORE_RECREATE_WRITTEN_H

#include "core/recreate/recreate_run.h"

/*
 * Adds files_added, files_removed, files_changed and bytes_written to the report: from the set
 * 'from' to the set 'to', or (NULL) to what the volumes hold now, or, with 'prefix', to what the
 * volumes PREFIX<volume> hold.  What cannot be compared is logged and left out.
 */
void recreate_report_written(struct recreate_run *run, const char *from, const char *to,
                             const char *prefix);

#endif
