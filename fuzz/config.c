/* The configuration file from any bytes: never a crash, a problem or a configuration, problems have a place, values are in bounds. */
#include "hub/config.h"
#include "hub/yaml_tree.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const kinds[] = { "one", "two", NULL };
static const struct setting rows[] = {
    { .name = "id", .label = "", .type = SETTING_TEXT, .required = true, .max = 30 },
    { .name = "url", .label = "", .type = SETTING_URL },
    { .name = "deep.number", .label = "", .type = SETTING_NUMBER, .min = 1, .max = 99 },
    { .name = "deep.on", .label = "", .type = SETTING_BOOL, .otherwise = "true" },
    { .name = "kind", .label = "", .type = SETTING_CHOICE, .choices = kinds },
    { .name = "pairs", .label = "", .type = SETTING_PAIRS },
};
static const struct connector network = { .name = "net", .title = "Net", .settings = rows, .n_settings = COUNT(rows) };
static const struct connector desk = { .name = "desk", .title = "Desk", .desk = true, .settings = rows, .n_settings = COUNT(rows) };

static const struct connector *find(slice name)
{
    return slice_eq(name, SL("net")) ? &network : slice_eq(name, SL("desk")) ? &desk : NULL;
}
static const struct storage_type shed = { .name = "shed", .title = "Shed", .settings = rows, .n_settings = COUNT(rows) };
const struct language *language_find(slice name)
{
    (void)name;
    return NULL;
}
const struct storage_type *storage_type_find(slice name)
{
    return slice_eq(name, SL("shed")) ? &shed : NULL;
}
static char *env(const char *name)
{
    static char value[] = "value";
    return strcmp(name, "SET") == 0 ? value : NULL;
}

static void check_account(const struct account *acc)
{
    int64_t number;
    assert(acc->type && acc->id.n && acc->name.n && acc->settings[0].n && acc->settings[0].n <= 30);
    assert(!acc->settings[2].p || (slice_int(acc->settings[2], &number) && number >= 1 && number <= 99));
    assert(slice_eq(acc->settings[3], SL("true")) || slice_eq(acc->settings[3], SL("false")));
    struct arena *a = arena_new();
    assert(!acc->settings[5].p || js_parse(a, acc->settings[5], NULL));
    arena_free(a);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena *a = arena_new();
    struct config_problems p = { .a = a };
    const struct config *c = config_read(a, SL("f"), slice_mem(data, size), env, NULL, 0, find, &p);
    assert((c == NULL) == (p.n > 0));
    for (size_t i = 0; i < p.n; i++)
        assert(p.items[i].line >= 0 && p.items[i].text.n > 0);
    for (size_t i = 0; c && i < c->n_storages; i++)
        assert(c->storages[i].type && c->storages[i].name.n && c->storages[i].settings[0].n && c->storages[i].purge_ms >= 0);
    for (size_t i = 0; c && i < c->n_tenants; i++) {
        check_account(c->tenants[i].desk);
        for (size_t k = 0; k < c->tenants[i].n_channels; k++)
            check_account(&c->tenants[i].channels[k]);
    }
    arena_free(a);
    return 0;
}
