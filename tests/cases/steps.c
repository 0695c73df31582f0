/* The ways out: the connector's state machine is stepped against the calls and answers of the case, as the framework steps it. */
#include "hub/adapt.h"
#include "tests/cases/compare.h"
#include "tests/cases/run.h"
#include "wire/hex.h"

enum { STEPS_MAX = 40 };
typedef enum outcome (*step_fn)(struct call *c, struct delivery *d);

/* ---- one call ------------------------------------------------------------------------------------------------------ */

static slice words_of(struct run *r, const struct http_call *call)
{
    struct text t = text_new(r->a, 128);
    text_put(&t, call->repeatable ? SL(" repeatable") : SL(" once"));
    if (call->no_token)
        text_put(&t, SL(" no_token"));
    if (call->media_body)
        text_put(&t, SL(" media_body"));
    if (call->rate)
        text_add(&t, " rate %u", call->rate);
    if (call->token.n)
        text_add(&t, " token " SLF, SLA(call->token));
    if (call->new_token)
        text_put(&t, SL(" new_token"));
    return text_slice(&t);
}

static bool word_holds(struct run *r, slice word, slice *rest, const struct http_call *call)
{
    int64_t rate = 0;
    if (slice_eq(word, SL("repeatable")))
        return call->repeatable;
    if (slice_eq(word, SL("once")))
        return !call->repeatable;
    if (slice_eq(word, SL("no_token")))
        return call->no_token;
    if (slice_eq(word, SL("media_body")))
        return call->media_body != NULL;
    if (slice_eq(word, SL("token")))
        return slice_eq(slice_cut(rest, ' '), call->token);
    if (slice_eq(word, SL("new_token")))
        return call->new_token;
    if (slice_eq(word, SL("rate")))
        return slice_int(slice_cut(rest, ' '), &rate) && rate == (int64_t)call->rate;
    return case_fail(r, "unknown word \"" SLF "\" behind a call's URL", SLA(word));
}

static slice call_value(const struct http_call *call, slice name)
{
    if (slice_eq_nocase(name, SL("content-type")))
        return call->type;
    for (size_t i = 0; i < call->n_headers; i++)
        if (slice_eq_nocase(call->headers[i].name, name))
            return call->headers[i].value;
    return SLICE_NONE;
}

static bool headers_hold(struct run *r, const struct http_call *call, slice *rest)
{
    struct js_list want = run_headers(r, rest);
    for (size_t i = 0; i < want.n; i++) {
        const struct header *h = LIST_AT(want, struct header, i);
        bool absent = slice_starts(h->name, SL("!"));
        slice name = absent ? slice_from(h->name, 1) : h->name;
        slice got = call_value(call, name);
        if (absent ? got.p != NULL : !got.p)
            return case_fail(r, "header " SLF " is %s", SLA(name), absent ? "there" : "absent");
        if (!absent && !slice_eq(h->value, SL("*")) && !slice_eq(h->value, got))
            return case_fail(r, "header " SLF ": want " SLF ", got " SLF, SLA(name), SLA(h->value), SLA(got));
    }
    return true;
}

static bool is_json(const struct http_call *call)
{
    return slice_find(call->type, SL("json")) != SIZE_MAX;
}

/* What is sent; a stored file stands as "[the stored file]" between what frames it, whose lines end as those of this file. */
static slice body_of(struct run *r, const struct http_call *call)
{
    if (!call->media_head.n && !call->media_tail.n)
        return call->body;
    slice all = arena_printf(r->a, SLF "[the stored file]" SLF, SLA(call->media_head), SLA(call->media_tail));
    struct text t = text_new(r->a, CASE_BYTES_MAX);
    for (size_t i = 0; i < all.n; i++)
        if (all.p[i] != '\r')
            text_char(&t, all.p[i]);
    slice body = text_slice(&t);
    return slice_ends(body, SL("\n")) ? slice_sub(body, 0, body.n - 1) : body; /* as a section's */
}

