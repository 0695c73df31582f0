#include "api/desk/queue.h"
#include "api/audit.h"
#include "api/desk/inside.h"
#include "desks/builtin/hours.h"
#include "store/store.h"
#include "wire/url.h"

#define QUEUE_NAME_NONE_OF "/\\\"<>"

#define KEY "g:q:"
enum { SKILLS_MAX = 50 };

struct queues {
    struct hub *hub;
    struct queue *first;
    size_t n;
};

/* clang-format off */
static const struct js_field fields[] = {
    JS_FIELD(struct queue, title,           "title",           JS_STR,     0),
    JS_FIELD(struct queue, tenant,          "tenant",          JS_STR,     0),
    JS_FIELD(struct queue, skills,          "skills",          JS_STRLIST, 0),
    JS_FIELD(struct queue, overflow_s,      "overflow_s",      JS_I64,     JS_ZERO),
    JS_FIELD(struct queue, overflow_queue,  "overflow_queue",  JS_STR,     0),
    JS_FIELD(struct queue, business_hours,  "business_hours",  JS_STR,     0),
    JS_FIELD(struct queue, timezone,        "timezone",        JS_STR,     0),
    JS_FIELD(struct queue, service_level_s, "service_level_s", JS_I64,     0),
};
/* clang-format on */

/* ---- the table ------------------------------------------------------------------------------------------------------------------------ */

static struct queue **place(struct queues *qs, slice name)
{
    struct queue **at = &qs->first;
    while (*at && slice_cmp((*at)->name, name) < 0)
        at = &(*at)->next;
    return at;
}

const struct queue *queue_find(const struct queues *qs, slice name)
{
    for (const struct queue *q = qs->first; q; q = q->next)
        if (slice_eq(q->name, name))
            return q;
    return NULL;
}

const struct queue *queues_first(const struct queues *qs)
{
    return qs->first;
}

size_t queues_count(const struct queues *qs)
{
    return qs->n;
}

static struct queue *read_queue(slice name, slice json, int64_t rev, struct fault *f)
{
    struct arena *a = arena_new();
    struct queue *q = ARENA_NEW(a, struct queue);
    const struct js *doc = js_parse(a, arena_dup(a, json), f);
    *q = (struct queue){ .a = a, .name = arena_dup(a, name), .overflow_s = -1, .rev = rev };
    if (doc && js_read(a, doc, fields, COUNT(fields), q, f)) {
        if (slice_eq(q->title, q->name)) /* as it is shown where there is none */
            q->title = SLICE_NONE;
        return q;
    }
    arena_free(a);
    return NULL;
}

static void drop(struct queues *qs, slice name)
{
    struct queue **at = place(qs, name), *q = *at;
    if (!q || !slice_eq(q->name, name))
        return;
    *at = q->next;
    qs->n--;
    arena_free(q->a);
}

static void keep(struct queues *qs, struct queue *q)
{
    drop(qs, q->name);
    struct queue **at = place(qs, q->name);
    q->next = *at;
    *at = q;
    qs->n++;
}

static void read_one(void *arg, slice key, slice value)
{
    struct queues *qs = arg;
    CLEANUP(arena_freep) struct arena *a = arena_new();
    const struct js *doc = js_parse(a, value, NULL);
    int64_t rev = 1;
    if (!js_int(js_get(doc, SL("rev")), &rev))
        rev = 1;
    struct queue *q = read_queue(slice_from(key, sizeof(KEY) - 1), value, rev, NULL);
    if (q)
        keep(qs, q);
}

struct queues *queues_new(struct hub *h)
{
    struct queues *qs = must_calloc(1, sizeof(*qs));
    qs->hub = h;
    store_scan(h->store, SL(KEY), QUEUES_MAX, read_one, NULL, qs);
    return qs;
}

void queues_free(struct queues *qs)
{
    if (!qs)
        return;
    while (qs->first)
        drop(qs, qs->first->name);
    free(qs);
}

/* ---- rules ------------------------------------------------------------------------------------------------------------------------------- */

static int64_t desk_number(const struct actor *desk, enum builtin_setting i)
{
    int64_t n = 0;
    return desk && slice_int(desk->account.settings[i], &n) ? n : 0;
}

struct queue_rules queue_rules(const struct queues *qs, slice name, const struct actor *desk)
{
    static const struct js_list none = { NULL, 0 };
    const struct queue *q = queue_find(qs, name);
    bool own_hours = q && q->business_hours.n;
    int64_t service_s = q && q->service_level_s ? q->service_level_s : desk_number(desk, BUILTIN_SERVICE_LEVEL);
    return (struct queue_rules){
        .skills = q ? &q->skills : &none,
        .overflow_ms = (q && q->overflow_s >= 0 ? q->overflow_s : desk_number(desk, BUILTIN_OVERFLOW)) * 1000,
        .overflow_queue = q && q->overflow_queue.n ? q->overflow_queue : desk ? desk->account.settings[BUILTIN_OVERFLOW_QUEUE] : SLICE_NONE,
        .hours = own_hours ? q->business_hours : desk ? desk->account.settings[BUILTIN_HOURS] : SLICE_NONE,
        .zone = q && q->timezone.n ? q->timezone : desk ? desk->account.settings[BUILTIN_TIMEZONE] : SLICE_NONE,
        .service_ms = service_s * 1000,
    };
}

