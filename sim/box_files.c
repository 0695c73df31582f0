/* box_files.c - folders and files as the API sees them, their shared links, the trash, and what people download. */
#include "sim/box.h"
#include "wire/digest.h"
#include "wire/hex.h"
#include "wire/mime.h"
#include "wire/url.h"

char *sbox_copy(slice s)
{
    char *p = must_malloc(s.n + 1);
    memcpy(p, s.n ? s.p : "", s.n);
    p[s.n] = 0;
    return p;
}

void sbox_sha1(slice bytes, char ret[41])
{
    CLEANUP(arena_freep) struct arena *a = arena_new();
    CLEANUP(digest_freep) struct digest_stream *s = digest_new(DIGEST_SHA1);
    digest_update(s, bytes);
    struct digest d = digest_now(s);
    memcpy(ret, hex_encode(a, slice_mem(d.b, d.n)).p, 40);
    ret[40] = 0;
}

/* ---- what there is ---------------------------------------------------------------------------------------------------------------- */

static struct sbox_item *find(struct sbox *b, slice id, bool folder, bool trashed)
{
    struct sbox_item *f = b->items;
    while (f && !(f->folder == folder && f->trashed == trashed && slice_eq(slice_of(f->id), id)))
        f = f->next;
    return f;
}

struct sbox_item *sbox_find(struct sbox *b, slice id, bool folder)
{
    return find(b, id, folder, false);
}

struct sbox_item *sbox_named(struct sbox *b, slice parent, slice name)
{
    struct sbox_item *f = b->items;
    while (f && (f->trashed || !slice_eq(slice_of(f->parent), parent) || !slice_eq_nocase(slice_of(f->name), name)))
        f = f->next;
    return f;
}

static bool name_allowed(slice name)
{
    return name.n && name.n <= 255 && slice_find_char(name, '/') == SIZE_MAX && slice_find_char(name, '\\') == SIZE_MAX && slice_eq(slice_trim(name), name) &&
           !slice_eq(name, SL(".")) && !slice_eq(name, SL(".."));
}

bool sbox_name_good(struct sbox *b, struct sim_call *c, slice parent, slice name)
{
    const struct sbox_item *there = sbox_named(b, parent, name);
    if (!name_allowed(name))
        sbox_error(c, 400, "item_name_invalid", "Item name invalid");
    else if (!slice_eq(parent, SL("0")) && !sbox_find(b, parent, true))
        sbox_error(c, 404, "not_found", "Not Found");
    else if (there)
        sbox_conflict(c, there);
    else
        return true;
    return false;
}

struct sbox_item *sbox_new(struct sbox *b, slice parent, slice name, bool folder)
{
    struct sbox_item *f = must_calloc(1, sizeof(*f));
    f->name = sbox_copy(name);
    f->folder = folder;
    f->at_ms = time_now_ms();
    snprintf(f->id, sizeof(f->id), "%lld", (long long)b->next_id++);
    snprintf(f->parent, sizeof(f->parent), SLF, SLA(parent));
    f->next = b->items;
    b->items = f;
    return f;
}

void sbox_fill(struct sbox_item *f, char *bytes, size_t n)
{
    free(f->bytes);
    f->bytes = bytes;
    f->n = n;
    f->version++;
    sbox_sha1(slice_mem(bytes, n), f->sha1);
}

static void item_free(struct sbox_item *f)
{
    free(f->name);
    free(f->bytes);
    free(f);
}

static void drop(struct sbox *b, struct sbox_item *f)
{
    struct sbox_item **at = &b->items;
    while (*at != f)
        at = &(*at)->next;
    *at = f->next;
    item_free(f);
}

void sbox_items_free(struct sbox *b)
{
    while (b->items)
        drop(b, b->items);
}

/* ---- as JSON -------------------------------------------------------------------------------------------------------------------------- */

