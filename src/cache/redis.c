/* The cache on Redis: what is asked as commands, and in a cluster, of whom. */
#include "cache/engine.h"
#include "cache/redis_conn.h"
#include "cache/redis_tls.h"
#include "cache/redis_url.h"
#include "cache/slots.h"
#include "net/loop.h"

enum { NODES_MAX = 64, NOBODY = 255, HOPS_MAX = 5, LOOK_AGAIN_MS = 1000, COMMAND_MAX = CACHE_VALUE_MAX + CACHE_KEY_MAX + 4096 };

/* Compare and act, in one step of the server. */
#define IF_OURS "if redis.call('GET',KEYS[1])==ARGV[1] then return "
static const char script_keep[] = IF_OURS "redis.call('PEXPIRE',KEYS[1],ARGV[2]) else return 0 end";
static const char script_unlock[] = IF_OURS "redis.call('DEL',KEYS[1]) else return 0 end";
static const char script_count[] = "local n=redis.call('INCRBY',KEYS[1],ARGV[1]) "
                                   "if redis.call('PTTL',KEYS[1])<0 then redis.call('PEXPIRE',KEYS[1],ARGV[2]) end return n";

struct redis;
struct node {
    struct redis *redis;
    struct redis_conn *conn;
};
/* A command under way. */
struct asked {
    struct asked *next, *prev;
    struct redis *redis;
    struct node *node;
    enum cache_op op;
    unsigned slot, hops;
    int64_t began_us;
    cache_answered done;
    void *arg;
    size_t n;
    char command[];
};
struct redis {
    struct loop *loop;
    struct redis_how how;
    char *user, *password;
    bool cluster;
    struct node *nodes[NODES_MAX];
    size_t n_nodes, n_seeds; /* the first are those that were configured */
    uint8_t owner[CACHE_SLOTS]; /* index of a node, or NOBODY */
    bool learning;
    struct loop_timer learn_timer;
    struct redis_conn *ear; /* what was subscribed to; NULL: nothing yet */
    size_t ear_node;
    struct {
        const char *channel;
        void (*heard)(void *arg, slice text);
        void *arg;
    } listeners[CACHE_CHANNELS_MAX];
    size_t n_listeners;
    struct asked *asked;
    struct cache_events ev;
    bool reachable, told, closing;
    int64_t commands, failures, connects, answer_us;
};

static void learn(void *arg);

/* ---- nodes --------------------------------------------------------------------------------------------------------------------- */

static void look(struct redis *r, const char *why)
{
    bool all = true, any = false;
    for (size_t i = 0; i < r->n_nodes; i++) {
        bool up = r->nodes[i]->conn && redis_conn_is_up(r->nodes[i]->conn);
        any = any || up;
        all = all && up;
    }
    bool reachable = r->cluster ? any : all && any;
    if (r->told && reachable == r->reachable)
        return;
    r->told = true;
    r->reachable = reachable;
    r->ev.changed(r->ev.arg, reachable, slice_of(why));
}

static void learn_soon(struct redis *r, int64_t in_ms)
{
    if (r->cluster && !r->learn_timer.active)
        loop_timer_start(r->loop, &r->learn_timer, in_ms, learn, r);
}

static void on_up(void *arg, struct redis_conn *c)
{
    struct node *n = arg;
    n->redis->connects++;
    n->redis->ev.connected(n->redis->ev.arg, redis_conn_took_us(c));
    look(n->redis, "");
    learn_soon(n->redis, 0);
}

static void on_down(void *arg, struct redis_conn *c, const char *why)
{
    struct node *n = arg;
    (void)c;
    look(n->redis, why);
    learn_soon(n->redis, LOOK_AGAIN_MS);
}

