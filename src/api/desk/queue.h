/* queue.h - the queues: where guests wait, what is asked of who answers them. Changed over the API, stored under "g:q:" + name, all in memory.
 *
 * A queue that nobody has made works all the same, by the settings of the tenant's desk: what a queue does not say, they say.
 */
#ifndef API_DESK_QUEUE_H
#define API_DESK_QUEUE_H
#include "hub/hub.h"

enum { QUEUES_MAX = 500, QUEUE_STORED_MAX = 32768 };
struct queue {
    struct queue *next; /* in order of names */
    struct arena *a;
    slice name, title;
    slice tenant;          /* slug; absent: of all */
    struct js_list skills; /* slices: required of who answers */
    int64_t overflow_s;    /* -1: as the desk says */
    slice overflow_queue, business_hours, timezone;
    int64_t service_level_s; /* 0: as the desk says */
    int64_t rev;
};
struct queues;
struct queues *queues_new(struct hub *h) MUST_USE; /* before store_start */
void queues_free(struct queues *qs);
const struct queue *queue_find(const struct queues *qs, slice name); /* NULL: nobody has made it */
const struct queue *queues_first(const struct queues *qs);
size_t queues_count(const struct queues *qs);

struct queue_rules { /* of a queue, for guests of this desk */
    const struct js_list *skills;
    int64_t overflow_ms, service_ms;
    slice overflow_queue, hours, zone;
};
/* desk NULL: the queue's own alone. */
struct queue_rules queue_rules(const struct queues *qs, slice name, const struct actor *desk);
/* For backups: all of them as a list; and back. Returns how many are made or changed (or removed: replace). dry: only counts. */
struct api_call;
void queues_write(const struct queues *qs, struct jw *w, const char *key);
size_t queues_restore(struct api_call *c, const struct js *list, bool replace, bool dry);
#endif
