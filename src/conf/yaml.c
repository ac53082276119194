/* yaml.c: see yaml.h.
 *
 * Recursive descent over libyaml's events, at most CONF_DEPTH_MAX deep. A node is put in its place in the tree before
 * it is filled, so that every message can say where it is. A function that returns -EINVAL has given up on the text;
 * an error behind which reading can go on is only collected.
 */
#include "conf/yaml.h"
#include "conf/env.h"

#include <errno.h>
#include <yaml.h>

struct anchor {
    struct str name;
    struct conf_node *node;
};

struct parser {
    yaml_parser_t yaml;
    struct conf_reader *reader;
    struct str file, text;
    size_t nodes;
    size_t anchor_count;
    struct anchor anchors[CONF_ANCHORS_MAX];
};

static struct str str_of_yaml(const yaml_char_t *text)
{
    return str_of((const char *)text);
}

/* libyaml's reader knows the offset of a bad byte only. Columns count characters. */
static yaml_mark_t mark_at(struct str text, size_t offset)
{
    yaml_mark_t mark = {0};
    for (size_t i = 0; i < offset && i < text.n; i++) {
        bool continuation = ((unsigned char)text.p[i] & 0xc0) == 0x80;
        mark.column += !continuation;
        if (text.p[i] == '\n')
            mark = (yaml_mark_t){.line = mark.line + 1};
    }
    return mark;
}

/* What libyaml says of "*.example.org" and "[::1]:80", which mean something else to it, helps nobody. */
static const char *hint_of(const char *problem)
{
    static const char *const puzzling[] = {"did not find expected alphabetic or numeric character",
                                           "did not find expected node content"};
    for (size_t i = 0; i < sizeof puzzling / sizeof *puzzling; i++)
        if (strcmp(problem, puzzling[i]) == 0)
            return "; a value that starts with * & [ { or : stands in quotes";
    return "";
}

static void report_syntax(struct parser *p)
{
    const yaml_parser_t *y = &p->yaml;
    yaml_mark_t at = y->error == YAML_READER_ERROR ? mark_at(p->text, y->problem_offset) : y->problem_mark;
    unsigned line = (unsigned)at.line + 1, col = (unsigned)at.column + 1;
    if (y->context && y->context_mark.line < at.line)
        conf_error_at(p->reader, p->file, line, col, "%s, %s that starts on line %zu%s", y->problem, y->context,
                      y->context_mark.line + 1, hint_of(y->problem));
    else
        conf_error_at(p->reader, p->file, line, col, "%s%s", y->problem, hint_of(y->problem));
}

static int next_event(struct parser *p, yaml_event_t *event)
{
    if (yaml_parser_parse(&p->yaml, event))
        return 0;
    if (p->yaml.error == YAML_MEMORY_ERROR)
        return -ENOMEM;
    report_syntax(p);
    return -EINVAL;
}

/* An empty node at the end of its parent, which is NULL for the root. */
static int add_node(struct parser *p, struct conf_node *parent, struct conf_node **added)
{
    if (++p->nodes > CONF_NODES_MAX) {
        conf_error(p->reader, parent, "more than %d values in one file", CONF_NODES_MAX);
        return -EINVAL;
    }
    struct conf_node *node = arena_zalloc(p->reader->arena, sizeof *node);
    if (!node)
        return -ENOMEM;
    *node = (struct conf_node){.kind = CONF_MAPPING, .file = p->file, .line = 1, .col = 1};
    if (parent)
        conf_append(parent, node);
    *added = node;
    return 0;
}

static int check_depth(struct parser *p, const struct conf_node *node, unsigned depth)
{
    if (depth < CONF_DEPTH_MAX)
        return 0;
    conf_error(p->reader, node, "more than %d levels deep", CONF_DEPTH_MAX);
    return -EINVAL;
}

static int add_anchor(struct parser *p, struct conf_node *node, const yaml_char_t *name)
{
    if (p->anchor_count == CONF_ANCHORS_MAX) {
        conf_error(p->reader, node, "more than %d anchors", CONF_ANCHORS_MAX);
        return -EINVAL;
    }
    struct str copy = arena_copy(p->reader->arena, str_of_yaml(name));
    if (!copy.p)
        return -ENOMEM;
    p->anchors[p->anchor_count++] = (struct anchor){copy, node};
    return 0;
}

/* The node that the name was given to last. */
static struct conf_node *find_anchor(const struct parser *p, struct str name)
{
    for (size_t i = p->anchor_count; i-- > 0;)
        if (str_eq(p->anchors[i].name, name))
            return p->anchors[i].node;
    return NULL;
}

