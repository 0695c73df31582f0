/* backup.c - all that is configured over the API as one document that people can read, and back.
 *
 * Secrets are left out, or stand in it encrypted with a passphrase (passphrase.h). What stands in the configuration file is not restored: it is changed there.
 */
#include "api/audit.h"
#include "api/changes.h"
#include "api/desk/inside.h"
#include "api/logins.h"
#include "api/passphrase.h"
#include "api/session.h"
#include "api/settings.h"
#include "api/tenants.h"
#include "hub/responses.h"

#define BACKUP_FORMAT "dragoman-backup/1"
enum { BACKUP_MAX = 64 << 20 };

/* ---- backup ---------------------------------------------------------------------------------------------------------- */

static void write_tenants(struct api_call *c, struct jw *w, enum doc_secrets secrets)
{
    jw_open(w, "tenants", '[');
    for (size_t i = 0; i < registry_count(c->hub); i++) {
        const struct registry_entry *e = registry_at(c->hub, i);
        if (e->removed || !e->config || e->origin == TENANT_OF_FILE)
            continue;
        jw_open(w, NULL, '{');
        jw_str(w, "id", e->id);
        tenant_doc_write(w, e->config, secrets);
        jw_close(w, '}');
    }
    jw_close(w, ']');
}

static void write_logins(struct api_call *c, struct jw *w, enum doc_secrets secrets)
{
    jw_open(w, "logins", '[');
    for (const struct login *l = login_first(c->api->logins); l; l = l->next) {
        jw_open(w, NULL, '{');
        jw_str(w, "user", slice_of(l->user));
        jw_str(w, "role", slice_of(role_names[l->role]));
        if (secrets == DOC_SECRETS_SHOWN)
            jw_str(w, "hash", slice_of(l->hash));
        if (l->profile.n)
            jw_raw(w, "profile", l->profile);
        jw_close(w, '}');
    }
    jw_close(w, ']');
}

static void write_settings(struct api_call *c, struct jw *w, enum doc_secrets secrets)
{
    jw_open(w, "settings", '{');
    settings_document(c->api, w, secrets);
    jw_close(w, '}');
}

static void write_responses(struct api_call *c, struct jw *w)
{
    const struct own_response *const *all;
    size_t n = responses_own(c->hub, &all);
    jw_open(w, "responses", '[');
    for (size_t i = 0; i < n; i++) {
        jw_open(w, NULL, '{');
        own_response_write(w, all[i]);
        jw_close(w, '}');
    }
    jw_close(w, ']');
}

static void answer_backup(struct api_call *c, slice secrets)
{
    struct jw w = api_json(c);
    jw_str(&w, "format", SL(BACKUP_FORMAT));
    jw_time(&w, "made", time_now_ms());
    jw_str(&w, "version", SL(DRAGOMAN_VERSION));
    write_tenants(c, &w, DOC_SECRETS_HIDDEN);
    write_settings(c, &w, DOC_SECRETS_HIDDEN);
    write_logins(c, &w, DOC_SECRETS_HIDDEN);
    queues_write(call_desk(c)->queues, &w, "queues");
    write_responses(c, &w);
    jw_opt(&w, "secrets", secrets);
    audit_note(c, "backup", SL(""), secrets.n ? SL("{\"secrets\":true}") : SL("{\"secrets\":false}"));
    api_answer(c, &w);
}

void api_backup_get(struct api_call *c)
{
    answer_backup(c, SLICE_NONE);
}

static void closed(void *arg, slice text)
{
    struct api_call *c = arg;
    if (text.n && !c->api->stopped)
        answer_backup(c, arena_dup(c->a, text));
    else
        api_problem(c, 503, "busy", "passphrase", "there is no memory for the encryption now; try again");
}

void api_backup_make(struct api_call *c)
{
    struct jw w = jw_new(c->a, BACKUP_MAX);
    jw_open(&w, NULL, '{');
    write_tenants(c, &w, DOC_SECRETS_SHOWN);
    write_settings(c, &w, DOC_SECRETS_SHOWN);
    write_logins(c, &w, DOC_SECRETS_SHOWN);
    jw_close(&w, '}');
    passphrase_close(c->hub->loop, js_text(js_get(c->body, SL("passphrase"))), jw_done(&w), closed, c);
}

