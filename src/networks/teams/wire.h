/* wire.h - the names, limits and settings of Microsoft Teams, shared by the files of this connector. Facts: docs/wire/teams.md. */
#ifndef NETWORKS_TEAMS_WIRE_H
#define NETWORKS_TEAMS_WIRE_H
#include "hub/connector.h"

enum teams_setting {
    TEAMS_BOT_ID,
    TEAMS_SECRET,
    TEAMS_HOME_TENANT,
    TEAMS_TENANTS,
    TEAMS_CLOUD,
    TEAMS_BASE_URL,
    TEAMS_SERVICE_HOSTS,
    TEAMS_PROFILE,
    TEAMS_CONSENT_HOURS,
    TEAMS_THANKS,
    TEAMS_SHOW_SYSTEM,
    TEAMS_PREFIX_AGENT,
    TEAMS_DEVELOPER,
    TEAMS_WEBSITE,
    TEAMS_PRIVACY,
    TEAMS_TERMS,
    TEAMS_SETTINGS
};

enum teams_rate { TEAMS_RATE_ALL, TEAMS_RATE_CONVERSATION }; /* "Limits" */

enum { /* "Sending", "Cards" */
    TEAMS_TEXT_UNITS = 20000,
    TEAMS_BODY_BYTES = 256 << 10,
    TEAMS_HERO_BUTTONS = 6,
    TEAMS_SUGGESTED = 3,
    TEAMS_CHOICES = 30,
    TEAMS_LABEL_CHARS = 80,
    TEAMS_CARDS = 10,
    TEAMS_IMAGE_BYTES = 1 << 20,
    TEAMS_IMAGE_SIDE = 1024,
    TEAMS_UPLOAD_BYTES = 32 * 320 << 10, /* a part of an upload: a multiple of 320 KiB */
    TEAMS_ATTACHMENTS_MAX = 50,
    TEAMS_ERROR_CHARS = 160,
};

/* Memory. Of the account: */
#define TEAMS_SERVICE "service" /* "URL TENANT" of the newest verified activity: where a guest who never wrote is written to */
/* Of the conversation: */
#define TEAMS_REF     "ref"     /* the conversation reference: JSON of struct teams_ref */

/* What is needed to write to a guest: "Conversation references". */
struct teams_ref {
    slice service;      /* of a verified activity, as sent */
    slice conversation; /* absent: none yet, it is opened first */
    slice type;         /* "personal", "groupChat", "channel" */
    slice tenant, user, name, bot, bot_name, locale, last;
};
/* False: nothing is known that could be written to. */
bool teams_ref_get(struct call *c, slice guest, struct teams_ref *ret);
void teams_ref_set(struct call *c, const struct teams_ref *ref);
slice teams_ref_print(struct arena *a, const struct teams_ref *ref);
bool teams_is_personal(const struct teams_ref *ref);

/* A guest is the user's id in a personal chat; elsewhere "USER|CONVERSATION". */
struct teams_guest {
    slice user, room; /* room: absent in a personal chat */
};
struct teams_guest teams_guest_of(slice guest);

slice teams_lower(struct arena *a, slice s);
slice teams_bot_account(struct call *c); /* "28:…" */
/* May our token go there? Only to Microsoft's hosts, those the operator lists, and base_url. */
bool teams_service_ok(struct call *c, slice service);
bool teams_token_host(struct call *c, const struct url *u);
bool teams_tenant_listed(struct call *c, slice tenant);

/* text.c */
struct teams_said {
    slice text;
    bool mentioned; /* the bot */
};
/* "Text in": mentions of the bot taken away, others named, HTML entities decoded. */
struct teams_said teams_said_of(struct arena *a, slice text, const struct js *entities, slice bot);
/* "Text out": what Markdown would read as marks is escaped, single line ends are kept. */
slice teams_markdown(struct arena *a, slice text);
slice teams_unescape(struct arena *a, slice html);

