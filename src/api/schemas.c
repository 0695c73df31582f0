/* schemas.c - the bodies of the API, one table each. */
#include "api/schema.h"

/* clang-format off */
#define M(member_name, member_type, member_flags, ...) { .name = member_name, .type = member_type, .flags = member_flags, ##__VA_ARGS__ }
static const char *const roles[] = { "administrator", "supervisor", "agent", NULL };
static const char *const sides[] = { "network", "desk", NULL };

/* ---- problems -------------------------------------------------------------------------------------------------------- */

static const struct member problem_item[] = {
    M("field", S_TEXT, S_REQUIRED, .help = "Path in the body: channels[0].channel_secret"),
    M("message", S_TEXT, S_REQUIRED),
};
static const struct member problem[] = {
    M("type", S_TEXT, S_REQUIRED), M("title", S_TEXT, S_REQUIRED), M("status", S_WHOLE, S_REQUIRED), M("detail", S_TEXT, S_REQUIRED),
    M("instance", S_TEXT, 0),
    M("code", S_TEXT, S_REQUIRED, .help = "One of a few words that programs may compare"),
    M("message", S_TEXT, S_REQUIRED, .help = "The same as detail"),
    M("field", S_TEXT, 0, .help = "Path in the body, or the name of a header or parameter"),
    M("problems", S_LIST, 0, .of = "ProblemItem"),
};

/* ---- auth, logins ---------------------------------------------------------------------------------------------------- */

static const struct member login_request[] = {
    M("user", S_TEXT, S_REQUIRED | S_BYTES, .min = 1, .max = 64),
    M("password", S_TEXT, S_REQUIRED | S_WRITE | S_BYTES, .min = 1, .max = 128),
    M("cookie", S_BOOL, 0, .help = "Also set the token as a cookie (HttpOnly, SameSite=Strict), for pages of this hub; changes then need the header X-Dragoman: 1"),
};
static const struct member login_answer[] = {
    M("type", S_TEXT, S_REQUIRED), M("token", S_TEXT, S_REQUIRED),
    M("expires_in", S_WHOLE, S_REQUIRED, .help = "Seconds"),
    M("user", S_TEXT, S_REQUIRED), M("role", S_TEXT, S_REQUIRED, .choices = roles),
};
static const struct member login_ways[] = { M("provider", S_BOOL, S_REQUIRED, .help = "At the company's provider, too: off to it by /auth/oidc/start"),
                                           M("logged_in", S_BOOL, S_REQUIRED, .help = "Whoever asks is: GET /auth/me says as whom") };
static const struct member me[] = {
    M("user", S_TEXT, S_REQUIRED), M("role", S_TEXT, S_REQUIRED, .choices = roles),
    M("expires", S_TIME, S_REQUIRED, .help = "When the session ends if it is not used again"),
    M("version", S_TEXT, S_REQUIRED, .help = "Of the hub"),
};
static const struct member password_request[] = {
    M("old", S_TEXT, S_REQUIRED | S_WRITE | S_BYTES, .min = 1, .max = 128),
    M("new", S_TEXT, S_REQUIRED | S_WRITE | S_BYTES, .min = 1, .max = 128, .help = "zxcvbn score 3 or more"),
};
static const struct member login[] = {
    M("user", S_TEXT, S_REQUIRED), M("role", S_TEXT, S_REQUIRED, .choices = roles), M("created", S_TIME, S_REQUIRED), M("changed", S_TIME, S_REQUIRED),
};
static const struct member login_list[] = { M("items", S_LIST, S_REQUIRED, .of = "Login"), M("next", S_TEXT, S_REQUIRED | S_NULLABLE) };
static const struct member login_new[] = {
    M("user", S_TEXT, S_REQUIRED | S_BYTES, .min = 1, .max = 64),
    M("role", S_TEXT, S_REQUIRED, .choices = roles),
    M("password", S_TEXT, S_REQUIRED | S_WRITE | S_BYTES, .min = 1, .max = 128, .help = "zxcvbn score 3 or more"),
};
static const struct member login_change[] = {
    M("role", S_TEXT, 0, .choices = roles),
    M("password", S_TEXT, S_WRITE | S_BYTES, .min = 1, .max = 128),
};

/* ---- connectors ------------------------------------------------------------------------------------------------------ */

static const struct member media_rule[] = {
    M("type", S_TEXT, S_REQUIRED), M("max_bytes", S_WHOLE, S_REQUIRED),
};
static const struct member capabilities[] = {
    M("kinds", S_TEXTS, S_REQUIRED), M("events", S_TEXTS, S_REQUIRED), M("statuses", S_TEXTS, S_REQUIRED),
    M("text_max", S_WHOLE, S_REQUIRED, .help = "0: no limit known"), M("text_unit", S_TEXT, S_REQUIRED), M("caption", S_BOOL, S_REQUIRED),
    M("media", S_TEXT, S_REQUIRED), M("media_per_message", S_WHOLE, S_REQUIRED), M("media_rules", S_LIST, S_REQUIRED, .of = "MediaRule"),
    M("choices_max", S_WHOLE, S_REQUIRED), M("choice_label_max", S_WHOLE, S_REQUIRED), M("cards_max", S_WHOLE, S_REQUIRED),
    M("card_choices_max", S_WHOLE, S_REQUIRED), M("choice_urls", S_BOOL, S_REQUIRED), M("location_needs_title", S_BOOL, S_REQUIRED),
    M("sticker_needs_own_id", S_BOOL, S_REQUIRED), M("choice_pictures", S_BOOL, S_REQUIRED), M("agent_name", S_BOOL, S_REQUIRED),
    M("reply_window_ms", S_WHOLE, S_REQUIRED, .help = "How long after the guest's last words it lets us answer; 0: as long as we like"),
    M("reply_window_setting", S_TEXT, 0, .help = "The setting of an account that says it instead, in seconds"),
};
static const struct member connector[] = {
    M("name", S_TEXT, S_REQUIRED), M("title", S_TEXT, S_REQUIRED), M("side", S_TEXT, S_REQUIRED, .choices = sides),
    M("schema", S_ANY, S_REQUIRED, .help = "JSON Schema 2020-12 of its settings"),
    M("capabilities", S_OBJECT, S_REQUIRED, .of = "Capabilities"),
    M("webhook", S_TEXT, S_REQUIRED | S_NULLABLE, .help = "What to enter at the vendor; null: it calls nobody"),
    M("manifest", S_TEXT, 0, .help = "JSON that the vendor makes the app from"),
};
static const struct member connector_caps[] = {
    M("name", S_TEXT, S_REQUIRED), M("title", S_TEXT, S_REQUIRED), M("side", S_TEXT, S_REQUIRED, .choices = sides),
    M("capabilities", S_OBJECT, S_REQUIRED, .of = "Capabilities"),
};
static const struct member capability_list[] = {
    M("items", S_LIST, S_REQUIRED, .of = "ConnectorCapabilities"),
    M("rules", S_LIST, S_REQUIRED, .of = "PreviewRule", .help = "What becomes of what the other side cannot carry; those applied are recorded on the message"),
};
static const struct member connector_list[] = { M("items", S_LIST, S_REQUIRED, .of = "Connector") };

/* ---- preview --------------------------------------------------------------------------------------------------------- */

