#include "hub/command.h"
#include "hub/command_line.h"
#include "hub/conversation.h"
#include "hub/later.h"
#include "hub/response_message.h"
#include "hub/responses.h"
#include "hub/run.h"
#include "hub/when.h"
#include "wire/crypto.h"
#include "wire/hex.h"

enum { SAY_BYTES = 1500, MESSAGES_BYTES = 512 << 10 };

struct running {
    struct arena *a;
    struct conv *conv;
    struct tenant *t;
    const struct message *m;
    struct commander who;
    slice resumed;
    unsigned tries, depth;
    slice response; /* the one asked for last */
    slice command;
    const struct command_object *object;
    void (*done)(void *arg, const struct command_result *r);
    void *arg;
};

/* ---- which commander ------------------------------------------------------------------------------------------------------ */

bool commander_of(const struct tenant *t, struct commander *ret)
{
    static const struct config_commander nothing;
    const struct hub *h = t->desk->hub;
    const struct config_commander *own = t->config ? &t->config->commander : &nothing, *of_all = h->config ? &h->config->commander : &nothing;
    bool by_default = !slice_eq(own->values[COMMANDER_DEFAULT], SL("false"));
    const struct config_commander *speaks = by_default ? of_all : own;
    *ret = (struct commander){
        .prefix = slice_or(own->values[COMMANDER_PREFIX], slice_or(of_all->values[COMMANDER_PREFIX], SL(COMMANDER_PREFIX_OTHERWISE))),
        .zone = slice_or(own->values[COMMANDER_ZONE], of_all->values[COMMANDER_ZONE]),
        .language = speaks->language,
        .settings = speaks->settings,
    };
    return !slice_eq(own->values[COMMANDER_USE], SL("false"));
}

bool command_is(const struct tenant *t, const struct message *m)
{
    struct commander who;
    slice line;
    bool said = m->kind == KIND_TEXT && (m->origin == ORIGIN_AGENT || m->origin == ORIGIN_BOT);
    return said && commander_of(t, &who) && command_prefixed(m->text, who.prefix, &line);
}

/* ---- ends ------------------------------------------------------------------------------------------------------------------- */

static slice note_of(struct running *r, const struct js_list *messages)
{
    struct jw w = jw_new(r->a, 8192);
    jw_open(&w, NULL, '{');
    jw_str(&w, "command", slice_or(r->command, SL("?")));
    jw_opt(&w, "response", utf8_cut_bytes(r->response, RESPONSE_NAME_BYTES));
    if (messages) {
        jw_open(&w, "as", '[');
        for (size_t i = 0; i < messages->n; i++)
            jw_str(&w, NULL, slice_of(kind_names[LIST_AT(*messages, struct message, i)->kind]));
        jw_close(&w, ']');
    }
    jw_close(&w, '}');
    return jw_done(&w);
}

static void end(struct running *r, enum command_end how, slice say)
{
    struct command_result result = { .end = how, .say = utf8_cut_bytes(say, SAY_BYTES), .note = note_of(r, NULL) };
    r->done(r->arg, &result);
}

static void refuse_with(struct running *r, const char *fmt, ...) PRINTF(2, 3);
static void refuse_with(struct running *r, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    slice say = arena_vprintf(r->a, fmt, ap);
    va_end(ap);
    end(r, COMMAND_REFUSED, say);
}

/* ---- send ------------------------------------------------------------------------------------------------------------------- */

static void line(struct running *r, slice text);

static void found(void *arg, const struct canned_response *response, const struct fault *why)
{
    struct running *r = arg;
    struct fault f = { 0 };
    slice text, next;
    if (!response) {
        bool later = strcmp(why->code, "response_failed") == 0 && r->tries + 1 < COMMAND_TRIES;
        end(r, later ? COMMAND_AGAIN : COMMAND_REFUSED, arena_printf(r->a, "%s", why->text));
        return;
    }
    r->response = arena_dup(r->a, response->name);
    if (response->why.n) {
        refuse_with(r, "canned response \"" SLF "\" cannot be sent: " SLF, SLA(r->response), SLA(response->why));
        return;
    }
    if (!response_render(r->t->desk->hub, r->a, response, r->who.zone, r->object->values, r->object->n, &text, &f)) {
        refuse_with(r, "%s", f.text);
        return;
    }
    if (command_prefixed(text, r->who.prefix, &next)) {
        line(r, next);
        return;
    }
    struct command_result result = { .end = COMMAND_SEND };
    if (!response_messages(r->a, text, r->conv->channel->account.type, &result.messages, &f)) {
        refuse_with(r, "canned response \"" SLF "\": %s%s%s", SLA(r->response), f.field, f.field[0] ? ": " : "", f.text);
        return;
    }
    result.note = note_of(r, &result.messages);
    r->done(r->arg, &result);
}