static void link_json(struct jw *w, const struct sbox *b, const struct sbox_item *f)
{
    CLEANUP(arena_freep) struct arena *a = arena_new();
    const char *dot = strrchr(f->name, '.');
    if (!f->key[0]) {
        jw_null(w, "shared_link");
        return;
    }
    jw_open(w, "shared_link", '{');
    jw_str(w, "url", arena_printf(a, SLF "/s/%s", SLA(b->env->base_url), f->key));
    if (b->no_open)
        jw_null(w, "download_url");
    else
        jw_str(w, "download_url", arena_printf(a, SLF "/shared/static/%s" SLF, SLA(b->env->base_url), f->key, SLA(url_encode(a, slice_of(dot ? dot : "")))));
    jw_null(w, "vanity_url");
    jw_null(w, "vanity_name");
    jw_str(w, "access", SL("open"));
    jw_str(w, "effective_access", b->no_open ? SL("company") : SL("open"));
    jw_str(w, "effective_permission", SL("can_download"));
    jw_null(w, "unshared_at");
    jw_bool(w, "is_password_enabled", false);
    jw_raw(w, "permissions", SL("{\"can_download\":true,\"can_preview\":true,\"can_edit\":false}"));
    jw_int(w, "download_count", 0);
    jw_int(w, "preview_count", 0);
    jw_close(w, '}');
}

void sbox_item_json(struct jw *w, const char *key, const struct sbox *b, const struct sbox_item *f)
{
    CLEANUP(arena_freep) struct arena *a = arena_new();
    jw_open(w, key, '{');
    jw_str(w, "type", f->folder ? SL("folder") : SL("file"));
    jw_str(w, "id", slice_of(f->id));
    jw_str(w, "sequence_id", SL("0"));
    jw_str(w, "etag", arena_printf(a, "%u", f->folder ? 0 : f->version - 1));
    jw_str(w, "name", slice_of(f->name));
    if (!f->folder) {
        jw_str(w, "sha1", slice_of(f->sha1));
        jw_raw(w, "file_version", arena_printf(a, "{\"type\":\"file_version\",\"id\":\"%s%u\",\"sha1\":\"%s\"}", f->id, f->version, f->sha1));
        link_json(w, b, f);
    }
    jw_int(w, "size", (int64_t)f->n);
    jw_time(w, "created_at", f->at_ms / 1000 * 1000);
    jw_time(w, "modified_at", f->at_ms / 1000 * 1000);
    jw_raw(w, "parent", arena_printf(a, "{\"type\":\"folder\",\"id\":\"%s\",\"sequence_id\":null,\"etag\":null,\"name\":\"All Files\"}", f->parent));
    jw_str(w, "item_status", f->trashed ? SL("trashed") : SL("active"));
    jw_close(w, '}');
}

void sbox_collection(struct sim_call *c, const struct sbox *b, const struct sbox_item *f)
{
    struct jw w = jw_new(c->x->a, SBOX_JSON_MAX);
    jw_open(&w, NULL, '{');
    jw_int(&w, "total_count", 1);
    jw_open(&w, "entries", '[');
    sbox_item_json(&w, NULL, b, f);
    jw_close(&w, ']');
    jw_close(&w, '}');
    sim_json(c, 201, jw_done(&w));
}

static void item_answer(struct sim_call *c, const struct sbox *b, int status, const struct sbox_item *f)
{
    struct jw w = jw_new(c->x->a, SBOX_JSON_MAX);
    sbox_item_json(&w, NULL, b, f);
    sim_json(c, status, jw_done(&w));
}

/* ---- folders ---------------------------------------------------------------------------------------------------------------------------- */

static void folder_post(struct sim_call *c, void *ctx)
{
    struct sbox *b = ctx;
    if (!sbox_may(b, c))
        return;
    const struct js *doc = js_parse(c->x->a, c->x->body, NULL);
    slice name = js_text(js_at(doc, "name")), parent = js_text(js_at(doc, "parent.id"));
    if (sbox_name_good(b, c, parent, name))
        item_answer(c, b, 201, sbox_new(b, parent, name, true));
}

