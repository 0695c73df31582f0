/* inbox.h - what receive found, as accept and the case runner read it. Connectors use only the functions of connector.h. */
#ifndef HUB_INBOX_H
#define HUB_INBOX_H
#include "hub/connector.h"
#include "net/server.h" /* struct response */

struct jbatch; /* journal/journal.h */
struct remembered {
    const char *key; /* NULL: one of keys */
    const char *const *keys;
    size_t n_keys;
    slice value;
    int64_t until_ms;
};
struct inbox_item {
    struct inbox_item *next;
    struct message m;
    struct js_list remember; /* struct remembered */
    uint64_t number;         /* the journal's, once committed; 0: it was seen before, or ignored */
    slice of;                /* accept's: m.of as it came */
    enum inbox_only only;    /* 0: wherever it is said */
};
struct inbox_ignored {
    const char *rule;
    slice id;
};
struct inbox_resumed {
    slice wait_for, data;
};
enum { INBOX_MESSAGES_MAX = 1000 }; /* of one request: more is refused by accept */
struct inbox {
    struct arena *a;
    struct inbox_item *first, **last;
    size_t n;
    struct js_list ignored; /* struct inbox_ignored */
    struct js_list resumed; /* struct inbox_resumed */
    int status;             /* 0: the default answer */
    slice type, body;
    struct js_list headers; /* struct header: of the answer */
    ask_step ask;           /* NULL: nothing to ask */
    ask_answer ask_answer;
    slice ask_data;
    struct conv *conv;      /* accept's: of the first message; held for what is asked */
    /* What of the caller's own belongs to the same commit; called when the messages are in it and have their numbers. NULL: nothing. */
    void (*also)(void *arg, struct jbatch *b);
    void *also_arg;
};
void inbox_init(struct inbox *in, struct arena *a);
struct response inbox_response(const struct inbox *in); /* what the sender is answered */
const char *remembered_key(const struct remembered *rm, const struct memory *m, int64_t now_ms); /* where it goes in this memory */
#endif
