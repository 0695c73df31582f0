/* Attachments on the rig: fetched, stored, told about, purged. */
#include "hub/media.h"
#include "hub/rig_test.h"
#include "store/store.h"
#include "wire/aes_ctr.h"
#include "wire/hex.h"
#include <sqlite3.h>

/* ---- fetching ------------------------------------------------------------------------------------------------------------ */

static bool desk_got(struct rig *r, const char *words)
{
    for (size_t i = 0; i < r->n_seen; i++)
        if (slice_find(r->seen[i].body, slice_of(words)) != SIZE_MAX)
            return true;
    return false;
}

static size_t keys_left(struct rig *r)
{
    rig_stop(r);
    size_t n = rig_keys(r, "m:");
    rig_start(r);
    return n;
}

TEST(media_whose_result_is_too_long_is_shortened_and_never_left_out)
{
    struct rig *r = rig_new();
    char *name = must_calloc(1, 70001);
    memset(name, 'n', 70000);
    memcpy(name + 69996, ".png", 4);
    CHECK_INT(rig_hook(r, "/tnet", arena_printf(r->a, "{\"events\":[{\"id\":\"1\",\"guest\":\"U1\",\"file\":\"cat\",\"file_name\":\"%s\"}]}", name).p), 200);
    UNTIL(r, rig_count(r, J_DELIVERED) == 1);
    CHECK(desk_got(r, "picture http://shelf/desk/"));
    memset(r->seen, 0, sizeof(r->seen)), r->n_seen = 0;
    r->hub.limits.media_types = SL("audio"); /* none of them is fetched whole: each says why */
    CHECK_INT(rig_hook(r, "/tnet", arena_printf(r->a, "{\"events\":[{\"id\":\"2\",\"guest\":\"U1\",\"file\":\"cat\",\"file_name\":\"%.190s\",\"copies\":240}]}", name).p), 200);
    UNTIL(r, rig_count(r, J_DELIVERED) == 2);
    CHECK(desk_got(r, "too many"));
    free(name);
    rig_free(r);
}

TEST(media_is_fetched_stored_and_handed_over_by_our_link)
{
    struct rig *r = rig_new();
    r->file_bytes = 300000; /* many writes, each with a pause */
    rig_file(r, "/tnet", "1", "U1", "cat");
    UNTIL(r, rig_count(r, J_DELIVERED) == 1);
    CHECK_INT(r->n_files, 1);
    CHECK_INT(r->n_shelved, 1);
    const struct shelved *s = &r->shelved[0];
    CHECK(slice_starts(s->bytes, SL("bytes of catabc")) && s->bytes.n == 12 + r->file_bytes);
    CHECK_SLICE(s->type, SL("image/png"));
    CHECK_SLICE(s->name, SL("pic.png"));
    CHECK_SLICE(r->seen[0].body, arena_printf(r->a, "picture http://shelf/desk/" SLF " image/png %zu", SLA(s->id), s->bytes.n));
    CHECK_INT(r->puts_open, 0);
    CHECK_INT(keys_left(r), 0);
    rig_free(r);
}

TEST(media_begins_before_its_turn_in_the_lane_and_others_do_not_wait)
{
    struct rig *r = rig_new();
    r->desk->set_up = false;
    rig_text(r, "1", "U1", "first");
    rig_file(r, "/tnet", "2", "U1", "cat");
    UNTIL(r, rig_shelved(r) == 1); /* links of vendors expire */
    CHECK_INT(r->n_seen, 0);
    rig_free(r);
}

/* A file that lies encrypted at its sender's: what is stored is what comes out. */
TEST(media_is_decrypted_while_it_is_stored)
{
    struct rig *r = rig_new();
    r->file_bytes = 300000;
    rig_file(r, "/tnet", "1", "U1", "sealed");
    UNTIL(r, rig_count(r, J_DELIVERED) == 1);
    CHECK_INT(r->n_shelved, 1);
    slice got = r->shelved[0].bytes;
    char *back = arena_alloc(r->a, got.n);
    CLEANUP(aes_ctr_freep) struct aes_ctr *c = aes_ctr_new(hex_decode(r->a, SL(RIG_MEDIA_KEY)), 0);
    CHECK(!slice_starts(got, SL("bytes of sealed")));
    aes_ctr_run(c, got.p, got.n, back);
    CHECK(got.n == 15 + r->file_bytes && slice_starts(slice_mem(back, got.n), SL("bytes of sealedabc")));
    rig_free(r);
}

