/* storages.c - where attachments live. */
#include "api/audit.h"
#include "api/call.h"
#include "api/connectors.h"
#include "api/settings.h"
#include "api/tenants.h"
#include "hub/storage.h"
#include "hub/storage_set.h"

/* Of those made over the API; NULL: it is none. */
static const struct config_storage *own(const struct api *api, slice name)
{
    const struct config_storage *all;
    size_t n = settings_storages(api, &all);
    for (size_t i = 0; i < n; i++)
        if (slice_eq(all[i].name, name))
            return &all[i];
    return NULL;
}

/* At work: not one that was removed, whose files can still be read. NULL: there is none. */
static const struct storage *at_work(const struct hub *h, slice name)
{
    for (size_t i = 0; i < storages_count(h); i++)
        if (slice_eq(storages_at(h, i)->name, name))
            return storages_at(h, i);
    return NULL;
}

static void write_storage(struct api_call *c, struct jw *w, const struct storage *s)
{
    const struct config_storage *mine = own(c->api, s->name);
    jw_bool(w, "read_only", !mine);
    if (mine) {
        jw_open(w, "document", '{');
        storage_document(w, mine, DOC_SECRETS_HIDDEN);
        jw_close(w, '}');
    }
    jw_str(w, "name", s->name);
    jw_str(w, "type", slice_of(s->type->name));
    jw_str(w, "title", slice_of(s->type->title));
    jw_bool(w, "default", slice_eq(s->name, settings_default_storage(c->api)));
    jw_bool(w, "checked", s->checked || s == c->hub->storage);
    jw_bool(w, "works", !s->trouble.code);
    if (s->remark)
        jw_str(w, "remark", slice_of(s->remark));
    if (s->trouble.code)
        jw_str(w, "why", slice_of(s->trouble.text));
}

void api_storages_list(struct api_call *c)
{
    struct api_page page;
    if (!api_page(c, &page, 0))
        return;
    struct jw w = api_json(c);
    jw_open(&w, "items", '[');
    for (size_t i = 0; i < storages_count(c->hub); i++) {
        if (!api_page_has(&page, storages_at(c->hub, i)->name, true))
            continue;
        jw_open(&w, NULL, '{');
        write_storage(c, &w, storages_at(c->hub, i));
        jw_close(&w, '}');
    }
    jw_close(&w, ']');
    if (!api_page_end(&page, &w))
        return;
    jw_open(&w, "types", '[');
    for (size_t i = 0; i < n_storage_types; i++) {
        jw_open(&w, NULL, '{');
        jw_str(&w, "name", slice_of(storage_types[i]->name));
        jw_str(&w, "title", slice_of(storage_types[i]->title));
        settings_schema(&w, "schema", storage_types[i]->settings, storage_types[i]->n_settings, NULL, SETTINGS_FORM);
        jw_close(&w, '}');
    }
    jw_close(&w, ']');
    api_answer(c, &w);
}

/* ---- one of them ----------------------------------------------------------------------------------------------------- */

static void answer(struct api_call *c, slice name)
{
    const struct storage *s = at_work(c->hub, name);
    if (!s) {
        api_not_found(c, "storage", name);
        return;
    }
    if (own(c->api, name)) /* its revision is that of the settings it is part of; no 304 for it: how it stands has none */
        api_header(c, "ETag", arena_printf(c->a, "\"%lld\"", (long long)settings_rev(c->api)));
    struct jw w = api_json(c);
    write_storage(c, &w, s);
    api_answer(c, &w);
}

void api_storages_get(struct api_call *c)
{
    answer(c, c->params[0]);
}

struct change {
    struct api_call *c;
    struct config_problems problems;
    slice name;
    const char *action;
    size_t at; /* of the one that is changed, in the list of all */
};

static void changed(void *arg, const struct fault *f)
{
    struct change *ch = arg;
    struct api_call *c = ch->c;
    slice prefix = arena_printf(c->a, "storages[%zu].", ch->at);
    for (size_t i = 0; i < ch->problems.n; i++) /* the caller sent one document, not the list */
        if (slice_starts(ch->problems.items[i].path, prefix))
            ch->problems.items[i].path = slice_from(ch->problems.items[i].path, prefix.n);
    if (f && strcmp(f->code, "in_use") == 0) {
        api_problem(c, 409, "in_use", NULL, SLF, SLA(ch->problems.items[0].text));
        return;
    }
    if (f) {
        tenant_fault(c, &ch->problems, f);
        return;
    }
    audit_note(c, ch->action, ch->name, SLICE_NONE);
    if (c->op->status == 204) {
        api_empty(c);
        return;
    }
    if (c->op->status == 201)
        api_header(c, "Location", arena_printf(c->a, "/api/v1/storages/" SLF, SLA(ch->name)));
    answer(c, ch->name);
}

/* The list with doc in the place of the one of this name (absent: behind the last); doc NULL: without it. */
static void change(struct api_call *c, slice name, const struct js *doc, const char *action)
{
    const struct config_storage *all;
    size_t n = settings_storages(c->api, &all), at = n;
    struct fault f;
    struct jw w = jw_new(c->a, TENANT_DOC_MAX);
    jw_open(&w, NULL, '{');
    jw_open(&w, "storages", '[');
    for (size_t i = 0; i < n; i++) {
        if (slice_eq(all[i].name, name)) {
            at = i;
            if (doc)
                jw_value(&w, NULL, doc);
            continue;
        }
        jw_open(&w, NULL, '{');
        storage_document(&w, &all[i], DOC_SECRETS_HIDDEN);
        jw_close(&w, '}');
    }
    if (doc && at == n)
        jw_value(&w, NULL, doc);
    jw_close(&w, ']');
    jw_close(&w, '}');
    struct change *ch = ARENA_NEW(c->a, struct change);
    *ch = (struct change){ c, { .a = c->a }, name, action, at };
    settings_change(c, js_parse(c->a, jw_done(&w), &f), &ch->problems, changed, ch);
}

void api_storages_create(struct api_call *c)
{
    slice name = js_text(js_get(c->body, SL("name")));
    if (name.n && own(c->api, name)) {
        api_problem(c, 409, "conflict", "name", "there is a storage of this name");
        return;
    }
    change(c, name, c->body, "storage.create");
}

/* False: answered. */
static bool may_change(struct api_call *c)
{
    slice name = c->params[0];
    int64_t rev;
    if (own(c->api, name)) {
        if (!api_if_match(c, &rev))
            return false;
        if (rev < 0 || rev == settings_rev(c->api))
            return true;
        api_problem(c, 412, "changed", NULL, "the settings were changed meanwhile (they are at revision %lld): read it again", (long long)settings_rev(c->api));
    } else if (at_work(c->hub, name))
        api_problem(c, 409, "read_only", NULL, "this storage stands in the configuration file, or is the local disk: change it there and restart the hub");
    else
        api_not_found(c, "storage", name);
    return false;
}

void api_storages_put(struct api_call *c)
{
    slice name = js_text(js_get(c->body, SL("name")));
    if (!may_change(c))
        return;
    if (name.n && !slice_eq(name, c->params[0]))
        api_problem(c, 400, "invalid", "name", "a storage keeps its name: attachments are known by it");
    else
        change(c, c->params[0], c->body, "storage.change");
}

void api_storages_delete(struct api_call *c)
{
    if (may_change(c))
        change(c, c->params[0], NULL, "storage.delete");
}