static bool is_inside(const struct conf_node *node, const struct conf_node *outer)
{
    while (node && node != outer)
        node = node->parent;
    return node;
}

/* Makes `to` say what `from` says. It keeps its own place; its children have the places of the originals. */
static int copy_value(struct parser *p, const struct conf_node *from, struct conf_node *to, unsigned depth)
{
    to->kind = from->kind;
    to->text = from->text;
    to->quoted = from->quoted;
    to->broken = from->broken;
    int status = from->kind == CONF_SCALAR ? 0 : check_depth(p, to, depth);
    for (const struct conf_node *child = from->first; child && !status; child = child->next) {
        struct conf_node *copy;
        status = add_node(p, to, &copy);
        if (status)
            break;
        copy->line = child->line;
        copy->col = child->col;
        copy->key = child->key;
        copy->key_line = child->key_line;
        copy->key_col = child->key_col;
        status = copy_value(p, child, copy, depth + 1);
    }
    return status;
}

static int read_alias(struct parser *p, struct conf_node *node, const yaml_event_t *event, unsigned depth)
{
    struct str name = str_of_yaml(event->data.alias.anchor);
    const struct conf_node *target = find_anchor(p, name);
    if (target && !is_inside(node, target))
        return copy_value(p, target, node, depth);
    const char *reason = target ? "stands inside what it names" : "names nothing that came before";
    conf_error(p->reader, node, "the alias `*" STR_FMT "` %s", STR_ARG(name), reason);
    return -EINVAL;
}

/* A text that no value can have is reported and leaves the node broken; reading goes on. */
static int read_scalar(struct parser *p, struct conf_node *node, const yaml_event_t *event)
{
    struct str text = {(const char *)event->data.scalar.value, event->data.scalar.length};
    node->kind = CONF_SCALAR;
    node->quoted = event->data.scalar.style != YAML_PLAIN_SCALAR_STYLE;
    node->text = arena_copy(p->reader->arena, text);
    if (!node->text.p)
        return -ENOMEM;
    node->broken = str_find(text, '\0') < text.n;
    if (node->broken) {
        conf_error(p->reader, node, "contains a NUL byte");
        return 0;
    }
    int status = conf_expand(p->reader, node);
    node->broken = status == -EINVAL;
    return node->broken ? 0 : status;
}

struct properties {
    const yaml_char_t *anchor, *tag; /* or NULL */
};

static struct properties properties_of(const yaml_event_t *event)
{
    switch (event->type) {
    case YAML_SCALAR_EVENT:
        return (struct properties){event->data.scalar.anchor, event->data.scalar.tag};
    case YAML_SEQUENCE_START_EVENT:
        return (struct properties){event->data.sequence_start.anchor, event->data.sequence_start.tag};
    case YAML_MAPPING_START_EVENT:
        return (struct properties){event->data.mapping_start.anchor, event->data.mapping_start.tag};
    default:
        return (struct properties){NULL, NULL};
    }
}

static int read_children(struct parser *p, struct conf_node *parent, unsigned depth);

static int read_value(struct parser *p, struct conf_node *node, const yaml_event_t *event, unsigned depth)
{
    node->line = (unsigned)event->start_mark.line + 1;
    node->col = (unsigned)event->start_mark.column + 1;
    struct properties given = properties_of(event);
    if (given.tag)
        conf_error(p->reader, node, "tags such as `%s` are not used here", (const char *)given.tag);
    int status = given.anchor ? add_anchor(p, node, given.anchor) : 0;
    if (status)
        return status;
    if (event->type == YAML_ALIAS_EVENT)
        return read_alias(p, node, event, depth);
    if (event->type == YAML_SCALAR_EVENT)
        return read_scalar(p, node, event);
    node->kind = event->type == YAML_SEQUENCE_START_EVENT ? CONF_SEQUENCE : CONF_MAPPING;
    status = check_depth(p, node, depth);
    return status ? status : read_children(p, node, depth + 1);
}

static int read_item(struct parser *p, struct conf_node *sequence, const yaml_event_t *event, unsigned depth)
{
    struct conf_node *item;
    int status = add_node(p, sequence, &item);
    return status ? status : read_value(p, item, event, depth);
}

static bool is_key(struct str s)
{
    return s.n > 0 && s.n <= CONF_KEY_SIZE_MAX && str_find(s, '\0') == s.n && !memmem(s.p, s.n, "${", 2);
}

