#include "main/commands.h"
#include "main/internal.h"
#include "wire/js.h"

int command_notify(const struct options *o, int argc, char **argv)
{
    const char *verb = argc > 0 ? argv[0] : "list";
    if (argc <= 1 && strcmp(verb, "list") == 0)
        return internal_post(o, "/internal/notifiers", SL("{}"));
    if (argc == 2 && strcmp(verb, "test") == 0) {
        CLEANUP(arena_freep) struct arena *a = arena_new();
        struct jw w = jw_new(a, 4096);
        jw_open(&w, NULL, '{');
        jw_str(&w, "name", slice_of(argv[1]));
        jw_close(&w, '}');
        slice body = jw_done(&w);
        return internal_post(o, "/internal/notifiers/test", slice_or(body, SL("{}")));
    }
    return command_usage("usage: dragoman notify [list | test NAME] [--config FILE | --data DIR]\n", argc, argv);
}
