/* SPDX-License-Identifier: Apache-2.0 */
/* Runs the tests that registered themselves; the closing line is check's own. */
#include <stdlib.h>

#include "lib/test.h"

#define TIMEOUT_S 120

static struct test_entry *first;

void test_register(struct test_entry *entry)
{
    entry->next = first;
    first = entry;
}

int main(int argc, char **argv)
{
    Suite *suite = suite_create(argc > 0 ? argv[0] : "unit");

    for (struct test_entry *entry = first; entry != NULL; entry = entry->next) {
        TCase *test_case = tcase_create(entry->test->name);
        tcase_set_timeout(test_case, TIMEOUT_S);
        tcase_add_test(test_case, entry->test);
        suite_add_tcase(suite, test_case);
    }
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