static const struct member preview_request[] = {
    M("message", S_ANY, S_REQUIRED, .help = "A text; a message in the hub's own form ({\"kind\":\"cards\", …}); Genesys quick replies, a location, a sticker; or an object of a network's own"),
    M("networks", S_TEXTS, 0, .max = 50, .help = "Names of connectors; all networks when left out"),
    M("channel", S_TEXT, 0, .min = 1, .max = 200, .help = "Id of an account at work instead: with its settings"),
};
static const struct member preview_rule[] = {
    M("name", S_TEXT, S_REQUIRED), M("text", S_TEXT, S_REQUIRED), M("loses", S_BOOL, S_REQUIRED, .help = "The guest gets less than was said, not only in another form"),
};
static const struct member preview_call[] = {
    M("method", S_TEXT, S_REQUIRED), M("url", S_TEXT, S_REQUIRED), M("type", S_TEXT, 0), M("headers", S_PAIRS, S_REQUIRED, .help = "But for authorisation"),
    M("file", S_TEXT, 0, .help = "The body is this file"), M("body", S_ANY, 0, .help = "JSON as it is; else a text, of binary data in base64"),
};
static const struct member preview[] = {
    M("network", S_TEXT, S_REQUIRED), M("title", S_TEXT, S_REQUIRED), M("channel", S_TEXT, 0),
    M("carried", S_BOOL, S_REQUIRED, .help = "It would arrive"), M("reason", S_TEXT, 0), M("problem", S_TEXT, 0, .help = "Why it would not"),
    M("waits", S_BOOL, S_REQUIRED, .help = "More calls follow when the guest has answered"),
    M("rules", S_LIST, S_REQUIRED, .of = "PreviewRule", .help = "What was changed so that the network can carry it"),
    M("parts", S_ANY, S_REQUIRED, .help = "Messages it was made into, in the hub's own form"),
    M("calls", S_LIST, S_REQUIRED, .of = "PreviewCall"), M("lines", S_ANY, S_REQUIRED, .help = "Web chat: the messages its pages get"),
};
static const struct member language[] = {
    M("name", S_TEXT, S_REQUIRED), M("title", S_TEXT, S_REQUIRED), M("schema", S_ANY, S_REQUIRED, .help = "JSON Schema 2020-12 of its settings"),
    M("archive", S_TEXT, S_REQUIRED | S_NULLABLE, .help = "Name of the file at /languages/{name}/archive; null: there is none"),
};
static const struct member language_list[] = { M("items", S_LIST, S_REQUIRED, .of = "Language") };
static const struct member preview_answer[] = { M("items", S_LIST, S_REQUIRED, .of = "Preview") };

/* ---- tenants --------------------------------------------------------------------------------------------------------- */

static const char *const origins[] = { "file", "store", NULL };
static const struct member tenant_facts[] = {
    M("id", S_TEXT, S_REQUIRED, .help = "A UUID; messages of IVRs name it"), M("slug", S_TEXT, S_REQUIRED, .help = "First part of its accounts' ids"),
    M("origin", S_TEXT, S_REQUIRED, .choices = origins), M("rev", S_WHOLE, S_REQUIRED, .help = "Also the ETag"), M("changed", S_TIME, S_REQUIRED),
    M("changed_by", S_TEXT, S_REQUIRED), M("read_only", S_BOOL, S_REQUIRED, .help = "It stands in the configuration file"),
    M("problem", S_TEXT, 0, .help = "Why it is not at work"),
};
static const struct member tenant_list[] = {
    M("items", S_OWNS, S_REQUIRED, .of = "Tenant"), M("next", S_TEXT, S_REQUIRED | S_NULLABLE),
};
static const struct member change[] = {
    M("path", S_TEXT, S_REQUIRED), M("secret", S_BOOL, 0, .help = "Its values are not told"), M("from", S_ANY, 0), M("to", S_ANY, 0),
};
static const struct member check_answer[] = {
    M("good", S_BOOL, S_REQUIRED), M("problems", S_LIST, S_REQUIRED, .of = "ProblemItem"), M("changes", S_LIST, S_REQUIRED, .of = "Change", .help = "What would differ from now"),
};
static const struct member tenant_export_request[] = {
    M("passphrase", S_TEXT, S_WRITE | S_BYTES, .min = 8, .max = 1024, .help = "Secrets are encrypted with it; otherwise they are left out"),
};
static const struct member tenant_export[] = {
    M("format", S_TEXT, S_REQUIRED), M("made", S_TIME, S_REQUIRED), M("version", S_TEXT, S_REQUIRED), M("tenant", S_OWN, S_REQUIRED, .of = "TenantDocument"),
    M("secrets", S_TEXT, 0, .help = "The whole document with its secrets, encrypted with the passphrase"),
};
static const struct member tenant_import[] = {
    M("document", S_ANY, S_REQUIRED, .help = "A TenantExport, or a TenantDocument"),
    M("passphrase", S_TEXT, S_WRITE | S_BYTES, .min = 8, .max = 1024),
    M("name", S_TEXT, 0, .min = 1, .max = 200, .help = "Instead of the document's"),
};

/* ---- backup ---------------------------------------------------------------------------------------------------------- */

static const struct member backup_login[] = { M("user", S_TEXT, S_REQUIRED), M("role", S_TEXT, S_REQUIRED, .choices = roles), M("profile", S_ANY, 0, .help = "As an agent") };
static const struct member backup[] = {
    M("format", S_TEXT, S_REQUIRED), M("made", S_TIME, S_REQUIRED), M("version", S_TEXT, S_REQUIRED), M("tenants", S_OWNS, S_REQUIRED, .of = "TenantDocument"),
    M("settings", S_OBJECT, S_REQUIRED, .of = "SettingsDocument"), M("logins", S_LIST, S_REQUIRED, .of = "BackupLogin"), M("queues", S_LIST, 0, .of = "Queue"),
    M("responses", S_LIST, 0, .of = "ResponseDocument"), M("secrets", S_TEXT, 0, .help = "All of it with its secrets, encrypted with the passphrase"),
};
static const struct member backup_request[] = { M("passphrase", S_TEXT, S_REQUIRED | S_WRITE | S_BYTES, .min = 8, .max = 1024) };
static const struct member restore_request[] = {
    M("backup", S_ANY, S_REQUIRED, .help = "A Backup"),
    M("passphrase", S_TEXT, S_WRITE | S_BYTES, .min = 8, .max = 1024, .help = "Opens its secrets; without them tenants keep the secrets they have here, and logins stay as they are"),
    M("dry_run", S_BOOL, 0, .help = "Only tell what would be done"), M("replace", S_BOOL, 0, .help = "Remove tenants, queues and canned responses that the backup does not have"),
};
static const char *const fates[] = { "made", "changed", "same", "removed", "skipped", NULL };
static const struct member restored[] = {
    M("name", S_TEXT, S_REQUIRED), M("fate", S_TEXT, S_REQUIRED, .choices = fates), M("why", S_TEXT, 0),
};
static const struct member restore_answer[] = {
    M("dry_run", S_BOOL, S_REQUIRED), M("tenants", S_LIST, S_REQUIRED, .of = "Restored"), M("settings", S_TEXT, S_REQUIRED, .choices = fates),
    M("settings_why", S_TEXT, 0), M("logins", S_WHOLE, S_REQUIRED), M("queues", S_WHOLE, S_REQUIRED),
    M("responses", S_LIST, S_REQUIRED, .of = "Restored", .help = "Canned responses, those that are not as they were"),
};

