/* Where Apple's register sends the owner of a business that chose this provider: "Registration". Nothing is signed, so that all it does is to keep what was said, under the
 * business ID, for the operator, who adds the channel. What was sent once cannot be changed by whoever knows the ID. */
#include "hub/html_page.h"
#include "networks/apple/wire.h"
#include "wire/url.h"

enum { FIELD_CHARS = 200, NOTE_CHARS = 1000, ID_MIN = 8, ID_MAX = 64 };

static slice good_id(slice id)
{
    static const char chars[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz-";
    if (id.n < ID_MIN || id.n > ID_MAX)
        return SLICE_NONE;
    for (size_t i = 0; i < id.n; i++)
        if (!id.p[i] || !strchr(chars, id.p[i]))
            return SLICE_NONE;
    return id;
}

static bool is_post(const struct request *rq)
{
    return slice_eq(rq->method, SL("POST"));
}

static slice field_of(struct arena *a, const struct request *rq, const char *name)
{
    return slice_trim(is_post(rq) ? form_get(a, rq->body, slice_of(name)) : request_query(a, rq, name));
}

slice apple_page_key(struct arena *a, const struct request *rq)
{
    return good_id(field_of(a, rq, "id"));
}

/* ---- HTML ------------------------------------------------------------------------------------------------------------- */

static void say(struct call *c, struct inbox *in, int status, const char *text)
{
    struct text t = html_begin(c->a, SL("Apple Messages for Business"));
    text_add(&t, "<p%s>%s</p>", status >= 400 ? " class=\"problem\"" : "", text);
    html_answer(in, status, &t);
}

/* clang-format off */
static const struct box {
    const char *name, *label, *type;
    bool required;
} boxes[] = {
    { "name",         "Business name", "text", true },
    { "email",        "Contact e-mail", "email", true },
    { "organisation", "Organisation of the contact centre", "text", false },
};
/* clang-format on */

static void form(struct call *c, struct inbox *in, const struct request *rq, int status, const char *problem)
{
    struct text t = html_begin(c->a, SL("Apple Messages for Business"));
    if (problem)
        text_add(&t, "<p class=\"problem\" role=\"alert\">%s</p>", problem);
    text_put(&t, SL("<p>Connect this business to the contact centre. An operator looks at what you send and answers by e-mail.</p>"
                    "<form method=\"post\" action=\"/amb/register\"><input type=\"hidden\" name=\"id\" value=\""));
    text_put(&t, html_escape(c->a, c->record->key));
    text_put(&t, SL("\"><input type=\"hidden\" name=\"logo\" value=\""));
    text_put(&t, html_escape(c->a, utf8_cut(field_of(c->a, rq, "logo"), FIELD_CHARS)));
    text_put(&t, SL("\">"));
    for (size_t i = 0; i < COUNT(boxes); i++) {
        const struct box *b = &boxes[i];
        text_add(&t, "<label for=\"%s\">%s</label><input id=\"%s\" name=\"%s\" type=\"%s\" maxlength=\"%d\"%s value=\"", b->name, b->label, b->name, b->name,
                 b->type, FIELD_CHARS, b->required ? " required" : "");
        text_put(&t, html_escape(c->a, utf8_cut(field_of(c->a, rq, b->name), FIELD_CHARS)));
        text_put(&t, SL("\">"));
    }
    text_put(&t, SL("<label for=\"note\">Anything else</label><textarea id=\"note\" name=\"note\" rows=\"3\"></textarea><button>Send</button></form>"));
    html_answer(in, status, &t);
}

/* ---- the page ----------------------------------------------------------------------------------------------------------- */

static bool has_account(const struct call *c)
{
    for (size_t i = 0; i < c->record->n_accounts; i++)
        if (slice_eq(setting(&c->record->accounts[i], APPLE_BUSINESS_ID), c->record->key))
            return true;
    return false;
}

static void keep(struct call *c, const struct request *rq)
{
    struct jw w = jw_new(c->a, RECORD_PART_MAX);
    jw_open(&w, NULL, '{');
    jw_str(&w, "id", c->record->key);
    jw_opt(&w, "logo", utf8_cut(field_of(c->a, rq, "logo"), FIELD_CHARS));
    for (size_t i = 0; i < COUNT(boxes); i++)
        jw_opt(&w, boxes[i].name, utf8_cut(utf8_repair(c->a, field_of(c->a, rq, boxes[i].name)), FIELD_CHARS));
    jw_opt(&w, "note", utf8_cut(utf8_repair(c->a, field_of(c->a, rq, "note")), NOTE_CHARS));
    jw_time(&w, "at", c->now_ms);
    jw_close(&w, '}');
    c->record->part[0] = jw_done(&w);
    c->record->keep = true;
    c->record->note = "asks to be registered";
}

bool apple_register(struct call *c, const struct request *rq, struct inbox *in)
{
    if (!c->record->key.n) {
        say(c, in, 400, "The address does not name a business. Begin in Apple's register, at the business's Messaging Service Provider.");
        return true;
    }
    if (has_account(c)) {
        say(c, in, 200, "This business is already registered.");
        return true;
    }
    if (c->record->part[0].n) {
        say(c, in, 200, "This business has been sent for registration. The operator will answer by e-mail.");
        return true;
    }
    if (!is_post(rq)) {
        form(c, in, rq, 200, NULL);
        return true;
    }
    slice email = field_of(c->a, rq, "email");
    if (!field_of(c->a, rq, "name").n || slice_find_char(email, '@') == SIZE_MAX) {
        form(c, in, rq, 422, "A business name and an e-mail address are needed.");
        return true;
    }
    keep(c, rq);
    say(c, in, 200, "Thank you. The operator will answer by e-mail.");
    return true;
}
