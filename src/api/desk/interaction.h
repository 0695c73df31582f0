/* interaction.h - the work of the desk: one interaction is one conversation with a guest, from the queue until it is done.
 *
 * States     queued -> invited -> open -> done, and back to queued by reject, transfer, or because nobody answered. held: parked by its agent until a time, or
 *            until the guest writes. wrapup: the guest has gone, the agent still has to close it. A guest who writes after done makes a new one.
 * Durable    state "i:" + id, put into the batch of the message or action that changed it; the table is made of it at the start. What is done stays for
 *            DESK_DONE_KEEP_MS, for the figures of the day and for the agent of the last time; what was said stays in the history.
 * Memory     some hundred bytes each; DESK_DONE_MAX done ones.
 * Threads    loop thread.
 */
#ifndef API_DESK_INTERACTION_H
#define API_DESK_INTERACTION_H
#include "hub/hub.h"
#include "wire/uuid.h"

enum {
    DESK_AGENTS_MAX = 16,         /* in one interaction */
    DESK_DONE_KEEP_MS = 25 * 3600000 /* the longest day */, DESK_DONE_MAX = 20000,
    DESK_ATTRIBUTES_MAX = 16384,  /* bytes of what is known of the guest */
    DESK_NOTE_MAX = 4000, DESK_WORD_MAX = 200,
};
enum desk_state { DESK_QUEUED, DESK_INVITED, DESK_OPEN, DESK_HELD, DESK_WRAPUP, DESK_DONE, DESK_STATES };
extern const char *const desk_state_names[DESK_STATES];
enum desk_part { DESK_OWNER, DESK_CONSULTED, DESK_CONFERENCED, DESK_MONITOR, DESK_COACH, DESK_PARTS };
extern const char *const desk_part_names[DESK_PARTS];
struct desk_agent {
    slice user;
    int part;
};
struct interaction {
    struct interaction *hash_next, *conv_next; /* conv_next: of the same bucket of conversations, newest first */
    struct interaction *next, *prev;           /* of the active ones, or of the done ones, oldest first */
    unsigned holds;                            /* calls under way */
    /* stored; texts belong to it: interaction_set */
    slice id, conversation, queue, subject, disposition, note, attributes /* JSON object */, name, picture, contact;
    slice invited;      /* who is asked … */
    bool transferred;   /* … because an agent named them: not by the queue */
    slice last_agent;   /* waits for them … */
    int64_t last_until_ms; /* … until then, then for anybody */
    slice owner_was;    /* the owner when it was done */
    slice failed;       /* not empty: it is about this message, which could not be delivered */
    slice failed_reason;
    int state;
    bool overflowed, abandoned, closed_told, over; /* over: the hub and the guest know that it ended */
    int64_t created_ms, queued_ms, invited_ms, accepted_ms, first_accepted_ms, last_guest_ms, last_agent_ms, held_until_ms, done_ms, unread;
    int64_t first_number; /* the message that made it, in the journal; 0: an agent did … */
    int64_t last_number;  /* … and the last one that was counted */
    struct js_list agents;  /* struct desk_agent */
    /* in memory only */
    bool erased;      /* nothing of it is stored any more; it goes when no call holds it */
    int64_t typed_ms; /* the guest was told so */
    struct {
        slice user;
        int64_t until_ms;
    } refused[DESK_AGENTS_MAX]; /* who said no, and is not asked again until then */
    size_t n_refused;
};

struct interactions;
struct interactions *interactions_new(struct hub *h) MUST_USE; /* reads those of the state: before store_start */
void interactions_free(struct interactions *t);
struct interaction *interactions_find(const struct interactions *t, slice id); /* NULL: there is none */
/* The one that is not done, of a conversation; about: of a message that could not be delivered, else the guest's own. NULL: none. */
struct interaction *interactions_active(const struct interactions *t, slice conversation, bool about_failed);
/* The one done last, likewise of the guest's own. */
struct interaction *interactions_last(const struct interactions *t, slice conversation);
struct interaction *interactions_add(struct interactions *t, slice conversation, int64_t now_ms);
struct interaction *interactions_first(const struct interactions *t);      /* active, oldest first; then ->next */
struct interaction *interactions_first_done(const struct interactions *t); /* likewise */
void interaction_save(struct interactions *t, const struct interaction *it, struct jbatch *b);
/* Into the list of done ones, or back. */
void interaction_state(struct interactions *t, struct interaction *it, enum desk_state state);
/* What has been done long enough is forgotten. */
void interactions_sweep(struct interactions *t, int64_t now_ms);
/* Everything of this conversation, in the state, too. */
void interactions_erase(struct interactions *t, slice conversation, struct jbatch *b);

void interaction_set(slice *member, slice value);
const struct desk_agent *interaction_agent(const struct interaction *it, slice user); /* NULL: not in it */
slice interaction_owner(const struct interaction *it);                               /* absent: nobody */
bool interaction_join(struct interaction *it, slice user, enum desk_part part);      /* or changes the part. False: too many */
void interaction_leave(struct interaction *it, slice user);
void interaction_alone(struct interaction *it);                                      /* nobody is in it any more */
void interaction_refuse(struct interaction *it, slice user, int64_t until_ms);
bool interaction_refused(const struct interaction *it, slice user, int64_t now_ms);
void interaction_forgive(struct interaction *it); /* everybody may be asked again */
#endif
