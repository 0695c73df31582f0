/* provision.c - tenants and their services over HTTP, as the guide provisions them. */
#include "api/nexus/call.h"
#include "api/nexus/nexus.h"
#include "api/nexus/provisions.h"
#include "api/nexus/services.h"
#include "hub/registry.h"
#include "networks/webchat/wire.h"
#include "wire/url.h"
#include "wire/uuid.h"

#define OWN_DESK "builtin" /* the connector that a tenant gets which comes to this hub by provisioning */
enum { TEXT_MAX = 1000, TENANT_BYTES = 16 << 10 };

static slice tenant_name(void)
{
    return SL(PROVISION_TENANT);
}

/* ---- tenants ------------------------------------------------------------------------------------------------------------------ */

struct provisioned {
    slice id, name, type, backendurl, username, token;
    int64_t genesystenantid;
};
/* clang-format off */
static const struct js_field record_fields[] = {
    JS_FIELD(struct provisioned, id,              "id",              JS_STR, 0),
    JS_FIELD(struct provisioned, name,            "name",            JS_STR, 0),
    JS_FIELD(struct provisioned, type,            "type",            JS_STR, 0),
    JS_FIELD(struct provisioned, backendurl,      "backendurl",      JS_STR, 0),
    JS_FIELD(struct provisioned, username,        "username",        JS_STR, 0),
    JS_FIELD(struct provisioned, token,           "token",           JS_STR, 0),
    JS_FIELD(struct provisioned, genesystenantid, "genesystenantid", JS_I64, 0),
};
/* clang-format on */

static bool too_long(const struct provisioned *r)
{
    const slice *texts[] = { &r->name, &r->type, &r->backendurl, &r->username, &r->token };
    for (size_t i = 0; i < COUNT(texts); i++)
        if (texts[i]->n > TEXT_MAX)
            return true;
    return false;
}

/* The body, over what was known of it. False: answered. */
static bool read_record(struct nexus_call *c, slice id, struct provisioned *r)
{
    struct fault f = { 0 };
    struct url u;
    struct provisioned said = *r;
    if (js_is_object(js_get(c->doc, SL("token")))) { /* as it is shown: it stays */
        struct jw w = jw_new(c->a, NEXUS_BODY_MAX);
        jw_open(&w, NULL, '{');
        for (void *it = js_first(c->doc); it; it = js_next(c->doc, it)) {
            if (slice_eq(js_key(c->doc, it), SL("token")))
                continue;
            jw_key(&w, js_key(c->doc, it));
            jw_value(&w, NULL, js_value(it));
        }
        jw_close(&w, '}');
        c->doc = js_parse(c->a, jw_done(&w), &f);
    }
    if (!c->doc || !js_read(c->a, c->doc, record_fields, COUNT(record_fields), &said, &f)) {
        nexus_deny(c, 400, "INVALID_PARAMETER", "%s: %s", f.field, f.text);
        return false;
    }
    said.id = slice_or(said.id, id);
    if (!uuid_valid(said.id) || (id.n && !slice_eq_nocase(id, said.id)))
        nexus_deny(c, 400, "INVALID_CONTACT_CENTER", "id must be the contact centre's UUID");
    else if (!slice_trim(said.name).n)
        nexus_deny(c, 400, "INVALID_PARAMETER", "name is missing");
    else if (too_long(&said))
        nexus_deny(c, 400, "INVALID_PARAMETER", "a text is longer than %d bytes", TEXT_MAX);
    else if (said.backendurl.n && (!url_parse(c->a, said.backendurl, &u, NULL) || !slice_starts(u.scheme, SL("http"))))
        nexus_deny(c, 400, "INVALID_PARAMETER", "backendurl must be an address http:// or https://");
    else if (said.genesystenantid < 0 || said.genesystenantid > INT32_MAX)
        nexus_deny(c, 400, "INVALID_PARAMETER", "genesystenantid must be a whole number from 1");
    else {
        *r = said;
        return true;
    }
    return false;
}

