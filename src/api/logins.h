/* logins.h - who can log in: name, role, argon2id hash, and what the built-in desk knows of them as agents. All in memory (they are few), durable in the store under "login:" + name.
 *
 * The first administrator is made when there is no login at all: with the password of the setting admin.password, which must be good, or with one
 * that is made, printed once on the terminal and written to <data>/admin.password (mode 0600) for who does not see the terminal.
 */
#ifndef API_LOGINS_H
#define API_LOGINS_H
#include "api/operation.h"

enum { LOGINS_MAX = 1000, LOGIN_USER_MAX = 64, LOGIN_PROFILE_MAX = 16384, LOGIN_LIST_MAX = 100, LOGIN_LEVEL_MAX = 10, LOGIN_CAPACITY = 5, LOGIN_CAPACITY_MAX = 100 };
struct api;
struct logins;
struct login_skill {
    slice name;
    int64_t level; /* 1 to LOGIN_LEVEL_MAX */
};
/* {"display_name":…,"email":…,"queues":[…],"skills":{name:level},"capacity":{"chat":n}} */
struct login_profile {
    slice display_name, email;
    struct js_list queues; /* slice; none: all of them */
    struct js_list skills; /* struct login_skill */
    int64_t capacity;      /* conversations at a time */
    slice oidc;            /* who it is at the OpenID Connect provider; absent: nobody */
};
#define LOGIN_NO_PASSWORD "oidc" /* in place of the hash of who logs in at the OpenID Connect provider: no password fits it */
struct login {
    struct login *next, *hash_next;
    char *user, *hash; /* hash "": being made for the first time */
    enum role role;
    int64_t created_ms, changed_ms; /* changed_ms grows with each change */
    struct arena *a;   /* of the profile */
    slice profile;     /* as stored */
    struct login_profile is;
};
struct logins *logins_new(struct api *api) MUST_USE; /* reads those of the store; before store_start */
void logins_free(struct logins *ls);
bool logins_first(struct logins *ls, struct fault *f) MUST_USE;
const struct login *login_find(const struct logins *ls, slice user); /* NULL: there is none */
bool login_user_ok(slice user);                                      /* may somebody be called so? */
#define LOGIN_USER_NONE_OF ":/\\\"<>"
#define LOGIN_USER_RULE "must be 1 to %d bytes without spaces and none of " LOGIN_USER_NONE_OF ", and neither . nor .." /* LOGIN_USER_MAX: what is told when it is not */
const struct login *login_first(const struct logins *ls);            /* in order of names; then ->next */
size_t logins_count(const struct logins *ls);
size_t logins_administrators(const struct logins *ls);
/* Makes or changes one, in memory and durably; hash absent: stays. done(arg, fault or NULL) when it is stored. */
void login_put(struct logins *ls, slice user, enum role role, slice hash, void (*done)(void *arg, const struct fault *f), void *arg);
/* The same with another profile (JSON); absent: stays. */
void login_put_profile(struct logins *ls, slice user, enum role role, slice hash, slice profile, void (*done)(void *arg, const struct fault *f), void *arg);
/* In a. False: *f says which member is wrong. */
bool login_profile_read(struct arena *a, const struct js *doc, struct login_profile *ret, struct fault *f) MUST_USE;
slice login_name(const struct login *l); /* as people call them */
void login_remove(struct logins *ls, slice user, void (*done)(void *arg, const struct fault *f), void *arg);
bool role_of(slice name, enum role *ret); /* of a name of role_names, but not "none" */
#endif
