/* show.c - what agents see, as JSON. */
#include "api/connectors.h"
#include "api/desk/inside.h"
#include "hub/media.h"
#include "hub/message.h"
#include "store/history_db.h"

static void time_opt(struct jw *w, const char *key, int64_t ms)
{
    if (ms)
        jw_int(w, key, ms);
}

/* ---- interactions ---------------------------------------------------------------------------------------------------------------------- */

static void show_caps(struct jw *w, const struct caps *caps)
{
    jw_open(w, "caps", '{');
    jw_int(w, "text_max", (int64_t)caps->text_max);
    media_rules_write(w, "media", caps);
    jw_int(w, "choices_max", (int64_t)caps->choices_max);
    jw_int(w, "choice_label_max", (int64_t)caps->choice_label_max);
    jw_int(w, "cards_max", (int64_t)caps->cards_max);
    jw_int(w, "card_choices_max", (int64_t)caps->card_choices_max);
    jw_bool(w, "picker", caps->kinds & CAN(KIND_PICKER));
    jw_bool(w, "location", caps->kinds & CAN(KIND_LOCATION));
    jw_bool(w, "native", caps->kinds & CAN(KIND_NATIVE));
    jw_bool(w, "typing", caps->kinds & CAN(KIND_TYPING));
    jw_bool(w, "read", (caps->kinds & CAN(KIND_EVENT)) && (caps->events & CAN(EVENT_READ)));
    jw_close(w, '}');
}

static void show_contact(struct jw *w, const struct interaction *it, slice guest)
{
    jw_open(w, "contact", '{');
    jw_opt(w, "id", it->contact);
    jw_str(w, "name", slice_or(it->name, guest));
    jw_opt(w, "picture", it->picture);
    jw_close(w, '}');
}

void show_interaction(struct desk *desk, struct jw *w, const char *key, const struct interaction *it)
{
    slice guest = it->conversation, channel_id = slice_cut(&guest, ':');
    const struct actor *channel = hub_actor(desk->hub, channel_id);
    slice owner = interaction_owner(it);
    jw_open(w, key, '{');
    jw_str(w, "id", it->id);
    jw_str(w, "conversation", it->conversation);
    jw_str(w, "tenant", channel ? channel->tenant->slug : SL(""));
    jw_str(w, "channel", channel_id);
    jw_str(w, "network", channel ? slice_of(channel->account.type->title) : SL(""));
    show_contact(w, it, guest);
    jw_str(w, "queue", it->queue);
    jw_str(w, "state", slice_of(desk_state_names[it->state]));
    jw_opt(w, "owner", owner);
    jw_opt(w, "invited", it->invited);
    jw_opt(w, "owner_was", it->owner_was);
    jw_open(w, "agents", '[');
    for (size_t i = 0; i < it->agents.n; i++) {
        const struct desk_agent *one = LIST_AT(it->agents, struct desk_agent, i);
        jw_open(w, NULL, '{');
        jw_str(w, "user", one->user);
        jw_str(w, "name", desk_user_name(desk, one->user));
        jw_str(w, "role", slice_of(desk_part_names[one->part]));
        jw_close(w, '}');
    }
    jw_close(w, ']');
    jw_int(w, "created_ms", it->created_ms);
    jw_int(w, "queued_ms", it->queued_ms);
    time_opt(w, "accepted_ms", it->accepted_ms);
    time_opt(w, "last_guest_ms", it->last_guest_ms);
    time_opt(w, "last_agent_ms", it->last_agent_ms);
    time_opt(w, "held_until_ms", it->held_until_ms);
    if (channel && it->last_guest_ms)
        time_opt(w, "reply_until_ms", desk_reply_until(&channel->account, it->last_guest_ms));
    time_opt(w, "done_ms", it->done_ms);
    jw_opt(w, "subject", it->subject);
    jw_opt(w, "disposition", it->disposition);
    jw_opt(w, "note", it->note);
    if (it->failed.n) {
        jw_open(w, "failed", '{');
        jw_str(w, "message", said_id(it->failed));
        jw_opt(w, "reason", it->failed_reason);
        jw_close(w, '}');
    }
    jw_raw(w, "attributes", slice_or(it->attributes, SL("{}")));
    if (channel)
        show_caps(w, &channel->account.type->caps);
    jw_int(w, "unread", it->unread);
    jw_close(w, '}');
}

