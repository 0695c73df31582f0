/* webhook.h - sends what a vendor sends: signed webhooks, in order, with the vendor's time-out, misbehaving on demand.
 *
 *   webhook_send(env, &(struct webhook){ .lane = user_id, .url = url, .headers = h, .n_headers = 2, .signature = 0, .body = body,
 *                                        .timeout_ms = 2000, .done = answered, .arg = event });
 *
 * Webhooks of one lane go out one after the other, the next when the one before was answered or given up, as from a vendor that keeps the
 * order of one chat; lanes do not wait for each other. An empty lane waits for nobody. Faults: sent twice, held back until the next of its
 * lane went out, or with a wrong signature (faults.h).
 *
 * GET /sim/webhooks shows counters and the newest WEBHOOKS_KEPT results: {"sent","open","ok","failed","timed_out","results":[{"at","url",
 * "status","took_ms","attempt","error"}]}.
 *
 * Ownership  everything in *webhook is copied; done is called exactly once unless the simulator ends first.
 */
#ifndef SIM_WEBHOOK_H
#define SIM_WEBHOOK_H
#include "sim/sim.h"

enum { WEBHOOKS_KEPT = 100, WEBHOOK_HEADERS_MAX = 24, REORDER_HOLD_MS = 300 };

struct webhook_result {
    int status; /* 0: no answer */
    bool timed_out;
    int64_t took_ms;
    slice body, error;
};
struct webhook {
    slice lane, url;
    const char *method; /* NULL: POST */
    const struct header *headers;
    size_t n_headers;
    int signature; /* index of the header that carries the signature; -1: none */
    slice body;
    int64_t timeout_ms;
    int attempt; /* for the record only */
    void (*done)(void *arg, const struct webhook_result *r); /* may be NULL */
    void *arg;
};
void webhook_send(struct sim_env *env, const struct webhook *w);
/* The JSON with this text as the value at the path, which a recording has from elsewhere; the same where there is none. */
slice webhook_put(struct arena *a, slice json, const char *path, slice text) MUST_USE;

struct webhooks *webhooks_new(struct sim_env *env) MUST_USE;
void webhooks_free(struct webhooks *ws);
slice webhooks_show(const struct webhooks *ws, struct arena *a) MUST_USE;
#endif