/* The node there, made when it is new; NULL: they are too many. */
static struct node *node_at(struct redis *r, slice host, unsigned port)
{
    for (size_t i = 0; i < r->n_nodes; i++)
        if (redis_conn_leads_to(r->nodes[i]->conn, host, port))
            return r->nodes[i];
    if (r->n_nodes == NODES_MAX || host.n > REDIS_HOST_MAX)
        return NULL;
    char name[REDIS_HOST_MAX + 1];
    snprintf(name, sizeof(name), SLF, SLA(host));
    struct node *n = r->nodes[r->n_nodes] = must_calloc(1, sizeof(*n));
    n->redis = r;
    n->conn = redis_conn_new(r->loop, &r->how, name, port, &(struct redis_events){ on_up, on_down, NULL, n });
    r->n_nodes++;
    return n;
}

static struct node *anybody(struct redis *r)
{
    for (size_t i = 0; i < r->n_nodes; i++)
        if (redis_conn_is_up(r->nodes[i]->conn))
            return r->nodes[i];
    return r->nodes[0];
}

/* Where a command for this slot goes: its owner, else anybody who is there and will tell the owner. */
static struct node *node_for(struct redis *r, unsigned slot)
{
    return r->cluster && r->owner[slot] != NOBODY ? r->nodes[r->owner[slot]] : anybody(r);
}

static uint8_t index_of(const struct redis *r, const struct node *n)
{
    size_t i = 0;
    while (r->nodes[i] != n)
        i++;
    return (uint8_t)i;
}

/* One line of CLUSTER SLOTS: first, last, [host, port, …] of the master, … of its replicas. */
static void learn_line(struct redis *r, const struct resp *line, const struct redis_conn *from)
{
    if (line->kind != RESP_ARRAY || line->n < 3 || line->items[2].kind != RESP_ARRAY || line->items[2].n < 2)
        return;
    int64_t first = line->items[0].number, last = line->items[1].number, port = line->items[2].items[1].number;
    slice host = slice_or(line->items[2].items[0].text, slice_of(redis_conn_host(from)));
    if (first < 0 || last >= CACHE_SLOTS || first > last || port < 1 || port > 65535)
        return;
    const struct node *n = node_at(r, host, (unsigned)port);
    for (int64_t slot = first; n && slot <= last; slot++)
        r->owner[slot] = index_of(r, n);
}

/* A member that is gone and was given no slots leaves, so that those who come under new addresses have room. The ones that were configured stay. */
static void forget_gone(struct redis *r)
{
    bool owns[NODES_MAX] = { false };
    for (size_t slot = 0; slot < CACHE_SLOTS; slot++)
        if (r->owner[slot] != NOBODY)
            owns[r->owner[slot]] = true;
    for (size_t i = r->n_nodes; i-- > r->n_seeds;) {
        if (owns[i] || !redis_conn_is_down(r->nodes[i]->conn))
            continue;
        redis_conn_free(r->nodes[i]->conn);
        free(r->nodes[i]);
        memmove(&r->nodes[i], &r->nodes[i + 1], (--r->n_nodes - i) * sizeof(r->nodes[0]));
        for (size_t slot = 0; slot < CACHE_SLOTS; slot++)
            if (r->owner[slot] != NOBODY && r->owner[slot] > i)
                r->owner[slot]--;
    }
}

static void learned(void *arg, const struct resp *answer)
{
    struct node *n = arg;
    struct redis *r = n->redis;
    r->learning = false;
    bool ok = answer && answer->kind == RESP_ARRAY && answer->n;
    for (size_t i = 0; ok && i < answer->n; i++)
        learn_line(r, &answer->items[i], n->conn);
    if (ok)
        forget_gone(r);
    for (size_t i = 0; i < r->n_nodes; i++)
        ok = ok && redis_conn_is_up(r->nodes[i]->conn);
    if (!ok) /* until all are there: another may have taken over */
        learn_soon(r, LOOK_AGAIN_MS);
}

static void learn(void *arg)
{
    struct redis *r = arg;
    if (r->learning)
        return;
    for (size_t i = 0; i < r->n_nodes; i++) {
        if (!redis_conn_is_up(r->nodes[i]->conn))
            continue;
        r->learning = true;
        redis_conn_send(r->nodes[i]->conn, SL("*2\r\n$7\r\nCLUSTER\r\n$5\r\nSLOTS\r\n"), learned, r->nodes[i]);
        return;
    }
}

