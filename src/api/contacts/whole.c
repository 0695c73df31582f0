/* whole.c - one contact with all that is kept of it: told in one document, or erased. */
#include "api/call.h"
#include "api/contacts/contact_job.h"
#include "api/told.h"
#include "hub/conversation.h"
#include "hub/history.h"
#include "hub/media.h"
#include "store/store.h"

/* ---- the export ------------------------------------------------------------------------------------------------------- */

struct exporting {
    struct contacts *cs;
    struct hub *hub;
    struct arena *a;
    struct jw w;
    struct contact contact;
    size_t i;         /* the conversation being told */
    int64_t after_id; /* the last message told of it */
    size_t n;         /* messages of this page */
    struct fault fault;
    void (*done)(void *arg, slice json, const struct fault *f);
    void *arg;
};

static const struct contact_identity *identity(const struct contact *ct, size_t i)
{
    return LIST_AT(ct->identities, struct contact_identity, i);
}

static void export_next(struct exporting *ex);

static void export_end(struct exporting *ex, const struct fault *f)
{
    jw_close(&ex->w, ']');
    jw_close(&ex->w, '}');
    slice json = f ? SLICE_NONE : jw_done(&ex->w);
    if (!f && !json.p) {
        fault(&ex->fault, "too_large", "", "it is longer than %d bytes; read the conversations one by one", CONTACT_EXPORT_MAX);
        f = &ex->fault;
    }
    ex->done(ex->arg, json, f);
}

static void tell_attachment(void *arg, const struct attachment *at)
{
    struct exporting *ex = arg;
    jw_open(&ex->w, NULL, '{');
    jw_str(&ex->w, "name", at->name);
    jw_str(&ex->w, "type", at->type);
    jw_int(&ex->w, "size", at->size);
    jw_time(&ex->w, "stored", at->created_ms);
    jw_str(&ex->w, "storage", at->storage);
    jw_str(&ex->w, "sha256", at->sha256);
    jw_str(&ex->w, "url", at->url);
    jw_close(&ex->w, '}');
}

static void attachments_told(void *arg, const struct fault *f)
{
    struct exporting *ex = arg;
    if (f) {
        export_end(ex, f);
        return;
    }
    jw_close(&ex->w, ']');
    jw_close(&ex->w, '}');
    ex->i++;
    export_next(ex);
}

static void tell_message(void *arg, const struct history_message *m)
{
    struct exporting *ex = arg;
    ex->n++;
    ex->after_id = m->id;
    jw_open(&ex->w, NULL, '{');
    told_write(&ex->w, m);
    jw_close(&ex->w, '}');
}

static void export_messages(struct exporting *ex);

static void messages_told(void *arg, const struct fault *f)
{
    struct exporting *ex = arg;
    bool off = f && strcmp(f->code, "off") == 0;
    if (f && !off) {
        export_end(ex, f);
    } else if (ex->n == HISTORY_PAGE_MAX && !ex->w.t.over) {
        export_messages(ex);
    } else {
        jw_close(&ex->w, ']');
        jw_open(&ex->w, "attachments", '[');
        store_attachments_of(ex->hub->store, identity(&ex->contact, ex->i)->conversation, tell_attachment, attachments_told, ex);
    }
}

static void export_messages(struct exporting *ex)
{
    struct history_page page = { .after_id = ex->after_id, .limit = HISTORY_PAGE_MAX };
    ex->n = 0;
    history_messages(ex->hub->history, identity(&ex->contact, ex->i)->conversation, &page, tell_message, messages_told, ex);
}

static void export_next(struct exporting *ex)
{
    if (ex->i == ex->contact.identities.n || ex->w.t.over) {
        export_end(ex, NULL);
        return;
    }
    slice conversation = identity(&ex->contact, ex->i)->conversation;
    ex->after_id = -1; /* before the first */
    jw_open(&ex->w, NULL, '{');
    jw_str(&ex->w, "conversation", conversation);
    contacts_keepers_tell(ex->cs, conversation, &ex->w);
    jw_open(&ex->w, "messages", '[');
    export_messages(ex);
}

/* The job's own memory ends; what it found goes on. */
static void keep(struct arena *a, const struct contact *from, struct contact *to)
{
    *to = (struct contact){ .n = from->n, .id = arena_dup(a, from->id) };
    for (size_t i = 0; i < from->identities.n; i++)
        LIST_ADD(a, &to->identities, struct contact_identity)->conversation = arena_dup(a, identity(from, i)->conversation);
}