static bool call_holds(struct run *r, const struct http_call *call, slice want)
{
    slice rest = want, first = slice_cut(&rest, '\n');
    slice method = slice_cut(&first, ' '), url = slice_cut(&first, ' ');
    if (!slice_eq(method, slice_of(call->method)) || !slice_eq(url, call->url))
        return case_fail(r, "call: want " SLF " " SLF ", got %s " SLF, SLA(method), SLA(url), call->method,
                        SLA(call->url));
    while (first.p && first.n) {
        slice word = slice_cut(&first, ' ');
        if (word.n && !word_holds(r, word, &first, call))
            return case_fail(r, "call: it is not " SLF ", but" SLF, SLA(word), SLA(words_of(r, call)));
    }
    if (!headers_hold(r, call, &rest))
        return false;
    slice body = body_of(r, call);
    if (!is_json(call) || !body.n)
        return slice_eq(slice_or(rest, SL("")), body) || case_fail(r, "call: want body \"" SLF "\", got \"" SLF "\"", SLA(rest), SLA(body));
    slice why = json_difference(r->a, rest, body);
    return !why.p || case_fail(r, "call body " SLF, SLA(why));
}

/* The section a call of this shape would be; the names of headers are those of the old section. */
static slice call_text(struct run *r, const struct http_call *call, slice old)
{
    struct text t = text_new(r->a, CASE_BYTES_MAX);
    text_add(&t, "%s " SLF SLF, call->method, SLA(call->url), SLA(words_of(r, call)));
    if (old.p) {
        slice_cut(&old, '\n');
        struct js_list kept = run_headers(r, &old);
        for (size_t i = 0; i < kept.n; i++) {
            const struct header *h = LIST_AT(kept, struct header, i);
            bool as_it_is = slice_starts(h->name, SL("!")) || slice_eq(h->value, SL("*"));
            text_add(&t, "\n" SLF ": " SLF, SLA(h->name),
                     SLA(as_it_is ? h->value : call_value(call, h->name)));
        }
    } else {
        if (call->type.p)
            text_add(&t, "\ncontent-type: " SLF, SLA(call->type));
        for (size_t i = 0; i < call->n_headers; i++)
            text_add(&t, "\n" SLF ": " SLF, SLA(call->headers[i].name), SLA(call->headers[i].value));
    }
    slice body = body_of(r, call);
    if (body.n)
        text_add(&t, "\n\n" SLF, SLA(is_json(call) ? json_pretty(r->a, body) : body));
    return text_slice(&t);
}

static bool expect_call(struct run *r, const struct http_call *call, size_t *at)
{
    assert(call->method && call->url.n);
    struct section *s = casefile_next(r->cf, "call", at);
    if (!s && !r->update)
        return case_fail(r, "a call more than expected: %s " SLF " " SLF, call->method, SLA(call->url),
                        SLA(call->body));
    if (s && call_holds(r, call, s->text))
        return true;
    if (!r->update)
        return false;
    r->why = SLICE_NONE;
    casefile_put(r->cf, s, "call", call_text(r, call, s ? s->text : SLICE_NONE));
    *at = s ? *at : r->cf->n;
    return true;
}

/* ---- its answer ---------------------------------------------------------------------------------------------------- */