/* ---- channels -------------------------------------------------------------------------------------------------------- */

static const struct member channel[] = {
    M("id", S_TEXT, S_REQUIRED, .help = "acme/line"), M("name", S_TEXT, S_REQUIRED), M("tenant", S_TEXT, S_REQUIRED), M("tenant_id", S_TEXT, S_REQUIRED),
    M("type", S_TEXT, S_REQUIRED), M("title", S_TEXT, S_REQUIRED), M("side", S_TEXT, S_REQUIRED, .choices = sides),
    M("webhook", S_TEXT, S_REQUIRED | S_NULLABLE, .help = "What to enter at the vendor"),
    M("webhook_own", S_TEXT, S_REQUIRED | S_NULLABLE, .help = "The same for this account alone, where requests do not say whom they are for"),
    M("manifest", S_TEXT, 0, .help = "JSON that the vendor makes the app from"),
    M("set_up", S_BOOL, S_REQUIRED), M("refused", S_BOOL, S_REQUIRED, .help = "The vendor refused it: something in the settings must change"),
    M("why", S_TEXT, 0, .help = "Why it is not set up"), M("paused", S_BOOL, S_REQUIRED, .help = "Calls are held back after failures in a row"),
    M("failures", S_WHOLE, S_REQUIRED), M("waiting", S_WHOLE, S_REQUIRED), M("in_flight", S_WHOLE, S_REQUIRED), M("token_expires", S_TIME, 0),
};
static const struct member channel_list[] = { M("items", S_LIST, S_REQUIRED, .of = "ChannelAtWork"), M("next", S_TEXT, S_REQUIRED | S_NULLABLE) };

static const char *const parts[] = { "good", "header", "clock", "secret", "body", "account", "content", NULL };
static const struct member refused_now[] = {
    M("good", S_BOOL, S_REQUIRED, .help = "With the settings of now it would be taken"), M("part", S_TEXT, S_REQUIRED, .choices = parts, .help = "Which part differs"),
    M("text", S_TEXT, S_REQUIRED), M("other", S_TEXT, 0, .help = "The account whose secret it was signed with"),
};
static const struct member refused[] = {
    M("id", S_WHOLE, S_REQUIRED), M("at", S_TIME, S_REQUIRED), M("remote", S_TEXT, S_REQUIRED), M("method", S_TEXT, S_REQUIRED), M("path", S_TEXT, S_REQUIRED),
    M("result", S_TEXT, S_REQUIRED), M("code", S_TEXT, S_REQUIRED), M("said", S_TEXT, S_REQUIRED, .help = "What was said then"),
    M("body_bytes", S_WHOLE, S_REQUIRED), M("headers", S_TEXTS, S_REQUIRED, .help = "Their names"), M("now", S_OBJECT, S_REQUIRED, .of = "RefusedNow"),
};
static const struct member refused_list[] = { M("items", S_LIST, S_REQUIRED, .of = "Refused") };

/* ---- conversations, messages ----------------------------------------------------------------------------------------- */

static const char *const ways[] = { "in", "out", NULL };
static const char *const states[] = { "waiting", "parked", "delivered", "dead", "unknown", "ignored", NULL };
static const struct member conversation[] = {
    M("id", S_TEXT, S_REQUIRED, .help = "acme/line:U1: the channel, a colon, the guest"), M("channel", S_TEXT, S_REQUIRED), M("guest", S_TEXT, S_REQUIRED),
    M("name", S_TEXT, S_REQUIRED), M("person", S_ANY, 0, .help = "What is known of the guest"), M("tenant", S_TEXT, S_REQUIRED),
    M("tenant_id", S_TEXT, S_REQUIRED), M("network", S_TEXT, S_REQUIRED), M("open", S_BOOL, S_REQUIRED, .help = "A desk has it open"),
    M("messages", S_WHOLE, S_REQUIRED), M("last_id", S_WHOLE, S_REQUIRED), M("last", S_TIME, S_REQUIRED), M("last_text", S_TEXT, S_REQUIRED),
    M("last_kind", S_TEXT, S_REQUIRED), M("last_way", S_TEXT, S_REQUIRED, .choices = ways),
};
static const struct member conversation_list[] = {
    M("items", S_LIST, S_REQUIRED, .of = "Conversation"), M("next", S_TEXT, S_REQUIRED | S_NULLABLE),
};
#define MESSAGE_MEMBERS                                                                                                      \
    M("id", S_WHOLE, S_REQUIRED, .help = "Its number in the journal"), M("conversation", S_TEXT, S_REQUIRED),                 \
    M("to", S_TEXT, S_REQUIRED, .help = "The account it goes to"),                                                            \
    M("way", S_TEXT, S_REQUIRED, .choices = ways, .help = "in: from the guest; out: to the guest"), M("kind", S_TEXT, S_REQUIRED), \
    M("state", S_TEXT, S_REQUIRED, .choices = states),                                                                        \
    M("status", S_TEXT, 0, .help = "How far the other side said that it came: sent, delivered, read, failed"),                \
    M("at", S_TIME, S_REQUIRED), M("ended", S_TIME, 0), M("tries", S_WHOLE, S_REQUIRED), M("text", S_TEXT, S_REQUIRED),        \
    M("vendor_id", S_TEXT, 0), M("message", S_ANY, 0, .help = "As it was accepted"), M("media", S_ANY, 0),                    \
    M("note", S_ANY, 0, .help = "Of the last attempt: how it ended, the calls that were made (hops), the reason, what was adapted")
static const struct member message[] = { MESSAGE_MEMBERS };
static const struct member trace_line[] = { M("at", S_TIME, S_REQUIRED), M("what", S_TEXT, S_REQUIRED), M("note", S_ANY, 0) };
static const struct member message_trace[] = { MESSAGE_MEMBERS, M("trace", S_LIST, S_REQUIRED, .of = "TraceLine", .help = "What came before the last attempt") };
static const struct member message_list[] = {
    M("items", S_LIST, S_REQUIRED, .of = "Message"), M("next", S_TEXT, S_REQUIRED | S_NULLABLE),
};

/* ---- IVR ------------------------------------------------------------------------------------------------------------- */

#define IVR_MEMBERS                                                                                                          \
    M("tenantId", S_TEXT, 0, .max = 200, .help = "The tenant's id; or"), M("tenant", S_TEXT, 0, .max = 200, .help = "its name"), \
    M("channel", S_TEXT, 0, .max = 200, .help = "Name or id of the channel, where the tenant has several")
static const struct member ivr_messages[] = {
    IVR_MEMBERS, M("userId", S_TEXT, S_BYTES, .max = 400, .help = "The guest's identifier with the network; a phone number in full (+81…) where LINE's phone number push is agreed on"),
    M("message", S_ANY, 0, .help = "A text, or an object with a type: text, sticker (packageId, stickerId), image, video, audio, file (url), location (latitude, longitude, title, address), quick replies, a card, a carousel, or one of the network's own"),
    M("messages", S_ANY, 0, .help = "A list of them, at most 20"),
};
static const struct member ivr_switch[] = { IVR_MEMBERS };
static const struct member ivr_message[] = { M("id", S_WHOLE, S_REQUIRED), M("state", S_TEXT, S_REQUIRED) };
static const struct member ivr_accepted[] = {
    M("tenantId", S_TEXT, S_REQUIRED), M("channel", S_TEXT, S_REQUIRED), M("messages", S_LIST, S_REQUIRED, .of = "IvrMessage"),
    M("repeated", S_WHOLE, S_REQUIRED, .help = "So many were accepted before, under the same Idempotency-Key"),
};

