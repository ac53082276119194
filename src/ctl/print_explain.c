/* print_explain.c: the answer to `explain`, for people.
 *
 *     GET https://example.org/api/v1?x=1
 *     listener   [::]:443 (TLS, HTTP/2)                            tern.yaml:3
 *     site       example.org (by name)                             tern.yaml:12
 *
 * A line for each thing that the request meets, with its place; what is set to its default is left out.
 */
#include <errno.h>
#include <stdlib.h>

#include "ctl/printers.h"
#include "ctl/text.h"

enum { LABEL = 10, WIDTH = 56 }; /* columns; what is longer takes its room */

/* A line that is being written: its text is gathered, since the place comes behind it. */
struct line {
    FILE *f, *to;
    char *text;
    size_t size;
    int error;
};

static struct line line_on(FILE *f)
{
    return (struct line){.f = f};
}

static bool begin(struct line *l)
{
    if (!l->error)
        l->to = open_memstream(&l->text, &l->size);
    if (!l->error && !l->to)
        l->error = -ENOMEM;
    return !l->error;
}

/* `label`: empty in all but the first line of its kind. */
static void end(struct line *l, const char *label, struct str place)
{
    if (fclose(l->to))
        l->error = -ENOMEM;
    else if (place.n)
        fprintf(l->f, "%-*s %-*s  ", LABEL, label, WIDTH, l->text);
    else
        fprintf(l->f, "%-*s %s", LABEL, label, l->text);
    text_put(l->f, place);
    fputc('\n', l->f);
    free(l->text);
}

static void put(struct line *l, const struct answer *answer, const char *key)
{
    text_put(l->to, answer_text(answer, key));
}

static bool is_default(const struct answer *setting)
{
    return str_eq(answer_text(setting, "at"), STR("default"));
}

/* ---- where it comes in ---- */

static void print_listener(struct line *l, const struct answer *listener, const char *label)
{
    if (!begin(l))
        return;
    put(l, listener, "address");
    fputs(answer_bool(listener, "tls") ? " (TLS" : " (plain", l->to);
    fputs(answer_bool(listener, "http2") ? ", HTTP/2)" : ")", l->to);
    fputs(answer_bool(listener, "certain") ? "" : ", if that has the port", l->to);
    end(l, label, answer_text(listener, "at"));
}

static void print_listeners(struct line *l, const struct answer *answer)
{
    size_t count = answer_count(answer, "listeners");
    for (size_t i = 0; i < count; i++)
        print_listener(l, answer_item(answer, "listeners", i), i ? "" : "listener");
    if (count || !answer_u64(answer, "port") || !begin(l))
        return;
    fprintf(l->to, "none has this address and port %llu", (unsigned long long)answer_u64(answer, "port"));
    end(l, "listener", STR(""));
}

static void print_site(struct line *l, const struct answer *site)
{
    bool named = answer_text(site, "name").n;
    if (!site || !begin(l))
        return;
    put(l, site, "name");
    fputs(named ? " (by " : "the ", l->to);
    put(l, site, "by");
    fputs(named ? ")" : " one", l->to);
    end(l, "site", answer_text(site, "at"));
}

/* ---- routes ---- */

static void print_candidate(struct line *l, const struct answer *route, const char *label, const char *what)
{
    if (!begin(l))
        return;
    put(l, route, "kind");
    fputc(' ', l->to);
    put(l, route, "path");
    fputs(what, l->to);
    end(l, label, answer_text(route, "at"));
}

static void print_route(struct line *l, const struct answer *route)
{
    if (!route)
        return;
    size_t others = answer_count(route, "others");
    bool exact = str_eq(answer_text(route, "kind"), STR("exact"));
    print_candidate(l, route, "route",
                    others == 0 ? ""
                    : exact     ? " (goes before any path)"
                                : " (the longest that fits)");
    for (size_t i = 0; i < others; i++)
        print_candidate(l, answer_item(route, "others", i), "", " (would fit, too)");
}

static void print_nearest(struct line *l, const struct answer *answer)
{
    size_t count = answer_count(answer, "nearest");
    if (count && begin(l)) {
        fputs("none; the nearest:", l->to);
        end(l, "route", STR(""));
    }
    for (size_t i = 0; i < count; i++)
        print_candidate(l, answer_item(answer, "nearest", i), "", "");
}

