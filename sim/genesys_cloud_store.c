#include "sim/genesys_cloud.h"

/* ---- maps and lists ---------------------------------------------------------------------------------------------------------- */

static struct gc_slot *slot_of(const struct gc_map *m, slice key, uint64_t hash)
{
    size_t at = hash & (m->cap - 1);
    while (m->slots[at].value && !(m->slots[at].hash == hash && slice_eq(m->slots[at].key, key)))
        at = (at + 1) & (m->cap - 1);
    return &m->slots[at];
}

void *gc_map_get(const struct gc_map *m, slice key)
{
    return m->cap ? slot_of(m, key, slice_hash(key))->value : NULL;
}

static void map_grow(struct gc_map *m)
{
    struct gc_map bigger = { .cap = m->cap ? m->cap * 2 : 64, .n = m->n };
    bigger.slots = must_calloc(bigger.cap, sizeof(*bigger.slots));
    for (size_t i = 0; i < m->cap; i++)
        if (m->slots[i].value)
            *slot_of(&bigger, m->slots[i].key, m->slots[i].hash) = m->slots[i];
    free(m->slots);
    *m = bigger;
}

void gc_map_put(struct gc_map *m, slice key, void *value)
{
    assert(value);
    if (m->n + 1 > m->cap / 4 * 3)
        map_grow(m);
    uint64_t hash = slice_hash(key);
    struct gc_slot *s = slot_of(m, key, hash);
    m->n += !s->value;
    *s = (struct gc_slot){ key, hash, value };
}

void gc_map_done(struct gc_map *m)
{
    free(m->slots);
    *m = (struct gc_map){ 0 };
}

void gc_list_add(struct gc_list *l, void *item)
{
    if (l->n == l->cap) {
        l->cap = l->cap ? l->cap * 2 : 16;
        l->items = must_realloc(l->items, l->cap * sizeof(*l->items));
    }
    l->items[l->n++] = item;
}

void gc_list_remove(struct gc_list *l, const void *item)
{
    for (size_t i = 0; i < l->n; i++)
        if (l->items[i] == item) {
            memmove(&l->items[i], &l->items[i + 1], (l->n - i - 1) * sizeof(*l->items));
            l->n--;
            return;
        }
}

void gc_list_done(struct gc_list *l)
{
    free(l->items);
    *l = (struct gc_list){ 0 };
}

/* ---- identifiers ------------------------------------------------------------------------------------------------------------- */

slice gc_hex(struct arena *a, size_t digits)
{
    static const char hex[] = "0123456789abcdef";
    unsigned char raw[32];
    assert(digits % 2 == 0 && digits <= 2 * sizeof(raw));
    random_bytes(raw, digits / 2);
    char *p = arena_alloc(a, digits + 1);
    for (size_t i = 0; i < digits / 2; i++) {
        p[2 * i] = hex[raw[i] >> 4];
        p[2 * i + 1] = hex[raw[i] & 15];
    }
    p[digits] = 0;
    return slice_mem(p, digits);
}

slice gc_uuid(struct arena *a)
{
    slice h = gc_hex(a, 32);
    char *p = arena_alloc(a, 37);
    for (size_t i = 0, n = 0; i < 32; i++) {
        if (i == 8 || i == 12 || i == 16 || i == 20)
            p[n++] = '-';
        p[n++] = h.p[i];
    }
    p[14] = '4';
    p[19] = "89ab"[p[19] & 3];
    p[36] = 0;
    return slice_mem(p, 36);
}

/* ---- finding ----------------------------------------------------------------------------------------------------------------- */

struct gc_integration *gc_integration_find(const struct gc *g, slice id)
{
    for (size_t i = 0; i < g->integrations.n; i++) {
        struct gc_integration *in = g->integrations.items[i];
        if (!in->deleted && slice_eq(in->id, id))
            return in;
    }
    return NULL;
}

const struct gc_agent *gc_agent_find(const struct gc *g, slice name_or_id)
{
    for (size_t i = 0; i < g->agents.n; i++) {
        const struct gc_agent *agent = g->agents.items[i];
        if (slice_eq_nocase(agent->name, name_or_id) || slice_eq(agent->id, name_or_id))
            return agent;
    }
    return NULL;
}

struct gc_conversation *gc_conversation_find(const struct gc *g, slice id)
{
    return gc_map_get(&g->conversation_map, id);
}

struct gc_message *gc_message_find(const struct gc *g, slice id)
{
    return gc_map_get(&g->message_map, id);
}

/* ---- participants ------------------------------------------------------------------------------------------------------------ */

static struct gc_participant *participant_add(struct gc *g, struct gc_conversation *v, enum gc_purpose purpose,
                                              const struct gc_agent *agent)
{
    struct gc_participant *p = ARENA_NEW(g->a, struct gc_participant);
    p->id = gc_uuid(g->a);
    p->communication = gc_uuid(g->a);
    p->purpose = purpose;
    p->agent = agent;
    p->start_ms = time_now_ms();
    *v->last_participant = p;
    v->last_participant = &p->next;
    return p;
}

static void participant_leave(struct gc *g, struct gc_conversation *v, struct gc_participant *p, const char *why)
{
    static const char *const topics[] = {
        [GC_CUSTOMER] = "customer.end", [GC_WORKFLOW] = "flow.end", [GC_ACD] = "acd.end", [GC_SEAT] = "user.end"
    };
    p->end_ms = time_now_ms();
    p->disconnect = why;
    gc_notify(g, v, p, topics[p->purpose]);
}