static bool read_answer(struct run *r, size_t *at, struct answer *ret)
{
    struct section *s = casefile_next(r->cf, "answer", at);
    if (!s && !r->update)
        return case_fail(r, "no answer is given for a call");
    if (!s) { /* UPDATE: one to be edited */
        casefile_put(r->cf, NULL, "answer", SL("200\n\n{}"));
        s = &r->cf->sections[r->cf->n - 1];
        *at = r->cf->n;
    }
    slice rest = s->text, first = slice_cut(&rest, '\n');
    int64_t status = 0;
    *ret = (struct answer){ .written = true };
    if (slice_starts(first, SL("none"))) {
        ret->written = slice_ends(first, SL(" written"));
        ret->error = ret->written ? SL("time-out") : SL("cannot connect");
        return true;
    }
    if (!slice_int(slice_trim(first), &status) || status < 100 || status > 599)
        return case_fail(r, "an answer begins with a status or \"none\": " SLF, SLA(first));
    struct js_list headers = run_headers(r, &rest);
    ret->status = (int)status;
    ret->headers = headers.items;
    ret->n_headers = headers.n;
    ret->body = rest.p ? rest : SL("");
    for (size_t i = 0; i < headers.n; i++) {
        const struct header *h = LIST_AT(headers, struct header, i);
        int64_t seconds = 0;
        if (slice_eq_nocase(h->name, SL("content-type")))
            ret->type = h->value;
        if (slice_eq_nocase(h->name, SL("x-case")) && slice_eq(h->value, SL("hex"))) /* bytes that are no text */
            ret->body = hex_decode(r->a, slice_trim(ret->body));
        if (slice_eq_nocase(h->name, SL("retry-after")) && slice_int(h->value, &seconds))
            ret->retry_after_ms = seconds * 1000;
    }
    return true;
}

/* ---- the end ------------------------------------------------------------------------------------------------------- */

static slice end_text(struct run *r, enum outcome end, const struct delivery *d)
{
    switch (end) {
    case OUT_DELIVERED:
        return arena_printf(r->a, "delivered%s" SLF "%s%s", d->vendor_id.n ? " " : "", SLA(d->vendor_id),
                            d->status ? " as " : "", d->status ? status_names[d->status] : "");
    case OUT_RETRY:
        return d->retry_ms ? arena_printf(r->a, "retry %lld", (long long)d->retry_ms) : SL("retry");
    case OUT_REFUSED:
        return arena_printf(r->a, "refused %s", d->reason ? reason_names[d->reason] : "without a reason");
    case OUT_UNKNOWN:
        return SL("unknown");
    case OUT_PARKED:
        return arena_printf(r->a, "parked " SLF, SLA(d->wait_for));
    case OUT_CALL:
        break;
    }
    return SL("another call"); /* run_steps asks for ends only */
}

/* "refused invalid: text" compares the fault's text, too. */
static bool expect_end(struct run *r, slice got)
{
    struct section *s = casefile_next(r->cf, "outcome", NULL);
    if (s && slice_find(s->text, SL(": ")) != SIZE_MAX)
        got = arena_printf(r->a, SLF ": %s", SLA(got), r->fault.text);
    return expect_text(r, "outcome", got, SLICE_NONE);
}

static bool expect_person(struct run *r, const struct person *p)
{
    const struct message m = { .from = *p };
    struct fault f = { 0 };
    const struct js *from = js_at(js_parse(r->a, message_print(r->a, &m), &f), "from");
    return expect_json(r, "person", from ? js_print(r->a, from) : SL("{}"), SL("{}"));
}

static bool expect_data(struct run *r, const struct js_list *data)
{
    struct jw w = jw_new(r->a, CASE_BYTES_MAX);
    jw_open(&w, NULL, '{');
    for (size_t i = 0; i < data->n; i++) {
        jw_key(&w, LIST_AT(*data, struct js_pair, i)->key);
        jw_str(&w, NULL, LIST_AT(*data, struct js_pair, i)->value);
    }
    jw_close(&w, '}');
    return expect_json(r, "data", jw_done(&w), SL("{}"));
}

/* ---- run ----------------------------------------------------------------------------------------------------------- */

/* clang-format off */
static const struct js_field delivery_fields[] = {
    JS_FIELD(struct delivery, interrupted, "interrupted", JS_BOOL, 0),
    JS_FIELD(struct delivery, begun,       "begun",       JS_BOOL, 0),
    JS_FIELD(struct delivery, keep,        "keep",        JS_STR,  0),
    JS_FIELD(struct delivery, accepted_ms, "accepted",    JS_TIME, 0),
    JS_FIELD(struct delivery, key,         "key",         JS_STR,  0),
    JS_FIELD(struct delivery, resumed,     "resumed",     JS_STR,  0),
};
/* clang-format on */

