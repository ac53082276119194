/* schema_test.c: messages for what does not fit a table, defaults, and what a mapping leaves in its structure. */
#include "conf/schema.h"
#include "run.h"

#include <criterion/criterion.h>
#include <errno.h>

struct tls {
    struct str certificate, key;
};

struct limits {
    uint64_t header_size;
    int64_t connections;
    nsec idle;
};

struct server {
    struct limits limits;
    struct tls tls;
    struct conf_texts index;
    struct str name;
    int level;
    bool pin;
    size_t listeners;
    int64_t port; /* of the second table */
};

static const char *const connections_words[] = {"auto", "none", NULL};
static const char *const level_words[] = {"info", "warn", "error", NULL};

static const struct conf_key limits_keys[] = {
    {"header_size", CONF_SIZE, offsetof(struct limits, header_size), .fallback = "32k", .min = 1 << 10, .max = 1 << 20},
    {"connections", CONF_INT, offsetof(struct limits, connections), .fallback = "auto", .min = 1,
     .words = connections_words},
    {"idle", CONF_TIME, offsetof(struct limits, idle), .fallback = "75s", .max = 3600 * NSEC_SEC},
};
static const struct conf_table limits_table = CONF_TABLE("limits", limits_keys);

static const struct conf_key tls_keys[] = {
    {"certificate", CONF_TEXT, offsetof(struct tls, certificate), .required = true, .doc = "a PEM file"},
    {"key", CONF_TEXT, offsetof(struct tls, key), .required = true, .secret = true},
};
static const struct conf_table tls_table = CONF_TABLE("tls", tls_keys);

/* A list of ports, each with the smallest of tables. */
static int read_listen(struct conf_reader *r, struct conf_node *value, void *field)
{
    static const struct conf_key port = {.kind = CONF_INT, .min = 1, .max = 65535};
    size_t *count = field;
    int result = 0;
    conf_each_item (item, value) {
        int64_t number;
        int status = conf_read_value(r, item, &port, &number);
        result = status ? status : result;
        *count += !status;
    }
    return result;
}

static const struct conf_key more_keys[] = {
    {"port", CONF_INT, offsetof(struct server, port), .doc = "of the second table"},
};
static const struct conf_table more_table = CONF_TABLE("more", more_keys);

static const struct conf_key server_keys[] = {
    {"limits", CONF_MAP, offsetof(struct server, limits), .fallback = "{}", .table = &limits_table},
    {"tls", CONF_MAP, offsetof(struct server, tls), .table = &tls_table},
    {"index", CONF_TEXTS, offsetof(struct server, index), .fallback = "[index.html, index.htm]"},
    {"name", CONF_TEXT, offsetof(struct server, name), .doc = "any text"},
    {"level", CONF_ENUM, offsetof(struct server, level), .fallback = "warn", .words = level_words},
    {"pin", CONF_BOOL, offsetof(struct server, pin), .fallback = "off"},
    {"listen", CONF_CUSTOM, offsetof(struct server, listeners), .read = read_listen},
};
static const struct conf_table server_table = {
    .what = "a server", .keys = server_keys, .count = sizeof server_keys / sizeof *server_keys, .more = &more_table};

static int read_server(struct conf_run *run, struct str text, struct server *server)
{
    *server = (struct server){.level = -1};
    conf_run_start(run, text);
    cr_assert_eq(run->status, 0, "%s", conf_run_errors(run));
    return conf_read_map(&run->reader, run->root, &server_table, server);
}

struct reject {
    const char *text, *errors;
};

