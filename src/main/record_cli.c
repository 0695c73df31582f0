#include "main/commands.h"
#include "main/internal.h"

int command_record(const struct options *o, int argc, char **argv)
{
    const char *verb = argc > 0 ? argv[0] : "";
    bool on = strcmp(verb, "on") == 0, off = strcmp(verb, "off") == 0;
    if (argc > 1 || (argc == 1 && !on && !off))
        return command_usage("usage: dragoman record [on | off] [--config FILE | --data DIR]\n", argc, argv);
    return internal_post(o, "/internal/record", on ? SL("{\"on\":true}") : off ? SL("{\"on\":false}") : SL("{}"));
}
