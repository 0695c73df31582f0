/* Files that one of our own pages sent. */
#include "hub/upload.h"
#include "hub/rig_test.h"
#include "store/store.h"
#include <sqlite3.h>

struct sending {
    bool done;
    struct fault f;
};

static void uploaded(void *arg, const struct fault *f)
{
    struct sending *o = arg;
    o->done = true;
    if (f)
        o->f = *f;
}

static struct upload picture(struct rig *r, struct sending *o)
{
    struct upload up = { .hub = &r->hub, .a = r->a, .tenant = SL("t"), .account = SL("t/tnet"), .conversation = SL("t/tnet:U1"), .name = SL("cat.png"), .type = SL("image/png"),
                         .body = SL("bytes"), .audience = STORAGE_FOR_DESK, .done = uploaded, .arg = o };
    storage_id(up.id);
    return up;
}

static void looked(void *arg, const struct attachment *row, const struct fault *f)
{
    int *n = arg;
    CHECK(!f);
    *n = row && slice_eq(row->name, SL("cat.png")) ? 1 : 0;
}

static bool has_row(struct rig *r, const struct upload *up)
{
    int n = -1;
    store_attachment_get(r->hub.store, slice_of(up->id), looked, &n);
    UNTIL(r, n >= 0);
    return n;
}

TEST(upload_keeps_the_file_and_its_row)
{
    struct rig *r = rig_new();
    struct sending o = { 0 };
    struct upload up = picture(r, &o);
    upload_start(&up, &r->storage);
    UNTIL(r, o.done);
    CHECK(!o.f.code && has_row(r, &up));
    CHECK_SLICE(up.md.url, arena_printf(r->a, "http://shelf/desk/%s", up.id));
    CHECK_INT(up.md.size, 5);
    CHECK_SLICE(r->shelved[0].bytes, SL("bytes"));
    upload_drop(&up);
    UNTIL(r, rig_shelved(r) == 0 && !has_row(r, &up));
    rig_free(r);
}

TEST(upload_that_no_storage_takes_is_told)
{
    struct rig *r = rig_new();
    struct sending o = { 0 };
    struct upload up = picture(r, &o);
    r->put_faults = 1;
    r->put_fault = "storage_full";
    upload_start(&up, &r->storage);
    UNTIL(r, o.done);
    CHECK(o.f.code && strcmp(o.f.code, "storage_full") == 0);
    CHECK(r->storage.trouble.code);
    o = (struct sending){ 0 };
    upload_start(&up, &r->storage);
    UNTIL(r, o.done);
    CHECK(!o.f.code && !r->storage.trouble.code);
    rig_free(r);
}

/* Nobody would ever delete it. */
TEST(upload_that_the_store_does_not_note_is_not_kept)
{
    struct rig *r = rig_new();
    struct sending o = { 0 };
    struct upload up = picture(r, &o);
    sqlite3 *db;
    CHECK(sqlite3_open(arena_printf(r->a, "%s/store.db", r->dir).p, &db) == SQLITE_OK);
    sqlite3_busy_timeout(db, RIG_WAIT_MS);
    CHECK(sqlite3_exec(db, "CREATE TRIGGER full BEFORE INSERT ON attachments BEGIN SELECT RAISE(ABORT,'full'); END", 0, 0, 0) == SQLITE_OK);
    sqlite3_close(db);
    upload_start(&up, &r->storage);
    UNTIL(r, o.done);
    CHECK(o.f.code && strcmp(o.f.code, "not_stored") == 0);
    CHECK_INT(r->n_shelved, 1);
    UNTIL(r, rig_shelved(r) == 0);
    rig_free(r);
}

/* The hub stops while the storage has it: there is no store any more, and nobody to ask for another storage. */
TEST(upload_under_way_when_the_hub_stops_ends)
{
    for (int fails = 0; fails < 2; fails++) {
        struct rig *r = rig_new();
        struct sending o = { 0 };
        struct upload up = picture(r, &o);
        r->put_faults = (unsigned)fails;
        r->put_fault = "storage_failed";
        upload_start(&up, &r->storage);
        rig_stop(r);
        UNTIL(r, o.done);
        CHECK(o.f.code && strcmp(o.f.code, "not_stored") == 0);
        rig_free(r);
    }
}