void show_me(struct desk *desk, struct jw *w, const char *key, const struct login *login)
{
    static const char *const reasons[] = { "break", "lunch", "meeting", "training", "after work", "other" };
    struct agent *m = desk_member(desk, slice_of(login->user));
    desk_count(desk);
    jw_open(w, key, '{');
    jw_str(w, "user", slice_of(login->user));
    jw_str(w, "display_name", login_name(login));
    jw_str(w, "role", slice_of(role_names[login->role]));
    jw_str(w, "status", m->ready ? SL("ready") : SL("not-ready"));
    jw_open(w, "reasons", '[');
    for (size_t i = 0; i < COUNT(reasons); i++)
        jw_str(w, NULL, slice_of(reasons[i]));
    jw_close(w, ']');
    jw_open(w, "media", '{');
    jw_open(w, "chat", '{');
    jw_str(w, "state", m->ready ? SL("ready") : SL("not-ready"));
    jw_opt(w, "reason", m->reason);
    jw_int(w, "since_ms", m->since_ms);
    jw_int(w, "capacity", login->is.capacity);
    jw_int(w, "open", m->open);
    jw_close(w, '}');
    jw_close(w, '}');
    jw_open(w, "queues", '[');
    for (size_t i = 0; i < login->is.queues.n; i++)
        jw_str(w, NULL, *LIST_AT(login->is.queues, slice, i));
    jw_close(w, ']');
    jw_open(w, "skills", '{');
    for (size_t i = 0; i < login->is.skills.n; i++) {
        const struct login_skill *s = LIST_AT(login->is.skills, struct login_skill, i);
        jw_key(w, s->name);
        jw_int(w, NULL, s->level);
    }
    jw_close(w, '}');
    jw_close(w, '}');
}

/* ---- messages -------------------------------------------------------------------------------------------------------------------------- */

/* On the road the id that an agent's page gave stands behind the interaction's, so that no two conversations can share one. */
slice said_id(slice id)
{
    size_t colon = slice_starts(id, SL("it-")) ? slice_find_char(id, ':') : SIZE_MAX;
    return colon == SIZE_MAX ? id : slice_from(id, colon + 1);
}

slice said_number(struct arena *a, uint64_t number)
{
    return arena_printf(a, "%llu", (unsigned long long)number);
}

static void show_file(struct jw *w, const char *key, const struct media *md)
{
    jw_open(w, key, '{');
    jw_opt(w, "url", md->handle.n || md->public_url ? md->url : SLICE_NONE); /* what is not stored may need the vendor's secret */
    jw_opt(w, "type", md->type);
    jw_opt(w, "name", md->name);
    if (md->size)
        jw_int(w, "size", md->size);
    jw_opt(w, "error", md->error);
    jw_close(w, '}');
}

static void show_media(struct jw *w, const struct message *m)
{
    if (m->media.n)
        show_file(w, "media", message_media(m));
    if (m->media.n < 2)
        return;
    jw_open(w, "files", '[');
    for (size_t i = 0; i < m->media.n; i++)
        show_file(w, NULL, LIST_AT(m->media, struct media, i));
    jw_close(w, ']');
}

