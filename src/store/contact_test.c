#include "store/contact_db.h"
#include "tests/harness/servers.h"
#include "tests/harness/test.h"

static struct fault f;
static struct arena *a;

static char place[256];

static struct contact_db *open_new(void)
{
    f = (struct fault){ 0 };
    a = arena_new();
    snprintf(place, sizeof(place), "%s%s", on_pg ? pg_place_new() : test_dir(), on_pg ? "" : "/contacts.db");
    struct contact_db *db = contact_db_open(place, 0, &f);
    if (!db)
        test_fail(__FILE__, __LINE__, "%s", f.text);
    return db;
}

static void close_all(struct contact_db *db)
{
    contact_db_close(db);
    a = arena_free(a);
}

/* As one transaction; false: nothing of it has happened. */
#define WITHIN(db, call) (contact_db_begin(db, &f) && ((call) && contact_db_commit(db, &f) ? true : (contact_db_rollback(db), false)))

static int64_t clock_ms = 1000;
static int64_t hear(struct contact_db *db, const char *conversation, const char *name, const char *phone, const char *email)
{
    struct contact_identity v = { .conversation = slice_of(conversation), .network = slice_of(strstr(conversation, "line") ? "line" : "sms"),
                                  .name = slice_of(name), .phone = slice_of(phone), .email = slice_of(email), .heard_ms = clock_ms++ };
    int64_t n = 0;
    bool changed;
    CHECK(contact_db_begin(db, &f) && contact_db_hear(db, &v, &n, &changed, &f) && contact_db_commit(db, &f));
    return n;
}

/* "name|conversation how,…|phones|emails|attributes" */
static slice told(struct contact_db *db, int64_t n)
{
    struct contact c;
    struct text t = text_new(a, 4096);
    if (!contact_db_read(db, a, n, &c, &f))
        return slice_of(f.code);
    text_add(&t, SLF "|", SLA(c.name));
    for (size_t i = 0; i < c.identities.n; i++) {
        const struct contact_identity *v = LIST_AT(c.identities, struct contact_identity, i);
        text_add(&t, "%s" SLF " %s", i ? "," : "", SLA(v->conversation), contact_how_names[v->how]);
    }
    const struct js_list *lists[] = { &c.phones, &c.emails };
    for (size_t k = 0; k < COUNT(lists); k++) {
        text_char(&t, '|');
        for (size_t i = 0; i < lists[k]->n; i++)
            text_add(&t, "%s" SLF, i ? "," : "", SLA(*LIST_AT(*lists[k], slice, i)));
    }
    text_add(&t, "|" SLF, SLA(c.attributes));
    return text_slice(&t);
}

static slice id_of(struct contact_db *db, int64_t n)
{
    struct contact c = { 0 };
    CHECK(contact_db_read(db, a, n, &c, &f));
    return c.id;
}

static size_t found(struct contact_db *db, const char *text, const char *tenant)
{
    struct js_list list = { 0 };
    CHECK(contact_db_list(db, a, &(struct contact_query){ .tenant = slice_of(tenant), .text = slice_of(text), .limit = 10 }, &list, &f));
    return list.n;
}

TEST(contact_addresses_are_compared_in_one_form)
{
    static const struct { const char *text, *phone, *email; } rows[] = {
        { "+49 (170) 123-45.67", "+491701234567", NULL },
        { "0049 170 1234567", "+491701234567", NULL },
        { "tel:+81-90-1234-5678", "+819012345678", NULL },
        { "0170 1234567", "01701234567", NULL },
        { "12345", NULL, NULL },
        { "+1234567890123456", NULL, NULL },
        { "call me 1234567", NULL, NULL },
        { " Ann@Example.COM ", NULL, "ann@example.com" },
        { "mailto:a+b@x.org", NULL, "a+b@x.org" },
        { "a@b", NULL, NULL },
        { "@x.org", NULL, NULL },
        { "a@x.", NULL, NULL },
        { "a b@x.org", NULL, NULL },
        { "", NULL, NULL },
    };
    CLEANUP(arena_freep) struct arena *own = arena_new();
    for (size_t i = 0; i < COUNT(rows); i++) {
        CHECK_ROW(i, slice_eq(contact_phone(own, slice_of(rows[i].text)), slice_of(rows[i].phone)));
        CHECK_ROW(i, slice_eq(contact_email(own, slice_of(rows[i].text)), slice_of(rows[i].email)));
    }
}

