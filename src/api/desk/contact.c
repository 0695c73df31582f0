/* contact.c - whose interaction is it? The contact is looked up behind the message; what is erased or exported of a contact includes the desk's. */
#include "api/contacts/contacts.h"
#include "api/desk/inside.h"

struct desk_asking { /* for a contact */
    struct desk_asking *next, *prev;
    struct desk *desk;
    slice interaction;
};

static void asking_free(struct desk_asking *as)
{
    *(as->prev ? &as->prev->next : &as->desk->asking) = as->next;
    if (as->next)
        as->next->prev = as->prev;
    interaction_set(&as->interaction, SLICE_NONE);
    free(as);
}

static void found(void *arg, const struct contact *ct, const struct fault *f)
{
    struct desk_asking *as = arg;
    struct desk *desk = as->desk;
    struct interaction *it = interactions_find(desk->all, as->interaction);
    (void)f; /* without contacts the desk goes on; it is asked again with the next message */
    asking_free(as);
    if (!ct || !it || desk->stopped || slice_eq(it->contact, ct->id))
        return;
    interaction_set(&it->contact, ct->id);
    if (ct->named)
        interaction_set(&it->name, utf8_cut(ct->name, DESK_WORD_MAX));
    struct jbatch *b = jbatch_new(desk->hub->journal);
    interaction_save(desk->all, it, b);
    jbatch_commit(b, JOURNAL_LAZY, NULL, NULL);
    desk_tell_interaction(desk, it);
}

void desk_ask_contact(struct desk *desk, const struct interaction *it, const struct person *person)
{
    if (it->contact.n || desk->stopped)
        return;
    for (const struct desk_asking *as = desk->asking; as; as = as->next)
        if (slice_eq(as->interaction, it->id))
            return;
    struct desk_asking *as = must_calloc(1, sizeof(*as));
    as->desk = desk;
    interaction_set(&as->interaction, it->id);
    as->next = desk->asking;
    if (as->next)
        as->next->prev = as;
    desk->asking = as;
    contact_of(desk->api->contacts, it->conversation, person, found, as);
}

static void erase(void *arg, slice conversation, struct jbatch *b)
{
    struct desk *desk = arg;
    interactions_erase(desk->all, conversation, b);
}

static void tell_one(struct jw *w, const struct interaction *it)
{
    jw_open(w, NULL, '{');
    jw_str(w, "id", it->id);
    jw_str(w, "queue", it->queue);
    jw_str(w, "state", slice_of(desk_state_names[it->state]));
    jw_time(w, "created", it->created_ms);
    jw_opt(w, "agent", slice_or(interaction_owner(it), it->owner_was));
    jw_opt(w, "subject", it->subject);
    jw_opt(w, "disposition", it->disposition);
    jw_opt(w, "note", it->note);
    if (it->attributes.n)
        jw_raw(w, "attributes", it->attributes);
    jw_close(w, '}');
}

/* For the export of a contact. */
static void tell(void *arg, slice conversation, struct jw *w)
{
    const struct desk *desk = arg;
    const struct interaction *const lists[] = { interactions_first_done(desk->all), interactions_first(desk->all) };
    bool any = false;
    for (size_t i = 0; i < COUNT(lists); i++) {
        for (const struct interaction *it = lists[i]; it; it = it->next) {
            if (!slice_eq(it->conversation, conversation))
                continue;
            if (!any)
                jw_open(w, "desk", '[');
            any = true;
            tell_one(w, it);
        }
    }
    if (any)
        jw_close(w, ']');
}

void desk_contacts_start(struct desk *desk)
{
    contacts_keep(desk->api->contacts, &(struct contact_keeper){ erase, tell, desk });
}

void desk_contacts_free(struct desk *desk)
{
    while (desk->asking)
        asking_free(desk->asking);
}
