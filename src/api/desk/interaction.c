#include "api/desk/interaction.h"
#include "hub/message.h"
#include "hub/state.h"

enum { BUCKETS = 4096, STORED_MAX = JOURNAL_VALUE_MAX };
#define KEY "i:"

const char *const desk_state_names[DESK_STATES] = { "queued", "invited", "open", "held", "wrapup", "done" };
const char *const desk_part_names[DESK_PARTS] = { "owner", "consulted", "conferenced", "monitor", "coach" };

struct interactions {
    struct hub *hub;
    struct interaction *by_id[BUCKETS], *by_conv[BUCKETS];
    struct interaction *first, *last, *first_done, *last_done;
    size_t n_done, n_erased;
    struct ulid_state ids;
};

/* clang-format off */
static const struct js_field agent_fields[] = {
    JS_FIELD(struct desk_agent, user, "user", JS_STR, JS_REQ),
    JS_FIELD_ENUM(struct desk_agent, part, "role", desk_part_names, JS_REQ),
};
static const struct js_field fields[] = {
    JS_FIELD(struct interaction, conversation,      "conversation",   JS_STR,  JS_REQ),
    JS_FIELD(struct interaction, queue,             "queue",          JS_STR,  0),
    JS_FIELD(struct interaction, subject,           "subject",        JS_STR,  0),
    JS_FIELD(struct interaction, disposition,       "disposition",    JS_STR,  0),
    JS_FIELD(struct interaction, note,              "note",           JS_STR,  0),
    JS_FIELD(struct interaction, attributes,        "attributes",     JS_RAW,  0),
    JS_FIELD(struct interaction, name,              "name",           JS_STR,  0),
    JS_FIELD(struct interaction, picture,           "picture",        JS_STR,  0),
    JS_FIELD(struct interaction, contact,           "contact",        JS_STR,  0),
    JS_FIELD(struct interaction, invited,           "invited",        JS_STR,  0),
    JS_FIELD(struct interaction, transferred,       "transferred",    JS_BOOL, 0),
    JS_FIELD(struct interaction, last_agent,        "last_agent",     JS_STR,  0),
    JS_FIELD(struct interaction, last_until_ms,     "last_until",     JS_I64,  0),
    JS_FIELD(struct interaction, owner_was,         "owner_was",      JS_STR,  0),
    JS_FIELD(struct interaction, failed,            "failed",         JS_STR,  0),
    JS_FIELD(struct interaction, failed_reason,     "failed_reason",  JS_STR,  0),
    JS_FIELD_ENUM(struct interaction, state,        "state",          desk_state_names, JS_REQ | JS_ZERO),
    JS_FIELD(struct interaction, overflowed,        "overflowed",     JS_BOOL, 0),
    JS_FIELD(struct interaction, abandoned,         "abandoned",      JS_BOOL, 0),
    JS_FIELD(struct interaction, closed_told,       "closed_told",    JS_BOOL, 0),
    JS_FIELD(struct interaction, over,              "over",           JS_BOOL, 0),
    JS_FIELD(struct interaction, created_ms,        "created",        JS_I64,  0),
    JS_FIELD(struct interaction, queued_ms,         "queued",         JS_I64,  0),
    JS_FIELD(struct interaction, invited_ms,        "invited_at",     JS_I64,  0),
    JS_FIELD(struct interaction, accepted_ms,       "accepted",       JS_I64,  0),
    JS_FIELD(struct interaction, first_accepted_ms, "first_accepted", JS_I64,  0),
    JS_FIELD(struct interaction, last_guest_ms,     "last_guest",     JS_I64,  0),
    JS_FIELD(struct interaction, last_agent_ms,     "last_said",      JS_I64,  0),
    JS_FIELD(struct interaction, held_until_ms,     "held_until",     JS_I64,  0),
    JS_FIELD(struct interaction, done_ms,           "done",           JS_I64,  0),
    JS_FIELD(struct interaction, unread,            "unread",         JS_I64,  0),
    JS_FIELD(struct interaction, first_number,      "first_number",   JS_I64,  0),
    JS_FIELD(struct interaction, last_number,       "last_number",    JS_I64,  0),
    JS_FIELD_LIST(struct interaction, agents,       "agents",         struct desk_agent, agent_fields, 0),
};
/* clang-format on */