/* ---- contacts ------------------------------------------------------------------------------------------------------- */

static const char *const matched[] = { "new", "guest", "phone", "email", "hand", NULL };
static const struct member contact_identity[] = {
    M("channel", S_TEXT, S_REQUIRED), M("network", S_TEXT, S_REQUIRED, .help = "Its connector; empty: the channel is not configured any more"),
    M("network_title", S_TEXT, 0, .help = "The network as people call it: Web chat"), M("guest", S_TEXT, S_REQUIRED),
    M("conversation", S_TEXT, S_REQUIRED), M("name", S_TEXT, S_REQUIRED), M("picture", S_TEXT, 0), M("phone", S_TEXT, 0), M("email", S_TEXT, 0),
    M("matched", S_TEXT, S_REQUIRED, .choices = matched, .help = "Why it is this contact's: the first one, the same guest of the network, a number, an address, by hand"),
    M("since_ms", S_WHOLE, S_REQUIRED),
};
static const struct member contact[] = {
    M("id", S_TEXT, S_REQUIRED), M("tenant", S_TEXT, S_REQUIRED, .help = "Its slug"), M("name", S_TEXT, S_REQUIRED), M("named", S_BOOL, S_REQUIRED, .help = "By hand"),
    M("names", S_TEXTS, S_REQUIRED), M("phones", S_TEXTS, S_REQUIRED), M("emails", S_TEXTS, S_REQUIRED),
    M("identities", S_LIST, S_REQUIRED, .of = "ContactIdentity"), M("attributes", S_PAIRS, S_REQUIRED), M("created_ms", S_WHOLE, S_REQUIRED),
    M("changed_ms", S_WHOLE, S_REQUIRED), M("merged_from", S_TEXTS, S_REQUIRED, .help = "Ids of contacts that went into it; it is found by them, too"),
    M("rev", S_WHOLE, S_REQUIRED, .help = "Also the ETag"),
};
static const struct member contact_list[] = { M("items", S_LIST, S_REQUIRED, .of = "Contact"), M("next", S_TEXT, S_REQUIRED | S_NULLABLE) };
#define CONTACT_CHANGE                                                                                                       \
    M("name", S_TEXT, 0, .max = 200, .help = "Empty: as its guest is called"), M("phones", S_TEXTS, 0, .max = 50), M("emails", S_TEXTS, 0, .max = 50), \
    M("attributes", S_PAIRS, 0, .max = 100, .help = "All there shall be: names of 1 to 100 bytes, values of at most 2000 characters")
static const struct member contact_new[] = { M("tenant", S_TEXT, S_REQUIRED, .min = 1, .max = 200), CONTACT_CHANGE };
static const struct member contact_change[] = { CONTACT_CHANGE };
static const struct member contact_merge[] = { M("with", S_TEXT, S_REQUIRED, .min = 1, .max = 1000, .help = "The other contact's id") };
static const struct member contact_split[] = { M("identities", S_TEXTS, S_REQUIRED, .min = 1, .max = 200, .help = "Ids of conversations of this contact; not all of them") };
static const struct member contact_erased[] = { M("id", S_TEXT, S_REQUIRED), M("conversations", S_WHOLE, S_REQUIRED), M("attachments", S_WHOLE, S_REQUIRED, .help = "They are deleted as soon as their storages do it") };
static const struct member contact_attachment[] = {
    M("name", S_TEXT, S_REQUIRED), M("type", S_TEXT, S_REQUIRED), M("size", S_WHOLE, S_REQUIRED), M("stored", S_TIME, S_REQUIRED), M("storage", S_TEXT, S_REQUIRED),
    M("sha256", S_TEXT, S_REQUIRED), M("url", S_TEXT, S_REQUIRED),
};
static const struct member contact_conversation[] = {
    M("conversation", S_TEXT, S_REQUIRED), M("form", S_ANY, 0, .help = "Of a web chat: what its guest filled in"), M("desk", S_ANY, 0, .help = "At the built-in desk: interactions, with what agents noted"), M("messages", S_LIST, S_REQUIRED, .of = "Message"),
    M("attachments", S_LIST, S_REQUIRED, .of = "ContactAttachment"),
};
static const struct member contact_export[] = {
    M("format", S_TEXT, S_REQUIRED), M("made", S_TIME, S_REQUIRED), M("contact", S_OBJECT, S_REQUIRED, .of = "Contact"),
    M("conversations", S_LIST, S_REQUIRED, .of = "ContactConversation", .help = "Oldest message first"),
};

/* ---- journal --------------------------------------------------------------------------------------------------------- */

#define COUNT_MEMBERS                                                                                                        \
    M("waiting", S_WHOLE, S_REQUIRED), M("parked", S_WHOLE, S_REQUIRED), M("delivered", S_WHOLE, S_REQUIRED), M("dead", S_WHOLE, S_REQUIRED), \
    M("unknown", S_WHOLE, S_REQUIRED), M("ignored", S_WHOLE, S_REQUIRED)
static const struct member journal_counts[] = { COUNT_MEMBERS, M("accepted", S_WHOLE, S_REQUIRED), M("lanes", S_WHOLE, S_REQUIRED) };
static const char *const failed_states[] = { "dead", "unknown", NULL };
static const struct member journal_query[] = {
    M("reason", S_TEXT, 0, .max = 64), M("account", S_TEXT, 0, .max = 200), M("q", S_TEXT, 0, .max = 200), M("tenant", S_TEXT, 0, .max = 200),
    M("channel", S_TEXT, 0, .max = 200), M("state", S_TEXT, 0, .choices = failed_states, .help = "unknown ones may have arrived: look at the other side before they are tried again"),
};
static const struct member journal_decision[] = {
    M("ids", S_WHOLES, 0, .max = 1000), M("query", S_OBJECT, 0, .of = "JournalQuery", .help = "At most 500 at a time: repeat while something is done"),
};
static const struct member journal_redirect[] = {
    M("id", S_WHOLE, S_REQUIRED, .min = 1, .max = INT64_MAX), M("target", S_TEXT, S_REQUIRED | S_BYTES, .min = 1, .max = 1000, .help = "Of a message to a guest: a conversation, channel:guest (acme/line:U1). Of one to a desk: the account id of the tenant's desk"),
};
static const struct member journal_redirected[] = { M("id", S_WHOLE, S_REQUIRED, .help = "Of the message that is on its way now"), M("was", S_WHOLE, S_REQUIRED) };
static const struct member journal_decided[] = { M("asked", S_WHOLE, S_REQUIRED), M("done", S_WHOLE, S_REQUIRED) };

/* ---- health ---------------------------------------------------------------------------------------------------------- */

