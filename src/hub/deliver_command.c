/* A line of an agent that is a command (command.h): carried out when its turn comes, and what it says goes to the guest in its place. */
#include "hub/accept.h"
#include "hub/command.h"
#include "hub/conversation.h"
#include "hub/deliver-private.h"
#include "hub/media.h"
#include "hub/meters.h"
#include "hub/state.h"

struct asking_line { /* its line is parked; it is not held in memory for that */
    struct hub *hub;
    struct conv *conv;
    uint64_t id;
    slice text, wait_key;
    struct arena *a;
};

static void language_answered(void *arg, slice answer)
{
    struct asking_line *ask = arg;
    struct hub *h = ask->hub;
    if (!h->stopped) {
        struct jbatch *b = jbatch_new(h->journal);
        uint64_t id;
        if (jbatch_resume(b, ask->wait_key, SL("{\"language\":true}"), &id))
            state_put(h->state, b, state_message_key(ask->a, 'r', id), answer);
        jbatch_commit(b, JOURNAL_DURABLE, NULL, NULL);
    }
    conv_release(ask->conv);
    arena_free(ask->a);
}

void deliver_ask(struct asking_line *ask)
{
    command_ask(ask->conv, ask->text, language_answered, ask);
}

void deliver_ask_free(struct asking_line *ask)
{
    if (!ask)
        return;
    conv_release(ask->conv);
    arena_free(ask->a);
}

static void park_and_ask(struct delivering *dl, slice note)
{
    struct arena *a = arena_new();
    struct asking_line *ask = ARENA_NEW(a, struct asking_line);
    dl->wait_key = arena_printf(dl->a, SLF "\x1f>%llu", SLA(dl->work->target->account.id), (unsigned long long)dl->work->id);
    *ask = (struct asking_line){ .hub = dl->h, .conv = conv_hold(dl->conv), .id = dl->work->id, .text = arena_dup(a, dl->m.text), .wait_key = arena_dup(a, dl->wait_key), .a = a };
    dl->ask = ask;
    dl->end = OUT_PARKED;
    dl->until_ms = time_now_ms() + COMMAND_ASK_AGAIN_MS; /* when this process dies with it, another one asks again */
    dl->note = note;
    deliver_record(dl);
}

/* Each file of what is said, settled, back to where it belongs. */
static void files_settled(void *arg)
{
    struct delivering *dl = arg;
    size_t k = 0;
    for (size_t i = 0; i < dl->said.n; i++) {
        struct message *m = LIST_AT(dl->said, struct message, i);
        for (size_t j = 0; j < m->media.n; j++)
            *LIST_AT(m->media, struct media, j) = *LIST_AT(dl->files.media, struct media, k++);
    }
    dl->m = *LIST_AT(dl->said, struct message, 0);
    deliver_lookup(dl);
}

/* What goes to the guest is known, and stored: as if the agent had written it. */
static void say_it(struct delivering *dl)
{
    dl->files = (struct message){ .kind = KIND_FILE, .id = dl->m.id, .guest = dl->m.guest };
    for (size_t i = 0; i < dl->said.n; i++) {
        struct message *m = LIST_AT(dl->said, struct message, i), is = *m;
        *m = dl->m; /* whose it is, and when */
        m->kind = is.kind;
        m->text = is.text;
        m->media = is.media;
        m->location = is.location;
        m->sticker = is.sticker;
        m->choices = is.choices;
        m->cards = is.cards;
        m->picker = is.picker;
        m->native_for = is.native_for;
        m->native_json = is.native_json;
        for (size_t j = 0; j < is.media.n; j++)
            *LIST_ADD(dl->a, &dl->files.media, struct media) = *LIST_AT(is.media, struct media, j);
    }
    media_settle(dl->source, dl->work->id, dl->a, &dl->files, files_settled, dl);
}

static void said_stored(void *arg, bool ok)
{
    struct delivering *dl = arg;
    if (ok) {
        dl->has_said = true;
        say_it(dl);
        return;
    }
    dl->said = (struct js_list){ 0 };
    if (!dl->h->stopped) {
        fault(&dl->fault, "storage", "", "the journal could not store what the command says");
        deliver_retry(dl, 0, false, false);
    }
}

static void command_ended(void *arg, const struct command_result *r)
{
    struct delivering *dl = arg;
    slice json = SLICE_NONE;
    if (dl->discarded) {
        deliver_settle(dl, J_DEAD, OUT_REFUSED, SLICE_NONE);
        return;
    }
    if (r->end == COMMAND_SEND) {
        json = messages_print(dl->a, &r->messages);
        if (json.p && json.n <= JOURNAL_VALUE_MAX && messages_read(dl->a, json, &dl->said)) { /* read back: what another attempt will see */
            struct jbatch *b = jbatch_new(dl->h->journal);
            state_put(dl->h->state, b, deliver_progress_key(dl, 'x'), json);
            jbatch_note(b, dl->work->id, r->note);
            jbatch_commit(b, JOURNAL_DURABLE, said_stored, dl);
            return;
        }
    }
    if (r->end == COMMAND_ASK) {
        park_and_ask(dl, r->note);
        return;
    }
    if (r->end == COMMAND_AGAIN) {
        fault(&dl->fault, "command", "", SLF, SLA(utf8_cut_bytes(r->say, 200)));
        deliver_retry(dl, COMMAND_AGAIN_MS, false, false);
        return;
    }
    bool done = r->end == COMMAND_DONE;
    dl->say = json.p || r->end == COMMAND_SEND ? SL("what the response says is too long to be kept") : r->say;
    dl->plan = r->plan;
    dl->later_ms = r->later_ms;
    dl->reason = done ? REASON_NONE : REASON_INVALID;
    if (!done)
        fault(&dl->fault, "command", "", SLF, SLA(utf8_cut_bytes(dl->say, 200)));
    if (deliver_desk_wants(dl, done ? STATUS_DELIVERED : STATUS_FAILED))
        dl->tell = done ? STATUS_DELIVERED : STATUS_FAILED;
    meter_ignored(dl->h, dl->work->target->account.type, done ? "command" : "command-refused");
    struct jw w = jw_new(dl->a, 16384);
    jw_open(&w, NULL, '{');
    jw_str(&w, "rule", done ? SL("command") : SL("command-refused"));
    jw_raw(&w, "command", r->note);
    jw_str(&w, "said", dl->say);
    jw_close(&w, '}');
    deliver_settle(dl, J_IGNORED, OUT_DELIVERED, jw_done(&w));
}

static void got_said(void *arg, slice value)
{
    struct delivering *dl = arg;
    if (value.p && messages_read(dl->a, arena_dup(dl->a, value), &dl->said)) {
        dl->has_said = true;
        say_it(dl);
        return;
    }
    command_run(dl->a, dl->conv, &dl->m, dl->resumed, dl->work->attempts, command_ended, dl);
}

void deliver_command(struct delivering *dl)
{
    state_get(dl->h->state, deliver_progress_key(dl, 'x'), got_said, dl);
}
