/* media-private.h - the files of one message on their way into the storage, for the files of media.
 *
 *   media.c        jobs: which files a message has, what became of them, who waits for it
 *   media_fetch.c  one file: asked for, fetched, stored; tried again
 */
#ifndef HUB_MEDIA_PRIVATE_H
#define HUB_MEDIA_PRIVATE_H
#include "hub/media.h"
#include "hub/run.h"
#include "hub/storage.h"
#include "net/client.h"

struct media_job;
struct media_fetch {
    struct media_fetch *next; /* in the queue */
    struct media_job *job;
    struct media *md;   /* of the job's copy */
    struct arena *a;    /* of one try */
    struct client_call call;
    struct header headers[2];
    struct token_wait token_wait;
    slice token;
    struct run *finding; /* asks the vendor where it is */
    slice found;         /* … there; of one try */
    struct storage *storage;
    struct storage_put *put;
    struct aes_ctr *cipher; /* of this try; NULL: it comes as it is */
    struct loop_timer timer;
    unsigned tries, preparing;
    bool with_token, open, too_large, unwanted; /* unwanted: media_types */
    bool foreign, guarded; /* its address came in the message; only public ones are gone to */
    bool page;     /* something else came than the file: md.exact */
    int64_t bytes; /* of this try */
    char id[STORAGE_ID_BYTES];
    int64_t started_ms;
};
struct waiter {
    struct waiter *next;
    struct arena *a;
    struct message *m;
    void (*done)(void *arg);
    void *arg;
};
struct media_job {
    struct media_job *next; /* hash */
    struct hub *hub;
    struct actor *from;
    uint64_t id;
    struct arena *a;
    struct actor *channel; /* of its conversation; NULL: addressed to nobody we know */
    slice guest, conversation;
    int64_t closed_ms;    /* its conversation was closed meanwhile; 0: it was not */
    struct js_list media; /* struct media: the job's own copy; becomes the result */
    struct media_fetch *fetches;
    size_t n_fetches, left;
    bool settled;
    bool forgotten; /* nobody will ask for the result */
    struct waiter *waiters;
};
struct media_jobs {
    struct hub *hub;
    struct media_job *buckets[256];
    struct media_fetch *queue, **queue_last;
    unsigned running;
    struct resuming *resuming; /* the state is being asked */
};

/* media.c: all its files are settled, one way or the other. It is stored, then those who wait are told. */
void media_job_end(struct media_job *job);

/* media_fetch.c */
void media_fetch_add(struct media_jobs *jobs, struct media_fetch *f); /* to the queue */
void media_fetch_next(struct media_jobs *jobs);                       /* those for whom there is room begin */
void media_fetch_end(struct media_fetch *f, const char *result);      /* result: for the metrics */
void media_fetch_stop(struct media_fetch *f);                         /* whatever it does; nothing is told */
#endif