/* ---- asking -------------------------------------------------------------------------------------------------------------------- */

static void answered(void *arg, const struct resp *answer);

static void finish(struct asked *q, const struct cache_answer *a, const struct fault *f)
{
    struct redis *r = q->redis;
    r->failures += f != NULL;
    r->answer_us = f ? r->answer_us : time_mono_us() - q->began_us;
    *(q->prev ? &q->prev->next : &r->asked) = q->next;
    if (q->next)
        q->next->prev = q->prev;
    q->done(q->arg, a, f);
    free(q);
}

static void refuse(struct asked *q, const char *code, slice why)
{
    struct fault f;
    struct cache_answer none = { 0 };
    fault(&f, code, "", "the cache: " SLF, (int)MIN(why.n, (size_t)160), why.p ? why.p : "");
    finish(q, &none, &f);
}

static void send_to(struct asked *q, struct node *n)
{
    q->node = n;
    redis_conn_send(n->conn, slice_mem(q->command, q->n), answered, q);
}

static void nothing(void *arg, const struct resp *answer)
{
    (void)arg;
    (void)answer; /* of ASKING: the command behind it tells */
}

/* "MOVED 3999 127.0.0.1:6381", "ASK …": another has this slot, for good or for this once. */
static void go_on(struct asked *q, slice error)
{
    struct redis *r = q->redis;
    slice rest = error, word = slice_cut(&rest, ' '), place = (slice_cut(&rest, ' '), rest);
    size_t colon = slice_find_last(place, ':');
    int64_t port = 0;
    struct node *n = NULL;
    if (colon != SIZE_MAX && slice_int(slice_from(place, colon + 1), &port) && port > 0 && port <= 65535)
        n = node_at(r, slice_or(slice_sub(place, 0, colon), slice_of(redis_conn_host(q->node->conn))), (unsigned)port);
    if (!n || ++q->hops > HOPS_MAX) {
        refuse(q, "cache_lost", SL("the cluster moves a key about"));
        return;
    }
    if (slice_eq(word, SL("MOVED"))) {
        r->owner[q->slot] = index_of(r, n);
        learn_soon(r, 0);
    } else {
        redis_conn_send(n->conn, SL("*1\r\n$6\r\nASKING\r\n"), nothing, r);
    }
    send_to(q, n);
}

static bool starts_with_any(slice s, const char *const *words, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (slice_starts(s, slice_of(words[i])))
            return true;
    return false;
}

static void answered_error(struct asked *q, slice error)
{
    static const char *const elsewhere[] = { "MOVED ", "ASK " };
    static const char *const later[] = { "CLUSTERDOWN", "LOADING", "TRYAGAIN", "MASTERDOWN", "NOREPLICAS", "READONLY", "BUSY" };
    if (q->redis->cluster && starts_with_any(error, elsewhere, COUNT(elsewhere))) {
        go_on(q, error);
        return;
    }
    struct redis_conn *wrong = slice_starts(error, SL("READONLY")) && !q->redis->cluster ? q->node->conn : NULL;
    if (starts_with_any(error, later, COUNT(later))) {
        learn_soon(q->redis, LOOK_AGAIN_MS);
        refuse(q, "cache_lost", error);
    } else {
        refuse(q, "cache_failed", error);
    }
    if (wrong) /* a replica now: the name leads to the new master, sooner or later */
        redis_conn_again(wrong, "it is a replica");
}

static void answered(void *arg, const struct resp *answer)
{
    struct asked *q = arg;
    struct cache_answer a = { 0 };
    if (!answer) {
        refuse(q, "cache_lost", SL("the server cannot be reached"));
        return;
    }
    if (answer->kind == RESP_ERROR) {
        answered_error(q, answer->text);
        return;
    }
    a.value = answer->kind == RESP_TEXT ? answer->text : SLICE_NONE;
    a.number = answer->kind == RESP_INT ? answer->number : 0;
    a.yes = answer->kind == RESP_STATUS || a.number == 1;
    finish(q, &a, NULL);
}