/* ---- over the API ------------------------------------------------------------------------------------------------------------------------- */

static void write_queue(struct jw *w, const char *key, const struct queue *q)
{
    jw_open(w, key, '{');
    jw_str(w, "name", q->name);
    jw_str(w, "title", slice_or(q->title, q->name));
    jw_opt(w, "tenant", q->tenant);
    jw_open(w, "skills", '[');
    for (size_t i = 0; i < q->skills.n; i++)
        jw_str(w, NULL, *LIST_AT(q->skills, slice, i));
    jw_close(w, ']');
    if (q->overflow_s >= 0)
        jw_int(w, "overflow_s", q->overflow_s);
    jw_opt(w, "overflow_queue", q->overflow_queue);
    jw_opt(w, "business_hours", q->business_hours);
    jw_opt(w, "timezone", q->timezone);
    if (q->service_level_s)
        jw_int(w, "service_level_s", q->service_level_s);
    jw_close(w, '}');
}

void queues_write(const struct queues *qs, struct jw *w, const char *key)
{
    jw_open(w, key, '[');
    for (const struct queue *q = queues_first(qs); q; q = q->next)
        write_queue(w, NULL, q);
    jw_close(w, ']');
}

void api_queues_list(struct api_call *c)
{
    struct api_page page;
    if (!api_page(c, &page, 0))
        return;
    struct jw w = api_json(c);
    jw_open(&w, "items", '[');
    for (const struct queue *q = queues_first(call_desk(c)->queues); q; q = q->next)
        if (api_page_has(&page, q->name, true))
            write_queue(&w, NULL, q);
    jw_close(&w, ']');
    if (api_page_end(&page, &w))
        api_answer(c, &w);
}

static void answer_queue(struct api_call *c, int status, const struct queue *q)
{
    struct jw w = jw_new(c->a, QUEUE_STORED_MAX * 2);
    write_queue(&w, NULL, q);
    api_answer_json(c, status, jw_done(&w));
}

void api_queues_get(struct api_call *c)
{
    const struct queue *q = queue_find(call_desk(c)->queues, c->params[0]);
    if (!q)
        api_not_found(c, "queue", c->params[0]);
    else if (api_etag(c, q->rev))
        answer_queue(c, 200, q);
}

struct queue_call {
    struct api_call *c;
    struct queue *q; /* NULL: it goes */
    slice name;
    int status;
};

static void stored(void *arg, const struct fault *f)
{
    struct queue_call *qc = arg;
    struct api_call *c = qc->c;
    struct desk *desk = call_desk(c);
    if (f) {
        if (qc->q)
            arena_free(qc->q->a);
        api_not_stored(c, f);
        return;
    }
    if (qc->q)
        keep(desk->queues, qc->q);
    else
        drop(desk->queues, qc->name);
    desk_route_soon(desk);
    if (!qc->q) {
        api_empty(c);
        return;
    }
    api_header(c, "ETag", arena_printf(c->a, "\"%lld\"", (long long)qc->q->rev));
    answer_queue(c, qc->status, qc->q);
}

static bool good(const struct queue *q, struct fault *f)
{
    struct hours hours;
    if (!url_name_ok(q->name, SIZE_MAX, QUEUE_NAME_NONE_OF) || utf8_len(q->name) > BUILTIN_QUEUE_NAME_MAX)
        return fault(f, "invalid", "name", "must be 1 to %d characters without spaces and none of " QUEUE_NAME_NONE_OF ", and neither . nor ..", BUILTIN_QUEUE_NAME_MAX);
    if (!hours_read(q->business_hours, &hours, f))
        return false;
    if (!zone_known(q->timezone))
        return fault(f, "invalid", "timezone", "is no time zone known here: Asia/Tokyo, +09:00 or UTC");
    if (q->skills.n > SKILLS_MAX)
        return fault(f, "out_of_range", "skills", "must have at most %d items", SKILLS_MAX);
    if (q->overflow_s > 0 && !q->overflow_queue.n)
        return fault(f, "missing_field", "overflow_queue", "is required when overflow_s is set");
    return true;
}

/* As stored; {NULL,0}: too long. */
static slice print_queue(struct arena *a, const struct queue *q)
{
    struct jw w = jw_new(a, QUEUE_STORED_MAX);
    jw_open(&w, NULL, '{');
    jw_int(&w, "rev", q->rev);
    jw_fields(&w, fields, COUNT(fields), q);
    jw_close(&w, '}');
    return jw_done(&w);
}

