#include "sim/sim.h"
#include "sim/faults.h"
#include "sim/feed.h"
#include "sim/router.h"
#include "sim/webhook.h"
#include <signal.h>

/* clang-format off */
#define SIM(name) extern const struct sim sim_##name;
#include "sim/sims.def"
#undef SIM
static const struct sim *const sims[] = {
#define SIM(name) &sim_##name,
#include "sim/sims.def"
#undef SIM
};

/* Every simulator's options; they stand behind its own. */
enum { OPT_LISTEN, OPT_HUB, OPT_SEED, OPT_FAULTS, N_COMMON };
static const struct sim_option common[N_COMMON] = {
    [OPT_LISTEN] = { "listen", "ADDRESS:PORT", "127.0.0.1:0", "where to listen; port 0: any free one" },
    [OPT_HUB]    = { "hub",    "URL",          NULL,          "the hub that gets the webhooks, such as http://127.0.0.1:8080" },
    [OPT_SEED]   = { "seed",   "N",            "1",           "seed of everything that is random here" },
    [OPT_FAULTS] = { "faults", "JSON",         NULL,          "fault rules from the start, as for POST /sim/faults" },
};
/* clang-format on */

enum { CALLS_PER_HOST = 64, DRAIN_MS = 2000 };

struct sim_run {
    struct sim_env env;
};

const struct sim *sim_find(const char *name)
{
    for (size_t i = 0; i < COUNT(sims); i++)
        if (strcmp(sims[i]->name, name) == 0)
            return sims[i];
    return NULL;
}

/* ---- options ---------------------------------------------------------------------------------------------------------------- */

static const struct sim_option *option_at(const struct sim *sim, size_t i)
{
    return i < sim->n_options ? &sim->options[i] : &common[i - sim->n_options];
}

static size_t option_index(const struct sim *sim, slice name)
{
    for (size_t i = 0; i < sim->n_options + N_COMMON; i++)
        if (slice_eq(slice_of(option_at(sim, i)->name), name))
            return i;
    return SIZE_MAX;
}

slice sim_option(const struct sim_env *env, const char *name)
{
    size_t i = option_index(env->sim, slice_of(name));
    assert(i != SIZE_MAX);
    return env->values[i];
}

bool sim_option_on(const struct sim_env *env, const char *name)
{
    slice v = sim_option(env, name);
    return v.n && !slice_eq(v, SL("no")) && !slice_eq(v, SL("0")) && !slice_eq(v, SL("false"));
}

bool sim_option_int(const struct sim_env *env, const char *name, int64_t min, int64_t max, int64_t *ret, struct fault *f)
{
    int64_t n;
    if (!slice_int(sim_option(env, name), &n) || n < min || n > max)
        return fault(f, "out_of_range", name, "--%s takes a number from %lld to %lld", name, (long long)min, (long long)max);
    *ret = n;
    return true;
}

static bool read_options(struct sim_env *env, int argc, char **argv, struct fault *f)
{
    const struct sim *sim = env->sim;
    slice *values = ARENA_ARRAY(env->a, slice, sim->n_options + N_COMMON);
    for (size_t i = 0; i < sim->n_options + N_COMMON; i++)
        values[i] = slice_of(option_at(sim, i)->standard);
    for (int i = 1; i < argc; i++) {
        slice arg = slice_of(argv[i]);
        if (!slice_starts(arg, SL("--")))
            return fault(f, "bad_option", argv[i], "options begin with --");
        slice value = slice_from(arg, 2), name = slice_cut(&value, '=');
        size_t at = option_index(sim, name);
        if (at == SIZE_MAX)
            return fault(f, "bad_option", argv[i], "%s has no such option; --help lists them", sim->name);
        if (!option_at(sim, at)->value)
            value = slice_or(value, SL("yes"));
        else if (!value.p && ++i < argc)
            value = slice_of(argv[i]);
        else if (!value.p)
            return fault(f, "bad_option", argv[i - 1], "it takes a value: %s", option_at(sim, at)->value);
        values[at] = arena_dup(env->a, value);
    }
    env->values = values;
    return true;
}

