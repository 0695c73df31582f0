/* gcs.c - plays Google Cloud Storage: the JSON API (uploads of all three kinds, reads, deletes), tokens for a service account, and signed links.
 *
 *   dragoman sim gcs --listen 127.0.0.1:9004
 *
 * Set in the hub: service_account: what GET /sim/service-account shows; endpoint: http://127.0.0.1:9004; bucket: hub-attachments.
 *
 * Control API
 *   GET    /sim/service-account           the key file, made at the start; its token_uri is here
 *   GET    /sim/objects                   {"objects":[{"bucket","name","size","contentType",…}]}
 *   POST   /sim/state                     {"revoked":true}: the key is not accepted any more, nor what it got; {"forbidden":true}: it has no rights;
 *                                         {"uniform":true}: buckets take no ACLs; {"take":262144}: of the next chunk only so much is kept
 *   GET    /sim/counters                  {"objects","puts","chunks","tokens"}
 *   GET|POST|DELETE /sim/faults           faults.h
 */
#include "sim/gcs.h"
#include "wire/base64.h"
#include "wire/digest.h"
#include "wire/url.h"

/* clang-format off */
static const struct sim_option options[] = {
    { "bucket",       "NAME", "hub-attachments", "that exists; more can be made by the API" },
    { "project",      "NAME", "sim-project", "of the service account" },
    { "email",        "ADDRESS", "hub@sim-project.iam.gserviceaccount.com", "of the service account" },
    { "token-life-s", "S",    "3599", "of access tokens" },
    { "uniform",      NULL,   NULL,   "buckets have uniform access: every ACL is refused" },
};
/* clang-format on */

char *sgcs_copy(slice s)
{
    char *p = must_malloc(s.n + 1);
    memcpy(p, s.n ? s.p : "", s.n);
    p[s.n] = 0;
    return p;
}

/* ---- answers ------------------------------------------------------------------------------------------------------------------- */

void sgcs_error(struct sim_call *c, int status, const char *reason, const char *message)
{
    struct jw w = jw_new(c->x->a, 8192);
    jw_open(&w, NULL, '{');
    jw_open(&w, "error", '{');
    jw_int(&w, "code", status);
    jw_str(&w, "message", slice_of(message));
    jw_open(&w, "errors", '[');
    jw_open(&w, NULL, '{');
    jw_str(&w, "message", slice_of(message));
    jw_str(&w, "domain", SL("global"));
    jw_str(&w, "reason", slice_of(reason));
    jw_close(&w, '}');
    jw_close(&w, ']');
    jw_close(&w, '}');
    jw_close(&w, '}');
    sim_json(c, status, jw_done(&w));
}

void sgcs_refuse(struct sim_call *c, int status)
{
    static const struct {
        int status;
        const char *reason, *message;
    } rows[] = {
        { 401, "authError", "Invalid Credentials" },
        { 403, "forbidden", "The service account does not have storage.objects.create access to the Google Cloud Storage object." },
        { 404, "notFound", "The specified bucket does not exist." },
        { 429, "rateLimitExceeded", "The rate of requests is too high." },
        { 503, "backendError", "We encountered an internal error. Please try again." },
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        if (rows[i].status == status) {
            sgcs_error(c, status, rows[i].reason, rows[i].message);
            return;
        }
    }
    sgcs_error(c, status, status >= 500 ? "backendError" : "invalid", "Refused.");
}

static slice digest_text(struct arena *a, const struct sgcs_object *o, enum digest_kind kind)
{
    CLEANUP(digest_freep) struct digest_stream *s = digest_new(kind);
    digest_update(s, slice_mem(o->bytes, o->n));
    struct digest d = digest_now(s);
    return base64_encode(a, slice_mem(d.b, d.n));
}

