/* remote.h - a hub that is asked over its REST API, here or elsewhere; for commands, which wait for each answer.
 *
 *   struct remote *r = remote_open(a, &where, &f);              logs in
 *   struct remote_answer got;
 *   if (!remote_ask(r, "GET", "/tenants", SLICE_NONE, &got, &f)) … *f: what the hub said against it
 *   remote_close(r);                                            logs out
 */
#ifndef MAIN_REMOTE_H
#define MAIN_REMOTE_H
#include "base/base.h"
#include "wire/js.h"

struct log;
struct remote;
struct remote_where {
    const char *host;     /* "hub.example.com" (https), "http://127.0.0.1:8080" */
    const char *user, *password;
    const char *ca;       /* PEM file of a private authority; NULL: the system's */
    const struct log *log; /* NULL: none */
};
struct remote_answer {
    int status;
    slice body;
    const struct js *json; /* NULL: it is none */
};
struct remote *remote_open(struct arena *a, const struct remote_where *where, struct fault *f) MUST_USE;
/* body absent: none. False: no answer, or not 2xx. *ret is filled when there was an answer. */
bool remote_ask(struct remote *r, const char *method, const char *path, slice body, struct remote_answer *ret, struct fault *f) MUST_USE;
/* The same, only if what is changed is still at revision rev (-1: whatever it is). */
bool remote_change(struct remote *r, const char *method, const char *path, slice body, int64_t rev, struct remote_answer *ret, struct fault *f) MUST_USE;
void remote_close(struct remote *r); /* NULL is fine */
#endif