static void print_help(const struct sim *sim)
{
    printf("dragoman sim %s: plays %s\n", sim->name, sim->title);
    for (size_t i = 0; i < sim->n_options + N_COMMON; i++) {
        const struct sim_option *o = option_at(sim, i);
        printf("  --%s %s%s%s%s\n        %s\n", o->name, o->value ? o->value : "", o->standard ? " (" : "",
               o->standard ? o->standard : "", o->standard ? ")" : "", o->help);
    }
}

/* ---- control routes of every simulator ---------------------------------------------------------------------------------------- */

static void faults_get(struct sim_call *c, void *ctx)
{
    (void)ctx;
    sim_json(c, 200, faults_show(c->env->faults, c->x->a));
}

static void faults_post(struct sim_call *c, void *ctx)
{
    struct fault f = { 0 };
    bool clear = slice_eq(c->x->method, SL("DELETE"));
    if (!faults_set(c->env->faults, clear ? SLICE_NONE : c->x->body, &f))
        sim_fault(c, 400, &f);
    else
        faults_get(c, ctx);
}

static void webhooks_get(struct sim_call *c, void *ctx)
{
    (void)ctx;
    sim_json(c, 200, webhooks_show(c->env->webhooks, c->x->a));
}

/* A call whose webhook is on its way. The exchange lives until it is answered. */
static void replayed(void *arg, const struct webhook_result *r)
{
    struct sim_call *c = arg;
    sim_json(c, r->status ? r->status : 502,
             arena_printf(c->x->a, "{\"status\":%d,\"took_ms\":%lld}", r->status, (long long)r->took_ms));
}

static void replay_post(struct sim_call *c, void *ctx)
{
    (void)ctx;
    struct fault f = { 0 };
    struct webhook w = { .signature = -1 };
    if (!c->env->sim->webhook)
        fault(&f, "not_supported", "", "%s sends no webhooks", c->env->sim->title);
    else if (c->env->sim->webhook(c->env, c->x->a, c->x->body, &w, &f)) {
        w.done = replayed;
        w.arg = c;
        webhook_send(c->env, &w);
        return;
    }
    sim_fault(c, 400, &f);
}

static void events_get(struct sim_call *c, void *ctx)
{
    (void)ctx;
    feed_add(c->env->feed, c);
}

static void page_get(struct sim_call *c, void *ctx)
{
    (void)ctx;
    sim_page(c, c->env->sim->name);
}

static const struct sim_route control[] = {
    { "POST", "/sim/replay", replay_post, SIM_CONTROL },
    { "GET", "/sim/faults", faults_get, SIM_CONTROL },
    { "POST", "/sim/faults", faults_post, SIM_CONTROL },
    { "DELETE", "/sim/faults", faults_post, SIM_CONTROL },
    { "GET", "/sim/webhooks", webhooks_get, SIM_CONTROL },
    { "GET", "/sim/events", events_get, SIM_CONTROL },
};
static const struct sim_route page[] = { { "GET", "/", page_get, SIM_CONTROL } };

/* ---- running ---------------------------------------------------------------------------------------------------------------- */

static bool begin(struct sim_run *r, struct loop *l, int argc, char **argv, struct fault *f)
{
    struct sim_env *env = &r->env;
    env->sim = argc > 0 ? sim_find(argv[0]) : NULL;
    if (!env->sim)
        return fault(f, "unknown_sim", "", "there is no simulator \"%s\"", argc > 0 ? argv[0] : "");
    env->loop = l;
    int64_t seed;
    if (!read_options(env, argc, argv, f) || !sim_option_int(env, "seed", INT64_MIN, INT64_MAX, &seed, f))
        return false;
    sim_random_seed(&env->random, (uint64_t)seed);
    env->faults = faults_new();
    if (!faults_set(env->faults, sim_option(env, "faults"), f))
        return false;
    env->hub = sim_option(env, "hub");
    if (slice_ends(env->hub, SL("/")))
        env->hub.n--;

    struct server_limits server;
    server_limits_default(&server);
    env->server = server_new(l, arena_cstr(env->a, sim_option(env, "listen")), NULL, &server, f);
    if (!env->server)
        return false;
    slice listen = sim_option(env, "listen");
    env->base_url = arena_printf(env->a, "http://" SLF ":%u", SLA(slice_sub(listen, 0, slice_find_last(listen, ':'))),
                                 server_port(env->server));

    struct client_limits client;
    client_limits_default(&client);
    client.guard_off = true; /* everything a simulator talks to is on this machine */
    client.per_host = CALLS_PER_HOST;
    client.answer_bytes = SIM_BODY_MAX;
    env->client = client_new(l, &client, f);
    if (!env->client)
        return false;
    env->webhooks = webhooks_new(env);
    env->router = router_new(env);
    env->feed = feed_new();
    sim_routes(env, control, COUNT(control), NULL, NULL);
    if (env->sim->page)
        sim_routes(env, page, COUNT(page), NULL, NULL);
    return env->sim->start(env, f) != NULL;
}

