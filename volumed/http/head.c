/* SPDX-License-Identifier: Apache-2.0 */
/* Lines, then fields, then what the fields say about framing and the connection. */
#include "http/head.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

#include "http/http.h"
#include "http/text.h"

#define LENGTH_DIGITS_MAX 18 /* stays below INT64_MAX */

static bool text_is_clean(const char *text, size_t size);
static char *line_next(char **rest);
static int parse_request_line(struct head *head, char *line);
static int parse_version(struct head *head, const char *version);
static int parse_target(struct head *head, char *target);
static int parse_field(struct head *head, char *line);
static int read_framing(struct head *head);
static int read_length(struct head *head, const char *text);
static int read_connection(struct head *head);
static size_t count_fields(const struct head *head, const char *name);
static bool has_token(const struct head *head, const char *name, const char *token);

ssize_t head_scan(const char *data, size_t size, size_t *scanned)
{
    size_t limit = size < HTTP_HEAD_MAX ? size : HTTP_HEAD_MAX;

    for (size_t i = *scanned; i < limit; i++) {
        const char *line_feed = memchr(data + i, '\n', limit - i);
        if (line_feed == NULL)
            break;
        i = (size_t)(line_feed - data);
        if (i == 0 || data[i - 1] != '\r')
            return -400;
        if (i >= 2 && data[i - 2] == '\n')
            return (ssize_t)i + 1;
    }
    *scanned = limit;
    return size >= HTTP_HEAD_MAX ? -431 : 0;
}

int head_parse(struct head *head, char *text, size_t size)
{
    char *rest = text;

    *head = (struct head){ .query = "" };
    if (!text_is_clean(text, size))
        return 400;
    int status = parse_request_line(head, line_next(&rest));
    for (char *line = line_next(&rest); status == 0 && *line != '\0'; line = line_next(&rest))
        status = parse_field(head, line);
    if (status == 0)
        status = read_framing(head);
    return status == 0 ? read_connection(head) : status;
}

const char *head_find(const struct head *head, const char *name)
{
    for (size_t i = 0; i < head->field_count; i++)
        if (strcasecmp(head->fields[i].name, name) == 0)
            return head->fields[i].value;
    return NULL;
}

/* True for whole lines without control characters, which end in a blank one. */
static bool text_is_clean(const char *text, size_t size)
{
    if (size < 4 || memcmp(text + size - 4, "\r\n\r\n", 4) != 0)
        return false;
    for (size_t i = 0; i < size; i++) {
        if (text[i] == '\r' && i + 1 < size && text[i + 1] == '\n')
            i++;
        else if (!text_is_value(text[i]))
            return false;
    }
    return true;
}

static char *line_next(char **rest)
{
    char *line = *rest;
    char *end = strchr(line, '\r'); /* there is one: text_is_clean() */

    if (end == NULL)
        return line + strlen(line);
    *end = '\0';
    *rest = end + 2;
    return line;
}

static int parse_request_line(struct head *head, char *line)
{
    size_t length = text_token_length(line);
    char *target = line + length + 1;

    if (length == 0 || line[length] != ' ')
        return 400;
    line[length] = '\0';
    head->method = line;
    length = strcspn(target, " \t");
    if (length == 0 || target[length] != ' ')
        return 400;
    target[length] = '\0';
    int status = parse_version(head, target + length + 1);
    return status == 0 ? parse_target(head, target) : status;
}

static int parse_version(struct head *head, const char *version)
{
    bool is_version = strncmp(version, "HTTP/", 5) == 0 && version[5] >= '0' && version[5] <= '9' &&
                      version[6] == '.' && version[7] >= '0' && version[7] <= '9' &&
                      version[8] == '\0';

    if (!is_version)
        return 400;
    if (version[5] != '1')
        return 505;
    head->minor = version[7] == '0' ? 0 : 1;
    return 0;
}

/* Origin form, or absolute form with the authority dropped; "*" for OPTIONS. */
static int parse_target(struct head *head, char *target)
{
    if (strncasecmp(target, "http://", 7) == 0) {
        target += 7;
        target += strcspn(target, "/?");
    }
    bool is_asterisk = strcmp(target, "*") == 0 && strcmp(head->method, "OPTIONS") == 0;
    if ((*target != '/' && !is_asterisk) || strchr(target, '#') != NULL)
        return 400;
    for (const char *byte = target; *byte != '\0'; byte++)
        if ((unsigned char)*byte > 0x7e)
            return 400;
    char *query = strchr(target, '?');
    if (query != NULL) {
        *query = '\0';
        head->query = query + 1;
    }
    head->path = target;
    return text_percent_decode(target, false) < 0 ? 400 : 0;
}

static int parse_field(struct head *head, char *line)
{
    size_t length = text_token_length(line);

    if (length == 0 || line[length] != ':') /* also a folded line, and a space before the colon */
        return 400;
    if (head->field_count == HEAD_FIELDS_MAX)
        return 431;
    line[length] = '\0';
    char *value = line + length + 1;
    value += strspn(value, " \t");
    size_t end = strlen(value);
    while (end > 0 && (value[end - 1] == ' ' || value[end - 1] == '\t'))
        end--;
    value[end] = '\0';
    head->fields[head->field_count++] = (struct field){ line, value };
    return 0;
}

static int read_framing(struct head *head)
{
    const char *coding = head_find(head, "Transfer-Encoding");
    const char *length = head_find(head, "Content-Length");

    if (count_fields(head, "Content-Length") > 1 || count_fields(head, "Transfer-Encoding") > 1)
        return 400;
    if (coding != NULL) {
        if (length != NULL || head->minor == 0)
            return 400;
        head->body_kind = BODY_CHUNKED;
        return strcasecmp(coding, "chunked") == 0 ? 0 : 501;
    }
    return length != NULL ? read_length(head, length) : 0;
}

static int read_length(struct head *head, const char *text)
{
    size_t digits = strspn(text, "0123456789");

    if (digits == 0 || text[digits] != '\0')
        return 400;
    if (digits > LENGTH_DIGITS_MAX)
        return 413;
    for (; *text != '\0'; text++)
        head->body_size = head->body_size * 10 + (uint64_t)(*text - '0');
    head->body_kind = BODY_SIZED;
    return 0;
}

static int read_connection(struct head *head)
{
    const char *expect = head_find(head, "Expect");
    size_t hosts = count_fields(head, "Host");

    if (hosts > 1 || (hosts == 0 && head->minor > 0))
        return 400;
    head->keeps_alive = head->minor > 0 && !has_token(head, "Connection", "close");
    head->wants_upgrade = head->minor > 0 && has_token(head, "Connection", "upgrade") &&
                          head_find(head, "Upgrade") != NULL;
    if (expect == NULL || head->minor == 0)
        return 0;
    head->expects_continue = true;
    return strcasecmp(expect, "100-continue") == 0 ? 0 : 417;
}

static size_t count_fields(const struct head *head, const char *name)
{
    size_t count = 0;

    for (size_t i = 0; i < head->field_count; i++)
        count += strcasecmp(head->fields[i].name, name) == 0 ? 1 : 0;
    return count;
}

static bool has_token(const struct head *head, const char *name, const char *token)
{
    for (size_t i = 0; i < head->field_count; i++)
        if (strcasecmp(head->fields[i].name, name) == 0 &&
            text_list_has(head->fields[i].value, token))
            return true;
    return false;
}
