/* say.c - what agents say: to the guest, or to each other. */
#include "api/desk/inside.h"
#include "hub/accept.h"
#include "hub/adapt.h"
#include "hub/message.h"

enum {
    ID_MAX = 64, EVENT_BYTES = 1 << 20,
    TYPING_EVERY_MS = 3000, TYPING_MS = 5000,
};

struct saying {
    struct act *act;
    struct message *m;
    struct conv *conv;
    slice adapted;
};

/* ---- the message out of the body ------------------------------------------------------------------------------------------------------------ */

static bool id_ok(slice id)
{
    for (size_t i = 0; i < id.n; i++)
        if (id.p[i] <= ' ' || id.p[i] > '~')
            return false;
    return id.n > 0 && id.n <= ID_MAX;
}

static bool url_ok(slice url)
{
    static const slice schemes[] = { SLI("https://"), SLI("http://"), SLI("mailto:"), SLI("tel:") };
    for (size_t i = 0; i < COUNT(schemes); i++)
        if (url.n > schemes[i].n && slice_eq_nocase(slice_sub(url, 0, schemes[i].n), schemes[i]))
            return true;
    return !url.n;
}

static bool choices_ok(const struct js_list *choices, const char *field, struct fault *f)
{
    for (size_t i = 0; i < choices->n; i++) {
        const struct choice *ch = LIST_AT(*choices, struct choice, i);
        if (!ch->label.n)
            return fault(f, "missing_field", field, "each has a label");
        if (!url_ok(ch->url) || !url_ok(ch->image))
            return fault(f, "invalid", field, "links are http, https, mailto or tel");
    }
    return true;
}

/* A message of the shapes of hub/message.h, but only with what an agent may say. */
static bool read_rich(struct arena *a, const struct js *doc, struct message *to, struct fault *f)
{
    struct message r;
    if (!js_is_object(doc) || !message_read(a, doc, &r, f))
        return f->code ? false : fault(f, "wrong_type", "rich", "must be an object");
    bool ok = r.kind == KIND_TEXT || r.kind == KIND_CHOICES || r.kind == KIND_CARDS || r.kind == KIND_PICKER || r.kind == KIND_LOCATION || r.kind == KIND_NATIVE;
    if (!ok)
        return fault(f, "invalid", "rich.kind", "must be text, choices, cards, picker, location or native");
    if ((r.kind == KIND_CHOICES && !r.choices.n) || (r.kind == KIND_CARDS && !r.cards.n) || (r.kind == KIND_PICKER && !r.picker.choices.n && !r.picker.slots.n) ||
        (r.kind == KIND_LOCATION && !r.location.present) || (r.kind == KIND_NATIVE && (!r.native_for.n || !r.native_json.n)) || (r.kind == KIND_TEXT && !r.text.n))
        return fault(f, "missing_field", "rich", "has nothing of its kind in it");
    if (!choices_ok(&r.choices, "rich.choices", f) || !choices_ok(&r.picker.choices, "rich.picker.choices", f))
        return false;
    for (size_t i = 0; i < r.cards.n; i++) {
        const struct card *card = LIST_AT(r.cards, struct card, i);
        if (!choices_ok(&card->choices, "rich.cards", f))
            return false;
        if (!card->title.n || !url_ok(card->url) || !url_ok(card->image))
            return fault(f, "invalid", "rich.cards", "each has a title; links are http, https, mailto or tel");
    }
    to->kind = r.kind;
    to->text = slice_or(r.text, to->text);
    to->choices = r.choices;
    to->cards = r.cards;
    to->picker = r.picker;
    to->location = r.location;
    to->native_for = r.native_for;
    to->native_json = r.native_json;
    return true;
}

/* ---- on its way ------------------------------------------------------------------------------------------------------------------------------- */

