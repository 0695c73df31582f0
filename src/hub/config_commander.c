/* commander: of the file and of each tenant: the prefix of commands, and the language behind them. */
#include "hub/config_reader.h"
#include "base/zone.h"
#include "hub/command_line.h"

const struct setting commander_settings[COMMANDER_SETTINGS] = {
    [COMMANDER_PREFIX] = { "prefix", "Commander Prefix", SETTING_TEXT, false, false, NULL,
                           "What a line of an agent or a bot begins with that is a command and not for the guest; tenants that say none have the default "
                           "commander's, and that is " COMMANDER_PREFIX_OTHERWISE " otherwise",
                           NULL, 1, COMMAND_PREFIX_BYTES },
    [COMMANDER_ZONE] = { "time_zone", "Time zone", SETTING_TEXT, false, false, NULL,
                         "Of times in commands, such as Asia/Tokyo or +09:00; tenants that say none have the default commander's, and that is UTC otherwise", NULL, 1, 64 },
    [COMMANDER_USE] = { "use", "Use Commander", SETTING_BOOL, false, false, "true", "Lines that begin with the prefix are commands; otherwise they go to the guest like all others",
                        NULL, 0, 0 },
    [COMMANDER_DEFAULT] = { "default", "Default Commander", SETTING_BOOL, false, false, "true", "The language of the default commander stands behind the commands, not one of the tenant's own",
                            NULL, 0, 0 },
};

static void check_language(struct config_reader *r, const struct config_commander *c, const struct yaml *map, slice path)
{
    const struct connector *type = &c->language->type;
    struct fault f = { 0 };
    if (!type->check)
        return;
    struct account acc = { .id = SL("commander"), .name = SL("commander"), .type = type, .settings = c->settings };
    struct memory *memory = memory_new();
    struct call call = { .a = r->a, .account = &acc, .memory = memory, .now_ms = time_now_ms(), .f = &f };
    if (!type->check(&call)) {
        const struct yaml *at = yaml_get(map, slice_of(f.field));
        reader_problem(r, at ? at : map, f.field[0] ? reader_path(r, path, slice_of(f.field)) : path, "%s", f.text);
    }
    memory_free(memory);
}

static void read_language(struct config_reader *r, const struct yaml *map, slice path, struct config_commander *ret)
{
    static const char *const known[] = { "type", NULL };
    if (!map || map->kind == YAML_NULL)
        return;
    if (map->kind != YAML_MAP) {
        reader_problem(r, map, path, "must be a group of settings with a type");
        return;
    }
    slice type = reader_word(r, map, SL("type"), path, true);
    const struct language *l = type.p ? language_find(type) : NULL;
    if (type.p && !l)
        reader_problem(r, yaml_get(map, SL("type")), reader_path(r, path, SL("type")), "there is no language of this name");
    if (!l)
        return;
    slice *values = ARENA_ARRAY(r->a, slice, l->type.n_settings + 1);
    struct reader_table t = { l->type.settings, l->type.n_settings, known, values };
    size_t problems_before = r->p->n + r->p->more;
    reader_members(r, &t, map, SLICE_NONE, path);
    reader_complete(r, &t, map, path);
    ret->language = l;
    ret->settings = values;
    if (r->p->n + r->p->more == problems_before)
        check_language(r, ret, map, path);
}

void reader_commander(struct config_reader *r, const struct yaml *map, slice path, size_t n, struct config_commander *ret)
{
    static const char *const known[] = { "language", NULL };
    static const struct yaml empty = { .kind = YAML_MAP };
    struct reader_table t = { commander_settings, n, known, ret->values };
    if (map && map->kind != YAML_MAP && map->kind != YAML_NULL) {
        reader_problem(r, map, path, "must be a group of settings");
        return;
    }
    if (!map || map->kind == YAML_NULL)
        map = &empty;
    reader_members(r, &t, map, SLICE_NONE, path);
    reader_complete(r, &t, map, path);
    slice prefix = ret->values[COMMANDER_PREFIX];
    if (prefix.n && !slice_eq(slice_trim(prefix), prefix))
        reader_problem(r, yaml_get(map, SL("prefix")), reader_path(r, path, SL("prefix")), "must not begin or end with a blank");
    slice zone = ret->values[COMMANDER_ZONE];
    if (zone.n && !zone_known(zone))
        reader_problem(r, yaml_get(map, SL("time_zone")), reader_path(r, path, SL("time_zone")), "there is no such zone: write it as Asia/Tokyo, +09:00 or UTC");
    read_language(r, yaml_get(map, SL("language")), reader_path(r, path, SL("language")), ret);
}

bool config_commander_read(struct arena *a, const struct yaml *map, struct config_commander *ret, struct config_problems *p)
{
    struct config_reader r = { .a = a, .c = ARENA_NEW(a, struct config), .p = p };
    size_t before = p->n + p->more;
    *ret = (struct config_commander){ 0 };
    reader_commander(&r, map, SL("commander"), COMMANDER_OF_ALL, ret);
    return p->n + p->more == before;
}
