#include "api/tenants.h"
#include "api/audit.h"
#include "api/changes.h"
#include "api/passphrase.h"

enum { PAGE = 50, DETAIL_MAX = 4096 };

/* Members that only come out: sent back they mean nothing. */
static const char *const facts[] = { "slug", "origin", "rev", "changed", "changed_by", "read_only", "problem" };

/* ---- documents ------------------------------------------------------------------------------------------------------- */

void tenant_write(struct jw *w, const struct registry_entry *e)
{
    static const char *const origins[] = { [TENANT_OF_FILE] = "file", [TENANT_OF_STORE] = "store" };
    jw_str(w, "id", e->id);
    jw_str(w, "slug", e->slug);
    jw_str(w, "origin", slice_of(origins[e->origin]));
    jw_int(w, "rev", e->rev);
    jw_time(w, "changed", e->changed_ms);
    jw_str(w, "changed_by", e->by);
    jw_bool(w, "read_only", e->origin == TENANT_OF_FILE);
    if (e->fault.code)
        jw_str(w, "problem", slice_of(e->fault.text));
    if (e->config)
        tenant_doc_write(w, e->config, DOC_SECRETS_HIDDEN);
    else
        jw_str(w, "name", e->name);
}

slice tenant_document(struct arena *a, const struct registry_entry *e, enum doc_secrets secrets)
{
    struct jw w = jw_new(a, TENANT_DOC_MAX);
    jw_open(&w, NULL, '{');
    jw_str(&w, "id", e->id);
    tenant_doc_write(&w, e->config, secrets);
    jw_close(&w, '}');
    return jw_done(&w);
}

static bool is_fact(slice name)
{
    for (size_t i = 0; i < COUNT(facts); i++)
        if (slice_eq(slice_of(facts[i]), name))
            return true;
    return false;
}

slice tenant_strip(struct arena *a, const struct js *doc)
{
    struct jw w = jw_new(a, TENANT_DOC_MAX);
    jw_open(&w, NULL, '{');
    for (void *it = js_first(doc); it; it = js_next(doc, it)) {
        if (is_fact(js_key(doc, it)))
            continue;
        jw_key(&w, js_key(doc, it));
        jw_value(&w, NULL, js_value(it));
    }
    jw_close(&w, '}');
    return jw_done(&w);
}

/* RFC 7386, but that null stays in the document: there it says that a secret is to be removed, and of other members that they are absent. */
static void merge(struct jw *w, const struct js *to, const struct js *patch)
{
    if (!js_is_object(patch)) {
        jw_value(w, NULL, patch);
        return;
    }
    bool object = js_is_object(to);
    jw_open(w, NULL, '{');
    for (void *it = object ? js_first(to) : NULL; it; it = js_next(to, it)) {
        slice key = js_key(to, it);
        const struct js *change = js_get(patch, key);
        jw_key(w, key);
        if (change)
            merge(w, js_value(it), change);
        else
            jw_value(w, NULL, js_value(it));
    }
    for (void *it = js_first(patch); it; it = js_next(patch, it)) {
        slice key = js_key(patch, it);
        if (object && js_get(to, key))
            continue;
        jw_key(w, key);
        merge(w, NULL, js_value(it));
    }
    jw_close(w, '}');
}

/* ---- answers --------------------------------------------------------------------------------------------------------- */

static void gather_problems(struct problems *to, const struct config_problems *from)
{
    for (size_t i = 0; i < from->n; i++)
        problem_add(to, from->items[i].path, SLF, SLA(from->items[i].text));
}

void config_problems_answer(struct api_call *c, const struct config_problems *p)
{
    struct problems out = { .a = c->a };
    gather_problems(&out, p);
    api_problems(c, 400, "invalid", &out);
}

void tenant_fault(struct api_call *c, const struct config_problems *p, const struct fault *f)
{
    static const struct {
        const char *code;
        int status;
    } ends[] = { { "invalid", 400 }, { "read_only", 409 }, { "changed", 412 }, { "too_many", 409 } };
    if (p && p->n) {
        config_problems_answer(c, p);
        return;
    }
    for (size_t i = 0; i < COUNT(ends); i++) {
        if (strcmp(ends[i].code, f->code) == 0) {
            api_fault(c, ends[i].status, f);
            return;
        }
    }
    api_not_stored(c, f);
}

static void answer_tenant(struct api_call *c, const struct registry_entry *e)
{
    if (!api_etag(c, e->rev))
        return;
    struct jw w = api_json(c);
    tenant_write(&w, e);
    api_answer(c, &w);
}

static const struct registry_entry *tenant_of_path(struct api_call *c)
{
    const struct registry_entry *e = registry_find(c->hub, c->params[0]);
    if (!e)
        api_not_found(c, "tenant", c->params[0]);
    return e;
}

/* ---- reading --------------------------------------------------------------------------------------------------------- */

static bool holds(slice s, slice q)
{
    for (size_t i = 0; i + q.n <= s.n; i++)
        if (slice_eq_nocase(slice_sub(s, i, q.n), q))
            return true;
    return false;
}

