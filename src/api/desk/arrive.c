/* arrive.c - what guests do becomes work: in the batch that settles their message. */
#include "api/chat/chat.h"
#include "api/desk/inside.h"
#include "desks/builtin/hours.h"
#include "hub/accept.h"
#include "hub/message.h"

enum { NAME_CHARS = 200, PICTURE_BYTES = 2000, EVENT_BYTES = 1 << 20, SUBJECT_CHARS = 200 };

static slice setting_of(const struct own_delivery *d, enum builtin_setting i)
{
    return d->to->account.settings[i];
}

/* ---- what is known of the guest ------------------------------------------------------------------------------------------------------- */

static void learn(struct interaction *it, const struct own_delivery *d)
{
    const struct person *p = &d->conv->pub.person;
    slice name = utf8_cut(slice_or(slice_or(p->name, p->first_name), d->m->from.name), NAME_CHARS);
    if (name.n && !it->contact.n && !slice_eq(name, it->name)) /* a contact may have a name given by hand */
        interaction_set(&it->name, name);
    if (p->picture.n && p->picture.n <= PICTURE_BYTES && !slice_eq(p->picture, it->picture))
        interaction_set(&it->picture, p->picture);
    if (!d->m->data.n && it->attributes.n)
        return;
    CLEANUP(arena_freep) struct arena *a = arena_new();
    struct jw w = jw_new(a, DESK_ATTRIBUTES_MAX);
    const struct js_list *const lists[] = { &d->m->data, &d->conv->pub.tenant_data };
    jw_open(&w, NULL, '{');
    for (size_t k = 0; k < COUNT(lists); k++) {
        for (size_t i = 0; i < lists[k]->n; i++) {
            const struct js_pair *pair = LIST_AT(*lists[k], struct js_pair, i);
            bool twice = false;
            for (size_t j = 0; k == 1 && j < lists[0]->n; j++)
                twice |= slice_eq(LIST_AT(*lists[0], struct js_pair, j)->key, pair->key);
            for (size_t j = 0; j < i; j++)
                twice |= slice_eq(LIST_AT(*lists[k], struct js_pair, j)->key, pair->key);
            if (twice)
                continue;
            jw_key(&w, pair->key);
            jw_str(&w, NULL, pair->value);
        }
    }
    jw_close(&w, '}');
    slice json = jw_done(&w);
    if (json.p) /* more than is kept: as it was */
        interaction_set(&it->attributes, json);
}

static slice data_of(const struct js_list *data, slice key)
{
    for (size_t i = 0; i < data->n; i++)
        if (slice_eq(LIST_AT(*data, struct js_pair, i)->key, key))
            return LIST_AT(*data, struct js_pair, i)->value;
    return SLICE_NONE;
}

/* The guest's own data may name one that was made for this tenant or for all, the tenant's data any. */
static slice queue_of(const struct desk *desk, const struct own_delivery *d)
{
    slice wished = data_of(&d->m->data, SL("queue")), set = data_of(&d->conv->pub.tenant_data, SL("queue"));
    const struct queue *q = wished.n ? queue_find(desk->queues, wished) : NULL;
    if (q && (!q->tenant.n || slice_eq(q->tenant, d->to->tenant->slug)) && !slice_eq(q->name, SL(BUILTIN_UNDELIVERED)))
        return q->name;
    return set.n && utf8_len(set) <= BUILTIN_QUEUE_NAME_MAX ? set : setting_of(d, BUILTIN_QUEUE);
}

/* ---- texts of the desk ------------------------------------------------------------------------------------------------------------------ */

static void tell_guest(const struct own_delivery *d, slice text, slice id, struct jbatch *b)
{
    struct message m = { .kind = KIND_TEXT, .id = id, .origin = ORIGIN_HUB, .guest = d->conv->pub.address, .at_ms = time_now_ms(), .text = text,
                         .from = { .name = slice_or(setting_of(d, BUILTIN_TITLE), d->to->tenant->name) } };
    accept_own(d->conv->channel, d->conv, &m, b);
}

static bool is_open(struct desk *desk, const struct interaction *it, const struct own_delivery *d, int64_t now_ms)
{
    struct queue_rules r = queue_rules(desk->queues, it->queue, d->to);
    struct hours hours;
    struct fault f;
    return !r.hours.n || !hours_read(r.hours, &hours, &f) || hours_open(&hours, desk_local_ms(desk, r.zone, now_ms));
}

static void greet(struct desk *desk, struct interaction *it, const struct own_delivery *d, int64_t now_ms, struct jbatch *b)
{
    CLEANUP(arena_freep) struct arena *a = arena_new();
    bool open = is_open(desk, it, d, now_ms);
    slice text = setting_of(d, open ? BUILTIN_WELCOME : BUILTIN_CLOSED);
    it->closed_told = !open;
    if (text.n)
        tell_guest(d, text, arena_printf(a, SLF ":%s", SLA(it->id), open ? "welcome" : "closed"), b);
}