TEST(media_with_a_key_that_is_none_is_told)
{
    struct rig *r = rig_new();
    rig_file(r, "/tnet", "1", "U1", "shut");
    UNTIL(r, rig_count(r, J_DELIVERED) == 1);
    CHECK(desk_got(r, "[pic.png: its sender's key is none]"));
    CHECK_INT(r->n_files, 0);
    rig_free(r);
}

static int nothing_there(struct rig *r, slice name, size_t n)
{
    (void)r, (void)name, (void)n;
    return 404;
}
static int ever_cut(struct rig *r, slice name, size_t n)
{
    (void)r, (void)name, (void)n;
    return ANSWER_CUT;
}
static int forbidden(struct rig *r, slice name, size_t n)
{
    (void)r, (void)name, (void)n;
    return 403;
}

/* What cannot be had is a visible line, after as many tries as make sense. */
TEST(media_that_cannot_be_had_is_told)
{
    static const struct {
        int (*file)(struct rig *r, slice name, size_t n);
        size_t bytes;
        unsigned put_faults;
        const char *put_fault, *told;
        size_t requests;
    } rows[] = {
        { nothing_there, 0, 0, NULL, "[pic.png: its sender answered 404]", 1 },
        { forbidden, 0, 0, NULL, "[pic.png: its sender answered 403]", 1 },
        { ever_cut, 0, 0, NULL, "[pic.png: its sender did not answer: ", 6 },
        { NULL, 5000, 0, NULL, "[pic.png: it has more than 4000 bytes]", 1 },
        { NULL, 0, 1, "storage_refused", "[pic.png: the shelf cannot take it]", 1 },
        { NULL, 0, 99, "storage_failed", "[pic.png: the shelf cannot take it]", 6 },
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct rig *r = rig_new();
        r->hub.limits.media_bytes = 4000;
        r->file = rows[i].file;
        r->file_bytes = rows[i].bytes;
        r->put_faults = rows[i].put_faults;
        r->put_fault = rows[i].put_fault;
        rig_file(r, "/tnet", "1", "U1", "cat");
        rig_text(r, "2", "U1", "behind it");
        UNTIL(r, rig_count(r, J_DELIVERED) == 2);
        CHECK_ROW(i, desk_got(r, rows[i].told));
        CHECK_ROW(i, r->n_files == rows[i].requests);
        CHECK_ROW(i, rig_shelved(r) == 0 && r->puts_open == 0);
        CHECK_ROW(i, !desk_got(r, "picture"));
        CHECK_ROW(i, keys_left(r) == 0);
        rig_free(r);
    }
}

/* Kinds that are not taken are told in the conversation; what it is, its first bytes say better than its sender. */
TEST(media_of_a_kind_that_is_not_taken_is_told)
{
    static const struct {
        slice taken, head, type;
        const char *told, *kept;
    } rows[] = {
        { SLI("image/*, application/pdf"), SLI(""), SLI("image/png"), NULL, "image/png" },
        { SLI("image/*, application/pdf"), SLI("%PDF-1.7\n"), SLI("application/octet-stream"), NULL, "application/pdf" },
        { SLI("image/*"), SLI("%PDF-1.7\n"), SLI("image/png"), "[pic.png: files of the kind application/pdf are not taken here]", NULL },
        { SLI("application/pdf"), SLI(""), SLI("video/mp4"), "[pic.png: files of the kind video/mp4 are not taken here]", NULL },
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct rig *r = rig_new();
        r->hub.limits.media_types = rows[i].taken;
        r->file_head = rows[i].head;
        r->file_type = rows[i].type;
        rig_file(r, "/tnet", "1", "U1", "cat");
        UNTIL(r, rig_count(r, J_DELIVERED) == 1);
        CHECK_ROW(i, r->n_files == 1);
        CHECK_ROW(i, rows[i].told ? desk_got(r, rows[i].told) && rig_shelved(r) == 0 : slice_eq(r->shelved[0].type, slice_of(rows[i].kept)));
        rig_free(r);
    }
}

