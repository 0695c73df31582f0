/* contact_job.h - one piece of work on the contacts' database, on a helper thread; pieces follow one another. */
#ifndef API_CONTACTS_CONTACT_JOB_H
#define API_CONTACTS_CONTACT_JOB_H
#include "api/contacts/contacts.h"

struct contact_job {
    struct contact_job *next;
    struct contacts *cs;
    struct arena *a; /* lives as long as the job: it is freed behind done */
    bool (*work)(struct contact_job *job, struct contact_db *db); /* on the helper thread. False: see fault */
    bool writes;                                                  /* within a transaction */
    void (*done)(struct contact_job *job);                        /* on the loop */
    void *arg;
    struct fault fault; /* code NULL: it worked */
    /* What is asked; slices and values live in a. */
    slice id, with, tenant;
    int64_t rev;
    struct contact_change change;
    const struct js *doc;
    struct contact_query query;
    struct js_list heard; /* struct contact_identity */
    struct js_list firsts; /* slice: the first message of each, JSON */
    /* What came of it. */
    struct contact contact;
    struct js_list list;    /* struct contact */
    struct js_list changed; /* slice: ids, for the listeners */
};
struct contact_job *contact_job_new(struct contacts *cs, bool (*work)(struct contact_job *, struct contact_db *), bool writes,
                                    void (*done)(struct contact_job *), void *arg) MUST_USE;
void contact_job_submit(struct contact_job *job);
/* The same behind what the history has heard of until now. */
void contact_job_submit_fresh(struct contact_job *job);
struct api *contacts_api(const struct contacts *cs);
/* Each keeper. */
void contacts_keepers_erase(struct contacts *cs, slice conversation, struct jbatch *b);
void contacts_keepers_tell(struct contacts *cs, slice conversation, struct jw *w);
/* Works that several need. */
bool contact_work_find(struct contact_job *job, struct contact_db *db); /* job->id -> job->contact; fault "not_found" */
#endif
