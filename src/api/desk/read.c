/* read.c - what agents ask the desk: who am I, which interactions, what was said, whom could I hand it to; and new interactions that an agent begins. */
#include "api/contacts/contact_job.h"
#include "api/desk/inside.h"
#include "api/told.h"
#include "hub/registry.h"

enum { GUEST_MAX = 400 };

/* ---- me ---------------------------------------------------------------------------------------------------------------------------------- */

static void answer_me(struct api_call *c, slice user)
{
    const struct login *l = login_find(c->api->logins, user);
    if (!l) {
        api_not_found(c, "user", user);
        return;
    }
    struct jw w = jw_new(c->a, API_ANSWER_MAX);
    show_me(call_desk(c), &w, NULL, l);
    api_answer_json(c, 200, jw_done(&w));
}

void api_desk_me(struct api_call *c)
{
    answer_me(c, c->user);
}

struct setting_status {
    struct api_call *c;
    slice user;
};

static void status_stored(void *arg, bool ok)
{
    const struct setting_status *st = arg;
    if (ok)
        answer_me(st->c, st->user);
    else
        api_not_stored(st->c, NULL);
}

static void set_status(struct api_call *c, slice user)
{
    struct desk *desk = call_desk(c);
    slice media = js_text(js_get(c->body, SL("media")));
    bool ready = slice_eq(js_text(js_get(c->body, SL("state"))), SL("ready"));
    if (media.n && !slice_eq(media, SL("chat")) && !slice_eq(media, SL("all"))) {
        api_problem(c, 400, "invalid", "media", "must be chat or all");
        return;
    }
    struct setting_status *st = ARENA_NEW(c->a, struct setting_status);
    *st = (struct setting_status){ c, user };
    member_state(desk, desk_member(desk, user), ready, ready ? SLICE_NONE : js_text(js_get(c->body, SL("reason"))), status_stored, st);
}

void api_desk_status(struct api_call *c)
{
    set_status(c, c->user);
}

void api_desk_agent_status(struct api_call *c)
{
    if (login_find(c->api->logins, c->params[0]))
        set_status(c, c->params[0]);
    else
        api_not_found(c, "user", c->params[0]);
}

/* ---- whom, where --------------------------------------------------------------------------------------------------------------------------- */

static void show_channels(struct jw *w, const struct hub *h)
{
    jw_open(w, "channels", '[');
    for (size_t i = 0; i < h->n_actors; i++) {
        const struct actor *actor = h->actors[i];
        if (actor->retired || actor->account.type->desk || !actor->tenant->desk || actor->tenant->desk->account.type != &connector_builtin)
            continue;
        jw_open(w, NULL, '{');
        jw_str(w, "id", actor->account.id);
        jw_str(w, "tenant", actor->tenant->slug);
        jw_str(w, "network", slice_of(actor->account.type->title));
        jw_str(w, "name", actor->account.name);
        jw_close(w, '}');
    }
    jw_close(w, ']');
}

void api_desk_targets(struct api_call *c)
{
    struct desk *desk = call_desk(c);
    struct jw w = api_json(c);
    jw_open(&w, "agents", '[');
    for (const struct login *l = login_first(c->api->logins); l; l = l->next) {
        const struct agent *m = desk_member(desk, slice_of(l->user));
        jw_open(&w, NULL, '{');
        jw_str(&w, "user", slice_of(l->user));
        jw_str(&w, "display_name", login_name(l));
        jw_str(&w, "state", m->ready ? SL("ready") : pages_of(desk, slice_of(l->user)) ? SL("not-ready") : SL("off"));
        jw_close(&w, '}');
    }
    jw_close(&w, ']');
    struct js_list names = figures_queues(desk, c->a);
    jw_open(&w, "queues", '[');
    for (size_t i = 0; i < names.n; i++) {
        slice name = *LIST_AT(names, slice, i);
        const struct queue *q = queue_find(desk->queues, name);
        jw_open(&w, NULL, '{');
        jw_str(&w, "name", name);
        jw_str(&w, "title", q ? slice_or(q->title, name) : name);
        jw_close(&w, '}');
    }
    jw_close(&w, ']');
    show_channels(&w, c->hub);
    api_answer(c, &w);
}

/* ---- interactions ---------------------------------------------------------------------------------------------------------------------------- */

