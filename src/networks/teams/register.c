/* Where a customer registers an organisation, and fetches the app package for it: "Registration".
 *
 * A record is kept under the organisation's tenant ID. Who makes it gets a link with a secret; nobody else sees or changes it. It is bound as soon as
 * there is an account that lists the tenant ID: from then on the package can be fetched. A change of name, colour or icon raises the version, because
 * Teams takes no package twice.
 */
#include "networks/teams/wire.h"
#include "wire/base64.h"
#include "wire/crypto.h"
#include "wire/hex.h"
#include "wire/multipart.h"
#include "wire/png.h"
#include "wire/url.h"
#include "wire/zip.h"

enum { HTML_BYTES = 64 << 10, NAME_CHARS = 80, BUSINESS_CHARS = 100, EMAIL_BYTES = 200, BOT_NAME_CHARS = 30, COLOUR_SIDE = 192, OUTLINE_SIDE = 32,
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
static const char style[] =
    "body{font:16px/1.5 system-ui,sans-serif;color:#242424;background:#f5f5f5;margin:0}"
    "main{max-width:40rem;margin:2rem auto;background:#fff;padding:1.5rem 2rem;border-radius:.6rem}"
    "h1{font-size:1.4rem}label{display:block;margin:.8rem 0 .2rem;font-weight:600}"
    "input{font:inherit;width:100%;box-sizing:border-box;padding:.45rem;border:1px solid #6e6e6e;border-radius:.3rem}"
    "input[type=color]{width:5rem;height:2.4rem;padding:.1rem}small{display:block;font-weight:400;color:#4d4d4d}"
    "button,.button{display:inline-block;margin-top:1.2rem;font:inherit;background:#464eb8;color:#fff;border:0;border-radius:.3rem;padding:.6rem 1.2rem;text-decoration:none}"
    ".problem{background:#fdf3f4;color:#8a1218;padding:.6rem .8rem;border-radius:.3rem}code{overflow-wrap:anywhere}"
    ":focus-visible{outline:3px solid #b4642a;outline-offset:2px}";
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
    struct jw w = jw_new(a, PAGE_PART_MAX);
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
static const struct call *account_of(const struct page_call *p, slice tenant)
{
    for (size_t i = 0; i < p->n_accounts; i++)
        if (setting(&p->accounts[i], TEAMS_TENANTS).n && teams_tenant_listed(&p->accounts[i], tenant))
            return &p->accounts[i];
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

static void put_escaped(struct text *t, slice s)
{
    static const struct { char ch; const char *by; } marks[] = { { '&', "&amp;" }, { '<', "&lt;" }, { '>', "&gt;" }, { '"', "&quot;" }, { '\'', "&#39;" } };
    for (size_t i = 0; i < s.n; i++) {
        const char *by = NULL;
        for (size_t k = 0; k < COUNT(marks); k++)
            if (s.p[i] == marks[k].ch)
                by = marks[k].by;
        if (by)
            text_put(t, slice_of(by));
        else
            text_char(t, s.p[i]);
    }
}

static struct text page_begin(struct page_call *p, const char *title)
{
    struct text t = text_new(p->a, HTML_BYTES);
    text_add(&t, "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\">"
                 "<title>%s</title><style>%s</style></head><body><main><h1>%s</h1>", title, style, title);
    return t;
}

static void page_end(struct page_call *p, struct text *t, int status)
{
    struct sha256 sum = sha256(slice_of(style));
    text_put(t, SL("</main></body></html>"));
    p->status = status;
    p->type = SL("text/html; charset=utf-8");
    p->body = text_slice(t);
    page_header(p, "Content-Security-Policy",
                arena_printf(p->a, "default-src 'none'; style-src 'sha256-" SLF "'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
                             SLA(base64_encode(p->a, slice_mem(sum.b, sizeof(sum.b))))));
    page_header(p, "X-Content-Type-Options", SL("nosniff"));
    page_header(p, "Referrer-Policy", SL("no-referrer")); /* the address holds the secret */
    page_header(p, "Cache-Control", SL("no-store"));
}

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

static void put_box(struct text *t, const struct box *b, slice value, bool required)
{
    text_add(t, "<label for=\"%s\">%s", b->name, b->label);
    if (b->hint)
        text_add(t, "<small>%s</small>", b->hint);
    text_add(t, "</label><input id=\"%s\" name=\"%s\" type=\"%s\"%s", b->name, b->name, b->type, required ? " required" : "");
    if (b->file) {
        text_put(t, SL(" accept=\"image/png\""));
    } else {
        text_put(t, SL(" value=\""));
        put_escaped(t, value);
        text_char(t, '"');
    }
    text_char(t, '>');
}

/* app: what is shown in the fields; secret: of one that is registered already. */
static void put_form(struct text *t, struct teams_app *app, slice secret, const char *problem)
{
    if (problem)
        text_add(t, "<p class=\"problem\" role=\"alert\">%s</p>", problem);
    text_put(t, SL("<form method=\"post\" action=\"/teams/register\" enctype=\"multipart/form-data\">"));
    if (secret.n) {
        const slice hidden[][2] = { { SL("tenant"), app->tenant }, { SL("key"), secret } };
        for (size_t i = 0; i < COUNT(hidden); i++) {
            text_add(t, "<input type=\"hidden\" name=\"" SLF "\" value=\"", SLA(hidden[i][0]));
            put_escaped(t, hidden[i][1]);
            text_put(t, SL("\">"));
        }
    }
    static const struct box other = { "new_tenant", "Microsoft Teams Tenant Identifier", "text", NULL, false, false, IN(tenant) };
    if (secret.n)
        put_box(t, &other, app->tenant, true);
    for (size_t i = 0; i < COUNT(boxes); i++)
        if (!secret.n || !boxes[i].register_only)
            put_box(t, &boxes[i], boxes[i].file ? SLICE_NONE : *member_of(app, &boxes[i]), !(boxes[i].file && secret.n));
    text_add(t, "<button>%s</button></form>", secret.n ? "Change" : "Register");
}

static slice own_link(struct page_call *p, const struct teams_app *app, slice secret, const char *path)
{
    return arena_printf(p->a, SLF "%s?tenant=" SLF "&key=" SLF, SLA(p->public_url), path, SLA(app->tenant), SLA(url_encode(p->a, secret)));
}

static void show_registered(struct page_call *p, struct teams_app *app, slice secret, const char *problem, bool fresh)
{
    bool bound = account_of(p, app->tenant);
    struct text t = page_begin(p, bound ? "Your Microsoft Teams Tenant is registered with us" : "Your registration is being processed");
    if (!bound)
        put_paragraph(&t, "We are in the process of registering your organization. We will write to the address you gave.");
    if (bound) {
        text_put(&t, SL("<p><a class=\"button\" href=\""));
        put_escaped(&t, own_link(p, app, secret, "/teams/register/app"));
        text_add(&t, "\">Download the app package</a></p><p>Version 1.0.%lld. Import it to your Teams organization; it defines the bot ", (long long)app->patch);
        put_escaped(&t, app->bot_name);
        text_put(&t, SL(" that users can write to. Every change below raises the version: download the package and import it again.</p>"));
    }
    if (fresh) {
        slice link = own_link(p, app, secret, "/teams/register");
        text_put(&t, SL("<p>Keep this address. It is shown only now, and it is the only way back to your registration:</p><p><code>"));
        put_escaped(&t, link);
        text_put(&t, SL("</code></p>"));
    }
    put_form(&t, app, secret, problem);
    page_end(p, &t, problem ? 400 : 200);
}

static void show_taken(struct page_call *p)
{
    struct text t = page_begin(p, "This Microsoft Teams Tenant is known to us");
    put_paragraph(&t, account_of(p, p->key) ? "It is registered. Use the address you were given when you registered; if it is lost, write to us."
                                            : "We are already in the process of registering your organization. Please wait for our message.");
    page_end(p, &t, 200);
}

static void show_form(struct page_call *p, struct teams_app *app, const char *problem)
{
    struct text t = page_begin(p, "Your Microsoft Teams Tenant is not yet registered with us");
    put_paragraph(&t, "Please fill in the form below to register it.");
    put_form(&t, app, SLICE_NONE, problem);
    page_end(p, &t, problem ? 400 : 200);
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
    if (bytes.n > PAGE_PART_MAX)
        return "An icon has at most 46 KiB.";
    if (!png_read(bytes, &png) || png.width != side || png.height != side)
        return outline ? "The outline icon is a PNG of 32x32 pixels." : "The color icon is a PNG of 192x192 pixels.";
    if (outline && !png_is_outline(a, bytes))
        return "The outline icon is white or transparent everywhere (8 bits, not interlaced).";
    *ret = bytes;
    return NULL;
}

static slice new_guid(struct page_call *p, size_t from)
{
    uint8_t b[16];
    memcpy(b, p->random + from, sizeof(b));
    b[6] = (uint8_t)((b[6] & 0x0f) | 0x40); /* RFC 9562 version 4 */
    b[8] = (uint8_t)((b[8] & 0x3f) | 0x80);
    slice hex = hex_encode(p->a, slice_mem(b, sizeof(b)));
    return arena_printf(p->a, "%.8s-%.4s-%.4s-%.4s-%.12s", hex.p, hex.p + 8, hex.p + 12, hex.p + 16, hex.p + 20);
}

static void take(struct page_call *p, struct teams_app *app, const slice icons[PAGE_PARTS])
{
    p->record[0] = app_print(p->a, app);
    for (size_t i = 1; i < PAGE_PARTS; i++)
        if (icons[i].n)
            p->record[i] = icons[i];
    p->keep = true;
}

static void register_new(struct page_call *p, const struct multipart *form)
{
    struct teams_app app = { .accent = SL("#464eb8") };
    slice icons[PAGE_PARTS] = { SLICE_NONE };
    for (size_t i = 0; i < COUNT(boxes); i++)
        if (!boxes[i].file)
            *member_of(&app, &boxes[i]) = slice_trim(multipart_value(form, slice_of(boxes[i].name)));
    const char *problem = p->key.n ? texts_problem(&app, true) : "The tenant identifier is a GUID, such as 01234567-89ab-cdef-0123-456789abcdef.";
    problem = problem ? problem : icon_problem(p->a, form, "color_icon", true, &icons[TEAMS_ICON_COLOUR]);
    problem = problem ? problem : icon_problem(p->a, form, "outline_icon", true, &icons[TEAMS_ICON_OUTLINE]);
    if (problem) {
        show_form(p, &app, problem);
        return;
    }
    uint8_t random[16];
    memcpy(random, p->random + 16, sizeof(random));
    slice secret = hex_encode(p->a, slice_mem(random, sizeof(random)));
    app.tenant = p->key;
    app.app_id = new_guid(p, 0);
    app.secret = hash_of(p->a, secret);
    app.at_ms = p->now_ms;
    take(p, &app, icons);
    p->note = "asks to be registered";
    show_registered(p, &app, secret, NULL, true);
}

static void change(struct page_call *p, const struct multipart *form, struct teams_app *app, slice secret)
{
    struct teams_app wanted = *app;
    slice icons[PAGE_PARTS] = { SLICE_NONE };
    wanted.bot_name = slice_trim(multipart_value(form, SL("bot_name")));
    wanted.accent = slice_trim(multipart_value(form, SL("accent")));
    slice tenant = multipart_value(form, SL("new_tenant"));
    const char *problem = texts_problem(&wanted, false);
    if (tenant.n && !tenant_key(p->a, tenant).n)
        problem = "The tenant identifier is a GUID, such as 01234567-89ab-cdef-0123-456789abcdef.";
    else if (p->to_taken)
        problem = "This Microsoft Teams Tenant is known to us already.";
    problem = problem ? problem : icon_problem(p->a, form, "color_icon", false, &icons[TEAMS_ICON_COLOUR]);
    problem = problem ? problem : icon_problem(p->a, form, "outline_icon", false, &icons[TEAMS_ICON_OUTLINE]);
    bool differs = !slice_eq(wanted.bot_name, app->bot_name) || !slice_eq_nocase(wanted.accent, app->accent);
    for (size_t i = 1; i < PAGE_PARTS; i++)
        differs |= icons[i].n && !slice_eq(icons[i], p->record[i]);
    if (!problem && (differs || p->to.n)) {
        wanted.patch += differs; /* the package does not name the organisation */
        p->move = p->to.n > 0;
        if (p->move)
            wanted.tenant = p->to;
        take(p, &wanted, icons);
        p->note = p->move ? "gave another tenant identifier" : "changed its app";
    }
    show_registered(p, &wanted, secret, problem, false);
}

void teams_register(struct page_call *p, const struct request *rq)
{
    struct multipart form = { .n = 0 };
    struct fault f = { 0 };
    struct teams_app app;
    bool post = slice_eq(rq->method, SL("POST"));
    bool known = app_read(p->a, p->record[0], &app);
    if (post && !multipart_parse(p->a, request_header(rq, "content-type"), rq->body, &form, &f)) {
        app.accent = SL("#464eb8");
        show_form(p, &app, "The form could not be read. Please send it again.");
        return;
    }
    slice secret = post ? multipart_value(&form, SL("key")) : request_query(p->a, rq, "key");
    if (!known && !post) {
        app = (struct teams_app){ .tenant = p->key, .accent = SL("#464eb8") };
        show_form(p, &app, NULL);
    } else if (!known) {
        register_new(p, &form);
    } else if (!holds_key(p->a, &app, secret)) {
        show_taken(p);
    } else if (post) {
        change(p, &form, &app, secret);
    } else {
        show_registered(p, &app, secret, NULL, false);
    }
}

void teams_package(struct page_call *p, const struct request *rq)
{
    struct teams_app app;
    const struct call *account = account_of(p, p->key);
    if (!account || !app_read(p->a, p->record[0], &app) || !holds_key(p->a, &app, request_query(p->a, rq, "key"))) {
        struct text t = page_begin(p, "There is no app package at this address");
        page_end(p, &t, 404);
        return;
    }
    struct zip z = zip_new(p->a, PACKAGE_BYTES);
    zip_add(&z, "manifest.json", teams_manifest(p->a, account, &app, p->public_url));
    zip_add(&z, "color.png", p->record[TEAMS_ICON_COLOUR]);
    zip_add(&z, "outline.png", p->record[TEAMS_ICON_OUTLINE]);
    p->status = 200;
    p->type = SL("application/zip");
    p->body = zip_done(&z);
    page_header(p, "Content-Disposition", arena_printf(p->a, "attachment; filename=\"teams-app-1.0.%lld.zip\"", (long long)app.patch));
    page_header(p, "Cache-Control", SL("no-store"));
    page_header(p, "X-Content-Type-Options", SL("nosniff"));
}