static int works_after_a_while(struct rig *r, slice name, size_t n)
{
    (void)name;
    static const int answers[] = { 503, ANSWER_RESET, ANSWER_CUT, 202, 202, 408 };
    return n <= COUNT(answers) ? answers[n - 1] : r->file_bytes ? 200 : 404;
}

/* Nobody would ever delete it. */
TEST(media_that_the_store_does_not_note_is_not_kept)
{
    struct rig *r = rig_new();
    sqlite3 *db;
    CHECK(sqlite3_open(arena_printf(r->a, "%s/store.db", r->dir).p, &db) == SQLITE_OK);
    sqlite3_busy_timeout(db, RIG_WAIT_MS);
    CHECK(sqlite3_exec(db, "CREATE TRIGGER full BEFORE INSERT ON attachments BEGIN SELECT RAISE(ABORT,'full'); END", 0, 0, 0) == SQLITE_OK);
    sqlite3_close(db);
    rig_file(r, "/tnet", "1", "U1", "cat");
    UNTIL(r, rig_count(r, J_DELIVERED) == 1);
    CHECK(desk_got(r, "[pic.png: ") && !desk_got(r, "picture"));
    CHECK_INT(r->n_shelved, 1);
    UNTIL(r, rig_shelved(r) == 0);
    rig_free(r);
}

TEST(media_is_tried_again_when_that_may_help)
{
    struct rig *r = rig_new();
    r->file = works_after_a_while;
    r->file_bytes = 10;
    rig_file(r, "/tnet", "1", "U1", "cat");
    UNTIL(r, rig_count(r, J_DELIVERED) == 1);
    CHECK_INT(r->n_files, 7);
    CHECK_INT(r->n_aborted, 1); /* what was cut is not kept */
    CHECK_INT(r->n_shelved, 1);
    CHECK_SLICE(r->shelved[0].bytes, SL("bytes of catabcdefghij"));
    rig_free(r);
}

static int too_often(struct rig *r, slice name, size_t n)
{
    (void)r, (void)name;
    return n == 1 ? 429 : 200;
}

TEST(media_waits_as_long_as_its_sender_asks)
{
    struct rig *r = rig_new();
    r->file = too_often; /* Retry-After: 1 */
    int64_t began_ms = time_mono_ms();
    rig_file(r, "/tnet", "1", "U1", "cat");
    UNTIL(r, rig_count(r, J_DELIVERED) == 1);
    CHECK_INT(r->n_files, 2);
    CHECK(time_mono_ms() - began_ms >= 1000);
    rig_free(r);
}

TEST(media_of_a_private_address_is_not_fetched)
{
    struct rig *r = rig_new();
    rig_stop(r);
    r->guard = true;
    rig_start(r);
    rig_file(r, "/tnet", "1", "U1", "cat");
    UNTIL(r, rig_count(r, J_DELIVERED) == 1);
    CHECK_INT(r->n_files, 0);
    CHECK(desk_got(r, "[pic.png: its sender did not answer: the address is not a public one]"));
    rig_free(r);
}

static int asks_for_token(struct rig *r, slice name, size_t n)
{
    (void)name, (void)n;
    return slice_eq(r->file_auth, SL("Bearer T1")) ? 200 : 401;
}

