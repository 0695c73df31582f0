/* dropbox_link.c - shared links, which people open, and temporary ones. */
#include "sim/dropbox.h"
#include "wire/mime.h"
#include "wire/url.h"

static slice name_of(const struct sdrop_file *f)
{
    return slice_of(strrchr(f->path, '/') + 1);
}

static void link_json(struct jw *w, const struct sdrop *d, const struct sdrop_file *f)
{
    CLEANUP(arena_freep) struct arena *a = arena_new();
    jw_open(w, NULL, '{');
    jw_str(w, ".tag", SL("file"));
    jw_str(w, "url", arena_printf(a, SLF "/scl/fi/%s/" SLF "?rlkey=%s&dl=0", SLA(d->env->base_url), f->key, SLA(url_encode(a, name_of(f))), f->rlkey));
    jw_str(w, "id", slice_of(f->id));
    jw_str(w, "name", name_of(f));
    jw_str(w, "rev", slice_of(f->rev));
    jw_int(w, "size", (int64_t)f->n);
    jw_time(w, "client_modified", f->at_ms);
    jw_time(w, "server_modified", f->at_ms);
    jw_raw(w, "link_permissions", d->no_public ? SL("{\"resolved_visibility\":{\".tag\":\"team_only\"},\"can_revoke\":true,\"visibility_policies\":[]}")
                                               : SL("{\"resolved_visibility\":{\".tag\":\"public\"},\"can_revoke\":true,\"visibility_policies\":[]}"));
    jw_close(w, '}');
}

/* The file of the argument; NULL: answered. */
static struct sdrop_file *wanted(struct sim_call *c, struct sdrop *d, bool sharing, const char *missing)
{
    if (!sdrop_may(d, c, sharing))
        return NULL;
    slice path = js_text(js_at(js_parse(c->x->a, c->x->body, NULL), "path"));
    struct sdrop_file *f = sdrop_find(d, path);
    if (!f)
        sdrop_tags(c, 409, missing);
    return f;
}

static void share(struct sim_call *c, void *ctx)
{
    struct sdrop *d = ctx;
    struct arena *a = c->x->a;
    struct sdrop_file *f = wanted(c, d, true, "path/not_found");
    if (!f)
        return;
    struct jw w = jw_new(a, SDROP_JSON_MAX);
    if (f->key[0]) {
        link_json(&w, d, f);
        sdrop_error(c, 409, "shared_link_already_exists",
                    d->bare ? SL("{\".tag\":\"shared_link_already_exists\"}")
                            : arena_printf(a, "{\".tag\":\"shared_link_already_exists\",\"shared_link_already_exists\":{\".tag\":\"metadata\",\"metadata\":" SLF "}}", SLA(jw_done(&w))));
        return;
    }
    memcpy(f->key, sim_random_hex(&d->env->random, a, 24).p, 24);
    memcpy(f->rlkey, sim_random_hex(&d->env->random, a, 24).p, 24);
    d->links_made++;
    link_json(&w, d, f);
    sim_json(c, 200, jw_done(&w));
}

static void list_links(struct sim_call *c, void *ctx)
{
    struct sdrop *d = ctx;
    struct sdrop_file *f = wanted(c, d, false, "path/not_found");
    if (!f)
        return;
    struct jw w = jw_new(c->x->a, SDROP_JSON_MAX);
    jw_open(&w, NULL, '{');
    jw_open(&w, "links", '[');
    if (f->key[0])
        link_json(&w, d, f);
    jw_close(&w, ']');
    jw_bool(&w, "has_more", false);
    jw_close(&w, '}');
    sim_json(c, 200, jw_done(&w));
}

static struct sdrop_file *shared_at(struct sdrop *d, slice key)
{
    struct sdrop_file *f = d->files;
    while (f && (!f->key[0] || !slice_eq(slice_of(f->key), key)))
        f = f->next;
    return f;
}

static void revoke(struct sim_call *c, void *ctx)
{
    struct sdrop *d = ctx;
    if (!sdrop_may(d, c, true))
        return;
    slice link = js_text(js_at(js_parse(c->x->a, c->x->body, NULL), "url"));
    size_t at = slice_find(link, SL("/scl/fi/"));
    slice rest = at == SIZE_MAX ? SLICE_NONE : slice_from(link, at + 8);
    struct sdrop_file *f = shared_at(d, slice_cut(&rest, '/'));
    if (!f) {
        sdrop_tags(c, 409, "shared_link_not_found");
        return;
    }
    f->key[0] = 0;
    sim_json(c, 200, SL("null"));
}

