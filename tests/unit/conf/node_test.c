/* node_test.c: links of the tree, items, and what is null. */
#include "run.h"

#include <criterion/criterion.h>

Test(node, null_is_only_unquoted)
{
    struct conf_run run;
    conf_run_start(&run, STR("[~, null, Null, NULL, '', \"~\", 'null', nil, 0, [], {}]"));
    cr_assert_eq(run.status, 0);
    size_t i = 0;
    conf_each (item, run.root) {
        cr_expect_eq(conf_is_null(item), i < 4, "item %zu", i);
        i++;
    }
    cr_expect_eq(i, 11);
    conf_run_end(&run);
}

Test(node, find)
{
    struct conf_run run;
    conf_run_start(&run, STR("a: 1\nab: 2\nA: 3"));
    cr_expect_null(conf_find(run.root, STR("b")));
    cr_expect_null(conf_find(run.root, STR("")));
    cr_expect(str_eq(conf_find(run.root, STR("ab"))->text, STR("2")));
    cr_expect(str_eq(conf_find(run.root, STR("A"))->text, STR("3")));
    cr_expect_null(conf_find(run.root->first, STR("a")), "a scalar has no children");
    conf_run_end(&run);
}

/* The texts of what conf_each_item() walks, without a separator. */
static struct str items_of(struct conf_node *node, char *buffer, size_t size)
{
    struct out texts = out_on(buffer, size);
    conf_each_item (item, node)
        out_put(&texts, item->text);
    return out_str(&texts);
}

Test(node, items)
{
    struct conf_run run;
    char buffer[16];
    conf_run_start(&run, STR("a: []\nb: [x, y]\nc: z\nd: last\n"));
    cr_expect_eq(conf_item_count(conf_find(run.root, STR("a"))), 0);
    cr_expect_eq(conf_item_count(conf_find(run.root, STR("b"))), 2);
    cr_expect_eq(conf_item_count(conf_find(run.root, STR("c"))), 1);
    cr_expect(str_eq(items_of(conf_find(run.root, STR("a")), buffer, sizeof buffer), STR("")));
    cr_expect(str_eq(items_of(conf_find(run.root, STR("b")), buffer, sizeof buffer), STR("xy")));
    cr_expect(str_eq(items_of(conf_find(run.root, STR("c")), buffer, sizeof buffer), STR("z")));
    conf_run_end(&run);
}

Test(node, removes_first_middle_and_last)
{
    struct conf_run run;
    conf_run_start(&run, STR("a: 1\nb: 2\nc: 3\nd: 4\n"));
    conf_remove(conf_find(run.root, STR("b")));
    cr_expect_str_eq(conf_run_dump(&run).p, "a: 1\nc: 3\nd: 4\n");
    conf_remove(conf_find(run.root, STR("d")));
    cr_expect(str_eq(run.root->last->key, STR("c")));
    struct conf_node *a = run.root->first;
    conf_remove(a);
    conf_append(run.root, a);
    cr_expect_str_eq(conf_run_dump(&run).p, "c: 3\na: 1\n");
    conf_remove(run.root->first);
    conf_remove(run.root->first);
    cr_expect_null(run.root->first);
    cr_expect_null(run.root->last);
    conf_run_end(&run);
}
