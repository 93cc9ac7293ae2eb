/* SPDX-License-Identifier: Apache-2.0 */
/* Giving leases: what the rules allow beside those who are there. */
#include "core/attachment/lease.h"

#include <string.h>

#include "base/clock.h"
#include "core/attachment/attachment_snapshot.h"
#include "core/operation/op.h"
#include "core/volume/volume.h"
#include "core/volume/volume_event.h"
#include "store/attachment.h"
#include "store/lease.h"
#include "store/plugin_mount.h"
#include "store/volume.h"

/* Who is there beside the one who asks. */
struct company {
    const struct attachment_user *writer; /* NULL: none */
    const struct attachment_user *other;  /* anybody, NULL: nobody */
    int64_t engine_mounts;
};

struct access_change {
    struct volume volume;
    struct volume_rule rule;
    const char *succession;
};

static int look_around(struct task *task, const char *volume_id, const char *container_id,
                       struct company *company, struct error *err);
static int check(const struct attachment *attachment, const struct volume_rule *rule,
                 const struct company *company, bool *is_held, struct error *err);
static int check_exclusive(const struct attachment *attachment, const struct company *company,
                           struct error *err);
static int refuse(const struct attachment *attachment, const struct company *company,
                  struct error *err);
static bool is_writer_in_the_way(const struct attachment *attachment,
                                 const struct volume_rule *rule, const struct company *company);
static int give(struct task *task, const struct attachment *attachment, bool is_held,
                struct error *err);
static int access_finish(struct task *task, struct op *op, struct error *err);
static int check_present(struct task *task, const struct access_change *change, struct error *err);

static const struct op_kind access_kind = { .name = "volume.access", .finish = access_finish };

int lease_take(struct task *task, const struct attachment *attachment, struct error *err)
{
    struct company company;
    struct volume_rule rule;
    bool is_held = false;

    if (attachment_shows_snapshot(attachment))
        return 0;
    int has_rule = store_rule_find(task->db, attachment->volume_id, &rule, err);
    if (has_rule < 0 ||
        look_around(task, attachment->volume_id, attachment->container_id, &company, err) < 0)
        return -1;
    if (check(attachment, &rule, &company, &is_held, err) < 0)
        return -1;
    bool is_told = has_rule > 0 || attachment->mode == ACCESS_EXCLUSIVE || attachment->is_standby;
    if (attachment->mode == ACCESS_RO || !is_told)
        return 0;
    return give(task, attachment, is_held, err);
}

int lease_test(struct task *task, const struct attachment *attachment, struct error *err)
{
    struct company company;
    struct volume_rule rule;

    if (attachment_shows_snapshot(attachment))
        return 0;
    if (store_rule_find(task->db, attachment->volume_id, &rule, err) < 0 ||
        look_around(task, attachment->volume_id, attachment->container_id, &company, err) < 0)
        return -1;
    return check(attachment, &rule, &company, &(bool){ false }, err);
}

int lease_end(struct task *task, const char *container_id, struct error *err)
{
    return store_lease_end(task->db, container_id, err) < 0 ? -1 : 0;
}

int lease_check_engine(struct task *task, const struct volume *volume, const char *caller_id,
                       struct error *err)
{
    struct attachment use = { .volume_name = volume->name, .mode = ACCESS_RW };
    struct volume_rule rule;
    struct company company;
    int64_t own = 0;

    if (store_rule_find(task->db, volume->id, &rule, err) < 0 ||
        look_around(task, volume->id, "", &company, err) < 0 ||
        store_plugin_mount_count_of(task->db, volume->id, caller_id, &own, err) < 0)
        return -1;
    company.engine_mounts -= own;
    return check(&use, &rule, &company, &(bool){ false }, err);
}

int volume_set_access(struct task *task, const char *ref, const char *access,
                      const char *succession, struct error *err)
{
    struct access_change change = { .succession = succession };
    enum lease_succession ignored;

    if (volume_access_find(access, &change.rule.access, err) < 0 ||
        (succession != NULL && lease_succession_find(succession, &ignored, err) < 0) ||
        volume_get(task, ref, &change.volume, err) < 0)
        return -1;
    cleanup_op struct op op = {
        .kind = &access_kind,
        .subject = arena_printf(task->mem, "volume '%s'", change.volume.name),
        .data = &change,
    };
    return op_run(task, &op, err);
}

int lease_list(struct task *task, const char *ref, struct volume_rule *rule, struct lease **list,
               size_t *count, struct error *err)
{
    struct volume volume;

    if (volume_get(task, ref, &volume, err) < 0 ||
        store_rule_find(task->db, volume.id, rule, err) < 0)
        return -1;
    int found = store_lease_list(task->db, task->mem, volume.id, list, err);
    if (found < 0)
        return -1;
    *count = (size_t)found;
    return 0;
}

static int look_around(struct task *task, const char *volume_id, const char *container_id,
                       struct company *company, struct error *err)
{
    struct attachment_user *users = NULL;
    int count = store_attachment_users(task->db, task->mem, volume_id, &users, err);

    *company = (struct company){ 0 };
    for (int i = 0; i < count; i++) {
        const struct attachment_user *user = &users[i];
        if (strcmp(user->container_id, container_id) == 0 || user->shows_snapshot ||
            !attachment_user_is_live(user))
            continue;
        company->other = company->other == NULL ? user : company->other;
        bool is_more = company->writer == NULL || user->mode == ACCESS_EXCLUSIVE;
        if (user->mode != ACCESS_RO && is_more)
            company->writer = user;
    }
    return count < 0 ? -1
                     : store_plugin_mount_count(task->db, volume_id, &company->engine_mounts, err);
}

