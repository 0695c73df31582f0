#include "api/logins.h"
#include "api/call.h"
#include "api/password.h"
#include "store/store.h"
#include "wire/url.h"
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#define KEY_PREFIX "login:"
enum { STORED_MAX = LOGIN_PROFILE_MAX + 2048, NAME_BYTES_MAX = 256, NAME_CHARS_MAX = 200, SLOTS = 1024 };

struct logins {
    struct api *api;
    struct login *first, *slots[SLOTS];
    size_t n;
    char *first_user; /* the first administrator, while the password is being hashed */
};

bool role_of(slice name, enum role *ret)
{
    for (size_t i = ROLE_NONE + 1; i < ROLES; i++) {
        if (slice_eq(slice_of(role_names[i]), name)) {
            *ret = (enum role)i;
            return true;
        }
    }
    return false;
}

static char *copy(slice s)
{
    char *p = must_calloc(1, s.n + 1);
    memcpy(p, s.p ? s.p : "", s.n);
    return p;
}

/* Where it is, or where it belongs. */
static struct login **place(struct logins *ls, slice user)
{
    struct login **at = &ls->first;
    while (*at && slice_cmp(slice_of((*at)->user), user) < 0)
        at = &(*at)->next;
    return at;
}

const struct login *login_find(const struct logins *ls, slice user)
{
    for (const struct login *l = ls->slots[slice_hash(user) % SLOTS]; l; l = l->hash_next)
        if (slice_eq(slice_of(l->user), user))
            return l;
    return NULL;
}

const struct login *login_first(const struct logins *ls)
{
    return ls->first;
}

size_t logins_count(const struct logins *ls)
{
    return ls->n;
}

size_t logins_administrators(const struct logins *ls)
{
    size_t n = 0;
    for (const struct login *l = ls->first; l; l = l->next)
        n += l->role == ROLE_ADMINISTRATOR;
    return n;
}

bool login_user_ok(slice user)
{
    return url_name_ok(user, LOGIN_USER_MAX, LOGIN_USER_NONE_OF);
}

/* ---- profiles ---------------------------------------------------------------------------------------------------------- */

static bool read_queues(struct arena *a, const struct js *list, struct login_profile *ret, struct fault *f)
{
    if (list && (!js_is_array(list) || js_len(list) > LOGIN_LIST_MAX))
        return fault(f, "wrong_type", "queues", "must be a list of at most %d names", LOGIN_LIST_MAX);
    for (size_t i = 0; i < js_len(list); i++) {
        slice name = js_text(js_item(list, i));
        if (!name.n || name.n > NAME_BYTES_MAX)
            return fault(f, "wrong_type", "queues", "must be a list of names");
        *LIST_ADD(a, &ret->queues, slice) = name;
    }
    return true;
}

static bool read_skills(struct arena *a, const struct js *map, struct login_profile *ret, struct fault *f)
{
    if (map && (!js_is_object(map) || js_len(map) > LOGIN_LIST_MAX))
        return fault(f, "wrong_type", "skills", "must be an object of at most %d levels", LOGIN_LIST_MAX);
    for (void *it = map ? js_first(map) : NULL; it; it = js_next(map, it)) {
        struct login_skill skill = { .name = js_key(map, it) };
        if (!skill.name.n || skill.name.n > NAME_BYTES_MAX || !js_int(js_value(it), &skill.level) || skill.level < 1 || skill.level > LOGIN_LEVEL_MAX)
            return fault(f, "out_of_range", "skills", "each has a name and a level from 1 to %d", LOGIN_LEVEL_MAX);
        *LIST_ADD(a, &ret->skills, struct login_skill) = skill;
    }
    return true;
}

