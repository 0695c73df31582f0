#include "sim/genesys_cloud.h"

/* ---- maps and lists ---------------------------------------------------------------------------------------------------------- */

static struct sgc_slot *slot_of(const struct sgc_map *m, slice key, uint64_t hash)
{
    size_t at = hash & (m->cap - 1);
    while (m->slots[at].value && !(m->slots[at].hash == hash && slice_eq(m->slots[at].key, key)))
        at = (at + 1) & (m->cap - 1);
    return &m->slots[at];
}

void *sgc_map_get(const struct sgc_map *m, slice key)
{
    return m->cap ? slot_of(m, key, slice_hash(key))->value : NULL;
}

static void map_grow(struct sgc_map *m)
{
    struct sgc_map bigger = { .cap = m->cap ? m->cap * 2 : 64, .n = m->n };
    bigger.slots = must_calloc(bigger.cap, sizeof(*bigger.slots));
    for (size_t i = 0; i < m->cap; i++)
        if (m->slots[i].value)
            *slot_of(&bigger, m->slots[i].key, m->slots[i].hash) = m->slots[i];
    free(m->slots);
    *m = bigger;
}

void sgc_map_put(struct sgc_map *m, slice key, void *value)
{
    assert(value);
    if (m->n + 1 > m->cap / 4 * 3)
        map_grow(m);
    uint64_t hash = slice_hash(key);
    struct sgc_slot *s = slot_of(m, key, hash);
    m->n += !s->value;
    *s = (struct sgc_slot){ key, hash, value };
}

void sgc_map_done(struct sgc_map *m)
{
    free(m->slots);
    *m = (struct sgc_map){ 0 };
}

void sgc_list_add(struct sgc_list *l, void *item)
{
    if (l->n == l->cap) {
        l->cap = l->cap ? l->cap * 2 : 16;
        l->items = must_realloc(l->items, l->cap * sizeof(*l->items));
    }
    l->items[l->n++] = item;
}

void sgc_list_remove(struct sgc_list *l, const void *item)
{
    for (size_t i = 0; i < l->n; i++)
        if (l->items[i] == item) {
            memmove(&l->items[i], &l->items[i + 1], (l->n - i - 1) * sizeof(*l->items));
            l->n--;
            return;
        }
}

void sgc_list_done(struct sgc_list *l)
{
    free(l->items);
    *l = (struct sgc_list){ 0 };
}

/* ---- identifiers ------------------------------------------------------------------------------------------------------------- */

slice sgc_hex(struct arena *a, size_t digits)
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

