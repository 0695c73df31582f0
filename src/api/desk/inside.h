/* inside.h - the desk as its own files see it. */
#ifndef API_DESK_INSIDE_H
#define API_DESK_INSIDE_H
#include "api/desk/desk.h"
#include "api/logins.h"
#include "api/desk/interaction.h"
#include "api/desk/queue.h"
#include "api/desk/routing.h"
#include "desks/builtin/wire.h"
#include "hub/conversation.h"
#include "hub/inbox.h"

struct agent { /* an agent, as far as it is not in the login */
    struct agent *next, *hash_next;
    char *user;
    bool ready;
    slice reason;
    int64_t since_ms, idle_since_ms; /* in this state; since the last conversation came */
    int64_t open;                    /* counted anew when it is needed: desk_count */
    bool holds_some;                 /* likewise: they own interactions, open or not */
    size_t pages;                    /* that are open: counted anew when it is needed: figures.c */
    int64_t answered, answered_day_ms; /* guests, on the day that began then … */
    slice answered_zone;             /* … there */
};
enum { DESK_AGENT_SLOTS = 1024, DESK_DAY_MS = 86400000, DESK_ZONES = 32 };
struct desk_zone { /* what its clocks show, in one quarter of an hour */
    slice name;
    int64_t quarter, offset_ms;
};
struct desk_page;
struct desk_asking;
struct history_message;
struct figures;
struct desk {
    struct api *api;
    struct hub *hub;
    struct interactions *all;
    struct queues *queues;
    struct agent *members, *member_slots[DESK_AGENT_SLOTS];
    struct desk_page *pages;
    size_t n_pages;
    struct figures *figures;
    struct desk_asking *asking; /* for contacts */
    struct desk_zone zones[DESK_ZONES];
    struct loop_timer tick;
    bool routes; /* route is about to be called */
    bool stopped;
};

/* ---- where an interaction belongs: desk.c ------------------------------------------------------------------------------------------ */

struct desk_place {
    struct actor *channel, *desk;
    slice guest;
};
/* False: its channel is not configured any more, or its tenant has another desk. */
bool desk_place(const struct desk *desk, slice conversation, struct desk_place *ret);
int64_t desk_reply_until(const struct account *channel, int64_t last_guest_ms); /* when the network's reply window closes; 0: it has none */
/* False: answered 422, because the network would not take it any more. */
bool desk_may_reply(struct api_call *c, const struct desk_place *p, int64_t last_guest_ms, int64_t now_ms);
slice desk_address(struct arena *a, const struct desk_place *p); /* "U1@line" */
struct agent *desk_member(struct desk *desk, slice user);       /* made when it is new */
/* stored: who waits for it to be on disk; NULL: nobody. */
void member_save(struct desk *desk, const struct agent *m, void (*stored)(void *arg, bool ok), void *arg);
void member_state(struct desk *desk, struct agent *m, bool ready, slice reason, void (*stored)(void *arg, bool ok), void *arg); /* stores, tells, routes */
void desk_count(struct desk *desk);                               /* member.open of all */
void desk_answered(struct desk *desk, const struct interaction *it, slice user, int64_t at_ms); /* one guest more, if that was today */
int64_t desk_answered_today(struct desk *desk, const struct agent *m, int64_t now_ms);
slice desk_user_name(const struct desk *desk, slice user);       /* as people call them */
bool role_watches(enum role role);                                /* supervisors and administrators */

/* ---- days: day.c ----------------------------------------------------------------------------------------------------------------------- */

int64_t desk_local_ms(struct desk *desk, slice zone, int64_t at_ms); /* at_ms as the clocks there show it; zone absent: UTC */
int64_t desk_day_ms(struct desk *desk, slice zone, int64_t at_ms);   /* when the day of this time began there */
slice desk_zone_of(const struct desk *desk, const struct interaction *it); /* valid until settings or queues change */

/* ---- contacts: contact.c -------------------------------------------------------------------------------------------------------------- */

void desk_ask_contact(struct desk *desk, const struct interaction *it, const struct person *person); /* unless it is known; pages are told later */
void desk_contacts_start(struct desk *desk);
void desk_contacts_free(struct desk *desk);

/* ---- offers: offer.c ------------------------------------------------------------------------------------------------------------------ */

void desk_route_soon(struct desk *desk);
void desk_look(struct desk *desk, int64_t now_ms); /* what time alone changes: offers nobody answered, holds that end, idle conversations */
/* Back into the queue. to: an agent to wait for; absent: anybody. */
void desk_queue(struct desk *desk, struct interaction *it, slice queue, slice to, int64_t to_until_ms, int64_t now_ms);
void desk_take(struct desk *desk, struct interaction *it, slice user, int64_t now_ms); /* user is its owner now; it is open */
void desk_end(struct desk *desk, struct interaction *it, int64_t now_ms);              /* done */
void desk_alone(struct desk *desk, struct interaction *it);                            /* nobody is in it any more, and who was is told */
/* Who of this queue could take one more now, by the rules of routing; absent: nobody. Who is in `it` is not asked. */
slice desk_choose(struct desk *desk, struct arena *a, slice queue, const struct actor *at, const struct interaction *it);
int64_t desk_last_agent_ms(const struct desk_place *p);