static const struct reject rejects[] = {
    {"[]", "t:1:1: error: takes a mapping, not a list\n"},
    {"lissten: 1", "t:1:1: error: lissten: unknown key in a server; did you mean `listen`?\n"},
    {"limits: {size: 1}\nprot: 1", "t:1:10: error: limits.size: unknown key in limits\n"
                                   "t:2:1: error: prot: unknown key in a server; did you mean `port`?\n"},
    {"limits: [1]", "t:1:9: error: limits: takes a mapping, not a list\n"},
    {"limits: 1", "t:1:9: error: limits: takes a mapping, not a value\n"},
    {"limits:", "t:1:8: error: limits: has no value\n"},
    {"limits:\n  header_size: 3g", "t:2:16: error: limits.header_size: 3g is out of range (1k to 1m)\n"},
    {"limits: {header_size: 1023}", "t:1:23: error: limits.header_size: 1023 is out of range (1k to 1m)\n"},
    {"limits: {header_size: 99999999999999999999}",
     "t:1:23: error: limits.header_size: 99999999999999999999 is out of range (1k to 1m)\n"},
    {"limits: {header_size: 1kb}",
     "t:1:23: error: limits.header_size: `1kb` is not a size (bytes, or with k, m or g)\n"},
    {"limits: {header_size: -1}", "t:1:23: error: limits.header_size: `-1` is not a size (bytes, or with k, m or g)\n"},
    {"limits: {header_size: ''}", "t:1:23: error: limits.header_size: `` is not a size (bytes, or with k, m or g)\n"},
    {"limits: {connections: 0}", "t:1:23: error: limits.connections: 0 is out of range (1 or more)\n"},
    {"limits: {connections: many}",
     "t:1:23: error: limits.connections: `many` is not a number, nor one of auto, none\n"},
    {"port: 8o", "t:1:7: error: port: `8o` is not a number\n"},
    {"port: 9223372036854775808", "t:1:7: error: port: 9223372036854775808 is out of range (0 or more)\n"},
    {"limits: {idle: 61m}", "t:1:16: error: limits.idle: 61m is out of range (0 to 1h)\n"},
    {"limits: {idle: 1b}",
     "t:1:16: error: limits.idle: `1b` is not a duration (seconds, or with ms, s, m, h, d, w or y)\n"},
    {"level: trace", "t:1:8: error: level: `trace` is not one of info, warn, error\n"},
    {"pin: maybe", "t:1:6: error: pin: `maybe` is not on or off\n"},
    {"pin: ~", "t:1:6: error: pin: has no value\n"},
    {"name: {a: 1}", "t:1:7: error: name: takes a single value, not a mapping\n"},
    {"name: [a]", "t:1:7: error: name: takes a single value, not a list\n"},
    {"index: [a, [b], ~]", "t:1:12: error: index[1]: takes a single value, not a list\n"
                           "t:1:17: error: index[2]: has no value\n"},
    {"index: {a: b}", "t:1:8: error: index: takes a single value, not a mapping\n"},
    {"listen: [1, x, 0]", "t:1:13: error: listen[1]: `x` is not a number\n"
                          "t:1:16: error: listen[2]: 0 is out of range (1 to 65535)\n"},
    {"listen:", "t:1:8: error: listen: has no value\n"},
    {"tls: {}", "t:1:6: error: tls: lacks `certificate`: a PEM file\nt:1:6: error: tls: lacks `key`\n"},
    {"name: a\nname: b", "t:2:1: error: name: is set twice, first on line 1\n"},
    {"name: ${TERN_TEST_UNSET}", "t:1:7: error: name: the environment variable TERN_TEST_UNSET is not set\n"},
    {"pin: ${TERN_TEST_UNSET}\nlimits: ${TERN_TEST_UNSET}\nlisten: ${TERN_TEST_UNSET}",
     "t:1:6: error: pin: the environment variable TERN_TEST_UNSET is not set\n"
     "t:2:9: error: limits: the environment variable TERN_TEST_UNSET is not set\n"
     "t:3:9: error: listen: the environment variable TERN_TEST_UNSET is not set\n"},
    {"pin: \"a\\e\\n\"", "t:1:6: error: pin: `a??` is not on or off\n"},
};

Test(schema, rejects)
{
    for (size_t i = 0; i < sizeof rejects / sizeof *rejects; i++) {
        struct conf_run run;
        struct server server;
        int status = read_server(&run, str_of(rejects[i].text), &server);
        cr_expect(status == -EINVAL || conf_failed(&run.reader), "%s", rejects[i].text);
        cr_expect_str_eq(conf_run_errors(&run), rejects[i].errors);
        conf_run_end(&run);
    }
}