static slice print_record(struct arena *a, const struct provisioned *r)
{
    struct jw w = jw_new(a, TENANT_BYTES);
    jw_open(&w, NULL, '{');
    jw_fields(&w, record_fields, COUNT(record_fields), r);
    jw_close(&w, '}');
    return jw_done(&w);
}

static void read_kept(struct arena *a, const struct provision *p, struct provisioned *ret)
{
    const struct js *doc = p ? js_parse(a, arena_dup(a, p->json), NULL) : NULL;
    struct provisioned r = *ret;
    if (doc && js_read(a, doc, record_fields, COUNT(record_fields), &r, NULL))
        *ret = r;
}

/* One contact centre: its record, without the secret, and the names of its services. from: its first one of all; returns how many it has. */
static size_t write_tenant(struct nexus_call *c, struct jw *w, const struct provision *const *from, size_t n)
{
    struct provisioned r = { .id = from[0]->ccid };
    const struct registry_entry *e = registry_find(c->api->hub, from[0]->ccid);
    const struct provision *own = provisions_find(c->api->provisions, from[0]->ccid, tenant_name());
    size_t i = 0;
    read_kept(c->a, own, &r);
    jw_open(w, NULL, '{');
    bool token = r.token.n > 0;
    r.token = SLICE_NONE;
    jw_fields(w, record_fields, COUNT(record_fields), &r);
    if (own) {
        jw_open(w, "token", '{');
        jw_bool(w, "set", token);
        jw_close(w, '}');
        jw_time(w, "changed", own->changed_ms);
        jw_str(w, "changedby", own->by);
    }
    jw_opt(w, "slug", e ? e->slug : SLICE_NONE); /* ours: of the tenant here */
    jw_open(w, "services", '[');
    for (; i < n && slice_eq(from[i]->ccid, from[0]->ccid); i++)
        if (!slice_eq(from[i]->name, tenant_name()))
            jw_str(w, NULL, from[i]->name);
    jw_close(w, ']');
    jw_close(w, '}');
    return i;
}

static void list_tenants(struct nexus_call *c)
{
    size_t n;
    const struct provision *const *all = provisions_list(c->api->provisions, SLICE_NONE, c->a, &n);
    struct jw w = jw_new(c->a, NEXUS_ANSWER_MAX - TENANT_BYTES);
    jw_open(&w, NULL, '{');
    jw_open(&w, "tenants", '[');
    for (size_t i = 0; i < n;)
        i += write_tenant(c, &w, all + i, n - i);
    jw_close(&w, ']');
    jw_close(&w, '}');
    slice data = jw_done(&w);
    if (data.p)
        nexus_data(c, data);
    else
        nexus_deny(c, 500, "TOO_LARGE", "the list is longer than %d bytes", NEXUS_ANSWER_MAX);
}

static void show_tenant(struct nexus_call *c, slice id)
{
    size_t n;
    const struct provision *const *all = provisions_list(c->api->provisions, id, c->a, &n);
    struct jw w = jw_new(c->a, NEXUS_ANSWER_MAX - TENANT_BYTES);
    if (!n) {
        nexus_deny(c, 404, "NOT_FOUND", "nothing was provisioned for this contact centre");
        return;
    }
    (void)write_tenant(c, &w, all, n);
    nexus_data(c, jw_done(&w));
}

/* ---- a tenant is provisioned: here, then its record, then its key --------------------------------------------------------------- */

struct provisioning {
    struct nexus_call *c;
    struct provisioned r;
    struct config_problems problems;
    slice key;    /* of a new one */
    bool with_key;
};

static void key_stored(void *arg, const struct fault *f)
{
    struct provisioning *pr = arg;
    struct nexus_call *c = pr->c;
    if (f) {
        nexus_not_stored(c);
        return;
    }
    struct jw w = jw_new(c->a, TENANT_BYTES);
    jw_open(&w, NULL, '{');
    jw_str(&w, "xapikey", pr->key);
    jw_close(&w, '}');
    nexus_data(c, jw_done(&w));
}

