/* SPDX-License-Identifier: Apache-2.0 */
/* The character classes of RFC 9110 and percent-encoding.  No locale, no state. */
#ifndef HTTP_TEXT_H
#define HTTP_TEXT_H

#include <stdbool.h>
#include <stddef.h>

bool text_is_token(char byte);

/* May stand in a field's value: no control character but the tab. */
bool text_is_value(char byte);

/* 0 to 15, or -1. */
int text_hex_digit(char byte);

/* Bytes of token characters at the front. */
size_t text_token_length(const char *text);

/* True when the comma-separated list has the token, in any case. */
bool text_list_has(const char *list, const char *token);

/*
 * Decodes %xx in place (and + as a space where is_form); the result is NUL-terminated and never
 * longer.  Returns -EINVAL for a broken escape or an encoded NUL.
 */
int text_percent_decode(char *text, bool is_form);

#endif