bool login_profile_read(struct arena *a, const struct js *doc, struct login_profile *ret, struct fault *f)
{
    const struct js *chat = js_at(doc, "capacity.chat");
    *ret = (struct login_profile){ .display_name = js_text(js_get(doc, SL("display_name"))), .email = js_text(js_get(doc, SL("email"))), .oidc = js_text(js_get(doc, SL("oidc"))), .capacity = LOGIN_CAPACITY };
    bool long_email = utf8_len(ret->email) > NAME_CHARS_MAX;
    if (long_email || utf8_len(ret->display_name) > NAME_CHARS_MAX)
        return fault(f, "out_of_range", long_email ? "email" : "display_name", "must have at most %d characters", NAME_CHARS_MAX);
    if (chat && (!js_int(chat, &ret->capacity) || ret->capacity < 0 || ret->capacity > LOGIN_CAPACITY_MAX))
        return fault(f, "out_of_range", "capacity.chat", "must be 0 to %d", LOGIN_CAPACITY_MAX);
    return read_queues(a, js_get(doc, SL("queues")), ret, f) && read_skills(a, js_get(doc, SL("skills")), ret, f);
}

slice login_name(const struct login *l)
{
    return slice_or(l->is.display_name, slice_of(l->user));
}

static void set_profile(struct login *l, slice profile)
{
    struct arena *a = arena_new();
    struct fault f;
    const struct js *doc = profile.n ? js_parse(a, arena_dup(a, profile), NULL) : NULL;
    struct login_profile is;
    if (!login_profile_read(a, doc, &is, &f)) /* written by ourselves */
        is = (struct login_profile){ .capacity = LOGIN_CAPACITY };
    arena_free(l->a);
    l->a = a;
    l->profile = doc ? js_print(a, doc) : SLICE_NONE;
    l->is = is;
}

static struct login *put(struct logins *ls, slice user, enum role role, slice hash)
{
    struct login **at = place(ls, user), *l = *at;
    if (!l || !slice_eq(slice_of(l->user), user)) {
        l = must_calloc(1, sizeof(*l));
        l->user = copy(user);
        l->hash = copy(SL(""));
        set_profile(l, SLICE_NONE);
        l->next = *at;
        *at = l;
        struct login **slot = &ls->slots[slice_hash(user) % SLOTS];
        l->hash_next = *slot;
        *slot = l;
        ls->n++;
    }
    l->role = role;
    if (hash.n) {
        free(l->hash);
        l->hash = copy(hash);
    }
    return l;
}

static void drop(struct logins *ls, struct login **at)
{
    struct login *l = *at, **slot = &ls->slots[slice_hash(slice_of(l->user)) % SLOTS];
    while (*slot != l)
        slot = &(*slot)->hash_next;
    *slot = l->hash_next;
    *at = l->next;
    free(l->user);
    free(l->hash);
    arena_free(l->a);
    free(l);
    ls->n--;
}

static slice key_of(struct arena *a, slice user)
{
    return arena_printf(a, KEY_PREFIX SLF, SLA(user));
}

void login_put(struct logins *ls, slice user, enum role role, slice hash, store_done done, void *arg)
{
    login_put_profile(ls, user, role, hash, SLICE_NONE, done, arg);
}

void login_put_profile(struct logins *ls, slice user, enum role role, slice hash, slice profile, store_done done, void *arg)
{
    CLEANUP(arena_freep) struct arena *a = arena_new();
    struct login *l = put(ls, user, role, hash);
    l->changed_ms = MAX(time_now_ms(), l->changed_ms + 1);
    if (profile.n)
        set_profile(l, profile);
    l->created_ms = l->created_ms ? l->created_ms : l->changed_ms;
    struct jw w = jw_new(a, STORED_MAX);
    jw_open(&w, NULL, '{');
    jw_str(&w, "role", slice_of(role_names[role]));
    jw_str(&w, "hash", slice_of(l->hash));
    jw_int(&w, "created", l->created_ms);
    jw_int(&w, "changed", l->changed_ms);
    if (l->profile.n)
        jw_raw(&w, "profile", l->profile);
    jw_close(&w, '}');
    store_put(ls->api->hub->store, &(struct store_pair){ key_of(a, user), jw_done(&w) }, 1, done, arg);
}

