/* reference.c: what is generated from the tables of directives. `make reference` runs it for each of them:
 *
 *   reference schema >conf/tern.schema.json
 *   reference manual <docs/tern.yaml.5.in >docs/tern.yaml.5
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "conf/json_schema.h"
#include "conf/manual.h"
#include "proc/config.h"

static int write_schema(void)
{
    return conf_json_schema(stdout, "tern.yaml", config_table(), "include");
}

static int write_manual(void)
{
    return conf_manual(stdout, stdin, config_table());
}

static const struct {
    const char *name;
    int (*write)(void);
} outputs[] = {{"schema", write_schema}, {"manual", write_manual}};

int main(int argc, char **argv)
{
    for (size_t i = 0; argc == 2 && i < sizeof outputs / sizeof *outputs; i++) {
        if (strcmp(argv[1], outputs[i].name) != 0)
            continue;
        int error = outputs[i].write();
        if (!error && fflush(stdout) != 0)
            error = -errno;
        if (error)
            fprintf(stderr, "reference: %s\n", strerror(-error));
        return error ? 1 : 0;
    }
    fputs("usage: reference schema | manual\n", stderr);
    return 2;
}
