/* url.h - addresses taken apart and put together (RFC 3986), and form texts.
 *
 *   struct url u;
 *   if (!url_parse(a, text, &u, f))
 *       return false;
 *   slice text = url_print(a, &u);
 *
 * Shape      scheme and host in lower case; an IPv6 host without its brackets; path at least "/"; query and fragment
 *            absent or without their '?' and '#'. Bytes of other scripts and the characters "<>^`{|} in path, query and
 *            fragment become percent escapes, so that what url_print gives is plain ASCII.
 * Errors     "bad_url": no scheme or host, a user name or password, white space, control characters, a backslash, a
 *            broken percent escape, a port out of range, longer than URL_BYTES_MAX.
 * Ownership  results live in the arena or point into the text given.
 * Safety     nothing here looks a name up: whether a host's address may be reached is the client's question.
 */
#ifndef WIRE_URL_H
#define WIRE_URL_H
#include "base/base.h"

enum { URL_BYTES_MAX = 16384, FORM_PAIRS_MAX = 1000 };

struct url {
    slice scheme, host, path, query, fragment;
    int port;    /* as written, or the scheme's own; 0: the scheme has none */
    bool host_v6;
};

bool url_parse(struct arena *a, slice text, struct url *ret, struct fault *f) MUST_USE;
slice url_print(struct arena *a, const struct url *u) MUST_USE; /* the port only where it is not the scheme's own */
/* Where a reference (absolute, "//host/…", "/path", "../x", "?q", "#f") leads from base. */
bool url_join(struct arena *a, const struct url *base, slice reference, struct url *ret, struct fault *f) MUST_USE;
bool url_same_origin(const struct url *a, const struct url *b); /* scheme, host and port */
bool url_same_host(const struct url *a, const struct url *b);   /* scheme and host */
bool host_in_domain(slice host, slice domain);                  /* the domain itself or a name below it */
slice url_origin(struct arena *a, const struct url *u) MUST_USE; /* "https://example.com" */

/* Everything but letters, digits and -._~ escaped; url_encode_path leaves '/' as well. */
slice url_encode(struct arena *a, slice s) MUST_USE;
slice url_encode_path(struct arena *a, slice s) MUST_USE;
bool url_is_dots(slice s); /* "." or "..": what is called so, no path can name, however it is encoded */
/* Can people and addresses call something so? 1 to max bytes of UTF-8, no spaces or control characters, none of these ASCII characters, neither "." nor "..". */
bool url_name_ok(slice name, size_t max, const char *none_of);
slice url_decode(struct arena *a, slice s) MUST_USE; /* {NULL,0} for a broken escape; '+' stays '+' */
/* What stands between the slashes of a path, decoded. False: one of them is empty or broken, or there are more than max. */
bool url_words(struct arena *a, slice path, slice *words, size_t max, size_t *ret_n) MUST_USE;

/* application/x-www-form-urlencoded, which is also how queries are written. */
void form_add(struct text *t, slice key, slice value);  /* with '&' before all but the first; a space is '+' */
void query_add(struct text *t, slice key, slice value); /* the same with %20 */
struct form_pair {
    slice key, value;
};
struct form {
    struct form_pair *pairs;
    size_t n;
};
/* "bad_form": a broken escape or more than FORM_PAIRS_MAX pairs. A name without '=' has the value "". */
bool form_parse(struct arena *a, slice text, struct form *ret, struct fault *f) MUST_USE;
slice form_value(const struct form *form, slice key); /* the first of that name, {NULL,0} if there is none */
/* One value without the rest; {NULL,0} if absent or broken. */
slice form_get(struct arena *a, slice text, slice key) MUST_USE;
#endif
