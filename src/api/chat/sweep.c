/* sweep.c - sessions that nobody uses: they end, and what has ended goes. */
#include "api/chat/request.h"
#include "api/chat/say.h"
#include "hub/accept.h"

struct ending { /* until it is stored that the session has ended */
    struct chat *chat;
    struct chat_session *session;
    struct arena *a;
    struct inbox in;
    enum chat_end why;
    uint64_t number;
};

static void ended(void *arg, bool ok)
{
    struct ending *en = arg;
    struct chat_session *s = en->session;
    s->holds--;
    if (ok) {
        lines_show(s, en->number);
        chat_tell(en->chat, s);
    } else { /* the next sweep tries again */
        s->end = CHAT_OPEN;
        if (en->number)
            lines_withdraw(en->chat->sessions, s, en->number, NULL);
    }
    arena_free(en->a);
}

static void with_end(void *arg, struct jbatch *b)
{
    struct ending *en = arg;
    struct chat_session *s = en->session;
    int64_t now_ms = time_now_ms(), place = line_place(s, now_ms);
    en->number = en->in.first->number;
    s->end = en->why;
    s->ended_ms = now_ms;
    struct say_who who = say_guest(en->a, s);
    struct jw w = say_begin(en->a, place, "ParticipantLeft", &who);
    slice json = say_done(&w);
    if (json.p && en->number)
        line_add(en->chat->sessions, s, place, en->number, json, SLICE_NONE, b);
    session_save(en->chat->sessions, s, b);
}

/* The desk hears that the guest has gone. */
static void end(struct chat *chat, struct chat_session *s, struct actor *actor, enum chat_end why)
{
    struct arena *a = arena_new();
    struct ending *en = ARENA_NEW(a, struct ending);
    *en = (struct ending){ .chat = chat, .session = s, .a = a, .why = why };
    inbox_init(&en->in, a);
    struct message *m = inbox_add(&en->in, KIND_EVENT);
    m->event = EVENT_LEFT;
    m->guest = arena_dup(a, slice_of(s->id));
    m->at_ms = time_now_ms();
    m->id = uuid_make(a);
    m->text = arena_printf(a, SLF " has left the chat", SLA(say_guest(a, s).nickname));
    inbox_remember(&en->in, m, WEBCHAT_OVER, SL("1"), 0);
    en->in.also = with_end;
    en->in.also_arg = en;
    s->holds++;
    accept_inbox(actor, &en->in, SLICE_NONE, ended, en);
}

static int64_t number(const struct actor *actor, enum webchat_setting i)
{
    int64_t n = 0;
    return slice_int(actor->account.settings[i], &n) ? n : 0;
}

static bool is_due(const struct actor *actor, const struct chat_session *s, int64_t now_ms, enum chat_end *ret)
{
    if (chat_is_async(actor)) {
        *ret = CHAT_IDLE;
        return now_ms - s->active_ms >= number(actor, WEBCHAT_ASYNC_DAYS) * 86400000;
    }
    int64_t idle_ms = number(actor, WEBCHAT_IDLE) * 1000, away_ms = number(actor, WEBCHAT_ABANDONED) * 1000;
    bool idle = idle_ms && now_ms - s->active_ms >= idle_ms, away = away_ms && now_ms - s->seen_ms >= away_ms;
    *ret = idle ? CHAT_IDLE : CHAT_ABANDONED;
    return idle || away;
}

static void look(void *arg, struct chat_session *s)
{
    struct chat *chat = arg;
    int64_t now_ms = time_now_ms();
    enum chat_end why;
    if (s->streams) /* a page that is told is there */
        s->seen_ms = now_ms;
    if (s->holds)
        return;
    if (s->end != CHAT_OPEN && now_ms - s->ended_ms >= CHAT_ENDED_KEEP_MS && lines_all_shown(s)) {
        struct jbatch *b = jbatch_new(chat->hub->journal);
        chats_remove(chat->sessions, s, b);
        jbatch_commit(b, JOURNAL_LAZY, NULL, NULL);
        return;
    }
    struct actor *actor = session_actor(chat->sessions, s);
    if (s->end == CHAT_OPEN && actor && is_due(actor, s, now_ms, &why))
        end(chat, s, actor, why);
    else if (s->n_lines && now_ms - s->seen_ms >= CHAT_COLD_MS)
        lines_cool(s);
}

static void sweep(void *arg)
{
    struct chat *chat = arg;
    if (!chat->hub->draining)
        chats_each(chat->sessions, look, chat);
    loop_timer_start(chat->hub->loop, &chat->sweep, CHAT_SWEEP_MS, sweep, chat);
}

void sweep_start(struct chat *chat)
{
    loop_timer_start(chat->hub->loop, &chat->sweep, CHAT_SWEEP_MS, sweep, chat);
}