static int read_key(struct parser *p, struct conf_node *map, const yaml_event_t *event, struct conf_node **pair)
{
    unsigned line = (unsigned)event->start_mark.line + 1, col = (unsigned)event->start_mark.column + 1;
    struct str key = {NULL, 0};
    if (event->type == YAML_SCALAR_EVENT)
        key = (struct str){(const char *)event->data.scalar.value, event->data.scalar.length};
    if (!is_key(key)) {
        conf_error_at(p->reader, p->file, line, col, "a key is a text of 1 to %d bytes, without `${`",
                      CONF_KEY_SIZE_MAX);
        return -EINVAL;
    }
    int status = add_node(p, map, pair);
    if (status)
        return status;
    struct conf_node *node = *pair;
    node->key_line = line;
    node->key_col = col;
    node->key = arena_copy(p->reader->arena, key);
    if (!node->key.p)
        return -ENOMEM;
    const struct conf_node *first = conf_find(map, key);
    if (first != node)
        conf_error_key(p->reader, node, "is set twice, first on line %u", first->key_line);
    return 0;
}

static int read_pair(struct parser *p, struct conf_node *map, const yaml_event_t *event, unsigned depth)
{
    struct conf_node *pair;
    int status = read_key(p, map, event, &pair);
    if (status)
        return status;
    yaml_event_t value;
    status = next_event(p, &value);
    if (status)
        return status;
    status = read_value(p, pair, &value, depth);
    yaml_event_delete(&value);
    return status;
}

static int read_child(struct parser *p, struct conf_node *parent, const yaml_event_t *event, size_t count,
                      unsigned depth)
{
    if (parent->kind == CONF_SEQUENCE)
        return read_item(p, parent, event, depth);
    if (count < CONF_KEYS_MAX)
        return read_pair(p, parent, event, depth);
    conf_error(p->reader, parent, "more than %d keys", CONF_KEYS_MAX);
    return -EINVAL;
}

static int read_children(struct parser *p, struct conf_node *parent, unsigned depth)
{
    int status = 0;
    bool end = false;
    for (size_t count = 0; !status && !end; count++) {
        yaml_event_t event;
        status = next_event(p, &event);
        if (status)
            break;
        end = event.type == YAML_SEQUENCE_END_EVENT || event.type == YAML_MAPPING_END_EVENT;
        if (!end)
            status = read_child(p, parent, &event, count, depth);
        yaml_event_delete(&event);
    }
    return status;
}

static int read_root(struct parser *p, struct conf_node *root, const yaml_event_t *event, size_t *documents)
{
    switch (event->type) {
    case YAML_STREAM_START_EVENT:
    case YAML_STREAM_END_EVENT:
    case YAML_DOCUMENT_END_EVENT:
        return 0;
    case YAML_DOCUMENT_START_EVENT:
        if ((*documents)++ == 0)
            return 0;
        conf_error_at(p->reader, p->file, (unsigned)event->start_mark.line + 1, 1, "a second document starts here");
        return -EINVAL;
    default:
        return read_value(p, root, event, 0);
    }
}

static int read_stream(struct parser *p, struct conf_node *root)
{
    int status = 0;
    bool end = false;
    for (size_t documents = 0; !status && !end;) {
        yaml_event_t event;
        status = next_event(p, &event);
        if (status)
            break;
        end = event.type == YAML_STREAM_END_EVENT;
        status = read_root(p, root, &event, &documents);
        yaml_event_delete(&event);
    }
    if (conf_is_null(root))
        root->kind = CONF_MAPPING;
    return status;
}

/* What libyaml is given: it takes no NULL, and no byte order mark where the encoding is set. */
static struct str input_of(struct str text)
{
    if (text.n == 0)
        return STR("");
    return str_starts(text, STR("\xef\xbb\xbf")) ? str_skip(text, 3) : text;
}

int conf_parse(struct conf_reader *r, struct str file_name, struct str text, struct conf_node **root)
{
    struct parser p = {.reader = r, .text = input_of(text)};
    p.file = arena_copy(r->arena, file_name);
    if (!p.file.p || !yaml_parser_initialize(&p.yaml))
        return -ENOMEM;
    yaml_parser_set_encoding(&p.yaml, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&p.yaml, (const unsigned char *)p.text.p, p.text.n);
    struct conf_node *node;
    int status = add_node(&p, NULL, &node);
    if (!status)
        status = read_stream(&p, node);
    if (!status)
        *root = node;
    yaml_parser_delete(&p.yaml);
    return status;
}

const char *conf_library(void)
{
    static char text[32];
    snprintf(text, sizeof text, "libyaml %s", yaml_get_version_string());
    return text;
}