TEST_BOTH(contact_is_matched_by_guest_phone_and_email_within_its_tenant)
{
    struct contact_db *db = open_new();
    int64_t one = hear(db, "acme/line:U1", "Ann", NULL, "Ann@Example.com");
    CHECK_INT(hear(db, "acme/line:U1", "Ann", NULL, NULL), one);
    CHECK_INT(hear(db, "acme/line2:U1", NULL, NULL, NULL), one);
    CHECK_INT(hear(db, "acme/chat:x", "Annie", "+1 555 123 4567", "ann@example.com"), one);
    CHECK_INT(hear(db, "acme/sms:+15551234567", NULL, NULL, NULL), one);
    CHECK_SLICE(told(db, one), SL("Ann|acme/line:U1 new,acme/line2:U1 guest,acme/chat:x email,acme/sms:+15551234567 phone|+15551234567|ann@example.com|{}"));
    CHECK(hear(db, "other/line:U1", NULL, NULL, "ann@example.com") != one);
    int64_t stranger = hear(db, "acme/line:U2", NULL, NULL, NULL);
    CHECK_SLICE(told(db, stranger), SL("U2|acme/line:U2 new|||{}"));
    hear(db, "acme/line:U2", "Bob", NULL, NULL);
    CHECK_SLICE(told(db, stranger), SL("Bob|acme/line:U2 new|||{}"));
    /* What is learned later unites, where nobody has decided otherwise. */
    CHECK_INT(hear(db, "acme/line:U2", NULL, NULL, "ann@example.com"), one);
    CHECK_SLICE(told(db, stranger), SL("not_found"));
    close_all(db);
}

TEST_BOTH(contact_is_merged_and_split_by_hand)
{
    struct contact_db *db = open_new();
    int64_t ann = hear(db, "acme/line:U1", "Ann", NULL, "ann@x.org"), bob = hear(db, "acme/chat:b", "Bob", "0170 1234567", NULL), n;
    slice ann_id = id_of(db, ann), bob_id = id_of(db, bob);
    const struct js *one = js_parse(a, SL("{\"vip\":\"yes\",\"crm\":\"1\"}"), NULL), *two = js_parse(a, SL("{\"crm\":\"2\",\"city\":\"Bonn\"}"), NULL);
    CHECK(WITHIN(db, contact_db_change(db, ann_id, -1, &(struct contact_change){ .attributes = one }, &n, &f)));
    CHECK(WITHIN(db, contact_db_change(db, bob_id, -1, &(struct contact_change){ .attributes = two, .name = SL("Robert") }, &n, &f)));
    CHECK(WITHIN(db, contact_db_merge(db, ann_id, bob_id, &n, &f)));
    CHECK_INT(n, ann);
    CHECK_SLICE(told(db, ann), SL("Robert|acme/line:U1 new,acme/chat:b hand|01701234567|ann@x.org|{\"vip\":\"yes\",\"crm\":\"1\",\"city\":\"Bonn\"}") );
    CHECK(contact_db_find(db, bob_id, &n, &f) && n == ann);
    CHECK(contact_db_find(db, SL("acme/chat:b"), &n, &f) && n == ann);
    CHECK(!WITHIN(db, contact_db_merge(db, ann_id, bob_id, &n, &f)));
    CHECK_SLICE(slice_of(f.code), SL("invalid"));
    int64_t other = hear(db, "other/line:U1", "Cy", NULL, NULL);
    CHECK(!WITHIN(db, contact_db_merge(db, ann_id, id_of(db, other), &n, &f)));
    CHECK_SLICE(slice_of(f.code), SL("other_tenant"));
    /* and apart again: the number goes with the conversation that it was learned from */
    static const struct { const char *list, *code; } bad[] = {
        { "[]", "invalid" }, { "[\"acme/chat:c\"]", "invalid" }, { "[\"acme/chat:b\",\"acme/chat:b\"]", "invalid" }, { "[\"acme/chat:b\",\"acme/line:U1\"]", "invalid" },
    };
    for (size_t i = 0; i < COUNT(bad); i++)
        CHECK_ROW(i, !WITHIN(db, contact_db_split(db, ann_id, js_parse(a, slice_of(bad[i].list), NULL), &n, &f)) && slice_eq(slice_of(f.code), slice_of(bad[i].code)));
    CHECK(WITHIN(db, contact_db_split(db, ann_id, js_parse(a, SL("[\"acme/chat:b\"]"), NULL), &n, &f)));
    CHECK(n != ann);
    CHECK_SLICE(told(db, n), SL("Bob|acme/chat:b hand|01701234567||{}"));
    CHECK_SLICE(told(db, ann), SL("Robert|acme/line:U1 new||ann@x.org|{\"vip\":\"yes\",\"crm\":\"1\",\"city\":\"Bonn\"}"));
    /* What people have split stays split, whatever is heard. */
    CHECK_INT(hear(db, "acme/chat:b", "Bob", NULL, "ann@x.org"), n);
    close_all(db);
}

