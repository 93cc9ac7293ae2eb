/* SPDX-License-Identifier: Apache-2.0 */
/* Lines of logs, and finding the last of them. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/sys.h"
#include "core/container/log_line.h"
#include "lib/test.h"

#define LINE(text, stream, second)                                                            \
    "{\"log\":\"" text "\\n\",\"stream\":\"" stream "\",\"time\":\"2026-11-24T08:00:0" second \
    ".5Z\"}"

static const struct log_spec both = { .has_stdout = true, .has_stderr = true, .tail = -1 };

static int append(const char *line, const struct log_spec *spec, bool is_raw, struct buf *out)
{
    return log_line_append(line, strlen(line), spec, is_raw, out);
}

TEST(a_line_becomes_a_frame_of_its_stream)
{
    cleanup_buf struct buf out = { 0 };

    CHECK_INT(append(LINE("hi", "stderr", "1"), &both, false, &out), 1);
    CHECK_INT((int)out.size, 8 + 3);
    CHECK(memcmp(out.data, "\2\0\0\0\0\0\0\3hi\n", 11) == 0);
    buf_clear(&out);
    CHECK_INT(append(LINE("hi", "stdout", "1"), &both, true, &out), 1);
    CHECK_STR(out.data, "hi\n");
}

TEST(a_timestamp_stands_before_the_text_and_counts)
{
    struct log_spec spec = both;
    cleanup_buf struct buf out = { 0 };

    spec.has_timestamps = true;
    CHECK_INT(append(LINE("hi", "stdout", "1"), &spec, true, &out), 1);
    CHECK_STR(out.data, "2026-11-24T08:00:01.500000000Z hi\n");
}

TEST(streams_and_times_that_are_not_wanted_are_left_out)
{
    struct log_spec spec = { .has_stdout = true };
    cleanup_buf struct buf out = { 0 };

    CHECK_INT(append(LINE("no", "stderr", "1"), &spec, true, &out), 0);
    CHECK_INT(clock_parse_ns("2026-11-24T08:00:02Z", &spec.since_ns), 0);
    CHECK_INT(clock_parse_ns("2026-11-24T08:00:03Z", &spec.until_ns), 0);
    CHECK_INT(append(LINE("before", "stdout", "1"), &spec, true, &out), 0);
    CHECK_INT(append(LINE("in", "stdout", "2"), &spec, true, &out), 1);
    CHECK_INT(append(LINE("after", "stdout", "3"), &spec, true, &out), -1);
    CHECK_STR(out.data, "in\n");
}

TEST(torn_lines_are_passed_over)
{
    static const char *const torn[] = { "",
                                        "{",
                                        "{}",
                                        "[]",
                                        "{\"log\":1}",
                                        "\xff",
                                        "{\"log\":\"x\",\"stream\":\"stdout\",\"time\":\"x\"}" };
    cleanup_buf struct buf out = { 0 };

    for (size_t i = 0; i < ARRAY_SIZE(torn); i++)
        CHECK_INT(append(torn[i], &both, true, &out), 0);
    CHECK_INT((int)out.size, 0);
}

/* A file of 'count' lines, longer than a block; the last without a newline if asked. */
static int make_file(int count, bool is_torn)
{
    char path[] = "/tmp/volumed-log.XXXXXX";
    int fd = mkstemp(path);
    FILE *file = fdopen(dup(fd), "w");

    CHECK(fd >= 0 && file != NULL);
    (void)unlink(path);
    for (int i = 0; i < count; i++)
        (void)fprintf(file, "line %d%s", i, is_torn && i == count - 1 ? "" : "\n");
    (void)fclose(file);
    return fd;
}

static void check_tail(int fd, int64_t lines, int64_t expected_found, const char *expected_text)
{
    char text[16] = "";
    int64_t found;
    int64_t offset = log_tail_offset(fd, lines, &found);

    CHECK(offset >= 0);
    CHECK_INT(found, expected_found);
    CHECK(pread(fd, text, strlen(expected_text), offset) >= 0);
    CHECK_STR(text, expected_text);
}

TEST(the_tail_is_found_from_the_end)
{
    cleanup_fd int fd = make_file(5000, false);
    cleanup_fd int torn_fd = make_file(5000, true);
    cleanup_fd int empty_fd = make_file(0, false);

    check_tail(fd, 1, 1, "line 4999\n");
    check_tail(fd, 3, 3, "line 4997\n");
    check_tail(fd, 4999, 4999, "line 1\n");
    check_tail(fd, 5000, 5000, "line 0\n");
    check_tail(fd, 6000, 5000, "line 0\n");
    check_tail(fd, 0, 0, "");
    check_tail(torn_fd, 2, 2, "line 4998\n");
    check_tail(empty_fd, 5, 0, "");
}
