/* Every connector's functions on foreign bytes. Byte 0 chooses the connector, byte 1 the function; the rest is cut at 0x1e into the body
 * (or message) and the answers of the other side, each of which begins with a byte that chooses its status.
 *
 * Properties: what receive keeps can be stored and read back the same; a refusal says why; a call is one that can be made (a good address,
 * headers of one line); and with nobody answering a delivery comes to an end. */
#include "fuzz/world.h"
#include "hub/adapt.h"
#include "hub/inbox.h"
#include "hub/verify.h"
#include "wire/url.h"

enum { CALLS_MAX = 60, UNANSWERED_MAX = 16, MEDIA = 8 /* a bit of byte 1 */ };
typedef enum outcome (*step_fn)(struct call *c, struct delivery *d);

/* ---- receive ------------------------------------------------------------------------------------------------------- */

static void can_be_stored(struct arena *a, const struct message *m)
{
    struct message back;
    struct fault f = { 0 };
    assert(m->kind >= 0 && m->kind < (int)KIND_MAX);
    if (m->at_ms < 0 || m->at_ms > TIME_MAX_MS)
        return; /* accept's to refuse */
    slice text = message_print(a, m);
    assert(text.p);
    const struct js *doc = js_parse(a, text, &f);
    assert(doc && message_read(a, doc, &back, &f));
    slice again = message_print(a, &back);
    bool same = js_equal(js_parse(a, again, NULL), doc) ||
                slice_find(text, SL(":null")) != SIZE_MAX; /* null is read as absent */
    if (!same)
        fprintf(stderr, "stored:    " SLF "\nread back: " SLF "\n", SLA(text), SLA(again));
    assert(same);
}

static void steps(struct world *w, step_fn fn, const struct message *m, bool adapted, slice keep, slice answers);

static void receive(struct world *w, struct request *rq)
{
    const struct connector *k = w->account.type;
    struct inbox in;
    inbox_init(&in, w->a);
    const struct header form = { SL("Content-Type"), SL("application/x-www-form-urlencoded") };
    bool is_form = slice_starts(rq->body, SL("payload=")) || slice_starts(rq->body, SL("command="));
    rq->headers = &form;
    rq->n_headers = is_form ? 1 : 0;
    if (!k->receive(&w->c, rq, &in)) {
        assert(w->f.code && w->f.text[0]);
        return;
    }
    size_t n = 0;
    for (const struct inbox_item *it = in.first; it; it = it->next, n++)
        can_be_stored(w->a, &it->m);
    assert(n == in.n);
    if (in.ask)
        steps(w, in.ask, NULL, false, in.ask_data, SLICE_NONE);
}

static void verify(struct world *w, struct request *rq)
{
    const struct connector *k = w->account.type;
    slice body, key = k->route_key ? k->route_key(w->a, rq) : SLICE_NONE;
    (void)key;
    struct header h = { slice_of(k->hook.header), rq->body };
    rq->headers = &h;
    rq->n_headers = k->hook.header ? 1 : 0;
    bool good = hook_verify(&w->c, rq, &body, &w->f);
    assert(!good || k->hook.how == VERIFY_NONE);
    const struct js *doc = k->token_ok ? js_parse(w->a, rq->body, NULL) : NULL; /* claims, key and body in one */
    if (doc && !k->token_ok(&w->c, rq, doc, doc))
        assert(w->f.code);
}

/* Registration: the first line is the query and names the form's type, the rest is the form. */
static void registration(struct world *w, struct request *rq)
{
    const struct connector *k = w->account.type;
    slice body = rq->body, query = slice_cut(&body, '\n');
    struct header h = { SL("content-type"), query };
    for (size_t i = 0; i < k->n_routes; i++) {
        const struct route_extra *page = &k->routes[i];
        if (!page->record)
            continue;
        struct inbox in;
        struct request one = { .method = slice_of(page->method), .path = SL(""), .query = query, .body = body, .headers = &h, .n_headers = 1 };
        struct record p = { .public_url = SL("https://hub.example.com"), .accounts = &w->c, .n_accounts = 1, .key = page->record->key(w->a, &one), .part = { body } };
        struct call c = { .a = w->a, .now_ms = w->c.now_ms, .f = &w->f, .record = &p };
        p.to = page->record->moves_to ? page->record->moves_to(w->a, &one) : SLICE_NONE;
        inbox_init(&in, w->a);
        bool good = page->receive(&c, &one, &in);
        assert(!good || (in.body.p && !in.n && (!p.keep || p.key.n) && (!p.move || p.to.n)));
        for (size_t n = 0; n < RECORD_PARTS; n++)
            assert(!p.keep || p.part[n].n <= RECORD_PART_MAX);
    }
    (void)rq;
}

static void pages(struct world *w, struct request *rq)
{
    const struct connector *k = w->account.type;
    rq->query = rq->body;
    for (size_t i = 0; i < k->n_routes; i++) {
        if (k->routes[i].record)
            continue; /* registration() calls those, as the hub does: with a record */
        struct inbox in;
        inbox_init(&in, w->a);
        w->f = (struct fault){ 0 };
        struct call nobodys = { .a = w->a, .now_ms = w->c.now_ms, .f = &w->f };
        bool mine = !k->routes[i].mine || k->routes[i].mine(&w->c, rq);
        if (!k->routes[i].receive(mine ? &w->c : &nobodys, rq, &in))
            assert(w->f.code);
        if (in.ask)
            steps(w, in.ask, NULL, false, in.ask_data, SLICE_NONE);
    }
}

/* ---- steps --------------------------------------------------------------------------------------------------------- */