static void temporary(struct sim_call *c, void *ctx)
{
    struct sdrop *d = ctx;
    struct arena *a = c->x->a;
    struct sdrop_file *f = wanted(c, d, false, "path/not_found");
    if (!f)
        return;
    slice key = sim_random_hex(&d->env->random, a, 48);
    size_t n = strlen(f->id) + 1;
    char *id = must_malloc(n);
    memcpy(id, f->id, n);
    shelf_put(d->temporary, key, id, time_now_ms());
    struct jw w = jw_new(a, SDROP_JSON_MAX);
    jw_open(&w, NULL, '{');
    sdrop_file_json(&w, "metadata", f, NULL);
    jw_str(&w, "link", arena_printf(a, SLF "/cd/0/get/" SLF "/file", SLA(d->env->base_url), SLA(key)));
    jw_close(&w, '}');
    sim_json(c, 200, jw_done(&w));
}

/* ---- what people open ------------------------------------------------------------------------------------------------------------------- */

static void open_shared(struct sim_call *c, void *ctx)
{
    struct sdrop *d = ctx;
    const struct sdrop_file *f = shared_at(d, c->params[0]);
    bool raw = slice_eq(exchange_query(c->x, "raw"), SL("1")), dl = slice_eq(exchange_query(c->x, "dl"), SL("1"));
    if (!f || !slice_eq(slice_of(f->rlkey), exchange_query(c->x, "rlkey")) || d->no_public) {
        sim_answer(c, 404, SL("text/html"), SL("<!doctype html><title>Dropbox</title><p>That file isn't here any more."));
    } else if (!raw && !dl) {
        sim_answer(c, 200, SL("text/html"), SL("<!doctype html><title>Dropbox</title><p>Sign up to see this file."));
    } else {
        sim_header(c, "Location", arena_printf(c->x->a, SLF "/cd/0/%s/%s/file", SLA(d->env->base_url), raw ? "inline" : "attachment", f->key));
        sim_answer(c, 302, SLICE_NONE, SLICE_NONE);
    }
}

static void send_as(struct sim_call *c, const struct sdrop_file *f, const char *how)
{
    slice name = name_of(f);
    slice type = mime_of_name(name);
    if (!type.n || !mime_inline_safe(type)) /* "HTML is not rendered" */
        type = SL("application/octet-stream");
    sim_header(c, "Content-Disposition", arena_printf(c->x->a, "%s; filename*=UTF-8''" SLF, how, SLA(url_encode(c->x->a, name))));
    sdrop_send_file(c, f, 200, type);
}

static void open_direct(struct sim_call *c, void *ctx)
{
    struct sdrop *d = ctx;
    const struct sdrop_file *f = shared_at(d, c->params[1]);
    if (f)
        send_as(c, f, slice_eq(c->params[0], SL("inline")) ? "inline" : "attachment");
    else
        sim_answer(c, 404, SLICE_NONE, SLICE_NONE);
}

static void open_temporary(struct sim_call *c, void *ctx)
{
    struct sdrop *d = ctx;
    const char *id = shelf_get(d->temporary, c->params[0]);
    const struct sdrop_file *f = id && !d->late ? sdrop_find(d, slice_of(id)) : NULL;
    if (f)
        send_as(c, f, "attachment");
    else
        sim_answer(c, 410, SL("text/plain"), SL("This link has expired."));
}

/* clang-format off */
static const struct sim_route link_routes[] = {
    { "POST", "/2/sharing/create_shared_link_with_settings", share,          0 },
    { "POST", "/2/sharing/list_shared_links",                list_links,     0 },
    { "POST", "/2/sharing/revoke_shared_link",               revoke,         0 },
    { "POST", "/2/files/get_temporary_link",                 temporary,      0 },
    { "GET",  "/scl/fi/:key/:name",                          open_shared,    0 },
    { "HEAD", "/scl/fi/:key/:name",                          open_shared,    0 },
    { "GET",  "/cd/0/get/:key/file",                         open_temporary, 0 },
    { "HEAD", "/cd/0/get/:key/file",                         open_temporary, 0 },
    { "GET",  "/cd/0/:how/:key/file",                        open_direct,    0 },
    { "HEAD", "/cd/0/:how/:key/file",                        open_direct,    0 },
};
/* clang-format on */

void sdrop_link_routes(struct sdrop *d)
{
    sim_routes(d->env, link_routes, COUNT(link_routes), d, NULL);
}