/* ---- what guests do: arrive.c ---------------------------------------------------------------------------------------------------------- */

void desk_arrive(void *arg, const struct own_delivery *d, struct jbatch *b);
void desk_arrived(void *arg, const struct own_delivery *d);

/* ---- open pages: page.c -------------------------------------------------------------------------------------------------------------- */

void desk_tell(struct desk *desk, slice user, const char *event, slice json);
void desk_tell_watchers(struct desk *desk, const char *event, slice json); /* pages of supervisors and administrators */
void desk_tell_interaction(struct desk *desk, const struct interaction *it); /* who is in it, and who is invited */
void desk_tell_in(struct desk *desk, const struct interaction *it, const char *event, slice json, slice but); /* the same; but: not to them */
void desk_tell_gone(struct desk *desk, slice user, const struct interaction *it);
void desk_tell_me(struct desk *desk, slice user);
void pages_close_ended(struct desk *desk);
size_t watchers(const struct desk *desk); /* pages of supervisors and administrators */
size_t pages_of(const struct desk *desk, slice user);

/* ---- as JSON: show.c ------------------------------------------------------------------------------------------------------------------ */

void show_interaction(struct desk *desk, struct jw *w, const char *key, const struct interaction *it);
void show_me(struct desk *desk, struct jw *w, const char *key, const struct login *login);
struct said { /* a message, as agents see it */
    slice id, interaction;
    const struct message *m;
    int64_t at_ms;
    bool from_guest;
    const char *state;
    slice reason;
    slice adapted; /* names of rules, with blanks between them */
};
void show_message(struct jw *w, const char *key, const struct said *s);
/* Out of the history; m is filled. */
void said_of_history(struct arena *a, const struct history_message *h, slice interaction, struct message *m, struct said *ret);
slice said_id(slice id); /* as pages know a message */
slice said_number(struct arena *a, uint64_t number); /* id of what a guest said */

/* ---- actions: act.c -------------------------------------------------------------------------------------------------------------------- */

/* ACT_ANY: whoever may see it. ACT_TALKS: who is heard by the guest. */
enum { ACT_ANY = 1u << DESK_PARTS, ACT_TALKS = 1u << DESK_OWNER | 1u << DESK_CONFERENCED, ACT_IN = (1u << DESK_PARTS) - 1 };
struct act {
    struct api_call *c;
    struct desk *desk;
    struct interaction *it;
    struct desk_place place;
    struct inbox in;
    int64_t now_ms;
    slice gone[DESK_AGENTS_MAX]; /* who shall be told that it is not theirs any more */
    size_t n_gone;
    void (*answer)(struct act *act); /* NULL: the interaction */
    void *arg;
};
/* The interaction of the path. parts: in which part the caller must be in it (1u << DESK_OWNER …); supervisors may where `watches` is set. NULL: answered. */
struct act *act_begin(struct api_call *c, unsigned parts, bool watches);
struct act *act_on(struct api_call *c, struct interaction *it); /* the same for an interaction at hand, without asking who. NULL: answered */
bool act_may_see(const struct api_call *c, const struct interaction *it);
/* What goes to the guest, and what only agents see, with the action. */
struct message *act_say(struct act *act, enum kind kind);
void act_event(struct act *act, enum event event, slice name, slice text);
void act_note(struct act *act, const char *fmt, ...) PRINTF(2, 3);
void act_gone(struct act *act, slice user);
void act_commit(struct act *act);
void act_conflict(struct act *act, const char *fmt, ...) PRINTF(2, 3); /* 409, and the act is over */
void act_over(struct act *act); /* answered otherwise */

/* ---- what agents say: say.c, file.c ------------------------------------------------------------------------------------------------------ */

void desk_send(struct act *act, struct message *m); /* the message of act's inbox; answers */
/* The file that this agent has uploaded, for this conversation from now on. f NULL: there it is. */
void desk_file(struct act *act, struct message *m, slice file, void (*done)(struct act *act, struct message *m, const struct media *md, const struct fault *f));

/* ---- numbers: figures.c --------------------------------------------------------------------------------------------------------------- */

struct figures *figures_new(void) MUST_USE;
void figures_free(struct figures *fg);
void figures_tick(struct desk *desk, int64_t now_ms); /* once a second */

bool desk_has_queue(const struct desk *desk, slice name);
struct js_list figures_queues(const struct desk *desk, struct arena *a); /* slices: the names of all queues there are */

static inline struct desk *call_desk(const struct api_call *c)
{
    return c->api->desk;
}
#endif
