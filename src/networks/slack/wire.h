/* wire.h - Slack's names, limits and our settings, shared by the files of this connector. Facts: docs/wire/slack.md.
 *
 *   slack.c      the table; answers and errors of the Web API
 *   installs.c   the workspaces that let the app in, and their tokens
 *   receive.c    Events API; interact.c: buttons, dialogs, commands; mrkdwn.c: their text
 *   deliver.c    sending; sends.c, blocks.c: what a message becomes
 *   lookup.c     who is it, where is the file
 *   register.c   the page for customers and the way back from Slack; manifest.c: the app's description
 */
#ifndef NETWORKS_SLACK_WIRE_H
#define NETWORKS_SLACK_WIRE_H
#include "hub/connector.h"

enum slack_setting {
    SLACK_APP_ID,
    SLACK_CLIENT_ID,
    SLACK_CLIENT_SECRET,
    SLACK_SIGNING_SECRET,
    SLACK_OLD_SECRET,
    SLACK_CUSTOMER_ID,
    SLACK_BOT_TOKEN,
    SLACK_APP_NAME,
    SLACK_TOKEN_ROTATION,
    SLACK_ASSISTANT,
    SLACK_COMMAND,
    SLACK_SHOW_SYSTEM,
    SLACK_DISPLAY_AGENT,
    SLACK_BASE_URL,
    SLACK_AUTHORIZE_URL,
    SLACK_SETTINGS
};

enum slack_rate { SLACK_RATE_ALL, SLACK_RATE_CHAT, SLACK_RATE_TIER3, SLACK_RATE_TIER4 }; /* "Limits" */

/* "Text", "Block Kit", "Limits" */
enum {
    SLACK_TEXT_CHARS = 3900,
    SLACK_SECTION_CHARS = 3000,
    SLACK_HEADER_CHARS = 150,
    SLACK_LABEL_CHARS = 75,
    SLACK_BUTTON_VALUE = 2000,
    SLACK_OPTION_VALUE = 150,
    SLACK_ROW_BUTTONS = 25,
    SLACK_OPTIONS = 100,
    SLACK_BLOCKS = 50,
    SLACK_CARDS = 10,
    SLACK_URL_CHARS = 3000,
    SLACK_NAME_CHARS = 80,
    SLACK_MENTIONS = 3,      /* of ours: names asked for, of those a message mentions */
    SLACK_BODY_BYTES = 512 << 10,
    SLACK_VIEW_CHARS = 4096, /* of ours: a dialog waits in the conversation's memory */
    SLACK_RESPONSE_BYTES = 64 << 10, /* of ours: what replaces buttons, what a dialog said */
    SLACK_INSTALLS = 32,     /* of ours: workspaces of one app; with tokens as long as they come they must fit one value of the journal */
};
#define SLACK_FILE_BYTES    (INT64_C(1) << 30)
#define SLACK_STATE_MS      (INT64_C(10) * 60 * 1000)
#define SLACK_WINDOW_MS     (INT64_C(5) * 60 * 1000)
#define SLACK_RENEW_MS      (INT64_C(2) * 3600 * 1000)
#define SLACK_TEAM_MS       (INT64_C(24) * 3600 * 1000)
#define SLACK_VIEW_KEEP_MS  (INT64_C(30) * 24 * 3600 * 1000)

/* Memory. Of the account: "install:T…" (installs.c), "installs" (their ids), "team:T…" (names), "names" (of people in channels), "used:…" (states). */
/* Of the conversation: */
#define SLACK_CHANNEL   "channel"   /* D…: where a direct conversation lives */
#define SLACK_THREAD    "thread"    /* ts of the thread in which the guest of a direct conversation wrote last */
#define SLACK_ASSIST    "assistant" /* ts of the newest assistant thread */

/* Action ids of our own buttons: what they answer is replaced when one of them is tapped. */
#define SLACK_OWN       "dragoman:"
#define SLACK_OWN_MANY  "dragoman:many" /* a list of which several may be taken … */
#define SLACK_OWN_DONE  "dragoman:done" /* … and the button that says it is done */
#define SLACK_OPENS     "gum:open:"     /* opens the dialog of this name */

/* A guest is "INSTALL.USER" in a direct conversation, else "INSTALL.CHANNEL.THREAD": "Conversations". */
struct slack_guest {
    slice install, place, thread;
    bool direct;
};
struct slack_guest slack_guest_of(slice guest);

/* ---- installs.c: "Installing", "Tokens" ------------------------------------------------------------------------------ */

struct slack_install {
    slice token, refresh, bot_user, bot, team, team_name, enterprise, enterprise_name, scopes;
    slice broken; /* the error that ended it; absent: it works */
    int64_t until_ms;
    int64_t since_ms; /* when the workspace let us in; 0: not known */
};
bool slack_id_ok(slice id); /* letters and digits, as Slack's ids are */
/* False: no such workspace let the app in. Its texts live in c->a. */
bool slack_install_get(const struct call *c, slice id, struct slack_install *ret);
/* False: there are too many. */
bool slack_install_put(struct call *c, slice id, const struct slack_install *in);
void slack_install_drop(struct call *c, slice id);
/* Of an answer of oauth.v2.access; *ret_id: its enterprise for an install of a whole organisation, else its team. */
bool slack_install_read(struct call *c, slice body, struct slack_install *ret, slice *ret_id);
bool slack_has_scope(const struct slack_install *in, slice scope);
bool slack_token_known(struct call *c, slice name, slice *ret_token, int64_t *ret_until_ms);
bool slack_token_renew(struct call *c, slice name, struct http_call *ret);
bool slack_token_took(struct call *c, slice name, const struct answer *r);
/* Names of people who wrote in channels, for the mentions of others. */
slice slack_name_of(const struct call *c, slice user);
void slack_name_keep(struct call *c, slice user, slice name);
/* Names of a workspace and its organisation, asked for before. */
bool slack_team_of(const struct call *c, slice team, slice *ret_name, slice *ret_enterprise, slice *ret_enterprise_name);

