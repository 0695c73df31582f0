/* languages.c - services that understand what agents write in their own words (hub/language.h), and the agent to import there. */
#include "api/call.h"
#include "api/connectors.h"
#include "hub/language.h"

void api_languages_list(struct api_call *c)
{
    struct jw w = api_json(c);
    jw_open(&w, "items", '[');
    for (size_t i = 0; i < n_languages; i++) {
        const struct connector *type = &languages[i]->type;
        jw_open(&w, NULL, '{');
        jw_str(&w, "name", slice_of(type->name));
        jw_str(&w, "title", slice_of(type->title));
        settings_schema(&w, "schema", type->settings, type->n_settings, NULL, SETTINGS_FORM);
        if (languages[i]->archive.make)
            jw_str(&w, "archive", slice_of(languages[i]->archive.name));
        else
            jw_null(&w, "archive");
        jw_close(&w, '}');
    }
    jw_close(&w, ']');
    api_answer(c, &w);
}

void api_languages_archive(struct api_call *c)
{
    const struct language *l = language_find(c->params[0]);
    if (!l || !l->archive.make) {
        api_not_found(c, "archive", c->params[0]);
        return;
    }
    slice zip = l->archive.make(c->a, slice_or(api_query(c, "language"), SL("en")));
    api_header(c, "Content-Disposition", arena_printf(c->a, "attachment; filename=\"%s\"", l->archive.name));
    api_header(c, "Cache-Control", SL("no-store"));
    exchange_answer(c->x, &(struct response){ .status = c->op->status, .type = SL("application/zip"), .body = zip, .headers = c->headers, .n_headers = c->n_headers });
}