/* ---- restore --------------------------------------------------------------------------------------------------------- */

enum fate { MADE, CHANGED, SAME, REMOVED, SKIPPED, FATES };
static const char *const fates[FATES] = { "made", "changed", "same", "removed", "skipped" };

struct told {
    enum fate fate;
    slice name, why;
};
struct planned { /* of a dry run: what a tenant would be; all there are, and those that would be made */
    const struct registry_entry *e; /* NULL: it would be made */
    bool is; /* planned; else it stays as it is */
    const struct config_tenant *to; /* NULL: it would be removed */
};
struct restoring {
    struct api_call *c;
    const struct js *tenants, *settings, *logins; /* with secrets, where they could be opened */
    bool dry, replace;
    size_t next;
    struct js_list told; /* struct told */
    struct js_list planned; /* struct planned */
    struct js_list others; /* const struct registry_entry *: those to be removed */
    size_t next_other;
    struct config_problems problems;
    slice name;
    enum fate fate;
    size_t logins_done, queues_done, next_response;
    const struct js *queues, *responses;
    slice response; /* which is being changed */
    struct js_list responses_told; /* struct told: those that are not as they were */
    bool exact; /* the settings shall be those of the backup, and no others */
    enum fate settings_fate;
    slice settings_why;
};

static void step(void *arg);

static void tell(struct restoring *re, enum fate fate, slice name, slice why)
{
    *LIST_ADD(re->c->a, &re->told, struct told) = (struct told){ fate, arena_dup(re->c->a, name), arena_dup(re->c->a, why) };
}

static void changed(void *arg, const struct registry_entry *e, const struct fault *f)
{
    struct restoring *re = arg;
    if (e) {
        audit_note(re->c, re->fate == MADE ? "tenant.create" : re->fate == REMOVED ? "tenant.delete" : "tenant.change", e->slug, SL("{\"restore\":true}"));
        tell(re, re->fate, re->name, SLICE_NONE);
    } else {
        tell(re, SKIPPED, re->name, slice_of(f->text));
    }
    loop_defer(re->c->hub->loop, step, re); /* it may have been done at once: not one frame deeper for each */
}

static const struct registry_entry *known(struct restoring *re, const struct js *doc)
{
    slice id = js_text(js_get(doc, SL("id"))), name = js_text(js_get(doc, SL("name")));
    const struct registry_entry *e = id.n ? registry_find(re->c->hub, id) : NULL;
    return e || !name.n ? e : registry_find(re->c->hub, name);
}

static void plan(struct restoring *re, const struct registry_entry *e, const struct config_tenant *to)
{
    for (size_t i = 0; e && i < re->planned.n; i++) {
        struct planned *p = LIST_AT(re->planned, struct planned, i);
        if (p->e != e)
            continue;
        p->is = true;
        p->to = to;
        return;
    }
    *LIST_ADD(re->c->a, &re->planned, struct planned) = (struct planned){ e, true, to };
}

/* A bot, an app, a business or an integration that another tenant would have by then; absent: none. */
static slice planned_clash(struct restoring *re, const struct config_tenant *t, const struct registry_entry *old)
{
    for (size_t k = 0; k < re->planned.n; k++) {
        const struct planned *p = LIST_AT(re->planned, struct planned, k);
        const struct config_tenant *other = p->is ? p->to : p->e->removed ? NULL : p->e->config;
        for (size_t i = 0; other && (!old || p->e != old) && i < t->n_channels + CONFIG_DESKS; i++) {
            slice at = config_clash(re->c->a, t, i, other);
            if (at.n)
                return arena_printf(re->c->a, SLF ": %s", SLA(at), CONFIG_CLASH);
        }
    }
    return SLICE_NONE;
}

static const struct js *storage_named(const struct js *list, slice name)
{
    for (size_t i = 0; i < js_len(list); i++)
        if (slice_eq(js_text(js_get(js_item(list, i), SL("name"))), name))
            return js_item(list, i);
    return NULL;
}