static bool begin_delivery(struct run *r, struct delivery *d)
{
    struct fault f = { 0 };
    const struct js *given = run_json(r, "delivery", "{}");
    if (!given)
        return false;
    *d = (struct delivery){ .key = SL("dg-test-1"), .accepted_ms = r->call.now_ms };
    if (!js_read(r->a, given, delivery_fields, COUNT(delivery_fields), d, &f))
        return case_fail(r, "section \"delivery\": %s %s", f.field, f.text);
    int64_t attempt = 0, step = 0, part = 0;
    bool numbers = (!js_at(given, "attempt") || js_int(js_at(given, "attempt"), &attempt)) &&
                   (!js_at(given, "step") || js_int(js_at(given, "step"), &step)) &&
                   (!js_at(given, "part") || js_int(js_at(given, "part"), &part));
    d->attempt = (unsigned)attempt;
    d->step = (int)step;
    d->part = (size_t)part;
    if (!numbers)
        return case_fail(r, "section \"delivery\": attempt, step and part are numbers");

    slice text = casefile_text(r->cf, "message");
    if (!text.p)
        return true;
    struct message *m = ARENA_NEW(r->a, struct message);
    const struct js *doc = run_json(r, "message", "{}");
    if (!doc)
        return false;
    if (!message_read(r->a, doc, m, &f))
        return case_fail(r, "section \"message\": %s %s", f.field, f.text);
    d->m = d->parts = m;
    d->n_parts = 1;
    return true;
}

static bool receive_poll(struct run *r, const struct answer *last)
{
    struct inbox in;
    inbox_init(&in, r->a);
    struct request rq = { .method = SL("GET"),
                          .path = SL(""),
                          .body = last->body,
                          .headers = last->headers,
                          .n_headers = last->n_headers,
                          .polled = true,
                          .status = last->status };
    if (!r->k->receive(&r->call, &rq, &in))
        return expect_text(r, "fault", run_fault(r), SLICE_NONE);
    return expect_inbox(r, &in) && expect_memories(r);
}

/* The message as deliver gets it: made into parts this connector can carry. False with *ret_end: it was refused. */
static bool adapt(struct run *r, struct delivery *d)
{
    const struct adapt_to to = { &r->account, &r->conversation };
    struct adapted adapted;
    if (!adapt_message(r->a, &to, d->m, &adapted, &d->reason, &r->fault))
        return false;
    d->parts = adapted.parts;
    d->n_parts = adapted.n;
    return true;
}

/* What receive wants asked at once (inbox_ask), and what becomes of the answer to its sender. */
bool run_ask(struct run *r, struct inbox *in)
{
    struct delivery d = { .key = SL("dg-test-1"), .keep = in->ask_data };
    if (in->n) {
        r->call.conversation = &r->conversation;
        r->call.guest_memory = r->guest_memory;
    }
    size_t at = 0, answer_at = 0;
    struct answer answer, *last = NULL;
    enum outcome end = OUT_CALL;
    for (unsigned step = 0; step < STEPS_MAX && end == OUT_CALL; step++) {
        delivery_begin_step(&d, last);
        end = in->ask(&r->call, &d);
        if (end == OUT_CALL && (!expect_call(r, &d.call, &at) || !read_answer(r, &answer_at, &answer)))
            return false;
        last = &answer;
    }
    if (end == OUT_CALL || casefile_next(r->cf, "call", &at))
        return case_fail(r, "what is asked has other calls than expected");
    if (!expect_end(r, end_text(r, end, &d)))
        return false;
    if (in->ask_answer)
        in->ask_answer(&r->call, &d, end, in);
    return true;
}

/* What was found of a canned response, as JSON: name, library, text, substitutions, or why it cannot be sent. */
static bool expect_response(struct run *r, const struct canned_response *found)
{
    struct jw w = jw_new(r->a, 1 << 20);
    jw_open(&w, NULL, '{');
    if (found->name.n) {
        response_write(&w, found);
        jw_opt(&w, "why", found->why);
    }
    jw_close(&w, '}');
    return expect_json(r, "response", jw_done(&w), SL("{}"));
}