static bool wanted(const struct api_call *c, const struct interaction *it, slice state, slice queue, bool mine)
{
    if (state.n && !slice_eq(state, slice_of(desk_state_names[it->state])))
        return false;
    if (queue.n && !slice_eq(queue, it->queue))
        return false;
    bool is_mine = interaction_agent(it, c->user) || slice_eq(it->invited, c->user);
    return mine ? is_mine : act_may_see(c, it);
}

void api_desk_interactions(struct api_call *c)
{
    struct desk *desk = call_desk(c);
    slice state = api_query(c, "state"), queue = api_query(c, "queue");
    bool mine = slice_eq(api_query(c, "mine"), SL("true"));
    struct api_page page;
    if (!api_page(c, &page, API_PAGE_MAX))
        return;
    struct jw w = api_json(c);
    jw_open(&w, "items", '[');
    const struct interaction *it = slice_eq(state, SL("done")) ? interactions_first_done(desk->all) : interactions_first(desk->all);
    for (; it; it = it->next)
        if (api_page_has(&page, it->id, wanted(c, it, state, queue, mine)))
            show_interaction(desk, &w, NULL, it);
    jw_close(&w, ']');
    if (api_page_end(&page, &w))
        api_answer(c, &w);
}

/* NULL: answered. */
static struct interaction *visible(struct api_call *c)
{
    struct interaction *it = interactions_find(call_desk(c)->all, c->params[0]);
    if (!it)
        api_not_found(c, "interaction", c->params[0]);
    else if (act_may_see(c, it))
        return it;
    else
        api_problem(c, 403, "forbidden", NULL, "it is not yours");
    return NULL;
}

void api_desk_interaction(struct api_call *c)
{
    const struct interaction *it = visible(c);
    if (!it)
        return;
    struct jw w = jw_new(c->a, API_ANSWER_MAX);
    show_interaction(call_desk(c), &w, NULL, it);
    api_answer_json(c, 200, jw_done(&w));
}

/* ---- what was said ---------------------------------------------------------------------------------------------------------------------------- */

struct reading {
    struct told *t;
    slice interaction;
};

static void read_said(void *arg, const struct history_message *h)
{
    struct reading *r = arg;
    struct told *t = r->t;
    if (t->n == t->limit) {
        t->more = true;
        return;
    }
    struct message m;
    struct said s;
    t->n++;
    t->last = h->id;
    said_of_history(t->c->a, h, r->interaction, &m, &s);
    show_message(&t->w, NULL, &s);
}

static void read_done(void *arg, const struct fault *f)
{
    struct reading *r = arg;
    told_done(r->t, f);
}

void api_desk_messages(struct api_call *c)
{
    const struct interaction *it = visible(c);
    struct told *t = it ? told_page(c, "before") : NULL;
    if (!t)
        return;
    struct reading *r = ARENA_NEW(c->a, struct reading);
    *r = (struct reading){ t, arena_dup(c->a, it->id) };
    struct history_page page = { .before_id = t->before, .limit = t->limit + 1 };
    history_messages(c->hub->history, it->conversation, &page, read_said, read_done, r);
}

/* ---- a conversation that an agent begins, or takes up again --------------------------------------------------------------------------------------- */

static bool guest_ok(slice guest)
{
    for (size_t i = 0; i < guest.n; i++)
        if ((unsigned char)guest.p[i] <= ' ' || guest.p[i] == 0x7f)
            return false;
    return guest.n > 0 && guest.n <= GUEST_MAX && utf8_valid(guest);
}

struct starting {
    struct api_call *c;
    slice conversation, text;
};

static void nowhere(struct api_call *c)
{
    api_problem(c, 404, "not_found", "conversation", "there is no such channel at this desk, or no guest can be called so");
}

/* The interaction goes to this agent, if nobody else has it. False: answered. */
static bool take_up(struct api_call *c, struct interaction *it)
{
    slice owner = interaction_owner(it);
    if (!owner.n || slice_eq(owner, c->user))
        return true;
    api_problem(c, 409, "conflict", NULL, SLF " answers this guest", SLA(desk_user_name(call_desk(c), owner)));
    return false;
}

static struct interaction *begin(struct api_call *c, const struct desk_place *place, slice conversation, int64_t now_ms)
{
    struct desk *desk = call_desk(c);
    const struct interaction *last = interactions_last(desk->all, conversation);
    struct interaction *it = interactions_add(desk->all, conversation, now_ms);
    interaction_set(&it->queue, place->desk->account.settings[BUILTIN_QUEUE]);
    if (last) {
        interaction_set(&it->name, last->name);
        interaction_set(&it->contact, last->contact);
        interaction_set(&it->picture, last->picture);
        interaction_set(&it->attributes, last->attributes);
    }
    interaction_set(&it->subject, js_text(js_get(c->body, SL("subject"))));
    return it;
}

