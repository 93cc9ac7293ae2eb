/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Completion for bash: nouns, verbs and options from the verb table.  Names of volumes and the like
 * are asked of the service as one types.
 */
#include <stdio.h>
#include <string.h>

#include "verbs.h"

static const char script_head[] =
    "# bash completion for volctl, made by 'volctl completion bash'\n"
    "_volctl() {\n"
    "    local word=${COMP_WORDS[COMP_CWORD]} noun='' verb='' i choices=''\n"
    "    for ((i = 1; i < COMP_CWORD; i++)); do\n"
    "        case ${COMP_WORDS[i]} in\n"
    "        --socket|--idempotency-key) ((i++)) ;;\n"
    "        -*) ;;\n"
    "        *) if [ -z \"$noun\" ]; then noun=${COMP_WORDS[i]}\n"
    "           elif [ -z \"$verb\" ]; then verb=${COMP_WORDS[i]}; fi ;;\n"
    "        esac\n"
    "    done\n"
    "    case \"$noun $verb\" in\n";

static const char script_tail[] =
    "    esac\n"
    "    if [ -n \"$verb\" ] && [[ $word != -* ]]; then\n"
    "        case \"$noun $verb\" in\n"
    "        *' create'|*' ls'|image\\ load|image\\ import) ;;\n"
    "        volume\\ *|snapshot\\ *|container\\ *|image\\ *|pool\\ *)\n"
    "            choices=$(volctl \"$noun\" ls --quiet 2>/dev/null) ;;\n"
    "        esac\n"
    "        [ \"$noun $verb\" = 'volume rollback' ] && choices=$(volctl snapshot ls -q 2>/dev/null)\n"
    "    fi\n"
    "    mapfile -t COMPREPLY < <(compgen -W \"$choices\" -- \"$word\")\n"
    "}\n"
    "complete -o default -F _volctl volctl\n";

static void print_options(const struct option *options);
static void print_verb_names(const char *noun);

int cmd_completion_bash(struct command *command, struct error *err)
{
    (void)command;
    (void)err;
    (void)fputs(script_head, stdout); /* failures are seen by output_is_whole */
    (void)fputs("    ' ') choices='", stdout);
    for (const struct noun *noun = nouns; noun->name != NULL; noun++)
        (void)printf("%s ", noun->name);
    print_options(common_options);
    (void)fputs("' ;;\n", stdout);
    for (const struct noun *noun = nouns; noun->name != NULL; noun++)
        print_verb_names(noun->name);
    for (const struct verb *verb = verbs; verb->name != NULL; verb++) {
        (void)printf("    '%s %s') choices='", verb->noun, verb->name);
        print_options(verb->options);
        print_options(common_options);
        (void)fputs("' ;;\n", stdout);
    }
    (void)fputs(script_tail, stdout);
    return 0;
}

static void print_options(const struct option *options)
{
    for (; options != NULL && options->name != NULL; options++)
        (void)printf("--%s ", options->name);
}

static void print_verb_names(const char *noun)
{
    (void)printf("    '%s ') choices='", noun);
    for (const struct verb *verb = verbs; verb->name != NULL; verb++)
        if (strcmp(verb->noun, noun) == 0)
            (void)printf("%s ", verb->name);
    (void)fputs("' ;;\n", stdout);
}