Test(schema, all_errors_of_a_run_are_in_file_order)
{
    struct conf_run run;
    struct server server;
    cr_expect_eq(read_server(&run, STR("tls: {key: 1}\nlimits: {idel: 1, header_size: 1}\npin: 2\nport: 1\n"), &server),
                 -EINVAL);
    cr_expect_str_eq(conf_run_errors(&run), "t:1:6: error: tls: lacks `certificate`: a PEM file\n"
                                            "t:2:10: error: limits.idel: unknown key in limits; did you mean `idle`?\n"
                                            "t:2:32: error: limits.header_size: 1 is out of range (1k to 1m)\n"
                                            "t:3:6: error: pin: `2` is not on or off\n");
    cr_expect_eq(server.port, 1, "what is right is read");
    conf_run_end(&run);
}

Test(schema, a_secret_is_in_no_message)
{
    static const struct conf_key keys[] = {{"pin", CONF_INT, 0, .secret = true}};
    static const struct conf_table table = CONF_TABLE("a test", keys);
    struct conf_run run;
    int64_t pin;
    conf_run_start(&run, STR("pin: hunter2"));
    cr_expect_eq(conf_read_map(&run.reader, run.root, &table, &pin), -EINVAL);
    cr_expect_str_eq(conf_run_errors(&run), "t:1:6: error: pin: `***` is not a number\n");
    conf_run_end(&run);
}

Test(schema, a_long_value_is_cut_between_characters)
{
    struct conf_run run;
    struct server server;
    struct str text = STR("pin: "
                          "0123456789012345678901234567890123456789012345678901234567\xe2\x82\xac\xe2\x82\xac");
    cr_expect_eq(read_server(&run, text, &server), -EINVAL);
    cr_expect_str_eq(conf_run_errors(&run),
                     "t:1:6: error: pin: "
                     "`0123456789012345678901234567890123456789012345678901234567` is not on or off\n");
    conf_run_end(&run);
}

Test(schema, values)
{
    struct conf_run run;
    struct server server;
    struct str text = STR("limits: {header_size: 1M, connections: 7, idle: 1500ms}\ntls: {certificate: c, key: 'k'}\n"
                          "index: one\nname: '123'\nlevel: info\npin: yes\nlisten: [80, 443]\nport: 0");
    cr_assert_eq(read_server(&run, text, &server), 0, "%s", conf_run_errors(&run));
    cr_expect_eq(server.limits.header_size, 1 << 20);
    cr_expect_eq(server.limits.connections, 7);
    cr_expect_eq(server.limits.idle, 1500 * NSEC_MS);
    cr_expect(str_eq(server.tls.certificate, STR("c")));
    cr_expect(str_eq(server.tls.key, STR("k")));
    cr_expect_eq(server.index.n, 1, "a lone text is a list of one");
    cr_expect(str_eq(server.index.v[0], STR("one")));
    cr_expect(str_eq(server.name, STR("123")));
    cr_expect_eq(server.level, 0);
    cr_expect(server.pin);
    cr_expect_eq(server.listeners, 2);
    cr_expect_eq(server.port, 0);
    conf_run_end(&run);
}

Test(schema, words_for_numbers)
{
    struct conf_run run;
    struct server server;
    cr_expect_eq(read_server(&run, STR("limits: {connections: auto}"), &server), 0);
    cr_expect_eq(server.limits.connections, -1);
    conf_run_end(&run);
    cr_expect_eq(read_server(&run, STR("limits: {connections: none}"), &server), 0);
    cr_expect_eq(server.limits.connections, -2);
    conf_run_end(&run);
}

Test(schema, words_for_booleans)
{
    static const char *const words[] = {"off", "on", "false", "true", "no", "yes"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        struct conf_run run;
        struct server server;
        char text[32];
        snprintf(text, sizeof text, "pin: %s", words[i]);
        cr_expect_eq(read_server(&run, str_of(text), &server), 0);
        cr_expect_eq(server.pin, i % 2 == 1, "%s", text);
        conf_run_end(&run);
    }
}