/* What is known of the guest is at hand: by it the interaction is named, and the network's reply window counted. */
static void started(void *arg, struct conv *conv)
{
    struct starting *st = arg;
    struct api_call *c = st->c;
    struct desk *desk = call_desk(c);
    struct desk_place place;
    const struct person *p = &conv->pub.person;
    slice name = utf8_cut(arena_dup(c->a, slice_or(p->name, p->first_name)), DESK_WORD_MAX);
    int64_t now_ms = time_now_ms();
    struct interaction *it = interactions_active(desk->all, st->conversation, false);
    int64_t last_guest_ms = MAX(conv->pub.last_in_ms, it ? it->last_guest_ms : 0);
    struct act *act = NULL;
    if (!desk_place(desk, st->conversation, &place)) /* its channel was taken away just now */
        nowhere(c);
    else if ((!it || take_up(c, it)) && (!st->text.n || desk_may_reply(c, &place, last_guest_ms, now_ms)))
        act = act_on(c, it ? it : begin(c, &place, st->conversation, now_ms));
    if (!act) {
        conv_release(conv);
        return;
    }
    it = act->it;
    desk_take(desk, it, c->user, now_ms);
    if (name.n && !it->name.n)
        interaction_set(&it->name, name);
    desk_ask_contact(desk, it, p);
    conv_release(conv);
    it->last_guest_ms = last_guest_ms;
    c->params[0] = arena_dup(c->a, it->id);
    if (st->text.n) { /* with the text the interaction is stored, too */
        it->last_agent_ms = now_ms;
        struct message *m = act_say(act, KIND_TEXT);
        m->id = arena_printf(c->a, SLF ":start", SLA(it->id));
        m->text = st->text;
    }
    act_commit(act);
}

static void start_on(struct api_call *c, slice conversation)
{
    struct desk *desk = call_desk(c);
    struct desk_place place;
    if (!desk_place(desk, conversation, &place) || !guest_ok(place.guest)) {
        nowhere(c);
        return;
    }
    struct starting *st = ARENA_NEW(c->a, struct starting);
    *st = (struct starting){ c, conversation, js_text(js_get(c->body, SL("text"))) };
    conv_get(desk->hub, place.channel, place.guest, started, st);
}

/* The way a contact was heard of last, or on the channel that is named, of those that are answered here. */
static void found_contact(struct contact_job *job)
{
    struct api_call *c = job->arg;
    slice channel = js_text(js_get(c->body, SL("channel"))), conversation = SLICE_NONE;
    int64_t heard_ms = -1;
    if (c->api->stopped) {
        api_not_stored(c, NULL);
        return;
    }
    for (size_t i = 0; i < job->contact.identities.n && !job->fault.code; i++) {
        const struct contact_identity *v = LIST_AT(job->contact.identities, struct contact_identity, i);
        struct desk_place p;
        bool fits = desk_place(call_desk(c), v->conversation, &p) && (!channel.n || slice_eq(p.channel->account.id, channel));
        if (!fits || v->heard_ms <= heard_ms)
            continue;
        heard_ms = v->heard_ms;
        conversation = arena_dup(c->a, v->conversation);
    }
    if (conversation.n)
        start_on(c, conversation);
    else if (job->fault.code && strcmp(job->fault.code, "not_found") != 0)
        api_problem(c, 503, "unavailable", NULL, "the contacts cannot be read now; try again");
    else
        api_problem(c, 404, "not_found", "contact", "there is no such contact, or no way to reach it from this desk");
}

void api_desk_start(struct api_call *c)
{
    slice conversation = js_text(js_get(c->body, SL("conversation"))), channel = js_text(js_get(c->body, SL("channel"))), guest = js_text(js_get(c->body, SL("guest")));
    slice contact = js_text(js_get(c->body, SL("contact")));
    if (contact.n && !conversation.n && !guest.n) {
        struct contact_job *job = contact_job_new(c->api->contacts, contact_work_find, false, found_contact, c);
        job->id = arena_dup(job->a, contact);
        contact_job_submit_fresh(job);
        return;
    }
    if (!conversation.n && channel.n && guest.n)
        conversation = arena_join(c->a, channel, SL(":"), guest);
    if (conversation.n)
        start_on(c, conversation);
    else
        api_problem(c, 400, "missing_field", "conversation", "name a contact, a conversation, or a channel and a guest of it");
}
