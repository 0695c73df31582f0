/* parcels_cli.c - what no worker could use and the broker keeps: looked at, sent again, thrown away. */
#include "broker/dead.h"
#include "hub/parcel.h"
#include "main/commands.h"
#include "main/replica.h"

static const char usage[] = "usage: dragoman parcels [list | replay [ACCOUNT] | discard [ACCOUNT]] --config FILE\n"
                            "  list      webhooks that doors took and no worker could use: when, whose, why, how many bytes, trace\n"
                            "  replay    give them (or those of ACCOUNT) to the worker once more\n"
                            "  discard   throw them (or those of ACCOUNT) away\n";
enum { WHEN_MAX = 32 };

static void show(const struct broker_letter *l, const struct parcel *p)
{
    char when[WHEN_MAX];
    struct tm tm;
    time_t at = (time_t)(l->at_ms / 1000);
    strftime(when, sizeof(when), "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&at, &tm));
    slice account = slice_or(p->account, SL("-")), trace = slice_or(p->trace_id, SL("-"));
    printf("%s  " SLF "  " SLF "  %zu  " SLF "\n", when, SLA(account), SLA(slice_or(l->why, SL("-"))), l->body.n, SLA(trace));
}

typedef bool (*deciding)(struct broker_dead *d, const struct broker_letter *l, struct fault *f);

/* decide NULL: they are shown. False: *f. */
static bool each(struct broker_dead *d, slice account, deciding decide, size_t *ret_n, struct fault *f)
{
    for (;;) {
        CLEANUP(arena_freep) struct arena *a = arena_new();
        struct broker_letter l;
        struct parcel p = { 0 };
        struct fault unreadable = { 0 };
        if (!broker_dead_next(d, a, &l, f))
            return !f->code;
        bool read = parcel_read(a, l.body, &p, &unreadable); /* one that cannot be read is nobody's */
        if (account.n && !(read && slice_eq(p.account, account)))
            continue;
        if (decide && !decide(d, &l, f))
            return false;
        show(&l, &p);
        ++*ret_n;
    }
}

int command_parcels(const struct options *o, int argc, char **argv)
{
    const char *verb = argc > 0 ? argv[0] : "list";
    bool list = strcmp(verb, "list") == 0, replay = strcmp(verb, "replay") == 0;
    if (argc > 2 || (list && argc > 1) || (!list && !replay && strcmp(verb, "discard") != 0))
        return command_usage(usage, argc, argv);
    CLEANUP(arena_freep) struct arena *a = arena_new();
    const struct config *c = options_config(a, o);
    if (!c)
        return 2;
    if (!config_text(c, CFG_BROKER).n) {
        fprintf(stderr, "dragoman: there is no broker in this configuration: nothing is kept there\n");
        return 2;
    }
    struct fault f = { 0 };
    struct seal *seal = replica_settings(c, &f) ? replica_seal(c, &f) : NULL;
    if (!seal)
        return command_failed(verb, &f);
    struct broker_setup setup = replica_broker(a, c, replica_mark(a, seal)); /* what another installation keeps there under this name is not ours to decide */
    seal_free(seal);
    struct broker_dead *d = broker_dead_open(&setup, &f);
    size_t n = 0;
    bool ok = d && each(d, argc > 1 ? slice_of(argv[1]) : SLICE_NONE, list ? NULL : replay ? broker_dead_again : broker_dead_drop, &n, &f);
    broker_dead_close(d);
    fprintf(stderr, "%zu %s\n", n, list ? "kept" : replay ? "given to the worker again" : "thrown away");
    return ok ? 0 : command_failed(verb, &f);
}
