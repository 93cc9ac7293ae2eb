/* SPDX-License-Identifier: Apache-2.0 */
/* Between a client's bytes and a confined child. */
#ifndef CORE_STREAM_H
#define CORE_STREAM_H

#include "core/image/image.h"
#include "transfer/child.h"

/* Feeds the child until the source ends or the child has read enough.. */
int stream_feed(struct child *child, const struct byte_source *source, struct error *err);

/* Passes the child's output on until it ends. */
int stream_drain(struct child *child, const struct byte_sink *sink, struct error *err);

#endif
