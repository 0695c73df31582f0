/* opinion.c - what the guest thinks of it: has read up to here; was it good. Both go to the desk. docs/wire/webchat.md "Read" and "Satisfaction". */
#include "api/chat/request.h"
#include "api/chat/say.h"
#include "hub/accept.h"
#include "hub/conversation.h"

enum { COMMENT_CHARS = 1000 };

/* ---- read ------------------------------------------------------------------------------------------------------------------------ */

static void save_session(void *arg, struct jbatch *b)
{
    struct chat_call *c = arg;
    session_save(c->chat->sessions, c->session, b);
}

static void read_told(void *arg, bool ok)
{
    struct chat_call *c = arg;
    if (!ok)
        c->session->read_told = 0; /* with the next sign */
    chat_answer(c, SLICE_NONE, false);
}

/* The desk hears of it once for each message of an agent that is the newest when it is read. */
void chat_mark_read(struct chat_call *c)
{
    struct chat_session *s = c->session;
    int64_t place;
    if (!place_read(js_text(js_at(c->doc, "data.index")), &place)) {
        chat_refuse(c, 400, NULL, "data.index must be one that a message had");
        return;
    }
    s->read = MAX(s->read, MIN(place, s->last));
    if (!s->said || s->read < s->said || s->read_told >= s->said) {
        chat_answer(c, SLICE_NONE, false);
        return;
    }
    s->read_told = s->said;
    struct message *m = chat_message(c, KIND_EVENT);
    m->event = EVENT_READ;
    m->of = arena_dup(c->a, bytes_slice(&s->said_id));
    m->id = arena_printf(c->a, "%s:read:%lld", s->id, (long long)s->said);
    c->in.also = save_session;
    c->in.also_arg = c;
    accept_inbox(c->actor, &c->in, c->x->trace_id, read_told, c);
}

/* ---- satisfaction ------------------------------------------------------------------------------------------------------------------- */

struct rating {
    struct chat_call *c;
    int64_t value;
    slice comment;
    bool as_text; /* to a desk that carries no such events, while the conversation is open there */
};

static void rated(void *arg, bool ok)
{
    struct rating *ra = arg;
    struct chat_call *c = ra->c;
    if (!ok) {
        c->session->rating = 0;
        chat_not_stored(c);
        return;
    }
    if (c->in.first->number)
        METRIC_ADD(c->hub->metrics, METRIC_CHAT_RATINGS, 1, arena_printf(c->a, "%lld", (long long)ra->value));
    chat_answer(c, SLICE_NONE, true);
}

static void rate(struct rating *ra)
{
    struct chat_call *c = ra->c;
    struct chat_session *s = c->session;
    struct message *m = chat_message(c, ra->as_text ? KIND_TEXT : KIND_EVENT);
    m->event = ra->as_text ? EVENT_NONE : EVENT_OTHER;
    m->name = SL("satisfaction");
    m->id = arena_printf(c->a, "%s:satisfaction", s->id); /* once */
    m->text = arena_printf(c->a, SLF " rates the chat %lld of %d%s" SLF, SLA(say_guest(c->a, s).nickname), (long long)ra->value, CHAT_RATING_MAX,
                           ra->comment.n ? ": " : "", SLA(ra->comment));
    message_data(c->a, m, SL("satisfaction"), arena_printf(c->a, "%lld", (long long)ra->value));
    message_data(c->a, m, SL("satisfaction_comment"), ra->comment);
    s->rating = (int)ra->value;
    c->in.also = save_session;
    c->in.also_arg = c;
    accept_inbox(c->actor, &c->in, c->x->trace_id, rated, ra);
}

static void got_conversation(void *arg, struct conv *conv)
{
    struct rating *ra = arg;
    ra->as_text = conv->pub.open;
    conv_release(conv);
    rate(ra);
}

void chat_rate(struct chat_call *c)
{
    struct chat_session *s = c->session;
    struct rating *ra = ARENA_NEW(c->a, struct rating);
    *ra = (struct rating){ .c = c };
    const struct js *v = js_at(c->doc, "data.rating");
    bool good = (js_int(v, &ra->value) || slice_int(js_text(v), &ra->value)) && ra->value >= 1 && ra->value <= CHAT_RATING_MAX;
    ra->comment = slice_trim(utf8_cut(js_text(js_at(c->doc, "data.comment")), COMMENT_CHARS));
    const struct actor *desk = c->actor ? c->actor->tenant->desk : NULL;
    if (!c->actor || !chat_true(c, WEBCHAT_SATISFACTION))
        chat_refuse(c, 404, NULL, "this chat does not ask");
    else if (!good)
        chat_refuse(c, 400, NULL, "data.rating must be a whole number from 1 to %d", CHAT_RATING_MAX);
    else if (s->end == CHAT_OPEN)
        chat_refuse(c, 400, NULL, "the chat has not ended yet");
    else if (s->rating) /* said already */
        chat_answer(c, SLICE_NONE, true);
    else if (!desk || (desk->account.type->caps.events & CAN(EVENT_OTHER)))
        rate(ra);
    else
        conv_get(c->hub, c->actor, slice_of(s->id), got_conversation, ra);
}