static const struct member health_counts[] = { COUNT_MEMBERS };
static const struct member health_webhooks[] = {
    M("connector", S_TEXT, S_REQUIRED), M("title", S_TEXT, S_REQUIRED), M("webhooks", S_WHOLE, S_REQUIRED), M("p50_ms", S_NUMBER, S_REQUIRED),
    M("p99_ms", S_NUMBER, S_REQUIRED), M("deadline_ms", S_WHOLE, S_REQUIRED | S_NULLABLE, .help = "How long the vendor waits for our answer"),
};
static const struct member health_sample[] = {
    M("at", S_TIME, S_REQUIRED), M("accepted", S_WHOLE, S_REQUIRED, .help = "Since the sample before"), M("delivered", S_WHOLE, S_REQUIRED),
    M("waiting", S_WHOLE, S_REQUIRED), M("dead", S_WHOLE, S_REQUIRED), M("rss_bytes", S_WHOLE, S_REQUIRED),
};
static const struct member health_series[] = { M("every_seconds", S_WHOLE, S_REQUIRED), M("samples", S_LIST, S_REQUIRED, .of = "HealthSample") };
static const struct member health_queue[] = { M("account", S_TEXT, S_REQUIRED), M("waiting", S_WHOLE, S_REQUIRED), M("oldest", S_TIME, S_REQUIRED) };
static const struct member health[] = {
    M("healthy", S_BOOL, S_REQUIRED), M("why", S_TEXT, 0), M("version", S_TEXT, S_REQUIRED), M("started", S_TIME, S_REQUIRED),
    M("journal", S_OBJECT, S_REQUIRED, .of = "HealthCounts"), M("store_queue", S_WHOLE, S_REQUIRED), M("in_flight", S_WHOLE, S_REQUIRED),
    M("rss_bytes", S_WHOLE, S_REQUIRED), M("webhooks", S_LIST, S_REQUIRED, .of = "HealthWebhooks"), M("series", S_OBJECT, S_REQUIRED, .of = "HealthSeries"),
    M("queues", S_LIST, S_REQUIRED, .of = "HealthQueue"), M("oldest_waiting", S_TIME, S_REQUIRED | S_NULLABLE),
};

/* ---- settings -------------------------------------------------------------------------------------------------------- */

static const char *const topics[] = { "Default", "Subscriptions", NULL };
static const struct member notifier_standing[] = {
    M("name", S_TEXT, S_REQUIRED), M("type", S_TEXT, S_REQUIRED), M("topics", S_TEXTS, S_REQUIRED), M("state", S_TEXT, S_REQUIRED, .help = "ready, waiting, disabled"),
    M("why", S_TEXT, 0, .help = "Of the last failure"), M("queued", S_WHOLE, S_REQUIRED), M("sent", S_WHOLE, S_REQUIRED), M("refused", S_WHOLE, S_REQUIRED),
    M("dropped", S_WHOLE, S_REQUIRED), M("last", S_TIME, 0), M("read_only", S_BOOL, S_REQUIRED, .help = "It stands in the configuration file"),
};
static const struct member settings_document[] = {
    M("proxy", S_TEXT, S_NULLABLE, .max = 1000, .help = "For calls to networks and desks: http://host:port; null: that of the configuration file, or none"),
    M("notifiers", S_OWNS, 0, .of = "NotifierSettings", .max = 32),
    M("default_storage", S_TEXT, S_NULLABLE, .max = 64, .help = "Where attachments are kept of tenants that name no storage; null: as in the configuration file"),
    M("default_storage_in_use", S_ANY, 0),
    M("rev", S_ANY, 0, .help = "This and the following only come out; sent back they mean nothing"), M("changed", S_ANY, 0), M("changed_by", S_ANY, 0),
    M("proxy_in_use", S_ANY, 0), M("standing", S_ANY, 0), M("storages", S_ANY, 0, .help = "See /storages"),
    M("commander", S_OWN, S_NULLABLE, .of = "CommanderDefault", .help = "The default commander; null: that of the configuration file"), M("commander_of_file", S_ANY, 0),
};
static const struct member settings_facts[] = {
    M("rev", S_WHOLE, S_REQUIRED), M("changed", S_TIME, 0), M("changed_by", S_TEXT, 0), M("proxy_in_use", S_TEXT, S_REQUIRED | S_NULLABLE),
    M("proxy", S_TEXT, S_REQUIRED | S_NULLABLE), M("notifiers", S_OWNS, S_REQUIRED, .of = "NotifierSettings"),
    M("storages", S_OWNS, S_REQUIRED, .of = "StorageSettings", .help = "Those made over the API"),
    M("default_storage", S_TEXT, S_REQUIRED | S_NULLABLE), M("default_storage_in_use", S_TEXT, S_REQUIRED),
    M("standing", S_LIST, S_REQUIRED, .of = "NotifierStanding", .help = "All destinations at work, also those of the configuration file"),
    M("commander", S_OWN, 0, .of = "CommanderDefault", .help = "The default commander made over the API"),
    M("commander_of_file", S_OWN, 0, .of = "CommanderDefault", .help = "The configuration file's, where there is no other"),
};
/* ---- canned responses ------------------------------------------------------------------------------------------------ */

static const struct member substitution[] = {
    M("id", S_TEXT, S_REQUIRED, .min = 1, .max = 200, .help = "Without {{ and }}"), M("description", S_TEXT, 0, .max = 2000),
    M("default_value", S_TEXT, 0, .max = 8192, .help = "What an absent or empty value becomes"),
};
#define RESPONSE_MEMBERS                                                                                                     \
    M("name", S_TEXT, S_REQUIRED | S_BYTES, .min = 1, .max = 400, .help = "Commands name it so, in any capitals"),                      \
    M("library", S_TEXT, 0, .max = 400), M("text", S_TEXT, S_REQUIRED | S_BYTES, .min = 1, .max = 65536, .help = "A text, or JSON; with placeholders {{name}} and Go templates")