static void script(struct text *t, const char *text, slice key, slice one, slice two)
{
    resp_command(t, (slice[]){ SL("EVAL"), slice_of(text), SL("1"), key, one, two }, two.p ? 6 : 5);
}

static void print(struct text *t, const struct cache_ask *q)
{
    char number[32], time[32];
    snprintf(number, sizeof(number), "%lld", (long long)q->by);
    snprintf(time, sizeof(time), "%lld", (long long)q->for_ms);
    slice ms = slice_of(time);
    switch (q->op) {
    case CACHE_GET:
        resp_command(t, (slice[]){ SL("GET"), q->key }, 2);
        break;
    case CACHE_SET:
        resp_command(t, (slice[]){ SL("SET"), q->key, q->value, SL("PX"), ms }, 5);
        break;
    case CACHE_REMOVE:
        resp_command(t, (slice[]){ SL("DEL"), q->key }, 2);
        break;
    case CACHE_LOCK:
        resp_command(t, (slice[]){ SL("SET"), q->key, q->value, SL("NX"), SL("PX"), ms }, 6);
        break;
    case CACHE_LOCK_KEEP:
        script(t, script_keep, q->key, q->value, ms);
        break;
    case CACHE_UNLOCK:
        script(t, script_unlock, q->key, q->value, SLICE_NONE);
        break;
    case CACHE_COUNT:
        script(t, script_count, q->key, slice_of(number), ms);
        break;
    case CACHE_PUBLISH:
        resp_command(t, (slice[]){ SL("PUBLISH"), q->key, q->value }, 3);
        break;
    case CACHE_OPS:
        break;
    }
}

static void ask(void *arg, const struct cache_ask *what, cache_answered done, void *done_arg)
{
    struct redis *r = arg;
    CLEANUP(arena_freep) struct arena *a = arena_new();
    struct text t = text_new(a, COMMAND_MAX);
    print(&t, what);
    assert(!t.over); /* cache.c checked the lengths */
    struct asked *q = must_calloc(1, sizeof(*q) + t.n);
    *q = (struct asked){ .next = r->asked, .redis = r, .op = what->op, .slot = cache_slot(what->key), .began_us = time_mono_us(), .done = done,
                         .arg = done_arg, .n = t.n };
    memcpy(q->command, t.p, t.n);
    if (q->next)
        q->next->prev = q;
    r->asked = q;
    r->commands++;
    if (r->closing) {
        refuse(q, "cache_lost", SL("the hub is going down"));
        return;
    }
    send_to(q, what->op == CACHE_PUBLISH ? anybody(r) : node_for(r, q->slot));
}

/* ---- listening ----------------------------------------------------------------------------------------------------------------- */

static void said(void *arg, slice channel, slice text)
{
    struct redis *r = arg;
    for (size_t i = 0; i < r->n_listeners; i++)
        if (slice_eq(slice_of(r->listeners[i].channel), channel))
            r->listeners[i].heard(r->listeners[i].arg, text);
}

static void subscribe(struct redis *r, struct redis_conn *c, const char *channel)
{
    CLEANUP(arena_freep) struct arena *a = arena_new();
    struct text t = text_new(a, CACHE_KEY_MAX * 2);
    resp_command(&t, (slice[]){ SL("SUBSCRIBE"), slice_of(channel) }, 2);
    redis_conn_send(c, text_slice(&t), nothing, r);
}

static void ear_up(void *arg, struct redis_conn *c)
{
    struct redis *r = arg;
    for (size_t i = 0; i < r->n_listeners; i++)
        subscribe(r, c, r->listeners[i].channel);
    if (r->told) /* what was said since it went was not heard */
        r->ev.changed(r->ev.arg, r->reachable, SL("listening again"));
}

static void ear_down(void *arg, struct redis_conn *c, const char *why);

static void ear_make(struct redis *r)
{
    const struct redis_conn *at = r->nodes[r->ear_node % r->n_nodes]->conn;
    r->ear = redis_conn_new(r->loop, &r->how, redis_conn_host(at), redis_conn_port(at), &(struct redis_events){ ear_up, ear_down, said, r });
}

