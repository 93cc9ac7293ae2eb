/* SPDX-License-Identifier: Apache-2.0 */
/* Lines, formats, rotation, and what a failing disk does to a log. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/json.h"
#include "base/sys.h"
#include "lib/test.h"
#include "runner/supervise/log_file.h"
#include "runner/supervise/log_line.h"

#define NOW_NS 1795515424315399158LL

static struct log_file log_file; /* large */
static char directory[] = "/tmp/test-log.XXXXXX";

static void remove_directory(void)
{
    struct error ignored = { 0 };

    (void)fs_remove_tree(AT_FDCWD, directory, &ignored);
}

static void open_log(enum log_file_format format, int64_t max_bytes, int64_t max_files)
{
    struct error err = { 0 };

    CHECK(mkdtemp(directory) != NULL);
    CHECK_INT(atexit(remove_directory), 0);
    log_file =
        (struct log_file){ .format = format, .max_bytes = max_bytes, .max_files = max_files };
    log_file.dirfd = sys_openat(AT_FDCWD, directory, O_RDONLY | O_DIRECTORY, 0);
    CHECK(log_file.dirfd >= 0);
    CHECK_OK(log_file_open(&log_file, &err), &err);
}

static void put(const char *text)
{
    log_file_write(&log_file, LOG_FILE_STDOUT, text, strlen(text), NOW_NS);
}

static char *contents(struct arena *mem, const char *name, size_t *size)
{
    struct error err = { 0 };
    char *text = NULL;

    CHECK_OK(fs_read_file(mem, log_file.dirfd, name, 1 << 24, &text, size, &err), &err);
    return text;
}

TEST(a_line_is_written_when_its_end_has_come)
{
    cleanup_arena struct arena *mem = arena_new();

    open_log(LOG_FILE_JSON, 0, 0);
    put("hel");
    CHECK_STR(contents(mem, LOG_FILE_NAME, NULL), "");
    put("lo\nrest");
    CHECK_STR(contents(mem, LOG_FILE_NAME, NULL), "{\"log\":\"hello\\n\",\"stream\":\"stdout\","
                                                  "\"time\":\"2026-11-24T10:17:04.315399158Z\"}\n");
    log_file_end(&log_file, LOG_FILE_STDOUT, NOW_NS);
    log_file_end(&log_file, LOG_FILE_STDOUT, NOW_NS);
    CHECK(strstr(contents(mem, LOG_FILE_NAME, NULL), "\"log\":\"rest\"") != NULL);
}

TEST(streams_do_not_mix_in_one_line)
{
    cleanup_arena struct arena *mem = arena_new();

    open_log(LOG_FILE_K8S, 0, 0);
    put("out ");
    log_file_write(&log_file, LOG_FILE_STDERR, "err\n", 4, NOW_NS);
    put("end\n");
    CHECK_STR(contents(mem, LOG_FILE_NAME, NULL),
              "2026-11-24T10:17:04.315399158Z stderr F err\n"
              "2026-11-24T10:17:04.315399158Z stdout F out end\n");
}

