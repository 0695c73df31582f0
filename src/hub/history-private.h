/* history-private.h - what one look at the journal or one question is, for the files of the history.
 *
 *   history.c         jobs and questions, on the loop
 *   history_follow.c  the journal into the database, on the helper thread
 *   history_work.c    the answers, and what is tidied, on the helper thread
 */
#ifndef HUB_HISTORY_PRIVATE_H
#define HUB_HISTORY_PRIVATE_H
#include "hub/history.h"

enum { HISTORY_SLOTS = 4096 }; /* messages and conversations of a piece; a power of two */
enum history_task { TASK_FOLLOW, TASK_TIDY, TASK_CONVERSATIONS, TASK_CONVERSATION, TASK_MESSAGES, TASK_MESSAGE, TASK_SEARCH, TASK_FAILED, TASK_WAITING, TASK_ERASE,
            TASK_OF, TASK_NEWS, TASK_NEWS_TAKEN };
/* What a piece of the journal comes to: most messages begin and end within it, and most conversations change several times. */
struct gathered {
    struct history_message m;
    slice key, value; /* of a conversation */
    struct gathered *next;
};
struct trace_line {
    int64_t at_ms;
    slice op, note;
};
struct queue_line {
    slice target;
    int64_t n, oldest_ms;
};
struct history_job {
    struct history_job *next;
    struct history *hi;
    struct arena *a;
    enum history_task task;
    uint64_t until; /* of the journal */
    struct history_query query;
    struct history_failed failed;
    struct history_page page;
    slice text, account;
    int64_t id;
    struct js_list convs, msgs, traces, queues, changed, news, marks; /* history_conversation, history_message, trace_line, queue_line, slice, … */
    void (*each_conv)(void *, const struct history_conversation *);
    void (*each_msg)(void *, const struct history_message *);
    void (*each_trace)(void *, int64_t, slice, slice);
    void (*each_queue)(void *, slice, int64_t, int64_t);
    void (*each_news)(void *, const struct history_news *);
    history_done done;
    void *arg;
    struct fault fault;
    bool gap, elsewhere, more;
    struct arena *piece;
    struct gathered *slots[HISTORY_SLOTS], *first, **last; /* of the piece */
};

struct history {
    struct hub *hub;
    struct loop *loop;
    struct history_db *db;
    char *dir;
    int64_t keep_ms;
    struct jplace place; /* the helper thread's while busy */
    bool placed;         /* it is the one in the database */
    uint64_t told;       /* durable sequence that the last follow was asked for */
    int64_t news_ms, expired_ms, followed_ms, fault_ms; /* fault_ms: when one was logged; 0: never */
    uint64_t batches;    /* of the journal at the last turn … */
    uint64_t followed_bytes; /* … and its bytes when it was followed last */
    struct history_job *first, **last;
    bool busy, closed, untidy, resting;
    struct loop_timer timer;
    struct {
        void (*changed)(void *arg, slice conversation);
        void *arg;
    } listeners[HISTORY_LISTENERS];
    size_t n_listeners;
};

/* The journal up to job->until into the database, in pieces. False: see job->fault. Helper thread. */
bool history_follow(struct history_job *job);
/* All of a job: the journal first, then what is asked. Helper thread; its arg for loop_work. */
void history_work(void *job);
#endif
