/* render_cli.c - dragoman render: one JSON object a line on standard input (render_line.h), one line of answer for each, at once. */
#include "main/commands.h"
#include "main/render_line.h"

int command_render(int argc, char **argv)
{
    if (argc)
        return command_usage("usage: dragoman render   a JSON object a line on standard input, such as {\"template\":\"Hello {{name}}\",\"data\":{\"name\":\"Ada\"},\"mode\":\"response\"};\n"
                             "                         one line of answer for each: {\"output\":…} or {\"error\":…}. docs/templates.md says more\n", argc, argv);
    struct template_cache *cache = template_cache_new();
    char *line = NULL;
    size_t cap = 0;
    ssize_t got;
    while ((got = getline(&line, &cap, stdin)) >= 0) {
        CLEANUP(arena_freep) struct arena *a = arena_new();
        slice text = slice_trim((slice){ line, (size_t)got });
        if (!text.n)
            continue;
        slice answer = render_line(cache, a, text); /* SLA looks at its argument twice */
        printf(SLF "\n", SLA(answer));
        fflush(stdout);
    }
    free(line);
    template_cache_free(cache);
    return 0;
}
