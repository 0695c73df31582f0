#include "hub/conversation.h"
#include "hub/media.h"
#include "hub/rig_test.h"

static void have(void *arg, struct conv *conv)
{
    *(struct conv **)arg = conv;
}

static struct conv *conv_of(struct rig *r, const char *guest)
{
    struct conv *conv = NULL;
    conv_get(&r->hub, r->net, slice_of(guest), have, &conv);
    UNTIL(r, conv);
    return conv;
}

static void saved(void *arg, bool ok)
{
    CHECK(ok);
    *(bool *)arg = true;
}

static void save(struct rig *r, struct conv *conv, int open)
{
    bool done = false;
    struct jbatch *b = jbatch_new(r->hub.journal);
    if (open >= 0)
        conv_open(conv, open, b);
    conv_save(conv, b);
    jbatch_commit(b, JOURNAL_DURABLE, saved, &done);
    UNTIL(r, done);
    CHECK(!conv->dirty && !memory_dirty(conv->memory));
}

TEST(conversation_is_saved_however_long_a_name_is)
{
    struct rig *r = rig_new();
    struct conv *conv = conv_of(r, "U1");
    char *name = must_malloc(JOURNAL_VALUE_MAX);
    memset(name, 'n', JOURNAL_VALUE_MAX);
    slice all = slice_mem(name, JOURNAL_VALUE_MAX);
    conv_person(conv, &(struct person){ .id = SL("p1"), .name = all, .first_name = all, .last_name = all, .picture = all });
    free(name);
    save(r, conv, true);
    conv_release(conv);
    rig_stop(r);
    rig_start(r);
    conv = conv_of(r, "U1");
    CHECK_SLICE(conv->pub.person.id, SL("p1"));
    CHECK(slice_starts(conv->pub.person.name, SL("nnnn")) && !conv->pub.person.picture.n);
    conv_release(conv);
    rig_free(r);
}

/* A guest's own words, all that a memory holds, and an agent with a very long name: what of it takes six bytes when it is written down. */
TEST(conversation_is_saved_whatever_its_guest_is_made_of)
{
    struct rig *r = rig_new();
    struct conv *conv = conv_of(r, "U1");
    static char odd[JOURNAL_VALUE_MAX];
    memset(odd, 1, sizeof(odd));
    slice all = slice_mem(odd, sizeof(odd)), word = slice_mem(odd, 4000);
    conv_person(conv, &(struct person){ word, all, all, all, word, word, word });
    conv_agent(conv, all);
    for (int i = 0; i < 40; i++)
        memory_set(conv->memory, arena_printf(r->a, "k%d", i).p, word, 0);
    conv_desk(conv, all); /* no desk calls it so */
    CHECK(!conv->pub.desk_conversation.n);
    conv_desk(conv, slice_mem(odd, 2000));
    conv->pub.last_in_ms = 11;
    conv->person_until_ms = 12;
    save(r, conv, true);
    CHECK(conv->pub.person.name.n); /* for as long as it is in memory */
    conv_release(conv);
    rig_stop(r);
    rig_start(r);
    conv = conv_of(r, "U1");
    CHECK(conv->pub.open && conv->pub.last_in_ms == 11 && memory_get(conv->memory, "k39", 1).p);
    CHECK_SLICE(conv->pub.desk_conversation, slice_mem(odd, 2000));
    CHECK(conv->pub.agent_name.n == 1000 && !conv->pub.person.name.n && !conv->person_until_ms); /* it is asked again */
    conv_release(conv);
    rig_free(r);
}