static void on_send(struct running *r, slice rest)
{
    struct fault f = { 0 };
    struct command_object *object = ARENA_NEW(r->a, struct command_object);
    if (!command_read_object(r->a, rest, object, &f)) {
        refuse_with(r, "send: %s. Write it so: " SLF " send \"My Response\" with name=\"value\"", f.text, SLA(r->who.prefix));
        return;
    }
    if (r->depth++ == COMMAND_DEPTH_MAX) {
        refuse_with(r, "canned responses send each other, the last one \"" SLF "\": more than %d times", SLA(object->thing), COMMAND_DEPTH_MAX);
        return;
    }
    r->object = object;
    r->response = object->thing;
    responses_find(r->t, object->thing, found, r);
}

/* ---- continue ----------------------------------------------------------------------------------------------------------------- */

static void plan(struct running *r, int64_t at_ms, slice said)
{
    int64_t now_ms = time_now_ms();
    if (at_ms && (at_ms <= now_ms || at_ms > now_ms + (int64_t)LATER_DAYS_MAX * 86400000)) {
        refuse_with(r, "continue: %s: the time must lie within the next %d days",
                    when_print(r->a, r->who.zone, at_ms).p, LATER_DAYS_MAX);
        return;
    }
    slice say = at_ms ? arena_printf(r->a, "Will continue at " SLF, SLA(when_print(r->a, r->who.zone, at_ms))) : SL("This conversation does not come back by itself");
    if (said.n && at_ms)
        say = arena_printf(r->a, SLF "\n" SLF, SLA(said), SLA(say));
    struct command_result result = { .end = COMMAND_DONE, .say = say, .note = note_of(r, NULL), .plan = true, .later_ms = at_ms };
    r->done(r->arg, &result);
}

static void ask_or(struct running *r, const char *otherwise)
{
    if (r->who.language)
        end(r, COMMAND_ASK, SLICE_NONE);
    else
        refuse_with(r, "%s", otherwise);
}

static void on_continue(struct running *r, slice rest)
{
    int64_t at_ms;
    if (slice_eq_nocase(rest, SL("never")) || slice_eq_nocase(rest, SL("no more")) || slice_eq_nocase(rest, SL("cancel")))
        plan(r, 0, SLICE_NONE);
    else if (when_read(rest, r->who.zone, time_now_ms(), &at_ms))
        plan(r, at_ms, SLICE_NONE);
    else
        ask_or(r, "continue: say when: " WHEN_SAMPLES);
}

/* ---- help ---------------------------------------------------------------------------------------------------------------------- */

static void on_help(struct running *r, slice rest)
{
    slice p = r->who.prefix;
    (void)rest;
    end(r, COMMAND_DONE, arena_printf(r->a, "Commands:\n" SLF " send \"My Response\" with name=\"value\": sends a canned response to the guest\n"
                                            SLF " continue tomorrow 10:00: the conversation comes back then (" WHEN_SAMPLES "; never)\n" SLF " help%s%s%s",
                                      SLA(p), SLA(p), SLA(p), r->who.language ? "\nor in your own words, understood by " : "",
                                      r->who.language ? r->who.language->type.title : "", ""));
}

/* ---- a line ---------------------------------------------------------------------------------------------------------------------- */

static const struct {
    slice name;
    void (*run)(struct running *r, slice rest);
} commands[] = { { SLI("send"), on_send }, { SLI("continue"), on_continue }, { SLI("help"), on_help } };

static void line(struct running *r, slice text)
{
    struct command_line cl;
    struct fault f = { 0 };
    if (!command_read(r->a, text, &cl, &f)) {
        ask_or(r, arena_printf(r->a, "%s. " SLF " help lists the commands", f.text, SLA(r->who.prefix)).p);
        return;
    }
    for (size_t i = 0; i < COUNT(commands); i++)
        if (slice_eq(commands[i].name, cl.name)) {
            r->command = cl.name;
            commands[i].run(r, cl.rest);
            return;
        }
    r->command = SL("unknown");
    ask_or(r, arena_printf(r->a, "there is no command \"" SLF "\". " SLF " help lists them", SLA(cl.name), SLA(r->who.prefix)).p);
}