/* Is what stands at path ("channels[0].storage") the name of a storage of the backup? */
static bool awaits_storage(struct restoring *re, const struct js *doc, slice path)
{
    struct text at = text_new(re->c->a, path.n + 1);
    for (size_t i = 0; i < path.n; i++)
        if (path.p[i] != ']')
            text_char(&at, path.p[i] == '[' ? '.' : path.p[i]);
    slice name = js_text(js_at(doc, arena_cstr(re->c->a, text_slice(&at))));
    return slice_ends(path, SL("storage")) && re->settings_fate != SKIPPED && storage_named(js_get(re->settings, SL("storages")), name);
}

/* True: something is under way that calls changed. */
static bool restore_tenant(struct restoring *re, const struct js *doc)
{
    struct api_call *c = re->c;
    const struct registry_entry *old = known(re, doc);
    slice text = tenant_strip(c->a, doc);
    re->name = arena_dup(c->a, js_text(js_get(doc, SL("name"))));
    if (old && old->origin == TENANT_OF_FILE) {
        tell(re, SKIPPED, re->name, SL("it stands in the configuration file"));
        return false;
    }
    struct config_problems p = { .a = c->a };
    const struct config_tenant *t = registry_check(c->hub, c->a, text, old, &p);
    if (!t && re->dry && p.n == 1 && awaits_storage(re, doc, p.items[0].path)) { /* which was only not made because nothing is done */
        tell(re, old ? CHANGED : MADE, re->name, SLICE_NONE);
        return false;
    }
    if (!t) {
        tell(re, SKIPPED, re->name, p.n ? arena_printf(c->a, SLF ": " SLF, SLA(p.items[0].path), SLA(p.items[0].text)) : SL("it is not valid"));
        return false;
    }
    struct jw scrap = jw_new(c->a, BACKUP_MAX);
    jw_open(&scrap, NULL, '[');
    re->fate = !old ? MADE : changes_write(&scrap, c->a, old->config, t) ? CHANGED : SAME;
    slice clash = re->dry && re->fate != SAME ? planned_clash(re, t, old) : SLICE_NONE;
    if (clash.n) {
        tell(re, SKIPPED, re->name, clash);
        return false;
    }
    if (re->fate == SAME || re->dry) {
        tell(re, re->fate, re->name, SLICE_NONE);
        plan(re, old, t);
        return false;
    }
    registry_put(c->hub, old, -1, text, c->user, NULL, changed, re);
    return true;
}

static bool in_backup(const struct js_list *known, const struct registry_entry *e)
{
    for (size_t i = 0; i < known->n; i++)
        if (*LIST_AT(*known, const struct registry_entry *, i) == e)
            return true;
    return false;
}

/* What stands here before anything is done: what would be, and what the backup does not have. */
static void look(struct restoring *re)
{
    struct js_list of_backup = { 0 }; /* const struct registry_entry * */
    for (size_t i = 0; re->replace && i < js_len(re->tenants); i++) {
        const struct registry_entry *e = known(re, js_item(re->tenants, i));
        if (e)
            *LIST_ADD(re->c->a, &of_backup, const struct registry_entry *) = e;
    }
    for (size_t i = 0; i < registry_count(re->c->hub); i++) {
        const struct registry_entry *e = registry_at(re->c->hub, i);
        if (re->dry)
            *LIST_ADD(re->c->a, &re->planned, struct planned) = (struct planned){ .e = e };
        if (re->replace && !e->removed && e->origin != TENANT_OF_FILE && !in_backup(&of_backup, e))
            *LIST_ADD(re->c->a, &re->others, const struct registry_entry *) = e;
    }
}

/* Tenants that the backup does not have. True: one is being removed. */
static bool remove_other(struct restoring *re)
{
    while (re->next_other < re->others.n) {
        const struct registry_entry *e = *LIST_AT(re->others, const struct registry_entry *, re->next_other++);
        if (e->removed) /* by somebody else */
            continue;
        re->name = arena_dup(re->c->a, e->name);
        re->fate = REMOVED;
        if (!re->dry) {
            registry_remove(re->c->hub, e, -1, re->c->user, changed, re);
            return true;
        }
        tell(re, REMOVED, re->name, SLICE_NONE);
        plan(re, e, NULL);
    }
    return false;
}

