/* storages.c - where attachments live. */
#include "api/call.h"
#include "api/connectors.h"
#include "hub/storage.h"
#include "hub/storage_set.h"

static void write_storage(struct api_call *c, struct jw *w, const struct storage *s)
{
    jw_str(w, "name", s->name);
    jw_str(w, "type", slice_of(s->type->name));
    jw_str(w, "title", slice_of(s->type->title));
    jw_bool(w, "default", slice_eq(s->name, slice_or(c->api->setup.default_storage, SL(STORAGE_LOCAL))));
    jw_bool(w, "checked", s->checked || s == c->hub->storage);
    jw_bool(w, "works", !s->trouble.code);
    if (s->trouble.code)
        jw_str(w, "why", slice_of(s->trouble.text));
}

void api_storages_list(struct api_call *c)
{
    struct jw w = api_json(c);
    jw_open(&w, "items", '[');
    for (size_t i = 0; i < storages_count(c->hub); i++) {
        jw_open(&w, NULL, '{');
        write_storage(c, &w, storages_at(c->hub, i));
        jw_close(&w, '}');
    }
    jw_close(&w, ']');
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
