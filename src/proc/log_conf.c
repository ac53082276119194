/* log_conf.c: see log_conf.h. */
#include "proc/log_conf.h"

#include <errno.h>

#include "base/list.h"
#include "http/slow.h"
#include "log/log.h"

#define IN(member) offsetof(struct log_settings, member)

/* ---- the format ---- */

static void refuse_variable(struct conf_reader *r, const struct conf_node *node, struct str wrong)
{
    char list[512];
    struct out o = out_on(list, sizeof list);
    access_format_variables(&o);
    conf_error(r, node, "there is no variable `" STR_FMT "`; there are " STR_FMT, STR_ARG(wrong), STR_ARG(out_str(&o)));
}

static void refuse_format(struct conf_reader *r, const struct conf_node *node, int error, struct str wrong)
{
    if (error == -EINVAL)
        refuse_variable(r, node, wrong);
    else if (error == -ENOMSG)
        conf_error(r, node, "`" STR_FMT "` is neither `combined` nor `json`, and has no variable such as %%h",
                   STR_ARG(node->text));
    else if (error == -EBADMSG)
        conf_error(r, node, "a line has no line ends and no control characters but tabs in it");
    else
        conf_error(r, node, "is more than a line of %d bytes has room for", ACCESS_LINE_MAX);
}

static const char *const formats[] = {"combined", "json", NULL};
static const struct conf_key format_key = {
    .kind = CONF_TEXT, .words = formats, .takes = "a text with variables such as %h"};

static int read_format(struct conf_reader *r, struct conf_node *node, void *field)
{
    const struct access_format **format = field;
    struct str text, wrong;
    int error = conf_read_value(r, node, &format_key, &text);
    if (error)
        return error;
    error = access_format_compile(format, r->arena, text, &wrong);
    if (error == 0 || error == -ENOMEM)
        return error;
    refuse_format(r, node, error, wrong);
    return -EINVAL;
}

/* ---- the access log ---- */

static const struct conf_key access_keys[] = {
    {"path", CONF_PATH, IN(access), .required = true, .doc = "the file; its directory must exist"},
    {"format", CONF_CUSTOM, IN(access_format), .fallback = "combined", .read = read_format, .single = &format_key,
     .doc = "what a line says"},
    {"buffer", CONF_SIZE, IN(access_buffer), .fallback = "64k", .min = ACCESS_BUFFER_MIN, .max = 16 << 20,
     .doc = "lines gather in a buffer of this size, one in each worker"},
    {"flush", CONF_TIME, IN(access_flush), .fallback = "1s", .min = 100 * NSEC_MS, .max = 3600 * NSEC_SEC,
     .doc = "the longest that a line stays there"},
};

static const struct conf_table access_table = CONF_TABLE("access", access_keys);

static const char *const off[] = {"off", NULL}, *const error_logs[] = {"stderr", "syslog", NULL};
static const struct conf_key access_key = {.kind = CONF_PATH, .words = off};

static int read_access(struct conf_reader *r, struct conf_node *node, void *field)
{
    struct log_settings *log = container_of(field, struct log_settings, access);
    struct str wrong;
    if (node->kind == CONF_MAPPING)
        return conf_read_map(r, node, &access_table, log);
    if (node->kind == CONF_SCALAR && str_eq(node->text, STR("off")))
        return 0;
    log->access_buffer = ACCESS_BUFFER_MIN;
    log->access_flush = NSEC_SEC;
    int error = conf_read_value(r, node, &access_key, field);
    return error ? error : access_format_compile(&log->access_format, r->arena, STR("combined"), &wrong);
}

static const struct conf_key log_keys[] = {
    {"level", CONF_ENUM, IN(level), .fallback = "notice", .words = log_level_names,
     .doc = "the least that is written to the error log"},
    {"error", CONF_PATH, IN(error), .fallback = "stderr", .words = error_logs,
     .doc = "where the error log goes; syslog:PATH: another socket than /dev/log"},
    {"access", CONF_CUSTOM, IN(access), .fallback = "off", .read = read_access, .single = &access_key,
     .table = &access_table, .doc = "a line for each request, refused ones included"},
    {"slow", CONF_CUSTOM, IN(slow), .fallback = "off", .read = http_slow_read, .single = &http_slow_key,
     .doc = "a request that takes longer is told to the error log, with where its time went: 1s"},
};

const struct conf_table log_conf_table = CONF_TABLE("log", log_keys);