TEST_BOTH(contact_is_changed_by_hand_with_a_revision)
{
    struct contact_db *db = open_new();
    int64_t n = hear(db, "acme/line:U1", "Ann", NULL, NULL), m;
    struct contact c;
    CHECK(contact_db_read(db, a, n, &c, &f));
    const struct js *phones = js_parse(a, SL("[\"+49 170 1234567\",\"0049 1701234567\"]"), NULL), *bad = js_parse(a, SL("[\"+49 170 1234567\",\"x\"]"), NULL);
    CHECK(WITHIN(db, contact_db_change(db, c.id, c.rev, &(struct contact_change){ .name = SL("Dr. Ann"), .phones = phones }, &m, &f)));
    CHECK_SLICE(told(db, n), SL("Dr. Ann|acme/line:U1 new|+491701234567||{}"));
    CHECK(!WITHIN(db, contact_db_change(db, c.id, c.rev, &(struct contact_change){ .name = SL("x") }, &m, &f)));
    CHECK_SLICE(slice_of(f.code), SL("changed"));
    CHECK(contact_db_begin(db, &f) && !contact_db_change(db, c.id, -1, &(struct contact_change){ .phones = bad }, &m, &f));
    CHECK_SLICE(slice_of(f.field), SL("phones[1]"));
    contact_db_rollback(db);
    hear(db, "acme/line:U1", "Annette", NULL, NULL);
    CHECK_SLICE(told(db, n), SL("Dr. Ann|acme/line:U1 new|+491701234567||{}"));
    CHECK(WITHIN(db, contact_db_change(db, c.id, -1, &(struct contact_change){ .name = SL("") }, &m, &f)));
    CHECK_SLICE(told(db, n), SL("Annette|acme/line:U1 new|+491701234567||{}"));
    CHECK(WITHIN(db, contact_db_make(db, SL("acme"), &(struct contact_change){ .name = SL("Company"), .phones = phones }, &m, &f)));
    CHECK_SLICE(told(db, m), SL("Company||+491701234567||{}"));
    CHECK(!WITHIN(db, contact_db_change(db, SL("ct-none"), -1, &(struct contact_change){ .name = SL("x") }, &m, &f)));
    CHECK_SLICE(slice_of(f.code), SL("not_found"));
    close_all(db);
}

