#include "main/commands.h"
#include "main/internal.h"
#include "wire/js.h"

int command_contact(const struct options *o, int argc, char **argv)
{
    const char *verb = argc > 0 ? argv[0] : "";
    bool take = strcmp(verb, "export") == 0, erase = strcmp(verb, "erase") == 0;
    if (argc != 2 || (!take && !erase))
        return command_usage("usage: dragoman contact export|erase CONTACT|CONVERSATION [--config FILE | --data DIR]\n", argc, argv);
    CLEANUP(arena_freep) struct arena *a = arena_new();
    struct jw w = jw_new(a, strlen(argv[1]) * 6 + 64);
    jw_open(&w, NULL, '{');
    jw_str(&w, "contact", slice_of(argv[1]));
    jw_close(&w, '}');
    return internal_post(o, take ? "/internal/contacts/export" : "/internal/contacts/erase", jw_done(&w));
}