static const int statuses[] = { 0,   0,   200, 201, 202, 204, 400, 401, 403,
                                404, 409, 410, 413, 422, 429, 500, 503 };

static void can_be_made(struct world *w, const struct http_call *call)
{
    struct url u;
    struct fault f = { 0 };
    assert(call->method && url_parse(w->a, call->url, &u, &f));
    for (size_t i = 0; i < call->n_headers; i++) {
        slice v = call->headers[i].value;
        for (size_t b = 0; b < v.n; b++)
            assert(v.p[b] != '\r' && v.p[b] != '\n' && v.p[b]);
    }
}

static void steps(struct world *w, step_fn fn, const struct message *m, bool adapted, slice keep, slice answers)
{
    struct delivery d = {
        .m = m, .parts = m, .n_parts = m ? 1 : 0, .keep = keep, .key = SL("dg-fuzz"), .accepted_ms = w->c.now_ms, .media = w->media
    };
    const struct adapt_to to = { &w->account, &w->conversation };
    struct adapted parts;
    if (!fn)
        return;
    if (adapted) {
        if (!adapt_message(w->a, &to, m, &parts, &d.reason, &w->f))
            return;
        d.parts = parts.parts;
        d.n_parts = parts.n;
    }
    struct answer answer, *last = NULL;
    unsigned unanswered = 0;
    for (unsigned n = 0; n < CALLS_MAX; n++) {
        w->f = (struct fault){ 0 };
        delivery_begin_step(&d, last);
        enum outcome end = fn(&w->c, &d);
        if (end != OUT_CALL) {
            assert(end != OUT_REFUSED || w->f.code);
            return;
        }
        can_be_made(w, &d.call);
        answer = (struct answer){ 0 };
        slice one = slice_cut(&answers, 0x1e);
        if (one.n) {
            unsigned char which = (unsigned char)one.p[0];
            answer.status = statuses[which % COUNT(statuses)];
            answer.written = which % COUNT(statuses) != 0;
            answer.body = slice_from(one, 1);
        } else {
            assert(++unanswered < UNANSWERED_MAX);
        }
        last = &answer;
    }
}

static void deliver(struct world *w, slice text, slice answers)
{
    const struct caps *caps = &w->account.type->caps;
    struct message *m = ARENA_NEW(w->a, struct message);
    const struct js *doc = js_parse(w->a, text, NULL);
    if (!doc || !message_read(w->a, doc, m, &w->f))
        return;
    if (m->kind == (int)KIND_TYPING || m->kind == (int)KIND_STATUS || m->kind == (int)KIND_EVENT)
        if (!(caps->kinds & CAN(m->kind)) ||
            (m->kind == (int)KIND_EVENT && !(caps->events & CAN(m->event))) ||
            (m->kind == (int)KIND_STATUS && !(caps->statuses & CAN(m->status))))
            return; /* the framework does not let it come here */
    m->id = slice_or(m->id, SL("m"));
    m->guest = slice_or(m->guest, SL("g"));
    if (m->guest.n > 1)
        w->conversation.guest = m->guest;
    steps(w, w->account.type->deliver, m, true, SLICE_NONE, answers);
}

/* Where the bytes of a media message are; the message comes first. */
static void media(struct world *w, slice rest)
{
    const struct connector *k = w->account.type;
    struct message *m = ARENA_NEW(w->a, struct message);
    const struct js *doc = js_parse(w->a, slice_cut(&rest, 0x1e), NULL);
    if (!doc || !message_read(w->a, doc, m, &w->f))
        return;
    struct url u;
    slice picture = k->location_picture && m->location.present ? k->location_picture(&w->c, &m->location) : SLICE_NONE;
    assert(!picture.p || url_parse(w->a, picture, &u, NULL));
    const struct media *md = message_media(m);
    if (!md || md->url.n || !md->id.n)
        return;
    slice url = k->media_url ? k->media_url(&w->c, md) : SLICE_NONE;
    assert(!url.p || url_parse(w->a, url, &u, NULL));
    w->media = md;
    steps(w, k->media_find, NULL, false, SLICE_NONE, rest);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2)
        return 0;
    CLEANUP(arena_freep) struct arena *a = arena_new();
    struct world w;
    world_begin(&w, a, connectors[data[0] % n_connectors]);
    slice rest = slice_mem(data + 2, size - 2);
    struct request rq = { .method = SL("POST"), .path = SL(""), .query = SL(""), .status = 200 };
    struct memory *guest = memory_new();
    if (data[1] % 8 >= 4) {
        w.c.conversation = &w.conversation;
        w.c.guest_memory = guest;
        memory_set(guest, "reply_token", SL("t"), 0);
    }
    switch (data[1] % 8) {
    case 0:
    case 1:
        rq.polled = data[1] % 8 == 1 && w.account.type->poll.next;
        rq.body = rest;
        receive(&w, &rq);
        break;
    case 2:
        rq.body = rest;
        verify(&w, &rq);
        break;
    case 3:
        rq.body = rest;
        pages(&w, &rq);
        rq.body = rest;
        registration(&w, &rq);
        break;
    case 4:
        steps(&w, w.account.type->setup, NULL, false, SLICE_NONE, rest);
        break;
    case 5:
        if (data[1] & MEDIA)
            media(&w, rest);
        else
            steps(&w, w.account.type->lookup.who, ARENA_NEW(a, struct message), false, SLICE_NONE, rest);
        break;
    default: {
        slice text = slice_cut(&rest, 0x1e);
        deliver(&w, text, rest);
        break;
    }
    }
    world_end(&w, guest);
    return 0;
}
