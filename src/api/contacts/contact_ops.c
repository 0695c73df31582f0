/* contact_ops.c - what the API and the command line can ask of the contacts. */
#include "api/audit.h"
#include "api/contacts/contact_job.h"
#include "api/told.h"
#include "hub/registry.h"

/* ---- as they are shown --------------------------------------------------------------------------------------------------- */

static void write_texts(struct jw *w, const char *key, const struct js_list *list)
{
    jw_open(w, key, '[');
    for (size_t i = 0; i < list->n; i++)
        jw_str(w, NULL, *LIST_AT(*list, slice, i));
    jw_close(w, ']');
}

/* The contact's own name, then those its guests go by, each once. */
static void write_names(struct jw *w, const struct contact *ct)
{
    jw_open(w, "names", '[');
    if (ct->name.n)
        jw_str(w, NULL, ct->name);
    for (size_t i = 0; i < ct->identities.n; i++) {
        slice name = LIST_AT(ct->identities, struct contact_identity, i)->name;
        bool known = !name.n || slice_eq(name, ct->name);
        for (size_t k = 0; k < i; k++)
            known |= slice_eq(LIST_AT(ct->identities, struct contact_identity, k)->name, name);
        if (!known)
            jw_str(w, NULL, name);
    }
    jw_close(w, ']');
}

static void write_identity(struct jw *w, const struct contact_identity *v)
{
    slice guest = v->conversation, channel = slice_cut(&guest, ':');
    const struct connector *type = connector_find(v->network);
    jw_open(w, NULL, '{');
    jw_str(w, "channel", channel);
    jw_str(w, "network", v->network);
    jw_opt(w, "network_title", type ? slice_of(type->title) : SLICE_NONE);
    jw_str(w, "guest", guest);
    jw_str(w, "conversation", v->conversation);
    jw_str(w, "name", v->name);
    jw_opt(w, "picture", v->picture);
    jw_opt(w, "phone", v->phone);
    jw_opt(w, "email", v->email);
    jw_str(w, "matched", slice_of(contact_how_names[v->how]));
    jw_int(w, "since_ms", v->heard_ms);
    jw_close(w, '}');
}

void contact_write(struct jw *w, const struct contact *ct)
{
    jw_str(w, "id", ct->id);
    jw_str(w, "tenant", ct->tenant);
    jw_str(w, "name", ct->name);
    jw_bool(w, "named", ct->named);
    write_names(w, ct);
    write_texts(w, "phones", &ct->phones);
    write_texts(w, "emails", &ct->emails);
    jw_open(w, "identities", '[');
    for (size_t i = 0; i < ct->identities.n; i++)
        write_identity(w, LIST_AT(ct->identities, struct contact_identity, i));
    jw_close(w, ']');
    jw_raw(w, "attributes", ct->attributes);
    jw_int(w, "created_ms", ct->created_ms);
    jw_int(w, "changed_ms", ct->changed_ms);
    write_texts(w, "merged_from", &ct->merged);
    jw_int(w, "rev", ct->rev);
}

/* ---- answers -------------------------------------------------------------------------------------------------------------- */

static void answer_fault(struct api_call *c, const struct fault *f)
{
    static const struct {
        const char *code;
        int status;
    } rows[] = { { "not_found", 404 }, { "invalid", 400 }, { "other_tenant", 409 }, { "changed", 412 }, { "too_large", 413 }, { "off", 409 } };
    for (size_t i = 0; i < COUNT(rows); i++) {
        if (strcmp(f->code, rows[i].code) != 0)
            continue;
        if (rows[i].status == 404 && !f->field[0])
            api_not_found(c, "contact", c->params[0]);
        else
            api_fault(c, rows[i].status, f);
        return;
    }
    api_not_stored(c, f);
}

static void answer_contact(struct api_call *c, const struct contact *ct)
{
    struct jw w = api_json(c);
    contact_write(&w, ct);
    api_answer(c, &w);
}