/* What a file was found to be: "LAT LON TITLE" */
static bool expect_location(struct run *r, const struct location *l)
{
    return expect_text(r, "location", l->present ? arena_printf(r->a, "%g %g " SLF, l->lat_deg, l->lon_deg, SLA(l->title)) : SLICE_NONE, SLICE_NONE);
}

bool run_steps(struct run *r, slice what)
{
    bool canned = slice_eq(what, SL("canned")), poll = slice_eq(what, SL("poll")), lookup = slice_eq(what, SL("lookup")), find = slice_eq(what, SL("media_find"));
    step_fn fn = poll                          ? r->k->poll.next
                 : canned                      ? r->k->canned.find
                 : lookup                      ? r->k->lookup.who
                 : slice_eq(what, SL("setup")) ? r->k->setup
                 : find                        ? r->k->media_find
                                               : r->k->deliver;
    struct delivery d;
    if (!fn)
        return case_fail(r, "%s has no " SLF, r->k->name, SLA(what));
    if (!begin_delivery(r, &d))
        return false;
    if (r->conversation.guest.p || fn == r->k->deliver || lookup) {
        r->call.conversation = &r->conversation;
        r->call.guest_memory = r->guest_memory;
    }
    if (fn == r->k->deliver && d.m && !adapt(r, &d))
        return expect_end(r, end_text(r, OUT_REFUSED, &d));
    d.wanted = casefile_text(r->cf, "wanted");
    if (find)
        d.media = d.m ? message_media(d.m) : NULL;
    if (find && !d.media)
        return case_fail(r, "the message has no media to find");
    size_t at = 0, answer_at = 0;
    struct answer answer, *last = NULL;
    enum outcome end = OUT_CALL;
    for (unsigned step = 0; step < STEPS_MAX; step++) {
        delivery_begin_step(&d, last);
        d.last_old_token = last && slice_eq(answer_header(last, "x-case"), SL("old-token")); /* another came while the call was under way */
        r->fault = (struct fault){ 0 };
        end = fn(&r->call, &d);
        if (end != OUT_CALL)
            break;
        if (!expect_call(r, &d.call, &at) || !read_answer(r, &answer_at, &answer))
            return false;
        last = &answer;
        if (poll)
            return receive_poll(r, last);
    }
    if (end == OUT_CALL)
        return case_fail(r, "no end after %d steps", STEPS_MAX);
    if (casefile_next(r->cf, "call", &at))
        return case_fail(r, "a call fewer than expected; it ended " SLF " %s", SLA(end_text(r, end, &d)),
                        r->fault.text);
    return expect_end(r, end_text(r, end, &d)) && (!lookup || (expect_person(r, &d.person) && expect_data(r, &d.data) && expect_location(r, &d.location) && expect_text(r, "text", d.text, SLICE_NONE) && expect_text(r, "payload", d.payload, SLICE_NONE))) &&
           (!find || expect_text(r, "url", d.media_url, SL(""))) && (!canned || expect_response(r, &d.response)) &&
           expect_memories(r);
}

bool run_token(struct run *r)
{
    struct http_call call = { 0 };
    if (!r->k->auth.token_call)
        return case_fail(r, "%s has no token_call", r->k->name);
    if (!r->k->auth.token_call(&r->call, &call))
        return expect_text(r, "fault", run_fault(r), SLICE_NONE);
    size_t at = 0;
    return expect_call(r, &call, &at);
}

bool run_media_url(struct run *r)
{
    struct delivery d;
    if (!r->k->media_url || !begin_delivery(r, &d) || !d.m || !d.m->media.n)
        return case_fail(r, "%s has no media_url, or the message no media", r->k->name);
    return expect_text(r, "url", r->k->media_url(&r->call, message_media(d.m)), SLICE_NONE);
}

bool run_check(struct run *r)
{
    bool good = !r->k->check || r->k->check(&r->call);
    return expect_text(r, "fault", good ? SL("none") : run_fault(r), SLICE_NONE);
}
