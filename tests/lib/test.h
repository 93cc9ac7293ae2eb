/* SPDX-License-Identifier: Apache-2.0 */
/*
 * TEST(name) { … } on top of Debian's check: registers itself, runs in a forked process with a time
 * limit, names are sentences.  CHECK* stop the test at the first that fails.
 */
#ifndef LIB_TEST_H
#define LIB_TEST_H

#include <check.h>
#undef fail /* a macro of check, a function of base/error.h */

#include "base/base.h"
#include "base/error.h"

struct test_entry {
    const TTest *test;
    struct test_entry *next;
};

void test_register(struct test_entry *entry);

#define TEST(name)                                                              \
    static void name##_fn(int);                                                 \
    static const TTest name##_ttest = { #name, name##_fn, __FILE__, __LINE__ }; \
    __attribute__((constructor)) static void name##_register(void)              \
    {                                                                           \
        static struct test_entry entry = { &name##_ttest, NULL };               \
        test_register(&entry);                                                  \
    }                                                                           \
    static void name##_fn(int unused_ __attribute__((unused)))

#define CHECK(condition)            ck_assert_msg((condition), "not true: %s", #condition)
#define CHECK_INT(actual, expected) ck_assert_int_eq((actual), (expected))
#define CHECK_STR(actual, expected) ck_assert_pstr_eq((actual), (expected))
/* 'call' must return 0 or more; its error is told otherwise. */
#define CHECK_OK(call, err) ck_assert_msg((call) >= 0, "%s failed: %s", #call, (err)->message)
#define CHECK_FAILS(call, err, expected_code)                                    \
    do {                                                                         \
        CHECK_INT((call), -1);                                                   \
        ck_assert_msg((err)->code == (expected_code), "%s: code %s (%s)", #call, \
                      error_code_name((err)->code), (err)->message);             \
    } while (0)

#endif