TEST(conversation_is_saved_and_loaded_whole)
{
    struct rig *r = rig_new();
    struct conv *conv = conv_of(r, "U1");
    CHECK_SLICE(conv->pub.id, SL("t/tnet:U1"));
    CHECK_SLICE(conv->pub.address, SL("U1@tnet"));
    struct person p = { SL("p1"), SL("Name \"q\""), SL("F"), SL("L"), SL("http://p"), SL("ja"), SL("e@x") };
    conv_person(conv, &p);
    conv_person(conv, &(struct person){ .first_name = SL("First") }); /* the others stay */
    CHECK(conv_set(conv, &conv->pub.agent_name, SL("Maria")) && !conv_set(conv, &conv->pub.agent_name, SL("Maria")));
    conv_set(conv, &conv->pub.desk_conversation, slice_mem("a\0b", 3)); /* all of it */
    conv->pub.last_in_ms = 11, conv->pub.last_out_ms = 12, conv->person_until_ms = 13, conv->agent_until_ms = 14;
    memory_set(conv->memory, "k", SL("v"), 0);
    save(r, conv, true);
    CHECK_INT(conversations_open(&r->hub), 1);
    conv_release(conv);
    for (int i = 0; i < 2; i++) {
        if (i == 0)
            rig_crash(r);
        else {
            rig_stop(r);
            rig_start(r);
        }
        CHECK_INT(conversations_open(&r->hub), 1);
        conv = conv_of(r, "U1");
        const struct person *q = &conv->pub.person;
        CHECK(slice_eq(q->id, p.id) && slice_eq(q->name, p.name) && slice_eq(q->first_name, SL("First")) && slice_eq(q->last_name, p.last_name) &&
              slice_eq(q->picture, p.picture) && slice_eq(q->locale, p.locale) && slice_eq(q->email, p.email));
        CHECK_SLICE(conv->pub.agent_name, SL("Maria"));
        CHECK(conv->pub.open && conv->pub.last_in_ms == 11 && conv->pub.last_out_ms == 12 && conv->person_until_ms == 13 && conv->agent_until_ms == 14);
        CHECK_SLICE(memory_get(conv->memory, "k", 1), SL("v"));
        CHECK(!conv->dirty && r->desk->poll_next == conv);
        conv_release(conv);
    }
    rig_free(r);
}

TEST(conversation_is_loaded_once_for_all_who_ask)
{
    struct rig *r = rig_new();
    struct conv *a = NULL, *b = NULL, *c = NULL;
    conv_get(&r->hub, r->net, SL("U1"), have, &a);
    conv_get(&r->hub, r->net, SL("U1"), have, &b);
    conv_get(&r->hub, r->other, SL("U1"), have, &c); /* another channel's guest of that name */
    CHECK(!a && !b);
    UNTIL(r, a && b && c);
    CHECK(a == b && a != c && a->holds == 2);
    conv_release(a);
    conv_release(b);
    conv_release(c);
    rig_free(r);
}

TEST(conversations_in_memory_are_bounded_whatever_lies_at_the_old_end)
{
    enum { LIMIT = 20, STUCK = 18, MANY = 300 };
    struct rig *r = rig_new();
    r->hub.limits.conversations = LIMIT;
    for (int i = 0; i < STUCK; i++) { /* open: they stay */
        struct conv *conv = conv_of(r, arena_printf(r->a, "open%d", i).p);
        save(r, conv, true);
        conv_release(conv);
    }
    for (int i = 0; i < MANY; i++)
        conv_release(conv_of(r, arena_printf(r->a, "U%d", i).p));
    CHECK(conversations_in_memory(&r->hub) <= LIMIT + STUCK);
    struct conv *held = conv_of(r, "held");
    conv_set(held, &held->pub.agent_name, SL("Jo"));
    conv_release(held); /* not saved: it must not be lost */
    for (int i = 0; i < MANY; i++)
        conv_release(conv_of(r, arena_printf(r->a, "V%d", i).p));
    CHECK(conv_of(r, "held") == held);
    conv_release(held);
    rig_free(r);
}