static const struct member response_document[] = {
    RESPONSE_MEMBERS, M("substitutions", S_LIST, 0, .of = "Substitution", .max = 100),
    M("tenants", S_TEXTS, 0, .max = 100, .help = "Names, slugs or ids of those that may send it; none: all"),
    M("rev", S_ANY, 0, .help = "This and the following only come out; sent back they mean nothing"), M("changed", S_ANY, 0), M("changed_by", S_ANY, 0),
    M("problem", S_ANY, 0),
};
static const struct member canned_response[] = {
    RESPONSE_MEMBERS, M("substitutions", S_LIST, 0, .of = "Substitution"), M("tenants", S_TEXTS, S_REQUIRED), M("rev", S_WHOLE, S_REQUIRED, .help = "Also the ETag"),
    M("changed", S_TIME, S_REQUIRED), M("changed_by", S_TEXT, S_REQUIRED),
    M("problem", S_TEXT, 0, .help = "In answers to changes: what is wrong with it as far as its defaults show. It is stored all the same"),
};
static const struct member response_list[] = { M("items", S_LIST, S_REQUIRED, .of = "CannedResponse"), M("next", S_TEXT, S_REQUIRED | S_NULLABLE) };
static const struct member response_render[] = {
    M("tenant", S_TEXT, 0, .max = 200, .help = "Whose responses: its desk's first, then the hub's own; otherwise only the latter"),
    M("network", S_TEXT, 0, .max = 64, .help = "What would go to a guest of this network (name of a connector)"),
    M("values", S_PAIRS, 0, .help = "As a command gives them"),
};
static const struct member response_rendered[] = {
    M("name", S_TEXT, S_REQUIRED), M("text", S_TEXT, S_REQUIRED, .help = "What the template makes of it"), M("command", S_TEXT, 0, .help = "It is a command itself: this one"),
    M("messages", S_ANY, 0, .help = "What is sent, in our own form"), M("problem", S_TEXT, 0, .help = "Why nothing would be sent: as the agent is told"),
};
static const struct member commander[] = {
    M("schema", S_ANY, S_REQUIRED, .help = "JSON Schema of a tenant's commander"),
};
static const struct member notifier[] = {
    M("name", S_TEXT, S_REQUIRED), M("title", S_TEXT, S_REQUIRED), M("schema", S_ANY, S_REQUIRED), M("topics", S_TEXTS, S_REQUIRED, .help = "Those there are"),
};
static const struct member notifier_list[] = { M("items", S_LIST, S_REQUIRED, .of = "Notifier") };
static const struct member notifier_tested[] = {
    M("taken", S_BOOL, S_REQUIRED), M("status", S_WHOLE, S_REQUIRED, .help = "0: no answer"), M("answer", S_TEXT, S_REQUIRED), M("why", S_TEXT, 0), M("took_ms", S_WHOLE, S_REQUIRED),
};
static const struct member notifier_settings[] = {
    M("type", S_TEXT, S_REQUIRED), M("name", S_TEXT, 0), M("topics", S_TEXTS, 0, .choices = topics),
};

static const struct member storage_settings[] = {
    M("type", S_TEXT, S_REQUIRED, .min = 1), M("name", S_TEXT, S_REQUIRED, .min = 1, .max = 64, .help = "Tenants name it so: small letters, digits, - _ and ., a letter or digit first"),
    M("purge_delay_seconds", S_WHOLE, 0, .help = "Attachments are deleted so long after their conversation closed"),
};
static const struct member storage[] = {
    M("read_only", S_BOOL, S_REQUIRED, .help = "It stands in the configuration file, or is the local disk"),
    M("document", S_OWN, 0, .of = "StorageSettings"),
    M("name", S_TEXT, S_REQUIRED), M("type", S_TEXT, S_REQUIRED), M("title", S_TEXT, S_REQUIRED), M("default", S_BOOL, S_REQUIRED, .help = "Of tenants that name none"),
    M("checked", S_BOOL, S_REQUIRED), M("works", S_BOOL, S_REQUIRED), M("why", S_TEXT, 0, .help = "Why it does not"),
    M("remark", S_TEXT, 0, .help = "What one should know though it works"),
};
static const struct member storage_type[] = { M("name", S_TEXT, S_REQUIRED), M("title", S_TEXT, S_REQUIRED), M("schema", S_ANY, S_REQUIRED) };
static const struct member storage_list[] = {
    M("items", S_LIST, S_REQUIRED, .of = "Storage"), M("next", S_TEXT, S_REQUIRED | S_NULLABLE), M("types", S_LIST, S_REQUIRED, .of = "StorageType", .help = "The catalogue: what can be configured"),
};

static const struct member secret_state[] = { M("set", S_BOOL, S_REQUIRED) };

/* ---- audit ----------------------------------------------------------------------------------------------------------- */

static const struct member audit_row[] = {
    M("at", S_TIME, S_REQUIRED), M("by", S_TEXT, S_REQUIRED), M("address", S_TEXT, 0), M("action", S_TEXT, S_REQUIRED), M("target", S_TEXT, S_REQUIRED),
    M("detail", S_ANY, 0),
};
static const struct member audit_list[] = {
    M("items", S_LIST, S_REQUIRED, .of = "AuditRow"), M("next", S_TEXT, S_REQUIRED | S_NULLABLE),
};

/* ---- users, queues, the built-in desk ------------------------------------------------------------------------------------ */