static bool asked_for(const struct registry_entry *e, slice q)
{
    return !e->removed && (!q.n || holds(e->name, q) || holds(e->slug, q) || holds(e->id, q));
}

void api_tenants_list(struct api_call *c)
{
    struct api_page page;
    slice q = api_query(c, "q");
    if (!api_page(c, &page, PAGE))
        return;
    struct jw w = api_json(c);
    jw_open(&w, "items", '[');
    for (size_t i = 0; i < registry_count(c->hub); i++) {
        const struct registry_entry *e = registry_at(c->hub, i);
        if (!api_page_has(&page, e->id, asked_for(e, q)))
            continue;
        jw_open(&w, NULL, '{');
        tenant_write(&w, e);
        jw_close(&w, '}');
    }
    jw_close(&w, ']');
    if (api_page_end(&page, &w))
        api_answer(c, &w);
}

void api_tenants_get(struct api_call *c)
{
    const struct registry_entry *e = tenant_of_path(c);
    if (e)
        answer_tenant(c, e);
}

void api_tenants_check(struct api_call *c)
{
    slice known = api_query(c, "tenant");
    const struct registry_entry *old = known.n ? registry_find(c->hub, known) : NULL;
    if (known.n && !old) {
        api_not_found(c, "tenant", known);
        return;
    }
    struct config_problems p = { .a = c->a };
    const struct config_tenant *t = registry_check(c->hub, c->a, tenant_strip(c->a, c->body), old, &p);
    struct jw w = api_json(c);
    jw_bool(&w, "good", t != NULL);
    jw_open(&w, "problems", '[');
    for (size_t i = 0; i < p.n; i++) {
        jw_open(&w, NULL, '{');
        jw_str(&w, "field", p.items[i].path);
        jw_str(&w, "message", p.items[i].text);
        jw_close(&w, '}');
    }
    jw_close(&w, ']');
    jw_open(&w, "changes", '[');
    if (t)
        changes_write(&w, c->a, old ? old->config : NULL, t);
    jw_close(&w, ']');
    api_answer(c, &w);
}

/* ---- changing -------------------------------------------------------------------------------------------------------- */

struct changing {
    struct api_call *c;
    struct config_problems problems;
    const char *action;
    slice detail;
    slice target;
};

/* The top-level members that a document gives other values than before: their names, never their values. */
static slice changed_members(struct arena *a, const struct registry_entry *old, const struct js *doc)
{
    struct fault f;
    const struct js *before = old && old->config ? js_parse(a, tenant_document(a, old, DOC_SECRETS_HIDDEN), &f) : NULL;
    struct jw w = jw_new(a, DETAIL_MAX);
    jw_open(&w, NULL, '{');
    jw_open(&w, "members", '[');
    for (void *it = js_first(doc); it; it = js_next(doc, it)) {
        const struct js *was = js_get(before, js_key(doc, it));
        if (!is_fact(js_key(doc, it)) && !(was && js_equal(was, js_value(it))))
            jw_str(&w, NULL, js_key(doc, it));
    }
    jw_close(&w, ']');
    jw_close(&w, '}');
    return jw_done(&w);
}

static void changed(void *arg, const struct registry_entry *e, const struct fault *f)
{
    struct changing *ch = arg;
    struct api_call *c = ch->c;
    if (!e) {
        tenant_fault(c, &ch->problems, f);
        return;
    }
    audit_note(c, ch->action, e->slug, ch->detail);
    if (c->op->status == 201)
        api_header(c, "Location", arena_printf(c->a, "/api/v1/tenants/" SLF, SLA(e->id)));
    answer_tenant(c, e);
}

static void change(struct api_call *c, const struct registry_entry *old, int64_t rev, slice doc, const struct js *said, const char *action)
{
    struct changing *ch = ARENA_NEW(c->a, struct changing);
    *ch = (struct changing){ .c = c, .problems = { .a = c->a }, .action = action, .detail = changed_members(c->a, old, said) };
    if (doc.p)
        registry_put(c->hub, old, rev, doc, c->user, &ch->problems, changed, ch);
    else
        api_problem(c, 413, "too_large", NULL, "the document is too large");
}

void api_tenants_create(struct api_call *c)
{
    change(c, NULL, -1, tenant_strip(c->a, c->body), c->body, "tenant.create");
}

void api_tenants_put(struct api_call *c)
{
    int64_t rev;
    const struct registry_entry *e = tenant_of_path(c);
    if (e && api_if_match(c, &rev))
        change(c, e, rev, tenant_strip(c->a, c->body), c->body, "tenant.change");
}

void api_tenants_patch(struct api_call *c)
{
    int64_t rev;
    struct fault f = { 0 };
    const struct registry_entry *e = tenant_of_path(c);
    if (!e || !api_if_match(c, &rev))
        return;
    const struct js *now = e->config ? js_parse(c->a, tenant_document(c->a, e, DOC_SECRETS_HIDDEN), &f) : NULL;
    if (!now) {
        api_problem(c, 409, "conflict", NULL, "this tenant cannot be read: send the whole document (PUT)");
        return;
    }
    struct jw w = jw_new(c->a, TENANT_DOC_MAX);
    merge(&w, now, js_parse(c->a, tenant_strip(c->a, c->body), &f));
    change(c, e, rev, jw_done(&w), c->body, "tenant.change");
}

