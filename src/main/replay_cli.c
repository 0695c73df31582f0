/* replay_cli.c - plays a recording (hub/recorder.h) again: each body signed anew with the secret of the configuration's account, in the order of the file.
 * A webhook is sent when those before it that are about the same guest have been answered; up to REPLAY_OPEN are under way at once. Those of a connector
 * given with --sim go to its simulator, which signs and sends them as its own, with the faults that were asked of it. */
#include "main/commands.h"
#include "hub/inbox.h"
#include "hub/pseudonym.h"
#include "hub/verify.h"
#include "net/loop.h"
#include "wire/url.h"
#include <errno.h>

enum { REPLAY_OPEN = 32, LANES = 4096, LANES_OF_ONE = 64, TOLD_MAX = 3, SIMS_MAX = 32 };

struct playing;
struct item { /* one webhook, in its own arena */
    struct playing *p;
    struct arena *a;
    int64_t at_ms;
    size_t line;
    uint16_t lanes[LANES_OF_ONE];
    size_t n_lanes;
    struct header headers[3];
    struct client_call call;
};
struct playing {
    struct arena *a;
    const struct config *config;
    slice to;
    struct {
        slice connector, url;
    } sims[SIMS_MAX];
    size_t n_sims;
    FILE *in;
    char *text; /* getline's */
    size_t text_cap, line;
    double speed;  /* of the recording; 0: as fast as it goes */
    double rate;   /* webhooks a second; 0: by speed */
    bool fresh_ids;
    struct pseudonyms fresh;
    struct memory *memory;
    struct loop *loop;
    struct client *client;
    struct loop_timer timer;
    struct item *next;
    bool at_end;
    uint8_t busy[LANES];
    int64_t first_at_ms, started_us;
    size_t open, sent, accepted, refused, lost, skipped;
    int64_t *took_us;
    size_t took_cap;
};

static void pump(void *arg);

/* ---- reading ----------------------------------------------------------------------------------------------------------- */

/* The account of the recording, else the only one of its connector. */
static const struct account *account_of(const struct config *c, slice id, slice connector)
{
    const struct account *only = NULL;
    size_t n = 0;
    for (size_t i = 0; i < c->n_tenants; i++) {
        const struct config_tenant *t = &c->tenants[i];
        for (size_t k = 0; k <= t->n_channels; k++) {
            const struct account *acc = k ? &t->channels[k - 1] : t->desk;
            if (!slice_eq(slice_of(acc->type->name), connector))
                continue;
            if (slice_eq(acc->id, id))
                return acc;
            only = acc;
            n++;
        }
    }
    return n == 1 ? only : NULL;
}

/* Which guests is it about? The connector itself says so. */
static void find_lanes(struct item *it, const struct account *acc, slice body)
{
    struct fault f = { 0 };
    struct inbox in;
    inbox_init(&in, it->a);
    struct call c = { .a = it->a, .account = acc, .memory = it->p->memory, .now_ms = time_now_ms(), .f = &f };
    struct request rq = { .method = SL("POST"), .path = SL(""), .body = body };
    bool understood = acc->type->receive(&c, &rq, &in);
    for (struct inbox_item *m = in.first; understood && m && it->n_lanes < LANES_OF_ONE; m = m->next)
        it->lanes[it->n_lanes++] = (uint16_t)(slice_hash(m->m.guest) % LANES);
}

/* {NULL,0}: its webhooks go to the hub themselves. */
static slice sim_of(const struct playing *p, slice connector)
{
    for (size_t i = 0; i < p->n_sims; i++)
        if (slice_eq(p->sims[i].connector, connector))
            return p->sims[i].url;
    return SLICE_NONE;
}

static bool skip(struct item *it, const char *why)
{
    struct playing *p = it->p;
    if (p->skipped++ < TOLD_MAX)
        fprintf(stderr, "dragoman replay: line %zu is left out: %s\n", p->line, why);
    return false;
}

static void answered(void *arg, const struct answer *r);