/* ---- content ---------------------------------------------------------------------------------------------------------------------------- */

static struct interaction *begin(struct desk *desk, const struct own_delivery *d, int64_t now_ms)
{
    const struct interaction *last = interactions_last(desk->all, d->conv->pub.id);
    struct interaction *it = interactions_add(desk->all, d->conv->pub.id, now_ms);
    int64_t wait_ms = 0;
    struct desk_place p;
    if (last && last->owner_was.n && desk_place(desk, d->conv->pub.id, &p))
        wait_ms = desk_last_agent_ms(&p);
    desk_queue(desk, it, queue_of(desk, d), wait_ms ? last->owner_was : SLICE_NONE, now_ms + wait_ms, now_ms);
    it->first_number = (int64_t)d->id;
    interaction_set(&it->subject, utf8_cut(data_of(&d->m->data, SL("subject")), SUBJECT_CHARS));
    return it;
}

/* Parked, or the guest had gone: back to whom it was with. */
static void wake(struct desk *desk, struct interaction *it, const struct own_delivery *d, int64_t now_ms)
{
    CLEANUP(arena_freep) struct arena *a = arena_new();
    slice owner = arena_dup(a, interaction_owner(it));
    struct desk_place p;
    int64_t wait_ms = desk_place(desk, d->conv->pub.id, &p) ? desk_last_agent_ms(&p) : 0;
    if (it->state == DESK_WRAPUP && owner.n) {
        interaction_state(desk->all, it, DESK_OPEN);
        return;
    }
    if (it->state != DESK_HELD && it->state != DESK_WRAPUP)
        return;
    desk_alone(desk, it);
    interaction_forgive(it);
    desk_queue(desk, it, SLICE_NONE, wait_ms ? owner : SLICE_NONE, now_ms + wait_ms, now_ms);
}

static void says(struct desk *desk, const struct own_delivery *d, struct jbatch *b)
{
    int64_t now_ms = time_now_ms(), number = (int64_t)d->id;
    struct interaction *it = interactions_active(desk->all, d->conv->pub.id, false);
    bool again = it && number <= it->last_number; /* its batch was not stored; or an old one was replayed */
    if (!it)
        it = begin(desk, d, now_ms);
    learn(it, d);
    if (it->first_number == number)
        greet(desk, it, d, now_ms, b);
    if (!again) {
        it->last_number = number;
        it->last_guest_ms = MAX(it->last_guest_ms, now_ms);
        it->unread++;
        wake(desk, it, d, now_ms);
    }
    interaction_save(desk->all, it, b);
}

/* ---- events and news ------------------------------------------------------------------------------------------------------------------- */

/* Nobody is left who could say it: the hub ends the conversation itself, and the network hears of it as of any end. */
static void closes(const struct interaction *it, const struct own_delivery *d, int64_t now_ms, struct jbatch *b)
{
    CLEANUP(arena_freep) struct arena *a = arena_new();
    struct message m = { .kind = KIND_EVENT, .event = EVENT_CLOSED, .id = uuid_make(a), .origin = ORIGIN_HUB,
                         .guest = d->conv->pub.address, .at_ms = now_ms, .desk_conversation = it->conversation };
    accept_own(d->conv->channel, d->conv, &m, b);
    accept_closed(d->conv, b);
}

/* The guest has gone: who waits is gone, too; an agent still closes what is theirs. */
static void leaves(struct desk *desk, const struct own_delivery *d, struct jbatch *b)
{
    struct interaction *it = interactions_active(desk->all, d->conv->pub.id, false);
    int64_t now_ms = time_now_ms();
    if (!it)
        return;
    if (interaction_owner(it).n) {
        interaction_state(desk->all, it, DESK_WRAPUP);
        it->held_until_ms = 0;
    } else {
        CLEANUP(arena_freep) struct arena *a = arena_new();
        slice invited = arena_dup(a, it->invited);
        it->abandoned = !it->first_accepted_ms;
        desk_end(desk, it, now_ms);
        it->over = true;
        closes(it, d, now_ms, b);
        if (invited.n)
            desk_tell_gone(desk, invited, it);
    }
    interaction_save(desk->all, it, b);
}

