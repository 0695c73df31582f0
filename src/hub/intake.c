#include "hub/intake.h"
#include "broker/broker.h"
#include "hub/accept.h"
#include "hub/meters.h"
#include "hub/parcel.h"
#include "hub/recorder.h"
#include <inttypes.h>

#define MARKER "behind " /* no parcel begins so: it begins with '{' */
enum { INTAKE_NAME_BYTES = 8, MARKER_MAX = 64 };

struct arrival {
    struct arrival *next, *prev;
    struct intake *in;
    struct arena *a; /* of this try */
    uint64_t tag;
    char *bytes;
    size_t n;
    struct parcel parcel;
    struct inbox inbox;
    bool marker;      /* no parcel; somebody waits for it, or did */
    bool begun;       /* under way: accept will call back, or the broker that buries it */
    bool told;        /* that it cannot be used */
    bool waits;       /* for its account … */
    int64_t until_ms; /* … no longer than this (monotonic); 0: it has not begun to */
    bool gone;        /* the shard was lost meanwhile: the broker does not wait for it */
};
/* Someone whose turn is behind the parcels that were there before. */
struct behind {
    struct behind *next;
    struct intake *in;
    const struct actor *actor; /* whose webhook waits */
    uint64_t no;
    struct loop_timer late;
    void (*then)(void *arg, bool ok); /* NULL: it was told */
    void *arg;
    unsigned confirming; /* markers of which the broker will say whether it has them … */
    unsigned coming;     /* … and those that have not come back yet: one for each shard */
};
struct intake {
    struct hub *hub;
    struct broker *broker;
    struct arrival *first, *last;
    size_t n, n_begun, n_waiting, n_markers;
    bool halted, feeding;
    struct loop_timer again, turn;
    struct behind *behinds;
    uint64_t marked;
    char name[2 * INTAKE_NAME_BYTES + 1]; /* a marker of the worker before is none of ours */
};

struct intake *intake_new(struct hub *h, struct broker *b)
{
    struct intake *in = must_calloc(1, sizeof(*in));
    in->hub = h;
    in->broker = b;
    random_hex(in->name, INTAKE_NAME_BYTES);
    return in;
}

static void arrival_free(struct arrival *ar)
{
    struct intake *in = ar->in;
    *(ar->prev ? &ar->prev->next : &in->first) = ar->next;
    *(ar->next ? &ar->next->prev : &in->last) = ar->prev;
    in->n--;
    in->n_waiting -= ar->waits;
    in->n_markers -= ar->marker;
    arena_free(ar->a);
    free(ar->bytes);
    free(ar);
}

/* ---- behind what was published ------------------------------------------------------------------------------------------- */

static void behind_free(struct behind *w)
{
    struct behind **at = &w->in->behinds;
    while (*at != w)
        at = &(*at)->next;
    *at = w->next;
    loop_timer_done(&w->late);
    free(w);
}

static void behind_tell(struct behind *w, bool ok)
{
    void (*then)(void *, bool) = w->then;
    void *arg = w->arg;
    w->then = NULL;
    loop_timer_stop(&w->late);
    if (!w->confirming)
        behind_free(w);
    if (then)
        then(arg, ok);
}

static void behind_late(void *arg)
{
    behind_tell(arg, false);
}

static void marker_confirmed(void *arg, const struct fault *f)
{
    struct behind *w = arg;
    w->confirming--;
    if (f || !w->then)
        behind_tell(w, false);
}

static slice marker_text(const struct intake *in, uint64_t no, char to[MARKER_MAX])
{
    int n = snprintf(to, MARKER_MAX, MARKER "%s %" PRIu64, in->name, no);
    return slice_mem(to, (size_t)n);
}

void intake_behind(struct intake *in, const struct actor *actor, void (*then)(void *arg, bool ok), void *arg)
{
    if (in->hub->draining) { /* what would arrive is the next one's */
        then(arg, false);
        return;
    }
    char text[MARKER_MAX];
    struct behind *w = must_calloc(1, sizeof(*w));
    *w = (struct behind){ .next = in->behinds, .in = in, .actor = actor, .no = ++in->marked, .then = then, .arg = arg };
    w->confirming = w->coming = broker_shards(in->broker);
    in->behinds = w;
    loop_timer_start(in->hub->loop, &w->late, INTAKE_BEHIND_MS, behind_late, w);
    slice marker = marker_text(in, w->no, text);
    for (unsigned i = 0, n = w->coming; i < n; i++) /* the last one that fails at once takes w with it */
        broker_publish(in->broker, i, marker, marker_confirmed, w);
}

