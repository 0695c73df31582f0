/* Where a customer registers an organisation, and fetches the app package for it: "Registration".
 *
 * A record is kept under the organisation's tenant ID. Who makes it gets a link with a secret; nobody else sees or changes it. The secret comes with the empty
 * form: who sends that twice (a button pressed twice shows only the second answer) is the same both times, and gets the link again. It is bound as soon as
 * there is an account that lists the tenant ID: from then on the package can be fetched. A change of name, colour or icon raises the version, because
 * Teams takes no package twice.
 */
#include "hub/html_page.h"
#include "networks/teams/wire.h"
#include "wire/base64.h"
#include "wire/crypto.h"
#include "wire/hex.h"
#include "wire/multipart.h"
#include "wire/png.h"
#include "wire/url.h"
#include "wire/zip.h"

enum { NAME_CHARS = 80, BUSINESS_CHARS = 100, EMAIL_BYTES = 200, BOT_NAME_CHARS = 30, COLOUR_SIDE = 192, OUTLINE_SIDE = 32,
       PACKAGE_BYTES = 256 << 10, GUID = 36 };

/* clang-format off */
static const struct js_field app_fields[] = {
    JS_FIELD(struct teams_app, business,   "business",   JS_STR, 0),
    JS_FIELD(struct teams_app, first_name, "first_name", JS_STR, 0),
    JS_FIELD(struct teams_app, last_name,  "last_name",  JS_STR, 0),
    JS_FIELD(struct teams_app, email,      "email",      JS_STR, 0),
    JS_FIELD(struct teams_app, tenant,     "tenant",     JS_STR, 0),
    JS_FIELD(struct teams_app, bot_name,   "bot_name",   JS_STR, 0),
    JS_FIELD(struct teams_app, accent,     "accent",     JS_STR, 0),
    JS_FIELD(struct teams_app, app_id,     "app_id",     JS_STR, 0),
    JS_FIELD(struct teams_app, secret,     "secret",     JS_STR, 0),
    JS_FIELD(struct teams_app, patch,      "patch",      JS_I64, JS_ZERO),
    JS_FIELD(struct teams_app, at_ms,      "at",         JS_TIME, 0),
};
/* clang-format on */

/* ---- the record ------------------------------------------------------------------------------------------------------ */

static bool app_read(struct arena *a, slice json, struct teams_app *ret)
{
    *ret = (struct teams_app){ 0 };
    const struct js *doc = json.n ? js_parse(a, json, NULL) : NULL;
    return doc && js_read(a, doc, app_fields, COUNT(app_fields), ret, NULL);
}

static slice app_print(struct arena *a, const struct teams_app *app)
{
    struct jw w = jw_new(a, RECORD_PART_MAX);
    jw_open(&w, NULL, '{');
    jw_fields(&w, app_fields, COUNT(app_fields), app);
    jw_close(&w, '}');
    return jw_done(&w);
}

static slice hash_of(struct arena *a, slice secret)
{
    struct sha256 sum = sha256(secret);
    return hex_encode(a, slice_mem(sum.b, sizeof(sum.b)));
}

static bool holds_key(struct arena *a, const struct teams_app *app, slice secret)
{
    return secret.n && app->secret.n && bytes_equal_secret(hash_of(a, secret), app->secret);
}

/* The account that serves this organisation; NULL: none yet. */
static const struct call *account_of(const struct call *c, slice tenant)
{
    for (size_t i = 0; i < c->record->n_accounts; i++)
        if (setting(&c->record->accounts[i], TEAMS_TENANTS).n && teams_tenant_listed(&c->record->accounts[i], tenant))
            return &c->record->accounts[i];
    return NULL;
}

static slice tenant_key(struct arena *a, slice s)
{
    s = slice_trim(s);
    if (s.n != GUID)
        return SLICE_NONE;
    for (size_t i = 0; i < s.n; i++) {
        bool dash = i == 8 || i == 13 || i == 18 || i == 23;
        if (dash ? s.p[i] != '-' : !s.p[i] || !strchr("0123456789abcdefABCDEF", s.p[i]))
            return SLICE_NONE;
    }
    return teams_lower(a, s);
}

