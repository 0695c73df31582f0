#include "hub/conversation.h"
#include "hub/media.h"
#include "hub/state.h"

struct conv_wait {
    struct conv_wait *next;
    void (*done)(void *arg, struct conv *conv);
    void *arg;
};
struct conversations {
    struct hub *hub;
    struct conv **buckets;
    size_t n_buckets, n, n_open;
    struct conv *oldest, *newest;
    struct arena *learning; /* which are open: while the state is gone through, nothing is put into it */
    struct js_list gone;    /* struct conv *: not open any more */
};
enum { CONV_BUCKETS = 4096, CONV_MEMORY_MAX = JOURNAL_VALUE_MAX / 2, PERSON_NAME_MAX = 1000, PERSON_WORD_MAX = 4000, AGENT_NAME_MAX = 1000, DESK_ID_MAX = 2000 };

struct conversations *conversations_new(struct hub *h)
{
    struct conversations *cs = must_calloc(1, sizeof(*cs));
    cs->hub = h;
    cs->n_buckets = CONV_BUCKETS;
    cs->buckets = must_calloc(cs->n_buckets, sizeof(struct conv *));
    return cs;
}

/* clang-format off */
static slice *const *conv_strings(struct conv *c, slice *ret[16])
{
    struct conversation *p = &c->pub;
    slice *all[] = { &p->id, &p->guest, &p->address, &p->person.id, &p->person.name, &p->person.first_name, &p->person.last_name,
                     &p->person.picture, &p->person.locale, &p->person.email, &p->agent_name, &p->desk_conversation, NULL };
    memcpy(ret, all, sizeof(all));
    return ret;
}
/* clang-format on */

static char *owned(slice s)
{
    char *p;
    memcpy(&p, &s.p, sizeof(p)); /* the strings of a conv are its own copies */
    return p;
}

static void open_unlink(struct conv *c)
{
    struct actor *desk = c->open_at;
    if (!c->open_next)
        return;
    if (desk->poll_next == c)
        desk->poll_next = c->open_next == c ? NULL : c->open_next;
    c->open_prev->open_next = c->open_next;
    c->open_next->open_prev = c->open_prev;
    c->open_prev = c->open_next = NULL;
}

static void open_link(struct conv *c)
{
    struct actor *desk = c->channel->tenant->desk;
    if (c->open_next)
        return;
    c->open_at = desk;
    if (!desk->poll_next) {
        c->open_prev = c->open_next = c;
        desk->poll_next = c;
        return;
    }
    c->open_next = desk->poll_next;
    c->open_prev = desk->poll_next->open_prev;
    c->open_prev->open_next = c;
    c->open_next->open_prev = c;
}

static void conv_free(struct conv *c)
{
    slice *strings[16];
    for (slice *const *s = conv_strings(c, strings); *s; s++)
        free(owned(**s));
    for (struct conv_wait *w = c->waiting, *next; w; w = next) {
        next = w->next;
        free(w);
    }
    memory_free(c->memory);
    free(c);
}

void conversations_free(struct conversations *cs)
{
    if (!cs)
        return;
    for (size_t i = 0; i < cs->n_buckets; i++)
        for (struct conv *c = cs->buckets[i], *next; c; c = next) {
            next = c->hash_next;
            conv_free(c);
        }
    free(cs->buckets);
    free(cs);
}

bool conv_set(struct conv *conv, slice *member, slice value)
{
    if (slice_eq(*member, value))
        return false;
    char *old = owned(*member);
    char *copy = NULL;
    if (value.n)
        memcpy(copy = must_malloc(value.n), value.p, value.n); /* all of it: a NUL is a character like others */
    *member = slice_mem(copy, value.n);
    free(old);
    conv->dirty = true;
    return true;
}