static bool fill(struct item *it, slice text)
{
    struct playing *p = it->p;
    struct fault f = { 0 };
    const struct js *doc = js_parse(it->a, text, &f);
    if (!doc)
        return skip(it, f.text);
    const struct account *acc = account_of(p->config, js_text(js_at(doc, "account")), js_text(js_at(doc, "connector")));
    slice body = js_raw(text, "body");
    if (!acc)
        return skip(it, "the configuration has no account for it");
    if (!body.n)
        return skip(it, "its body was no JSON and was not kept");
    if (!time_parse_rfc3339(js_text(js_at(doc, "at")), &it->at_ms))
        return skip(it, "it has no time \"at\"");
    if (p->fresh_ids && acc->type->record_ids)
        body = pseudonym_paths(&p->fresh, it->a, body, acc->type->record_ids);
    body = arena_dup(it->a, body);
    it->headers[0] = (struct header){ SL("Content-Type"), slice_or(js_text(js_at(doc, "headers.content-type")), SL("application/json")) };
    slice sim = sim_of(p, slice_of(acc->type->name));
    if (!sim.p && !hook_sign(acc, it->a, body, time_now_ms(), &it->headers[1], &it->headers[2], &f))
        return skip(it, f.text);
    slice url = sim.p ? arena_printf(it->a, SLF "/sim/replay", SLA(sim))
                      : arena_printf(it->a, SLF "%s/" SLF, SLA(p->to), acc->type->hook.path, SLA(acc->id));
    find_lanes(it, acc, body);
    it->line = p->line;
    it->call = (struct client_call){ .a = it->a, .method = "POST", .headers = it->headers, .body = body, .url = url,
                                     .n_headers = it->headers[2].name.n ? 3 : it->headers[1].name.n ? 2 : 1,
                                     .done = answered, .arg = it };
    return true;
}

/* The next webhook of the file; NULL at its end. */
static struct item *read_item(struct playing *p)
{
    ssize_t n;
    while ((n = getline(&p->text, &p->text_cap, p->in)) >= 0) {
        p->line++;
        slice text = slice_trim(slice_mem(p->text, (size_t)n));
        if (!text.n)
            continue;
        struct arena *a = arena_new();
        struct item *it = ARENA_NEW(a, struct item);
        it->p = p;
        it->a = a;
        if (fill(it, text))
            return it;
        arena_free(a);
    }
    p->at_end = true;
    return NULL;
}

/* ---- sending ----------------------------------------------------------------------------------------------------------- */

static void answered(void *arg, const struct answer *r)
{
    struct item *it = arg;
    struct playing *p = it->p;
    bool good = r->status >= 200 && r->status < 300;
    if (!good && p->refused + p->lost < TOLD_MAX)
        fprintf(stderr, "dragoman replay: line %zu: %d " SLF "\n", it->line, r->status, SLA(r->status ? utf8_cut(r->body, 200) : r->error));
    *(good ? &p->accepted : r->status ? &p->refused : &p->lost) += 1;
    p->took_us[p->sent++] = r->took_us;
    p->open--;
    for (size_t i = 0; i < it->n_lanes; i++)
        p->busy[it->lanes[i]] = 0;
    arena_free(it->a);
    pump(p);
}

/* Microseconds from the start until this webhook's turn. */
static int64_t due_us(const struct playing *p, const struct item *it)
{
    if (p->rate > 0)
        return (int64_t)((double)(p->sent + p->open) * 1e6 / p->rate);
    return p->speed > 0 ? (int64_t)((double)(it->at_ms - p->first_at_ms) * 1000 / p->speed) : 0;
}

static void send_item(struct playing *p, struct item *it)
{
    if (p->sent + p->open >= p->took_cap) {
        p->took_cap = MAX(p->took_cap * 2, (size_t)1024);
        p->took_us = must_realloc(p->took_us, p->took_cap * sizeof(*p->took_us));
    }
    for (size_t i = 0; i < it->n_lanes; i++)
        p->busy[it->lanes[i]] = 1;
    p->open++;
    client_send(p->client, &it->call);
}

static bool lanes_free(const struct playing *p, const struct item *it)
{
    for (size_t i = 0; i < it->n_lanes; i++)
        if (p->busy[it->lanes[i]])
            return false;
    return true;
}

static void pump(void *arg)
{
    struct playing *p = arg;
    while (p->open < REPLAY_OPEN) {
        if (!p->next && !p->at_end && (p->next = read_item(p)) && !p->started_us) {
            p->first_at_ms = p->next->at_ms;
            p->started_us = time_mono_us();
        }
        if (!p->next)
            break;
        int64_t wait_ms = (p->started_us + due_us(p, p->next) - time_mono_us()) / 1000;
        if (wait_ms > 0) {
            loop_timer_start(p->loop, &p->timer, wait_ms, pump, p);
            return;
        }
        if (!lanes_free(p, p->next))
            return;
        send_item(p, TAKE(p->next));
    }
    if (p->at_end && !p->next && !p->open)
        loop_stop(p->loop);
}

/* ---- the command ------------------------------------------------------------------------------------------------------- */

static int by_size(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return x < y ? -1 : x > y;
}

