/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What packing a tree (pack.c) and packing its changes (pack_changes.c) have in common: one entry
 * of an archive, with its attributes and its data.  Not for others.
 */
#ifndef TRANSFER_PACK_ENTRY_H
#define TRANSFER_PACK_ENTRY_H

#include <stdint.h>
#include <sys/stat.h>

#include "base/arena.h"
#include "base/buf.h"
#include "transfer/attributes.h"
#include "transfer/pack.h"
#include "transfer/ranges.h"

struct archive;
struct archive_entry_linkresolver;

struct packer {
    const struct pack_rules *rules;
    struct archive *tar;
    struct archive_entry_linkresolver *links;
    struct buf path; /* of the present entry in the archive */
    char *chunk;
    int depth;
    int64_t entries; /* written so far */
};

struct pack_item {
    struct file file; /* NULL name and -1: it has no attributes */
    const struct stat *st;
    const char *target;          /* of a symbolic link */
    const char *mark;            /* MARK_…; NULL: an entry like any */
    const struct ranges *ranges; /* of the data that goes along; NULL: all but holes */
    const char *hardlink;        /* another name of the entry at this path */
    bool are_links_known;        /* 'hardlink' tells; else the resolver finds out */
};

int packer_open(struct packer *packer, int output_fd, struct error *err);
int packer_close(struct packer *packer, struct error *err);
void packer_done(struct packer *packer);
int packer_write(struct packer *packer, const struct pack_item *item, struct error *err);

/* An entry that is neither a file nor a directory, 'name' in the directory 'at_fd'. */
int packer_write_other(struct packer *packer, int at_fd, const char *name, const struct stat *st,
                       struct error *err);
void packer_cut_path(struct packer *packer, size_t length);

/* A directory's names, sorted. */
struct pack_names {
    struct arena *mem;
    char **items;
    size_t count;
    size_t capacity;
};

int pack_names_list(int fd, struct pack_names *names, struct error *err);

#endif