struct sim_run *sim_open(struct loop *l, int argc, char **argv, struct fault *f)
{
    struct sim_run *r = must_calloc(1, sizeof(*r));
    r->env.a = arena_new();
    if (begin(r, l, argc, argv, f))
        return r;
    sim_close(r);
    return NULL;
}

unsigned sim_port(const struct sim_run *r)
{
    return server_port(r->env.server);
}

struct sim_env *sim_env_of(struct sim_run *r)
{
    return &r->env;
}

void sim_close(struct sim_run *r)
{
    if (!r)
        return;
    struct sim_env *env = &r->env;
    env->stopping = true;
    if (env->router)
        router_abort(env->router);
    client_free(env->client);
    server_free(env->server);
    if (env->state)
        env->sim->stop(env->state);
    webhooks_free(env->webhooks);
    router_free(env->router);
    feed_free(env->feed);
    faults_free(env->faults);
    arena_free(env->a);
    free(r);
}

struct quit {
    struct sim_run *run;
    struct loop *loop;
    bool asked;
};

static void drained(void *arg)
{
    struct quit *q = arg;
    loop_stop(q->loop);
}

/* The first signal lets open calls end; the second does not. */
static void on_signal(void *arg, int signum)
{
    (void)signum;
    struct quit *q = arg;
    if (q->asked || !q->run) {
        loop_stop(q->loop);
        return;
    }
    q->asked = true;
    q->run->env.stopping = true;
    router_abort(q->run->env.router);
    server_drain(q->run->env.server, DRAIN_MS, drained, q);
}

int sim_main(int argc, char **argv)
{
    if (argc > 1 && strcmp(argv[1], "--help") == 0 && sim_find(argv[0])) {
        print_help(sim_find(argv[0]));
        return 0;
    }
    if (argc < 1 || !sim_find(argv[0])) {
        bool asked = argc && strcmp(argv[0], "--help") == 0;
        FILE *out = asked ? stdout : stderr;
        if (argc && !asked)
            fprintf(out, "dragoman sim: there is no simulator \"%s\"\n", argv[0]);
        fprintf(out, "usage: dragoman sim NAME [options]; dragoman sim NAME --help lists its options. There are:\n");
        for (size_t i = 0; i < COUNT(sims); i++)
            fprintf(out, "  %-16s %s\n", sims[i]->name, sims[i]->title);
        return asked ? 0 : 2;
    }
    struct quit q = { .loop = loop_new() };
    signal(SIGPIPE, SIG_IGN);
    loop_signal(q.loop, SIGTERM, on_signal, &q);
    loop_signal(q.loop, SIGINT, on_signal, &q);
    struct fault f = { 0 };
    q.run = sim_open(q.loop, argc, argv, &f);
    if (!q.run) {
        fprintf(stderr, "sim %s: %s%s%s\n", argv[0], f.field, f.field[0] ? ": " : "", f.text);
        loop_free(q.loop);
        return 2;
    }
    printf("sim %s ready " SLF "/\n", argv[0], SLA(q.run->env.base_url));
    fflush(stdout);
    loop_run(q.loop);
    sim_close(q.run);
    loop_free(q.loop);
    return 0;
}
