#include "hub/parcel.h"
#include "wire/js.h"

bool parcel_carries(const struct connector *type)
{
    return type->hook.path && !type->own_end && type->auth.kind != AUTH_NAMED;
}

unsigned parcel_shard(const struct account *account, const struct message *m, unsigned shards)
{
    uint64_t h = slice_hash_fixed(slice_hash_fixed(slice_hash_fixed(SLICE_HASH_FIRST, account->id), SL("\n")), m->guest);
    return (unsigned)((h ^ h >> 32) % shards); /* the low bits alone know little of the first characters */
}

void parcel_narrow(const struct parcel *p, struct inbox *in)
{
    size_t n = 0;
    int64_t lowest = INT64_MAX, shard;
    for (slice rest = p->shards; rest.n; n++)
        if (slice_int(slice_cut(&rest, ','), &shard))
            lowest = MIN(lowest, shard);
    if (!n || n != in->n)
        return;
    slice rest = p->shards;
    struct inbox_item **at = &in->first;
    while (*at) {
        bool mine = slice_int(slice_cut(&rest, ','), &shard) && shard == (int64_t)p->shard;
        in->n -= !mine;
        if (mine)
            at = &(*at)->next;
        else
            *at = (*at)->next;
    }
    in->last = at;
    if (lowest != (int64_t)p->shard)
        in->ignored.n = in->resumed.n = 0;
}

slice parcel_print(struct arena *a, const struct parcel *p)
{
    struct jw w = jw_new(a, PARCEL_HEAD_MAX);
    jw_open(&w, NULL, '{');
    jw_int(&w, "v", PARCEL_VERSION);
    jw_str(&w, "to", p->account);
    jw_str(&w, "trace", p->trace_id);
    jw_int(&w, "at", p->at_ms);
    if (p->shards.n) {
        jw_int(&w, "shard", p->shard);
        jw_str(&w, "shards", p->shards);
    }
    jw_str(&w, "method", p->rq.method);
    jw_str(&w, "path", p->rq.path);
    jw_str(&w, "query", p->rq.query);
    jw_open(&w, "headers", '[');
    for (size_t i = 0; i < p->rq.n_headers; i++) {
        jw_str(&w, NULL, p->rq.headers[i].name);
        jw_str(&w, NULL, p->rq.headers[i].value);
    }
    jw_close(&w, ']');
    jw_close(&w, '}');
    slice head = jw_done(&w);
    return head.p ? arena_join(a, head, SL("\n"), p->rq.body) : SLICE_NONE;
}

struct head {
    int64_t v, at, shard;
    slice to, trace, shards, method, path, query;
    struct js_list headers; /* slice: name, value, name … */
};
/* clang-format off */
static const struct js_field head_fields[] = {
    JS_FIELD(struct head, v,       "v",       JS_I64, JS_REQ),
    JS_FIELD(struct head, to,      "to",      JS_STR, JS_REQ),
    JS_FIELD(struct head, trace,   "trace",   JS_STR, 0),
    JS_FIELD(struct head, at,      "at",      JS_I64, 0),
    JS_FIELD(struct head, shard,   "shard",   JS_I64, 0),
    JS_FIELD(struct head, shards,  "shards",  JS_STR, 0),
    JS_FIELD(struct head, method,  "method",  JS_STR, JS_REQ),
    JS_FIELD(struct head, path,    "path",    JS_STR, 0),
    JS_FIELD(struct head, query,   "query",   JS_STR, 0),
    JS_FIELD(struct head, headers, "headers", JS_STRLIST, 0),
};
/* clang-format on */

bool parcel_read(struct arena *a, slice bytes, struct parcel *ret, struct fault *f)
{
    size_t end = slice_find(bytes, SL("\n"));
    if (end == SIZE_MAX || end > PARCEL_HEAD_MAX)
        return fault(f, "malformed", "", "a parcel without a head of its own");
    struct head h = { 0 };
    const struct js *doc = js_parse(a, slice_sub(bytes, 0, end), f);
    if (!doc || !js_read(a, doc, head_fields, COUNT(head_fields), &h, f))
        return false;
    if (h.v > PARCEL_VERSION)
        return fault(f, "newer", "v", "a parcel of version %lld; this program knows %d", (long long)h.v, PARCEL_VERSION);
    *ret = (struct parcel){ .account = h.to, .trace_id = h.trace, .at_ms = h.at, .shard = (unsigned)h.shard, .shards = h.shards,
                            .rq = { .method = h.method, .path = h.path, .query = h.query, .body = slice_from(bytes, end + 1) } };
    struct header *headers = ARENA_ARRAY(a, struct header, h.headers.n / 2 + 1);
    for (size_t i = 0; i + 1 < h.headers.n; i += 2)
        headers[ret->rq.n_headers++] = (struct header){ *LIST_AT(h.headers, slice, i), *LIST_AT(h.headers, slice, i + 1) };
    ret->rq.headers = headers;
    return true;
}
