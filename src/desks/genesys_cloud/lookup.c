/* Who is the agent? The webhook has no name; the message's details have, 8.2 "Agent's name".
 *
 * One question a minute for each conversation (lookup.keep_ms), within the budget of queries. */
#include "desks/genesys_cloud/wire.h"

enum gc_who_step { GC_ASK_MESSAGE, GC_ASK_USER };

static const char *const gc_name_keys[GC_NAMES] = {
    "user.0", "user.1", "user.2",  "user.3",  "user.4",  "user.5",  "user.6",  "user.7",
    "user.8", "user.9", "user.10", "user.11", "user.12", "user.13", "user.14", "user.15",
};

/* Where this agent's name is, else where it may go: keys of their own, so that names never push out what else is remembered. Value: "id name". */
static const char *gc_name_key(const struct call *c, slice user, slice *ret_name)
{
    *ret_name = SLICE_NONE;
    for (size_t i = 0; i < GC_NAMES; i++) {
        slice kept = memory_get(c->memory, gc_name_keys[i], c->now_ms);
        if (!slice_eq(slice_cut(&kept, ' '), user))
            continue;
        *ret_name = arena_dup(c->a, kept); /* it is about to be written again */
        return gc_name_keys[i];
    }
    return memory_oldest(c->memory, gc_name_keys, GC_NAMES, c->now_ms);
}

static slice gc_name_of(const struct call *c, slice user)
{
    slice name;
    (void)gc_name_key(c, user, &name);
    return name;
}

static enum outcome gc_found(struct call *c, struct delivery *d, slice user, slice name)
{
    enum { HOUR_MS = 60 * 60 * 1000 };
    d->person.id = user;
    d->person.name = name;
    slice before;
    if (user.n && name.n)
        memory_set(c->memory, gc_name_key(c, user, &before), arena_printf(c->a, SLF " " SLF, SLA(user), SLA(name)), c->now_ms + (int64_t)GC_NAME_HOURS * HOUR_MS);
    d->person.name = slice_or(name, setting(c, GC_AGENT_NAME));
    return OUT_DELIVERED;
}

enum outcome gc_who(struct call *c, struct delivery *d)
{
    d->person = (struct person){ 0 };
    if (!d->m || d->m->origin != ORIGIN_AGENT)
        return OUT_DELIVERED; /* flows and bots have no name of their own */
    if (!setting_true(c, GC_AGENT_LOOKUP))
        return gc_found(c, d, SLICE_NONE, SLICE_NONE);

    if (!d->last) {
        d->step = GC_ASK_MESSAGE;
        gc_get(d, gc_url(c, "/conversations/messages/" SLF "/details", SLA(gc_part(c, gc_platform_id(d->m->id)))));
        return OUT_CALL;
    }
    d->person.name = setting(c, GC_AGENT_NAME); /* until we know better, and when we never shall */
    if (!gc_ok(d))
        return gc_fail(c, d, d->step == GC_ASK_USER ? "agent's name" : "message details");

    const struct js *doc = gc_answer(c, d);
    if (d->step == GC_ASK_USER)
        return gc_found(c, d, js_text(js_at(doc, "id")), js_text(js_at(doc, "name")));
    slice user = js_text(js_at(doc, "createdBy.id")), name = js_text(js_at(doc, "createdBy.name"));
    if (!name.n && user.n)
        name = gc_name_of(c, user);
    if (name.n || !user.n)
        return gc_found(c, d, user, name);
    d->step = GC_ASK_USER;
    gc_get(d, gc_url(c, "/users/" SLF, SLA(gc_part(c, user))));
    return OUT_CALL;
}