static void export_found(struct contact_job *job)
{
    struct exporting *ex = job->arg;
    if (job->fault.code) {
        ex->fault = job->fault;
        ex->done(ex->arg, SLICE_NONE, &ex->fault);
        return;
    }
    keep(ex->a, &job->contact, &ex->contact);
    ex->w = jw_new(ex->a, CONTACT_EXPORT_MAX);
    jw_open(&ex->w, NULL, '{');
    jw_str(&ex->w, "format", SL("dragoman-contact/1"));
    jw_time(&ex->w, "made", time_now_ms());
    jw_open(&ex->w, "contact", '{');
    contact_write(&ex->w, &job->contact);
    jw_close(&ex->w, '}');
    jw_open(&ex->w, "conversations", '[');
    export_next(ex);
}

void contact_export(struct contacts *cs, struct arena *a, slice id, void (*done)(void *, slice, const struct fault *), void *arg)
{
    struct exporting *ex = ARENA_NEW(a, struct exporting);
    *ex = (struct exporting){ .cs = cs, .hub = contacts_api(cs)->hub, .a = a, .done = done, .arg = arg };
    struct contact_job *job = contact_job_new(cs, contact_work_find, false, export_found, ex);
    job->id = arena_dup(job->a, id);
    contact_job_submit_fresh(job);
}

/* ---- erasing ----------------------------------------------------------------------------------------------------------- */

struct whole_erasing { /* one conversation after the other: attachments, history, what is remembered; at last the contact */
    struct contacts *cs;
    struct hub *hub;
    struct arena *a;
    struct contact contact;
    struct contact_erased erased;
    size_t i;
    void (*done)(void *arg, const struct contact_erased *e, const struct fault *f);
    void *arg;
};

static void erase_next(struct whole_erasing *er);

static void erase_end(struct whole_erasing *er, const struct fault *f)
{
    er->erased.id = er->contact.id;
    er->done(er->arg, f ? NULL : &er->erased, f);
    arena_free(er->a);
}

static slice erase_conversation(const struct whole_erasing *er)
{
    return identity(&er->contact, er->i)->conversation;
}

static void count_attachment(void *arg, const struct attachment *at)
{
    struct whole_erasing *er = arg;
    er->erased.attachments += at->state == ATTACHMENT_STORED;
}

static void forgotten(void *arg, bool ok)
{
    struct whole_erasing *er = arg;
    struct fault f;
    if (!ok) {
        fault(&f, "not_stored", "", "the journal does not take it; try again");
        erase_end(er, &f);
        return;
    }
    er->i++;
    erase_next(er);
}

static void forget_also(void *arg, struct jbatch *b)
{
    struct whole_erasing *er = arg;
    contacts_keepers_erase(er->cs, erase_conversation(er), b);
}

static void history_erased(void *arg, const struct fault *f)
{
    struct whole_erasing *er = arg;
    if (f && strcmp(f->code, "off") != 0)
        erase_end(er, f);
    else
        conv_erase(er->hub, erase_conversation(er), forget_also, forgotten, er);
}

static void attachments_counted(void *arg, const struct fault *f)
{
    struct whole_erasing *er = arg;
    if (f) {
        erase_end(er, f);
        return;
    }
    media_purge_now(er->hub, erase_conversation(er));
    history_erase(er->hub->history, erase_conversation(er), history_erased, er);
}

static bool work_erase(struct contact_job *job, struct contact_db *db)
{
    *LIST_ADD(job->a, &job->changed, slice) = job->id;
    return contact_db_erase(db, job->id, &job->fault);
}

static void contact_gone(struct contact_job *job)
{
    erase_end(job->arg, job->fault.code ? &job->fault : NULL);
}

static void erase_next(struct whole_erasing *er)
{
    if (er->i < er->contact.identities.n) {
        er->erased.conversations++;
        store_attachments_of(er->hub->store, erase_conversation(er), count_attachment, attachments_counted, er);
        return;
    }
    struct contact_job *job = contact_job_new(er->cs, work_erase, true, contact_gone, er);
    job->id = arena_dup(job->a, er->contact.id);
    contact_job_submit(job);
}

static void erase_found(struct contact_job *job)
{
    struct whole_erasing *er = job->arg;
    if (job->fault.code) {
        erase_end(er, &job->fault);
        return;
    }
    keep(er->a, &job->contact, &er->contact);
    erase_next(er);
}

void contact_erase(struct contacts *cs, slice id, void (*done)(void *, const struct contact_erased *, const struct fault *), void *arg)
{
    struct arena *a = arena_new();
    struct whole_erasing *er = ARENA_NEW(a, struct whole_erasing);
    *er = (struct whole_erasing){ .cs = cs, .hub = contacts_api(cs)->hub, .a = a, .done = done, .arg = arg };
    struct contact_job *job = contact_job_new(cs, contact_work_find, false, erase_found, er);
    job->id = arena_dup(job->a, id);
    contact_job_submit_fresh(job);
}