static slice tenant_of_form(struct arena *a, const struct request *rq, slice field)
{
    struct multipart form;
    bool good = multipart_parse(a, request_header(rq, "content-type"), rq->body, &form, NULL);
    return good ? tenant_key(a, multipart_value(&form, field)) : SLICE_NONE;
}

slice teams_page_key(struct arena *a, const struct request *rq)
{
    bool post = slice_eq(rq->method, SL("POST"));
    return post ? tenant_of_form(a, rq, SL("tenant")) : tenant_key(a, request_query(a, rq, "tenant"));
}

slice teams_page_to(struct arena *a, const struct request *rq)
{
    return tenant_of_form(a, rq, SL("new_tenant"));
}

/* ---- HTML ------------------------------------------------------------------------------------------------------------- */

static void put_paragraph(struct text *t, const char *text)
{
    text_add(t, "<p>%s</p>", text);
}

struct box { /* one field of the form */
    const char *name, *label, *type, *hint;
    bool register_only, file;
    size_t off; /* in struct teams_app; files have none */
};
#define IN(m) offsetof(struct teams_app, m)
/* clang-format off */
static const struct box boxes[] = {
    { "business",     "Business Name", "text", NULL, true, false, IN(business) },
    { "first_name",   "Firstname", "text", NULL, true, false, IN(first_name) },
    { "last_name",    "Lastname", "text", NULL, true, false, IN(last_name) },
    { "email",        "Email", "email", NULL, true, false, IN(email) },
    { "tenant",       "Microsoft Teams Tenant Identifier", "text", "in the Entra admin centre: Overview, Tenant ID", true, false, IN(tenant) },
    { "bot_name",     "Microsoft Teams Bot Name", "text", "at most 30 characters; users see and mention it", false, false, IN(bot_name) },
    { "accent",       "Microsoft Teams Bot Accent Color", "color", NULL, false, false, IN(accent) },
    { "color_icon",   "Microsoft Teams Bot Color Icon", "file", "png only, 192x192 pixels", false, true, 0 },
    { "outline_icon", "Microsoft Teams Bot Outline Icon", "file", "png only, 32x32 pixels, transparent or white", false, true, 0 },
};
/* clang-format on */

static slice *member_of(struct teams_app *app, const struct box *b)
{
    return (slice *)(void *)((char *)app + b->off);
}

static void put_box(struct arena *a, struct text *t, const struct box *b, slice value, bool required)
{
    text_add(t, "<label for=\"%s\">%s", b->name, b->label);
    if (b->hint)
        text_add(t, "<small>%s</small>", b->hint);
    text_add(t, "</label><input id=\"%s\" name=\"%s\" type=\"%s\"%s", b->name, b->name, b->type, required ? " required" : "");
    if (b->file) {
        text_put(t, SL(" accept=\"image/png\""));
    } else {
        text_put(t, SL(" value=\""));
        text_put(t, html_escape(a, value));
        text_char(t, '"');
    }
    text_char(t, '>');
}

static void put_hidden(struct arena *a, struct text *t, const char *name, slice value)
{
    text_add(t, "<input type=\"hidden\" name=\"%s\" value=\"", name);
    text_put(t, html_escape(a, value));
    text_put(t, SL("\">"));
}

/* app: what is shown in the fields; secret: of one that is registered (known) already, or that it will have. */
static void put_form(struct arena *a, struct text *t, struct teams_app *app, slice secret, bool known, const char *problem)
{
    if (problem)
        text_add(t, "<p class=\"problem\" role=\"alert\">%s</p>", problem);
    text_put(t, SL("<form method=\"post\" action=\"/teams/register\" enctype=\"multipart/form-data\">"));
    put_hidden(a, t, "key", secret);
    if (known)
        put_hidden(a, t, "tenant", app->tenant);
    static const struct box other = { "new_tenant", "Microsoft Teams Tenant Identifier", "text", NULL, false, false, IN(tenant) };
    if (known)
        put_box(a, t, &other, app->tenant, true);
    for (size_t i = 0; i < COUNT(boxes); i++)
        if (!known || !boxes[i].register_only)
            put_box(a, t, &boxes[i], boxes[i].file ? SLICE_NONE : *member_of(app, &boxes[i]), !(boxes[i].file && known));
    text_add(t, "<button>%s</button></form>", known ? "Change" : "Register");
}