static void record_stored(void *arg, const struct fault *f)
{
    struct provisioning *pr = arg;
    struct nexus_call *c = pr->c;
    if (f) {
        nexus_not_stored(c);
        return;
    }
    nexus_audit(c, "provisioning.tenant", pr->r.id);
    if (!pr->with_key) {
        show_tenant(c, pr->r.id);
        return;
    }
    struct api_key k = { .enabled = true, .tenant = pr->r.id, .by = c->user, .capacity = API_KEY_CAPACITY, .frequency = API_KEY_FREQUENCY,
                         .name = arena_printf(c->a, "Chat of " SLF, SLA(pr->r.name)), .permissions = { SL("nexus:consumer:chat") }, .n_permissions = 1 };
    const struct api_key *made = apikeys_put(c->api->keys, NULL, &k, c->a, &pr->key, key_stored, pr);
    nexus_audit(c, "apikey.create", slice_of(made->ref));
}

static void keep_record(struct provisioning *pr)
{
    struct nexus_call *c = pr->c;
    provisions_put(c->api->provisions, pr->r.id, tenant_name(), print_record(c->a, &pr->r), c->user, record_stored, pr);
}

static void tenant_made(void *arg, const struct registry_entry *e, const struct fault *f)
{
    struct provisioning *pr = arg;
    struct nexus_call *c = pr->c;
    if (e) {
        nexus_audit(c, "tenant.create", e->slug);
        keep_record(pr);
    } else if (pr->problems.n) {
        nexus_deny(c, 400, "INVALID_PARAMETER", SLF ": " SLF, SLA(pr->problems.items[0].path), SLA(pr->problems.items[0].text));
    } else {
        nexus_deny(c, strcmp(f->code, "store_failed") == 0 ? 503 : 409, "UNAVAILABLE", "%s", f->text);
    }
}

/* A web chat that the built-in desk answers: all that a key for chats needs. */
static slice new_tenant(struct arena *a, const struct provisioned *r)
{
    struct jw w = jw_new(a, TENANT_BYTES);
    jw_open(&w, NULL, '{');
    jw_str(&w, "name", r->name);
    jw_str(&w, "id", r->id);
    jw_open(&w, "desk", '{');
    jw_str(&w, "type", SL(OWN_DESK));
    jw_close(&w, '}');
    jw_open(&w, "channels", '[');
    jw_open(&w, NULL, '{');
    jw_str(&w, "type", slice_of(connector_webchat.name));
    jw_close(&w, '}');
    jw_close(&w, ']');
    jw_close(&w, '}');
    return jw_done(&w);
}

static void provision_tenant(struct nexus_call *c)
{
    struct hub *h = c->api->hub;
    struct provisioning *pr = ARENA_NEW(c->a, struct provisioning);
    *pr = (struct provisioning){ .c = c, .r = { .type = SL("PureEngage"), .genesystenantid = 1 }, .problems = { .a = c->a }, .with_key = true };
    if (!read_record(c, SLICE_NONE, &pr->r))
        return;
    if (apikeys_count(c->api->keys) >= API_KEYS_MAX || provisions_count(c->api->provisions) >= PROVISIONS_MAX) {
        nexus_deny(c, 409, "LIMIT", "there are too many keys or services already");
        return;
    }
    const struct registry_entry *e = registry_find(h, pr->r.id), *same = registry_find(h, pr->r.name);
    if (e) {
        pr->r.id = arena_dup(c->a, e->id);
        keep_record(pr);
    } else if (same) {
        nexus_deny(c, 409, "TENANT_EXISTS", "the tenant of this name has the id " SLF, SLA(same->id));
    } else if (!connector_find(SL(OWN_DESK))) {
        nexus_deny(c, 409, "INVALID_CONTACT_CENTER", "there is no tenant with this id: make it first (POST /api/v1/tenants, or the console)");
    } else {
        registry_put(h, NULL, -1, new_tenant(c->a, &pr->r), c->user, &pr->problems, tenant_made, pr);
    }
}