TEST(media_is_asked_for_with_the_token_only_when_it_must_and_only_where_it_may)
{
    for (int own = 0; own < 2; own++) {
        struct rig *r = rig_new();
        r->token = SL("T1");
        r->file = asks_for_token;
        slice url = arena_printf(r->a, "http://%s:%u/file/cat", own ? "127.0.0.1" : "localhost", server_port(r->vendor));
        slice body = arena_printf(r->a, "{\"events\":[{\"id\":\"1\",\"guest\":\"U1\",\"file\":\"" SLF "\",\"token\":\"maybe\"}]}", SLA(url));
        CHECK_INT(rig_hook(r, "/tother", body.p), 200);
        UNTIL(r, rig_count(r, J_DELIVERED) == 1);
        CHECK_INT(r->n_files, own ? 2 : 1);
        CHECK_INT(rig_shelved(r), own ? 1 : 0);
        CHECK(own || desk_got(r, "[pic.png: its sender answered 401]"));
        CHECK(own || !r->file_auth.n);
        rig_free(r);
    }
}

/* Where the token may not go, an address out of a message is nobody's that we know; nor is one that the vendor only hands on. */
TEST(media_that_should_need_the_token_is_guarded_where_it_may_not_go)
{
    for (int i = 0; i < 4; i++) {
        bool own = i & 1, find = i & 2;
        struct rig *r = rig_new();
        rig_stop(r);
        r->guard = true;
        r->token = SL("T1");
        rig_start(r);
        slice url = arena_printf(r->a, "http://%s:%u/file/cat", own ? "127.0.0.1" : "localhost", server_port(r->vendor));
        slice body = arena_printf(r->a, "{\"events\":[{\"id\":\"1\",\"guest\":\"U1\",\"file\":\"" SLF "\",\"token\":\"yes\",\"find\":%s}]}", SLA(url), find ? "true" : "false");
        CHECK_INT(rig_hook(r, "/tother", body.p), 200);
        UNTIL(r, rig_count(r, J_DELIVERED) == 1);
        CHECK_INT(r->n_files, own);
        CHECK(own || desk_got(r, "the address is not a public one"));
        rig_free(r);
    }
}

static int elsewhere(struct rig *r, slice name, size_t n)
{
    (void)r, (void)n;
    return slice_eq(name, SL("cat")) ? 302 : 200;
}

/* The vendor's own host is trusted, not where it sends us. */
TEST(media_that_its_vendor_has_elsewhere_is_guarded_there)
{
    for (int off = 0; off < 2; off++) {
        struct rig *r = rig_new();
        rig_stop(r);
        r->guard = !off;
        r->token = SL("T1");
        r->file = elsewhere;
        r->file_to = arena_printf(r->a, "http://localhost:%u/file/dog", server_port(r->vendor));
        rig_start(r);
        slice body = arena_printf(r->a, "{\"events\":[{\"id\":\"1\",\"guest\":\"U1\",\"file\":\"http://127.0.0.1:%u/file/cat\",\"token\":\"yes\"}]}", server_port(r->vendor));
        CHECK_INT(rig_hook(r, "/tother", body.p), 200);
        UNTIL(r, rig_count(r, J_DELIVERED) == 1);
        CHECK_INT(r->n_files, off ? 2 : 1);
        CHECK(off || desk_got(r, "the address is not a public one"));
        rig_free(r);
    }
}

static int away(struct rig *r, slice name, size_t n)
{
    (void)r, (void)name, (void)n;
    return 503;
}

TEST(media_that_was_being_fetched_is_fetched_after_a_restart)
{
    for (int crash = 0; crash < 2; crash++) {
        struct rig *r = rig_new();
        r->hub.limits.media_wait_ms = 60000;
        r->file = away;
        rig_file(r, "/tnet", "1", "U1", "cat");
        UNTIL(r, r->n_files == 1);
        if (crash) {
            rig_crash(r);
        } else {
            rig_stop(r);
            rig_start(r);
        }
        r->file = NULL;
        UNTIL(r, rig_count(r, J_DELIVERED) == 1);
        CHECK_INT(rig_shelved(r), 1);
        CHECK(desk_got(r, "picture http://shelf/desk/"));
        rig_free(r);
    }
}

static int desk_away(struct rig *r, const struct seen *s)
{
    (void)r, (void)s;
    return 503;
}