static void put(struct api_call *c, slice name, const struct queue *old, int status)
{
    struct desk *desk = call_desk(c);
    struct fault f = { 0 };
    struct queue *q = read_queue(name, js_print(c->a, c->body), old ? old->rev + 1 : 1, &f);
    if (!q || !good(q, &f)) {
        if (q)
            arena_free(q->a);
        api_fault(c, 400, &f);
        return;
    }
    slice json = print_queue(c->a, q);
    if (!json.p) {
        arena_free(q->a);
        api_problem(c, 413, "too_large", NULL, "a queue has at most %d bytes", QUEUE_STORED_MAX);
        return;
    }
    struct queue_call *qc = ARENA_NEW(c->a, struct queue_call);
    *qc = (struct queue_call){ c, q, name, status };
    audit_note(c, old ? "queue.change" : "queue.create", name, SLICE_NONE);
    store_put(desk->hub->store, &(struct store_pair){ arena_printf(c->a, KEY SLF, SLA(name)), json }, 1, stored, qc);
}

void api_queues_create(struct api_call *c)
{
    struct queues *qs = call_desk(c)->queues;
    slice name = js_text(js_get(c->body, SL("name")));
    if (queue_find(qs, name))
        api_problem(c, 409, "conflict", "name", "there is a queue of this name");
    else if (qs->n >= QUEUES_MAX)
        api_problem(c, 409, "conflict", NULL, "there are %d queues, and more are not kept", QUEUES_MAX);
    else
        put(c, name, NULL, 201);
}

static bool unchanged(struct api_call *c, const struct queue *q)
{
    int64_t rev;
    if (!api_if_match(c, &rev))
        return false;
    if (rev >= 0 && rev != q->rev) {
        api_problem(c, 412, "changed", "If-Match", "somebody has changed it since");
        return false;
    }
    return true;
}

void api_queues_put(struct api_call *c)
{
    const struct queue *q = queue_find(call_desk(c)->queues, c->params[0]);
    slice name = js_text(js_get(c->body, SL("name")));
    if (!q)
        api_not_found(c, "queue", c->params[0]);
    else if (!slice_eq(name, q->name))
        api_problem(c, 400, "invalid", "name", "a queue keeps its name");
    else if (unchanged(c, q))
        put(c, q->name.n ? arena_dup(c->a, q->name) : name, q, 200);
}

void api_queues_delete(struct api_call *c)
{
    const struct queue *q = queue_find(call_desk(c)->queues, c->params[0]);
    if (!q) {
        api_not_found(c, "queue", c->params[0]);
        return;
    }
    if (!unchanged(c, q))
        return;
    struct queue_call *qc = ARENA_NEW(c->a, struct queue_call);
    *qc = (struct queue_call){ c, NULL, c->params[0], 204 };
    audit_note(c, "queue.delete", c->params[0], SLICE_NONE);
    store_put(c->hub->store, &(struct store_pair){ arena_printf(c->a, KEY SLF, SLA(c->params[0])), SLICE_NONE }, 1, stored, qc);
}

/* ---- backups ------------------------------------------------------------------------------------------------------------------------------- */

static bool same(struct arena *a, const struct queue *x, const struct queue *y)
{
    struct queue with = *x;
    with.rev = y->rev;
    return slice_eq(print_queue(a, &with), print_queue(a, y));
}

static bool restore_one(struct api_call *c, const struct js *doc, bool dry)
{
    struct queues *qs = call_desk(c)->queues;
    struct fault f;
    slice name = js_text(js_get(doc, SL("name")));
    const struct queue *old = queue_find(qs, name);
    struct queue *q = schema_fits(c->a, "Queue", doc, &f) ? read_queue(name, js_print(c->a, doc), old ? old->rev + 1 : 1, &f) : NULL;
    slice json = q && good(q, &f) ? print_queue(c->a, q) : SLICE_NONE;
    bool changes = json.p && !(old && same(c->a, q, old)) && (old || qs->n < QUEUES_MAX);
    if (!changes || dry) {
        if (q)
            arena_free(q->a);
        return changes;
    }
    audit_note(c, old ? "queue.change" : "queue.create", name, SL("{\"restore\":true}"));
    store_put(c->hub->store, &(struct store_pair){ arena_printf(c->a, KEY SLF, SLA(name)), json }, 1, NULL, NULL);
    keep(qs, q);
    return true;
}

static bool listed(const struct js *list, slice name)
{
    for (size_t i = 0; i < js_len(list); i++)
        if (slice_eq(js_text(js_get(js_item(list, i), SL("name"))), name))
            return true;
    return false;
}

size_t queues_restore(struct api_call *c, const struct js *list, bool replace, bool dry)
{
    struct queues *qs = call_desk(c)->queues;
    size_t n = 0;
    for (size_t i = 0; i < js_len(list); i++)
        n += restore_one(c, js_item(list, i), dry);
    for (struct queue *q = replace && list ? qs->first : NULL, *next; q; q = next) {
        next = q->next;
        if (listed(list, q->name))
            continue;
        n++;
        if (dry)
            continue;
        slice name = arena_dup(c->a, q->name);
        audit_note(c, "queue.delete", name, SL("{\"restore\":true}"));
        store_put(c->hub->store, &(struct store_pair){ arena_printf(c->a, KEY SLF, SLA(name)), SLICE_NONE }, 1, NULL, NULL);
        drop(qs, name);
    }
    return n;
}