/* ---- slack.c: the Web API -------------------------------------------------------------------------------------------- */

slice slack_url(const struct call *c, const char *method);
void slack_api(struct call *c, struct delivery *d, const char *method, slice install, slice json);
void slack_form(struct call *c, struct delivery *d, const char *method, slice install, slice form); /* for methods that want forms */
void slack_basic(struct call *c, struct http_call *call); /* client id and secret */

struct slack_answer {
    const struct js *doc; /* NULL: it is not ok */
    slice error;          /* Slack's own word; absent: none */
    slice detail;
};
struct slack_answer slack_answer_of(struct arena *a, const struct answer *r);
/* The end of a call that did not do what was asked: "Errors". */
enum outcome slack_failed(struct call *c, struct delivery *d, slice install, const char *what);
/* Slack's words for a token whose time is over, or whose successor was given while the call was under way: where tokens rotate the same call is made once more,
 * with another (http_call.new_token). */
bool slack_token_ended(const struct slack_answer *t);

/* ---- receive.c, interact.c ------------------------------------------------------------------------------------------- */

struct slack_event { /* one request that came in */
    struct call *c;
    struct inbox *in;
    slice id;         /* event_id, or made of what is unique in it */
    slice install;    /* id of the installation */
    slice named;      /* the one an event names itself, whether we have it or not */
    int64_t at_s;     /* when it happened; 0: it does not say */
    slice team, enterprise;
    struct slack_install own;
    bool installed;
};
/* The first of these ids that let us in; none: the first that is an id at all. */
void slack_event_install(struct slack_event *e, const slice *ids, size_t n);
/* A message of this user in this channel; thread: absent in direct conversations. */
struct message *slack_add(struct slack_event *e, enum kind kind, slice user, slice channel, slice thread);
bool slack_is_direct(slice channel);
bool slack_ts_ms(slice ts, int64_t *ret_ms) MUST_USE;
bool slack_receive(struct call *c, const struct request *rq, struct inbox *in);
bool slack_interaction(struct call *c, slice json, struct inbox *in);
/* Which dialog a button opens, by one of its members: the action_id "gum:open:@name", or the value {"cannedResponse":"@name"}. {NULL,0}: none. */
slice slack_dialog_of(const struct call *c, slice member, slice value);
bool slack_command(struct call *c, slice form, struct inbox *in);

/* ---- mrkdwn.c: "Text" ------------------------------------------------------------------------------------------------- */

struct slack_text {
    slice text;
    bool mentioned; /* it names the app */
};
/* As a person reads it; the app's own mention at the beginning is left out. */
struct slack_text slack_read_text(const struct call *c, const struct slack_install *own, slice mrkdwn);
slice slack_escape(struct arena *a, slice text);
slice slack_cut_escaped(slice text, size_t chars); /* the beginning of text that has at most so many characters when it is escaped */

/* ---- sending ---------------------------------------------------------------------------------------------------------- */

struct slack_send {
    const struct media *file; /* to upload; NULL: a message */
    slice members;            /* of the message's JSON object: text, blocks, attachments … without braces */
    slice comment;            /* beside a file */
    slice instead;            /* text in place of a file that cannot be uploaded */
};
/* False: refused, *ret_reason and c->f say why. */
bool slack_sends(struct call *c, const struct delivery *d, bool named, struct js_list *ret, enum reason *ret_reason);
slice slack_agent(const struct call *c, const struct delivery *d); /* the agent's name, where it is to be shown */
/* blocks.c */
struct jw slack_members(struct call *c);
slice slack_members_done(struct jw *w);
slice slack_choices(struct call *c, const struct message *m);
slice slack_cards(struct call *c, const struct message *m);
slice slack_picker(struct call *c, const struct message *m);
bool slack_native(struct call *c, slice json, slice *ret_members);
/* The dialog that a canned response is; NULL: there is none of this name at hand, or it is no dialog. */
const struct js *slack_dialog(struct call *c, slice name);
/* Has what was written for Slack the shape of Block Kit? False: *c->f says what is wrong, and where. shapes.c */
bool slack_blocks_ok(struct call *c, const struct js *members);

enum outcome slack_deliver(struct call *c, struct delivery *d);
enum outcome slack_setup(struct call *c, struct delivery *d);
enum outcome slack_lookup(struct call *c, struct delivery *d);
bool slack_lookup_more(struct call *c, const struct message *m);
enum outcome slack_media_find(struct call *c, struct delivery *d);

/* ---- register.c, manifest.c --------------------------------------------------------------------------------------------- */

enum { SLACK_ROUTES = 4 };
extern const struct route_extra slack_routes[SLACK_ROUTES];
slice slack_scope_list(const struct call *c); /* comma separated */
slice slack_redirect_uri(const struct call *c);
slice slack_app_name(const struct call *c);
slice slack_manifest(struct call *c);
bool slack_manifest_page(struct call *c, const struct request *rq, struct inbox *in);
#endif
