/* SPDX-License-Identifier: Apache-2.0 */
/* --help at every level, made from the verb table. */
#ifndef VOLCTL_HELP_H
#define VOLCTL_HELP_H

#include "verbs.h"

void help_all(void);
void help_noun(const struct noun *noun);
void help_verb(const struct verb *verb);

#endif