static void ear_elsewhere(void *arg)
{
    struct redis *r = arg;
    if (!r->ear || !redis_conn_is_down(r->ear))
        return;
    redis_conn_free(r->ear);
    r->ear_node++;
    ear_make(r);
}

/* In a cluster any member will do. */
static void ear_down(void *arg, struct redis_conn *c, const char *why)
{
    struct redis *r = arg;
    (void)c;
    (void)why;
    if (r->cluster && r->ear)
        loop_defer(r->loop, ear_elsewhere, r);
}

static void listen_to(void *arg, const char *channel, void (*heard)(void *arg, slice text), void *heard_arg)
{
    struct redis *r = arg;
    assert(r->n_listeners < CACHE_CHANNELS_MAX);
    r->listeners[r->n_listeners].channel = channel;
    r->listeners[r->n_listeners].heard = heard;
    r->listeners[r->n_listeners++].arg = heard_arg;
    if (!r->ear)
        ear_make(r);
    else if (redis_conn_is_up(r->ear))
        subscribe(r, r->ear, channel);
}

/* ---- life ---------------------------------------------------------------------------------------------------------------------- */

static char *copy(slice s)
{
    char *p = must_calloc(1, s.n + 1);
    memcpy(p, s.p ? s.p : "", s.n);
    return p;
}

static void free_redis(void *arg)
{
    struct redis *r = arg;
    struct redis_conn *ear = r->ear;
    r->ear = NULL;
    r->closing = true;
    while (r->asked)
        refuse(r->asked, "cache_lost", SL("the hub is going down"));
    redis_conn_free(ear);
    loop_defer_cancel(r->loop, ear_elsewhere, r);
    for (size_t i = 0; i < r->n_nodes; i++) {
        redis_conn_free(r->nodes[i]->conn);
        free(r->nodes[i]);
    }
    loop_timer_done(&r->learn_timer);
    redis_tls_setup_free(r->how.tls);
    if (r->password)
        bytes_wipe(r->password, strlen(r->password));
    free(r->user);
    free(r->password);
    free(r);
}

void *cache_redis_new(struct loop *l, const struct cache_setup *setup, const struct cache_events *ev, struct fault *f)
{
    CLEANUP(arena_freep) struct arena *a = arena_new();
    struct redis_url url;
    if (!redis_url_parse(a, setup->where, &url, f))
        return NULL;
    struct redis *r = must_calloc(1, sizeof(*r));
    r->loop = l;
    r->cluster = url.cluster;
    r->ev = *ev;
    r->how.db = url.db;
    memset(r->owner, NOBODY, sizeof(r->owner));
    if (url.user.p)
        r->how.user = (slice){ r->user = copy(url.user), url.user.n };
    if (url.password.p)
        r->how.password = (slice){ r->password = copy(url.password), url.password.n };
    if (url.tls && !(r->how.tls = redis_tls_setup(setup->ca_file, f))) {
        free_redis(r);
        return NULL;
    }
    for (size_t i = 0; i < url.n_hosts; i++)
        (void)node_at(r, url.hosts[i].name, url.hosts[i].port);
    r->n_seeds = r->n_nodes;
    return r;
}

static struct cache_numbers numbers(const void *arg)
{
    const struct redis *r = arg;
    int64_t ready = r->ear && redis_conn_is_up(r->ear);
    for (size_t i = 0; i < r->n_nodes; i++)
        ready += redis_conn_is_up(r->nodes[i]->conn);
    return (struct cache_numbers){ .connections = (int64_t)r->n_nodes + (r->ear != NULL), .ready = ready, .engine = r->cluster ? "redis-cluster" : "redis", .reachable = r->reachable, .commands = r->commands,
                                   .failures = r->failures, .connects = r->connects, .keys = -1, .answer_us = r->answer_us };
}

const struct cache_engine cache_redis_engine = { free_redis, ask, listen_to, numbers };