static char *owned(slice s)
{
    char *p;
    memcpy(&p, &s.p, sizeof(p)); /* its texts are its own copies */
    return p;
}

void interaction_set(slice *member, slice value)
{
    char *p = value.n ? must_malloc(value.n) : NULL;
    if (value.n)
        memcpy(p, value.p, value.n);
    free(owned(*member));
    *member = slice_mem(p, value.n);
}

/* ---- tables ------------------------------------------------------------------------------------------------------------------------ */

static struct interaction **id_place(const struct interactions *t, slice id)
{
    struct interaction *const *at = &t->by_id[slice_hash(id) % BUCKETS];
    while (*at && !slice_eq((*at)->id, id))
        at = &(*at)->hash_next;
    struct interaction **ret;
    memcpy(&ret, &at, sizeof(ret)); /* the table is ours to change */
    return ret;
}

struct interaction *interactions_find(const struct interactions *t, slice id)
{
    return *id_place(t, id);
}

struct interaction *interactions_active(const struct interactions *t, slice conversation, bool about_failed)
{
    for (struct interaction *it = t->by_conv[slice_hash(conversation) % BUCKETS]; it; it = it->conv_next)
        if (it->state != DESK_DONE && (it->failed.n > 0) == about_failed && slice_eq(it->conversation, conversation))
            return it;
    return NULL;
}

struct interaction *interactions_last(const struct interactions *t, slice conversation)
{
    struct interaction *last = NULL;
    for (struct interaction *it = t->by_conv[slice_hash(conversation) % BUCKETS]; it; it = it->conv_next)
        if (it->state == DESK_DONE && !it->failed.n && slice_eq(it->conversation, conversation) && (!last || it->done_ms > last->done_ms))
            last = it;
    return last;
}

struct interaction *interactions_first(const struct interactions *t)
{
    return t->first;
}

struct interaction *interactions_first_done(const struct interactions *t)
{
    return t->first_done;
}

static void link_last(struct interactions *t, struct interaction *it)
{
    struct interaction **first = it->state == DESK_DONE ? &t->first_done : &t->first, **last = it->state == DESK_DONE ? &t->last_done : &t->last;
    it->prev = *last;
    it->next = NULL;
    *(it->prev ? &it->prev->next : first) = it;
    *last = it;
    t->n_done += it->state == DESK_DONE;
}

static void unlink_it(struct interactions *t, struct interaction *it)
{
    struct interaction **first = it->state == DESK_DONE ? &t->first_done : &t->first, **last = it->state == DESK_DONE ? &t->last_done : &t->last;
    *(it->prev ? &it->prev->next : first) = it->next;
    *(it->next ? &it->next->prev : last) = it->prev;
    t->n_done -= it->state == DESK_DONE;
}

static void insert(struct interactions *t, struct interaction *it)
{
    struct interaction **bucket = &t->by_conv[slice_hash(it->conversation) % BUCKETS];
    it->hash_next = NULL;
    *id_place(t, it->id) = it;
    it->conv_next = *bucket;
    *bucket = it;
    link_last(t, it);
}

void interaction_state(struct interactions *t, struct interaction *it, enum desk_state state)
{
    if (state < DESK_WRAPUP) /* it goes on */
        it->over = false;
    if ((it->state == DESK_DONE) == (state == DESK_DONE)) {
        it->state = (int)state;
        return;
    }
    unlink_it(t, it);
    it->state = (int)state;
    link_last(t, it);
}

struct interaction *interactions_add(struct interactions *t, slice conversation, int64_t now_ms)
{
    struct interaction *it = must_calloc(1, sizeof(*it));
    char ulid[ULID_TEXT], id[ULID_TEXT + 3] = "it-";
    ulid_next(&t->ids, now_ms, ulid);
    memcpy(id + 3, ulid, ULID_TEXT);
    interaction_set(&it->id, slice_of(id));
    interaction_set(&it->conversation, conversation);
    it->created_ms = it->queued_ms = now_ms;
    insert(t, it);
    return it;
}

