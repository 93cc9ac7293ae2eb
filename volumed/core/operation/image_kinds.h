/* SPDX-License-Identifier: Apache-2.0 */
/* The kinds of operations on images, for the table of kinds and for tests. */
#ifndef CORE_IMAGE_KINDS_H
#define CORE_IMAGE_KINDS_H

#include "core/operation/op.h"

extern const struct op_kind image_tag_kind;
extern const struct op_kind image_load_kind;
extern const struct op_kind image_import_kind;
extern const struct op_kind image_commit_kind;
extern const struct op_kind image_remove_kind;
extern const struct op_kind image_prune_kind;
extern const struct op_kind container_copy_kind; /* leaves an intent */

#endif
