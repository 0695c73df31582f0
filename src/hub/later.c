#include "hub/later.h"
#include "hub/accept.h"
#include "hub/conversation.h"
#include "hub/state.h"

enum { LOOK_MOST_MS = 60000, AGAIN_MS = 5000, HOMELESS_MS = 300000 };

struct item {
    struct item *next;
    struct hub *hub;
    struct arena *a;
    slice conversation, by;
    int64_t at_ms, asked_ms;
    bool busy; /* its line is being stored */
};
struct later {
    struct item *items;
    struct loop_timer timer;
    bool running;
};

static slice state_key(struct arena *a, slice conversation)
{
    return arena_join(a, SL("l:"), conversation, SLICE_NONE);
}

/* clang-format off */
static const struct js_field fields[] = {
    JS_FIELD(struct item, at_ms,    "at",    JS_I64, JS_REQ),
    JS_FIELD(struct item, asked_ms, "asked", JS_I64, 0),
    JS_FIELD(struct item, by,       "by",    JS_STR, 0),
};
/* clang-format on */

static void item_free(struct item *it)
{
    arena_free(it->a);
    free(it);
}

static struct item **place(struct later *l, slice conversation)
{
    struct item **at = &l->items;
    while (*at && !slice_eq((*at)->conversation, conversation))
        at = &(*at)->next;
    return at;
}

/* One that is being stored goes on by itself; it is only no longer in the list. */
static void take_out(struct later *l, slice conversation)
{
    struct item **at = place(l, conversation), *it = *at;
    if (!it)
        return;
    *at = it->next;
    if (!it->busy)
        item_free(it);
    else
        it->hub = NULL;
}

static struct item *item_new(struct hub *h, slice conversation)
{
    struct item *it = must_calloc(1, sizeof(*it));
    it->hub = h;
    it->a = arena_new();
    it->conversation = arena_dup(it->a, conversation);
    it->next = h->later->items;
    h->later->items = it;
    return it;
}

static void item_put(struct item *it, struct jbatch *b)
{
    CLEANUP(arena_freep) struct arena *a = arena_new();
    struct jw w = jw_new(a, 4096);
    jw_open(&w, NULL, '{');
    jw_fields(&w, fields, COUNT(fields), it);
    jw_close(&w, '}');
    state_put(it->hub->state, b, state_key(a, it->conversation), jw_done(&w));
}

/* ---- its time has come -------------------------------------------------------------------------------------------------- */

static void look(void *arg);

static void stored(void *arg, bool ok)
{
    struct item *it = arg;
    struct hub *h = it->hub;
    it->busy = false;
    if (!h) {
        item_free(it); /* another one has its place */
    } else if (ok) {
        take_out(h->later, it->conversation);
    } else {
        it->at_ms = time_now_ms() + AGAIN_MS;
        if (!h->stopped) { /* that it is over is not on disk; it must not come there by itself */
            struct jbatch *b = jbatch_new(h->journal);
            item_put(it, b);
            jbatch_commit(b, JOURNAL_LAZY, NULL, NULL);
        }
        look(h);
    }
}

static void bring_back(void *arg, struct conv *conv)
{
    struct item *it = arg;
    struct hub *h = it->hub;
    if (!h) { /* it was planned anew while its conversation was being loaded */
        item_free(it);
        conv_release(conv);
        return;
    }
    CLEANUP(arena_freep) struct arena *a = arena_new();
    slice asked = it->asked_ms ? time_rfc3339(a, it->asked_ms) : SL("");
    struct message m = { .kind = KIND_TEXT, .origin = ORIGIN_HUB, .guest = conv->pub.guest, .at_ms = time_now_ms(), .name = SL("continue") };
    m.text = arena_printf(a, "[Commander] It is time to continue this conversation%s" SLF "%s%.10s%s", it->by.n ? ", as " : "", SLA(it->by),
                          asked.n ? (it->by.n ? " asked on " : ", as asked on ") : "", asked.p, it->by.n && !asked.n ? " asked" : "");
    message_data(a, &m, SL("continue"), slice_or(it->by, SL("true")));
    struct jbatch *b = jbatch_new(h->journal);
    accept_own(conv->channel->tenant->desk, conv, &m, b);
    state_put(h->state, b, state_key(a, it->conversation), SLICE_NONE);
    jbatch_commit(b, JOURNAL_DURABLE, stored, it);
    conv_release(conv);
}

static void due(struct item *it)
{
    slice guest = it->conversation, channel_id = slice_cut(&guest, ':');
    struct actor *channel = hub_actor(it->hub, channel_id);
    if (!channel || !guest.n) {
        it->at_ms = time_now_ms() + HOMELESS_MS; /* its channel is not configured: perhaps it comes back */
        return;
    }
    it->busy = true;
    conv_get(it->hub, channel, guest, bring_back, it);
}

static void look(void *arg)
{
    struct hub *h = arg;
    struct later *l = h->later;
    int64_t now_ms = time_now_ms(), wait_ms = LOOK_MOST_MS;
    if (!l->running || h->draining)
        return;
    for (struct item *it = l->items, *next; it; it = next) {
        next = it->next;
        if (!it->busy && it->at_ms <= now_ms)
            due(it);
    }
    for (struct item *it = l->items; it; it = it->next)
        if (!it->busy)
            wait_ms = MIN(wait_ms, MAX(it->at_ms - now_ms, 1));
    loop_timer_start(h->loop, &l->timer, wait_ms, look, h);
}

/* ---- planning --------------------------------------------------------------------------------------------------------------- */

void later_put(struct hub *h, struct jbatch *b, const struct conv *conv, int64_t at_ms, slice by)
{
    CLEANUP(arena_freep) struct arena *a = arena_new();
    take_out(h->later, conv->pub.id);
    if (!at_ms) {
        state_put(h->state, b, state_key(a, conv->pub.id), SLICE_NONE);
        return;
    }
    struct item *it = item_new(h, conv->pub.id);
    it->at_ms = at_ms;
    it->asked_ms = time_now_ms();
    it->by = arena_dup(it->a, by);
    item_put(it, b);
    look(h);
}

int64_t later_at(const struct hub *h, slice conversation)
{
    const struct item *it = h->later ? *place(h->later, conversation) : NULL;
    return it ? it->at_ms : 0;
}

static void loaded(void *arg, slice key, slice value)
{
    struct hub *h = arg;
    if (!value.n)
        return;
    slice conversation = slice_from(key, 2);
    take_out(h->later, conversation);
    struct item *it = item_new(h, conversation);
    const struct js *doc = js_parse(it->a, arena_dup(it->a, value), NULL);
    if (!doc || !js_read(it->a, doc, fields, COUNT(fields), it, NULL))
        take_out(h->later, conversation);
}

void later_load(struct hub *h)
{
    h->later = must_calloc(1, sizeof(*h->later));
    state_each(h->state, SL("l:"), loaded, h);
}

void later_start(struct hub *h)
{
    h->later->running = true;
    look(h);
}

void later_stop(struct hub *h)
{
    struct later *l = h->later;
    if (!l)
        return;
    loop_timer_done(&l->timer);
    for (struct item *it = l->items, *next; it; it = next) {
        next = it->next;
        item_free(it);
    }
    free(l);
    h->later = NULL;
}