TEST(media_that_is_stored_is_not_fetched_again)
{
    struct rig *r = rig_new();
    r->answer = desk_away;
    rig_file(r, "/tnet", "1", "U1", "cat");
    UNTIL(r, r->n_seen == 2); /* the second attempt, too */
    rig_crash(r);
    r->answer = NULL;
    UNTIL(r, rig_count(r, J_DELIVERED) == 1);
    CHECK_INT(r->n_files, 1);
    CHECK_SLICE(r->seen[r->n_seen - 1].body, r->seen[0].body);
    rig_free(r);
}

TEST(media_is_fetched_a_few_at_a_time)
{
    struct rig *r = rig_new();
    r->hub.limits.media_parallel = 2;
    for (int i = 0; i < 7; i++)
        rig_file(r, "/tnet", arena_printf(r->a, "%d", i).p, arena_printf(r->a, "U%d", i).p, "cat");
    UNTIL(r, rig_count(r, J_DELIVERED) == 7);
    CHECK(r->puts_most >= 1 && r->puts_most <= 2);
    rig_free(r);
}

/* ---- purge ---------------------------------------------------------------------------------------------------------------- */

struct rows {
    size_t n, due; /* due: with a time for their purge */
    bool done;
};

static void row(void *arg, const struct attachment *at)
{
    struct rows *rows = arg;
    rows->n += at->id.n > 0;
    rows->due += at->purge_at_ms > 0;
}

static void rows_told(void *arg, const struct fault *f)
{
    CHECK(!f);
    ((struct rows *)arg)->done = true;
}

static struct rows all_rows_of(struct rig *r, const char *conversation)
{
    struct rows rows = { 0 };
    store_attachments_of(r->hub.store, slice_of(conversation), row, rows_told, &rows);
    UNTIL(r, rows.done);
    return rows;
}

static size_t rows_of(struct rig *r, const char *conversation)
{
    return all_rows_of(r, conversation).n;
}

/* One guest with one stored file, and the sweep at work. */
static struct rig *with_file(void)
{
    struct rig *r = rig_new();
    media_purge_start(&r->hub);
    rig_file(r, "/tnet", "1", "U1", "cat");
    UNTIL(r, rig_count(r, J_DELIVERED) == 1);
    CHECK_INT(rig_shelved(r), 1);
    CHECK_INT(rows_of(r, "t/tnet:U1"), 1);
    return r;
}

static void close_conversation(struct rig *r)
{
    CHECK_INT(rig_hook(r, "/tdesk", "{\"events\":[{\"id\":\"c1\",\"guest\":\"U1@tnet\",\"kind\":\"closed\"}]}"), 200);
}

TEST(purge_comes_when_the_conversation_is_over_and_its_time_is_up)
{
    struct rig *r = with_file();
    rig_turn(r, 300);
    CHECK_INT(r->n_deletes, 0); /* it is open */
    r->hub.limits.purge_ms = 400;
    int64_t closed_ms = time_mono_ms();
    close_conversation(r);
    UNTIL(r, r->n_deletes == 1);
    CHECK(time_mono_ms() - closed_ms >= 400);
    UNTIL(r, rows_of(r, "t/tnet:U1") == 0);
    CHECK_INT(rig_shelved(r), 0);
    rig_turn(r, 300);
    CHECK_INT(r->n_deletes, 1);
    rig_free(r);
}

static int refuses_all(struct rig *r, const struct seen *s)
{
    (void)r, (void)s;
    return 400;
}

TEST(purge_comes_when_the_message_is_a_dead_letter_and_cannot_be_sent_again_any_more)
{
    struct rig *r = rig_new();
    r->answer = refuses_all;
    r->hub.limits.dead_ms = 400;
    media_purge_start(&r->hub);
    int64_t begun_ms = time_mono_ms();
    rig_file(r, "/tnet", "1", "U1", "cat");
    UNTIL(r, rig_count(r, J_DEAD) == 1);
    UNTIL(r, r->n_deletes == 1);
    CHECK(time_mono_ms() - begun_ms >= 400);
    UNTIL(r, rows_of(r, "t/tnet:U1") == 0);
    rig_free(r);
}