/* A name may be cut, an address may not: what is kept of a conversation has to fit into one value of the journal. */
void conv_person(struct conv *conv, const struct person *p)
{
    const slice names[] = { p->name, p->first_name, p->last_name }, words[] = { p->id, p->picture, p->locale, p->email };
    struct person *q = &conv->pub.person;
    slice *const to_names[] = { &q->name, &q->first_name, &q->last_name }, *const to_words[] = { &q->id, &q->picture, &q->locale, &q->email };
    for (size_t i = 0; i < COUNT(names); i++)
        if (names[i].n)
            conv_set(conv, to_names[i], utf8_cut_bytes(names[i], PERSON_NAME_MAX));
    for (size_t i = 0; i < COUNT(words); i++)
        if (words[i].n && words[i].n <= PERSON_WORD_MAX)
            conv_set(conv, to_words[i], words[i]);
}

void conv_agent(struct conv *conv, slice name)
{
    conv_set(conv, &conv->pub.agent_name, utf8_cut_bytes(name, AGENT_NAME_MAX));
}

void conv_desk(struct conv *conv, slice id)
{
    if (id.n <= DESK_ID_MAX)
        conv_set(conv, &conv->pub.desk_conversation, id);
}

bool conv_other_person(const struct conv *conv, const struct person *p)
{
    return p->id.n && conv->pub.person.id.n && !slice_eq(p->id, conv->pub.person.id);
}

void conv_person_forget(struct conv *conv)
{
    struct person *q = &conv->pub.person;
    slice *const all[] = { &q->id, &q->name, &q->first_name, &q->last_name, &q->picture, &q->locale, &q->email };
    for (size_t i = 0; i < COUNT(all); i++)
        conv_set(conv, all[i], SLICE_NONE);
    conv->person_until_ms = 0;
}

static void lru_unlink(struct conversations *cs, struct conv *c)
{
    *(c->older ? &c->older->newer : &cs->oldest) = c->newer;
    *(c->newer ? &c->newer->older : &cs->newest) = c->older;
    c->older = c->newer = NULL;
}

static void lru_newest(struct conversations *cs, struct conv *c)
{
    c->older = cs->newest;
    *(cs->newest ? &cs->newest->newer : &cs->oldest) = c;
    cs->newest = c;
}

static struct conv **bucket_of(struct conversations *cs, slice id)
{
    return &cs->buckets[slice_hash(id) % cs->n_buckets];
}

static void evict(struct conversations *cs)
{
    unsigned tries = 16; /* those at the old end may be held or open: do not walk far, and do not look at the same ones each time */
    for (struct conv *c = cs->oldest, *next; c && cs->n > cs->hub->limits.conversations && tries; c = next, tries--) {
        next = c->newer;
        if (c->holds || c->open_next || c->dirty || memory_dirty(c->memory)) {
            lru_unlink(cs, c);
            lru_newest(cs, c);
            continue;
        }
        struct conv **at = bucket_of(cs, c->pub.id);
        while (*at != c)
            at = &(*at)->hash_next;
        *at = c->hash_next;
        lru_unlink(cs, c);
        cs->n--;
        conv_free(c);
    }
}

/* ---- the stored form -------------------------------------------------------------------------------------------- */

struct stored {
    struct person person;
    slice agent_name, desk_conversation, desk_account, memory;
    bool open;
    int64_t last_in_ms, last_out_ms, person_until_ms, agent_until_ms;
};
/* clang-format off */
static const struct js_field stored_fields[] = {
    JS_FIELD_OBJ(struct stored, person, "person", person_fields, 0),
    JS_FIELD(struct stored, agent_name,        "agent",        JS_STR,  0),
    JS_FIELD(struct stored, desk_conversation, "desk",         JS_STR,  0),
    JS_FIELD(struct stored, desk_account,      "at",           JS_STR,  0), /* whose desk_conversation it is; left out: the tenant's only desk so far */
    JS_FIELD(struct stored, open,              "open",         JS_BOOL, 0),
    JS_FIELD(struct stored, last_in_ms,        "last_in",      JS_I64,  0),
    JS_FIELD(struct stored, last_out_ms,       "last_out",     JS_I64,  0),
    JS_FIELD(struct stored, person_until_ms,   "person_until", JS_I64,  0),
    JS_FIELD(struct stored, agent_until_ms,    "agent_until",  JS_I64,  0),
    JS_FIELD(struct stored, memory,            "memory",       JS_RAW,  0),
};
/* clang-format on */