static void interaction_free(struct interaction *it)
{
    interaction_alone(it);
    free(it->agents.items);
    interaction_forgive(it);
    free(owned(it->id));
    for (size_t i = 0; i < COUNT(fields); i++)
        if (fields[i].type == JS_STR || fields[i].type == JS_RAW)
            free(owned(*(slice *)(void *)((char *)it + fields[i].off)));
    free(it);
}

static void drop(struct interactions *t, struct interaction *it, struct jbatch *b)
{
    CLEANUP(arena_freep) struct arena *a = arena_new();
    struct interaction **at = &t->by_conv[slice_hash(it->conversation) % BUCKETS];
    while (*at != it)
        at = &(*at)->conv_next;
    *at = it->conv_next;
    *id_place(t, it->id) = it->hash_next;
    unlink_it(t, it);
    state_put(t->hub->state, b, arena_printf(a, KEY SLF, SLA(it->id)), SLICE_NONE);
    interaction_free(it);
}

void interactions_sweep(struct interactions *t, int64_t now_ms)
{
    enum { AT_ONCE = 200 };
    struct jbatch *b = NULL;
    for (struct interaction *it = t->n_erased ? t->first_done : NULL, *next; it; it = next) {
        next = it->next;
        if (!it->erased || it->holds)
            continue;
        b = b ? b : jbatch_new(t->hub->journal);
        drop(t, it, b);
        t->n_erased--;
    }
    for (int i = 0; i < AT_ONCE && t->first_done && !t->first_done->holds; i++) {
        if (t->n_done <= DESK_DONE_MAX && now_ms - t->first_done->done_ms < DESK_DONE_KEEP_MS)
            break;
        b = b ? b : jbatch_new(t->hub->journal);
        drop(t, t->first_done, b);
    }
    if (b)
        jbatch_commit(b, JOURNAL_LAZY, NULL, NULL);
}

void interactions_erase(struct interactions *t, slice conversation, struct jbatch *b)
{
    for (struct interaction *it = t->by_conv[slice_hash(conversation) % BUCKETS], *next; it; it = next) {
        next = it->conv_next;
        if (!slice_eq(it->conversation, conversation) || it->erased)
            continue;
        if (!it->holds) {
            drop(t, it, b);
            continue;
        }
        it->erased = true;
        t->n_erased++;
        it->done_ms = time_now_ms();
        interaction_alone(it);
        interaction_state(t, it, DESK_DONE);
        interaction_save(t, it, b);
    }
}

/* ---- stored ------------------------------------------------------------------------------------------------------------------------ */

void interaction_save(struct interactions *t, const struct interaction *it, struct jbatch *b)
{
    CLEANUP(arena_freep) struct arena *a = arena_new();
    struct jw w = jw_new(a, STORED_MAX);
    jw_open(&w, NULL, '{');
    jw_fields(&w, fields, COUNT(fields), it);
    jw_close(&w, '}');
    slice json = jw_done(&w);
    assert(json.p); /* its parts are bounded */
    state_put(t->hub->state, b, arena_printf(a, KEY SLF, SLA(it->id)), it->erased ? SLICE_NONE : json);
}

static void read_one(void *arg, slice key, slice value)
{
    struct interactions *t = arg;
    CLEANUP(arena_freep) struct arena *a = arena_new();
    struct interaction st = { .id = slice_from(key, sizeof(KEY) - 1) };
    const struct js *doc = js_parse(a, value, NULL);
    if (!doc || !st.id.n || interactions_find(t, st.id) || !js_read(a, doc, fields, COUNT(fields), &st, NULL))
        return; /* written by ourselves */
    struct interaction *it = must_calloc(1, sizeof(*it));
    *it = st;
    it->id = SLICE_NONE;
    interaction_set(&it->id, st.id);
    for (size_t i = 0; i < COUNT(fields); i++) {
        if (fields[i].type != JS_STR && fields[i].type != JS_RAW)
            continue;
        slice *member = (slice *)(void *)((char *)it + fields[i].off), text = *member;
        *member = SLICE_NONE;
        interaction_set(member, text);
    }
    it->agents = (struct js_list){ NULL, 0 };
    for (size_t i = 0; i < st.agents.n; i++) {
        const struct desk_agent *one = LIST_AT(st.agents, struct desk_agent, i);
        (void)interaction_join(it, one->user, (enum desk_part)one->part);
    }
    insert(t, it);
}