/* ---- what the language said -------------------------------------------------------------------------------------------------- */

/* Its answer, while the line is parked. */
struct heard {
    slice command, say, why;
    bool understood, complete, failed;
    int64_t when_ms;
};
/* clang-format off */
static const struct js_field heard_fields[] = {
    JS_FIELD(struct heard, command,    "command",    JS_STR,  0),
    JS_FIELD(struct heard, say,        "say",        JS_STR,  0),
    JS_FIELD(struct heard, why,        "why",        JS_STR,  0),
    JS_FIELD(struct heard, understood, "understood", JS_BOOL, 0),
    JS_FIELD(struct heard, complete,   "complete",   JS_BOOL, 0),
    JS_FIELD(struct heard, failed,     "failed",     JS_BOOL, 0),
    JS_FIELD(struct heard, when_ms,    "when",       JS_I64,  0),
};
/* clang-format on */

static void act(struct running *r)
{
    struct heard h = { 0 };
    const struct js *doc = js_parse(r->a, r->resumed, NULL);
    if (!doc || !js_read(r->a, doc, heard_fields, COUNT(heard_fields), &h, NULL) || h.failed) {
        refuse_with(r, "the command could not be asked about: " SLF, SLA(slice_or(h.why, SL("no answer"))));
        return;
    }
    r->command = slice_or(h.command, SL("unknown"));
    if (!h.understood)
        refuse_with(r, SLF, SLA(slice_or(h.say, SL("Command not understood"))));
    else if (!h.complete)
        end(r, COMMAND_DONE, slice_or(h.say, SL("Something is missing")));
    else if (slice_eq(h.command, SL("continue")) && h.when_ms)
        plan(r, h.when_ms, h.say);
    else if (slice_eq(h.command, SL("help")))
        on_help(r, SLICE_NONE);
    else if (h.say.n && !slice_eq(h.command, SL("continue")))
        end(r, COMMAND_DONE, h.say);
    else if (slice_eq(h.command, SL("continue")))
        refuse_with(r, "continue: no time was understood. Say when: " WHEN_SAMPLES);
    else
        refuse_with(r, "there is no command \"" SLF "\"", SLA(r->command));
}

void command_run(struct arena *a, struct conv *conv, const struct message *m, slice resumed, unsigned tries,
                 void (*done)(void *arg, const struct command_result *r), void *arg)
{
    struct running *r = ARENA_NEW(a, struct running);
    slice text;
    *r = (struct running){ .a = a, .conv = conv, .t = conv->channel->tenant, .m = m, .resumed = resumed, .tries = tries, .done = done, .arg = arg };
    bool is = commander_of(r->t, &r->who) && command_prefixed(m->text, r->who.prefix, &text);
    if (!is) { /* its settings changed meanwhile: a line that was a command is not shown to the guest for that */
        refuse_with(r, "commands are switched off");
        return;
    }
    if (resumed.n)
        act(r);
    else
        line(r, text);
}

/* ---- asking the language -------------------------------------------------------------------------------------------------------- */

struct asking {
    const struct language *language;
    struct language_ask ask;
    struct language_answer answer;
    void (*done)(void *arg, slice answer);
    void *arg;
    struct conv *conv;
    slice text;
    unsigned tries;
};

/* The account its calls are made with: one for each tenant, which has its own token. */
static struct actor *speaker_of(struct tenant *t, const struct commander *who)
{
    struct hub *h = t->desk->hub;
    struct actor *s = t->speaker;
    if (!s) {
        s = t->speaker = ARENA_NEW(h->a, struct actor);
        s->hub = h;
        s->tenant = t;
        s->memory = memory_new();
        s->account.id = arena_printf(h->a, SLF "/.commander", SLA(t->slug)); /* no account's name begins with a dot */
        s->account.name = SL(".commander");
        s->account.tenant = t->name;
        s->set_up = true;
    }
    bool same = s->account.type == &who->language->type;
    for (size_t i = 0; same && i < who->language->type.n_settings; i++)
        same = slice_eq(s->account.settings[i], who->settings[i]);
    s->account.public_url = h->public_url;
    if (same)
        return s;
    if (s->account.type)
        token_reset(s);
    slice *values = ARENA_ARRAY(h->a, slice, who->language->type.n_settings + 1); /* as long as the hub runs: calls may be under way */
    for (size_t i = 0; i < who->language->type.n_settings; i++)
        values[i] = arena_dup(h->a, who->settings[i]);
    s->account.type = &who->language->type;
    s->account.settings = values;
    return s;
}