static slice own_link(const struct call *c, const struct teams_app *app, slice secret, const char *path)
{
    return arena_printf(c->a, SLF "%s?tenant=" SLF "&key=" SLF, SLA(c->record->public_url), path, SLA(app->tenant), SLA(url_encode(c->a, secret)));
}

static void show_registered(struct call *c, struct inbox *in, struct teams_app *app, slice secret, const char *problem, bool fresh)
{
    bool bound = account_of(c, app->tenant);
    struct text t = html_begin(c->a, slice_of(bound ? "Your Microsoft Teams Tenant is registered with us" : "Your registration is being processed"));
    if (!bound)
        put_paragraph(&t, "We are in the process of registering your organization. We will write to the address you gave.");
    if (bound) {
        text_put(&t, SL("<p><a class=\"go\" href=\""));
        text_put(&t, html_escape(c->a, own_link(c, app, secret, "/teams/register/app")));
        text_add(&t, "\">Download the app package</a></p><p>Version 1.0.%lld. Import it to your Teams organization; it defines the bot ", (long long)app->patch);
        text_put(&t, html_escape(c->a, app->bot_name));
        text_put(&t, SL(" that users can write to. Every change below raises the version: download the package and import it again.</p>"));
    }
    if (fresh) {
        slice link = own_link(c, app, secret, "/teams/register");
        text_put(&t, SL("<p>Keep this address. It is shown only now, and it is the only way back to your registration:</p><p><code>"));
        text_put(&t, html_escape(c->a, link));
        text_put(&t, SL("</code></p>"));
    }
    put_form(c->a, &t, app, secret, true, problem);
    html_answer(in, problem ? 400 : 200, &t);
}

static void show_taken(struct call *c, struct inbox *in)
{
    struct text t = html_begin(c->a, slice_of("This Microsoft Teams Tenant is known to us"));
    put_paragraph(&t, account_of(c, c->record->key) ? "It is registered. Use the address you were given when you registered; if it is lost, write to us."
                                            : "We are already in the process of registering your organization. Please wait for our message.");
    html_answer(in, 200, &t);
}

/* The secret the form brings along, when it is one of ours; else a new one. */
static slice new_secret(const struct call *c, slice brought)
{
    enum { BYTES = 16 };
    bool ours = brought.n == BYTES * 2;
    for (size_t i = 0; i < brought.n && ours; i++)
        ours = (brought.p[i] >= '0' && brought.p[i] <= '9') || (brought.p[i] >= 'a' && brought.p[i] <= 'f');
    return ours ? brought : hex_encode(c->a, slice_mem(c->random + BYTES, BYTES));
}

static void show_form(struct call *c, struct inbox *in, struct teams_app *app, slice brought, const char *problem)
{
    struct text t = html_begin(c->a, slice_of("Your Microsoft Teams Tenant is not yet registered with us"));
    put_paragraph(&t, "Please fill in the form below to register it.");
    put_form(c->a, &t, app, new_secret(c, brought), false, problem);
    html_answer(in, problem ? 400 : 200, &t);
}

/* ---- what was sent ---------------------------------------------------------------------------------------------------- */

static bool is_accent(slice s)
{
    for (size_t i = 1; i < s.n; i++)
        if (!s.p[i] || !strchr("0123456789abcdefABCDEF", s.p[i]))
            return false;
    return s.n == 7 && s.p[0] == '#';
}

static bool chars_in(slice s, size_t most)
{
    return s.n && utf8_valid(s) && utf8_len(s) <= most;
}