static struct contact_job *new_job(struct api_call *c, bool (*work)(struct contact_job *, struct contact_db *), bool writes,
                                   void (*done)(struct contact_job *))
{
    struct contact_job *job = contact_job_new(c->api->contacts, work, writes, done, c);
    job->id = arena_dup(job->a, c->params[0]);
    if (c->body)
        job->doc = js_parse(job->a, arena_dup(job->a, c->x->body), NULL);
    return job;
}

/* ---- reading ---------------------------------------------------------------------------------------------------------------- */

static bool work_list(struct contact_job *job, struct contact_db *db)
{
    return contact_db_list(db, job->a, &job->query, &job->list, &job->fault);
}

static void listed(struct contact_job *job)
{
    struct api_call *c = job->arg;
    if (job->fault.code) {
        answer_fault(c, &job->fault);
        return;
    }
    struct jw w = api_json(c);
    size_t limit = job->query.limit - 1, n = MIN(job->list.n, limit);
    jw_open(&w, "items", '[');
    for (size_t i = 0; i < n; i++) {
        jw_open(&w, NULL, '{');
        contact_write(&w, LIST_AT(job->list, struct contact, i));
        jw_close(&w, '}');
    }
    jw_close(&w, ']');
    const struct contact *last = n ? LIST_AT(job->list, struct contact, n - 1) : NULL;
    told_next(&w, job->list.n > limit ? arena_printf(c->a, "%lld.%lld", (long long)last->changed_ms, (long long)last->n) : SLICE_NONE);
    api_answer(c, &w);
}

void api_contacts_list(struct api_call *c)
{
    int64_t limit, before_ms = 0, before_n = 0;
    slice after = api_query(c, "after"), tenant = api_query(c, "tenant");
    if (!api_query_number(c, "limit", 1, CONTACT_PAGE_MAX, TOLD_PAGE, &limit))
        return;
    if (after.n && (!slice_int(slice_cut(&after, '.'), &before_ms) || !slice_int(after, &before_n))) {
        api_problem(c, 400, "out_of_range", "after", "is no cursor of this list");
        return;
    }
    const struct registry_entry *e = tenant.n ? registry_find(c->hub, tenant) : NULL;
    if (tenant.n && !e) {
        api_not_found(c, "tenant", tenant);
        return;
    }
    struct contact_job *job = new_job(c, work_list, false, listed);
    job->query = (struct contact_query){ .tenant = e ? arena_dup(job->a, e->slug) : SLICE_NONE, .text = arena_dup(job->a, api_query(c, "q")),
                                         .before_ms = before_ms, .before_n = before_n, .limit = (size_t)limit + 1 };
    contact_job_submit_fresh(job);
}

static void got(struct contact_job *job)
{
    struct api_call *c = job->arg;
    if (job->fault.code)
        answer_fault(c, &job->fault);
    else if (api_etag(c, job->contact.rev))
        answer_contact(c, &job->contact);
}

void api_contacts_get(struct api_call *c)
{
    contact_job_submit_fresh(new_job(c, contact_work_find, false, got));
}

/* A JSON list of its conversations, for the history. */
static void found_for_messages(struct contact_job *job)
{
    struct api_call *c = job->arg;
    if (job->fault.code) {
        answer_fault(c, &job->fault);
        return;
    }
    enum { LIST_MAX = 1 << 20 };
    struct told *t = told_page(c, "before");
    if (!t)
        return;
    struct jw w = jw_new(c->a, LIST_MAX);
    jw_open(&w, NULL, '[');
    for (size_t i = 0; i < job->contact.identities.n; i++)
        jw_str(&w, NULL, LIST_AT(job->contact.identities, struct contact_identity, i)->conversation);
    jw_close(&w, ']');
    struct history_page page = { .before_id = t->before, .limit = t->limit + 1 };
    history_messages_of(c->hub->history, jw_done(&w), api_query(c, "q"), &page, told_message, told_done, t);
}

void api_contacts_messages(struct api_call *c)
{
    contact_job_submit_fresh(new_job(c, contact_work_find, false, found_for_messages));
}

/* ---- changing ------------------------------------------------------------------------------------------------------------------ */