/* *is_held: it may start, but not write. */
static int check(const struct attachment *attachment, const struct volume_rule *rule,
                 const struct company *company, bool *is_held, struct error *err)
{
    bool is_writer = attachment->mode != ACCESS_RO;

    *is_held = false;
    if (rule->access == VOLUME_EXCLUSIVE)
        return check_exclusive(attachment, company, err);
    if (rule->access == VOLUME_READ_ONLY && is_writer)
        return fail(err, ERR_CONFLICT,
                    "volume '%s' is read-only: attach it with ':ro', or give it another access",
                    attachment->volume_name);
    if (!is_writer || !is_writer_in_the_way(attachment, rule, company))
        return 0;
    if (attachment->is_standby && company->engine_mounts == 0) {
        *is_held = true;
        return 0;
    }
    return refuse(attachment, company, err);
}

static int check_exclusive(const struct attachment *attachment, const struct company *company,
                           struct error *err)
{
    if (company->other != NULL)
        return fail(
            err, ERR_CONFLICT, "volume '%s' is exclusive, and in use by container '%s' (%.12s)",
            attachment->volume_name, company->other->container_name, company->other->container_id);
    if (company->engine_mounts > 0)
        return fail(err, ERR_CONFLICT, "volume '%s' is exclusive, and in use by another engine",
                    attachment->volume_name);
    return 0;
}

static bool is_writer_in_the_way(const struct attachment *attachment,
                                 const struct volume_rule *rule, const struct company *company)
{
    bool wants_alone = rule->access == VOLUME_SINGLE_WRITER || attachment->is_standby ||
                       attachment->mode == ACCESS_EXCLUSIVE;

    if (company->writer != NULL && company->writer->mode == ACCESS_EXCLUSIVE)
        return true;
    return wants_alone && (company->writer != NULL || company->engine_mounts > 0);
}

static int refuse(const struct attachment *attachment, const struct company *company,
                  struct error *err)
{
    if (company->writer == NULL)
        return fail(err, ERR_CONFLICT,
                    "volume '%s' is used by another engine, which counts as its writer",
                    attachment->volume_name);
    return fail(err, ERR_CONFLICT,
                "volume '%s' is written by container '%s' (%.12s), and one of the two is its"
                " exclusive writer",
                attachment->volume_name, company->writer->container_name,
                company->writer->container_id);
}

static int give(struct task *task, const struct attachment *attachment, bool is_held,
                struct error *err)
{
    struct lease lease = {
        .volume_id = attachment->volume_id,
        .container_id = attachment->container_id,
        .state = is_held ? "standby" : "writer",
        .since_ms = clock_now_ms(),
    };
    struct volume_rule rule;

    if (!is_held)
        return store_rule_advance(task->db, lease.volume_id, &lease.epoch, err) < 0
                   ? -1
                   : store_lease_set(task->db, &lease, err);
    if (store_rule_find(task->db, lease.volume_id, &rule, err) < 0)
        return -1;
    lease.epoch = rule.epoch;
    return store_lease_set(task->db, &lease, err);
}

static int access_finish(struct task *task, struct op *op, struct error *err)
{
    struct access_change *change = op->data;
    struct volume_rule now;
    struct pairs more = { 0 };

    int found = store_volume_find_id(task->db, task->mem, change->volume.id, &change->volume, err);
    if (found <= 0)
        return found < 0 ? -1 : fail(err, ERR_NOT_FOUND, "no such volume");
    if (store_volume_check_free(task->db, &change->volume, err) < 0 ||
        store_rule_find(task->db, change->volume.id, &now, err) < 0 ||
        check_present(task, change, err) < 0)
        return -1;
    change->rule.succession = now.succession;
    if (change->succession != NULL &&
        lease_succession_find(change->succession, &change->rule.succession, err) < 0)
        return -1;
    if (store_rule_set(task->db, change->volume.id, &change->rule, err) < 0)
        return -1;
    pairs_set(&more, task->mem, "access", volume_access_name(change->rule.access));
    return volume_event(task, "access", &change->volume, &more, err);
}

/* Each of those who are there must be allowed beside the others. */
static int check_present(struct task *task, const struct access_change *change, struct error *err)
{
    struct attachment_user *users = NULL;
    int count = store_attachment_users(task->db, task->mem, change->volume.id, &users, err);

    for (int i = 0; i < count; i++) {
        struct attachment use = { .volume_name = change->volume.name, .mode = users[i].mode };
        struct company company;
        if (!attachment_user_is_live(&users[i]) || users[i].shows_snapshot)
            continue;
        if (look_around(task, change->volume.id, users[i].container_id, &company, err) < 0)
            return -1;
        if (check(&use, &change->rule, &company, &(bool){ false }, err) < 0)
            return error_prefix(err, "container '%s' (%.12s) runs", users[i].container_name,
                                users[i].container_id);
        /* From now on it holds what it has. */
        use.volume_id = change->volume.id;
        use.container_id = users[i].container_id;
        if (users[i].mode != ACCESS_RO && users[i].lease == NULL &&
            give(task, &use, false, err) < 0)
            return -1;
    }
    return count < 0 ? -1 : 0;
}