TEST_BOTH(contact_is_found_and_erased)
{
    struct contact_db *db = open_new();
    int64_t ann = hear(db, "acme/line:U1", "\xe5\xb1\xb1\xe7\x94\xb0 Ann", "+49 170 1234567", "ann@x.org"), n;
    hear(db, "acme/line:U2", "Bob 100%", NULL, NULL);
    hear(db, "other/line:U3", "Ann Other", NULL, NULL);
    CHECK(WITHIN(db, contact_db_change(db, id_of(db, ann), -1, &(struct contact_change){ .attributes = js_parse(a, SL("{\"crm\":\"K-4711\"}"), NULL) }, &n, &f)));
    static const struct { const char *text, *tenant; size_t n; } rows[] = {
        { "", NULL, 3 }, { "", "acme", 2 }, { "Ann", NULL, 2 }, { "ann", "acme", 1 }, { "NN@X", NULL, 1 }, { "0049 170 123 4567", NULL, 1 },
        { "k-47", NULL, 1 }, { "\xe5\xb1\xb1\xe7\x94\xb0", NULL, 1 }, { "0%", NULL, 1 }, { "%%", NULL, 0 }, { "U2", NULL, 1 }, { "\" OR search:*", NULL, 0 },
        { "nobody", NULL, 0 },
    };
    for (size_t i = 0; i < COUNT(rows); i++)
        CHECK_ROW(i, found(db, rows[i].text, rows[i].tenant) == rows[i].n);
    CHECK(contact_db_begin(db, &f) && contact_db_erase(db, SL("acme/line:U1"), &f) && contact_db_commit(db, &f));
    CHECK_INT(found(db, "Ann", NULL), 1);
    CHECK_INT(found(db, "4711", NULL), 0);
    CHECK(contact_db_find(db, SL("acme/line:U1"), &n, &f) && n == 0);
    CHECK(!WITHIN(db, contact_db_erase(db, SL("acme/line:U1"), &f)));
    CHECK_SLICE(slice_of(f.code), SL("not_found"));
    CHECK(contact_db_count(db, &n, &f) && n == 2);
    close_all(db);
}

TEST_BOTH(contact_list_has_pages)
{
    struct contact_db *db = open_new();
    for (int i = 0; i < 7; i++)
        hear(db, arena_printf(a, "acme/line:P%d", i).p, "Paul", NULL, NULL);
    for (int with_text = 0; with_text < 2; with_text++) {
        struct contact_query q = { .limit = 3, .text = with_text ? SL("Paul") : SLICE_NONE };
        size_t n = 0, pages = 0;
        int64_t sum = 0;
        for (;; pages++) {
            struct js_list list = { 0 };
            CHECK(contact_db_list(db, a, &q, &list, &f));
            if (!list.n)
                break;
            const struct contact *last = LIST_AT(list, struct contact, list.n - 1);
            for (size_t i = 0; i < list.n; i++)
                sum += LIST_AT(list, struct contact, i)->n;
            n += list.n;
            q.before_ms = last->changed_ms;
            q.before_n = last->n;
        }
        CHECK_INT(n, 7);
        CHECK_INT(sum, 28);
        CHECK_INT(pages, 3);
    }
    close_all(db);
}

/* ---- what only a server can do -------------------------------------------------------------------------------------------------- */

TEST(contact_tables_are_written_by_the_last_turn_only)
{
    on_pg = true;
    struct contact_db *one = open_new(), *two;
    contact_db_close(one);
    CHECK((one = contact_db_open(place, 1, &f)));
    int64_t ann = hear(one, "acme/line:U1", "Ann", NULL, NULL), n;
    slice id = id_of(one, ann);
    CHECK(contact_db_begin(one, &f) && contact_db_change(one, id, -1, &(struct contact_change){ .name = SL("too late") }, &n, &f));
    CHECK((two = contact_db_open(place, 2, &f)));
    CHECK(!contact_db_commit(one, &f));
    contact_db_rollback(one);
    CHECK(contact_db_begin(two, &f) && contact_db_change(two, id, -1, &(struct contact_change){ .name = SL("Dr. Ann") }, &n, &f) && contact_db_commit(two, &f));
    CHECK(!contact_db_begin(one, &f));
    CHECK_SLICE(slice_of(f.code), SL("in_use"));
    CHECK_SLICE(told(two, ann), SL("Dr. Ann|acme/line:U1 new|||{}"));
    contact_db_close(one);
    close_all(two);
}

TEST(contact_takes_any_bytes_in_postgresql)
{
    on_pg = true;
    struct contact_db *db = open_new();
    struct contact_identity v = { .conversation = SL("acme/line:\xff\0x"), .network = SL("line"), .name = SL("\xff\0 Ann"), .picture = SL("\xfe"), .heard_ms = 1 };
    int64_t n = 0, m = 0;
    bool changed;
    CHECK(contact_db_begin(db, &f) && contact_db_hear(db, &v, &n, &changed, &f) && contact_db_commit(db, &f));
    CHECK(contact_db_find(db, v.conversation, &m, &f) && m == n);
    CHECK_INT(found(db, "Ann", NULL), 1);
    CHECK_INT(found(db, "\xff", NULL), 1); /* what is no text is looked for as U+FFFD */
    close_all(db);
}