static const struct member user_capacity[] = { M("chat", S_WHOLE, S_REQUIRED, .min = 0, .max = 100, .help = "Conversations at a time") };
static const struct member user_document[] = {
    M("name", S_TEXT, S_REQUIRED | S_BYTES, .min = 1, .max = 64), M("role", S_TEXT, S_REQUIRED, .choices = roles),
    M("display_name", S_TEXT, 0, .max = 200, .help = "Shown to guests and colleagues"), M("email", S_TEXT, 0, .max = 200),
    M("queues", S_TEXTS, 0, .max = 100, .help = "Which are served, names of 1 to 256 bytes; none: all"), M("skills", S_ANY, 0, .help = "Object of levels from 1 to 10"),
    M("capacity", S_OBJECT, 0, .of = "UserCapacity"), M("password", S_TEXT, S_WRITE | S_BYTES, .min = 1, .max = 128, .help = "zxcvbn score 3 or more"),
    M("status", S_TEXT, 0, .help = "Ignored when it is sent back, like the two below"), M("created", S_TIME, 0), M("changed", S_TIME, 0),
};
static const struct member user[] = {
    M("name", S_TEXT, S_REQUIRED), M("display_name", S_TEXT, S_REQUIRED), M("role", S_TEXT, S_REQUIRED, .choices = roles), M("email", S_TEXT, 0),
    M("queues", S_TEXTS, S_REQUIRED), M("skills", S_ANY, S_REQUIRED), M("capacity", S_OBJECT, S_REQUIRED, .of = "UserCapacity"),
    M("status", S_TEXT, S_REQUIRED), M("created", S_TIME, S_REQUIRED), M("changed", S_TIME, S_REQUIRED),
};
static const struct member user_list[] = { M("items", S_LIST, S_REQUIRED, .of = "User"), M("next", S_TEXT, S_REQUIRED | S_NULLABLE) };
static const struct member queue[] = {
    M("name", S_TEXT, S_REQUIRED, .min = 1, .max = 64), M("title", S_TEXT, 0, .max = 200), M("tenant", S_TEXT, 0, .max = 64, .help = "Slug; of all when left out"),
    M("skills", S_TEXTS, 0, .max = 50, .help = "Required of who answers"), M("overflow_s", S_WHOLE, 0, .min = 0, .max = 604800), M("overflow_queue", S_TEXT, 0, .max = 64),
    M("business_hours", S_TEXT, 0, .max = 300, .help = "Mo-Fr 09:00-18:00;Sa 10:00-14:00"), M("timezone", S_TEXT, 0, .max = 64),
    M("service_level_s", S_WHOLE, 0, .min = 0, .max = 86400),
};
static const struct member queue_list[] = { M("items", S_LIST, S_REQUIRED, .of = "Queue"), M("next", S_TEXT, S_REQUIRED | S_NULLABLE) };
static const char *const readiness[] = { "ready", "not-ready", NULL };
static const struct member desk_status[] = {
    M("media", S_TEXT, 0, .help = "chat or all"), M("state", S_TEXT, S_REQUIRED, .choices = readiness), M("reason", S_TEXT, 0, .max = 200),
};
static const struct member desk_me[] = {
    M("user", S_TEXT, S_REQUIRED), M("display_name", S_TEXT, S_REQUIRED), M("role", S_TEXT, S_REQUIRED, .choices = roles), M("status", S_TEXT, S_REQUIRED, .choices = readiness),
    M("reasons", S_TEXTS, S_REQUIRED), M("media", S_ANY, S_REQUIRED, .help = "chat: state, reason, since_ms, capacity, open"), M("queues", S_TEXTS, S_REQUIRED), M("skills", S_ANY, S_REQUIRED),
};
static const struct member desk_targets[] = {
    M("agents", S_ANY, S_REQUIRED, .help = "user, display_name, state"), M("queues", S_ANY, S_REQUIRED, .help = "name, title"), M("channels", S_ANY, S_REQUIRED, .help = "id, tenant, network, name"),
};
static const struct member desk_agent[] = { M("user", S_TEXT, S_REQUIRED), M("name", S_TEXT, S_REQUIRED), M("role", S_TEXT, S_REQUIRED, .help = "owner, consulted, conferenced, monitor, coach") };
static const struct member interaction[] = {
    M("id", S_TEXT, S_REQUIRED), M("conversation", S_TEXT, S_REQUIRED), M("tenant", S_TEXT, S_REQUIRED), M("channel", S_TEXT, S_REQUIRED), M("network", S_TEXT, S_REQUIRED),
    M("contact", S_ANY, S_REQUIRED, .help = "id (once known), name, picture"), M("queue", S_TEXT, S_REQUIRED), M("state", S_TEXT, S_REQUIRED, .help = "queued, invited, open, held, wrapup, done"),
    M("owner", S_TEXT, 0), M("invited", S_TEXT, 0, .help = "Who is asked to take it"), M("owner_was", S_TEXT, 0), M("agents", S_LIST, S_REQUIRED, .of = "InteractionAgent"),
    M("created_ms", S_WHOLE, S_REQUIRED), M("queued_ms", S_WHOLE, S_REQUIRED), M("accepted_ms", S_WHOLE, 0), M("last_guest_ms", S_WHOLE, 0), M("last_agent_ms", S_WHOLE, 0),
    M("held_until_ms", S_WHOLE, 0), M("reply_until_ms", S_WHOLE, 0, .help = "Until then the network takes answers; left out: it has no such limit"), M("done_ms", S_WHOLE, 0), M("subject", S_TEXT, 0), M("disposition", S_TEXT, 0), M("note", S_TEXT, 0),
    M("failed", S_ANY, 0, .help = "The message that could not be delivered, and why"), M("attributes", S_PAIRS, S_REQUIRED, .help = "What is known of the guest"),
    M("caps", S_ANY, 0, .help = "What the guest's network carries"), M("unread", S_WHOLE, S_REQUIRED),
};
static const struct member interaction_list[] = { M("items", S_LIST, S_REQUIRED, .of = "Interaction"), M("next", S_TEXT, S_REQUIRED | S_NULLABLE) };
static const struct member interaction_new[] = {
    M("contact", S_TEXT, 0, .max = 64, .help = "Where it was heard of last, or on `channel`"), M("conversation", S_TEXT, S_BYTES, .max = 500), M("channel", S_TEXT, 0, .max = 200), M("guest", S_TEXT, S_BYTES, .max = 400), M("text", S_TEXT, 0, .min = 1, .max = 20000), M("subject", S_TEXT, 0, .max = 200),
};
static const struct member interaction_reason[] = { M("reason", S_TEXT, 0, .max = 200) };
static const struct member interaction_end[] = { M("disposition", S_TEXT, 0, .max = 200), M("note", S_TEXT, 0, .max = 4000) };
static const struct member interaction_hold[] = { M("until_ms", S_WHOLE, 0, .min = 0, .max = INT64_C(253402300799999), .help = "Since 1970; left out: until the guest writes") };
static const struct member interaction_target[] = { M("user", S_TEXT, S_BYTES, .max = 64), M("queue", S_TEXT, 0, .max = 64), M("note", S_TEXT, 0, .max = 2000) };
static const char *const typing_to[] = { "guest", "agents", NULL };
static const struct member interaction_typing[] = { M("on", S_BOOL, S_REQUIRED), M("to", S_TEXT, 0, .choices = typing_to) };
static const struct member say_media[] = { M("file", S_TEXT, S_REQUIRED, .min = 1, .max = 64, .help = "Of POST /desk/files") };
static const struct member say[] = {
    M("id", S_TEXT, S_REQUIRED | S_BYTES, .min = 1, .max = 64, .help = "Yours: a message is said once for each"), M("text", S_TEXT, 0, .max = 20000), M("media", S_OBJECT, 0, .of = "SayMedia"),
    M("rich", S_ANY, 0, .help = "kind and choices, cards, picker or location"), M("native", S_ANY, 0, .help = "A message in the network's own words"),
    M("whisper", S_BOOL, 0, .help = "To agents only"),
};
static const struct member said[] = {
    M("id", S_TEXT, S_REQUIRED), M("interaction", S_TEXT, S_REQUIRED), M("from", S_TEXT, S_REQUIRED, .help = "guest, agent, system"), M("user", S_TEXT, 0), M("author", S_TEXT, S_REQUIRED),
    M("at_ms", S_WHOLE, S_REQUIRED), M("kind", S_TEXT, S_REQUIRED), M("event", S_TEXT, 0), M("text", S_TEXT, 0), M("media", S_ANY, 0), M("files", S_ANY, 0, .help = "Where there are several"), M("rich", S_ANY, 0),
    M("choices", S_ANY, 0), M("cards", S_ANY, 0), M("location", S_ANY, 0), M("answer_to", S_TEXT, 0), M("state", S_TEXT, S_REQUIRED, .help = "accepted, sent, delivered, read, dead, unknown"),
    M("adapted", S_TEXTS, 0, .help = "Rules by which it was made fit for the guest's network"), M("visible", S_TEXT, S_REQUIRED, .help = "all, agents"), M("reason", S_TEXT, 0),
};
static const struct member said_list[] = { M("items", S_LIST, S_REQUIRED, .of = "Said"), M("next", S_TEXT, S_REQUIRED | S_NULLABLE) };
static const struct member said_answer[] = { M("message", S_OBJECT, S_REQUIRED, .of = "Said") };
static const struct member desk_file[] = {
    M("file", S_TEXT, S_REQUIRED), M("url", S_TEXT, S_REQUIRED), M("type", S_TEXT, S_REQUIRED), M("name", S_TEXT, S_REQUIRED), M("size", S_WHOLE, S_REQUIRED),
};
static const struct member queue_figures[] = { M("items", S_ANY, S_REQUIRED, .help = "name, title, waiting, longest_ms, open, held, agents_ready, agents_on, answered_today, abandoned_today, service_level, avg_wait_ms, series") };
static const struct member agent_figures[] = { M("items", S_ANY, S_REQUIRED, .help = "user, display_name, role, on, media, since_ms, open, answered_today") };

