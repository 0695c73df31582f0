/* redirect.c - a dead letter goes to another target: its message is accepted anew for it, and the old one is given up, in one commit. */
#include "api/audit.h"
#include "api/call.h"
#include "api/told.h"
#include "hub/accept.h"
#include "hub/conversation.h"
#include "hub/deliver.h"
#include "hub/media.h"
#include "hub/notice.h"

struct redirecting {
    struct api_call *c;
    int64_t id;
    slice target;
    struct history_message found; /* id 0: none */
    struct actor *to;
    struct message m;
    uint64_t new_id;
};

static void committed(void *arg, bool ok)
{
    struct redirecting *re = arg;
    struct api_call *c = re->c;
    if (!ok) {
        api_not_stored(c, NULL);
        return;
    }
    deliver_discarded(c->hub, (uint64_t)re->id);
    hub_notice(c->hub, NOTICE_DEAD_LOOKED_AT, NULL, SLICE_NONE);
    struct jw d = jw_new(c->a, 4096);
    jw_open(&d, NULL, '{');
    jw_int(&d, "was", re->id);
    jw_int(&d, "id", (int64_t)re->new_id);
    jw_close(&d, '}');
    audit_note(c, "journal.redirect", re->target, jw_done(&d));
    struct jw w = api_json(c);
    jw_int(&w, "id", (int64_t)re->new_id);
    jw_int(&w, "was", re->id);
    api_answer(c, &w);
}

/* Another click, or another operator, was faster. */
static void decided(struct api_call *c)
{
    api_problem(c, 409, "not_dead", "id", "it was decided already");
}

static void loaded(void *arg, struct conv *conv)
{
    struct redirecting *re = arg;
    struct api_call *c = re->c;
    struct jw note = jw_new(c->a, 8192), from = jw_new(c->a, 8192);
    if (!re->to->account.type->desk)
        re->m.guest = conv->pub.address;
    slice body = message_print(c->a, &re->m), lane = lane_name(c->a, re->to, conv);
    conv_release(conv);
    jw_open(&from, NULL, '{');
    jw_str(&from, "from", SL("operator"));
    jw_int(&from, "was", re->id);
    jw_close(&from, '}');
    struct jbatch *b = jbatch_new(c->hub->journal);
    enum jresult result;
    jbatch_accept(b, &(struct jaccept){ .lane = lane, .state = J_WAITING, .body = body, .note = jw_done(&from),
                                        .dedupe = arena_printf(c->a, "redirect\x1f%lld", (long long)re->id), .dedupe_keep_ms = c->hub->limits.dedupe_ms },
                  &result, &re->new_id);
    jw_open(&note, NULL, '{');
    jw_str(&note, "by", c->user); /* first: so the list of dead letters knows that it is decided */
    jw_int(&note, "now", (int64_t)re->new_id);
    jw_str(&note, "to", re->target);
    jw_close(&note, '}');
    if (result == J_SEEN) {
        jbatch_drop(b);
        decided(c);
        return;
    }
    if (!body.p || !jbatch_discard(b, (uint64_t)re->id, jw_done(&note))) {
        jbatch_drop(b);
        api_problem(c, 409, "gone", "id", "the journal does not have it any more");
        return;
    }
    jbatch_commit(b, JOURNAL_DURABLE, committed, re);
}

static slice tenant_of(slice account)
{
    return slice_cut(&account, '/');
}

/* The message as it was, with what became of its attachments: they are in a storage already. */
static bool read_message(struct redirecting *re)
{
    struct api_call *c = re->c;
    const struct js *doc = js_parse(c->a, re->found.body, NULL);
    return doc && message_read(c->a, doc, &re->m, NULL) && (!re->found.media.n || media_result_read(c->a, re->found.media, &re->m));
}

static void found(void *arg, const struct fault *f)
{
    struct redirecting *re = arg;
    struct api_call *c = re->c;
    slice guest = re->found.conversation, channel_id = slice_cut(&guest, ':');
    bool out = re->found.way == HISTORY_OUT;
    if (f) {
        told_failed(c, f);
        return;
    }
    if (!re->found.id) {
        api_not_found(c, "message", arena_printf(c->a, "%lld", (long long)re->id));
        return;
    }
    if (re->found.state != J_DEAD && re->found.state != J_UNKNOWN) {
        api_problem(c, 409, "not_dead", "id", "it is %s", jstate_names[re->found.state]);
        return;
    }
    if (slice_starts(re->found.note, SL("{\"by\":"))) {
        decided(c);
        return;
    }
    slice tenant = tenant_of(re->found.conversation);
    if (out) {
        guest = re->target;
        channel_id = slice_cut(&guest, ':');
    }
    struct actor *channel = hub_actor(c->hub, channel_id);
    re->to = out ? channel : hub_actor(c->hub, re->target);
    bool fits = re->to && channel && guest.n && re->to->account.type->desk == !out && !channel->account.type->desk &&
                slice_eq(tenant_of(re->to->account.id), tenant);
    if (!fits)
        api_problem(c, 400, "invalid", "target", out ? "must be a conversation of the same tenant: channel:guest" : "must be the desk of the same tenant");
    else if (!read_message(re))
        api_problem(c, 409, "gone", "id", "its message cannot be read any more");
    else
        conv_get(c->hub, channel, guest, loaded, re);
}

static void take(void *arg, const struct history_message *m)
{
    struct redirecting *re = arg;
    re->found = *m;
    slice *const texts[] = { &re->found.conversation, &re->found.target, &re->found.body, &re->found.media, &re->found.note };
    for (size_t i = 0; i < COUNT(texts); i++)
        *texts[i] = arena_dup(re->c->a, *texts[i]);
}

static void ignore_trace(void *arg, int64_t at_ms, slice op, slice note)
{
    (void)arg, (void)at_ms, (void)op, (void)note;
}

void api_journal_redirect(struct api_call *c)
{
    struct redirecting *re = ARENA_NEW(c->a, struct redirecting);
    *re = (struct redirecting){ .c = c, .target = js_text(js_get(c->body, SL("target"))) };
    bool whole = js_int(js_get(c->body, SL("id")), &re->id);
    assert(whole); /* its schema says so */
    history_message(c->hub->history, re->id, take, ignore_trace, found, re);
}
