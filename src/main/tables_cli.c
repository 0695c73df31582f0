/* tables_cli.c - the tables the program is made of, as Markdown: what docs/configuration.md and docs/operations.md show. */
#include "hub/notifier.h"
#include "base/metrics.h"
#include "main/commands.h"

static const char *type_text(struct arena *a, const struct setting *s)
{
    struct text t = text_new(a, 1000);
    switch (s->type) {
    case SETTING_TEXT: return s->secret ? "secret" : "text";
    case SETTING_URL: return "URL";
    case SETTING_BOOL: return "yes or no";
    case SETTING_PAIRS: return "names and values";
    case SETTING_NUMBER:
        if (!s->min && !s->max)
            return "number";
        text_add(&t, "%lld to %lld", (long long)s->min, (long long)s->max);
        break;
    case SETTING_CHOICE:
        for (const char *const *c = s->choices; *c; c++)
            text_add(&t, "%s%s", c == s->choices ? "" : ", ", *c);
        break;
    }
    return arena_cstr(a, text_slice(&t));
}

static void settings_table(struct arena *a, const char *section, const struct setting *rows, size_t n)
{
    printf("== %s\n| setting | | default | |\n|---|---|---|---|\n", section);
    for (size_t i = 0; i < n; i++)
        printf("| `%s` | %s | %s%s%s | %s |\n", rows[i].name, type_text(a, &rows[i]), rows[i].otherwise ? "`" : "",
               rows[i].otherwise  ? rows[i].otherwise
               : rows[i].required ? "*needed*"
                                  : "",
               rows[i].otherwise ? "`" : "", rows[i].help ? rows[i].help : rows[i].label);
}

static void metric_row(const char *name, const char *type, const char *labels, const char *help)
{
    printf("| `%s%s` | %s | %s | %s |\n", metric_prefix(name), name, type, labels, help);
}

int command_tables(void)
{
    CLEANUP(arena_freep) struct arena *a = arena_new();
    settings_table(a, "hub", config_settings, CFG_MAX);
    settings_table(a, "tenant", tenant_settings, TENANT_SETTINGS);
    settings_table(a, "commander", commander_settings, COMMANDER_SETTINGS);
    for (size_t i = 0; i < n_connectors; i++)
        settings_table(a, connectors[i]->name, connectors[i]->settings, connectors[i]->n_settings);
    for (size_t i = 0; i < n_notifiers; i++)
        settings_table(a, arena_printf(a, "notifier-%s", notifiers[i]->name).p, notifiers[i]->settings, notifiers[i]->n_settings);
    for (size_t i = 0; i < n_storage_types; i++)
        settings_table(a, storage_types[i]->name, storage_types[i]->settings, storage_types[i]->n_settings);
    printf("== metrics\n| metric | type | labels | |\n|---|---|---|---|\n");
#define COUNTER "counter"
#define GAUGE "gauge"
#define HISTOGRAM "histogram"
#define X(e, type, name, labels, help) metric_row(name, type, labels, help);
#include "base/counters.def"
#undef X
    return 0;
}
