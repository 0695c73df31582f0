/* call.h - one call of the interfaces below /nexus/v3 that are not the guest's, as their files see it.
 *
 * When an operation is called it is known who calls, and the body is an object where there is one. It answers once, now or later.
 */
#ifndef API_NEXUS_CALL_H
#define API_NEXUS_CALL_H
#include "api/call.h"
#include "api/nexus/apikeys.h"

enum { NEXUS_BODY_MAX = 1 << 20, NEXUS_ANSWER_MAX = 8 << 20 };

struct nexus_call {
    struct api *api;
    struct exchange *x;
    struct arena *a;
    slice user;                  /* who calls, for the audit; of a key: its name */
    enum role role;              /* ROLE_NONE: only a key was shown */
    const struct api_key *key;   /* good ones only; valid during the first turn; NULL: none */
    slice operation;             /* operationId: the caller's, or a new one */
    const struct js *doc;        /* the body; NULL: there is none */
    slice words[3];              /* of the path below the operation's own */
    size_t n_words;
    void (*fn)(struct nexus_call *c); /* NULL: there is nothing at this address */
};

void nexus_answer(struct nexus_call *c, int status, slice body); /* body absent: none */
/* {"status":{"code":0},"data":…,"operationId":…} */
void nexus_data(struct nexus_call *c, slice data);
/* {"status":{"code":…,"message":…},"operationId":…} */
void nexus_deny(struct nexus_call *c, int status, const char *code, const char *fmt, ...) PRINTF(4, 5);
void nexus_not_stored(struct nexus_call *c);
void nexus_audit(struct nexus_call *c, const char *what, slice target);
/* Is this an administrator, by session? False: it was refused. */
bool nexus_administrator(struct nexus_call *c);

/* keys.c; words[0]: a key's ref. */
void nexus_keys(struct nexus_call *c);
/* provision.c; words: a tenant's id; a tenant's id and a service. */
void nexus_tenants(struct nexus_call *c);
void nexus_services(struct nexus_call *c);
#endif