/* Logins come with their passwords' hashes (who logs in at a provider: with who that is there), or not at all. One's own stays as it is: who restores must not lock himself out. */
static void restore_logins(struct restoring *re)
{
    struct api_call *c = re->c;
    for (size_t i = 0; i < js_len(re->logins); i++) {
        const struct js *l = js_item(re->logins, i);
        slice user = js_text(js_get(l, SL("user"))), hash = js_text(js_get(l, SL("hash")));
        enum role role;
        const struct login *there = login_find(c->api->logins, user);
        bool good = login_user_ok(user) && role_of(js_text(js_get(l, SL("role"))), &role);
        const struct js *of = js_get(l, SL("profile"));
        struct login_profile is = { 0 };
        slice profile = of && login_profile_read(c->a, of, &is, NULL) ? js_print(c->a, of) : SLICE_NONE;
        bool provider = slice_eq(hash, SL(LOGIN_NO_PASSWORD)) && profile.n && is.oidc.n;
        good = good && (provider || slice_starts(hash, SL("$argon2id$"))) && profile.n <= LOGIN_PROFILE_MAX;
        bool same = there && slice_eq(slice_of(there->hash), hash) && good && there->role == role && (!profile.n || slice_eq(profile, there->profile));
        if (!good || same || slice_eq(user, c->user) || (!there && logins_count(c->api->logins) >= LOGINS_MAX))
            continue;
        re->logins_done++;
        if (re->dry)
            continue;
        sessions_end(c->api->sessions, user);
        audit_note(c, there ? "login.change" : "login.create", user, SL("{\"restore\":true}"));
        login_put_profile(c->api->logins, user, role, hash, profile, NULL, NULL);
    }
}

/* ---- canned responses ------------------------------------------------------------------------------------------------ */

static void tell_response(struct restoring *re, enum fate fate, slice why)
{
    *LIST_ADD(re->c->a, &re->responses_told, struct told) = (struct told){ fate, arena_dup(re->c->a, re->response), why };
}

static void tell_response_refused(struct restoring *re, const struct fault *f)
{
    tell_response(re, SKIPPED, arena_printf(re->c->a, "%s%s%s", f->field, f->field[0] ? ": " : "", f->text));
}

static void response_changed(void *arg, const struct own_response *o, const struct fault *f)
{
    struct restoring *re = arg;
    if (f)
        tell_response_refused(re, f);
    else
        tell_response(re, re->fate, SLICE_NONE);
    if (o && !f)
        audit_note(re->c, re->fate == MADE ? "response.create" : "response.change", re->response, SL("{\"restore\":true}"));
    else if (!f)
        audit_note(re->c, "response.delete", re->response, SL("{\"restore\":true}"));
    loop_defer(re->c->hub->loop, step, re);
}

/* True: something is under way that calls response_changed. */
static bool restore_response(struct restoring *re, const struct js *doc)
{
    struct api_call *c = re->c;
    slice name = js_text(js_get(doc, SL("name")));
    const struct own_response *there = response_own(c->hub, name);
    if (there) {
        struct jw w = jw_new(c->a, BACKUP_MAX);
        jw_open(&w, NULL, '{');
        own_response_write(&w, there);
        jw_close(&w, '}');
        if (js_equal(js_parse(c->a, jw_done(&w), NULL), doc))
            return false;
    }
    re->response = name;
    re->fate = there ? CHANGED : MADE;
    struct fault f = { 0 };
    if (!schema_fits(c->a, "ResponseDocument", doc, &f) || (re->dry && !response_check(c->hub, there, doc, &f))) {
        tell_response_refused(re, &f);
        return false;
    }
    if (re->dry) {
        tell_response(re, re->fate, SLICE_NONE);
        return false;
    }
    response_put(c->hub, there, doc, c->user, response_changed, re);
    return true;
}

static bool response_listed(const struct js *list, slice name)
{
    for (size_t i = 0; i < js_len(list); i++)
        if (slice_eq_nocase(js_text(js_get(js_item(list, i), SL("name"))), name))
            return true;
    return false;
}