static bool changed(struct contact_job *job, struct contact_db *db, int64_t n)
{
    if (!contact_db_read(db, job->a, n, &job->contact, &job->fault))
        return false;
    *LIST_ADD(job->a, &job->changed, slice) = job->contact.id;
    return true;
}

static struct contact_change change_of(const struct js *doc)
{
    const struct js *name = js_get(doc, SL("name"));
    return (struct contact_change){ .name = name ? slice_or(slice_trim(js_text(name)), SL("")) : SLICE_NONE, .phones = js_get(doc, SL("phones")),
                                    .emails = js_get(doc, SL("emails")), .attributes = js_get(doc, SL("attributes")) };
}

static bool work_make(struct contact_job *job, struct contact_db *db)
{
    int64_t n;
    return contact_db_make(db, job->tenant, &job->change, &n, &job->fault) && changed(job, db, n);
}

static bool work_change(struct contact_job *job, struct contact_db *db)
{
    int64_t n;
    return contact_db_change(db, job->id, job->rev, &job->change, &n, &job->fault) && changed(job, db, n);
}

static bool work_merge(struct contact_job *job, struct contact_db *db)
{
    int64_t n, other = 0;
    struct contact gone = { 0 };
    if (!contact_db_find(db, job->with, &other, &job->fault) || (other && !contact_db_read(db, job->a, other, &gone, &job->fault)))
        return false;
    if (other)
        *LIST_ADD(job->a, &job->changed, slice) = gone.id;
    return contact_db_merge(db, job->id, job->with, &n, &job->fault) && changed(job, db, n);
}

static bool work_split(struct contact_job *job, struct contact_db *db)
{
    int64_t n, from;
    return contact_db_split(db, job->id, js_get(job->doc, SL("identities")), &n, &job->fault) && contact_db_find(db, job->id, &from, &job->fault) &&
           changed(job, db, from) && changed(job, db, n);
}

static void note(struct api_call *c, const char *action, const struct contact *ct, slice detail)
{
    audit_note(c, action, ct->id, detail);
}

static void made(struct contact_job *job)
{
    struct api_call *c = job->arg;
    if (job->fault.code) {
        answer_fault(c, &job->fault);
        return;
    }
    note(c, "contact.create", &job->contact, SLICE_NONE);
    answer_contact(c, &job->contact);
}

static void changed_by_hand(struct contact_job *job)
{
    struct api_call *c = job->arg;
    if (job->fault.code) {
        answer_fault(c, &job->fault);
        return;
    }
    note(c, "contact.change", &job->contact, SLICE_NONE);
    api_header(c, "ETag", arena_printf(c->a, "\"%lld\"", (long long)job->contact.rev));
    answer_contact(c, &job->contact);
}

static void merged(struct contact_job *job)
{
    struct api_call *c = job->arg;
    if (job->fault.code) {
        answer_fault(c, &job->fault);
        return;
    }
    note(c, "contact.merge", &job->contact, js_print(c->a, c->body));
    answer_contact(c, &job->contact);
}

static void was_split(struct contact_job *job)
{
    struct api_call *c = job->arg;
    if (job->fault.code) {
        answer_fault(c, &job->fault);
        return;
    }
    note(c, "contact.split", &job->contact, SLICE_NONE);
    answer_contact(c, &job->contact);
}

void api_contacts_create(struct api_call *c)
{
    slice tenant = js_text(js_get(c->body, SL("tenant")));
    const struct registry_entry *e = registry_find(c->hub, tenant);
    if (!e) {
        api_problem(c, 400, "invalid", "tenant", "there is no tenant of this name");
        return;
    }
    struct contact_job *job = new_job(c, work_make, true, made);
    job->tenant = arena_dup(job->a, e->slug);
    job->change = change_of(job->doc);
    contact_job_submit(job);
}

void api_contacts_put(struct api_call *c)
{
    int64_t rev;
    if (!api_if_match(c, &rev))
        return;
    struct contact_job *job = new_job(c, work_change, true, changed_by_hand);
    job->rev = rev;
    job->change = change_of(job->doc);
    contact_job_submit_fresh(job);
}

