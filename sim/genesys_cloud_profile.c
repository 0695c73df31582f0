#include "sim/genesys_cloud.h"

/* ---- which setting counts: "5.1 Messaging settings" ---------------------------------------------------------------------------- */

struct sgc_profile *sgc_profile_find(const struct sgc_list *l, slice id)
{
    for (size_t i = 0; i < l->n; i++) {
        struct sgc_profile *p = l->items[i];
        if (slice_eq(p->id, id))
            return p;
    }
    return NULL;
}

bool sgc_typing_enabled(const struct sgc *g, const struct sgc_integration *in, bool inbound)
{
    const struct sgc_profile *p =
        in->setting ? in->setting : sgc_profile_find(&g->settings, g->default_setting);
    const char *path = inbound ? "typing.on.inbound" : "typing.on.outbound";
    return p && slice_eq_nocase(js_text(js_at(p->first, path)), SL("Enabled"));
}

/* "image/png" is taken by itself, by all of image, and by all kinds. */
static bool mime_matches(slice pattern, slice mime)
{
    if (slice_eq(pattern, SL("*/*")))
        return true;
    if (slice_ends(pattern, SL("/*")))
        return slice_eq_nocase(slice_sub(pattern, 0, pattern.n - 1), slice_sub(mime, 0, pattern.n - 1));
    return slice_eq_nocase(pattern, mime);
}

bool sgc_mime_allowed(const struct sgc *g, const struct sgc_integration *in, slice mime, bool inbound)
{
    const struct sgc_profile *p =
        in->content ? in->content : sgc_profile_find(&g->contents, g->default_content);
    const struct js *allow = p ? js_at(p->first, inbound ? "allow.inbound" : "allow.outbound") : NULL;
    mime = slice_trim(slice_cut(&mime, ';'));
    for (size_t i = 0; i < js_len(allow); i++)
        if (mime_matches(js_text(js_at(js_item(allow, i), "type")), mime))
            return true;
    return false; /* an empty list lets nothing through */
}

void sgc_profiles_begin(struct sgc *g)
{
    struct sgc_profile *p = ARENA_NEW(g->a, struct sgc_profile);
    p->id = sgc_uuid(g->a);
    p->name = SL("Default Supported Content Profile");
    p->first =
        js_parse(g->a,
                 SL("{\"allow\":{\"inbound\":[{\"type\":\"*/*\"}],\"outbound\":[{\"type\":\"image/jpeg\"},"
                    "{\"type\":\"image/png\"},{\"type\":\"image/gif\"}]}}"),
                 NULL);
    p->created_ms = p->modified_ms = time_now_ms();
    sgc_list_add(&g->contents, p);
    g->default_content = p->id;
}

/* ---- both kinds are documents with an id and a name ------------------------------------------------------------------------------ */

struct kind {
    const char *what, *path, *first, *second;
    size_t list; /* offset in struct sgc */
};
static const struct kind setting = { "messaging setting", "/api/v2/conversations/messaging/settings", "event",
                                     "content", offsetof(struct sgc, settings) };
static const struct kind content = { "supported content profile",
                                     "/api/v2/conversations/messaging/supportedcontent", "mediaTypes", NULL,
                                     offsetof(struct sgc, contents) };

static struct sgc_list *list_of(struct sgc *g, const struct kind *k)
{
    return (struct sgc_list *)(void *)((char *)g + k->list);
}

static void write_profile(struct jw *w, const struct sgc_profile *p, const struct kind *k)
{
    jw_open(w, NULL, '{');
    jw_str(w, "id", p->id);
    jw_str(w, "name", p->name);
    jw_time(w, "dateCreated", p->created_ms);
    jw_time(w, "dateModified", p->modified_ms);
    if (p->first)
        jw_value(w, k->first, p->first);
    if (p->second)
        jw_value(w, k->second, p->second);
    struct text uri = text_new(w->t.a, 512);
    text_add(&uri, "%s/" SLF, k->path, SLA(p->id));
    jw_str(w, "selfUri", text_slice(&uri));
    jw_close(w, '}');
}

static void write_setting(struct sgc *g, struct jw *w, const void *item)
{
    (void)g;
    write_profile(w, item, &setting);
}