void command_tenant_done(struct tenant *t)
{
    if (!t->speaker)
        return;
    token_done(&t->speaker->token);
    memory_free(t->speaker->memory);
    t->speaker = NULL;
}

static enum outcome language_step(struct call *c, struct delivery *d)
{
    struct asking *k = d->own;
    enum outcome end = k->language->ask(c, d, &k->ask, &k->answer);
    return end == OUT_PARKED ? OUT_RETRY : end;
}

static void ask_again(struct asking *k, struct conv *conv);

static void ask_ended(struct run *r, enum outcome end)
{
    struct asking *k = r->d.own;
    const struct language_answer *la = &k->answer;
    struct jw w = jw_new(r->a, 16384);
    if (end == OUT_RETRY && ++k->tries < COMMAND_TRIES && !r->hub->draining) {
        ask_again(k, r->conv);
        run_free(r);
        return;
    }
    jw_open(&w, NULL, '{');
    if (end == OUT_DELIVERED) {
        struct heard h = { .command = la->command, .say = utf8_cut_bytes(la->say, SAY_BYTES), .understood = la->understood, .complete = la->complete, .when_ms = la->when_ms };
        jw_fields(&w, heard_fields, COUNT(heard_fields), &h);
    } else {
        struct heard h = { .failed = true, .why = slice_of(r->fault.code ? r->fault.text : "no answer") };
        jw_fields(&w, heard_fields, COUNT(heard_fields), &h);
    }
    jw_close(&w, '}');
    k->done(k->arg, jw_done(&w));
    run_free(r);
}

static void ask_again(struct asking *from, struct conv *conv)
{
    struct commander who;
    struct tenant *t = conv->channel->tenant;
    if (!commander_of(t, &who) || !who.language) {
        from->done(from->arg, SL("{\"failed\":true,\"why\":\"there is no language any more\"}"));
        return;
    }
    struct run *r = run_new(speaker_of(t, &who), conv, language_step, ask_ended, NULL);
    struct asking *k = ARENA_NEW(r->a, struct asking);
    *k = *from;
    k->language = who.language;
    k->text = arena_dup(r->a, from->text);
    struct sha256 sum = sha256(arena_join(r->a, t->id, SL("\x1f"), conv->pub.id));
    k->ask = (struct language_ask){ .text = utf8_cut(k->text, LANGUAGE_TEXT_CHARS), .tenant = t->slug, .zone = arena_dup(r->a, who.zone),
                                    .session = slice_sub(hex_encode(r->a, slice_mem(sum.b, sizeof(sum.b))), 0, LANGUAGE_SESSION_CHARS) };
    r->d.own = k;
    r->no_wait = true;
    r->total_ms = COMMAND_ASK_MS;
    run_start(r);
}

void command_ask(struct conv *conv, slice text, void (*done)(void *arg, slice answer), void *arg)
{
    struct commander who;
    slice line_text = text;
    if (commander_of(conv->channel->tenant, &who))
        (void)command_prefixed(text, who.prefix, &line_text);
    struct asking k = { .done = done, .arg = arg, .text = line_text };
    ask_again(&k, conv);
}

/* ---- stored ---------------------------------------------------------------------------------------------------------------------- */

slice messages_print(struct arena *a, const struct js_list *messages)
{
    struct jw w = jw_new(a, MESSAGES_BYTES);
    jw_open(&w, NULL, '[');
    for (size_t i = 0; i < messages->n; i++)
        message_write(&w, NULL, LIST_AT(*messages, struct message, i));
    jw_close(&w, ']');
    return jw_done(&w);
}

bool messages_read(struct arena *a, slice json, struct js_list *ret)
{
    const struct js *doc = js_parse(a, json, NULL);
    *ret = (struct js_list){ 0 };
    for (size_t i = 0; i < js_len(doc); i++)
        if (!message_read(a, js_item(doc, i), LIST_ADD(a, ret, struct message), NULL))
            return false;
    return ret->n > 0;
}