static slice print_said(const struct saying *sy, const char *key, bool event)
{
    struct act *act = sy->act;
    struct jw w = jw_new(act->c->a, EVENT_BYTES);
    jw_open(&w, NULL, '{');
    if (event)
        jw_str(&w, "interaction", act->it->id);
    show_message(&w, key, &(struct said){ .id = sy->m->id, .interaction = act->it->id, .m = sy->m, .at_ms = act->now_ms,
                                         .state = sy->m->private ? "delivered" : "accepted", .adapted = sy->adapted });
    jw_close(&w, '}');
    return jw_done(&w);
}

static void answer_said(struct act *act)
{
    const struct saying *sy = act->arg;
    if (!sy->m->private && act->in.first->number) /* else it was said before; what agents say to each other has been told (act.c) */
        desk_tell_in(act->desk, act->it, "message", print_said(sy, "message", true), SLICE_NONE);
    api_answer_json(act->c, 202, print_said(sy, "message", false));
}

int64_t desk_reply_until(const struct account *channel, int64_t last_guest_ms)
{
    int64_t window_ms = account_reply_window_ms(channel);
    return window_ms ? last_guest_ms + window_ms : 0;
}

bool desk_may_reply(struct api_call *c, const struct desk_place *p, int64_t last_guest_ms, int64_t now_ms)
{
    int64_t until_ms = desk_reply_until(&p->channel->account, last_guest_ms);
    const char *network = p->channel->account.type->title, *why = reason_names[REASON_WINDOW];
    if (!until_ms || now_ms < until_ms)
        return true;
    if (last_guest_ms)
        api_problem(c, 422, why, NULL, "%s takes answers only until %lld s after the guest's last message: the guest has to write first", network, (long long)((until_ms - last_guest_ms) / 1000));
    else
        api_problem(c, 422, why, NULL, "%s takes only answers: the guest has to write first", network);
    return false;
}

static void say(struct saying *sy)
{
    struct act *act = sy->act;
    struct interaction *it = act->it;
    if (!sy->m->private) {
        it->last_agent_ms = act->now_ms;
        it->unread = 0;
        if (it->state == DESK_HELD || it->state == DESK_WRAPUP) { /* it goes on */
            interaction_state(act->desk->all, it, DESK_OPEN);
            it->held_until_ms = 0;
        }
    }
    act->answer = answer_said;
    act->arg = sy;
    act_commit(act);
}

/* What the guest's network makes of it is known before it goes: an agent learns at once that it cannot be sent. */
static void got_conv(void *arg, struct conv *conv)
{
    struct saying *sy = arg;
    struct act *act = sy->act;
    struct adapted adapted;
    enum reason reason;
    struct fault f = { 0 };
    struct adapt_to to = { &act->place.channel->account, &conv->pub };
    int64_t last_guest_ms = MAX(act->it->last_guest_ms, conv->pub.last_in_ms);
    bool ok = adapt_message(act->c->a, &to, sy->m, &adapted, &reason, &f);
    conv_release(conv);
    if (!ok) {
        act_over(act);
        api_problem(act->c, 422, reason_names[reason], NULL, "%s", f.text);
        return;
    }
    if (!desk_may_reply(act->c, &act->place, last_guest_ms, act->now_ms)) {
        act_over(act);
        return;
    }
    sy->adapted = adapted.note;
    say(sy);
}

void desk_send(struct act *act, struct message *m)
{
    struct saying *sy = ARENA_NEW(act->c->a, struct saying);
    *sy = (struct saying){ .act = act, .m = m };
    if (m->private)
        say(sy);
    else
        conv_get(act->desk->hub, act->place.channel, act->place.guest, got_conv, sy);
}

static void with_file(struct act *act, struct message *m, const struct media *md, const struct fault *f)
{
    if (f) {
        act_over(act);
        api_fault(act->c, strcmp(f->code, "not_found") == 0 ? 404 : 503, f);
        return;
    }
    *LIST_ADD(act->c->a, &m->media, struct media) = *md;
    m->kind = (int)kind_of_file(md->type);
    desk_send(act, m);
}

