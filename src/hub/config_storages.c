#include "hub/config_reader.h"

bool reader_storage_is_there(const struct config *c, slice name)
{
    for (size_t i = 0; i < c->n_storages; i++)
        if (slice_eq(c->storages[i].name, name))
            return true;
    return slice_eq(name, SL(STORAGE_LOCAL));
}

slice reader_storage_named(struct config_reader *r, const struct yaml *map, slice path)
{
    slice name = reader_word(r, map, SL("storage"), path, false);
    if (name.p && !reader_storage_is_there(r->c, name))
        reader_problem(r, yaml_get(map, SL("storage")), reader_path(r, path, SL("storage")), "there is no storage of this name");
    return name;
}

static void read_storage(struct config_reader *r, const struct yaml *map, slice path, struct config_storage *st)
{
    static const char *const known[] = { "type", "name", "purge_delay_seconds", NULL };
    const struct setting *delay = &config_settings[CFG_PURGE_DELAY];
    if (map->kind != YAML_MAP) {
        reader_problem(r, map, path, "must be a group of settings with a name and a type");
        return;
    }
    slice name = reader_word(r, map, SL("name"), path, true), type = reader_word(r, map, SL("type"), path, true);
    if (name.p && !reader_name_ok(name))
        reader_problem(r, yaml_get(map, SL("name")), reader_path(r, path, SL("name")), READER_NAME_RULE, CONFIG_NAME_MAX);
    else if (name.p && reader_storage_is_there(r->c, name))
        reader_problem(r, yaml_get(map, SL("name")), reader_path(r, path, SL("name")), "another storage has this name");
    if (!type.p)
        return;
    st->type = storage_type_find(type);
    if (!st->type) {
        reader_problem(r, yaml_get(map, SL("type")), reader_path(r, path, SL("type")), "there is no kind of storage of this name");
        return;
    }
    slice *values = ARENA_ARRAY(r->a, slice, MAX(st->type->n_settings, (size_t)1));
    struct reader_table t = { st->type->settings, st->type->n_settings, known, values };
    size_t problems_before = r->p->n + r->p->more;
    reader_members(r, &t, map, SLICE_NONE, path);
    reader_complete(r, &t, map, path);
    slice seconds = r->c->values[CFG_PURGE_DELAY];
    const struct yaml *own = yaml_get(map, slice_of(delay->name));
    if (own)
        reader_setting(r, delay, own, reader_path(r, path, slice_of(delay->name)), &seconds);
    if (!slice_int(seconds, &st->purge_ms))
        st->purge_ms = 0; /* a problem was reported */
    st->purge_ms *= 1000;
    st->settings = values;
    struct fault f = { 0 };
    if (r->p->n + r->p->more == problems_before && st->type->check && !st->type->check(values, &f)) {
        const struct yaml *at = reader_find(map, slice_of(f.field));
        reader_problem(r, at ? at : map, f.field[0] ? reader_path(r, path, slice_of(f.field)) : path, "%s", f.text);
    }
    st->name = name;
}

/* Behind those that are there already, for which there is room. */
static void read_storage_list(struct config_reader *r, const struct yaml *list)
{
    struct config *c = r->c;
    size_t i = 0;
    for (const struct yaml *v = list ? list->first : NULL; v; v = v->next) {
        read_storage(r, v, arena_printf(r->a, "storages[%zu]", i++), &c->storages[c->n_storages]);
        c->n_storages++;
    }
}

const struct config_storage *config_storages_read(struct arena *a, const struct yaml *list, const struct config *of, size_t *ret_n,
                                                  struct config_problems *p)
{
    struct config_reader r = { .a = a, .c = ARENA_NEW(a, struct config), .p = p };
    size_t before = p->n + p->more, n = list && list->kind == YAML_LIST ? list->n : 0;
    r.c->values[CFG_PURGE_DELAY] = of->values[CFG_PURGE_DELAY];
    r.c->storages = ARENA_ARRAY(a, struct config_storage, of->n_storages + n + 1);
    for (; r.c->n_storages < of->n_storages; r.c->n_storages++)
        r.c->storages[r.c->n_storages] = of->storages[r.c->n_storages];
    if (n + of->n_storages > CONFIG_STORAGES_MAX)
        reader_problem(&r, list, SL("storages"), "must be a list of at most %zu storages", (size_t)CONFIG_STORAGES_MAX - of->n_storages);
    else
        read_storage_list(&r, n ? list : NULL);
    *ret_n = r.c->n_storages - of->n_storages;
    return p->n + p->more == before ? r.c->storages + of->n_storages : NULL;
}

void reader_storages(struct config_reader *r, const struct yaml *root)
{
    const struct yaml *list = yaml_get(root, SL("storages"));
    struct config *c = r->c;
    if (list && list->kind != YAML_NULL && (list->kind != YAML_LIST || list->n > CONFIG_STORAGES_MAX)) {
        reader_problem(r, list, SL("storages"), "must be a list of at most %d storages", CONFIG_STORAGES_MAX);
        return;
    }
    c->storages = ARENA_ARRAY(r->a, struct config_storage, (list ? list->n : 0) + 1);
    read_storage_list(r, list);
    if (!reader_storage_is_there(c, c->values[CFG_STORAGE]))
        reader_problem(r, yaml_get(root, SL("default_storage")), SL("default_storage"), "there is no storage of this name");
}
