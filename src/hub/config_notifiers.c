#include "hub/config_reader.h"

static void read_topic(struct config_reader *r, const struct yaml *v, slice path, struct notice_target *t)
{
    if (v->kind == YAML_SCALAR)
        for (size_t i = 0; i < NOTICE_TOPICS; i++)
            if (slice_eq(v->text, slice_of(notice_topics[i]))) {
                t->topics[i] = true;
                return;
            }
    reader_problem(r, v, path, "must be Default or Subscriptions");
}

static void read_topics(struct config_reader *r, const struct yaml *v, slice path, struct notice_target *t)
{
    size_t i = 0;
    if (!v || v->kind == YAML_NULL)
        t->topics[NOTICE_DEFAULT] = true;
    else if (v->kind != YAML_LIST)
        read_topic(r, v, path, t);
    else if (v->n == 0)
        reader_problem(r, v, path, "must name a topic: Default, Subscriptions or both");
    else
        for (const struct yaml *m = v->first; m; m = m->next)
            read_topic(r, m, arena_printf(r->a, SLF "[%zu]", SLA(path), i++), t);
}

static bool notifier_is_taken(const struct config *c, slice name)
{
    for (size_t i = 0; i < c->n_notifiers; i++)
        if (slice_eq(c->notifiers[i].name, name))
            return true;
    return false;
}

static void read_notifier_name(struct config_reader *r, const struct yaml *map, slice path, struct notice_target *t)
{
    slice given = reader_word(r, map, SL("name"), path, false);
    t->name = slice_or(given, slice_of(t->type->name));
    for (int i = 2; !given.p && notifier_is_taken(r->c, t->name); i++)
        t->name = arena_printf(r->a, "%s-%d", t->type->name, i);
    if (given.p && !reader_name_ok(given))
        reader_problem(r, yaml_get(map, SL("name")), reader_path(r, path, SL("name")), READER_NAME_RULE, CONFIG_NAME_MAX);
    else if (given.p && notifier_is_taken(r->c, given))
        reader_problem(r, yaml_get(map, SL("name")), reader_path(r, path, SL("name")), "another notifier has this name");
}

static void read_notifier(struct config_reader *r, const struct yaml *map, slice path, struct notice_target *t)
{
    static const char *const known[] = { "type", "name", "topics", NULL };
    if (map->kind != YAML_MAP) {
        reader_problem(r, map, path, "must be a group of settings with a type");
        return;
    }
    slice type = reader_word(r, map, SL("type"), path, true);
    t->type = type.p ? notifier_find(type) : NULL;
    if (type.p && !t->type)
        reader_problem(r, yaml_get(map, SL("type")), reader_path(r, path, SL("type")), "there is no notifier of this type: slack, discord, pagerduty and genesys-cloud are");
    if (!t->type)
        return;
    slice *values = ARENA_ARRAY(r->a, slice, MAX(t->type->n_settings, (size_t)1));
    struct reader_table table = { t->type->settings, t->type->n_settings, known, values };
    size_t problems_before = r->p->n + r->p->more;
    reader_members(r, &table, map, SLICE_NONE, path);
    reader_complete(r, &table, map, path);
    t->settings = values;
    read_notifier_name(r, map, path, t);
    read_topics(r, yaml_get(map, SL("topics")), reader_path(r, path, SL("topics")), t);
    struct fault f = { 0 };
    struct notice_call call = { .a = r->a, .settings = values, .f = &f };
    if (t->type->check && r->p->n + r->p->more == problems_before && !t->type->check(&call)) {
        const struct yaml *at = yaml_get(map, slice_of(f.field));
        reader_problem(r, at ? at : map, reader_path(r, path, slice_of(f.field)), "%s", f.text);
    }
}

/* Behind those that are there already. */
static void read_notifier_list(struct config_reader *r, const struct yaml *list)
{
    size_t room = NOTICE_TARGETS_MAX - r->c->n_notifiers, i = 0;
    if (!list || list->kind == YAML_NULL)
        return;
    if (list->kind != YAML_LIST || list->n > room) {
        reader_problem(r, list, SL("notifiers"), "must be a list of at most %zu notifiers", room);
        return;
    }
    for (const struct yaml *v = list->first; v; v = v->next) {
        struct notice_target t = { 0 };
        read_notifier(r, v, arena_printf(r->a, "notifiers[%zu]", i++), &t);
        r->c->notifiers[r->c->n_notifiers++] = t;
    }
}

void reader_notifiers(struct config_reader *r, const struct yaml *root)
{
    r->c->notifiers = ARENA_ARRAY(r->a, struct notice_target, NOTICE_TARGETS_MAX);
    read_notifier_list(r, yaml_get(root, SL("notifiers")));
}

const struct notice_target *config_notifiers_read(struct arena *a, const struct yaml *list, const struct notice_target *taken, size_t n_taken,
                                                  size_t *ret_n, struct config_problems *p)
{
    struct config_reader r = { .a = a, .c = ARENA_NEW(a, struct config), .p = p };
    size_t before = p->n + p->more;
    assert(n_taken <= NOTICE_TARGETS_MAX);
    r.c->notifiers = ARENA_ARRAY(a, struct notice_target, NOTICE_TARGETS_MAX);
    for (; r.c->n_notifiers < n_taken; r.c->n_notifiers++)
        r.c->notifiers[r.c->n_notifiers] = taken[r.c->n_notifiers];
    read_notifier_list(&r, list);
    *ret_n = r.c->n_notifiers - n_taken;
    return p->n + p->more == before ? r.c->notifiers + n_taken : NULL;
}