/* Whatever the bytes and however they are cut up: parsed and put together they are the same. */
TEST(text_read_back_from_json_is_what_was_written)
{
    enum {
        SIZE = 200000
    };

    static const char *const words[] = { "plain ", "\n", "\"", "\\", "\t", "ä", "€", "😀", "\x01" };
    cleanup_arena struct arena *mem = arena_new();
    cleanup_buf struct buf wanted = { 0 };
    cleanup_buf struct buf found = { 0 };
    struct error err = { 0 };
    unsigned int seed = 1;

    open_log(LOG_FILE_JSON, 0, 0);
    while (wanted.size < SIZE) {
        size_t word = (size_t)rand_r(&seed) % ARRAY_SIZE(words);
        if (word != 1 || rand_r(&seed) % 2000 == 0)
            buf_text(&wanted, words[word]);
    }
    for (size_t at = 0; at < wanted.size;) {
        size_t size = (size_t)rand_r(&seed) % 5000;
        size = size < wanted.size - at ? size : wanted.size - at;
        log_file_write(&log_file, LOG_FILE_STDOUT, wanted.data + at, size, NOW_NS);
        at += size;
    }
    log_file_end(&log_file, LOG_FILE_STDOUT, NOW_NS);
    char *position = NULL;
    for (char *line = strtok_r(contents(mem, LOG_FILE_NAME, NULL), "\n", &position); line != NULL;
         line = strtok_r(NULL, "\n", &position)) {
        cleanup_json json_t *entry = json_read(line, strlen(line), &err);
        CHECK(entry != NULL);
        const json_t *text = json_object_get(entry, "log");
        CHECK(json_string_length(text) <= LOG_FILE_LINE_MAX);
        buf_append(&found, json_string_value(text), json_string_length(text));
    }
    CHECK_INT((int)found.size, (int)(wanted.size));
    CHECK(memcmp(found.data, wanted.data, wanted.size) == 0);
}

TEST(bytes_that_are_not_utf_8_become_replacement_characters)
{
    static const struct {
        const char *text;
        const char *json;
    } rows[] = {
        { "\xff\xfe", "\\ufffd\\ufffd" },
        { "a\xc3", "a\\ufffd" },                                /* cut */
        { "\xc0\xaf", "\\ufffd\\ufffd" },                       /* overlong */
        { "\xe0\x80\xaf", "\\ufffd\\ufffd\\ufffd" },            /* overlong */
        { "\xed\xa0\x80", "\\ufffd\\ufffd\\ufffd" },            /* surrogate */
        { "\xf4\x90\x80\x80", "\\ufffd\\ufffd\\ufffd\\ufffd" }, /* past the last */
        { "\xf4\x8f\xbf\xbf", "\xf4\x8f\xbf\xbf" },             /* the last */
        { "\x7f\x1f", "\x7f\\u001f" },
    };

    char entry[1024];
    char wanted[1024];

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct log_line line = {
            .stream = "stdout", .text = rows[i].text, .size = strlen(rows[i].text), .time = "T"
        };
        entry[log_line_json(&line, entry)] = '\0';
        (void)snprintf(wanted, sizeof(wanted),
                       "{\"log\":\"%s\",\"stream\":\"stdout\",\"time\":\"T\"}\n", rows[i].json);
        CHECK_STR(entry, wanted);
    }
}

TEST(a_character_is_never_cut_in_two)
{
    CHECK_INT((int)log_line_whole("abc", 3), 3);
    CHECK_INT((int)log_line_whole("ab\xc3", 3), 2);
    CHECK_INT((int)log_line_whole("ab\xe2\x82", 4), 2);
    CHECK_INT((int)log_line_whole("ab\xf0\x9f\x98", 5), 2);
    CHECK_INT((int)log_line_whole("ab\xf0\x9f\x98\x80", 6), 6);
    CHECK_INT((int)log_line_whole("\x80\x80\x80\x80", 4), 4); /* no character at all */
    CHECK_INT((int)log_line_whole("", 0), 0);
}

TEST(the_worst_line_fits)
{
    static char zeros[LOG_FILE_LINE_MAX];
    cleanup_arena struct arena *mem = arena_new();
    size_t size = 0;

    open_log(LOG_FILE_JSON, 0, 0);
    for (int i = 0; i < 10; i++)
        log_file_write(&log_file, LOG_FILE_STDERR, zeros, sizeof(zeros), NOW_NS);
    (void)contents(mem, LOG_FILE_NAME, &size);
    CHECK(size > 10 * 6 * sizeof(zeros));
    CHECK(size < 10 * LOG_FILE_ENTRY_MAX);
    CHECK_INT((int)log_file.lost_count, 0);
}