static slice state_key(struct arena *a, char letter, slice id)
{
    return arena_join(a, (slice){ &letter, 1 }, SL(":"), id);
}

static slice stored_print(struct arena *a, const struct stored *st)
{
    struct jw w = jw_new(a, JOURNAL_VALUE_MAX);
    jw_open(&w, NULL, '{');
    jw_fields(&w, stored_fields, COUNT(stored_fields), st);
    jw_close(&w, '}');
    return jw_done(&w);
}

static void open_put(struct conv *conv, struct jbatch *b)
{
    CLEANUP(arena_freep) struct arena *a = arena_new();
    state_put(conv->channel->hub->state, b, state_key(a, 'o', conv->pub.id), conv->pub.open ? SL("1") : SLICE_NONE);
    conv->open_dirty = false;
}

void conv_soil(struct conv *conv)
{
    conv->dirty = conv->open_dirty = true;
}

void conv_save(struct conv *conv, struct jbatch *b)
{
    if (!conv->dirty && !memory_dirty(conv->memory))
        return;
    if (conv->open_dirty)
        open_put(conv, b);
    CLEANUP(arena_freep) struct arena *a = arena_new();
    struct stored st = {
        .person = conv->pub.person,
        .agent_name = conv->pub.agent_name,
        .desk_conversation = conv->pub.desk_conversation,
        .desk_account = conv->pub.desk_conversation.n ? conv->channel->tenant->desk->account.name : SLICE_NONE,
        .open = conv->pub.open,
        .last_in_ms = conv->pub.last_in_ms,
        .last_out_ms = conv->pub.last_out_ms,
        .person_until_ms = conv->person_until_ms,
        .agent_until_ms = conv->agent_until_ms,
    };
    if (!memory_is_empty(conv->memory))
        st.memory = memory_fit(a, conv->memory, time_now_ms(), CONV_MEMORY_MAX);
    slice json = stored_print(a, &st);
    if (!json.p) { /* who it is can be asked again, and the next message may say it; how the conversation stands cannot */
        struct log_line *l = log_begin(conv->channel->hub->log, LEVEL_WARN, "What is known of a guest is too long to be kept; the rest of the conversation is");
        log_str(l, "account", conv->channel->account.id);
        log_end(l);
        st.person = (struct person){ 0 };
        st.person_until_ms = 0;
        json = stored_print(a, &st);
    }
    assert(json.p); /* CONV_MEMORY_MAX, AGENT_NAME_MAX and DESK_ID_MAX leave room, whatever is to be escaped in them */
    state_put(conv->channel->hub->state, b, state_key(a, 'c', conv->pub.id), json);
    conv->dirty = false;
    memory_clean(conv->memory);
}

static void stored_read(struct conv *c, slice json)
{
    CLEANUP(arena_freep) struct arena *a = arena_new();
    struct stored st = { 0 };
    const struct js *doc = js_parse(a, json, NULL);
    if (!doc || !js_read(a, doc, stored_fields, COUNT(stored_fields), &st, NULL))
        return; /* written by ourselves; what cannot be read is as good as new */
    conv_person(c, &st.person);
    conv_agent(c, st.agent_name);
    bool here = !st.desk_account.n || slice_eq(st.desk_account, c->channel->tenant->desk->account.name);
    if (here)
        conv_desk(c, st.desk_conversation);
    c->pub.open = st.open && here;
    c->pub.last_in_ms = st.last_in_ms;
    c->pub.last_out_ms = st.last_out_ms;
    c->person_until_ms = st.person_until_ms;
    c->agent_until_ms = st.agent_until_ms;
    if (st.memory.n && !memory_load(c->memory, st.memory, NULL))
        memory_clean(c->memory);
    c->dirty = false;
}

