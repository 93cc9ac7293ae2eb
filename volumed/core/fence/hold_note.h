/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Notes of control groups of others that are held still (`runner hold`), so that nobody stays
 * frozen when the holder and volumed are both killed.  The holder writes into the note what it is
 * about to freeze, empties it when that is thawed, and has it locked as long as it lives: a note
 * that is not empty and not locked tells what a dead holder left.
 */
#ifndef CORE_FENCE_HOLD_NOTE_H
#define CORE_FENCE_HOLD_NOTE_H

#include "base/error.h"
#include "core/operation/task.h"

/* A new one, locked, and its name.  Returns the descriptor, for the holder alone. */
int hold_note_open(struct task *task, const char **name, struct error *err);

/* When all is thawed. */
void hold_note_remove(struct task *task, const char *name);

/* Thaws what the note tells, if its holder is dead or dies soon, and removes it.  Failures are
 * logged, and the note stays for the next start. */
void hold_note_settle(struct task *task, const char *name);

/* At start: likewise all notes.  Those of another boot tell nothing any more. */
void hold_note_settle_all(struct task *task);

#endif