/* NULL: good. */
static const char *texts_problem(const struct teams_app *app, bool all)
{
    if (all && !chars_in(app->business, BUSINESS_CHARS))
        return "The business name has 1 to 100 characters.";
    if (all && (!chars_in(app->first_name, NAME_CHARS) || !chars_in(app->last_name, NAME_CHARS)))
        return "First name and last name have 1 to 80 characters.";
    if (all && (slice_find_char(app->email, '@') == SIZE_MAX || app->email.n > EMAIL_BYTES || !utf8_valid(app->email)))
        return "This is no e-mail address.";
    if (!chars_in(app->bot_name, BOT_NAME_CHARS))
        return "The bot's name has 1 to 30 characters.";
    return is_accent(app->accent) ? NULL : "The accent color is # and six hexadecimal digits.";
}

static const char *icon_problem(struct arena *a, const struct multipart *form, const char *name, bool required, slice *ret)
{
    bool outline = strcmp(name, "outline_icon") == 0;
    unsigned side = outline ? OUTLINE_SIDE : COLOUR_SIDE;
    slice bytes = multipart_value(form, slice_of(name));
    struct png png;
    if (!bytes.n && !required)
        return NULL;
    if (bytes.n > RECORD_PART_MAX)
        return "An icon has at most 46 KiB.";
    if (!png_read(bytes, &png) || png.width != side || png.height != side)
        return outline ? "The outline icon is a PNG of 32x32 pixels." : "The color icon is a PNG of 192x192 pixels.";
    if (outline && !png_is_outline(a, bytes))
        return "The outline icon is white or transparent everywhere (8 bits, not interlaced).";
    *ret = bytes;
    return NULL;
}

static slice new_guid(const struct call *c, size_t from)
{
    uint8_t b[16];
    memcpy(b, c->random + from, sizeof(b));
    b[6] = (uint8_t)((b[6] & 0x0f) | 0x40); /* RFC 9562 version 4 */
    b[8] = (uint8_t)((b[8] & 0x3f) | 0x80);
    slice hex = hex_encode(c->a, slice_mem(b, sizeof(b)));
    return arena_printf(c->a, "%.8s-%.4s-%.4s-%.4s-%.12s", hex.p, hex.p + 8, hex.p + 12, hex.p + 16, hex.p + 20);
}

static void take(struct call *c, struct teams_app *app, const slice icons[RECORD_PARTS])
{
    c->record->part[0] = app_print(c->a, app);
    for (size_t i = 1; i < RECORD_PARTS; i++)
        if (icons[i].n)
            c->record->part[i] = icons[i];
    c->record->keep = true;
}

static void register_new(struct call *c, struct inbox *in, const struct multipart *form, slice brought)
{
    struct teams_app app = { .accent = SL("#464eb8") };
    slice icons[RECORD_PARTS] = { SLICE_NONE };
    for (size_t i = 0; i < COUNT(boxes); i++)
        if (!boxes[i].file)
            *member_of(&app, &boxes[i]) = slice_trim(multipart_value(form, slice_of(boxes[i].name)));
    const char *problem = c->record->key.n ? texts_problem(&app, true) : "The tenant identifier is a GUID, such as 01234567-89ab-cdef-0123-456789abcdef.";
    problem = problem ? problem : icon_problem(c->a, form, "color_icon", true, &icons[TEAMS_ICON_COLOUR]);
    problem = problem ? problem : icon_problem(c->a, form, "outline_icon", true, &icons[TEAMS_ICON_OUTLINE]);
    if (problem) {
        show_form(c, in, &app, brought, problem);
        return;
    }
    slice secret = new_secret(c, brought);
    app.tenant = c->record->key;
    app.app_id = new_guid(c, 0);
    app.secret = hash_of(c->a, secret);
    app.at_ms = c->now_ms;
    take(c, &app, icons);
    c->record->note = "asks to be registered";
    show_registered(c, in, &app, secret, NULL, true);
}

