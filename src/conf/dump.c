/* dump.c: see dump.h. */
#include "conf/dump.h"
#include "base/utf8.h"

#include <errno.h>

enum { INDENT = 2 };

/* What a quoted text has to write as an escape: controls, and what YAML counts as a line break or forbids. */
static bool is_escaped(int32_t code)
{
    return code < 0x20 || (code >= 0x7f && code < 0xa0) || code == 0x2028 || code == 0x2029 || code == 0xfeff ||
           code == 0xfffe || code == 0xffff;
}

/* Whether the text, written as it is, is read back as it is. Rather a pair of quotes too many than one too few. */
static bool is_plain(struct str text)
{
    if (text.n == 0 || text.p[0] == ' ' || text.p[text.n - 1] == ' ' || text.p[text.n - 1] == ':')
        return false;
    if (conf_is_null(&(struct conf_node){.kind = CONF_SCALAR, .text = text}))
        return false;
    if (strchr("-?:,[]{}#&*!|>'\"%@`", text.p[0]) || str_starts(text, STR("...")))
        return false;
    char before = '\0';
    for (struct str rest = text; rest.n;) {
        char c = rest.p[0];
        if ((before == ' ' && c == '#') || (before == ':' && c == ' '))
            return false;
        before = c;
        if (is_escaped(utf8_next(&rest)))
            return false;
    }
    return true;
}

static void put_escape(FILE *f, int32_t code)
{
    if (code == '\n')
        fputs("\\n", f);
    else if (code == '\t')
        fputs("\\t", f);
    else
        fprintf(f, code < 0x100 ? "\\x%02X" : "\\u%04X", (unsigned)code);
}

/* One character, or `$${` for what would read as a reference to the environment. */
static void put_front(FILE *f, struct str *rest, bool quoted)
{
    if (str_starts(*rest, STR("${")))
        fputc('$', f);
    const char *at = rest->p;
    int32_t code = utf8_next(rest);
    if (quoted && is_escaped(code)) {
        put_escape(f, code);
        return;
    }
    if (quoted && (code == '"' || code == '\\'))
        fputc('\\', f);
    fwrite(at, 1, (size_t)(rest->p - at), f);
}

static void put_quotable(FILE *f, struct str text, bool quoted)
{
    if (quoted)
        fputc('"', f);
    while (text.n)
        put_front(f, &text, quoted);
    if (quoted)
        fputc('"', f);
}

static void put_text(FILE *f, struct str text)
{
    put_quotable(f, text, !is_plain(text));
}

static void put_leaf(FILE *f, const struct conf_node *node, bool secret)
{
    if (node->kind != CONF_SCALAR)
        fputs(node->kind == CONF_MAPPING ? "{}" : "[]", f);
    else if (secret)
        put_text(f, STR("***"));
    else if (conf_is_null(node))
        fputc('~', f);
    else
        put_text(f, node->text);
    fputc('\n', f);
}

static void put_children(FILE *f, const struct conf_node *node, unsigned depth, bool secret)
{
    bool behind_dash = node->parent && node->parent->kind == CONF_SEQUENCE;
    conf_each (child, node) {
        if (child != node->first || !behind_dash)
            fprintf(f, "%*s", (int)depth * INDENT, "");
        if (node->kind == CONF_MAPPING)
            put_text(f, child->key);
        fputc(node->kind == CONF_MAPPING ? ':' : '-', f);
        fputc(child->first && node->kind == CONF_MAPPING ? '\n' : ' ', f);
        if (child->first)
            put_children(f, child, depth + 1, secret || child->secret);
        else
            put_leaf(f, child, secret || child->secret);
    }
}

/* ---- on a line ---- */

/* Between brackets, commas and brackets are YAML's. */
static void put_flow_text(FILE *f, struct str text)
{
    size_t i = 0;
    while (i < text.n && !strchr(",[]{}", text.p[i]))
        i++;
    put_quotable(f, text, i < text.n || !is_plain(text));
}

static void put_flow_scalar(FILE *f, const struct conf_node *node, bool secret)
{
    if (!secret && conf_is_null(node))
        fputc('~', f);
    else
        put_flow_text(f, secret ? STR("***") : node->text);
}

static void put_flow(FILE *f, const struct conf_node *node, bool secret, bool bare)
{
    static const char *const brackets[][2] = {[CONF_SEQUENCE] = {"[", "]"}, [CONF_MAPPING] = {"{", "}"}};
    if (node->kind == CONF_SCALAR) {
        put_flow_scalar(f, node, secret);
        return;
    }
    bare &= node->first != NULL;
    fputs(bare ? "" : brackets[node->kind][0], f);
    conf_each (child, node) {
        fputs(child == node->first ? "" : ", ", f);
        if (node->kind == CONF_MAPPING) {
            put_flow_text(f, child->key);
            fputs(": ", f);
        }
        put_flow(f, child, secret || child->secret, false);
    }
    fputs(bare ? "" : brackets[node->kind][1], f);
}

int conf_dump_line(FILE *f, const struct conf_node *node)
{
    bool secret = node->secret;
    for (const struct conf_node *above = node->parent; above; above = above->parent)
        secret |= above->secret;
    put_flow(f, node, secret, true);
    return fflush(f) || ferror(f) ? -EIO : 0;
}

/* ---- as a file ---- */

int conf_dump(FILE *f, const struct conf_node *root)
{
    if (root->first)
        put_children(f, root, 0, root->secret);
    else
        put_leaf(f, root, root->secret);
    return fflush(f) || ferror(f) ? -EIO : 0;
}
