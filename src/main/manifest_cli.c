/* manifest_cli.c - what a vendor makes an app of ours from: dragoman manifest slack --public-url https://hub.example.com app_name="ACME Care" */
#include "main/commands.h"

static bool set_values(const struct connector *type, slice *values, int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        slice value = slice_of(argv[i]), name = slice_cut(&value, '=');
        size_t k = 0;
        while (k < type->n_settings && !slice_eq(name, slice_of(type->settings[k].name)))
            k++;
        if (k == type->n_settings || !value.p) {
            fprintf(stderr, "dragoman manifest: \"%s\" is no setting of %s with a value\n", argv[i], type->title);
            return false;
        }
        values[k] = value;
    }
    return true;
}

int command_manifest(const struct options *o, int argc, char **argv)
{
    CLEANUP(arena_freep) struct arena *a = arena_new();
    const struct connector *type = argc > 0 ? connector_find(slice_of(argv[0])) : NULL;
    if (argc == 1 && strcmp(argv[0], "--help") == 0)
        return command_usage("usage: dragoman manifest slack --public-url https://hub.example.com [SETTING=VALUE…]\n"
                             "the document from which the vendor makes our app; docs/networks/slack.md says which settings belong in it\n", argc, argv);
    if (!type || !type->manifest) {
        fprintf(stderr, "dragoman manifest: name a connector whose vendor takes one:");
        for (size_t i = 0; i < n_connectors; i++)
            if (connectors[i]->manifest)
                fprintf(stderr, " %s", connectors[i]->name);
        fprintf(stderr, "\n");
        return 2;
    }
    const struct config *config = options_config(a, o);
    if (!config)
        return 2;
    slice *values = ARENA_ARRAY(a, slice, type->n_settings), url = config_text(config, CFG_PUBLIC_URL);
    for (size_t i = 0; i < type->n_settings; i++)
        values[i] = slice_of(type->settings[i].otherwise);
    if (!set_values(type, values, argc, argv))
        return 2;
    while (slice_ends(url, SL("/")))
        url.n--;
    if (!url.n) {
        fprintf(stderr, "dragoman manifest: give the hub's address as vendors see it: --public-url https://hub.example.com\n");
        return 2;
    }
    struct account account = { .id = SLICE_NONE, .type = type, .settings = values, .public_url = url,
                               .hook_url = arena_printf(a, SLF "%s", SLA(url), type->hook.path ? type->hook.path : "") };
    struct fault f = { 0 };
    struct call c = { .a = a, .account = &account, .now_ms = time_now_ms(), .f = &f };
    slice made = type->manifest(&c);
    printf(SLF "\n", SLA(made));
    return made.p ? 0 : 1;
}