static void change(struct call *c, struct inbox *in, const struct multipart *form, struct teams_app *app, slice secret)
{
    struct teams_app wanted = *app;
    slice icons[RECORD_PARTS] = { SLICE_NONE };
    wanted.bot_name = slice_trim(multipart_value(form, SL("bot_name")));
    wanted.accent = slice_trim(multipart_value(form, SL("accent")));
    slice tenant = multipart_value(form, SL("new_tenant"));
    const char *problem = texts_problem(&wanted, false);
    if (tenant.n && !tenant_key(c->a, tenant).n)
        problem = "The tenant identifier is a GUID, such as 01234567-89ab-cdef-0123-456789abcdef.";
    else if (c->record->to_taken)
        problem = "This Microsoft Teams Tenant is known to us already.";
    problem = problem ? problem : icon_problem(c->a, form, "color_icon", false, &icons[TEAMS_ICON_COLOUR]);
    problem = problem ? problem : icon_problem(c->a, form, "outline_icon", false, &icons[TEAMS_ICON_OUTLINE]);
    bool differs = !slice_eq(wanted.bot_name, app->bot_name) || !slice_eq_nocase(wanted.accent, app->accent);
    for (size_t i = 1; i < RECORD_PARTS; i++)
        differs |= icons[i].n && !slice_eq(icons[i], c->record->part[i]);
    if (!problem && (differs || c->record->to.n)) {
        wanted.patch += differs; /* the package does not name the organisation */
        c->record->move = c->record->to.n > 0;
        if (c->record->move)
            wanted.tenant = c->record->to;
        take(c, &wanted, icons);
        c->record->note = c->record->move ? "gave another tenant identifier" : "changed its app";
    }
    bool again = multipart_value(form, SL("business")).p != NULL; /* the form of somebody new, a second time */
    show_registered(c, in, &wanted, secret, problem, again);
}

bool teams_register(struct call *c, const struct request *rq, struct inbox *in)
{
    struct multipart form = { .n = 0 };
    struct fault f = { 0 };
    struct teams_app app;
    bool post = slice_eq(rq->method, SL("POST"));
    bool known = app_read(c->a, c->record->part[0], &app);
    if (post && !multipart_parse(c->a, request_header(rq, "content-type"), rq->body, &form, &f)) {
        app.accent = SL("#464eb8");
        show_form(c, in, &app, SLICE_NONE, "The form could not be read. Please send it again.");
        return true;
    }
    slice secret = post ? multipart_value(&form, SL("key")) : request_query(c->a, rq, "key");
    if (!known && !post) {
        app = (struct teams_app){ .tenant = c->record->key, .accent = SL("#464eb8") };
        show_form(c, in, &app, SLICE_NONE, NULL);
    } else if (!known) {
        register_new(c, in, &form, secret);
    } else if (!holds_key(c->a, &app, secret)) {
        show_taken(c, in);
    } else if (post) {
        change(c, in, &form, &app, secret);
    } else {
        show_registered(c, in, &app, secret, NULL, false);
    }
    return true;
}

bool teams_package(struct call *c, const struct request *rq, struct inbox *in)
{
    struct teams_app app;
    const struct call *account = account_of(c, c->record->key);
    if (!account || !app_read(c->a, c->record->part[0], &app) || !holds_key(c->a, &app, request_query(c->a, rq, "key"))) {
        struct text t = html_begin(c->a, slice_of("There is no app package at this address"));
        html_answer(in, 404, &t);
        return true;
    }
    struct zip z = zip_new(c->a, PACKAGE_BYTES);
    zip_add(&z, "manifest.json", teams_manifest(c->a, account, &app, c->record->public_url));
    zip_add(&z, "color.png", c->record->part[TEAMS_ICON_COLOUR]);
    zip_add(&z, "outline.png", c->record->part[TEAMS_ICON_OUTLINE]);
    inbox_answer(in, 200, SL("application/zip"), zip_done(&z));
    inbox_header(in, "Content-Disposition", arena_printf(c->a, "attachment; filename=\"teams-app-1.0.%lld.zip\"", (long long)app.patch));
    inbox_header(in, "Cache-Control", SL("no-store"));
    inbox_header(in, "X-Content-Type-Options", SL("nosniff"));
    return true;
}
