/* How a workspace lets our app in: "Installing".
 *
 *   GET  /slack/register         a form for the customer identifier; it belongs to no account yet
 *   POST /slack/register         the account of that identifier: the link to Slack, with a state
 *   GET  /slack/oauth/callback   back from Slack, with a code that is changed into a token
 *
 * The state is NONCE.UNTIL.MAC.ACCOUNT: 128 random bits, until when it is good, and a MAC under the client secret, so that nothing has to be kept for those who never
 * come back. It is bound to the browser by a cookie with the same value, and the nonce is remembered once it was used.
 */
#include "hub/html_page.h"
#include "networks/slack/wire.h"
#include "wire/crypto.h"
#include "wire/hex.h"
#include "wire/url.h"

#define COOKIE "dragoman_slack_state"
enum { NONCE_BYTES = 16, CODE_MAX = 2048, KEEP_MAX = 64 };

slice slack_redirect_uri(const struct call *c)
{
    return arena_printf(c->a, SLF "/slack/oauth/callback", SLA(c->account->public_url));
}

/* ---- the state ------------------------------------------------------------------------------------------------------- */

static slice state_mac(struct call *c, slice nonce, slice until)
{
    slice text = arena_printf(c->a, "slack state\n" SLF "\n" SLF "\n" SLF, SLA(nonce), SLA(until), SLA(c->account->id));
    struct sha256 mac = hmac_sha256(setting(c, SLACK_CLIENT_SECRET), text);
    return hex_encode(c->a, slice_mem(mac.b, sizeof(mac.b)));
}

static slice state_new(struct call *c)
{
    slice nonce = hex_encode(c->a, slice_mem(c->random, NONCE_BYTES));
    slice until = arena_printf(c->a, "%lld", (long long)((c->now_ms + SLACK_STATE_MS) / 1000));
    return arena_printf(c->a, SLF "." SLF "." SLF "." SLF, SLA(nonce), SLA(until), SLA(state_mac(c, nonce, until)), SLA(c->account->id));
}

/* Made by us, for this account? */
static bool state_mine(struct call *c, slice state, slice *ret_nonce, int64_t *ret_until_ms)
{
    slice account = state, nonce = slice_cut(&account, '.'), until = slice_cut(&account, '.'), mac = slice_cut(&account, '.');
    int64_t until_s = 0;
    if (nonce.n != NONCE_BYTES * 2 || !slice_eq(account, c->account->id) || !bytes_equal_secret(mac, state_mac(c, nonce, until)) ||
        !slice_int(until, &until_s))
        return false;
    *ret_nonce = nonce;
    *ret_until_ms = until_s * 1000;
    return true;
}

static const char *used_key(struct call *c, slice nonce)
{
    return arena_printf(c->a, "used:" SLF, SLA(nonce)).p;
}

/* ---- the form ---------------------------------------------------------------------------------------------------------- */

static void form_page(struct call *c, struct inbox *in, int status, const char *problem)
{
    struct text t = html_begin(c->a, SL("Your Slack workspace is not yet registered with us"));
    text_put(&t, SL("<p>Please fill in the form below to register it. You should have received your identifier from your representative.</p>"
                    "<form method=\"post\">"));
    if (problem)
        text_add(&t, "<p class=\"bad\" role=\"alert\">%s</p>", problem);
    text_put(&t, SL("<label for=\"customer\">Customer Identifier</label>"
                    "<input id=\"customer\" name=\"customer\" required maxlength=\"128\" autocomplete=\"off\" autofocus>"
                    "<button type=\"submit\">Submit</button></form>"));
    html_answer(in, status, &t);
}

static bool register_form(struct call *c, const struct request *rq, struct inbox *in)
{
    (void)rq;
    form_page(c, in, 200, NULL);
    return true;
}

static bool nobodys(struct call *c, const struct request *rq)
{
    (void)c, (void)rq;
    return false;
}

