#include "hub/config_reader.h"
#include "wire/uuid.h"

static const char *const api_auths[] = { "off", "none", "basic", NULL };
const struct setting tenant_settings[TENANT_SETTINGS] = {
    [TENANT_SUBSCRIPTION] = { "subscription", "Subscription", SETTING_TEXT, false, false, NULL, "Its number or name, for your own books", NULL, 1, 200 },
    [TENANT_STORAGE] = { "storage", "Storage", SETTING_TEXT, false, false, NULL,
                         "Where its attachments are kept: a name of storages, or local; default_storage when left out. desk and each channel may name another", NULL, 1, 64 },
    [TENANT_API_AUTH] = { "api.auth", "Authentication", SETTING_CHOICE, false, false, "off",
                          "Who may send messages in this tenant's name over the API: nobody, anybody who knows its id, or who has the user and password",
                          api_auths, 0, 0 },
    [TENANT_API_USER] = { "api.user", "User", SETTING_TEXT, false, false, NULL, "Of basic authentication", NULL, 1, 200 },
    [TENANT_API_PASSWORD] = { "api.password", "Password", SETTING_TEXT, false, true, NULL, "Of basic authentication", NULL, 8, 200 },
};

slice config_slug(struct arena *a, slice name)
{
    char *to = arena_alloc(a, CONFIG_NAME_MAX);
    size_t n = 0;
    for (size_t i = 0; i < name.n && n + 1 < CONFIG_NAME_MAX; i++) {
        char c = ascii_lower(name.p[i]);
        if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'))
            to[n++] = c;
        else if (n && to[n - 1] != '-')
            to[n++] = '-';
    }
    while (n && to[n - 1] == '-')
        n--;
    if (n)
        return (slice){ to, n };
    return arena_printf(a, "t-%016llx", (unsigned long long)slice_hash_fixed(SLICE_HASH_FIRST, name));
}

static void check_account(struct config_reader *r, const struct account *acc, const struct yaml *map, slice path)
{
    const struct connector *type = acc->type;
    if (!type->check)
        return;
    struct fault f = { 0 };
    struct memory *memory = memory_new();
    struct call call = { .a = r->a, .account = acc, .memory = memory, .now_ms = time_now_ms(), .f = &f };
    if (!type->check(&call)) {
        const struct yaml *at = reader_find(map, slice_of(f.field));
        reader_problem(r, at ? at : map, f.field[0] ? reader_path(r, path, slice_of(f.field)) : path, "%s", f.text);
    }
    memory_free(memory);
}

/* type and settings; the name and what is made of it come after all accounts of the tenant are known. */
static void read_account(struct config_reader *r, const struct yaml *map, slice path, bool desk, struct account *acc)
{
    static const char *const known[] = { "type", "name", "storage", "dedupe_hours", NULL };
    if (map->kind != YAML_MAP) {
        reader_problem(r, map, path, "must be a group of settings with a type");
        return;
    }
    slice type = reader_word(r, map, SL("type"), path, true);
    if (!type.p)
        return;
    acc->type = r->find(type);
    if (!acc->type) {
        reader_problem(r, yaml_get(map, SL("type")), reader_path(r, path, SL("type")), "there is no connector of this name");
        return;
    }
    if (acc->type->desk != desk) {
        reader_problem(r, yaml_get(map, SL("type")), reader_path(r, path, SL("type")), "%s is a %s: it belongs under %s", acc->type->title,
                acc->type->desk ? "desk" : "network", acc->type->desk ? "desk" : "channels");
        acc->type = NULL;
        return;
    }
    slice *values = ARENA_ARRAY(r->a, slice, MAX(acc->type->n_settings, (size_t)1));
    struct reader_table t = { acc->type->settings, acc->type->n_settings, known, values };
    size_t problems_before = r->p->n + r->p->more;
    reader_members(r, &t, map, SLICE_NONE, path);
    reader_complete(r, &t, map, path);
    acc->settings = values;
    acc->name = reader_word(r, map, SL("name"), path, false);
    acc->own_storage = reader_storage_named(r, map, path);
    const struct yaml *dedupe = yaml_get(map, slice_of(setting_dedupe.name));
    slice hours = SLICE_NONE;
    int64_t n_hours = 0;
    if (dedupe)
        reader_setting(r, &setting_dedupe, dedupe, reader_path(r, path, slice_of(setting_dedupe.name)), &hours);
    if (slice_int(hours, &n_hours))
        acc->dedupe_ms = n_hours * 3600000;
    if (acc->name.p && !reader_name_ok(acc->name)) {
        reader_problem(r, yaml_get(map, SL("name")), reader_path(r, path, SL("name")), READER_NAME_RULE, CONFIG_NAME_MAX);
    } else if (r->p->n + r->p->more == problems_before) {
        check_account(r, acc, map, path);
    }
}