/* ---- getting ---------------------------------------------------------------------------------------------------- */

static void conv_loaded(void *arg, slice value)
{
    struct conv *c = arg;
    if (value.p)
        stored_read(c, value);
    c->loaded = true;
    if (c->pub.open)
        open_link(c);
    for (struct conv_wait *w = c->waiting, *next; w; w = next) {
        next = w->next;
        w->done(w->arg, c);
        free(w);
    }
    c->waiting = NULL;
    c->waiting_last = &c->waiting;
    conv_release(c); /* the load's own hold */
}

static struct conv *conv_make(struct hub *h, struct actor *channel, slice guest, slice id)
{
    struct conversations *cs = h->conversations;
    struct conv *c = must_calloc(1, sizeof(*c));
    c->channel = channel;
    c->memory = memory_new();
    c->waiting_last = &c->waiting;
    conv_set(c, &c->pub.id, id);
    conv_set(c, &c->pub.guest, guest);
    CLEANUP(arena_freep) struct arena *a = arena_new();
    conv_set(c, &c->pub.address, arena_join(a, guest, SL("@"), channel->account.name));
    c->pub.network = slice_of(channel->account.type->title);
    c->pub.tenant = channel->tenant->name;
    c->pub.tenant_data = channel->tenant->data;
    c->dirty = false;
    struct conv **at = bucket_of(cs, id);
    c->hash_next = *at;
    *at = c;
    cs->n++;
    lru_newest(cs, c);
    return c;
}

void conv_get(struct hub *h, struct actor *channel, slice guest, void (*done)(void *, struct conv *), void *arg)
{
    CLEANUP(arena_freep) struct arena *a = arena_new();
    slice id = arena_join(a, channel->account.id, SL(":"), guest);
    struct conv *c = *bucket_of(h->conversations, id);
    while (c && !slice_eq(c->pub.id, id))
        c = c->hash_next;
    bool fresh = !c;
    if (fresh) {
        evict(h->conversations);
        c = conv_make(h, channel, guest, id);
        c->holds++; /* by the load */
    } else if (c->newer) {
        lru_unlink(h->conversations, c);
        lru_newest(h->conversations, c);
    }
    c->holds++;
    if (c->loaded) {
        done(arg, c);
        return;
    }
    struct conv_wait *w = must_malloc(sizeof(*w));
    *w = (struct conv_wait){ .done = done, .arg = arg };
    *c->waiting_last = w;
    c->waiting_last = &w->next;
    if (fresh)
        state_get(h->state, state_key(a, 'c', id), conv_loaded, c);
}

struct conv *conv_hold(struct conv *conv)
{
    conv->holds++;
    return conv;
}

void conv_release(struct conv *conv)
{
    assert(conv->holds > 0);
    conv->holds--;
}

void conv_open(struct conv *conv, bool open, struct jbatch *b)
{
    if (conv->pub.open == open)
        return;
    struct hub *h = conv->channel->hub;
    conv->pub.open = open;
    conv->dirty = true;
    open_put(conv, b);
    if (open) {
        open_link(conv);
        media_purge_cancel(h, conv, b);
    } else {
        open_unlink(conv);
    }
    h->conversations->n_open += open ? 1 : (size_t)-1;
}

/* ---- erasing ------------------------------------------------------------------------------------------------------ */

struct erasing {
    struct hub *hub;
    void (*also)(void *arg, struct jbatch *b);
    void (*done)(void *arg, bool ok);
    void *arg;
    slice id;
    struct arena *a;
};

static void erased(void *arg, bool ok)
{
    struct erasing *er = arg;
    er->done(er->arg, ok);
    arena_free(er->a);
}

