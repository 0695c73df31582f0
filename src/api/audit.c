#include "api/audit.h"
#include "api/call.h"
#include "api/events.h"
#include "store/store.h"

enum { ROW_MAX = 8192, DETAIL_MAX = 4096, PAGE_MAX = 500, PAGE = 50, TARGET_MAX = 200 };

struct audit {
    uint32_t count; /* tells rows of one millisecond apart */
};

/* ---- forgetting ------------------------------------------------------------------------------------------------------ */

struct counting {
    struct arena *a;
    size_t n;
    struct js_list old; /* slice */
};

static void count_one(void *arg, slice key, slice value)
{
    struct counting *co = arg;
    (void)value;
    if (++co->n > AUDIT_MAX)
        *LIST_ADD(co->a, &co->old, slice) = arena_dup(co->a, key);
}

static void forget_old(struct hub *h)
{
    CLEANUP(arena_freep) struct arena *a = arena_new();
    struct counting co = { .a = a };
    store_walk(h->store, SL(AUDIT_PREFIX), 0, count_one, NULL, &co);
    struct store_pair *pairs = ARENA_ARRAY(a, struct store_pair, co.old.n + 1);
    for (size_t i = 0; i < co.old.n; i++)
        pairs[i].key = *LIST_AT(co.old, slice, i);
    if (co.old.n)
        store_put(h->store, pairs, co.old.n, NULL, NULL);
}

struct audit *audit_new(struct hub *h)
{
    forget_old(h);
    return must_calloc(1, sizeof(struct audit));
}

void audit_free(struct audit *au)
{
    free(au);
}

/* ---- noting ---------------------------------------------------------------------------------------------------------- */

static void noted(void *arg, const struct fault *f)
{
    const struct hub *h = arg;
    if (f)
        log_end(log_begin_fault(h->log, LEVEL_ERROR, f, "A row of the audit trail is not stored"));
}

void audit_by(struct api *api, slice by, slice address, const char *action, slice target, slice detail)
{
    CLEANUP(arena_freep) struct arena *a = arena_new();
    int64_t now_ms = time_now_ms();
    struct jw w = jw_new(a, ROW_MAX);
    jw_open(&w, NULL, '{');
    jw_time(&w, "at", now_ms);
    jw_str(&w, "by", by);
    jw_opt(&w, "address", address);
    jw_str(&w, "action", slice_of(action));
    jw_str(&w, "target", utf8_cut_bytes(target, TARGET_MAX));
    if (detail.n && detail.n <= DETAIL_MAX)
        jw_raw(&w, "detail", detail);
    jw_close(&w, '}');
    slice key = arena_printf(a, AUDIT_PREFIX "%016llx%08x", (unsigned long long)(INT64_MAX - now_ms), UINT32_MAX - api->audit->count++);
    store_put(api->hub->store, &(struct store_pair){ key, jw_done(&w) }, 1, noted, api->hub);
    streams_config(api, action, utf8_cut_bytes(target, TARGET_MAX));
    struct log_line *l = log_begin(api->hub->log, LEVEL_INFO, "Configuration changed: %s", action);
    log_str(l, "by", by);
    log_str(l, "target", utf8_cut_bytes(target, TARGET_MAX));
    log_end(l);
}

void audit_note(struct api_call *c, const char *action, slice target, slice detail)
{
    audit_by(c->api, c->user, c->address, action, target, detail);
}

/* ---- telling --------------------------------------------------------------------------------------------------------- */

struct listing {
    struct api_call *c;
    struct jw w;
    size_t n, limit;
    slice next;
};

static void list_one(void *arg, slice key, slice value)
{
    struct listing *li = arg;
    if (li->n++ < li->limit)
        jw_raw(&li->w, NULL, value);
    else
        li->next = arena_dup(li->c->a, slice_from(key, sizeof(AUDIT_PREFIX) - 1));
}

static void listed(void *arg, const struct fault *f)
{
    struct listing *li = arg;
    jw_close(&li->w, ']');
    if (li->next.n)
        jw_str(&li->w, "next", li->next);
    else
        jw_null(&li->w, "next");
    if (f)
        api_not_stored(li->c, f);
    else
        api_answer(li->c, &li->w);
}

void api_audit_list(struct api_call *c)
{
    int64_t limit;
    if (!api_query_number(c, "limit", 1, PAGE_MAX, PAGE, &limit))
        return;
    slice after = api_query(c, "after");
    struct listing *li = ARENA_NEW(c->a, struct listing);
    *li = (struct listing){ .c = c, .w = api_json(c), .limit = (size_t)limit };
    jw_open(&li->w, "items", '[');
    slice from = utf8_cut_bytes(arena_printf(c->a, AUDIT_PREFIX SLF, SLA(after)), STORE_KEY_MAX);
    store_scan_from(c->hub->store, SL(AUDIT_PREFIX), from, li->limit + 1, list_one, listed, li);
}