/* ---- terms ---- */

static void print_policy(struct line *l, const struct answer *policy, const char *label)
{
    bool of_site = str_eq(answer_text(policy, "of"), STR("site"));
    const char *remark = answer_bool(policy, "always")    ? "always refused"
                         : answer_bool(policy, "answers") ? "may answer"
                                                          : NULL;
    if (!begin(l))
        return;
    put(l, policy, "name");
    fputc(' ', l->to);
    put(l, policy, "value");
    if (of_site || remark)
        fprintf(l->to, " (%s%s%s)", of_site ? "of the site" : "", of_site && remark ? ", " : "", remark ? remark : "");
    end(l, label, answer_text(policy, "at"));
}

static void print_policies(struct line *l, const struct answer *answer)
{
    for (size_t i = 0; i < answer_count(answer, "policies"); i++)
        print_policy(l, answer_item(answer, "policies", i), i ? "" : "policies");
}

static void print_handler(struct line *l, const struct answer *handler)
{
    bool first = true;
    if (!handler || !begin(l))
        return;
    put(l, handler, "name");
    for (size_t i = 0; i < answer_count(handler, "settings"); i++) {
        const struct answer *setting = answer_item(handler, "settings", i);
        if (is_default(setting))
            continue;
        fputs(first ? ": " : ", ", l->to);
        put(l, setting, "name");
        fputc(' ', l->to);
        put(l, setting, "value");
        first = false;
    }
    end(l, "handler", answer_text(handler, "at"));
}

static void print_slow(struct line *l, const struct answer *slow)
{
    struct str of = answer_text(slow, "of");
    if (!slow || is_default(slow) || !begin(l))
        return;
    put(l, slow, "value");
    fputs(str_eq(of, STR("site")) ? " (of the site)" : str_eq(of, STR("log")) ? " (of `log`)" : "", l->to);
    end(l, "slow", answer_text(slow, "at"));
}

static void print_settings(struct line *l, const struct answer *answer, const char *key)
{
    const char *label = key;
    for (size_t i = 0; i < answer_count(answer, key); i++) {
        const struct answer *setting = answer_item(answer, key, i);
        if (is_default(setting) || !begin(l))
            continue;
        put(l, setting, "name");
        fputc(' ', l->to);
        put(l, setting, "value");
        end(l, label, answer_text(setting, "at"));
        label = "";
    }
    if (*label && begin(l)) {
        fputs("all as they are by default", l->to);
        end(l, label, STR(""));
    }
}

/* ---- the whole ---- */

static void print_request(struct line *l, const struct answer *answer)
{
    text_put(l->f, answer_text(answer, "method"));
    fputc(' ', l->f);
    text_put(l->f, answer_text(answer, "url"));
    fputc('\n', l->f);
    if (!answer_bool(answer, "normalised") || !begin(l))
        return;
    put(l, answer, "path");
    fputs(" is what is looked up", l->to);
    end(l, "path", STR(""));
}

static void print_outcome(struct line *l, const struct answer *outcome)
{
    unsigned long long status = answer_u64(outcome, "status");
    if (!outcome || !begin(l))
        return;
    if (status)
        fprintf(l->to, "%llu: ", status);
    put(l, outcome, "why");
    end(l, status ? "answer" : "no answer", STR(""));
    for (size_t i = 0; i < answer_count(outcome, "fields") && begin(l); i++) {
        text_put(l->to, answer_text_item(outcome, "fields", i));
        end(l, "", STR(""));
    }
}

int print_explain(FILE *f, const struct answer *answer)
{
    struct line l = line_on(f);
    print_request(&l, answer);
    print_listeners(&l, answer);
    print_site(&l, answer_member(answer, "site"));
    print_route(&l, answer_member(answer, "route"));
    print_nearest(&l, answer);
    print_policies(&l, answer);
    print_handler(&l, answer_member(answer, "handler"));
    print_slow(&l, answer_member(answer, "slow"));
    print_settings(&l, answer, "limits");
    print_settings(&l, answer, "timeouts");
    print_outcome(&l, answer_member(answer, "outcome"));
    return l.error;
}