static bool read_message(struct api_call *c, struct message *m, slice *ret_file, struct fault *f)
{
    const struct js *rich = js_get(c->body, SL("rich")), *native = js_get(c->body, SL("native"));
    slice file = js_text(js_at(c->body, "media.file"));
    m->text = js_text(js_get(c->body, SL("text")));
    *ret_file = file;
    if (rich && !read_rich(c->a, rich, m, f))
        return false;
    if (native) {
        m->kind = KIND_NATIVE;
        m->native_json = js_print(c->a, native);
    }
    if (!slice_trim(m->text).n && !rich && !native && !file.n)
        return fault(f, "missing_field", "text", "there is nothing to say");
    return true;
}

void api_desk_say(struct api_call *c)
{
    bool whisper = js_true(js_get(c->body, SL("whisper")));
    slice id = js_text(js_get(c->body, SL("id"))), file;
    struct fault f = { 0 };
    struct act *act = act_begin(c, whisper ? (unsigned)ACT_IN & ~(1u << DESK_MONITOR) : ACT_TALKS, false);
    if (!act)
        return;
    if (act->it->state == DESK_DONE || act->it->state == DESK_QUEUED || act->it->state == DESK_INVITED) {
        act_conflict(act, "it is not open");
        return;
    }
    struct message *m = act_say(act, KIND_TEXT);
    m->id = arena_printf(c->a, SLF ":" SLF, SLA(act->it->id), SLA(id));
    m->private = whisper;
    bool ok = id_ok(id) || fault(&f, "invalid", "id", "must be 1 to %d printable characters", ID_MAX);
    if (!ok || !read_message(c, m, &file, &f)) {
        act_over(act);
        api_fault(c, 400, &f);
        return;
    }
    if (m->kind == KIND_NATIVE && !m->native_for.n)
        m->native_for = slice_of(act->place.channel->account.type->name);
    if (!message_fits(c->a, m)) {
        act_over(act);
        api_problem(c, 413, "too_large", NULL, "a message has at most %d bytes", JOURNAL_BODY_MAX - MESSAGE_ADDED_MAX);
        return;
    }
    if (file.n)
        desk_file(act, m, file, with_file);
    else
        desk_send(act, m);
}

/* ---- typing: told, never stored ------------------------------------------------------------------------------------------------------------- */

static void typing_told(void *arg, bool ok)
{
    struct act *act = arg;
    (void)ok; /* the next one comes soon */
    act_over(act);
    api_empty(act->c);
}

void api_desk_typing(struct api_call *c)
{
    struct act *act = act_begin(c, ACT_IN, false);
    if (!act)
        return;
    struct interaction *it = act->it;
    bool on = js_true(js_get(c->body, SL("on"))), agents = slice_eq(js_text(js_get(c->body, SL("to"))), SL("agents"));
    int part = interaction_agent(it, c->user)->part;
    struct jw w = jw_new(c->a, EVENT_BYTES);
    jw_open(&w, NULL, '{');
    jw_str(&w, "interaction", it->id);
    jw_str(&w, "who", desk_user_name(act->desk, c->user));
    jw_bool(&w, "on", on);
    jw_close(&w, '}');
    if (part != DESK_MONITOR)
        desk_tell_in(act->desk, it, "typing", jw_done(&w), c->user);
    bool heard = part == DESK_OWNER || part == DESK_CONFERENCED;
    bool due = act->now_ms - it->typed_ms >= TYPING_EVERY_MS;
    if (!on || agents || !heard || !due || it->state != DESK_OPEN || !(act->place.channel->account.type->caps.kinds & CAN(KIND_TYPING))) {
        act_over(act);
        api_empty(c);
        return;
    }
    it->typed_ms = act->now_ms;
    struct message *m = act_say(act, KIND_TYPING);
    m->typing_ms = TYPING_MS;
    accept_inbox(act->place.desk, &act->in, c->x->trace_id, typing_told, act);
}