TEST(long_lines_are_marked_partial_in_the_kubernetes_format)
{
    static char line[LOG_FILE_LINE_MAX + 11];
    cleanup_arena struct arena *mem = arena_new();

    open_log(LOG_FILE_K8S, 0, 0);
    memset(line, 'x', sizeof(line) - 1);
    line[sizeof(line) - 1] = '\n';
    log_file_write(&log_file, LOG_FILE_STDOUT, line, sizeof(line), NOW_NS);
    const char *text = contents(mem, LOG_FILE_NAME, NULL);
    CHECK(strstr(text, " stdout P xxx") != NULL);
    CHECK(strstr(text, "\n2026-11-24T10:17:04.315399158Z stdout F xxxxxxxxxx\n") != NULL);
}

TEST(files_are_rotated_before_they_grow_too_large)
{
    struct stat st;
    char line[64];

    open_log(LOG_FILE_JSON, 1000, 3);
    for (int i = 0; i < 200; i++) {
        (void)snprintf(line, sizeof(line), "line %d\n", i);
        put(line);
    }
    for (int i = 0; i < 3; i++) {
        char name[NAME_MAX];
        log_file_name(name, i);
        CHECK_INT(sys_fstatat(log_file.dirfd, name, &st, 0), 0);
        CHECK(st.st_size <= 1000);
    }
    CHECK_INT(sys_fstatat(log_file.dirfd, LOG_FILE_NAME ".3", &st, 0), -ENOENT);
}

TEST(an_entry_larger_than_the_limit_has_a_file_of_its_own)
{
    cleanup_arena struct arena *mem = arena_new();

    open_log(LOG_FILE_JSON, 10, 2);
    put("first\nsecond\nthird\n");
    CHECK(strstr(contents(mem, LOG_FILE_NAME, NULL), "third") != NULL);
    CHECK(strstr(contents(mem, LOG_FILE_NAME ".1", NULL), "second") != NULL);
}

TEST(a_single_file_is_emptied_instead_of_rotated)
{
    cleanup_arena struct arena *mem = arena_new();
    struct stat st;

    open_log(LOG_FILE_JSON, 100, 1);
    put("first\nsecond\n");
    CHECK(strstr(contents(mem, LOG_FILE_NAME, NULL), "first") == NULL);
    CHECK(strstr(contents(mem, LOG_FILE_NAME, NULL), "second") != NULL);
    CHECK_INT(sys_fstatat(log_file.dirfd, LOG_FILE_NAME ".1", &st, 0), -ENOENT);
}

TEST(what_does_not_fit_on_the_disk_is_lost_whole_and_counted)
{
    struct rlimit limit = { .rlim_cur = 250, .rlim_max = RLIM_INFINITY };
    cleanup_arena struct arena *mem = arena_new();
    char *position = NULL;
    struct error err = { 0 };
    int count = 0;

    open_log(LOG_FILE_JSON, 0, 0);
    (void)signal(SIGXFSZ, SIG_IGN);
    /* The limit is felt by the file that check writes to as well: no CHECK in between. */
    int rc = setrlimit(RLIMIT_FSIZE, &limit);
    for (int i = 0; i < 10; i++)
        put("a line\n");
    limit.rlim_cur = RLIM_INFINITY;
    rc += setrlimit(RLIMIT_FSIZE, &limit);
    CHECK_INT(rc, 0);
    CHECK_INT((int)log_file.lost_count, 7);
    put("again\n");
    CHECK_INT((int)log_file.lost_count, 7);
    for (char *line = strtok_r(contents(mem, LOG_FILE_NAME, NULL), "\n", &position); line != NULL;
         line = strtok_r(NULL, "\n", &position), count++) {
        cleanup_json json_t *entry = json_read(line, strlen(line), &err);
        CHECK(entry != NULL);
    }
    CHECK_INT(count, 4);
}

TEST(format_names_are_known_or_refused)
{
    enum log_file_format format = LOG_FILE_NONE;
    struct error err = { 0 };

    CHECK_OK(log_file_format_parse("json-file", &format, &err), &err);
    CHECK_INT(format, LOG_FILE_JSON);
    CHECK_FAILS(log_file_format_parse("syslog", &format, &err), &err, ERR_INVALID);
}