void api_contacts_merge(struct api_call *c)
{
    struct contact_job *job = new_job(c, work_merge, true, merged);
    job->with = js_text(js_get(job->doc, SL("with")));
    contact_job_submit_fresh(job);
}

void api_contacts_split(struct api_call *c)
{
    contact_job_submit_fresh(new_job(c, work_split, true, was_split));
}

/* ---- whole ---------------------------------------------------------------------------------------------------------------------- */

static void exported(void *arg, slice json, const struct fault *f)
{
    struct api_call *c = arg;
    if (f) {
        answer_fault(c, f);
        return;
    }
    audit_note(c, "contact.export", c->params[0], SLICE_NONE);
    api_header(c, "Content-Disposition", SL("attachment; filename=\"contact.json\""));
    api_answer_json(c, 200, json);
}

void api_contacts_export(struct api_call *c)
{
    contact_export(c->api->contacts, c->a, c->params[0], exported, c);
}

static slice erased_json(struct arena *a, const struct contact_erased *e)
{
    struct jw w = jw_new(a, 1024);
    jw_open(&w, NULL, '{');
    jw_str(&w, "id", e->id);
    jw_int(&w, "conversations", (int64_t)e->conversations);
    jw_int(&w, "attachments", (int64_t)e->attachments);
    jw_close(&w, '}');
    return jw_done(&w);
}

static void erased(void *arg, const struct contact_erased *e, const struct fault *f)
{
    struct api_call *c = arg;
    if (f) {
        answer_fault(c, f);
        return;
    }
    slice json = erased_json(c->a, e);
    audit_note(c, "contact.erase", e->id, json);
    api_answer_json(c, 200, json);
}

void api_contacts_erase(struct api_call *c)
{
    contact_erase(c->api->contacts, c->params[0], erased, c);
}

/* ---- the command line --------------------------------------------------------------------------------------------------------------- */

struct control_call {
    struct contacts *cs;
    struct exchange *x;
};

static struct control_call *control_id(struct contacts *cs, struct exchange *x, slice *ret_id)
{
    struct fault f = { 0 };
    *ret_id = js_text(js_get(js_parse(x->a, x->body, &f), SL("contact")));
    if (!ret_id->n) {
        fault(&f, "missing_field", "contact", "which contact? Its id, or that of one of its conversations");
        exchange_fault(x, 400, &f);
        return NULL;
    }
    struct control_call *cc = ARENA_NEW(x->a, struct control_call);
    *cc = (struct control_call){ cs, x };
    return cc;
}

static int control_status(const struct fault *f)
{
    return strcmp(f->code, "not_found") == 0 ? 404 : strcmp(f->code, "too_large") == 0 ? 413 : 503;
}

static void control_exported(void *arg, slice json, const struct fault *f)
{
    struct control_call *cc = arg;
    if (f)
        exchange_fault(cc->x, control_status(f), f);
    else
        exchange_json(cc->x, 200, json);
}

static void control_export(struct exchange *x, void *ctx)
{
    slice id;
    struct control_call *cc = control_id(ctx, x, &id);
    if (cc)
        contact_export(cc->cs, x->a, id, control_exported, cc);
}

static void control_erased(void *arg, const struct contact_erased *e, const struct fault *f)
{
    struct control_call *cc = arg;
    if (f) {
        exchange_fault(cc->x, control_status(f), f);
        return;
    }
    slice json = erased_json(cc->x->a, e);
    audit_by(contacts_api(cc->cs), SL("command line"), SLICE_NONE, "contact.erase", e->id, json);
    exchange_json(cc->x, 200, json);
}

static void control_erase(struct exchange *x, void *ctx)
{
    slice id;
    struct control_call *cc = control_id(ctx, x, &id);
    if (cc)
        contact_erase(cc->cs, id, control_erased, cc);
}

void contacts_control(struct contacts *cs, struct server *control)
{
    server_route(control, "POST", "/internal/contacts/export", 0, control_export, cs);
    server_route(control, "POST", "/internal/contacts/erase", 0, control_erase, cs);
}