static int report(struct playing *p, int64_t end_us)
{
    double seconds = p->started_us ? (double)(end_us - p->started_us) / 1e6 : 0;
    printf("sent %zu, accepted %zu, refused %zu, without an answer %zu, left out %zu\n", p->sent, p->accepted, p->refused, p->lost, p->skipped);
    if (p->sent) {
        qsort(p->took_us, p->sent, sizeof(*p->took_us), by_size);
        printf("in %.3f s (%.0f a second); answers took p50 %.2f ms, p99 %.2f ms, at most %.2f ms\n", seconds, (double)p->sent / MAX(seconds, 1e-6),
               (double)p->took_us[p->sent / 2] / 1000, (double)p->took_us[p->sent * 99 / 100] / 1000, (double)p->took_us[p->sent - 1] / 1000);
    }
    return p->sent && p->accepted == p->sent && !p->skipped ? 0 : 1;
}

static bool positive(const char *text, double *ret)
{
    return slice_double(slice_of(text), ret) && *ret >= 0 && *ret <= 1e6;
}

static slice without_slash(slice url)
{
    while (url.n && url.p[url.n - 1] == '/')
        url.n--;
    return url;
}

static bool read_sim(struct playing *p, slice text)
{
    slice url = text, connector = slice_cut(&url, '=');
    if (!connector.n || !url.n || p->n_sims == SIMS_MAX)
        return false;
    p->sims[p->n_sims].connector = connector;
    p->sims[p->n_sims++].url = without_slash(url);
    return true;
}

/* False: used wrongly. *ret_file: the recording. */
static bool read_words(struct playing *p, int argc, char **argv, const char **ret_file)
{
    for (int i = 0; i < argc; i++) {
        bool more = i + 1 < argc;
        if (strcmp(argv[i], "--to") == 0 && more)
            p->to = without_slash(slice_of(argv[++i]));
        else if (strcmp(argv[i], "--sim") == 0 && more && read_sim(p, slice_of(argv[i + 1])))
            i++;
        else if (strcmp(argv[i], "--speed") == 0 && more && positive(argv[i + 1], &p->speed))
            i++;
        else if (strcmp(argv[i], "--rate") == 0 && more && positive(argv[i + 1], &p->rate))
            i++;
        else if (strcmp(argv[i], "--fresh-ids") == 0)
            p->fresh_ids = true;
        else if (argv[i][0] != '-' && !*ret_file)
            *ret_file = argv[i];
        else
            return false;
    }
    return *ret_file != NULL;
}

static int play(struct playing *p)
{
    struct fault f = { 0 };
    struct client_limits limits;
    client_limits_default(&limits);
    limits.guard_off = true; /* the address is the operator's own */
    p->loop = loop_new();
    p->client = client_new(p->loop, &limits, &f);
    int rc = 1;
    if (p->client) {
        loop_defer(p->loop, pump, p);
        loop_run(p->loop);
        rc = report(p, time_mono_us());
        client_free(p->client);
    } else {
        fprintf(stderr, "dragoman replay: %s\n", f.text);
    }
    loop_timer_done(&p->timer);
    loop_free(p->loop);
    return rc;
}

int command_replay(const struct options *o, int argc, char **argv)
{
    CLEANUP(arena_freep) struct arena *a = arena_new();
    struct playing *p = ARENA_NEW(a, struct playing);
    const char *file = NULL;
    *p = (struct playing){ .a = a, .speed = 1 };
    if (!read_words(p, argc, argv, &file))
        return command_usage("usage: dragoman replay FILE --config FILE [--to http://host:port] [--sim CONNECTOR=http://host:port]… [--speed X | --rate N] [--fresh-ids]\n"
                             "  --speed X      X times as fast as recorded (1); 0: as fast as it goes\n"
                             "  --rate N       N webhooks a second instead\n"
                             "  --fresh-ids    other message ids at every run, so that a hub that knows the recording takes them again\n"
                             "  --to           the hub; otherwise the address of the configuration's listen\n"
                             "  --sim          webhooks of this connector go to its simulator (dragoman sim), which signs them and sends them to its hub\n", argc, argv);
    p->config = options_config(a, o);
    if (!p->config)
        return 2;
    if (!p->to.n)
        p->to = arena_printf(a, "http://" SLF, SLA(config_text(p->config, CFG_LISTEN)));
    p->in = fopen(file, "re");
    if (!p->in) {
        fprintf(stderr, "dragoman replay: %s: %s\n", file, strerror(errno));
        return 1;
    }
    random_bytes(p->fresh.key, sizeof(p->fresh.key));
    p->memory = memory_new();
    int rc = play(p);
    memory_free(p->memory);
    fclose(p->in);
    free(p->text);
    free(p->took_us);
    return rc;
}
