#include "main/replica.h"
#include "main/pages.h"
#include "wire/hex.h"

enum { MARK_BYTES = 8 };

/* By the names of the product whose services this program replaces: configuring is the API's, commands are the worker's. */
static slice service_of(slice word)
{
    return slice_eq(word, SL("config")) ? SL("api") : slice_eq(word, SL("commander")) ? SL("worker") : word;
}

static bool service_known(slice word)
{
    return slice_eq(word, SL("all")) || slice_eq(word, SL("api")) || slice_eq(word, SL("worker")) || connector_find(word);
}

static bool services_known(const struct config *c, struct fault *f)
{
    for (slice rest = config_text(c, CFG_SERVICES), word; rest.n;) {
        word = slice_trim(slice_cut(&rest, ','));
        if (!service_known(service_of(word)))
            return fault(f, "invalid", "services", "\"" SLF "\" is none; there are all, api (or config), worker (or commander), and the names of connectors", SLA(utf8_cut(word, 64)));
    }
    return true;
}

bool service_wanted(const struct config *c, slice name)
{
    slice all = config_text(c, CFG_SERVICES);
    for (slice rest = all, word; rest.n;) {
        word = service_of(slice_trim(slice_cut(&rest, ',')));
        if (slice_eq(word, SL("all")) || slice_eq(word, name))
            return true;
    }
    return !all.n;
}

bool replica_settings(const struct config *c, struct fault *f)
{
    if (!services_known(c, f))
        return false;
    slice store = config_text(c, CFG_STORE);
    if (!slice_starts(store, SL("postgresql://")) && !slice_starts(store, SL("postgres://")))
        return fault(f, "missing", "store", "with a broker the store must be one that all replicas reach: store: postgresql://…");
    if (!config_text(c, CFG_SECRET_KEY).n && !config_text(c, CFG_KEY_FILE).n)
        return fault(f, "missing", "secret_key", "all replicas need the same key: give secret_key (DRAGOMAN_SECRET_KEY), or key_file");
    CLEANUP(arena_freep) struct arena *a = arena_new();
    slice frames;
    return page_frames(a, config_text(c, CFG_FRAME_ORIGINS), &frames, f); /* what the worker would not start with, its door does not begin with */
}

slice replica_url(struct arena *a, const struct config *c, unsigned port)
{
    slice given = config_text(c, CFG_REPLICA_URL), listen = config_text(c, CFG_LISTEN);
    if (given.n)
        return given;
    size_t colon = slice_find_last(listen, ':');
    return arena_printf(a, "%s://" SLF ":%u", config_text(c, CFG_TLS_CERT).n ? "https" : "http", SLA(slice_sub(listen, 0, colon)), port);
}

struct seal *replica_seal(const struct config *c, struct fault *f)
{
    slice key = config_text(c, CFG_SECRET_KEY);
    return key.n ? seal_of_hex(key, f) : seal_open(config_text(c, CFG_KEY_FILE).p, f);
}

slice replica_mark(struct arena *a, const struct seal *seal)
{
    uint8_t derived[SEAL_DERIVED_BYTES];
    seal_derive(seal, SL("installation"), derived);
    return hex_encode(a, slice_mem((const char *)derived, MARK_BYTES));
}

struct broker_setup replica_broker(struct arena *a, const struct config *c, slice mark)
{
    slice ca = config_text(c, CFG_CA_FILE);
    int64_t shards = config_number(c, CFG_BROKER_SHARDS);
    if (shards > 1) /* a replica that spreads conversations over another number of them would bring them out of order */
        mark = arena_printf(a, SLF "in%lld", SLA(mark), (long long)shards);
    return (struct broker_setup){ .url = config_text(c, CFG_BROKER), .name = config_text(c, CFG_BROKER_NAME), .mark = mark, .shards = (unsigned)shards, .together = true,
                                  .classic = config_true(c, CFG_BROKER_CLASSIC), .ca_file = ca.n ? ca.p : NULL };
}