static void change_tenant(struct nexus_call *c, slice id)
{
    const struct provision *old = provisions_find(c->api->provisions, id, tenant_name());
    struct provisioning *pr = ARENA_NEW(c->a, struct provisioning);
    *pr = (struct provisioning){ .c = c };
    read_kept(c->a, old, &pr->r);
    if (!old)
        nexus_deny(c, 404, "NOT_FOUND", "this contact centre was not provisioned");
    else if (read_record(c, id, &pr->r))
        keep_record(pr);
}

/* ---- taking away ------------------------------------------------------------------------------------------------------------------ */

static void removed(void *arg, const struct fault *f)
{
    struct nexus_call *c = arg;
    if (f)
        nexus_not_stored(c);
    else
        nexus_data(c, SLICE_NONE);
}

/* What was provisioned goes; the tenant itself is taken away where it was made (the console, the file). */
static void remove_tenant(struct nexus_call *c, slice id)
{
    size_t n;
    const struct provision *const *all = provisions_list(c->api->provisions, id, c->a, &n);
    if (!n) {
        nexus_deny(c, 404, "NOT_FOUND", "nothing was provisioned for this contact centre");
        return;
    }
    nexus_audit(c, "provisioning.remove", id);
    for (size_t i = 0; i < n; i++) /* the store keeps the order: the last one done, all are */
        provisions_remove(c->api->provisions, all[i], i + 1 == n ? removed : NULL, c);
}

void nexus_tenants(struct nexus_call *c)
{
    slice method = c->x->method;
    if (!nexus_administrator(c))
        return;
    if (!c->n_words && slice_eq(method, SL("POST")))
        provision_tenant(c);
    else if (!c->n_words && slice_eq(method, SL("GET")))
        list_tenants(c);
    else if (c->n_words && slice_eq(method, SL("GET")))
        show_tenant(c, c->words[0]);
    else if (c->n_words && slice_eq(method, SL("PUT")))
        change_tenant(c, c->words[0]);
    else if (c->n_words && slice_eq(method, SL("DELETE")))
        remove_tenant(c, c->words[0]);
    else
        nexus_deny(c, 405, "METHOD_NOT_ALLOWED", "this address takes %s", c->n_words ? "GET, PUT and DELETE" : "GET and POST");
}

/* ---- services ---------------------------------------------------------------------------------------------------------------------- */

/* Keys for chats stand in pages that everybody can read: they may not do this. */
static bool may_provision(struct nexus_call *c, slice ccid)
{
    if (c->role != ROLE_NONE)
        return nexus_administrator(c);
    bool its = slice_eq(c->key->tenant, SL("*")) || slice_eq_nocase(c->key->tenant, ccid);
    if (!its)
        nexus_deny(c, 401, "INVALID_CONTACT_CENTER", "the API key is of another tenant");
    else if (!apikey_may(c->key, SL(NEXUS_CLUSTER)) && !apikey_may(c->key, SL(NEXUS_SERVICES)))
        nexus_deny(c, 403, "FORBIDDEN", "this API key may not provision: it needs the permission nexus:cluster:* or " NEXUS_SERVICES);
    else
        return true;
    return false;
}

static void write_service(struct jw *w, struct arena *a, const struct provision *p)
{
    const struct js *doc = js_parse(a, arena_dup(a, p->json), NULL);
    jw_open(w, NULL, '{');
    jw_str(w, "ccid", p->ccid);
    jw_str(w, "name", p->name);
    service_write(w, doc);
    jw_time(w, "changed", p->changed_ms);
    jw_str(w, "changedby", p->by);
    jw_close(w, '}');
}

static void show_service(struct nexus_call *c, const struct provision *p)
{
    struct jw w = jw_new(c->a, NEXUS_ANSWER_MAX - TENANT_BYTES);
    write_service(&w, c->a, p);
    nexus_data(c, jw_done(&w));
}