/* What could not be delivered is shown to somebody: in a queue of its own. */
static void fails(struct desk *desk, const struct own_delivery *d, struct jbatch *b)
{
    int64_t now_ms = time_now_ms();
    const struct interaction *about = interactions_active(desk->all, d->conv->pub.id, false);
    if (!slice_starts(d->m->of, SL("it-"))) /* of the desk itself, or of a bot */
        return;
    struct interaction *it = interactions_active(desk->all, d->conv->pub.id, true);
    if (!it) {
        it = interactions_add(desk->all, d->conv->pub.id, now_ms);
        interaction_set(&it->failed, utf8_cut_bytes(d->m->of, DESK_WORD_MAX));
        desk_queue(desk, it, SL(BUILTIN_UNDELIVERED), SLICE_NONE, 0, now_ms);
        it->first_number = (int64_t)d->id;
    }
    if (about)
        interaction_set(&it->name, about->name);
    learn(it, d);
    interaction_set(&it->failed, utf8_cut_bytes(d->m->of, DESK_WORD_MAX));
    interaction_set(&it->failed_reason, utf8_cut_bytes(slice_or(d->m->reason_text, slice_of(reason_names[d->m->reason])), DESK_WORD_MAX));
    it->last_number = (int64_t)d->id;
    interaction_save(desk->all, it, b);
}

void desk_arrive(void *arg, const struct own_delivery *d, struct jbatch *b)
{
    struct desk *desk = arg;
    if (kind_is_content((enum kind)d->m->kind))
        says(desk, d, b);
    else if (d->m->kind == KIND_EVENT && (d->m->event == EVENT_LEFT || d->m->event == EVENT_BLOCKED) && !d->m->group.n)
        leaves(desk, d, b);
    else if (d->m->kind == KIND_STATUS && d->m->status == STATUS_FAILED)
        fails(desk, d, b);
}

/* ---- it is stored: pages are told --------------------------------------------------------------------------------------------------------- */

static void tell_said(struct desk *desk, const struct interaction *it, const struct own_delivery *d)
{
    CLEANUP(arena_freep) struct arena *a = arena_new();
    struct jw w = jw_new(a, EVENT_BYTES);
    struct message m = *d->m;
    m.from.name = slice_or(it->name, d->m->from.name);
    jw_open(&w, NULL, '{');
    jw_str(&w, "interaction", it->id);
    show_message(&w, "message", &(struct said){ .id = said_number(a, d->id), .interaction = it->id, .m = &m, .at_ms = d->accepted_ms, .from_guest = true, .state = "delivered" });
    jw_close(&w, '}');
    desk_tell_in(desk, it, "message", jw_done(&w), SLICE_NONE);
}

static void tell_typing(struct desk *desk, const struct interaction *it)
{
    CLEANUP(arena_freep) struct arena *a = arena_new();
    struct jw w = jw_new(a, EVENT_BYTES);
    jw_open(&w, NULL, '{');
    jw_str(&w, "interaction", it->id);
    jw_str(&w, "who", SL("guest"));
    jw_opt(&w, "preview", chat_preview(desk->api->chat, it->conversation));
    jw_close(&w, '}');
    desk_tell_in(desk, it, "typing", jw_done(&w), SLICE_NONE);
}

static void tell_state(struct desk *desk, const struct interaction *it, const struct message *m)
{
    static const slice words[STATUS_MAX] = { [STATUS_SENT] = SLI("sent"), [STATUS_DELIVERED] = SLI("delivered"), [STATUS_READ] = SLI("read"), [STATUS_FAILED] = SLI("dead") };
    CLEANUP(arena_freep) struct arena *a = arena_new();
    struct jw w = jw_new(a, EVENT_BYTES);
    jw_open(&w, NULL, '{');
    jw_str(&w, "interaction", it->id);
    jw_str(&w, "id", said_id(m->of));
    jw_str(&w, "state", m->kind == KIND_EVENT ? SL("read") : words[m->status]);
    if (m->kind == KIND_EVENT)
        jw_bool(&w, "before", true); /* and all that was said before it */
    if (m->status == STATUS_FAILED)
        jw_str(&w, "reason", slice_or(m->reason_text, slice_of(reason_names[m->reason])));
    jw_close(&w, '}');
    desk_tell_in(desk, it, "state", jw_done(&w), SLICE_NONE);
}

void desk_arrived(void *arg, const struct own_delivery *d)
{
    struct desk *desk = arg;
    const struct interaction *it = interactions_active(desk->all, d->conv->pub.id, false), *lost = interactions_active(desk->all, d->conv->pub.id, true);
    const struct message *m = d->m;
    bool failed = m->kind == KIND_STATUS && m->status == STATUS_FAILED, read = m->kind == KIND_EVENT && m->event == EVENT_READ;
    if (it && m->kind == KIND_TYPING)
        tell_typing(desk, it);
    else if (it && (m->kind == KIND_STATUS || read))
        tell_state(desk, it, m);
    else if (it)
        tell_said(desk, it, d);
    if (it && (kind_is_content((enum kind)m->kind) || (m->kind == KIND_EVENT && !read)))
        desk_tell_interaction(desk, it);
    if (it && kind_is_content((enum kind)m->kind))
        desk_ask_contact(desk, it, &d->conv->pub.person);
    if (failed && lost)
        desk_ask_contact(desk, lost, &d->conv->pub.person);
    if (failed || kind_is_content((enum kind)m->kind))
        desk_route_soon(desk);
}