static void write_content(struct sgc *g, struct jw *w, const void *item)
{
    (void)g;
    write_profile(w, item, &content);
}

static void answer_profile(struct sim_call *c, const struct sgc_profile *p, const struct kind *k)
{
    struct jw w = sgc_writer(c);
    write_profile(&w, p, k);
    sgc_json(c, 200, jw_done(&w));
}

/* Members that the body does not name keep what they were. The document is kept, so it is read into g->a. */
static bool fill(struct sgc *g, struct sim_call *c, struct sgc_profile *p, const struct kind *k)
{
    const struct js *doc = js_parse(g->a, arena_dup(g->a, c->x->body), NULL);
    if (!js_is_object(doc)) {
        sgc_error(c, 400, "bad.request",
                  "The request could not be understood by the server due to malformed syntax.");
        return false;
    }
    slice name = js_text(js_at(doc, "name"));
    if (slice_empty(name) && slice_empty(p->name)) {
        sgc_error(c, 400, "constraint.validation", "The value of name is required.");
        return false;
    }
    p->name = slice_or(name, p->name);
    p->first = js_get(doc, slice_of(k->first)) ? js_get(doc, slice_of(k->first)) : p->first;
    if (k->second && js_get(doc, slice_of(k->second)))
        p->second = js_get(doc, slice_of(k->second));
    p->modified_ms = time_now_ms();
    return true;
}

static void profile_create(struct sgc *g, struct sim_call *c, const struct kind *k)
{
    struct sgc_profile *p = ARENA_NEW(g->a, struct sgc_profile);
    if (!fill(g, c, p, k))
        return;
    p->id = sgc_uuid(g->a);
    p->created_ms = p->modified_ms;
    sgc_list_add(list_of(g, k), p);
    answer_profile(c, p, k);
}

static void profile_one(struct sgc *g, struct sim_call *c, const struct kind *k)
{
    struct sgc_profile *p = sgc_profile_find(list_of(g, k), c->params[0]);
    if (!p)
        sgc_not_found(c, k->what, c->params[0]);
    else if (!slice_eq(c->x->method, SL("PATCH")) || fill(g, c, p, k))
        answer_profile(c, p, k);
}

static void settings_list(struct sgc *g, struct sim_call *c)
{
    sgc_answer_list(g, c, &(struct sgc_listing){ .list = &g->settings, .item = write_setting });
}

static void settings_create(struct sgc *g, struct sim_call *c)
{
    profile_create(g, c, &setting);
}

static void settings_one(struct sgc *g, struct sim_call *c)
{
    profile_one(g, c, &setting);
}

static void settings_delete(struct sgc *g, struct sim_call *c)
{
    struct sgc_profile *p = sgc_profile_find(&g->settings, c->params[0]);
    if (!p) {
        sgc_not_found(c, setting.what, c->params[0]);
        return;
    }
    for (size_t i = 0; i < g->integrations.n; i++) {
        struct sgc_integration *in = g->integrations.items[i];
        if (in->setting == p)
            in->setting = NULL;
    }
    sgc_list_remove(&g->settings, p);
    sgc_correlate(c);
    sim_answer(c, 204, SLICE_NONE, SLICE_NONE);
}

static void default_get(struct sgc *g, struct sim_call *c)
{
    const struct sgc_profile *p = sgc_profile_find(&g->settings, g->default_setting);
    if (p)
        answer_profile(c, p, &setting);
    else
        sgc_not_found(c, "default messaging setting", SL("default"));
}

static void default_put(struct sgc *g, struct sim_call *c)
{
    const struct js *doc = sgc_body(c);
    if (!doc)
        return;
    struct sgc_profile *p = sgc_profile_find(&g->settings, js_text(js_at(doc, "settingId")));
    if (!p) {
        sgc_not_found(c, setting.what, js_text(js_at(doc, "settingId")));
        return;
    }
    g->default_setting = p->id;
    answer_profile(c, p, &setting);
}

static void default_delete(struct sgc *g, struct sim_call *c)
{
    g->default_setting = SLICE_NONE;
    sgc_correlate(c);
    sim_answer(c, 204, SLICE_NONE, SLICE_NONE);
}