static void list_services(struct nexus_call *c, slice ccid)
{
    size_t n;
    const struct provision *const *all = provisions_list(c->api->provisions, ccid, c->a, &n);
    struct jw w = jw_new(c->a, NEXUS_ANSWER_MAX - TENANT_BYTES);
    jw_open(&w, NULL, '{');
    jw_open(&w, "services", '[');
    for (size_t i = 0; i < n; i++)
        if (!slice_eq(all[i]->name, tenant_name()))
            write_service(&w, c->a, all[i]);
    jw_close(&w, ']');
    jw_close(&w, '}');
    slice data = jw_done(&w);
    if (data.p)
        nexus_data(c, data);
    else
        nexus_deny(c, 500, "TOO_LARGE", "the list is longer than %d bytes", NEXUS_ANSWER_MAX);
}

struct serving {
    struct nexus_call *c;
    slice ccid, name;
};

static void service_stored(void *arg, const struct fault *f)
{
    struct serving *se = arg;
    struct nexus_call *c = se->c;
    const struct provision *p = provisions_find(c->api->provisions, se->ccid, se->name);
    if (f)
        nexus_not_stored(c);
    else if (p)
        show_service(c, p);
    else /* taken away meanwhile */
        nexus_data(c, SLICE_NONE);
}

static void put_service(struct nexus_call *c, slice ccid, enum service s, const struct provision *old)
{
    struct fault f = { 0 };
    struct serving *se = ARENA_NEW(c->a, struct serving);
    *se = (struct serving){ c, ccid, slice_of(service_names[s]) };
    slice doc = service_check(c->a, s, c->doc, old ? arena_dup(c->a, old->json) : SLICE_NONE, &f);
    if (!doc.p) {
        nexus_deny(c, 400, "INVALID_PARAMETER", "%s", f.text);
    } else if (!old && provisions_count(c->api->provisions) >= PROVISIONS_MAX) {
        nexus_deny(c, 409, "LIMIT", "there are %d services, and more are not kept", PROVISIONS_MAX);
    } else {
        nexus_audit(c, "provisioning.service", arena_printf(c->a, SLF "/" SLF, SLA(ccid), SLA(se->name)));
        provisions_put(c->api->provisions, ccid, se->name, doc, c->user, service_stored, se);
    }
}

static void one_service(struct nexus_call *c, slice ccid, enum service s)
{
    const struct provision *p = provisions_find(c->api->provisions, ccid, slice_of(service_names[s]));
    bool post = slice_eq(c->x->method, SL("POST"));
    if (!p && !post) {
        nexus_deny(c, 404, "NOT_FOUND", "this service was not provisioned");
    } else if (post || slice_eq(c->x->method, SL("PUT"))) {
        put_service(c, ccid, s, p);
    } else if (slice_eq(c->x->method, SL("GET"))) {
        show_service(c, p);
    } else if (slice_eq(c->x->method, SL("DELETE"))) {
        nexus_audit(c, "provisioning.remove", arena_printf(c->a, SLF "/%s", SLA(ccid), service_names[s]));
        provisions_remove(c->api->provisions, p, removed, c);
    } else {
        nexus_deny(c, 405, "METHOD_NOT_ALLOWED", "this address takes GET, POST, PUT and DELETE");
    }
}

void nexus_services(struct nexus_call *c)
{
    slice ccid = c->words[0], said = exchange_header(c->x, "x-ccid");
    enum service s;
    if (!uuid_valid(ccid) || (said.n && !slice_eq_nocase(said, ccid)))
        nexus_deny(c, 400, "INVALID_CONTACT_CENTER", "the contact centre must be a UUID, the same in the path and in x-ccid");
    else if (!may_provision(c, ccid))
        return;
    else if (c->n_words == 1 && slice_eq(c->x->method, SL("GET")))
        list_services(c, ccid);
    else if (c->n_words == 1)
        nexus_deny(c, 405, "METHOD_NOT_ALLOWED", "this address takes GET");
    else if (!service_find(c->words[1], &s))
        nexus_deny(c, 404, "INVALID_SERVICE", "there is no such service: PlatformUCS, PurecloudIDP, SMS, Email, PorticoSMS, PorticoEmail, Async");
    else
        one_service(c, ccid, s);
}