/* By the identifier the operator chose, else by the tenant's (the first part of the account's id), where that is not ambiguous: the full id always is. */
static bool register_mine(struct call *c, const struct request *rq)
{
    slice said = slice_trim(form_get(c->a, rq->body, SL("customer"))), own = setting(c, SLACK_CUSTOMER_ID);
    slice rest = c->account->id, tenant = slice_cut(&rest, '/');
    if (own.n)
        return bytes_equal_secret(said, own);
    return said.n && (bytes_equal_secret(said, tenant) || bytes_equal_secret(said, c->account->id));
}

static slice authorize_url(struct call *c, slice state)
{
    struct text t = text_new(c->a, URL_BYTES_MAX);
    struct text query = text_new(c->a, URL_BYTES_MAX);
    query_add(&query, SL("state"), state);
    query_add(&query, SL("client_id"), setting(c, SLACK_CLIENT_ID));
    query_add(&query, SL("scope"), slack_scope_list(c));
    query_add(&query, SL("user_scope"), SL(""));
    query_add(&query, SL("redirect_uri"), slack_redirect_uri(c));
    slice base = setting(c, SLACK_AUTHORIZE_URL);
    text_add(&t, SLF "%c" SLF, SLA(base), slice_find_char(base, '?') == SIZE_MAX ? '?' : '&', SLA(text_slice(&query)));
    return text_slice(&t);
}

static bool register_submit(struct call *c, const struct request *rq, struct inbox *in)
{
    (void)rq;
    if (!c->account) {
        form_page(c, in, 422, "This identifier is not known here. Please check it.");
        return true;
    }
    slice state = state_new(c), url = authorize_url(c, state);
    bool https = slice_starts(c->account->public_url, SL("https://"));
    struct text t = html_begin(c->a, SL("Add the app to your workspace"));
    text_add(&t, "<p>" SLF " asks Slack for permission to talk with the members of your workspace. Slack shows what exactly before you agree.</p>",
             SLA(html_escape(c->a, slack_app_name(c))));
    text_add(&t, "<p><a class=\"go\" id=\"add-to-slack\" href=\"" SLF "\">Add to Slack</a></p>", SLA(html_escape(c->a, url)));
    html_answer(in, 200, &t);
    inbox_header(in, "Set-Cookie", arena_printf(c->a, COOKIE "=" SLF "; %sHttpOnly; SameSite=Lax; Path=/; Max-Age=%d", SLA(url_encode(c->a, state)),
                                                https ? "Secure; " : "", (int)(SLACK_STATE_MS / 1000)));
    return true;
}

/* ---- back from Slack ------------------------------------------------------------------------------------------------------- */

static void said_page(struct call *c, struct inbox *in, int status, slice title, slice text)
{
    struct text t = html_begin(c->a, title);
    text_add(&t, "<p%s>" SLF "</p>", status == 200 ? "" : " role=\"alert\"", SLA(html_escape(c->a, text)));
    if (status != 200)
        text_put(&t, SL("<p><a class=\"go\" href=\"../register\">Begin again</a></p>"));
    html_answer(in, status, &t);
}

enum exchange_step { EXCHANGE_CODE = 1, EXCHANGE_TEST };

/* The code becomes a token, and the token says which bot it is of. keep: the code, then the installation's id. */
static enum outcome exchange(struct call *c, struct delivery *d)
{
    struct slack_install in;
    slice id;
    if (!d->last) {
        struct text form = text_new(c->a, CODE_MAX + URL_BYTES_MAX);
        form_add(&form, SL("code"), d->keep);
        form_add(&form, SL("redirect_uri"), slack_redirect_uri(c));
        slack_form(c, d, "oauth.v2.access", SLICE_NONE, text_slice(&form));
        slack_basic(c, &d->call);
        d->call.no_token = true;
        d->step = EXCHANGE_CODE;
        return OUT_CALL;
    }
    struct slack_answer t = slack_answer_of(c->a, d->last);
    if (d->step == EXCHANGE_CODE) {
        if (!t.doc)
            return slack_failed(c, d, SLICE_NONE, "oauth.v2.access");
        if (!slack_install_read(c, d->last->body, &in, &id))
            return d->reason = REASON_CREDENTIALS, OUT_REFUSED;
        if (!slack_install_put(c, id, &in))
            return refuse(c, d, REASON_GENERAL, "more than %d workspaces of one app are not remembered here", SLACK_INSTALLS);
        d->keep = id;
        d->step = EXCHANGE_TEST;
        slack_form(c, d, "auth.test", id, SL(""));
        d->call.repeatable = true;
        return OUT_CALL;
    }
    if (t.doc && slack_install_get(c, d->keep, &in)) {
        in.bot = js_text(js_at(t.doc, "bot_id"));
        in.bot_user = slice_or(js_text(js_at(t.doc, "user_id")), in.bot_user);
        (void)slack_install_put(c, d->keep, &in);
    }
    *c->f = (struct fault){ 0 }; /* the token is good also without the bot's id: its user is known */
    return OUT_DELIVERED;
}