static void contents_list(struct sgc *g, struct sim_call *c)
{
    sgc_answer_list(g, c, &(struct sgc_listing){ .list = &g->contents, .item = write_content });
}

static void contents_create(struct sgc *g, struct sim_call *c)
{
    profile_create(g, c, &content);
}

static void contents_one(struct sgc *g, struct sim_call *c)
{
    profile_one(g, c, &content);
}

static void contents_default(struct sgc *g, struct sim_call *c)
{
    answer_profile(c, sgc_profile_find(&g->contents, g->default_content), &content);
}

/* ---- threading --------------------------------------------------------------------------------------------------------------- */

static void timeline_get(struct sgc *g, struct sim_call *c)
{
    struct jw w = sgc_writer(c);
    jw_open(&w, NULL, '{');
    jw_open(&w, "settings", '[');
    jw_open(&w, NULL, '{');
    jw_str(&w, "messengerType", SL("open"));
    jw_int(&w, "timeoutInMinutes", g->timeline_min);
    jw_close(&w, '}');
    jw_close(&w, ']');
    jw_int(&w, "defaultTimeoutMinutes", g->timeline_min);
    jw_close(&w, '}');
    sgc_json(c, 200, jw_done(&w));
}

static void timeline_put(struct sgc *g, struct sim_call *c)
{
    enum { LONGEST_MIN = 4320 };
    const struct js *doc = sgc_body(c);
    if (!doc)
        return;
    const struct js *list = js_at(doc, "settings");
    for (size_t i = 0; i < js_len(list); i++) {
        int64_t minutes;
        if (!slice_eq_nocase(js_text(js_at(js_item(list, i), "messengerType")), SL("open")))
            continue;
        if (!js_int(js_at(js_item(list, i), "timeoutInMinutes"), &minutes) || minutes < 0 ||
            minutes > LONGEST_MIN) {
            sgc_error(c, 400, "invalid.value", "timeoutInMinutes must be from 0 to %d.", LONGEST_MIN);
            return;
        }
        g->timeline_min = (int)minutes;
        g->threading_ms = minutes * 60000;
    }
    timeline_get(g, c);
}

/* clang-format off */
const struct sgc_route sgc_profile_routes[] = {
    { "GET",    "/api/v2/conversations/messaging/settings",                "messaging:setting:view",           settings_list },
    { "POST",   "/api/v2/conversations/messaging/settings",                "messaging:setting:add",            settings_create },
    { "GET",    "/api/v2/conversations/messaging/settings/default",        "messaging:setting:view",           default_get },
    { "PUT",    "/api/v2/conversations/messaging/settings/default",        "messaging:setting:edit",           default_put },
    { "DELETE", "/api/v2/conversations/messaging/settings/default",        "messaging:setting:edit",           default_delete },
    { "GET",    "/api/v2/conversations/messaging/settings/:id",            "messaging:setting:view",           settings_one },
    { "PATCH",  "/api/v2/conversations/messaging/settings/:id",            "messaging:setting:edit",           settings_one },
    { "DELETE", "/api/v2/conversations/messaging/settings/:id",            "messaging:setting:delete",         settings_delete },
    { "GET",    "/api/v2/conversations/messaging/supportedcontent",        "messaging:supportedContent:view",  contents_list },
    { "POST",   "/api/v2/conversations/messaging/supportedcontent",        "messaging:supportedContent:add",   contents_create },
    { "GET",    "/api/v2/conversations/messaging/supportedcontent/default","messaging:supportedContent:view",  contents_default },
    { "GET",    "/api/v2/conversations/messaging/supportedcontent/:id",    "messaging:supportedContent:view",  contents_one },
    { "PATCH",  "/api/v2/conversations/messaging/supportedcontent/:id",    "messaging:supportedContent:edit",  contents_one },
    { "GET",    "/api/v2/conversations/messaging/threadingtimeline",       "conversation:threadingTimeline:view", timeline_get },
    { "PUT",    "/api/v2/conversations/messaging/threadingtimeline",       "conversation:threadingTimeline:edit", timeline_put },
};
/* clang-format on */
const size_t sgc_profile_n = COUNT(sgc_profile_routes);