void sgcs_object_json(struct jw *w, const struct sgcs *g, const struct sgcs_object *o)
{
    CLEANUP(arena_freep) struct arena *a = arena_new();
    slice encoded = url_encode(a, slice_of(o->name));
    jw_open(w, NULL, '{');
    jw_str(w, "kind", SL("storage#object"));
    jw_str(w, "id", arena_printf(a, "%s/%s/%lld", o->bucket, o->name, (long long)o->generation));
    jw_str(w, "selfLink", arena_printf(a, SLF "/storage/v1/b/%s/o/" SLF, SLA(g->env->base_url), o->bucket, SLA(encoded)));
    jw_str(w, "mediaLink", arena_printf(a, SLF "/download/storage/v1/b/%s/o/" SLF "?generation=%lld&alt=media", SLA(g->env->base_url), o->bucket,
                                        SLA(encoded), (long long)o->generation));
    jw_str(w, "name", slice_of(o->name));
    jw_str(w, "bucket", slice_of(o->bucket));
    jw_str(w, "generation", arena_printf(a, "%lld", (long long)o->generation));
    jw_str(w, "metageneration", SL("1"));
    jw_str(w, "contentType", slice_of(o->type));
    if (o->disposition)
        jw_str(w, "contentDisposition", slice_of(o->disposition));
    if (o->cache_control)
        jw_str(w, "cacheControl", slice_of(o->cache_control));
    jw_str(w, "storageClass", SL("STANDARD"));
    jw_str(w, "size", arena_printf(a, "%zu", o->n));
    jw_str(w, "md5Hash", digest_text(a, o, DIGEST_MD5));
    jw_str(w, "crc32c", digest_text(a, o, DIGEST_CRC32C));
    jw_time(w, "timeCreated", o->at_ms);
    jw_time(w, "updated", o->at_ms);
    jw_close(w, '}');
}

/* "bytes=a-b", "bytes=a-": false: not to be satisfied. */
static bool range_read(slice range, size_t n, size_t *ret_from, size_t *ret_n)
{
    int64_t from, to = (int64_t)n - 1;
    slice rest = slice_from(range, 6), first = slice_cut(&rest, '-');
    if (!slice_starts(range, SL("bytes=")) || !slice_int(first, &from) || (rest.n && !slice_int(rest, &to)) || from >= (int64_t)n || to < from)
        return false;
    *ret_from = (size_t)from;
    *ret_n = (size_t)(MIN(to, (int64_t)n - 1) - from + 1);
    return true;
}

void sgcs_send_object(struct sim_call *c, const struct sgcs_object *o)
{
    struct arena *a = c->x->a;
    slice range = exchange_header(c->x, "Range");
    size_t from = 0, n = o->n;
    if (range.n && !range_read(range, o->n, &from, &n)) {
        sim_header(c, "Content-Range", arena_printf(a, "bytes */%zu", o->n));
        sim_answer(c, 416, SL("text/plain"), SL("Requested range not satisfiable"));
        return;
    }
    if (range.n)
        sim_header(c, "Content-Range", arena_printf(a, "bytes %zu-%zu/%zu", from, from + n - 1, o->n));
    sim_header(c, "x-goog-hash", arena_printf(a, "crc32c=" SLF ",md5=" SLF, SLA(digest_text(a, o, DIGEST_CRC32C)), SLA(digest_text(a, o, DIGEST_MD5))));
    sim_header(c, "x-goog-generation", arena_printf(a, "%lld", (long long)o->generation));
    if (o->disposition)
        sim_header(c, "Content-Disposition", arena_dup(a, slice_of(o->disposition)));
    if (o->cache_control)
        sim_header(c, "Cache-Control", arena_dup(a, slice_of(o->cache_control)));
    sim_answer(c, range.n ? 206 : 200, arena_dup(a, slice_of(o->type)), slice_mem(o->bytes + from, n));
}

/* ---- objects ------------------------------------------------------------------------------------------------------------------------- */