Test(schema, the_tree_is_the_effective_configuration)
{
    struct conf_run run;
    struct server server;
    cr_assert_eq(read_server(&run, STR("name: x\ntls: {certificate: c, key: sesame}\n"), &server), 0);
    cr_expect_eq(server.limits.header_size, 32 << 10);
    cr_expect_eq(server.limits.connections, -1);
    cr_expect_eq(server.limits.idle, 75 * NSEC_SEC);
    cr_expect_eq(server.index.n, 2);
    cr_expect(str_eq(server.index.v[1], STR("index.htm")));
    cr_expect_eq(server.level, 1);
    cr_expect_not(server.pin);
    cr_expect_str_eq(conf_run_dump(&run).p, "name: x\ntls:\n  certificate: c\n  key: \"***\"\n"
                                            "limits:\n  header_size: 32k\n  connections: auto\n  idle: 75s\n"
                                            "index:\n  - index.html\n  - index.htm\nlevel: warn\npin: off\n");
    conf_run_end(&run);
}

Test(schema, an_empty_list_is_no_text)
{
    struct conf_run run;
    struct server server;
    cr_assert_eq(read_server(&run, STR("index: []"), &server), 0);
    cr_expect_eq(server.index.n, 0);
    conf_run_end(&run);
}

/* ---- choices, and keys that others read ---- */

static const struct conf_key shape_keys[] = {
    {"circle", CONF_INT, 0, .choice = "shape"},
    {"square", CONF_INT, 0, .choice = "shape"},
    {"red", CONF_BOOL, 0, .choice = "colour"},
};

static const struct conf_key other_keys[] = {
    {"blue", CONF_BOOL, 0, .choice = "colour"},
    {"weight", CONF_INT, 0, .required = true, .fallback = "7"},
};

static bool other_key(size_t i, struct conf_key *key)
{
    if (i >= sizeof other_keys / sizeof *other_keys)
        return false;
    *key = other_keys[i];
    return true;
}

static const struct conf_key round_keys[] = {{"port", CONF_INT, .doc = "p"}};
static const struct conf_table more_shapes = CONF_TABLE("more", round_keys);
static const struct conf_table shape_table = {.what = "a shape",
                                              .keys = shape_keys,
                                              .count = sizeof shape_keys / sizeof *shape_keys,
                                              .more = &more_shapes,
                                              .others = other_key};

static const struct reject choice_rejects[] = {
    {"{}", "t:1:1: error: lacks a shape, one of `circle`, `square`\n"
           "t:1:1: error: lacks a colour, one of `red`, `blue`\n"},
    {"{circle: 1}", "t:1:1: error: lacks a colour, one of `red`, `blue`\n"},
    {"{circle: 1, blue: on, square: 2}", "t:1:23: error: square: a second shape beside `circle`\n"},
    {"{circle: 1, blue: x, red: on}", "t:1:22: error: red: a second colour beside `blue`\n"},
    {"{circel: 1, square: 2, red: on}", "t:1:2: error: circel: unknown key in a shape; did you mean `circle`?\n"},
    {"{wieght: 1, square: 2, red: on}", "t:1:2: error: wieght: unknown key in a shape; did you mean `weight`?\n"},
    {"{prot: 1, square: 2, red: on}", "t:1:2: error: prot: unknown key in a shape; did you mean `port`?\n"},
};

static int read_shape(struct conf_run *run, struct str text, int64_t *shape)
{
    conf_run_start(run, text);
    cr_assert_eq(run->status, 0, "%s", conf_run_errors(run));
    return conf_read_map(&run->reader, run->root, &shape_table, shape);
}

Test(schema, choices_rejected)
{
    for (size_t i = 0; i < sizeof choice_rejects / sizeof *choice_rejects; i++) {
        struct conf_run run;
        int64_t shape;
        cr_expect_eq(read_shape(&run, str_of(choice_rejects[i].text), &shape), -EINVAL, "%s", choice_rejects[i].text);
        cr_expect_str_eq(conf_run_errors(&run), choice_rejects[i].errors);
        conf_run_end(&run);
    }
}

