/* cloud_private.h - what cloud.c, cloud_put.c and cloud_get.c share. */
#ifndef STORAGES_CLOUD_PRIVATE_H
#define STORAGES_CLOUD_PRIVATE_H
#include "net/loop.h"
#include "storages/cloud.h"

/* An op under way; lives in its arena. */
struct running {
    struct cloud_op op;
    struct running *next, **here; /* of the storage's */
    struct running *waiting;      /* for the token: the next who waits */
    bool waits;                   /* for the token */
    bool token_dropped;           /* after a 401, once */
    unsigned waited;              /* that did not count as tries */
    bool calling;                 /* http is under way */
    int64_t sent;                 /* of the part's body */
    int64_t asked_from;           /* CLOUD_GET: op.from when the call was made */
    struct client_call http;
    struct loop_timer timer;
    /* For bodies that are parts: n bytes from `at` of the part; how many. */
    ssize_t (*read)(void *owner, int64_t at, char *buf, size_t n);
    /* CLOUD_GET: takes what comes; false: enough. */
    bool (*sink)(void *owner, const struct answer *head, const char *p, size_t n);
    /* The op is over: op.f tells when end is CLOUD_FAILED or CLOUD_AGAIN (tried too often). *r is freed behind it. */
    void (*done)(void *owner, struct running *r, enum cloud_end end);
    void *owner;
};
struct cloud_state {
    struct running *ops;
    struct cloud_upload *uploads;
    struct cloud_download *downloads;
    char *token;              /* "Bearer …"; NULL: none */
    int64_t token_until_ms;   /* monotonic */
    bool token_asked;
    struct running *token_waiting;
    bool closing;
};

static inline struct cloud *cloud_of(struct storage *s)
{
    return CONTAINER_OF(s, struct cloud, base);
}
/* Set op's members and the callbacks, then start. */
struct running *op_new(struct cloud *c, enum cloud_job job, void (*done)(void *owner, struct running *r, enum cloud_end end), void *owner) MUST_USE;
void op_start(struct running *r);
void op_cancel(struct running *r); /* no done follows; r is freed. NULL: nothing */
void op_pause(struct running *r);  /* its sink */
void op_resume(struct running *r);

void uploads_close(struct cloud *c);
void downloads_close(struct cloud *c);
#endif