struct gc_participant *gc_participant_find(const struct gc_conversation *v, slice id)
{
    for (struct gc_participant *p = v->participants; p; p = p->next)
        if (slice_eq(p->id, id))
            return p;
    return NULL;
}

struct gc_participant *gc_customer(const struct gc_conversation *v)
{
    return v->participants; /* the first of every conversation */
}

struct gc_participant *gc_seat(const struct gc_conversation *v)
{
    for (struct gc_participant *p = v->participants; p; p = p->next)
        if (p->purpose == GC_SEAT && !p->end_ms)
            return p;
    return NULL;
}

void gc_seat_take(struct gc *g, struct gc_conversation *v, const struct gc_agent *agent, const char *why)
{
    struct gc_participant *seat = gc_seat(v);
    if (seat && seat->agent == agent)
        return;
    for (struct gc_participant *p = v->participants; p; p = p->next)
        if (p->purpose != GC_CUSTOMER && !p->end_ms)
            participant_leave(g, v, p, p->purpose == GC_SEAT ? why : "transfer");
    v->transfers += seat != NULL;
    gc_notify(g, v, participant_add(g, v, GC_SEAT, agent), "user.start");
}

/* The flow puts a conversation into the queue at once. */
static void queue_up(struct gc *g, struct gc_conversation *v)
{
    struct gc_participant *flow = participant_add(g, v, GC_WORKFLOW, NULL);
    participant_leave(g, v, flow, "transfer");
    gc_notify(g, v, participant_add(g, v, GC_ACD, NULL), "acd.start");
}

/* ---- conversations ----------------------------------------------------------------------------------------------------------- */

static struct gc_conversation *conversation_new(struct gc *g, struct gc_integration *in, slice guest, slice key)
{
    struct gc_conversation *v = ARENA_NEW(g->a, struct gc_conversation);
    v->integration = in;
    v->id = gc_uuid(g->a);
    v->key = arena_dup(g->a, key);
    v->guest = arena_dup(g->a, guest);
    v->last_participant = &v->participants;
    v->last_message = &v->messages;
    v->start_ms = v->last_ms = time_now_ms();
    gc_map_put(&g->guest_map, v->key, v);
    gc_map_put(&g->conversation_map, v->id, v);
    gc_list_add(&g->conversations, v);
    participant_add(g, v, GC_CUSTOMER, NULL);
    queue_up(g, v);
    return v;
}

static void reopen(struct gc *g, struct gc_conversation *v)
{
    struct gc_participant *customer = gc_customer(v);
    v->end_ms = customer->end_ms = 0;
    customer->disconnect = NULL;
    customer->communication = gc_uuid(g->a);
    v->reopened++;
    queue_up(g, v);
}

struct gc_conversation *gc_conversation_for(struct gc *g, struct gc_integration *in, slice guest)
{
    CLEANUP(arena_freep) struct arena *a = arena_new();
    slice key = arena_printf(a, SLF " " SLF, SLA(in->id), SLA(guest));
    struct gc_conversation *v = gc_map_get(&g->guest_map, key);
    if (v && !v->end_ms)
        return v;
    if (!v || time_now_ms() - v->last_ms >= g->threading_ms)
        return conversation_new(g, in, guest, key);
    reopen(g, v);
    return v;
}

void gc_conversation_end(struct gc *g, struct gc_conversation *v, const char *customer_why, const char *agent_why)
{
    if (v->end_ms)
        return;
    for (struct gc_participant *p = v->participants; p; p = p->next)
        if (p->purpose != GC_CUSTOMER && !p->end_ms)
            participant_leave(g, v, p, agent_why);
    participant_leave(g, v, gc_customer(v), customer_why);
    v->end_ms = v->last_ms = time_now_ms();
    v->typing_until_ms = 0;
}

void gc_attribute_set(struct gc *g, struct gc_conversation *v, slice key, slice value)
{
    for (size_t i = 0; i < v->n_attributes; i++)
        if (slice_eq(v->attributes[i].key, key)) {
            if (!slice_eq(v->attributes[i].value, value))
                v->attributes[i].value = arena_dup(g->a, value);
            return;
        }
    if (v->n_attributes == v->cap_attributes) {
        size_t cap = v->cap_attributes ? v->cap_attributes * 2 : 4;
        v->attributes = arena_grow(g->a, v->attributes, v->cap_attributes * sizeof(*v->attributes),
                                   cap * sizeof(*v->attributes));
        v->cap_attributes = cap;
    }
    v->attributes[v->n_attributes++] = (struct js_pair){ arena_dup(g->a, key), arena_dup(g->a, value) };
}

/* ---- messages ---------------------------------------------------------------------------------------------------------------- */

struct gc_message *gc_message_add(struct gc *g, struct gc_conversation *v, enum gc_by by)
{
    if (g->n_messages >= GC_MESSAGES_MAX)
        return NULL;
    struct gc_message *m = ARENA_NEW(g->a, struct gc_message);
    m->conversation = v;
    m->id = gc_hex(g->a, 32);
    m->by = by;
    m->at_ms = v->last_ms = time_now_ms();
    m->state = by == GC_GUEST ? GC_RECEIVED : GC_QUEUED;
    if (by == GC_GUEST) {
        gc_list_add(&g->inbound, m);
        m->seq = (int64_t)g->inbound.n;
        v->typing_until_ms = 0;
        v->unread++;
    }
    *v->last_message = m;
    v->last_message = &m->next;
    v->n_messages++;
    g->n_messages++;
    gc_map_put(&g->message_map, m->id, m);
    return m;
}

bool gc_message_state(struct gc_message *m, enum gc_state to)
{
    if (to <= m->state)
        return false;
    m->state = to;
    return true;
}