static struct behind *behind_of(const struct arrival *marker)
{
    char text[MARKER_MAX];
    for (struct behind *w = marker->in->behinds; w; w = w->next)
        if (w->then && slice_eq(marker_text(marker->in, w->no, text), slice_mem(marker->bytes, marker->n)))
            return w;
    return NULL;
}

/* What waits for an account of its own does not hold it up. */
static bool is_reached(const struct arrival *marker, const struct behind *w)
{
    for (const struct arrival *before = marker->prev; before; before = before->prev)
        if (!before->marker && !(before->waits && !slice_eq(before->parcel.account, w->actor->account.id)))
            return false;
    return true;
}

static void turns(void *arg)
{
    struct intake *in = arg;
    for (struct arrival *ar = in->first, *next; ar && in->n_markers; ar = next) {
        struct behind *w = ar->marker ? behind_of(ar) : NULL;
        next = ar->next;
        if (!ar->marker || (w && !is_reached(ar, w)))
            continue;
        broker_ack(in->broker, ar->tag);
        arrival_free(ar);
        if (w && --w->coming == 0)
            behind_tell(w, true);
    }
}

/* In a turn of its own: whoever waits may do anything. */
static void look(struct intake *in)
{
    if (in->n_markers && !in->turn.active)
        loop_timer_start(in->hub->loop, &in->turn, 0, turns, in);
}

/* ---- parcels ------------------------------------------------------------------------------------------------------------- */

static void over(struct arrival *ar)
{
    struct intake *in = ar->in;
    arrival_free(ar);
    look(in);
}

static void taken(struct arrival *ar)
{
    if (!ar->gone)
        broker_ack(ar->in->broker, ar->tag);
    over(ar);
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

/* When the broker does not take it now, it is looked at again, as if it had just come. */
static void buried(void *arg, const struct fault *f)
{
    struct arrival *ar = arg;
    struct intake *in = ar->in;
    ar->begun = false;
    in->n_begun--;
    if (!f)
        taken(ar);
    else if (ar->gone)
        over(ar);
    if (f || (in->halted && in->n_begun == 0))
        feed_later(in);
}

static void useless(struct arrival *ar, const struct connector *type, const char *result, const struct fault *f)
{
    struct intake *in = ar->in;
    if (!ar->told) {
        if (type)
            meter_webhook(in->hub, type, result);
        struct log_line *l = log_begin_fault(in->hub->log, LEVEL_ERROR, f, "A webhook that was taken cannot be used; the broker keeps it (dragoman parcels)");
        log_str(l, "account", ar->parcel.account);
        log_str(l, "result", slice_of(result));
        log_str(l, "trace", ar->parcel.trace_id);
        log_end(l);
    }
    ar->told = ar->begun = true;
    in->n_begun++;
    broker_bury(in->broker, 0, slice_mem(ar->bytes, ar->n), arena_printf(ar->a, "%s: %s", f->code, f->text), buried, ar);
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
        over(ar);
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
    ar->until_ms = ar->until_ms ? ar->until_ms : now_ms + in->hub->limits.parcel_wait_ms;
    if (now_ms >= ar->until_ms)
        return false;
    ar->waits = true;
    in->n_waiting++;
    feed_later(in);
    look(in);
    return true;
}

static void begin(struct arrival *ar)
{
    struct intake *in = ar->in;
    struct hub *h = in->hub;
    struct fault f = { 0 };
    if (ar->marker) {
        look(in);
        return;
    }
    in->n_waiting -= ar->waits;
    ar->waits = false;
    arena_free(ar->a);
    ar->a = arena_new();
    ar->parcel = (struct parcel){ 0 };
    if (!parcel_read(ar->a, slice_mem(ar->bytes, ar->n), &ar->parcel, &f)) {
        useless(ar, NULL, "malformed", &f);
        return;
    }
    struct actor *actor = hub_actor(h, ar->parcel.account);
    if (actor && is_behind_one_that_waits(ar)) { /* its account has come: they go first */
        feed(in);
        return;
    }
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
    parcel_narrow(&ar->parcel, &ar->inbox);
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
    ar->marker = slice_starts(body, SL(MARKER));
    in->n_markers += ar->marker;
    *(in->last ? &in->last->next : &in->first) = ar;
    in->last = ar;
    in->n++;
    if (!in->halted && !in->feeding)
        begin(ar);
}

void intake_lost(struct intake *in)
{
    for (struct behind *w = in->behinds, *next; w; w = next) {
        next = w->next;
        if (w->then)
            behind_tell(w, false);
    }
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
    loop_timer_done(&in->turn);
    while (in->behinds)
        behind_free(in->behinds);
    while (in->first)
        arrival_free(in->first);
    free(in);
}