slice sgc_uuid(struct arena *a)
{
    slice h = sgc_hex(a, 32);
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

struct sgc_integration *sgc_integration_find(const struct sgc *g, slice id)
{
    for (size_t i = 0; i < g->integrations.n; i++) {
        struct sgc_integration *in = g->integrations.items[i];
        if (!in->deleted && slice_eq(in->id, id))
            return in;
    }
    return NULL;
}

const struct sgc_agent *sgc_agent_find(const struct sgc *g, slice name_or_id)
{
    for (size_t i = 0; i < g->agents.n; i++) {
        const struct sgc_agent *agent = g->agents.items[i];
        if (slice_eq_nocase(agent->name, name_or_id) || slice_eq(agent->id, name_or_id))
            return agent;
    }
    return NULL;
}

struct sgc_conversation *sgc_conversation_find(const struct sgc *g, slice id)
{
    return sgc_map_get(&g->conversation_map, id);
}

struct sgc_message *sgc_message_find(const struct sgc *g, slice id)
{
    return sgc_map_get(&g->message_map, id);
}

/* ---- participants ------------------------------------------------------------------------------------------------------------ */

static struct sgc_participant *participant_add(struct sgc *g, struct sgc_conversation *v,
                                               enum sgc_purpose purpose, const struct sgc_agent *agent)
{
    struct sgc_participant *p = ARENA_NEW(g->a, struct sgc_participant);
    p->id = sgc_uuid(g->a);
    p->communication = sgc_uuid(g->a);
    p->purpose = purpose;
    p->agent = agent;
    p->start_ms = time_now_ms();
    *v->last_participant = p;
    v->last_participant = &p->next;
    return p;
}

static void participant_leave(struct sgc *g, struct sgc_conversation *v, struct sgc_participant *p,
                              const char *why)
{
    static const char *const topics[] = { [SGC_CUSTOMER] = "customer.end",
                                          [SGC_WORKFLOW] = "flow.end",
                                          [SGC_ACD] = "acd.end",
                                          [SGC_SEAT] = "user.end" };
    p->end_ms = time_now_ms();
    p->disconnect = why;
    sgc_notify(g, v, p, topics[p->purpose]);
}

struct sgc_participant *sgc_participant_find(const struct sgc_conversation *v, slice id)
{
    for (struct sgc_participant *p = v->participants; p; p = p->next)
        if (slice_eq(p->id, id))
            return p;
    return NULL;
}

struct sgc_participant *sgc_customer(const struct sgc_conversation *v)
{
    return v->participants; /* the first of every conversation */
}

struct sgc_participant *sgc_seat(const struct sgc_conversation *v)
{
    for (struct sgc_participant *p = v->participants; p; p = p->next)
        if (p->purpose == SGC_SEAT && !p->end_ms)
            return p;
    return NULL;
}

void sgc_seat_take(struct sgc *g, struct sgc_conversation *v, const struct sgc_agent *agent, const char *why)
{
    struct sgc_participant *seat = sgc_seat(v);
    if (seat && seat->agent == agent)
        return;
    for (struct sgc_participant *p = v->participants; p; p = p->next)
        if (p->purpose != SGC_CUSTOMER && !p->end_ms)
            participant_leave(g, v, p, p->purpose == SGC_SEAT ? why : "transfer");
    v->transfers += seat != NULL;
    sgc_notify(g, v, participant_add(g, v, SGC_SEAT, agent), "user.start");
}

/* The flow puts a conversation into the queue at once. */
static void queue_up(struct sgc *g, struct sgc_conversation *v)
{
    struct sgc_participant *flow = participant_add(g, v, SGC_WORKFLOW, NULL);
    participant_leave(g, v, flow, "transfer");
    sgc_notify(g, v, participant_add(g, v, SGC_ACD, NULL), "acd.start");
}

/* ---- conversations ----------------------------------------------------------------------------------------------------------- */

static struct sgc_conversation *conversation_new(struct sgc *g, struct sgc_integration *in, slice guest,
                                                 slice key)
{
    struct sgc_conversation *v = ARENA_NEW(g->a, struct sgc_conversation);
    v->integration = in;
    v->id = sgc_uuid(g->a);
    v->key = arena_dup(g->a, key);
    v->guest = arena_dup(g->a, guest);
    v->last_participant = &v->participants;
    v->last_message = &v->messages;
    v->start_ms = v->last_ms = time_now_ms();
    sgc_map_put(&g->guest_map, v->key, v);
    sgc_map_put(&g->conversation_map, v->id, v);
    sgc_list_add(&g->conversations, v);
    participant_add(g, v, SGC_CUSTOMER, NULL);
    queue_up(g, v);
    return v;
}

static void reopen(struct sgc *g, struct sgc_conversation *v)
{
    struct sgc_participant *customer = sgc_customer(v);
    v->end_ms = customer->end_ms = 0;
    customer->disconnect = NULL;
    customer->communication = sgc_uuid(g->a);
    v->reopened++;
    queue_up(g, v);
}

struct sgc_conversation *sgc_conversation_for(struct sgc *g, struct sgc_integration *in, slice guest)
{
    CLEANUP(arena_freep) struct arena *a = arena_new();
    slice key = arena_printf(a, SLF " " SLF, SLA(in->id), SLA(guest));
    struct sgc_conversation *v = sgc_map_get(&g->guest_map, key);
    if (v && !v->end_ms)
        return v;
    if (!v || time_now_ms() - v->last_ms >= g->threading_ms)
        return conversation_new(g, in, guest, key);
    reopen(g, v);
    return v;
}

void sgc_conversation_end(struct sgc *g, struct sgc_conversation *v, const char *customer_why,
                          const char *agent_why)
{
    if (v->end_ms)
        return;
    for (struct sgc_participant *p = v->participants; p; p = p->next)
        if (p->purpose != SGC_CUSTOMER && !p->end_ms)
            participant_leave(g, v, p, agent_why);
    participant_leave(g, v, sgc_customer(v), customer_why);
    v->end_ms = v->last_ms = time_now_ms();
    v->typing_until_ms = 0;
}

void sgc_attribute_set(struct sgc *g, struct sgc_conversation *v, slice key, slice value)
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

struct sgc_message *sgc_message_add(struct sgc *g, struct sgc_conversation *v, enum sgc_by by)
{
    if (g->n_messages >= SGC_MESSAGES_MAX)
        return NULL;
    struct sgc_message *m = ARENA_NEW(g->a, struct sgc_message);
    m->conversation = v;
    m->id = sgc_hex(g->a, 32);
    m->by = by;
    m->at_ms = v->last_ms = time_now_ms();
    m->state = by == SGC_GUEST ? SGC_RECEIVED : SGC_QUEUED;
    if (by == SGC_GUEST) {
        sgc_list_add(&g->inbound, m);
        m->seq = (int64_t)g->inbound.n;
        v->typing_until_ms = 0;
        v->unread++;
    }
    *v->last_message = m;
    v->last_message = &m->next;
    v->n_messages++;
    g->n_messages++;
    sgc_map_put(&g->message_map, m->id, m);
    return m;
}

bool sgc_message_state(struct sgc_message *m, enum sgc_state to)
{
    if (to <= m->state)
        return false;
    m->state = to;
    return true;
}