bool sgcs_bucket_there(struct sgcs *g, slice name)
{
    for (size_t i = 0; i < g->n_buckets; i++)
        if (slice_eq(g->buckets[i], name))
            return true;
    return false;
}

static struct sgcs_object **object_at(struct sgcs *g, slice bucket, slice name)
{
    struct sgcs_object **at = &g->objects;
    while (*at && !(slice_eq(slice_of((*at)->bucket), bucket) && slice_eq(slice_of((*at)->name), name)))
        at = &(*at)->next;
    return at;
}

struct sgcs_object *sgcs_find(struct sgcs *g, slice bucket, slice name)
{
    return *object_at(g, bucket, name);
}

void sgcs_object_free(struct sgcs_object *o)
{
    if (!o)
        return;
    char *const texts[] = { o->bucket, o->name, o->type, o->disposition, o->cache_control, o->bytes };
    for (size_t i = 0; i < COUNT(texts); i++)
        free(texts[i]);
    free(o);
}

bool sgcs_drop(struct sgcs *g, slice bucket, slice name)
{
    struct sgcs_object **at = object_at(g, bucket, name), *old = *at;
    if (!old)
        return false;
    *at = old->next;
    sgcs_object_free(old);
    return true;
}

void sgcs_keep(struct sgcs *g, struct sgcs_object *o)
{
    sgcs_drop(g, slice_of(o->bucket), slice_of(o->name));
    o->generation = g->next_generation++;
    o->at_ms = time_now_ms();
    o->next = g->objects;
    g->objects = o;
    g->puts++;
}

/* ---- who may --------------------------------------------------------------------------------------------------------------------------- */

bool sgcs_may(struct sgcs *g, struct sim_call *c, slice bucket)
{
    slice given = exchange_header(c->x, "Authorization");
    if (!sim_account_knows(&g->account, c)) {
        sim_header(c, "WWW-Authenticate", SL("Bearer realm=\"https://accounts.google.com/\""));
        sgcs_error(c, 401, given.n ? "authError" : "required", given.n ? "Invalid Credentials" : "Anonymous caller does not have storage.objects access.");
        return false;
    }
    if (bucket.n && !sgcs_bucket_there(g, bucket)) {
        sgcs_error(c, 404, "notFound", "The specified bucket does not exist.");
        return false;
    }
    if (g->forbidden) {
        sgcs_refuse(c, 403);
        return false;
    }
    return true;
}

/* ---- the JSON API ------------------------------------------------------------------------------------------------------------------------ */

static void bucket_json(struct sim_call *c, struct sgcs *g, slice name)
{
    (void)g;
    sim_json(c, 200, arena_printf(c->x->a, "{\"kind\":\"storage#bucket\",\"id\":\"" SLF "\",\"name\":\"" SLF "\",\"location\":\"EU\",\"storageClass\":\"STANDARD\"}", SLA(name), SLA(name)));
}

static void bucket_get(struct sim_call *c, void *ctx)
{
    struct sgcs *g = ctx;
    if (sgcs_may(g, c, c->params[0]))
        bucket_json(c, g, c->params[0]);
}

static void bucket_post(struct sim_call *c, void *ctx)
{
    struct sgcs *g = ctx;
    slice name = js_text(js_at(js_parse(c->x->a, c->x->body, NULL), "name"));
    if (!sgcs_may(g, c, SLICE_NONE))
        return;
    if (!name.n || g->n_buckets == SGCS_BUCKETS_MAX) {
        sgcs_error(c, 400, "invalid", "Invalid bucket name");
        return;
    }
    if (sgcs_bucket_there(g, name)) {
        sgcs_error(c, 409, "conflict", "You already own this bucket. Please select another name.");
        return;
    }
    g->buckets[g->n_buckets++] = arena_dup(g->env->a, name);
    bucket_json(c, g, name);
}