/* Neither their values nor their absence are looked at. */
Test(schema, what_others_read_is_left_to_them)
{
    struct conf_run run;
    int64_t shape;
    cr_expect_eq(read_shape(&run, STR("{square: 5, blue: [x]}"), &shape), 0, "%s", conf_run_errors(&run));
    cr_expect_eq(shape, 5);
    cr_expect_str_eq(conf_run_dump(&run).p, "square: 5\nblue:\n  - x\n");
    conf_run_end(&run);
}

Test(schema, a_walk_meets_every_key)
{
    static const char *const names[] = {"circle", "square", "red", "blue", "weight", "port"};
    size_t i = 0;
    for (struct conf_walk walk = {.table = &shape_table}; conf_next(&walk); i++) {
        cr_assert_lt(i, sizeof names / sizeof *names);
        cr_expect_str_eq(walk.key->name, names[i]);
        cr_expect_eq(conf_opens_choice(&shape_table, walk.key), i == 0 || i == 2, "%s", names[i]);
    }
    cr_expect_eq(i, sizeof names / sizeof *names);
}

/* ---- mappings that several tables share ---- */

struct door {
    int64_t width;
    struct str name;
};

static const struct conf_key door_keys[] = {
    {"width", CONF_INT, offsetof(struct door, width), .fallback = "7", .min = 1},
    {"name", CONF_TEXT, offsetof(struct door, name), .required = true, .doc = "over it"},
};
static const struct conf_table door_table = CONF_TABLE("a door", door_keys);

static int read_door(struct conf_run *run, struct str text, struct door *door)
{
    *door = (struct door){0};
    conf_run_start(run, text);
    cr_assert_eq(run->status, 0, "%s", conf_run_errors(run));
    return conf_read_keys(&run->reader, run->root, &door_table, door);
}

static const struct reject key_rejects[] = {
    {"[]", "t:1:1: error: takes a mapping, not a list\n"},
    {"x", "t:1:1: error: takes a mapping, not a value\n"},
    {"{}", "t:1:1: error: lacks `name`: over it\n"},
    {"{nmae: a, other: {width: x}}", "t:1:1: error: lacks `name`: over it\n"},
    {"{other: [], width: 0, name: a}", "t:1:20: error: width: 0 is out of range (1 or more)\n"},
    {"{name: [], width: x}", "t:1:8: error: name: takes a single value, not a list\n"
                             "t:1:19: error: width: `x` is not a number\n"},
    {"{name: ~, other: x}", "t:1:8: error: name: has no value\n"},
};

Test(schema, keys_rejected)
{
    for (size_t i = 0; i < sizeof key_rejects / sizeof *key_rejects; i++) {
        struct conf_run run;
        struct door door;
        cr_expect_eq(read_door(&run, str_of(key_rejects[i].text), &door), -EINVAL, "%s", key_rejects[i].text);
        cr_expect_str_eq(conf_run_errors(&run), key_rejects[i].errors);
        conf_run_end(&run);
    }
}

/* Whatever others have there is left as it is, in the tree too; a default is added to it. */
Test(schema, keys_of_others_are_left_alone)
{
    struct conf_run run;
    struct door door;
    cr_expect_eq(read_door(&run, STR("widht: 1\nname: front\nlimits: {a: [b]}\nnull: ~\n"), &door), 0, "%s",
                 conf_run_errors(&run));
    cr_expect_str_eq(conf_run_errors(&run), "");
    cr_expect_eq(door.width, 7);
    cr_expect(str_eq(door.name, STR("front")));
    cr_expect_null(strstr(conf_run_dump(&run).p, "front\nwidth"), "the default comes last");
    cr_expect_not_null(strstr(conf_run_dump(&run).p, "width: 7\n"));
    cr_expect_not_null(strstr(conf_run_dump(&run).p, "widht: 1\n"));
    cr_expect_eq(conf_read_map(&run.reader, run.root, &door_table, &door), -EINVAL, "as the only table");
    conf_run_end(&run);
}
