/* SPDX-License-Identifier: Apache-2.0 */
/* Reconciling without anyone to report to. */
#include "base/log.h"
#include "core/reconcile/reconcile.h"

int reconcile_and_log(struct task *task, struct error *err)
{
    struct findings findings = { 0 };

    if (reconcile(task, true, &findings, err) < 0)
        return -1;
    for (size_t i = 0; i < findings.count; i++)
        log_warn("found kind=%s object=%s repaired=%s text=\"%s\"", findings.items[i].kind,
                 findings.items[i].object, findings.items[i].is_repaired ? "yes" : "no",
                 findings.items[i].text);
    return 0;
}