/* What is more than text and files, in its stored form, without what only the road needs. */
static void show_rich(struct jw *w, const struct message *m)
{
    CLEANUP(arena_freep) struct arena *a = arena_new();
    bool plain = m->kind == KIND_TEXT || kind_is_media((enum kind)m->kind) || !kind_is_content((enum kind)m->kind);
    if (plain)
        return;
    struct message r = { .kind = m->kind, .text = m->text, .payload = m->payload, .location = m->location, .sticker = m->sticker, .choices = m->choices,
                         .cards = m->cards, .picker = m->picker, .native_for = m->native_for, .native_json = m->native_json };
    slice json = message_print(a, &r);
    const struct js *doc = json.p ? js_parse(a, json, NULL) : NULL;
    if (!doc)
        return;
    static const char *const own[] = { "choices", "cards", "location" };
    jw_raw(w, "rich", json);
    for (size_t i = 0; i < COUNT(own); i++)
        if (js_get(doc, slice_of(own[i])))
            jw_value(w, own[i], js_get(doc, slice_of(own[i])));
}

static slice from_of(const struct said *s)
{
    if (s->m->origin == ORIGIN_HUB || s->m->kind == KIND_EVENT)
        return SL("system");
    return s->from_guest ? SL("guest") : SL("agent");
}

void show_message(struct jw *w, const char *key, const struct said *s)
{
    const struct message *m = s->m;
    jw_open(w, key, '{');
    jw_str(w, "id", said_id(s->id));
    jw_str(w, "interaction", s->interaction);
    jw_str(w, "from", from_of(s));
    jw_opt(w, "user", s->from_guest ? SLICE_NONE : m->from.id);
    jw_str(w, "author", m->from.name);
    jw_int(w, "at_ms", s->at_ms);
    jw_str(w, "kind", slice_of(kind_names[m->kind]));
    if (m->kind == KIND_EVENT)
        jw_str(w, "event", slice_of(event_names[m->event]));
    if (m->text.p)
        jw_str(w, "text", m->text);
    show_media(w, m);
    show_rich(w, m);
    jw_opt(w, "answer_to", said_id(m->of)); /* what a network calls a quoted message means nothing here */
    jw_str(w, "state", slice_of(s->state));
    if (s->adapted.n) {
        jw_open(w, "adapted", '[');
        for (slice rest = s->adapted; rest.p;) {
            slice one = slice_cut(&rest, ' ');
            if (one.n)
                jw_str(w, NULL, one);
        }
        jw_close(w, ']');
    }
    jw_str(w, "visible", m->private ? SL("agents") : SL("all"));
    jw_opt(w, "reason", s->reason);
    jw_close(w, '}');
}

static const char *state_word(const struct history_message *h)
{
    switch (h->state) {
    case J_WAITING: case J_PARKED: return "accepted";
    case J_DEAD: return "dead";
    case J_UNKNOWN: return "unknown";
    default: return h->status == STATUS_READ ? "read" : h->status == STATUS_FAILED ? "dead" : "delivered";
    }
}

void said_of_history(struct arena *a, const struct history_message *h, slice interaction, struct message *m, struct said *ret)
{
    const struct js *body = h->body.n ? js_parse(a, arena_dup(a, h->body), NULL) : NULL, *note = h->note.n ? js_parse(a, arena_dup(a, h->note), NULL) : NULL;
    struct fault f;
    *m = (struct message){ .kind = KIND_TEXT };
    if (!body || !message_read(a, body, m, &f))
        m->text = arena_dup(a, h->text);
    if (h->media.n && !media_result_read(a, arena_dup(a, h->media), m))
        m->media.n = 0; /* else they are as the sender said */
    bool in = h->way == HISTORY_IN;
    const char *state = state_word(h);
    *ret = (struct said){ .id = in || !h->peer_id.n ? said_number(a, (uint64_t)h->id) : arena_dup(a, h->peer_id), .interaction = interaction, .m = m,
                          .at_ms = h->at_ms, .from_guest = in, .state = state };
    ret->adapted = js_text(js_get(note, SL("note")));
    if (strcmp(state, "dead") == 0 || strcmp(state, "unknown") == 0)
        ret->reason = slice_or(js_text(js_get(note, SL("reason"))), js_text(js_get(note, SL("text"))));
}
