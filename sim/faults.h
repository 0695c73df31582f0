/* faults.h - misbehaviour on demand.
 *
 * POST /sim/faults replaces all rules, DELETE /sim/faults (or an empty object) takes them away, GET /sim/faults shows rules and counters.
 * The body is one rule, or {"seed":1,"rules":[rule,…]}:
 *
 *   {"paths":["/v2/bot/message/push"],  which calls: exact path, or a prefix with closing "*"; absent: every vendor call
 *    "method":"POST",                   absent: any
 *    "skip":2, "times":3,               let the first 2 matching calls pass, then act on 3 of them at most; absent: no end
 *    "status":429, "share":0.1,         answer so instead of doing the work, in this share of calls (absent: all)
 *    "retry_after_s":2,                 with that answer
 *    "slow_ms":50,                      every answer comes that much later
 *    "timeout_share":0.01,              the call has effect, the answer never comes (closed after timeout_ms, standard 30000)
 *    "reset_before_share":0.01,         the connection is reset, the call had no effect
 *    "reset_after_share":0.01,          the call has effect, then the connection is reset without an answer
 *    "down":true,                       every connection is closed at once, no effect
 *    "duplicate_share":0.1,             webhooks: sent twice
 *    "reorder_share":0.1,               webhooks: held back until the next one of the same lane went out (or REORDER_HOLD_MS passed)
 *    "bad_signature_share":0.1}         webhooks: with a signature that is wrong
 *
 * "times" counts calls on which something other than slowness was done. The first matching rule that does something wins; slowness adds up.
 * Choices come from a generator seeded by "seed" (standard 1), so a run can be repeated.
 */
#ifndef SIM_FAULTS_H
#define SIM_FAULTS_H
#include "sim/sim.h"

enum { FAULT_RULES_MAX = 32, FAULT_PATHS_MAX = 16, FAULT_TIMEOUT_MS = 30000, FAULT_SLOW_MAX_MS = 600000 };

enum fault_act { FAULT_NONE, FAULT_STATUS, FAULT_DOWN, FAULT_RESET_BEFORE, FAULT_RESET_AFTER, FAULT_TIMEOUT, FAULT_ACTS };

struct fault_plan { /* for one call of the vendor's API */
    enum fault_act act;
    int status;
    int64_t retry_after_s; /* 0: none */
    int64_t slow_ms, timeout_ms;
};
struct fault_hook { /* for one webhook */
    bool duplicate, reorder, bad_signature;
};

struct faults *faults_new(void) MUST_USE;
void faults_free(struct faults *fs);
bool faults_set(struct faults *fs, slice json, struct fault *f) MUST_USE; /* false: nothing changed */
slice faults_show(const struct faults *fs, struct arena *a) MUST_USE;
struct fault_plan faults_plan(struct faults *fs, slice method, slice path) MUST_USE;
struct fault_hook faults_plan_hook(struct faults *fs, slice path) MUST_USE;
#endif