static void objects_list(struct sim_call *c, void *ctx)
{
    struct sgcs *g = ctx;
    slice prefix = exchange_query(c->x, "prefix");
    if (!sgcs_may(g, c, c->params[0]))
        return;
    struct jw w = jw_new(c->x->a, 4 << 20);
    jw_open(&w, NULL, '{');
    jw_str(&w, "kind", SL("storage#objects"));
    jw_open(&w, "items", '[');
    for (const struct sgcs_object *o = g->objects; o; o = o->next)
        if (slice_eq(slice_of(o->bucket), c->params[0]) && slice_starts(slice_of(o->name), prefix))
            sgcs_object_json(&w, g, o);
    jw_close(&w, ']');
    jw_close(&w, '}');
    sim_json(c, 200, jw_done(&w));
}

static struct sgcs_object *object_wanted(struct sgcs *g, struct sim_call *c)
{
    if (!sgcs_may(g, c, c->params[0]))
        return NULL;
    struct sgcs_object *o = sgcs_find(g, c->params[0], c->params[1]);
    if (!o)
        sgcs_error(c, 404, "notFound", arena_printf(c->x->a, "No such object: " SLF "/" SLF, SLA(c->params[0]), SLA(c->params[1])).p);
    return o;
}

static void object_answer(struct sim_call *c, const struct sgcs *g, const struct sgcs_object *o)
{
    struct jw w = jw_new(c->x->a, SGCS_JSON_MAX);
    sgcs_object_json(&w, g, o);
    sim_json(c, 200, jw_done(&w));
}

static void object_get(struct sim_call *c, void *ctx)
{
    struct sgcs *g = ctx;
    const struct sgcs_object *o = object_wanted(g, c);
    if (!o)
        return;
    if (slice_eq(exchange_query(c->x, "alt"), SL("media")))
        sgcs_send_object(c, o);
    else
        object_answer(c, g, o);
}

static void object_delete(struct sim_call *c, void *ctx)
{
    struct sgcs *g = ctx;
    if (!object_wanted(g, c))
        return;
    sgcs_drop(g, c->params[0], c->params[1]);
    sim_answer(c, 204, SLICE_NONE, SLICE_NONE);
}

static void acl_post(struct sim_call *c, void *ctx)
{
    struct sgcs *g = ctx;
    struct sgcs_object *o = object_wanted(g, c);
    if (!o)
        return;
    if (g->uniform) {
        sgcs_error(c, 400, "invalid", "Cannot insert legacy ACL for an object when uniform bucket-level access is enabled. Read more at https://cloud.google.com/storage/docs/uniform-bucket-level-access");
        return;
    }
    slice entity = js_text(js_at(js_parse(c->x->a, c->x->body, NULL), "entity"));
    o->is_public |= slice_eq(entity, SL("allUsers"));
    sim_json(c, 200, arena_printf(c->x->a, "{\"kind\":\"storage#objectAccessControl\",\"entity\":\"" SLF "\",\"role\":\"READER\"}", SLA(entity)));
}

/* ---- control ------------------------------------------------------------------------------------------------------------------------------ */

static void objects_show(struct sim_call *c, void *ctx)
{
    struct sgcs *g = ctx;
    struct jw w = jw_new(c->x->a, 4 << 20);
    jw_open(&w, NULL, '{');
    jw_open(&w, "objects", '[');
    for (const struct sgcs_object *o = g->objects; o; o = o->next)
        sgcs_object_json(&w, g, o);
    jw_close(&w, ']');
    jw_close(&w, '}');
    sim_json(c, 200, jw_done(&w));
}

static void state_post(struct sim_call *c, void *ctx)
{
    struct sgcs *g = ctx;
    struct fault f;
    const struct js *doc = js_parse(c->x->a, c->x->body, &f);
    struct { const char *name; bool *flag; } flags[] = { { "revoked", &g->account.revoked }, { "forbidden", &g->forbidden }, { "uniform", &g->uniform } };
    if (!doc) {
        sim_fault(c, 400, &f);
        return;
    }
    for (size_t i = 0; i < COUNT(flags); i++)
        if (js_at(doc, flags[i].name))
            *flags[i].flag = js_true(js_at(doc, flags[i].name));
    if (!js_int(js_at(doc, "take"), &g->take))
        g->take = -1;
    sim_json(c, 200, SL("{}"));
}

