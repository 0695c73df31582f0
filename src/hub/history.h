/* history.h - what was said, for those who look back: read from the journal behind the deliveries, kept in history.db beside it, or in the hub's database.
 *
 *   history_new(h, "data", keep_ms, &f);                       follows from where it was
 *   history_messages(h->history, SL("acme/line:U1"), &(struct history_page){ .limit = 50 }, each, done, arg);
 *
 * Fresh      each question is asked behind what the journal has made durable at that moment: who was told 200 finds the message.
 * Cost       nothing in the way of a message. The journal's file is read every HISTORY_EVERY_MS when something was written, on a helper thread; in a rush it
 *            waits until that is over, but not longer than some seconds.
 * Durable    rebuilt from the journal where it was lost with the power. A history that was switched off, or fell behind what the journal keeps, has a gap
 *            and the log says so.
 * Database   the place in the journal is stored with the rows: the hub that takes over, with the same journal, goes on exactly where the one before stopped,
 *            and he can write no more (hub.h, turn). While the database is away messages go their way, questions are answered by a fault, and what was missed
 *            is read afterwards.
 * Content    everything but typing and read signs; those move the status of the message they are about.
 * Threads    loop thread; each and done come on it, later; slices are valid during the call.
 * Errors     done's fault: "off" (there is no history), and those of store/history_db.h.
 */
#ifndef HUB_HISTORY_H
#define HUB_HISTORY_H
#include "hub/hub.h"
#include "store/history_db.h"

enum { HISTORY_EVERY_MS = 500, HISTORY_PAGE_MAX = 500, HISTORY_LISTENERS = 4 };
struct history;

/* keep_ms: how long messages stay. NULL: see *f. */
struct history *history_new(struct hub *h, const char *dir, int64_t keep_ms, struct fault *f) MUST_USE;
void history_free(struct history *hi); /* before loop_free; NULL is fine */
/* Something was written to the journal. NULL is fine. */
void history_stir(struct history *hi);
/* Called with each conversation that changed, a little later. Up to HISTORY_LISTENERS. */
void history_on_change(struct history *hi, void (*changed)(void *arg, slice conversation), void *arg);

typedef void (*history_done)(void *arg, const struct fault *f);
struct history_page {
    int64_t before_id, after_id; /* see history_db_messages */
    size_t limit;                /* 1 to HISTORY_PAGE_MAX */
};
void history_conversations(struct history *hi, const struct history_query *q, void (*each)(void *arg, const struct history_conversation *c),
                           history_done done, void *arg);
void history_conversation(struct history *hi, slice id, void (*each)(void *arg, const struct history_conversation *c), history_done done, void *arg);
void history_messages(struct history *hi, slice conversation, const struct history_page *page,
                      void (*each)(void *arg, const struct history_message *m), history_done done, void *arg);
/* The message, then its trace. */
void history_message(struct history *hi, int64_t id, void (*each)(void *arg, const struct history_message *m),
                     void (*trace)(void *arg, int64_t at_ms, slice op, slice note), history_done done, void *arg);
void history_search(struct history *hi, slice text, slice account, const struct history_page *page,
                    void (*each)(void *arg, const struct history_message *m), history_done done, void *arg);
/* Dead letters and messages of which it is not known whether they came. */
void history_failed(struct history *hi, const struct history_failed *q, void (*each)(void *arg, const struct history_message *m), history_done done,
                    void *arg);
/* What waits, by the account it goes to. */
void history_waiting(struct history *hi, void (*each)(void *arg, slice target, int64_t n, int64_t oldest_ms), history_done done, void *arg);
/* Of several conversations (a JSON list of their ids), newest first; text absent: all. before_id of page. */
void history_messages_of(struct history *hi, slice conversations, slice text, const struct history_page *page,
                         void (*each)(void *arg, const struct history_message *m), history_done done, void *arg);
/* Up to n conversations that are new or whose person became known better. Told again until history_news_taken, with the marks of those told. */
void history_news(struct history *hi, size_t n, void (*each)(void *arg, const struct history_news *v), history_done done, void *arg);
struct history_mark {
    slice conversation;
    int64_t mark;
};
void history_news_taken(struct history *hi, const struct history_mark *marks, size_t n, history_done done, void *arg);
/* On disk when done is called, so that it is not read from the journal again. */
void history_erase(struct history *hi, slice conversation, history_done done, void *arg);
#endif
