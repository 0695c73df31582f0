/* run.h - one case being run: the world its connector sees, and what is expected of it.
 *
 * A check returns false once the case has failed; the first reason is kept in why. With UPDATE=1 a check that differs rewrites the
 * expectation instead and the case passes.
 */
#ifndef TESTS_CASES_RUN_H
#define TESTS_CASES_RUN_H
#include "hub/inbox.h"
#include "tests/cases/casefile.h"

struct run {
    struct arena *a;
    struct casefile *cf;
    const struct connector *k;
    struct account account;
    struct memory *memory, *guest_memory;
    slice claims; /* VERIFY_JWT: what "@sign" signs when the case does not say */
    struct jwks *keys;
    slice memory_before, guest_memory_before; /* as given by the case */
    struct conversation conversation;
    struct call call;
    struct fault fault;
    bool update;
    slice why;
};

bool case_fail(struct run *r, const char *fmt, ...) PRINTF(2, 3);
/* Settings, memory and conversation of the case over the connector's defaults. */
bool run_begin(struct run *r, slice defaults) MUST_USE;
void run_end(struct run *r);
const struct js *run_json(struct run *r, const char *section,
                          const char *otherwise) MUST_USE; /* NULL: failed */

/* The section holds this JSON value; without the section: `otherwise` is expected. */
bool expect_json(struct run *r, const char *section, slice got, slice otherwise) MUST_USE;
bool expect_text(struct run *r, const char *section, slice got, slice otherwise) MUST_USE;
/* Both memories hold what "remembered" and "guest_remembered" say, or what they held before. */
bool expect_memories(struct run *r) MUST_USE;
/* The "fault" lines that are neither `signature` nor `route`: "code field". */
slice run_fault(struct run *r);
/* The inbox: messages, ignored, resumed, reply. */
bool expect_inbox(struct run *r, const struct inbox *in) MUST_USE;

bool run_receive(struct run *r) MUST_USE;
bool run_steps(struct run *r, slice what) MUST_USE; /* deliver, setup, lookup, poll */
bool run_ask(struct run *r, struct inbox *in); /* after a receive that asks something at once */
bool run_token(struct run *r) MUST_USE;
bool run_media_url(struct run *r) MUST_USE;
bool run_check(struct run *r) MUST_USE;
/* Headers of a section's first paragraph: reads "name: value" lines from *rest up to the empty line; *rest is then the body. */
struct js_list run_headers(struct run *r, slice *rest);
#endif