TEST(purge_does_not_come_when_the_guest_writes_again)
{
    struct rig *r = with_file();
    r->hub.limits.purge_ms = 300;
    close_conversation(r);
    rig_text(r, "2", "U1", "one more thing");
    rig_turn(r, 600);
    CHECK_INT(r->n_deletes, 0);
    CHECK_INT(rig_shelved(r), 1);
    rig_free(r);
}

/* One guest with one stored file, whose conversation has closed a moment ago. */
static struct rig *closed_with_file(void)
{
    struct rig *r = with_file();
    r->hub.limits.purge_ms = 1000000;
    close_conversation(r);
    UNTIL(r, all_rows_of(r, "t/tnet:U1").due == 1);
    return r;
}

TEST(purge_does_not_come_when_the_desk_goes_on)
{
    struct rig *r = closed_with_file();
    rig_say(r, "2", "U1@tnet", "by the way");
    UNTIL(r, all_rows_of(r, "t/tnet:U1").due == 0);
    CHECK_INT(rig_hook(r, "/tdesk", "{\"events\":[{\"id\":\"c2\",\"guest\":\"U1@tnet\",\"kind\":\"closed\"}]}"), 200);
    UNTIL(r, all_rows_of(r, "t/tnet:U1").due == 1);
    rig_free(r);
}

/* What a guest had written before the end, and comes to the desk behind it, begins anew there. */
TEST(purge_does_not_come_when_what_waited_reopens_the_conversation)
{
    struct rig *r = with_file();
    r->hub.limits.purge_ms = 1000000;
    r->answer = desk_away;
    rig_text(r, "2", "U1", "one more thing");
    UNTIL(r, rig_seen(r, "one more thing") == 1);
    close_conversation(r);
    UNTIL(r, all_rows_of(r, "t/tnet:U1").due == 1);
    r->answer = NULL;
    UNTIL(r, all_rows_of(r, "t/tnet:U1").due == 0);
    rig_free(r);
}

TEST(purge_comes_when_the_tenant_gets_another_desk_and_the_guest_does_not_come_back)
{
    struct rig *r = with_file();
    r->hub.limits.purge_ms = 1000000;
    conversations_leave_desk(&r->hub, r->desk);
    UNTIL(r, all_rows_of(r, "t/tnet:U1").due == 1);
    rig_text(r, "2", "U1", "hello again");
    UNTIL(r, all_rows_of(r, "t/tnet:U1").due == 0);
    rig_free(r);
}

/* It is fetched by a process that did not see the conversation close. */
TEST(purge_comes_for_what_was_being_fetched_when_the_conversation_closed_also_by_another_process)
{
    for (int crash = 0; crash < 2; crash++) {
        struct rig *r = with_file();
        r->hub.limits.media_wait_ms = 60000;
        r->hub.limits.purge_ms = 1000000;
        r->file = away;
        rig_file(r, "/tdesk", "2", "U1@tnet", "dog");
        UNTIL(r, r->n_files == 2);
        close_conversation(r);
        UNTIL(r, all_rows_of(r, "t/tnet:U1").due == 1 && !r->hub.purges); /* the store has noted it */
        if (crash) {
            rig_crash(r);
        } else {
            rig_stop(r);
            rig_start(r);
        }
        r->hub.limits.purge_ms = 1000000;
        r->file = NULL;
        UNTIL(r, rows_of(r, "t/tnet:U1") == 2);
        CHECK_INT(all_rows_of(r, "t/tnet:U1").due, 2);
        rig_free(r);
    }
}

