#include "hub/intake.h"
#include "broker/broker.h"
#include "hub/accept.h"
#include "hub/meters.h"
#include "hub/parcel.h"
#include "hub/recorder.h"

struct arrival {
    struct arrival *next, *prev;
    struct intake *in;
    struct arena *a; /* of this try */
    uint64_t tag;
    char *bytes;
    size_t n;
    struct parcel parcel;
    struct inbox inbox;
    bool begun; /* under way: accept will call back */
    bool waits; /* for its account, or behind one that does … */
    int64_t until_ms; /* … no longer than this (monotonic); 0: it has not begun to */
    bool gone;  /* the shard was lost meanwhile: the broker does not wait for it */
};
struct intake {
    struct hub *hub;
    struct broker *broker;
    struct arrival *first, *last;
    size_t n, n_begun, n_waiting;
    bool halted, feeding;
    struct loop_timer again;
};

struct intake *intake_new(struct hub *h, struct broker *b)
{
    struct intake *in = must_calloc(1, sizeof(*in));
    in->hub = h;
    in->broker = b;
    return in;
}

static void arrival_free(struct arrival *ar)
{
    struct intake *in = ar->in;
    *(ar->prev ? &ar->prev->next : &in->first) = ar->next;
    *(ar->next ? &ar->next->prev : &in->last) = ar->prev;
    in->n--;
    in->n_waiting -= ar->waits;
    arena_free(ar->a);
    free(ar->bytes);
    free(ar);
}

static void taken(struct arrival *ar)
{
    if (!ar->gone)
        broker_ack(ar->in->broker, ar->tag);
    arrival_free(ar);
}

static void useless(struct arrival *ar, const struct connector *type, const char *result, const struct fault *f)
{
    struct hub *h = ar->in->hub;
    if (type)
        meter_webhook(h, type, result);
    struct log_line *l = log_begin_fault(h->log, LEVEL_ERROR, f, "A webhook that was taken cannot be used");
    log_str(l, "account", ar->parcel.account);
    log_str(l, "result", slice_of(result));
    log_str(l, "trace", ar->parcel.trace_id);
    log_end(l);
    taken(ar);
}

static void feed(struct intake *in);

static void feed_again(void *arg)
{
    struct intake *in = arg;
    if (in->halted && in->n_begun)
        return; /* the last of them will ask again */
    in->halted = false;
    feed(in);
}

static void feed_later(struct intake *in)
{
    if (!in->hub->draining && !in->again.active)
        loop_timer_start(in->hub->loop, &in->again, INTAKE_AGAIN_MS, feed_again, in);
}

static void stored(void *arg, bool ok)
{
    struct arrival *ar = arg;
    struct intake *in = ar->in;
    struct hub *h = in->hub;
    ar->begun = false;
    in->n_begun--;
    if (ok) {
        struct actor *actor = hub_actor(h, ar->parcel.account);
        if (actor) {
            meter_webhook(h, actor->account.type, "accepted");
            if (h->recorder)
                recorder_take(h->recorder, actor, &ar->parcel.rq);
        }
        taken(ar);
    } else if (ar->gone) {
        arrival_free(ar);
    } else {
        in->halted = true;
    }
    if (in->halted && in->n_begun == 0)
        feed_later(in);
}

static bool is_behind_one_that_waits(const struct arrival *ar)
{
    for (const struct arrival *before = ar->in->n_waiting ? ar->prev : NULL; before; before = before->prev)
        if (before->waits && slice_eq(before->parcel.account, ar->parcel.account))
            return true;
    return false;
}

/* It is of an account that is not there: one that a door knows sooner than we do is there in a moment, or for the worker who comes after us. */
static bool may_wait(struct arrival *ar)
{
    struct intake *in = ar->in;
    int64_t now_ms = time_mono_ms();
    if (in->n_waiting >= INTAKE_WAITING_MAX)
        return false;
    ar->until_ms = ar->until_ms ? ar->until_ms : now_ms + INTAKE_PATIENCE_MS;
    if (now_ms >= ar->until_ms)
        return false;
    ar->waits = true;
    in->n_waiting++;
    feed_later(in);
    return true;
}

static void begin(struct arrival *ar)
{
    struct intake *in = ar->in;
    struct hub *h = in->hub;
    struct fault f = { 0 };
    in->n_waiting -= ar->waits;
    ar->waits = false;
    arena_free(ar->a);
    ar->a = arena_new();
    ar->parcel = (struct parcel){ 0 };
    if (!parcel_read(ar->a, slice_mem(ar->bytes, ar->n), &ar->parcel, &f)) {
        useless(ar, NULL, "malformed", &f);
        return;
    }
    struct actor *actor = is_behind_one_that_waits(ar) ? NULL : hub_actor(h, ar->parcel.account);
    if (!actor && may_wait(ar))
        return;
    if (!actor) {
        fault(&f, "unknown_account", "", "no account of this name is configured any more");
        useless(ar, NULL, "unknown", &f);
        return;
    }
    struct call c;
    actor_call(actor, &c, ar->a, NULL, &f);
    if (ar->parcel.at_ms) /* it came to its door then: what has no id of its vendor is known by what it says, with its time */
        c.now_ms = ar->parcel.at_ms;
    inbox_init(&ar->inbox, ar->a);
    if (!actor->account.type->receive(&c, &ar->parcel.rq, &ar->inbox) || !accept_fits(ar->a, &ar->inbox, ar->n, &f)) {
        useless(ar, actor->account.type, "malformed", &f);
        return;
    }
    ar->inbox.ask = NULL; /* see Answers */
    ar->begun = true;
    in->n_begun++;
    accept_inbox(actor, &ar->inbox, ar->parcel.trace_id, stored, ar);
}

/* Begins what is not under way, in order. accept may call back before it returns. */
static void feed(struct intake *in)
{
    if (in->feeding)
        return;
    in->feeding = true;
    for (struct arrival *ar = in->first, *next; ar && !in->halted; ar = next) {
        next = ar->next;
        if (!ar->begun)
            begin(ar);
    }
    in->feeding = false;
}

void intake_arrived(struct intake *in, uint64_t tag, slice body)
{
    struct arrival *ar = must_calloc(1, sizeof(*ar));
    *ar = (struct arrival){ .in = in, .tag = tag, .prev = in->last, .n = body.n, .bytes = must_malloc(body.n + 1) };
    memcpy(ar->bytes, body.p, body.n);
    *(in->last ? &in->last->next : &in->first) = ar;
    in->last = ar;
    in->n++;
    if (!in->halted && !in->feeding)
        begin(ar);
}

void intake_lost(struct intake *in)
{
    for (struct arrival *ar = in->first, *next; ar; ar = next) {
        next = ar->next;
        if (ar->begun)
            ar->gone = true;
        else
            arrival_free(ar);
    }
}

size_t intake_open(const struct intake *in)
{
    return in->n;
}

void intake_free(struct intake *in)
{
    if (!in)
        return;
    loop_timer_done(&in->again);
    while (in->first)
        arrival_free(in->first);
    free(in);
}
