/* SPDX-License-Identifier: Apache-2.0 */
/* Prints the verb table for people.  volctl(1) has the same; tools/dev/check-help compares them. */
#include "help.h"

#include <stdio.h>
#include <string.h>

#define SUMMARY_COLUMN 34
#define LINE_COLUMNS   80

static void print_options(const struct option *options);
static void print_entry(const char *left, const char *summary);
static void print_wrapped(const char *text);

void help_all(void)
{
    (void)puts("Usage: volctl [OPTION...] NOUN VERB [OPTION...] [WORD...]\n\n"
               "Keeps volumes, and the containers that come and go around them.\n\nNouns:");
    for (const struct noun *noun = nouns; noun->name != NULL; noun++)
        print_entry(noun->name, noun->summary);
    (void)puts("\nOptions of every command:");
    print_options(common_options);
    (void)puts(
        "\n'volctl NOUN --help' lists a noun's verbs, 'volctl NOUN VERB --help' explains one.\n"
        "Exit status: 0 done, 1 system, 2 invalid, 3 not found, 4 exists or conflict, 5 busy,\n"
        "6 denied, 7 unsupported, 8 no space, 9 timeout, 10 pending, 11 corrupt.");
}

void help_noun(const struct noun *noun)
{
    (void)printf("Usage: volctl %s VERB [OPTION...] [WORD...]\n\n%s: %s.\n\nVerbs:\n", noun->name,
                 noun->name, noun->summary);
    for (const struct verb *verb = verbs; verb->name != NULL; verb++) {
        char left[128];
        if (strcmp(verb->noun, noun->name) != 0)
            continue;
        (void)snprintf(left, sizeof(left), "%s %s", verb->name, verb->usage);
        print_entry(left, verb->summary);
    }
    (void)printf("\n'volctl %s VERB --help' explains one.\n", noun->name);
}

void help_verb(const struct verb *verb)
{
    (void)printf("Usage: volctl %s %s [OPTION...]%s%s\n\n%s: %s.\n", verb->noun, verb->name,
                 *verb->usage != '\0' ? " " : "", verb->usage, verb->name, verb->summary);
    if (verb->details != NULL)
        print_wrapped(verb->details);
    if (verb->options != NULL) {
        (void)puts("\nOptions:");
        print_options(verb->options);
    }
    (void)puts("\nOptions of every command:");
    print_options(common_options);
}

static void print_options(const struct option *options)
{
    for (; options->name != NULL; options++) {
        char left[128];
        char letter[8] = "    ";
        if (options->letter != '\0')
            (void)snprintf(letter, sizeof(letter), "-%c, ", options->letter);
        (void)snprintf(left, sizeof(left), "%s--%s%s%s", letter, options->name,
                       options->argument != NULL ? " " : "",
                       options->argument != NULL ? options->argument : "");
        print_entry(left, options->summary);
    }
}

/* A left part too long for its column has a line of its own. */
static void print_entry(const char *left, const char *summary)
{
    if (strlen(left) > SUMMARY_COLUMN - 4)
        (void)printf("  %s\n  %*s%s\n", left, SUMMARY_COLUMN - 2, "", summary);
    else
        (void)printf("  %-*s%s\n", SUMMARY_COLUMN - 2, left, summary);
}

static void print_wrapped(const char *text)
{
    size_t column = 0;

    while (*text != '\0') {
        size_t length = strcspn(text, " ");
        bool is_first = column == 0;
        if (!is_first && column + 1 + length > LINE_COLUMNS) {
            (void)putchar('\n');
            column = 0;
            is_first = true;
        }
        (void)printf("%s%.*s", is_first ? "" : " ", (int)length, text);
        column += length + (is_first ? 0 : 1);
        text += length;
        text += strspn(text, " ");
    }
    (void)putchar('\n');
}
