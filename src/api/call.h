/* call.h - one call of the API, as its handler sees it.
 *
 *   void api_auth_me(struct api_call *c)
 *   {
 *       struct jw w = api_json(c);
 *       jw_str(&w, "user", c->user);
 *       api_answer(c, &w);
 *   }
 *
 * When a handler is called the role has been checked and the body fits its schema. It answers once, now or later; c lives until then.
 * Every answer carries Cache-Control: no-store; a problem is answered with api_problem (problem.h).
 */
#ifndef API_CALL_H
#define API_CALL_H
#include "api/api.h"
#include "api/operation.h"
#include "api/problem.h"

struct logins;
struct sessions;
struct session;
struct attempts;
struct passwords;
struct audit;
struct settings;
struct streams;
struct health;
struct api_keys;
struct provisions;
struct rates;
struct chat;
struct contacts;
struct desk;
struct oidc;

struct api {
    struct api_setup setup;
    struct hub *hub;
    struct arena *a; /* lives as long as the API */
    struct logins *logins;
    struct sessions *sessions;
    struct attempts *attempts;
    struct passwords *passwords;
    struct audit *audit;
    struct settings *settings;
    struct streams *streams;
    struct health *health;
    struct api_keys *keys; /* of the interfaces below /nexus */
    struct provisions *provisions;
    struct rates *rates;   /* of their callers */
    struct chat *chat;
    struct contacts *contacts;
    struct desk *desk;
    struct oidc *oidc;
    slice openapi; /* the document, made when it is first asked for */
    bool stopped;
};

struct api_call {
    struct api *api;
    struct hub *hub;
    struct exchange *x;
    struct arena *a; /* x->a */
    const struct operation *op;
    slice params[OPERATION_PARAMS_MAX];
    const struct js *body; /* NULL: the operation has none */
    enum role role;        /* ROLE_NONE: nobody is logged in */
    slice user;
    struct session *session; /* NULL: none. Valid during the handler's first turn only: sessions end at any time */
    slice address;           /* the caller's */
    struct header headers[8];
    size_t n_headers;
};

enum { API_ANSWER_MAX = 64 << 20 };
struct jw api_json(struct api_call *c); /* an object is open */
void api_answer(struct api_call *c, struct jw *w); /* closes the object; with the operation's status */
void api_answer_json(struct api_call *c, int status, slice json);
void api_empty(struct api_call *c);
void api_header(struct api_call *c, const char *name, slice value);
/* ETag of a thing that is at revision rev. False: If-None-Match had it and 304 was answered. */
bool api_etag(struct api_call *c, int64_t rev);
/* The revision that If-Match wants; -1: any. False: it is none of ours, which 412 was answered. */
bool api_if_match(struct api_call *c, int64_t *ret_rev);
/* Query parameter as number; otherwise when absent. False: it is no number in the range, and that was answered. */
bool api_query_number(struct api_call *c, const char *name, int64_t min, int64_t max, int64_t otherwise, int64_t *ret);
slice api_query(struct api_call *c, const char *name); /* {NULL,0}: absent or empty */
/* A page of a list that is at hand: ?limit and ?after, the key of the last item of the page before.
 *
 *   if (!api_page(c, &page, 0)) return;
 *   for (…) if (api_page_has(&page, key, wanted)) …write it…
 *   jw_close(&w, ']');
 *   if (api_page_end(&page, &w)) api_answer(c, &w);
 *
 * Keys must stay until then. Every item is asked for, also those that are not wanted: the one the cursor names may be one of these by now. */
enum { API_PAGE_MAX = 500 };
struct api_page {
    struct api_call *c;
    slice after, last, next;
    int64_t left;
    bool begun;
};
bool api_page(struct api_call *c, struct api_page *ret, int64_t otherwise); /* otherwise: without ?limit; 0: all. False: answered */
bool api_page_has(struct api_page *p, slice key, bool wanted);
bool api_page_end(struct api_page *p, struct jw *w); /* writes "next". False: the cursor is none of this list (any more), which was answered */
/* Who tries to get in, by what is counted in attempts.h.
 *
 *   struct api_guess g = api_guess(c, SL("u"), user);
 *   if (api_slow_down(c, &g)) return;                       too many wrong ones: 429 was answered
 *   api_guessed(c, &g, right);
 *
 * Wrong ones lock out their own address: at once from this login, later from all. So nobody who knows a name can keep its owner out. Those of many addresses lock a login, too,
 * but not where it got in before. */
struct api_guess {
    slice here, anywhere, address; /* address: absent where it is that of a proxy, behind which everybody is */
};
struct api_guess api_guess(struct api_call *c, slice kind, slice name); /* kind: "u" (a login, whether it exists or not), "t" (a tenant's API user) */
bool api_slow_down(struct api_call *c, const struct api_guess *g);
void api_guessed(struct api_call *c, const struct api_guess *g, bool right);
void api_busy(struct api_call *c); /* 503: passwords.h refused */
void api_session_cookie(struct api_call *c, slice token, int64_t seconds); /* into the answer's head */
/* The address of the caller, without its port: as the proxy in front of us says, where there is one. */
slice api_caller(const struct api *api, const struct exchange *x);
/* What limits are counted by: of an IPv6 address its network, /64, all of which who has one has; else the address. */
slice api_network(struct arena *a, slice address);
/* Whose session's token is this? ROLE_NONE: nobody's. The user, in a. */
enum role api_token_role(struct api *api, slice token, struct arena *a, slice *ret_user);
slice api_cookie_token(const struct exchange *x); /* {NULL,0}: none */
/* The same by the session's cookie. ROLE_NONE, too, where something would change and the call does not come from a page of ours. */
enum role api_cookie_role(struct api *api, const struct exchange *x, struct arena *a, slice *ret_user);
/* "https://hub.example.com": how the API is reached from outside. */
slice api_root(const struct api *api);
#endif