void login_remove(struct logins *ls, slice user, store_done done, void *arg)
{
    CLEANUP(arena_freep) struct arena *a = arena_new();
    slice key = key_of(a, user);
    struct login **at = place(ls, user);
    if (*at && slice_eq(slice_of((*at)->user), user))
        drop(ls, at);
    store_put(ls->api->hub->store, &(struct store_pair){ key, SLICE_NONE }, 1, done, arg);
}

static void read_one(void *arg, slice key, slice value)
{
    struct logins *ls = arg;
    CLEANUP(arena_freep) struct arena *a = arena_new();
    const struct js *doc = js_parse(a, value, NULL);
    enum role role;
    slice hash = js_text(js_get(doc, SL("hash")));
    if (!hash.n || !role_of(js_text(js_get(doc, SL("role"))), &role))
        return; /* written by ourselves; what cannot be read lets nobody in */
    struct login *l = put(ls, slice_from(key, sizeof(KEY_PREFIX) - 1), role, hash);
    if (!js_int(js_get(doc, SL("created")), &l->created_ms) || !js_int(js_get(doc, SL("changed")), &l->changed_ms))
        l->created_ms = l->changed_ms = 0;
    const struct js *profile = js_get(doc, SL("profile"));
    if (profile)
        set_profile(l, js_print(a, profile));
}

struct logins *logins_new(struct api *api)
{
    struct logins *ls = must_calloc(1, sizeof(*ls));
    ls->api = api;
    store_scan(api->hub->store, SL(KEY_PREFIX), LOGINS_MAX, read_one, NULL, ls);
    return ls;
}

void logins_free(struct logins *ls)
{
    if (!ls)
        return;
    while (ls->first)
        drop(ls, &ls->first);
    free(ls->first_user);
    free(ls);
}

/* ---- the first administrator ----------------------------------------------------------------------------------------- */

static void first_stored(void *arg, const struct fault *f)
{
    struct logins *ls = arg;
    if (f)
        log_end(log_begin_fault(ls->api->hub->log, LEVEL_ERROR, f, "The first administrator could not be stored"));
}

static void first_hashed(void *arg, slice hash)
{
    struct logins *ls = arg;
    if (ls->api->stopped)
        return; /* the next start makes it */
    if (hash.n)
        login_put(ls, slice_of(ls->first_user), ROLE_ADMINISTRATOR, hash, first_stored, ls);
    else
        log_note(ls->api->hub->log, LEVEL_ERROR, "The first administrator's password could not be hashed: no memory");
}

static bool write_password(struct logins *ls, slice password, struct fault *f)
{
    slice path = arena_printf(ls->api->a, SLF "/admin.password", SLA(ls->api->setup.data));
    int fd = open(path.p, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    bool ok = fd >= 0 && fchmod(fd, 0600) == 0 && write(fd, password.p, password.n) == (ssize_t)password.n && write(fd, "\n", 1) == 1 && fsync(fd) == 0;
    if (!ok)
        fault(f, "storage", "data", "cannot write %s: %s", path.p, strerror(errno));
    if (fd >= 0)
        close(fd);
    return ok;
}

bool logins_first(struct logins *ls, struct fault *f)
{
    const struct api_setup *setup = &ls->api->setup;
    slice password = setup->admin_password;
    if (ls->n)
        return true;
    if (!login_user_ok(setup->admin_user))
        return fault(f, "invalid", "admin.user", LOGIN_USER_RULE, LOGIN_USER_MAX);
    if (password.n) {
        if (!password_good(password, setup->admin_user, f)) {
            memcpy(f->field, "admin.password", sizeof("admin.password"));
            return false;
        }
    } else {
        password = password_make(ls->api->a);
        if (!write_password(ls, password, f))
            return false;
        fprintf(stderr, "dragoman: the first administrator is \"" SLF "\" with the password " SLF " (also in " SLF "/admin.password; delete that file)\n",
                SLA(setup->admin_user), SLA(password), SLA(setup->data));
    }
    ls->first_user = copy(setup->admin_user);
    return passwords_hash(ls->api->passwords, password, first_hashed, ls) || fault(f, "out_of_range", "admin.password", "is too long");
}