/* activity.c: what activities have in common. */
struct teams_activity {
    slice type, id, service, channel, from, from_name, from_aad, conversation, conversation_type, recipient, recipient_name, text,
        reply_to, name, locale, event_type, action, tenant, team, room, local_at;
    int64_t at_ms;
    bool is_group;
    const struct js *doc, *value, *attachments, *entities;
};
bool teams_activity_read(struct call *c, slice body, struct teams_activity *ret);
bool teams_in_person(const struct teams_activity *t);
/* A message (or event) of the activity's sender, with its reference remembered. suffix: tells several of one activity apart; NULL: none. */
struct message *teams_add(struct call *c, struct inbox *in, const struct teams_activity *t, enum kind kind, const char *suffix);
struct message *teams_add_event(struct call *c, struct inbox *in, const struct teams_activity *t, enum event event, slice name);
/* "Card replies": what a pressed button or a submitted form says. data: its value. */
bool teams_add_answer(struct call *c, struct inbox *in, const struct teams_activity *t, const struct js *data, slice verb);
slice teams_activity_id(struct arena *a, const struct teams_activity *t);

/* invoke.c */
bool teams_invoke(struct call *c, struct inbox *in, const struct teams_activity *t);
/* Which canned response a button's data names as its dialog: {"type":"cannedResponse","function":"@name"}. {NULL,0}: none. */
slice teams_dialog_of(const struct js *data);
/* Names the consent a file of a delivery waits for: only the guest who was asked can give it. */
slice teams_consent_key(struct arena *a, slice guest, slice key);

/* sends.c: a part as the activity it becomes; cards.c: its cards. */
enum teams_way { TEAMS_NOTHING, TEAMS_ACTIVITY, TEAMS_FILE, TEAMS_REPLACE, TEAMS_REMOVE };
struct teams_send {
    enum teams_way way;
    slice json; /* of TEAMS_ACTIVITY, TEAMS_REPLACE */
};
/* False: refused, d->reason and *c->f say why. */
bool teams_send_of(struct call *c, struct delivery *d, const struct teams_ref *ref, const struct message *part, struct teams_send *ret);
struct jw teams_open(struct call *c, const struct teams_ref *ref, const char *type);
slice teams_link(struct call *c, const struct teams_ref *ref, const struct media *md);
slice teams_consent(struct call *c, const struct teams_ref *ref, const struct media *md, slice key);
slice teams_file_info(struct call *c, const struct teams_ref *ref, slice content_url, slice name, slice unique_id, slice file_type);

bool teams_put_choices(struct call *c, struct jw *w, const struct message *m, const struct teams_ref *ref);
void teams_put_cards(struct jw *w, const struct js_list *cards);
void teams_put_picker(struct call *c, struct jw *w, const struct picker *p, slice text);
bool teams_put_native(struct call *c, struct jw *w, slice json);
void teams_put_card(struct jw *w, const char *key, const struct js *card); /* as it is, mended where people slip */
/* Has a card, an attachment, an activity or a list of them that is to be passed on the shape Teams wants? False: *c->f says what is wrong, and where. shapes.c */
bool teams_card_ok(struct call *c, const struct js *doc);
struct teams_button {
    slice label, url;
};
void teams_put_hero(struct jw *w, slice title, slice text, slice image, const struct js_list *choices, const struct teams_button *link);

bool teams_receive(struct call *c, const struct request *rq, struct inbox *in);
enum outcome teams_deliver(struct call *c, struct delivery *d);
enum outcome teams_who(struct call *c, struct delivery *d);
enum outcome teams_failed(struct call *c, struct delivery *d, const char *what);
void teams_api(struct call *c, struct delivery *d, const struct teams_ref *ref, const char *method, slice path, slice body);

/* register.c, manifest.c */
slice teams_page_key(struct arena *a, const struct request *rq);
slice teams_page_to(struct arena *a, const struct request *rq);
bool teams_register(struct call *c, const struct request *rq, struct inbox *in);
bool teams_package(struct call *c, const struct request *rq, struct inbox *in);
enum { TEAMS_ICON_COLOUR = 1, TEAMS_ICON_OUTLINE = 2 }; /* parts of the record */
struct teams_app { /* part 0 of a record */
    slice business, first_name, last_name, email, tenant, bot_name, accent, app_id, secret; /* secret: SHA-256 of the link's key, hex */
    int64_t at_ms, patch; /* patch: of the version 1.0.PATCH */
};
slice teams_manifest(struct arena *a, const struct call *account, const struct teams_app *app, slice public_url);
#endif
