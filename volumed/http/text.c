/* SPDX-License-Identifier: Apache-2.0 */
/* Character classes by table and range.  What the characters mean is head.c's and query.c's. */
#include "http/text.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

static const char *skip_separators(const char *list);

bool text_is_token(char byte)
{
    return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
           (byte >= '0' && byte <= '9') ||
           (byte != '\0' && strchr("!#$%&'*+-.^_`|~", byte) != NULL);
}

bool text_is_value(char byte)
{
    unsigned char code = (unsigned char)byte;

    return code == '\t' || (code >= 0x20 && code != 0x7f);
}

int text_hex_digit(char byte)
{
    if (byte >= '0' && byte <= '9')
        return byte - '0';
    if (byte >= 'a' && byte <= 'f')
        return byte - 'a' + 10;
    if (byte >= 'A' && byte <= 'F')
        return byte - 'A' + 10;
    return -1;
}

size_t text_token_length(const char *text)
{
    size_t length = 0;

    while (text_is_token(text[length]))
        length++;
    return length;
}

bool text_list_has(const char *list, const char *token)
{
    size_t wanted = strlen(token);

    for (list = skip_separators(list); *list != '\0'; list = skip_separators(list)) {
        size_t length = strcspn(list, ", \t");
        if (length == wanted && strncasecmp(list, token, length) == 0)
            return true;
        list += length;
    }
    return false;
}

int text_percent_decode(char *text, bool is_form)
{
    char *out = text;

    for (const char *in = text; *in != '\0'; in++) {
        char byte = (char)(*in == '+' && is_form ? ' ' : *in);
        if (*in == '%') {
            int high = text_hex_digit(in[1]);
            int low = high < 0 ? -1 : text_hex_digit(in[2]);
            if (low < 0 || (high == 0 && low == 0))
                return -EINVAL;
            byte = (char)(high << 4 | low);
            in += 2;
        }
        *out++ = byte;
    }
    *out = '\0';
    return 0;
}

static const char *skip_separators(const char *list)
{
    return list + strspn(list, ", \t");
}
