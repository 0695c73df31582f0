/* slack_guest.c - the members and their conversations as the control API shows them, and what it lets them do; slack.c is the manual. */
#include "sim/slack.h"

/* clang-format off */
static const struct { slice type; bool (*fn)(struct ssk_deed *t); } deeds[] = {
    { SLI("text"),    ssk_do_text },    { SLI("file"),      ssk_do_file },      { SLI("edit"),           ssk_do_edit },
    { SLI("unfurl"),  ssk_do_edit },    { SLI("delete"),    ssk_do_delete },    { SLI("react"),          ssk_do_react },
    { SLI("home"),    ssk_do_home },    { SLI("assistant"), ssk_do_assistant }, { SLI("join"),           ssk_do_join },
    { SLI("event"),   ssk_do_event },   { SLI("command"),   ssk_do_command },   { SLI("shortcut"),       ssk_do_shortcut },
    { SLI("message_action"), ssk_do_shortcut },
};
/* clang-format on */

static bool do_any(struct ssk_deed *t)
{
    return SIM_DO(deeds, t);
}

/* ---- control routes --------------------------------------------------------------------------------------------------------------------- */

static void act(struct sim_call *c, struct ssk *s, bool (*fn)(struct ssk_deed *t))
{
    struct fault f = { 0 };
    struct ssk_deed t = { .s = s, .a = c->x->a, .f = &f, .who = ssk_guest_of(s, c->params[0]) };
    if (!t.who) {
        sim_refuse(c, 404, "not_found", "", "no such guest");
        return;
    }
    t.what = sim_object(c);
    if (!t.what)
        return;
    t.chat = slice_eq(sim_text(t.what, "in", ""), SL("channel")) ? &t.who->space->channel : &t.who->chat;
    if (fn(&t))
        sim_json(c, 200, arena_printf(t.a, "{\"ts\":\"" SLF "\"}", SLA(t.ts)));
    else
        sim_fault(c, 400, &f);
}

static void post_send(struct sim_call *c, void *ctx)
{
    act(c, ctx, do_any);
}

static void post_tap(struct sim_call *c, void *ctx)
{
    act(c, ctx, ssk_do_tap);
}

static void post_submit(struct sim_call *c, void *ctx)
{
    act(c, ctx, ssk_do_submit);
}

static void post_close(struct sim_call *c, void *ctx)
{
    act(c, ctx, ssk_do_close);
}

static void post_again(struct sim_call *c, void *ctx)
{
    ssk_event_again(ctx);
    sim_json(c, 200, SL("{}"));
}

static void put_guest(struct jw *w, const struct ssk_guest *g)
{
    int64_t left_ms = g->chat.typing_until_ms - time_mono_ms();
    jw_open(w, NULL, '{');
    jw_int(w, "number", (int64_t)g->number);
    jw_str(w, "id", slice_of(g->id));
    jw_str(w, "name", slice_of(g->name));
    jw_str(w, "workspace", slice_of(g->space->id));
    jw_str(w, "channel", slice_of(g->chat.id));
    jw_int(w, "typing_ms", MAX(left_ms, 0));
    if (g->view)
        jw_raw(w, "view", slice_of(g->view));
    jw_close(w, '}');
}

static void get_guests(struct sim_call *c, void *ctx)
{
    struct ssk *s = ctx;
    struct jw w = jw_new(c->x->a, 8 << 20);
    jw_open(&w, NULL, '{');
    jw_open(&w, "app", '{');
    jw_str(&w, "id", s->app);
    jw_str(&w, "hub", s->env->hub);
    jw_close(&w, '}');
    jw_open(&w, "workspaces", '[');
    for (size_t i = 0; i < SSK_WORKSPACES; i++) {
        const struct ssk_space *t = &s->spaces[i];
        jw_open(&w, NULL, '{');
        jw_str(&w, "id", slice_of(t->id));
        jw_str(&w, "name", slice_of(t->name));
        jw_bool(&w, "installed", t->token != NULL);
        jw_bool(&w, "whole", t->whole);
        jw_str(&w, "bot", slice_of(t->bot_user));
        jw_str(&w, "channel", slice_of(t->channel.id));
        jw_close(&w, '}');
    }
    jw_close(&w, ']');
    jw_open(&w, "guests", '[');
    for (size_t i = 0; i < SSK_WORKSPACES; i++)
        for (size_t k = 0; k < s->n_guests; k++)
            put_guest(&w, &s->spaces[i].guests[k]);
    jw_close(&w, ']');
    jw_close(&w, '}');
    sim_json(c, 200, jw_done(&w));
}

static void get_messages(struct sim_call *c, void *ctx)
{
    const struct ssk_guest *g = ssk_guest_of(ctx, c->params[0]);
    if (!g) {
        sim_refuse(c, 404, "not_found", "", "no such guest");
        return;
    }
    const struct ssk_chat *chat = slice_eq(exchange_query(c->x, "in"), SL("channel")) ? &g->space->channel : &g->chat;
    struct jw w = jw_new(c->x->a, 64 << 20);
    jw_open(&w, NULL, '{');
    jw_open(&w, "messages", '[');
    for (const struct ssk_message *m = chat->first; m; m = m->next)
        ssk_message_write(&w, m);
    jw_close(&w, ']');
    jw_close(&w, '}');
    sim_json(c, 200, jw_done(&w));
}

static const struct sim_route routes[] = {
    { "GET", "/sim/guests", get_guests, SIM_CONTROL },
    { "POST", "/sim/guests/:guest/send", post_send, SIM_CONTROL },
    { "POST", "/sim/guests/:guest/tap", post_tap, SIM_CONTROL },
    { "POST", "/sim/guests/:guest/submit", post_submit, SIM_CONTROL },
    { "POST", "/sim/guests/:guest/close", post_close, SIM_CONTROL },
    { "POST", "/sim/guests/:guest/again", post_again, SIM_CONTROL },
    { "GET", "/sim/guests/:guest/messages", get_messages, SIM_CONTROL },
};

void ssk_guest_routes(struct ssk *s)
{
    sim_routes(s->env, routes, COUNT(routes), s, NULL);
}