static void counters_get(struct sim_call *c, void *ctx)
{
    struct sgcs *g = ctx;
    size_t n = 0;
    for (const struct sgcs_object *o = g->objects; o; o = o->next)
        n++;
    sim_json(c, 200, arena_printf(c->x->a, "{\"objects\":%zu,\"puts\":%llu,\"chunks\":%llu,\"tokens\":%llu}", n, (unsigned long long)g->puts,
                                  (unsigned long long)g->chunks, (unsigned long long)g->account.given));
}

/* clang-format off */
static const struct sim_route routes[] = {
    { "GET",    "/sim/objects",                     objects_show,  SIM_CONTROL },
    { "POST",   "/sim/state",                       state_post,    SIM_CONTROL },
    { "GET",    "/sim/counters",                    counters_get,  SIM_CONTROL },
    { "POST",   "/storage/v1/b",                    bucket_post,   0 },
    { "GET",    "/storage/v1/b/:bucket",            bucket_get,    0 },
    { "GET",    "/storage/v1/b/:bucket/o",          objects_list,  0 },
    { "GET",    "/storage/v1/b/:bucket/o/:object",  object_get,    0 },
    { "GET",    "/download/storage/v1/b/:bucket/o/:object", object_get, 0 },
    { "DELETE", "/storage/v1/b/:bucket/o/:object",  object_delete, 0 },
    { "POST",   "/storage/v1/b/:bucket/o/:object/acl", acl_post,   0 },
};
static const struct sim_route account_routes[] = {
    { "GET",    "/sim/service-account",             sim_account_get, SIM_CONTROL },
    { "POST",   "/token",                           sim_account_token, 0 },
};
static const struct sim_route link_routes[] = { /* behind all others */
    { "GET",    "/:bucket/*",                       sgcs_link_get, 0 },
    { "HEAD",   "/:bucket/*",                       sgcs_link_get, 0 },
};
/* clang-format on */

/* ---- life ----------------------------------------------------------------------------------------------------------------------------------- */

static void sgcs_stop(void *state)
{
    struct sgcs *g = state;
    sgcs_sessions_free(g);
    for (struct sgcs_object *o = g->objects, *next; o; o = next) {
        next = o->next;
        sgcs_object_free(o);
    }
    sim_account_done(&g->account);
    free(g);
}

static void *sgcs_start(struct sim_env *env, struct fault *f)
{
    struct sgcs *g = must_calloc(1, sizeof(*g));
    env->state = g;
    g->env = env;
    g->take = -1;
    g->next_generation = time_now_ms() * 1000;
    g->buckets[g->n_buckets++] = sim_option(env, "bucket");
    g->uniform = sim_option_on(env, "uniform");
    int64_t life_s;
    if (!sim_option_int(env, "token-life-s", 1, 3600, &life_s, f) ||
        !sim_account_make(&g->account, env, sim_option(env, "email"), sim_option(env, "project"), "/auth/devstorage.", life_s, f))
        return NULL;
    sim_routes(env, routes, COUNT(routes), g, NULL);
    sim_routes(env, account_routes, COUNT(account_routes), &g->account, NULL);
    sgcs_upload_routes(g);
    sim_routes(env, link_routes, COUNT(link_routes), g, NULL);
    return g;
}

const struct sim sim_gcs = {
    .name = "gcs",
    .title = "Google Cloud Storage",
    .options = options,
    .n_options = COUNT(options),
    .start = sgcs_start,
    .stop = sgcs_stop,
    .refuse = sgcs_refuse,
};