static bool response_told(const struct restoring *re, slice name)
{
    for (size_t i = 0; i < re->responses_told.n; i++)
        if (slice_eq(LIST_AT(re->responses_told, struct told, i)->name, name))
            return true;
    return false;
}

/* Those that the backup does not have. True: one is being removed. */
static bool remove_response(struct restoring *re)
{
    const struct own_response *const *all;
    size_t n = responses_own(re->c->hub, &all);
    for (size_t i = 0; re->replace && js_is_array(re->responses) && i < n; i++) {
        if (response_listed(re->responses, all[i]->r.name) || response_told(re, all[i]->r.name))
            continue;
        re->response = arena_dup(re->c->a, all[i]->r.name);
        re->fate = REMOVED;
        if (re->dry) {
            tell_response(re, REMOVED, SLICE_NONE);
            continue;
        }
        response_remove(re->c->hub, all[i], response_changed, re);
        return true;
    }
    return false;
}

/* ---- all of it ------------------------------------------------------------------------------------------------------- */

static void write_told(struct jw *w, const struct told *t)
{
    jw_open(w, NULL, '{');
    jw_str(w, "name", t->name);
    jw_str(w, "fate", slice_of(fates[t->fate]));
    jw_opt(w, "why", t->why);
    jw_close(w, '}');
}

static void answer_restore(struct restoring *re)
{
    struct jw w = api_json(re->c);
    jw_bool(&w, "dry_run", re->dry);
    jw_open(&w, "tenants", '[');
    for (size_t i = 0; i < re->told.n; i++)
        write_told(&w, LIST_AT(re->told, struct told, i));
    jw_close(&w, ']');
    jw_str(&w, "settings", slice_of(fates[re->settings_fate]));
    jw_opt(&w, "settings_why", re->settings_why);
    jw_int(&w, "logins", (int64_t)re->logins_done);
    jw_int(&w, "queues", (int64_t)re->queues_done);
    jw_open(&w, "responses", '[');
    for (size_t i = 0; i < re->responses_told.n; i++)
        write_told(&w, LIST_AT(re->responses_told, struct told, i));
    jw_close(&w, ']');
    api_answer(re->c, &w);
}

static const struct js *settings_now(struct restoring *re, enum doc_secrets secrets)
{
    struct jw w = jw_new(re->c->a, BACKUP_MAX);
    jw_open(&w, NULL, '{');
    settings_document(re->c->api, &w, secrets);
    jw_close(&w, '}');
    return js_parse(re->c->a, jw_done(&w), NULL);
}

/* Those of the backup; and storages it does not have, because tenants that are here may name them. */
static const struct js *settings_wanted(struct restoring *re)
{
    const struct js *now = js_get(settings_now(re, DOC_SECRETS_HIDDEN), SL("storages")), *theirs = js_get(re->settings, SL("storages"));
    struct jw w = jw_new(re->c->a, BACKUP_MAX);
    if (re->exact)
        return re->settings;
    jw_open(&w, NULL, '{');
    for (void *it = js_first(re->settings); it; it = js_next(re->settings, it)) {
        if (slice_eq(js_key(re->settings, it), SL("storages")))
            continue;
        jw_key(&w, js_key(re->settings, it));
        jw_value(&w, NULL, js_value(it));
    }
    jw_open(&w, "storages", '[');
    for (size_t i = 0; i < js_len(theirs); i++)
        jw_value(&w, NULL, js_item(theirs, i));
    for (size_t i = 0; i < js_len(now); i++)
        if (!storage_named(theirs, js_text(js_get(js_item(now, i), SL("name")))))
            jw_value(&w, NULL, js_item(now, i));
    jw_close(&w, ']');
    jw_close(&w, '}');
    return js_parse(re->c->a, jw_done(&w), NULL);
}

static void settings_refused(struct restoring *re, const char *text)
{
    const struct config_problems *p = &re->problems;
    re->settings_fate = SKIPPED;
    re->settings_why = p->n ? arena_printf(re->c->a, SLF ": " SLF, SLA(p->items[0].path), SLA(p->items[0].text)) : arena_printf(re->c->a, "%s", text);
}