struct interactions *interactions_new(struct hub *h)
{
    struct interactions *t = must_calloc(1, sizeof(*t));
    t->hub = h;
    state_each(h->state, SL(KEY), read_one, t);
    return t;
}

void interactions_free(struct interactions *t)
{
    if (!t)
        return;
    struct interaction *const lists[] = { t->first, t->first_done };
    for (size_t i = 0; i < COUNT(lists); i++) {
        for (struct interaction *it = lists[i], *next; it; it = next) {
            next = it->next;
            interaction_free(it);
        }
    }
    free(t);
}

/* ---- who is in it ------------------------------------------------------------------------------------------------------------------- */

const struct desk_agent *interaction_agent(const struct interaction *it, slice user)
{
    for (size_t i = 0; i < it->agents.n; i++)
        if (slice_eq(LIST_AT(it->agents, struct desk_agent, i)->user, user))
            return LIST_AT(it->agents, struct desk_agent, i);
    return NULL;
}

slice interaction_owner(const struct interaction *it)
{
    for (size_t i = 0; i < it->agents.n; i++)
        if (LIST_AT(it->agents, struct desk_agent, i)->part == DESK_OWNER)
            return LIST_AT(it->agents, struct desk_agent, i)->user;
    return SLICE_NONE;
}

bool interaction_join(struct interaction *it, slice user, enum desk_part part)
{
    for (size_t i = 0; i < it->agents.n; i++) {
        struct desk_agent *one = LIST_AT(it->agents, struct desk_agent, i);
        if (slice_eq(one->user, user)) {
            one->part = (int)part;
            return true;
        }
    }
    if (it->agents.n == DESK_AGENTS_MAX)
        return false;
    if (!it->agents.items)
        it->agents.items = must_calloc(DESK_AGENTS_MAX, sizeof(struct desk_agent));
    struct desk_agent *one = LIST_AT(it->agents, struct desk_agent, it->agents.n++);
    *one = (struct desk_agent){ .part = (int)part };
    interaction_set(&one->user, user);
    return true;
}

void interaction_leave(struct interaction *it, slice user)
{
    for (size_t i = 0; i < it->agents.n; i++) {
        struct desk_agent *one = LIST_AT(it->agents, struct desk_agent, i);
        if (!slice_eq(one->user, user))
            continue;
        free(owned(one->user));
        memmove(one, one + 1, (it->agents.n - i - 1) * sizeof(*one));
        it->agents.n--;
        return;
    }
}

void interaction_alone(struct interaction *it)
{
    for (size_t i = 0; i < it->agents.n; i++)
        free(owned(LIST_AT(it->agents, struct desk_agent, i)->user));
    it->agents.n = 0;
}

/* ---- who said no --------------------------------------------------------------------------------------------------------------------- */

void interaction_refuse(struct interaction *it, slice user, int64_t until_ms)
{
    size_t i = 0;
    while (i < it->n_refused && !slice_eq(it->refused[i].user, user))
        i++;
    if (i == DESK_AGENTS_MAX)
        i = 0; /* the list is a courtesy */
    if (i == it->n_refused)
        it->n_refused++;
    interaction_set(&it->refused[i].user, user);
    it->refused[i].until_ms = until_ms;
}

bool interaction_refused(const struct interaction *it, slice user, int64_t now_ms)
{
    for (size_t i = 0; i < it->n_refused; i++)
        if (now_ms < it->refused[i].until_ms && slice_eq(it->refused[i].user, user))
            return true;
    return false;
}

void interaction_forgive(struct interaction *it)
{
    for (size_t i = 0; i < it->n_refused; i++)
        interaction_set(&it->refused[i].user, SLICE_NONE);
    it->n_refused = 0;
}