static void removed(void *arg, const struct registry_entry *e, const struct fault *f)
{
    struct changing *ch = arg;
    if (!e) {
        tenant_fault(ch->c, NULL, f);
        return;
    }
    audit_note(ch->c, ch->action, ch->target, SLICE_NONE);
    api_empty(ch->c);
}

void api_tenants_delete(struct api_call *c)
{
    int64_t rev;
    const struct registry_entry *e = tenant_of_path(c);
    if (!e || !api_if_match(c, &rev))
        return;
    struct changing *ch = ARENA_NEW(c->a, struct changing);
    *ch = (struct changing){ .c = c, .action = "tenant.delete", .target = arena_dup(c->a, e->slug) };
    registry_remove(c->hub, e, rev, c->user, removed, ch);
}

/* ---- export and import ----------------------------------------------------------------------------------------------- */

#define EXPORT_FORMAT "dragoman-tenant/1"

static void answer_export(struct api_call *c, slice hidden, slice secrets)
{
    struct jw w = api_json(c);
    jw_str(&w, "format", SL(EXPORT_FORMAT));
    jw_time(&w, "made", time_now_ms());
    jw_str(&w, "version", SL(DRAGOMAN_VERSION));
    jw_raw(&w, "tenant", hidden);
    jw_opt(&w, "secrets", secrets);
    api_answer(c, &w);
}

struct moving { /* an export or import whose secrets are being encrypted or decrypted */
    struct api_call *c;
    slice hidden;
};

static void export_closed(void *arg, slice text)
{
    struct moving *mo = arg;
    if (text.n)
        answer_export(mo->c, mo->hidden, text);
    else
        api_problem(mo->c, 503, "busy", "passphrase", "there is no memory for the encryption now; try again");
}

void api_tenants_export(struct api_call *c)
{
    const struct registry_entry *e = tenant_of_path(c);
    slice passphrase = js_text(js_get(c->body, SL("passphrase")));
    if (!e)
        return;
    if (!e->config) {
        api_problem(c, 409, "conflict", NULL, "this tenant cannot be read: " SLF, SLA(slice_of(e->fault.text)));
        return;
    }
    slice hidden = tenant_document(c->a, e, DOC_SECRETS_HIDDEN);
    audit_note(c, "tenant.export", e->slug, passphrase.n ? SL("{\"secrets\":true}") : SL("{\"secrets\":false}"));
    if (!passphrase.n) {
        answer_export(c, hidden, SLICE_NONE);
        return;
    }
    struct moving *mo = ARENA_NEW(c->a, struct moving);
    *mo = (struct moving){ c, hidden };
    passphrase_close(c->hub->loop, passphrase, tenant_document(c->a, e, DOC_SECRETS_SHOWN), export_closed, mo);
}

/* Under another name, and with an id of its own where the old one is taken. */
static void import(struct api_call *c, const struct js *doc)
{
    slice name = js_text(js_get(c->body, SL("name"))), id = js_text(js_get(doc, SL("id")));
    bool taken = id.n && registry_find(c->hub, id);
    struct jw w = jw_new(c->a, TENANT_DOC_MAX);
    jw_open(&w, NULL, '{');
    for (void *it = js_first(doc); it; it = js_next(doc, it)) {
        slice key = js_key(doc, it);
        if (is_fact(key) || (taken && slice_eq(key, SL("id"))) || (name.n && slice_eq(key, SL("name"))))
            continue;
        jw_key(&w, key);
        jw_value(&w, NULL, js_value(it));
    }
    if (name.n)
        jw_str(&w, "name", name);
    jw_close(&w, '}');
    change(c, NULL, -1, jw_done(&w), doc, "tenant.import");
}

static void import_opened(void *arg, slice plain)
{
    struct api_call *c = arg;
    struct fault f = { 0 };
    const struct js *doc = plain.p ? js_parse(c->a, arena_dup(c->a, plain), &f) : NULL;
    if (c->api->stopped)
        api_not_stored(c, NULL);
    else if (!doc)
        api_problem(c, 400, "invalid", "passphrase", "it does not open the document's secrets: another passphrase, or the document is damaged");
    else
        import(c, doc);
}

void api_tenants_import(struct api_call *c)
{
    const struct js *document = js_get(c->body, SL("document"));
    slice passphrase = js_text(js_get(c->body, SL("passphrase"))), secrets = js_text(js_get(document, SL("secrets")));
    const struct js *tenant = js_get(document, SL("tenant"));
    if (!js_is_object(tenant))
        tenant = document; /* a bare document of a tenant will do */
    if (passphrase.n && !secrets.n)
        api_problem(c, 400, "invalid", "passphrase", "the document holds no encrypted secrets");
    else if (passphrase.n)
        passphrase_open(c->hub->loop, passphrase, secrets, import_opened, c);
    else
        import(c, tenant);
}