#define SCHEMA(name, table, help) { name, table, COUNT(table), help, false }
const struct schema schemas[] = {
    SCHEMA("Problem", problem, "RFC 9457"),
    SCHEMA("ProblemItem", problem_item, NULL),
    SCHEMA("LoginRequest", login_request, NULL),
    SCHEMA("LoginAnswer", login_answer, NULL),
    SCHEMA("LoginWays", login_ways, NULL),
    SCHEMA("Me", me, NULL),
    SCHEMA("PasswordRequest", password_request, NULL),
    SCHEMA("Login", login, NULL),
    SCHEMA("LoginList", login_list, NULL),
    SCHEMA("LoginNew", login_new, NULL),
    SCHEMA("LoginChange", login_change, NULL),
    SCHEMA("MediaRule", media_rule, NULL),
    SCHEMA("Capabilities", capabilities, "What it can carry; the rest is adapted by documented rules"),
    SCHEMA("Connector", connector, NULL),
    SCHEMA("ConnectorList", connector_list, NULL),
    SCHEMA("ConnectorCapabilities", connector_caps, NULL),
    SCHEMA("CapabilityList", capability_list, NULL),
    SCHEMA("TenantFacts", tenant_facts, "What the hub knows of a tenant; ignored when it is sent back"),
    SCHEMA("TenantList", tenant_list, NULL),
    SCHEMA("Change", change, NULL),
    SCHEMA("CheckAnswer", check_answer, NULL),
    SCHEMA("TenantExportRequest", tenant_export_request, NULL),
    SCHEMA("TenantExport", tenant_export, NULL),
    SCHEMA("TenantImport", tenant_import, NULL),
    SCHEMA("BackupLogin", backup_login, NULL),
    SCHEMA("Backup", backup, NULL),
    SCHEMA("BackupRequest", backup_request, NULL),
    SCHEMA("RestoreRequest", restore_request, NULL),
    SCHEMA("Restored", restored, NULL),
    SCHEMA("RestoreAnswer", restore_answer, NULL),
    SCHEMA("ChannelAtWork", channel, NULL),
    SCHEMA("ChannelList", channel_list, NULL),
    SCHEMA("RefusedNow", refused_now, NULL),
    SCHEMA("Refused", refused, NULL),
    SCHEMA("RefusedList", refused_list, NULL),
    SCHEMA("Conversation", conversation, NULL),
    SCHEMA("ConversationList", conversation_list, NULL),
    SCHEMA("Message", message, NULL),
    SCHEMA("MessageList", message_list, NULL),
    SCHEMA("TraceLine", trace_line, NULL),
    SCHEMA("MessageTrace", message_trace, NULL),
    SCHEMA("IvrMessages", ivr_messages, NULL),
    SCHEMA("IvrSwitch", ivr_switch, NULL),
    SCHEMA("IvrMessage", ivr_message, NULL),
    SCHEMA("IvrAccepted", ivr_accepted, NULL),
    SCHEMA("Language", language, NULL),
    SCHEMA("LanguageList", language_list, NULL),
    SCHEMA("PreviewRequest", preview_request, NULL),
    SCHEMA("PreviewRule", preview_rule, NULL),
    SCHEMA("PreviewCall", preview_call, NULL),
    SCHEMA("Preview", preview, NULL),
    SCHEMA("PreviewAnswer", preview_answer, NULL),
    SCHEMA("ContactIdentity", contact_identity, NULL),
    SCHEMA("Contact", contact, NULL),
    SCHEMA("ContactList", contact_list, NULL),
    SCHEMA("ContactNew", contact_new, NULL),
    SCHEMA("ContactChange", contact_change, NULL),
    SCHEMA("ContactMerge", contact_merge, NULL),
    SCHEMA("ContactSplit", contact_split, NULL),
    SCHEMA("ContactErased", contact_erased, NULL),
    SCHEMA("ContactAttachment", contact_attachment, NULL),
    { "ContactConversation", contact_conversation, COUNT(contact_conversation), NULL, true },
    SCHEMA("ContactExport", contact_export, NULL),
    SCHEMA("JournalCounts", journal_counts, NULL),
    SCHEMA("JournalQuery", journal_query, NULL),
    SCHEMA("JournalDecision", journal_decision, "Either ids or a query"),
    SCHEMA("JournalRedirect", journal_redirect, NULL),
    SCHEMA("JournalRedirected", journal_redirected, NULL),
    SCHEMA("JournalDecided", journal_decided, NULL),
    SCHEMA("HealthCounts", health_counts, NULL),
    SCHEMA("HealthWebhooks", health_webhooks, NULL),
    SCHEMA("HealthSample", health_sample, NULL),
    SCHEMA("HealthSeries", health_series, NULL),
    SCHEMA("HealthQueue", health_queue, NULL),
    SCHEMA("Health", health, NULL),
    SCHEMA("NotifierStanding", notifier_standing, NULL),
    SCHEMA("SettingsDocument", settings_document, NULL),
    SCHEMA("Settings", settings_facts, NULL),
    SCHEMA("Notifier", notifier, NULL),
    SCHEMA("NotifierList", notifier_list, NULL),
    SCHEMA("NotifierTested", notifier_tested, NULL),
    { "NotifierSettings", notifier_settings, COUNT(notifier_settings), "And the settings of its type: GET /notifiers", true },
    SCHEMA("Storage", storage, NULL),
    { "StorageSettings", storage_settings, COUNT(storage_settings), "And the settings of its type: GET /storages", true },
    SCHEMA("StorageType", storage_type, NULL),
    SCHEMA("StorageList", storage_list, NULL),
    SCHEMA("Substitution", substitution, NULL),
    SCHEMA("ResponseDocument", response_document, NULL),
    SCHEMA("CannedResponse", canned_response, NULL),
    SCHEMA("ResponseList", response_list, NULL),
    SCHEMA("ResponseRender", response_render, NULL),
    SCHEMA("ResponseRendered", response_rendered, NULL),
    SCHEMA("Commander", commander, NULL),
    SCHEMA("SecretState", secret_state, "A secret that is not shown; sent back it stays as it is"),
    SCHEMA("AuditRow", audit_row, NULL),
    SCHEMA("AuditList", audit_list, NULL),
    SCHEMA("UserCapacity", user_capacity, NULL),
    SCHEMA("UserDocument", user_document, NULL),
    SCHEMA("User", user, NULL),
    SCHEMA("UserList", user_list, NULL),
    SCHEMA("Queue", queue, NULL),
    SCHEMA("QueueList", queue_list, NULL),
    SCHEMA("DeskStatus", desk_status, NULL),
    SCHEMA("DeskMe", desk_me, NULL),
    SCHEMA("DeskTargets", desk_targets, NULL),
    SCHEMA("InteractionAgent", desk_agent, NULL),
    SCHEMA("Interaction", interaction, NULL),
    SCHEMA("InteractionList", interaction_list, NULL),
    SCHEMA("InteractionNew", interaction_new, NULL),
    SCHEMA("InteractionReason", interaction_reason, NULL),
    SCHEMA("InteractionEnd", interaction_end, NULL),
    SCHEMA("InteractionHold", interaction_hold, NULL),
    SCHEMA("InteractionTarget", interaction_target, NULL),
    SCHEMA("InteractionTyping", interaction_typing, NULL),
    SCHEMA("SayMedia", say_media, NULL),
    SCHEMA("Say", say, NULL),
    SCHEMA("Said", said, NULL),
    SCHEMA("SaidList", said_list, NULL),
    SCHEMA("SaidAnswer", said_answer, NULL),
    SCHEMA("DeskFile", desk_file, NULL),
    SCHEMA("QueueFigures", queue_figures, NULL),
    SCHEMA("AgentFigures", agent_figures, NULL),
};
const size_t n_schemas = COUNT(schemas);
/* clang-format on */