TEST(open_conversations_are_a_ring_of_their_desk)
{
    struct rig *r = rig_new();
    struct conv *c[3];
    for (int i = 0; i < 3; i++) {
        c[i] = conv_of(r, arena_printf(r->a, "U%d", i).p);
        save(r, c[i], true);
        save(r, c[i], true); /* once more is no more */
    }
    CHECK_INT(conversations_open(&r->hub), 3);
    CHECK(r->desk->poll_next == c[0] && c[0]->open_next == c[1] && c[1]->open_next == c[2] && c[2]->open_next == c[0]);
    save(r, c[0], false);
    CHECK(r->desk->poll_next == c[1] && c[2]->open_next == c[1] && c[1]->open_prev == c[2] && !c[0]->open_next);
    save(r, c[1], false);
    save(r, c[2], false);
    CHECK(!r->desk->poll_next);
    CHECK_INT(conversations_open(&r->hub), 0);
    for (int i = 0; i < 3; i++)
        conv_release(c[i]);
    rig_free(r);
}

static void note_ok(void *arg, bool ok)
{
    *(int *)arg = ok ? 1 : -1;
}

TEST(conversation_whose_opening_was_not_stored_is_stored_as_open_with_the_next_change)
{
    struct rig *r = rig_new();
    struct conv *conv = conv_of(r, "U1");
    int ended = 0;
    rig_disk_full(true);
    struct jbatch *b = jbatch_new(r->hub.journal);
    conv_open(conv, true, b);
    conv_save(conv, b);
    jbatch_commit(b, JOURNAL_DURABLE, note_ok, &ended);
    UNTIL(r, ended);
    rig_disk_full(false);
    CHECK_INT(ended, -1);
    conv_soil(conv);
    save(r, conv, -1);
    conv_release(conv);
    rig_crash(r);
    CHECK_INT(conversations_open(&r->hub), 1);
    rig_free(r);
}

TEST(conversation_that_remembers_too_much_still_fits_into_the_journal)
{
    struct rig *r = rig_new();
    struct conv *conv = conv_of(r, "U1");
    char big[MEMORY_VALUE_MAX];
    memset(big, 'x', sizeof(big));
    for (int i = 0; i < 40; i++)
        memory_set(conv->memory, arena_printf(r->a, "k%d", i).p, slice_mem(big, sizeof(big)), 0);
    conv_set(conv, &conv->pub.agent_name, SL("Maria"));
    save(r, conv, -1);
    conv_release(conv);
    rig_crash(r);
    conv = conv_of(r, "U1");
    CHECK_SLICE(conv->pub.agent_name, SL("Maria"));
    CHECK(memory_get(conv->memory, "k39", 1).p && !memory_get(conv->memory, "k0", 1).p);
    conv_release(conv);
    rig_free(r);
}

/* The tenant's desk is another one since the last start: nobody will tell its end. */
TEST(conversation_open_at_a_desk_of_before_is_not_open)
{
    struct rig *r = rig_new();
    struct conv *conv = conv_of(r, "U1");
    struct tenant *t = r->net->tenant;
    int ended = 0;
    struct jbatch *b = jbatch_new(r->hub.journal);
    conv_open(conv, true, b);
    conv_desk(conv, SL("dc-1"));
    t->desk = r->other;
    conv_save(conv, b);
    t->desk = r->desk;
    jbatch_commit(b, JOURNAL_DURABLE, note_ok, &ended);
    UNTIL(r, ended == 1);
    conv_release(conv);
    rig_stop(r);
    CHECK_INT(rig_keys(r, "o:"), 1);
    rig_start(r);
    CHECK_INT(conversations_open(&r->hub), 0);
    conv = conv_of(r, "U1");
    CHECK(!conv->pub.open && media_purge_since(conv));
    conv_release(conv);
    rig_stop(r);
    CHECK_INT(rig_keys(r, "o:"), 0);
    rig_start(r);
    rig_free(r);
}

TEST(conversation_asked_for_when_the_hub_stops_leaves_nothing)
{
    struct rig *r = rig_new();
    struct conv *conv = NULL;
    conv_get(&r->hub, r->net, SL("U1"), have, &conv);
    rig_stop(r);
    CHECK(!conv);
    rig_free(r);
}
