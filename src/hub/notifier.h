/* notifier.h - where operators are told: what a notifier is, and what it gets to tell.
 *
 * A notifier is one const table and two pure functions, like a connector: build makes one HTTP call out of a notice, judge says what its answer means.
 * Neither blocks, logs, reads the clock or keeps a pointer. Queue, rates, retries and what is told when are notice.h's and notice_send.h's.
 *
 * Secrets    the URL or the key of a destination is its only secret: it stands in settings marked secret, and appears in no text made here.
 * Facts      docs/wire/notifiers.md.
 */
#ifndef HUB_NOTIFIER_H
#define HUB_NOTIFIER_H
#include "hub/connector.h" /* struct setting, struct http_call */

enum notice_kind {
#define X(e, kind, family, topic, colour, act, head, verb, patience_ms, again_ms) e,
#include "hub/notices.def"
#undef X
    NOTICE_KINDS
};
enum notice_topic { NOTICE_DEFAULT, NOTICE_SUBSCRIPTIONS, NOTICE_TOPICS };
enum notice_colour { NOTICE_GOOD, NOTICE_CALM, NOTICE_BAD, NOTICE_ERROR, NOTICE_COLOURS };
enum notice_act { NOTICE_CHANGE, NOTICE_TRIGGER, NOTICE_RESOLVE }; /* something happened, a problem began or goes on, it is over */
extern const char *const notice_topics[NOTICE_TOPICS];
extern const uint32_t notice_rgb[NOTICE_COLOURS];

/* What is told. Absent texts are not shown. No member holds a secret or a message's text. */
struct notice {
    slice kind; /* "subscription.error" */
    enum notice_topic topic;
    enum notice_colour colour;
    enum notice_act act;
    slice head, verb;       /* "Storage" "is failing"; "Subscription error", absent */
    slice service, version; /* version: only where it matters */
    slice instance, environment;
    slice tenant, tenant_id; /* name and id: a problem of an account … */
    slice account;           /* … this one, … */
    slice network, party;    /* … its network, where it is one, and who is at the other end of it */
    slice reason, detail;
    int64_t at_ms;           /* 0: not said */
    int64_t since_ms;        /* the problem's begin; 0: not said */
    int64_t uptime_ms;
    unsigned count;          /* how many times it was reported since it was told last; 0, 1: once */
    slice key;               /* names the problem for ever, at most NOTICE_KEY_MAX bytes; or, of a CHANGE, the service */
};
enum { NOTICE_KEY_MAX = 255, NOTICE_TEXT_MAX = 600 }; /* TEXT: bytes of one member */

struct notice_call { /* what a notifier's functions get */
    struct arena *a;
    const slice *settings; /* indexed like the table; checked; defaults filled in */
    slice public_url;      /* of the hub */
    struct fault *f;
};
enum notice_end { NOTICE_TAKEN, NOTICE_AGAIN, NOTICE_REFUSED };
struct notice_verdict {
    enum notice_end end;
    int64_t wait_ms; /* AGAIN: not before that (0: the usual back-off); TAKEN: nothing else before that */
    bool gone;       /* REFUSED: the destination is no more, and going on does harm */
};
struct notifier {
    const char *name, *title; /* "slack", "Slack" */
    const struct setting *settings;
    size_t n_settings;
    struct rate rate;         /* calls, per_ms */
    bool resolves;            /* remembers problems: told that one is over also when it may never have been told of it */
    /* More than settings rows can say. NULL: nothing more. */
    bool (*check)(struct notice_call *c);
    /* False: this one has no word for it; nothing is sent. */
    bool (*build)(struct notice_call *c, const struct notice *n, struct http_call *ret);
    /* *c->f: why, for REFUSED and AGAIN; never the body as it is. */
    void (*judge)(struct notice_call *c, const struct answer *r, struct notice_verdict *ret);
};

/* One configured destination. */
struct notice_target {
    slice name; /* unique */
    const struct notifier *type;
    const slice *settings;
    bool topics[NOTICE_TOPICS];
};
enum { NOTICE_TARGETS_MAX = 32 };

/* The list, from notifiers.def; the program's, above the floors. */
extern const struct notifier *const notifiers[];
extern const size_t n_notifiers;
const struct notifier *notifier_find(slice name); /* NULL: none */

/* ---- what they share --------------------------------------------------------------------------------------------------- */

/* "Storage is failing on hub-1 (disk full)", "Subscription error: tenant ACME, Genesys Cloud: 401 invalid_client (12 times)": one line without marks. */
slice notice_line(struct arena *a, const struct notice *n) MUST_USE;
/* Of an account, not of the service or a part of it. */
bool notice_of_account(const struct notice *n);
slice notice_span(struct arena *a, int64_t ms) MUST_USE;    /* "3 d 4 h", "12 min", "5 s" */
slice notice_seconds(struct arena *a, int64_t ms) MUST_USE; /* RFC 3339 without a fraction */
slice notice_times(struct arena *a, const struct notice *n) MUST_USE; /* " (12 times)" or "" */
/* s with a backslash before each byte of `marks`; a '_' between letters is no mark. */
slice notice_escape(struct arena *a, slice s, const char *marks) MUST_USE;
/* The usual reading: no answer, 408, 425, 429, 5xx: again (Retry-After); other: refused. */
void notice_usual(struct notice_call *c, const struct answer *r, struct notice_verdict *ret);
#endif
