/* SPDX-License-Identifier: Apache-2.0 */
/* When a container that ended is started again. */
#include "core/box/restart.h"
#include "lib/test.h"

static const struct restart_policy always = { .kind = RESTART_ALWAYS };
static const struct restart_policy on_failure = { .kind = RESTART_ON_FAILURE, .max_retries = 3 };

TEST(the_delay_doubles_up_to_a_minute)
{
    struct restart_facts facts = { .exit_code = 0 };
    int64_t delay_ms = 0;
    int64_t expected_ms = 100;

    for (int i = 0; i < 20; i++) {
        CHECK(restart_is_due(&always, &facts, &delay_ms));
        CHECK_INT(delay_ms, expected_ms);
        expected_ms = expected_ms * 2 > 60000 ? 60000 : expected_ms * 2;
        facts.last_delay_ms = delay_ms;
    }
}

TEST(a_good_run_begins_the_delay_anew)
{
    struct restart_facts facts = { .last_delay_ms = 6400, .ran_ns = 10000000000 };
    int64_t delay_ms = 0;

    CHECK(restart_is_due(&always, &facts, &delay_ms));
    CHECK_INT(delay_ms, 100);
}

TEST(on_failure_gives_up_after_its_retries_and_after_success)
{
    struct restart_facts facts = { .exit_code = 1, .restart_count = 2 };
    int64_t delay_ms = 0;

    CHECK(restart_is_due(&on_failure, &facts, &delay_ms));
    facts.restart_count = 3;
    CHECK(!restart_is_due(&on_failure, &facts, &delay_ms));
    facts = (struct restart_facts){ .exit_code = 0 };
    CHECK(!restart_is_due(&on_failure, &facts, &delay_ms));
}

TEST(a_stop_by_a_person_is_final)
{
    struct restart_facts facts = { .exit_code = 1, .is_stop_wanted = true };
    int64_t delay_ms = 0;

    CHECK(!restart_is_due(&always, &facts, &delay_ms));
}

TEST(a_boot_starts_what_its_policy_says)
{
    struct restart_policy unless_stopped = { .kind = RESTART_UNLESS_STOPPED };
    struct restart_policy no = { .kind = RESTART_NO };

    CHECK(restart_is_due_at_boot(&always, true, false));
    CHECK(restart_is_due_at_boot(&unless_stopped, false, false));
    CHECK(!restart_is_due_at_boot(&unless_stopped, true, true));
    CHECK(restart_is_due_at_boot(&on_failure, false, true));
    CHECK(!restart_is_due_at_boot(&no, false, true));
}

TEST(policies_are_refused_in_the_words_of_dockerd)
{
    cleanup_json json_t *unknown = json_pack("{ss}", "Name", "sometimes");
    cleanup_json json_t *negative =
        json_pack("{ss si}", "Name", "on-failure", "MaximumRetryCount", -1);
    cleanup_json json_t *mixed = json_pack("{ss si}", "Name", "always", "MaximumRetryCount", 2);
    struct error err;

    CHECK_FAILS(restart_policy_check(unknown, &err), &err, ERR_INVALID);
    CHECK_STR(err.message, "invalid restart policy 'sometimes'");
    CHECK_FAILS(restart_policy_check(negative, &err), &err, ERR_INVALID);
    CHECK_FAILS(restart_policy_check(mixed, &err), &err, ERR_INVALID);
    CHECK_STR(err.message, "maximum retry count cannot be used with restart policy 'always'");
}