static void folder_items(struct sim_call *c, void *ctx)
{
    struct sbox *b = ctx;
    struct jw w = jw_new(c->x->a, 4 << 20);
    size_t n = 0;
    if (!sbox_may(b, c))
        return;
    jw_open(&w, NULL, '{');
    jw_open(&w, "entries", '[');
    for (const struct sbox_item *f = b->items; f; f = f->next) {
        if (f->trashed || !slice_eq(slice_of(f->parent), c->params[0]))
            continue;
        sbox_item_json(&w, NULL, b, f);
        n++;
    }
    jw_close(&w, ']');
    jw_int(&w, "total_count", (int64_t)n);
    jw_int(&w, "offset", 0);
    jw_int(&w, "limit", 1000);
    jw_close(&w, '}');
    sim_json(c, 200, jw_done(&w));
}

/* With all that is in it; for good at once: nobody here looks for folders in the trash. */
static void folder_delete(struct sim_call *c, void *ctx)
{
    struct sbox *b = ctx;
    struct sbox_item *folder = sbox_may(b, c) ? sbox_find(b, c->params[0], true) : NULL;
    if (!folder) {
        if (!b->forbidden)
            sbox_error(c, 404, "not_found", "Not Found");
        return;
    }
    for (struct sbox_item *f = b->items, *next; f; f = next) {
        next = f->next;
        if (slice_eq(slice_of(f->parent), c->params[0]))
            drop(b, f);
    }
    drop(b, folder);
    sim_answer(c, 204, SLICE_NONE, SLICE_NONE);
}

/* ---- files --------------------------------------------------------------------------------------------------------------------------------- */

/* NULL: answered. */
static struct sbox_item *wanted(struct sbox *b, struct sim_call *c, bool trashed)
{
    if (!sbox_may(b, c))
        return NULL;
    struct sbox_item *f = find(b, c->params[0], false, trashed);
    if (!f)
        sbox_error(c, 404, trashed ? "not_trashed" : "not_found", "Not Found");
    return f;
}

static void file_get(struct sim_call *c, void *ctx)
{
    struct sbox_item *f = wanted(ctx, c, false);
    if (f)
        item_answer(c, ctx, 200, f);
}

static void file_put(struct sim_call *c, void *ctx)
{
    struct sbox *b = ctx;
    struct sbox_item *f = wanted(b, c, false);
    if (!f)
        return;
    const struct js *link = js_at(js_parse(c->x->a, c->x->body, NULL), "shared_link");
    if (js_is_null(link)) {
        f->key[0] = 0;
    } else if (js_is_object(link) && !f->key[0]) {
        memcpy(f->key, sim_random_hex(&b->env->random, c->x->a, 32).p, 32);
        b->links_made++;
    }
    item_answer(c, b, 200, f);
}

static void file_delete(struct sim_call *c, void *ctx)
{
    struct sbox_item *f = wanted(ctx, c, false);
    if (!f)
        return;
    f->trashed = true;
    sim_answer(c, 204, SLICE_NONE, SLICE_NONE);
}

static void trash_delete(struct sim_call *c, void *ctx)
{
    struct sbox *b = ctx;
    struct sbox_item *f = wanted(b, c, true);
    if (!f)
        return;
    if (b->retained) {
        sbox_error(c, 403, "forbidden_by_policy", "A retention policy keeps this file");
        return;
    }
    drop(b, f);
    sim_answer(c, 204, SLICE_NONE, SLICE_NONE);
}

static void preflight(struct sim_call *c, void *ctx)
{
    struct sbox *b = ctx;
    if (!sbox_may(b, c))
        return;
    const struct js *doc = js_parse(c->x->a, c->x->body, NULL);
    if (sbox_name_good(b, c, js_text(js_at(doc, "parent.id")), js_text(js_at(doc, "name"))))
        sim_json(c, 200, arena_printf(c->x->a, "{\"upload_token\":null,\"upload_url\":\"" SLF "/api/2.0/files/content\"}", SLA(b->env->base_url)));
}

/* ---- downloads -------------------------------------------------------------------------------------------------------------------------------- */

/* To a short-lived address elsewhere. */
static void redirect(struct sim_call *c, struct sbox *b, const struct sbox_item *f)
{
    slice key = sim_random_hex(&b->env->random, c->x->a, 48);
    shelf_put(b->downloads, key, sbox_copy(slice_of(f->id)), time_now_ms());
    sim_header(c, "Location", arena_printf(c->x->a, SLF "/d/1/" SLF "/download", SLA(b->env->base_url), SLA(key)));
    sim_answer(c, 302, SLICE_NONE, SLICE_NONE);
}