TEST(purge_that_failed_is_tried_again)
{
    struct rig *r = with_file();
    r->delete_end = STORAGE_LATER;
    int64_t began_ms = time_mono_ms();
    close_conversation(r);
    UNTIL(r, r->n_deletes == 3);
    CHECK(time_mono_ms() - began_ms >= 2 * 100); /* not in a circle */
    CHECK_INT(rows_of(r, "t/tnet:U1"), 1);
    r->delete_end = STORAGE_OK;
    UNTIL(r, rows_of(r, "t/tnet:U1") == 0);
    CHECK_INT(rig_shelved(r), 0);
    rig_free(r);
}

TEST(purge_of_what_is_gone_already_is_done)
{
    struct rig *r = with_file();
    r->delete_end = STORAGE_GONE;
    close_conversation(r);
    UNTIL(r, rows_of(r, "t/tnet:U1") == 0);
    CHECK_INT(r->n_deletes, 1);
    rig_free(r);
}

TEST(purge_comes_once_after_a_restart)
{
    for (int crash = 0; crash < 2; crash++) {
        struct rig *r = with_file();
        r->hub.limits.purge_ms = 500;
        close_conversation(r);
        rig_turn(r, 50); /* the store has heard of it */
        if (crash) {
            rig_crash(r);
        } else {
            rig_stop(r);
            rig_start(r);
        }
        CHECK_INT(r->n_deletes, 0);
        media_purge_start(&r->hub);
        UNTIL(r, rows_of(r, "t/tnet:U1") == 0);
        rig_turn(r, 300);
        CHECK_INT(r->n_deletes, 1);
        CHECK_INT(rig_shelved(r), 0);
        rig_free(r);
    }
}

TEST(purge_that_was_begun_is_finished_after_a_restart)
{
    struct rig *r = with_file();
    r->delete_end = STORAGE_FAILED;
    close_conversation(r);
    UNTIL(r, r->n_deletes == 1);
    rig_crash(r);
    r->delete_end = STORAGE_OK;
    media_purge_start(&r->hub);
    UNTIL(r, rows_of(r, "t/tnet:U1") == 0);
    CHECK_INT(rig_shelved(r), 0);
    rig_free(r);
}

/* As a full disk would, or a database that is away. */
static void store_notes_no_purge(struct rig *r, bool refuses)
{
    sqlite3 *db;
    CHECK(sqlite3_open(arena_printf(r->a, "%s/store.db", r->dir).p, &db) == SQLITE_OK);
    sqlite3_busy_timeout(db, RIG_WAIT_MS);
    CHECK(sqlite3_exec(db, refuses ? "CREATE TRIGGER full BEFORE UPDATE ON attachments WHEN new.state=0 BEGIN SELECT RAISE(ABORT,'full'); END" : "DROP TRIGGER full", 0, 0, 0) == SQLITE_OK);
    sqlite3_close(db);
}

/* The closing is in the journal, so the purge comes, whatever became of the store in that moment, and of the process. */
TEST(purge_that_the_store_could_not_note_is_not_forgotten)
{
    for (int crash = 0; crash < 2; crash++) {
        struct rig *r = with_file();
        store_notes_no_purge(r, true);
        close_conversation(r);
        if (crash)
            rig_crash(r);
        store_notes_no_purge(r, false);
        if (crash)
            media_purge_start(&r->hub);
        UNTIL(r, rows_of(r, "t/tnet:U1") == 0);
        CHECK_INT(r->n_deletes, 1);
        rig_stop(r);
        CHECK_INT(rig_keys(r, "u:"), 0);
        rig_start(r);
        rig_free(r);
    }
}

TEST(purge_of_many_does_not_wait_for_the_next_look)
{
    enum { FILES = 40 };
    struct rig *r = with_file();
    r->hub.limits.purge_ms = r->hub.limits.purge_every_ms = 1000000;
    for (int i = 1; i < FILES; i++)
        rig_file(r, "/tnet", arena_printf(r->a, "more%d", i).p, "U1", "cat");
    UNTIL(r, rows_of(r, "t/tnet:U1") == FILES);
    media_purge_now(&r->hub, SL("t/tnet:U1"));
    UNTIL(r, rows_of(r, "t/tnet:U1") == 0);
    CHECK_INT(r->n_deletes, FILES);
    rig_free(r);
}
