/* SPDX-License-Identifier: Apache-2.0 */
/* A small splitter after the Dockerfile reference; it expands nothing. */
#include "core/image/image_word.h"

#include <stdbool.h>
#include <string.h>

#define SPACES " \t\r\n"

static char *next_word(struct arena *mem, const char **rest);

const char *word_trim(struct arena *mem, const char *text)
{
    text += strspn(text, SPACES);
    size_t length = strlen(text);

    while (length > 0 && strchr(SPACES, text[length - 1]) != NULL)
        length--;
    return arena_strndup(mem, text, length);
}

const char *const *word_list(struct arena *mem, const char *text)
{
    const char **list = arena_array(mem, strlen(text) / 2 + 2, sizeof(*list));
    size_t count = 0;

    for (const char *rest = text + strspn(text, SPACES); *rest != '\0';) {
        size_t length = strcspn(rest, SPACES);
        list[count++] = arena_strndup(mem, rest, length);
        rest += length;
        rest += strspn(rest, SPACES);
    }
    return list;
}

int word_pairs(struct arena *mem, const char *instruction, const char *text,
               const struct word **words, size_t *count, struct error *err)
{
    struct word *list = arena_array(mem, strlen(text) / 2 + 2, sizeof(*list));
    size_t first = strcspn(text, SPACES "=");
    size_t used = 0;

    if (text[first] != '=') {
        list[0].key = arena_strndup(mem, text, first);
        list[0].value = word_trim(mem, text + first);
        if (*list[0].value == '\0')
            return fail(err, ERR_INVALID, "%s must have two arguments", instruction);
        *words = list;
        *count = 1;
        return 0;
    }
    for (const char *rest = text; *(rest += strspn(rest, SPACES)) != '\0';) {
        char *word = next_word(mem, &rest);
        char *equals = strchr(word, '=');
        if (equals == NULL)
            return fail(err, ERR_INVALID,
                        "Syntax error - can't find = in \"%s\". Must be of the form: name=value",
                        word);
        *equals = '\0';
        if (*word == '\0')
            return fail(err, ERR_INVALID, "%s names can not be blank", instruction);
        list[used++] = (struct word){ word, equals + 1 };
    }
    *words = list;
    *count = used;
    return 0;
}

/* Up to a space outside of quotes; quotes go, a backslash keeps what follows it. */
static char *next_word(struct arena *mem, const char **rest)
{
    char *word = arena_alloc(mem, strlen(*rest) + 1);
    size_t used = 0;
    char quote = '\0';
    const char *at = *rest;

    for (; *at != '\0' && (quote != '\0' || strchr(SPACES, *at) == NULL); at++) {
        bool is_quote = quote == '\0' ? *at == '"' || *at == '\'' : *at == quote;
        bool is_escape = *at == '\\' && quote != '\'' && at[1] != '\0';
        if (is_quote && quote == '\0')
            quote = *at;
        else if (is_quote)
            quote = '\0';
        else if (is_escape)
            word[used++] = *++at;
        else
            word[used++] = *at;
    }
    *rest = at;
    return word;
}