static void forget_all(struct conv *conv, struct jbatch *b)
{
    struct hub *h = conv->channel->hub;
    CLEANUP(arena_freep) struct arena *a = arena_new();
    conv_person_forget(conv);
    conv_set(conv, &conv->pub.agent_name, SLICE_NONE);
    conv->agent_until_ms = 0;
    if (conv->pub.open) {
        conv_save(conv, b);
        return;
    }
    conv_set(conv, &conv->pub.desk_conversation, SLICE_NONE);
    conv->pub.last_in_ms = conv->pub.last_out_ms = 0;
    memory_clear(conv->memory);
    conv->dirty = false;
    state_put(h->state, b, state_key(a, 'c', conv->pub.id), SLICE_NONE);
}

static void erase_now(struct erasing *er, struct conv *conv)
{
    struct jbatch *b = jbatch_new(er->hub->journal);
    if (conv)
        forget_all(conv, b);
    else
        state_put(er->hub->state, b, state_key(er->a, 'c', er->id), SLICE_NONE);
    if (er->also)
        er->also(er->arg, b);
    jbatch_commit(b, JOURNAL_DURABLE, erased, er);
}

static void erase_loaded(void *arg, struct conv *conv)
{
    erase_now(arg, conv);
    conv_release(conv);
}

void conv_erase(struct hub *h, slice id, void (*also)(void *, struct jbatch *), void (*done)(void *, bool), void *arg)
{
    struct arena *a = arena_new();
    struct erasing *er = ARENA_NEW(a, struct erasing);
    *er = (struct erasing){ .hub = h, .also = also, .done = done, .arg = arg, .id = arena_dup(a, id), .a = a };
    slice guest = er->id, account = slice_cut(&guest, ':');
    struct actor *channel = hub_actor(h, account);
    if (channel && guest.n)
        conv_get(h, channel, guest, erase_loaded, er);
    else
        erase_now(er, NULL);
}

void conversations_leave_desk(struct hub *h, struct actor *desk)
{
    struct jbatch *b = jbatch_new(h->journal);
    while (desk->poll_next) {
        struct conv *conv = desk->poll_next;
        conv_set(conv, &conv->pub.desk_conversation, SLICE_NONE);
        conv_open(conv, false, b);
        media_purge_later(h, conv, b); /* nobody will ever tell the end of it; who writes again calls that off */
        conv_save(conv, b);
    }
    jbatch_commit(b, JOURNAL_DURABLE, NULL, NULL);
}

/* It was at another desk, which the tenant had before this start. */
static void open_elsewhere(struct hub *h, struct conv *conv)
{
    struct jbatch *b = jbatch_new(h->journal);
    h->conversations->n_open--;
    open_put(conv, b);
    media_purge_later(h, conv, b);
    conv_save(conv, b);
    jbatch_commit(b, JOURNAL_LAZY, NULL, NULL);
    conv_release(conv);
}

static void open_again(void *arg, struct conv *conv)
{
    struct hub *h = arg;
    struct conversations *cs = h->conversations;
    if (conv->pub.open)
        conv_release(conv);
    else if (cs->learning)
        *LIST_ADD(cs->learning, &cs->gone, struct conv *) = conv;
    else
        open_elsewhere(h, conv);
}

static void open_found(void *arg, slice key, slice value)
{
    struct hub *h = arg;
    (void)value;
    slice id = slice_from(key, 2);
    size_t colon = slice_find_char(id, ':');
    struct actor *channel = colon == SIZE_MAX ? NULL : hub_actor(h, slice_sub(id, 0, colon));
    if (!channel)
        return;
    h->conversations->n_open++;
    conv_get(h, channel, slice_from(id, colon + 1), open_again, h);
}

void conversations_load_open(struct hub *h)
{
    struct conversations *cs = h->conversations;
    cs->learning = arena_new();
    state_each(h->state, SL("o:"), open_found, h);
    for (size_t i = 0; i < cs->gone.n; i++)
        open_elsewhere(h, *LIST_AT(cs->gone, struct conv *, i));
    cs->gone = (struct js_list){ 0 };
    cs->learning = arena_free(cs->learning);
}

size_t conversations_open(const struct hub *h)
{
    return h->conversations->n_open;
}

size_t conversations_in_memory(const struct hub *h)
{
    return h->conversations->n;
}