static void exchanged(struct call *c, const struct delivery *d, enum outcome end, struct inbox *in)
{
    struct slack_install own;
    if (end != OUT_DELIVERED) {
        said_page(c, in, 502, SL("The workspace was not registered"),
                  slice_or(slice_of(c->f->text), SL("Slack did not confirm it.")));
        return;
    }
    slice name = slack_install_get(c, d->keep, &own) ? slice_or(own.team_name, own.enterprise_name) : SLICE_NONE;
    struct text t = html_begin(c->a, SL("Your workspace is registered"));
    text_add(&t, "<p>Members of " SLF " can now write to " SLF ".</p>", SLA(html_escape(c->a, slice_or(name, d->keep))),
             SLA(html_escape(c->a, slack_app_name(c))));
    text_add(&t, "<p><a class=\"go\" href=\"https://slack.com/app_redirect?app=" SLF "%s" SLF "\">Open in Slack</a></p>", SLA(setting(c, SLACK_APP_ID)),
             own.team.n ? "&amp;team=" : "", SLA(own.team));
    html_answer(in, 200, &t);
}

static bool callback_mine(struct call *c, const struct request *rq)
{
    slice nonce;
    int64_t until_ms;
    slice state = request_query(c->a, rq, "state");
    return state.n && state_mine(c, state, &nonce, &until_ms);
}

static bool callback(struct call *c, const struct request *rq, struct inbox *in)
{
    slice state = request_query(c->a, rq, "state"), code = request_query(c->a, rq, "code"), nonce = SLICE_NONE;
    slice cookie = request_cookie(rq, COOKIE);
    int64_t until_ms = 0;
    if (!c->account || !state_mine(c, state, &nonce, &until_ms)) {
        said_page(c, in, 400, SL("This link is not from here"), SL("The registration must begin on our page, so that we know for whom it is."));
        return true;
    }
    inbox_header(in, "Set-Cookie", SL(COOKIE "=; HttpOnly; SameSite=Lax; Path=/; Max-Age=0"));
    slice given = cookie.p ? url_decode(c->a, cookie) : SLICE_NONE;
    if (until_ms <= c->now_ms || memory_get(c->memory, used_key(c, nonce), c->now_ms).n) {
        said_page(c, in, 400, SL("This link is too old"), SL("It is good for ten minutes, and once."));
        return true;
    }
    if (!given.n || !bytes_equal_secret(given, state)) {
        said_page(c, in, 400, SL("This link was begun in another browser"), SL("Please register and come back from Slack in the same browser."));
        return true;
    }
    memory_set(c->memory, used_key(c, nonce), SL("1"), until_ms);
    if (!code.n || code.n > CODE_MAX) {
        said_page(c, in, 400, SL("The workspace was not registered"), SL("In Slack, nobody agreed to let the app in."));
        return true;
    }
    inbox_ask(in, exchange, code, exchanged);
    return true;
}

/* clang-format off */
const struct route_extra slack_routes[SLACK_ROUTES] = {
    { "GET",  "/slack/register",       register_form, .mine = nobodys },
    { "POST", "/slack/register",       register_submit, .mine = register_mine },
    { "GET",  "/slack/oauth/callback", callback, .mine = callback_mine },
    { "GET",  "/slack/manifest",       slack_manifest_page, .mine = NULL },
};
/* clang-format on */