static void content_get(struct sim_call *c, void *ctx)
{
    const struct sbox_item *f = wanted(ctx, c, false);
    if (f)
        redirect(c, ctx, f);
}

static const struct sbox_item *shared_at(const struct sbox *b, slice key)
{
    const struct sbox_item *f = b->items;
    while (f && (f->trashed || !f->key[0] || !slice_eq(slice_of(f->key), key)))
        f = f->next;
    return b->no_open ? NULL : f;
}

static void shared_get(struct sim_call *c, void *ctx)
{
    struct sbox *b = ctx;
    slice key = c->params[0];
    const struct sbox_item *f = shared_at(b, slice_cut(&key, '.'));
    if (f)
        redirect(c, b, f);
    else
        sim_answer(c, 404, SL("text/html"), SL("<!doctype html><title>Box</title><p>This shared file or folder link has been removed or is unavailable to you."));
}

static void shared_page(struct sim_call *c, void *ctx)
{
    const struct sbox_item *f = shared_at(ctx, c->params[0]);
    sim_answer(c, f ? 200 : 404, SL("text/html"), f ? SL("<!doctype html><title>Box</title><p>A preview, for people.") : SL("<!doctype html><title>Box</title>"));
}

static void download(struct sim_call *c, void *ctx)
{
    struct sbox *b = ctx;
    struct arena *a = c->x->a;
    const char *id = shelf_get(b->downloads, c->params[0]);
    const struct sbox_item *f = id ? sbox_find(b, slice_of(id), false) : NULL;
    if (!f) {
        sim_answer(c, 404, SLICE_NONE, SLICE_NONE);
        return;
    }
    slice range = exchange_header(c->x, "Range"), rest = slice_from(range, 6), first = slice_cut(&rest, '-'), type = mime_of_name(slice_of(f->name));
    int64_t from = 0, to = (int64_t)f->n - 1;
    if (range.n && (!slice_starts(range, SL("bytes=")) || !slice_int(first, &from) || (rest.n && !slice_int(rest, &to)) || from > to || from >= (int64_t)f->n)) {
        sim_answer(c, 416, SL("text/plain"), SL("Requested range not satisfiable"));
        return;
    }
    to = MIN(to, (int64_t)f->n - 1);
    if (range.n)
        sim_header(c, "Content-Range", arena_printf(a, "bytes %lld-%lld/%zu", (long long)from, (long long)to, f->n));
    if (!type.n || !mime_inline_safe(type))
        type = SL("application/octet-stream");
    sim_header(c, "Content-Disposition", arena_printf(a, "attachment; filename*=UTF-8''" SLF, SLA(url_encode(a, slice_of(f->name)))));
    sim_answer(c, range.n ? 206 : 200, type, arena_dup(a, slice_mem(f->bytes + from, (size_t)(to - from + 1))));
}

/* clang-format off */
static const struct sim_route file_routes[] = {
    { "POST",    "/2.0/folders",           folder_post,   0 },
    { "GET",     "/2.0/folders/:id/items", folder_items,  0 },
    { "DELETE",  "/2.0/folders/:id",       folder_delete, 0 },
    { "OPTIONS", "/2.0/files/content",     preflight,     0 },
    { "GET",     "/2.0/files/:id",         file_get,      0 },
    { "PUT",     "/2.0/files/:id",         file_put,      0 },
    { "DELETE",  "/2.0/files/:id",         file_delete,   0 },
    { "DELETE",  "/2.0/files/:id/trash",   trash_delete,  0 },
    { "GET",     "/2.0/files/:id/content", content_get,   0 },
    { "GET",     "/shared/static/:key",    shared_get,    0 },
    { "HEAD",    "/shared/static/:key",    shared_get,    0 },
    { "GET",     "/s/:key",                shared_page,   0 },
    { "GET",     "/d/1/:key/download",     download,      0 },
    { "HEAD",    "/d/1/:key/download",     download,      0 },
};
/* clang-format on */

void sbox_files_routes(struct sbox *b)
{
    sim_routes(b->env, file_routes, COUNT(file_routes), b, NULL);
}
