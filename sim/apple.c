/* apple.c - plays Apple Messages for Business: the gateway, the server of files, and people with iPhones who write to one business.
 *
 *   dragoman sim apple --listen 127.0.0.1:9006 --hub http://127.0.0.1:8080
 *
 * Set in the hub: msp_id, msp_secret and business_id as given here (or left at their standards), base_url: http://127.0.0.1:9006/v1. The page at / is a phone.
 *
 * Control API. "guest" is a person's number as GET /sim/guests lists it, or id.
 *
 *   GET    /sim/guests                    {"business","guests":[{"number","id","name","closed","typing"}]}
 *   POST   /sim/guests/{guest}/send       a guest does something. {"type":…}:
 *            text      "text", "locale", "intent", "group"
 *            picture, file   "base64" (a sample when left out), "contentType", "name", "text"
 *            pick      "titles":["Yes"]: answers the newest interactive message; "large":true: by a reference, as large answers come
 *            sign_in   does what the newest request to sign in wants; "deny":true: does not agree
 *            pay       pays what the newest payment request wants
 *            typing_start, typing_end, close
 *            body      "body":{"type":…}: any other, with ids added
 *          Beside them "capabilities": of this device, now. Answer {"id"}
 *   POST   /sim/guests/{guest}/again      sends the newest once more, with its id
 *   GET    /sim/guests/{guest}/messages   {"messages":[{"from":"guest"|"business","at","message":{…},"media":[{"id","sha256","bytes"}]}]}
 *   GET    /sim/files/{id}, /sim/blobs/{id}   an attachment as shown, and as it lies encrypted on the server
 *   GET    /sim/events                    server-sent events: change {}
 *   GET    /sim/counters                  {"calls","repeats","refs","taken","refused","webhooks"}
 *   GET|POST|DELETE /sim/faults, GET /sim/webhooks   faults.h, webhook.h
 */
#include "sim/apple.h"
#include "sim/feed.h"
#include "sim/shelf.h"
#include "sim/sign.h"

/* clang-format off */
static const struct sim_option options[] = {
    { "msp-id",       "UUID",   "653abce3-dead-4eef-8fe3-247634adce53", "of the provider" },
    { "msp-secret",   "BASE64", "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=", "of the provider" },
    { "business",     "ID",     "b5f1e3d2-1111-4222-8333-444455556666", "of the business" },
    { "capabilities", "LIST",   "LIST,TIME,QUICK,FORM,AUTH,AUTH2", "of the guests' devices" },
    { "guests",       "N",      "3", "people" },
    { "retry-ms",     "MS",     "2000", "wait before a webhook that was refused is sent again; doubles" },
};
/* clang-format on */

char *sam_copy(slice s)
{
    char *p = must_malloc(s.n + 1);
    memcpy(p, s.n ? s.p : "", s.n);
    p[s.n] = 0;
    return p;
}

struct sam_chat *sam_chat_of(struct sam *s, slice guest)
{
    int64_t n = 0;
    if (slice_int(guest, &n))
        return n >= 1 && n <= (int64_t)s->n_chats ? &s->chats[n - 1] : NULL;
    for (size_t i = 0; i < s->n_chats; i++)
        if (slice_eq(slice_of(s->chats[i].id), guest))
            return &s->chats[i];
    return NULL;
}

void sam_changed(struct sam *s)
{
    feed_send(s->env->feed, "change", SL("{}"));
}

void sam_message_write(struct jw *w, const struct sam_message *m)
{
    jw_open(w, NULL, '{');
    jw_str(w, "from", m->from_guest ? SL("guest") : SL("business"));
    jw_time(w, "at", m->at_ms);
    jw_raw(w, "message", slice_of(m->json));
    if (m->media)
        jw_raw(w, "media", slice_of(m->media));
    jw_close(w, '}');
}

static void message_free(struct sam_message *m)
{
    free(m->json);
    free(m->media);
    free(m);
}

void sam_message_add(struct sam_chat *chat, bool from_guest, slice json, slice media)
{
    struct sam_message *m = must_calloc(1, sizeof(*m));
    *m = (struct sam_message){ .from_guest = from_guest, .at_ms = time_now_ms(), .json = sam_copy(json), .media = media.n ? sam_copy(media) : NULL };
    *(chat->first ? chat->last : &chat->first) = m;
    chat->last = &m->next;
    if (++chat->n_messages > SAM_MESSAGES_KEPT) {
        struct sam_message *old = chat->first;
        chat->first = old->next;
        chat->n_messages--;
        message_free(old);
    }
    sam_changed(chat->sim);
}

/* ---- life ------------------------------------------------------------------------------------------------------------------ */

static void sam_stop(void *state)
{
    struct sam *s = state;
    sam_events_done(s);
    for (size_t i = 0; i < s->n_chats; i++)
        for (struct sam_message *m = s->chats[i].first, *next; m; m = next) {
            next = m->next;
            message_free(m);
        }
    shelf_free(s->blobs);
    shelf_free(s->downloads);
    shelf_free(s->seen);
    shelf_free(s->files);
    shelf_free(s->codes);
    free(s->last_id);
    free(s->last_body);
    free(s->chats);
    free(s);
}

static void make_people(struct sam *s, size_t n)
{
    static const char *const names[] = { "Ana", "Ben", "Chiyo", "Dmitri", "Elif", "Farid" };
    s->chats = must_calloc(n, sizeof(*s->chats));
    s->n_chats = n;
    for (size_t i = 0; i < n; i++) {
        s->chats[i].sim = s;
        snprintf(s->chats[i].id, sizeof(s->chats[i].id), "urn:mbid:AQAAY%04u", (unsigned)i + 1);
        snprintf(s->chats[i].name, sizeof(s->chats[i].name), "%s", names[i % COUNT(names)]);
    }
}

static void *sam_start(struct sim_env *env, struct fault *f)
{
    struct sam *s = must_calloc(1, sizeof(*s));
    int64_t guests;
    *s = (struct sam){ .env = env, .msp_id = sim_option(env, "msp-id"), .business = sim_option(env, "business"),
                       .secret = sign_unbase64(env->a, sim_option(env, "msp-secret")), .caps = sim_option(env, "capabilities"),
                       .blobs = shelf_new(SAM_BLOBS_KEPT, 0, free), .downloads = shelf_new(SAM_BLOBS_KEPT, SAM_DOWNLOAD_MS, free),
                       .seen = shelf_new(SAM_IDS_KEPT, 0, NULL), .files = shelf_new(SAM_BLOBS_KEPT, 0, free),
                       .codes = shelf_new(SAM_BLOBS_KEPT, 0, free) };
    env->state = s;
    if (!s->secret.n)
        return fault(f, "wrong_type", "msp-secret", "the secret is a text in Base64"), NULL;
    if (!sim_option_int(env, "guests", 1, SAM_GUESTS_MAX, &guests, f) || !sim_option_int(env, "retry-ms", 1, 60000, &s->retry_ms, f))
        return NULL;
    make_people(s, (size_t)guests);
    sam_guest_routes(s);
    sam_api_routes(s);
    sam_device_routes(s);
    return s;
}

const struct sim sim_apple = {
    .name = "apple",
    .title = "Apple Messages for Business",
    .page = true,
    .options = options,
    .n_options = COUNT(options),
    .start = sam_start,
    .stop = sam_stop,
    .refuse = sam_refuse,
    .webhook = sam_webhook,
};