static void settings_done(void *arg, const struct fault *f)
{
    struct restoring *re = arg;
    if (!f && re->settings_fate != SKIPPED)
        re->settings_fate = CHANGED;
    if (f)
        settings_refused(re, f->text);
    loop_defer(re->c->hub->loop, step, re);
}

/* What is as it was is not written again. */
static void restore_settings(struct restoring *re)
{
    const struct js *wanted = js_is_object(re->settings) ? settings_wanted(re) : NULL;
    re->problems = (struct config_problems){ .a = re->c->a };
    bool same = !wanted || js_equal(settings_now(re, DOC_SECRETS_SHOWN), wanted) || js_equal(settings_now(re, DOC_SECRETS_HIDDEN), wanted);
    if (!same && !re->dry) {
        settings_change(re->c, wanted, &re->problems, settings_done, re);
        return;
    }
    if (!same && !settings_check(re->c->api, wanted, &re->problems))
        settings_refused(re, "the settings are not valid");
    else if (!same)
        re->settings_fate = CHANGED;
    step(re);
}

static void step(void *arg)
{
    struct restoring *re = arg;
    if (!re->c->api->stopped && remove_other(re)) /* first: those of the backup may have their names, bots and apps from now on */
        return;
    if (!re->c->api->stopped && re->next < js_len(re->tenants)) {
        if (!restore_tenant(re, js_item(re->tenants, re->next++)))
            loop_defer(re->c->hub->loop, step, re); /* there may be a thousand of them: others have their turns between */
        return;
    }
    while (!re->c->api->stopped && re->next_response < js_len(re->responses))
        if (restore_response(re, js_item(re->responses, re->next_response++)))
            return;
    if (!re->c->api->stopped && remove_response(re))
        return;
    if (re->c->api->stopped) {
        api_not_stored(re->c, NULL);
        return;
    }
    if (re->replace && !re->exact && re->settings_fate != SKIPPED) { /* what only removed tenants named can go now */
        re->exact = true;
        restore_settings(re);
        return;
    }
    restore_logins(re);
    re->queues_done = queues_restore(re->c, re->queues, re->replace, re->dry);
    answer_restore(re);
}

static void begin(struct restoring *re)
{
    look(re);
    restore_settings(re);
}

static void opened(void *arg, slice plain)
{
    struct restoring *re = arg;
    struct fault f = { 0 };
    const struct js *doc = plain.p ? js_parse(re->c->a, arena_dup(re->c->a, plain), &f) : NULL;
    if (!doc) {
        api_problem(re->c, 400, "invalid", "passphrase", "it does not open the backup's secrets: another passphrase, or the backup is damaged");
        return;
    }
    re->tenants = js_get(doc, SL("tenants"));
    re->settings = js_get(doc, SL("settings"));
    re->logins = js_get(doc, SL("logins"));
    begin(re);
}

void api_restore(struct api_call *c)
{
    const struct js *backup = js_get(c->body, SL("backup"));
    slice passphrase = js_text(js_get(c->body, SL("passphrase"))), secrets = js_text(js_get(backup, SL("secrets")));
    struct restoring *re = ARENA_NEW(c->a, struct restoring);
    *re = (struct restoring){ .c = c, .settings_fate = SAME, .tenants = js_get(backup, SL("tenants")), .settings = js_get(backup, SL("settings")), .logins = js_get(backup, SL("logins")), .queues = js_get(backup, SL("queues")),
                              .responses = js_get(backup, SL("responses")),
                              .dry = js_true(js_get(c->body, SL("dry_run"))), .replace = js_true(js_get(c->body, SL("replace"))) };
    if (!slice_eq(js_text(js_get(backup, SL("format"))), SL(BACKUP_FORMAT)) || !js_is_array(re->tenants))
        api_problem(c, 400, "invalid", "backup.format", "this is no backup of this program (%s)", BACKUP_FORMAT);
    else if (passphrase.n && !secrets.n)
        api_problem(c, 400, "invalid", "passphrase", "the backup was made without secrets");
    else if (passphrase.n)
        passphrase_open(c->hub->loop, passphrase, secrets, opened, re);
    else
        begin(re); /* first: tenants may name its storages */
}
