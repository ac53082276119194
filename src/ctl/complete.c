/* complete.c: see complete.h. The script is a fixed frame around lists that come from the tables. */
#include "ctl/complete.h"

#include "ctl/option.h"
#include "ctl/thread.h"
#include "ctl/verb.h"

/* Bash takes `--socket=x` for three words. */
static const char frame[] =
    "    local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]} verb='' choices i\n"
    "    [[ $word == = ]] && word=''\n"
    "    [[ $before == = ]] && before=${COMP_WORDS[COMP_CWORD - 2]}\n"
    "    for ((i = 1; i < COMP_CWORD; i++)); do\n"
    "        if [[ $valued == *\" ${COMP_WORDS[i]} \"* ]]; then\n"
    "            [[ ${COMP_WORDS[i + 1]} == = ]] && ((i++))\n"
    "            ((i++))\n"
    "        elif [[ ${COMP_WORDS[i]} != -* ]]; then\n"
    "            verb=${COMP_WORDS[i]}\n"
    "            break\n"
    "        fi\n"
    "    done\n"
    "    if [[ $before == -S || $before == --socket || $before == -c || $before == --config ]]; then\n"
    "        compopt -o filenames 2>/dev/null\n"
    "        mapfile -t COMPREPLY < <(compgen -f -- \"$word\")\n"
    "        return\n"
    "    elif [[ $valued == *\" $before \"* ]]; then\n"
    "        choices=${words[$before]-}\n"
    "    elif [[ $verb && ${words[$verb=$before]+x} ]]; then\n"
    "        choices=${words[$verb=$before]}\n"
    "    elif [[ $word == -* ]]; then\n"
    "        choices=$options\n"
    "    elif [[ $verb ]]; then\n"
    "        choices=${words[$verb]-}\n"
    "        [[ $choices == *= ]] && compopt -o nospace 2>/dev/null\n"
    "    else\n"
    "        choices=$verbs\n"
    "    fi\n"
    "    mapfile -t COMPREPLY < <(compgen -W \"$choices\" -- \"$word\")\n"
    "}\n"
    "complete -F _ternctl ternctl\n";

static void print_verbs(FILE *f)
{
    fputs("    local verbs='", f);
    for (const struct verb *verb = verbs; verb->name; verb++)
        fprintf(f, "%s%s", verb == verbs ? "" : " ", verb->name);
    fputs("'\n", f);
}

/* Each name is between blanks. */
static void print_options(FILE *f, const char *variable, bool with_value)
{
    fprintf(f, "    local %s=' ", variable);
    for (const struct option_row *row = option_rows; row->name; row++) {
        if (with_value && !row->value)
            continue;
        if (row->letter)
            fprintf(f, "-%c ", row->letter);
        fprintf(f, "--%s ", row->name);
    }
    fputs("'\n", f);
}

static void print_list(FILE *f, const char *const *words)
{
    for (const char *const *word = words; *word; word++)
        fprintf(f, "%s%s", word == words ? "" : " ", *word);
}

/* Those of a verb, and the values that each of them may have. */
static void print_keys(FILE *f, const struct verb *verb)
{
    fprintf(f, " [%s]='", verb->name);
    for (const struct thread_key *key = verb->keys; key->name; key++)
        fprintf(f, "%s%s=", key == verb->keys ? "" : " ", key->name);
    fputc('\'', f);
    for (const struct thread_key *key = verb->keys; key->name; key++) {
        if (!key->values)
            continue;
        fprintf(f, " [%s=%s]='", verb->name, key->name);
        print_list(f, key->values);
        fputc('\'', f);
    }
}

/* What may follow a verb or an option. */
static void print_words(FILE *f)
{
    fputs("    local -A words=([--completion]='bash'", f);
    for (const struct verb *verb = verbs; verb->name; verb++) {
        if (verb->keys)
            print_keys(f, verb);
        if (!verb->words)
            continue;
        fprintf(f, " [%s]='", verb->name);
        print_list(f, verb->words);
        fputc('\'', f);
    }
    fputs(")\n", f);
}

void complete_print_bash(FILE *f)
{
    fputs("# bash completion for ternctl, made by `ternctl --completion bash`\n_ternctl()\n{\n", f);
    print_verbs(f);
    print_options(f, "options", false);
    print_options(f, "valued", true);
    print_words(f);
    fputs(frame, f);
}