static bool name_is_taken(const struct config_tenant *t, slice name)
{
    if (t->desk->name.p && slice_eq(t->desk->name, name))
        return true;
    for (size_t i = 0; i < t->n_channels; i++)
        if (t->channels[i].name.p && slice_eq(t->channels[i].name, name))
            return true;
    return false;
}

static slice free_name(struct config_reader *r, const struct config_tenant *t, slice type)
{
    slice name = type;
    for (int i = 2; name_is_taken(t, name); i++)
        name = arena_printf(r->a, SLF "-%d", SLA(type), i);
    return name;
}

static void finish_account(struct config_reader *r, const struct config_tenant *t, struct account *acc)
{
    acc->tenant = t->name;
    slice named = slice_or(acc->own_storage, t->values[TENANT_STORAGE]);
    acc->storage = slice_or(named, r->c->values[CFG_STORAGE]);
    acc->storage_is_default = !named.n;
    acc->id = arena_printf(r->a, SLF "/" SLF, SLA(t->slug), SLA(acc->name));
    acc->public_url = r->c->values[CFG_PUBLIC_URL];
    if (acc->type->hook.path)
        acc->hook_url = arena_printf(r->a, SLF "%s", SLA(acc->public_url), acc->type->hook.path);
}

static void read_channels(struct config_reader *r, struct config_tenant *t, const struct yaml *list, slice path)
{
    if (!list || list->kind != YAML_LIST || list->n == 0) {
        reader_problem(r, list, path, "must be a list with at least one channel");
        return;
    }
    t->channels = ARENA_ARRAY(r->a, struct account, list->n);
    for (const struct yaml *v = list->first; v; v = v->next) {
        slice at = arena_printf(r->a, SLF "[%zu]", SLA(path), t->n_channels);
        struct account acc = { 0 };
        read_account(r, v, at, false, &acc);
        if (acc.name.p && name_is_taken(t, acc.name)) {
            reader_problem(r, yaml_get(v, SL("name")), reader_path(r, at, SL("name")), "another account of this tenant has this name");
            acc.name = SLICE_NONE;
        }
        t->channels[t->n_channels++] = acc;
    }
    for (size_t i = 0; i < t->n_channels; i++) {
        struct account *acc = &t->channels[i];
        if (acc->type && !acc->name.p)
            acc->name = free_name(r, t, slice_of(acc->type->name));
        if (acc->type)
            finish_account(r, t, acc);
    }
}

/* The same at every start, so that other programs can keep it. */
static slice id_of_slug(struct arena *a, slice slug)
{
    return uuid_named(a, arena_printf(a, "dragoman tenant " SLF, SLA(slug)));
}

static void read_tenant_id(struct config_reader *r, const struct yaml *map, slice path, struct config_tenant *t)
{
    t->id = reader_word(r, map, SL("id"), path, false);
    if (!t->id.n)
        t->id = id_of_slug(r->a, t->slug);
    else if (!uuid_valid(t->id))
        reader_problem(r, yaml_get(map, SL("id")), reader_path(r, path, SL("id")), "must be a UUID, such as 259bb4e2-f7e5-4b06-9a51-c528f412404b");
    for (const struct config_tenant *other = r->c->tenants; other < t; other++)
        if (slice_eq(other->id, t->id))
            reader_problem(r, yaml_get(map, SL("id")), reader_path(r, path, SL("id")), "another tenant has this id");
}

static void read_tenant(struct config_reader *r, const struct yaml *map, slice path, struct config_tenant *t)
{
    static const char *const members[] = { "name", "id", "desk", "channels", "custom_data", "commander", NULL };
    t->desk = ARENA_NEW(r->a, struct account);
    if (map->kind != YAML_MAP) {
        reader_problem(r, map, path, "must be a group: name, desk, channels");
        return;
    }
    struct reader_table table = { tenant_settings, TENANT_SETTINGS, members, t->values };
    reader_members(r, &table, map, SLICE_NONE, path);
    reader_complete(r, &table, map, path);
    if (slice_eq(t->values[TENANT_API_AUTH], SL("basic")) && (!t->values[TENANT_API_USER].n || !t->values[TENANT_API_PASSWORD].n))
        reader_problem(r, map, reader_path(r, path, SL("api")), "basic authentication needs user and password");
    if (t->values[TENANT_STORAGE].n && !reader_storage_is_there(r->c, t->values[TENANT_STORAGE]))
        reader_problem(r, yaml_get(map, SL("storage")), reader_path(r, path, SL("storage")), "there is no storage of this name");
    t->name = reader_word(r, map, SL("name"), path, true);
    t->slug = r->slug.n ? r->slug : config_slug(r->a, t->name);
    read_tenant_id(r, map, path, t);
    for (const struct config_tenant *other = r->c->tenants; t->name.p && other < t; other++)
        if (slice_eq(other->slug, t->slug))
            reader_problem(r, yaml_get(map, SL("name")), reader_path(r, path, SL("name")),
                    "another tenant has this name, or one that differs only in signs and capitals");

    const struct yaml *desk = yaml_get(map, SL("desk"));
    if (!desk || desk->kind == YAML_NULL)
        reader_problem(r, desk ? desk : map, reader_path(r, path, SL("desk")), "is missing: a tenant needs a desk whose agents answer");
    else
        read_account(r, desk, reader_path(r, path, SL("desk")), true, t->desk);
    if (t->desk->type) {
        t->desk->name = slice_or(t->desk->name, slice_of(t->desk->type->name));
        finish_account(r, t, t->desk);
    }
    const struct yaml *channels = yaml_get(map, SL("channels"));
    if (!channels)
        reader_problem(r, map, reader_path(r, path, SL("channels")), "is missing: a list of channels");
    else
        read_channels(r, t, channels, reader_path(r, path, SL("channels")));
    reader_commander(r, yaml_get(map, SL("commander")), reader_path(r, path, SL("commander")), COMMANDER_SETTINGS, &t->commander);
    const struct yaml *custom = yaml_get(map, SL("custom_data"));
    if (custom && custom->kind != YAML_NULL)
        (void)reader_pairs(r, custom, reader_path(r, path, SL("custom_data")), &t->custom_data);
}

const struct config_tenant *config_tenant_read(struct arena *a, const struct yaml *doc, slice slug, slice public_url, const struct config *of,
                                               config_find find, struct config_problems *p)
{
    struct config_reader r = { .a = a, .find = find, .slug = slug, .c = ARENA_NEW(a, struct config), .p = p };
    struct config_tenant *t = ARENA_NEW(a, struct config_tenant);
    r.c->values[CFG_PUBLIC_URL] = public_url;
    r.c->values[CFG_STORAGE] = of ? of->values[CFG_STORAGE] : SL(STORAGE_LOCAL);
    r.c->storages = of ? of->storages : NULL;
    r.c->n_storages = of ? of->n_storages : 0;
    r.c->tenants = t;
    size_t before = p->n + p->more;
    read_tenant(&r, doc, SLICE_NONE, t);
    return p->n + p->more == before ? t : NULL;
}

static bool same_setting(const struct account *x, const struct account *y, const char *name)
{
    return slice_eq(account_setting(x, name), account_setting(y, name));
}

static bool clashes(const struct account *x, const struct account *y)
{
    const struct connector *type = x->type;
    return type && y->type == type && type->once && account_setting(x, type->once).n && same_setting(x, y, type->once) &&
           (!type->once_with || same_setting(x, y, type->once_with));
}

slice config_clash(struct arena *a, const struct config_tenant *t, size_t i, const struct config_tenant *with)
{
    if (i >= t->n_channels)
        return i == t->n_channels && with != t && clashes(t->desk, with->desk) ? arena_printf(a, "desk.%s", t->desk->type->once) : SLICE_NONE;
    for (size_t k = 0; k < (with == t ? i : with->n_channels); k++)
        if (clashes(&t->channels[i], &with->channels[k]))
            return arena_printf(a, "channels[%zu].%s", i, t->channels[i].type->once);
    return SLICE_NONE;
}

static void check_clashes(struct config_reader *r, const struct config_tenant *t, const struct yaml *map, slice path)
{
    const struct yaml *list = yaml_get(map, SL("channels")), *v = list && list->kind == YAML_LIST ? list->first : NULL;
    for (size_t i = 0; i < t->n_channels + CONFIG_DESKS; i++, v = v ? v->next : NULL)
        for (const struct config_tenant *with = r->c->tenants; with <= t; with++) {
            slice at = config_clash(r->a, t, i, with);
            if (!at.n)
                continue;
            const struct account *acc = i < t->n_channels ? &t->channels[i] : t->desk;
            reader_problem(r, yaml_get(v ? v : yaml_get(map, SL("desk")), slice_of(acc->type->once)), reader_path(r, path, at), CONFIG_CLASH);
            break;
        }
}

void reader_tenants(struct config_reader *r, const struct yaml *root)
{
    const struct yaml *list = yaml_get(root, SL("tenants"));
    if (!list || list->kind == YAML_NULL)
        return;
    if (list->kind != YAML_LIST || list->n > CONFIG_TENANTS_MAX) {
        reader_problem(r, list, SL("tenants"), "must be a list of at most %d tenants", CONFIG_TENANTS_MAX);
        return;
    }
    r->c->tenants = ARENA_ARRAY(r->a, struct config_tenant, MAX(list->n, (size_t)1));
    for (const struct yaml *v = list->first; v; v = v->next) {
        struct config_tenant *t = &r->c->tenants[r->c->n_tenants];
        slice path = arena_printf(r->a, "tenants[%zu]", r->c->n_tenants);
        read_tenant(r, v, path, t);
        check_clashes(r, t, v, path);
        r->c->n_tenants++;
    }
}
