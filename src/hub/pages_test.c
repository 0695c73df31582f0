/* Pages that belong to no account, in a whole hub: what is kept, moved, refused. */
#include "hub/pages.h"
#include "hub/rig_test.h"
#include "hub/state.h"

static slice query_key(struct arena *a, const struct request *rq)
{
    return request_query(a, rq, "key");
}

static slice query_to(struct arena *a, const struct request *rq)
{
    return request_query(a, rq, "to");
}

/* Says what is kept; a POST keeps its body. */
static bool serve(struct call *c, const struct request *rq, struct inbox *in)
{
    struct record *p = c->record;
    inbox_answer(in, p->to_taken ? 409 : 200, SL("text/plain"), arena_printf(c->a, "%zu " SLF "|" SLF, p->n_accounts, SLA(p->part[0]), SLA(p->part[RECORD_PARTS - 1])));
    inbox_header(in, "X-Page", SL("yes"));
    if (!slice_eq(rq->method, SL("POST")) || p->to_taken)
        return slice_eq(rq->query, SL("bad")) ? fault(c->f, "refused", "", "by the test") : true;
    p->keep = true;
    p->move = p->to.n > 0;
    p->part[0] = rq->body;
    p->part[RECORD_PARTS - 1] = slice_sub(rq->body, 0, 1);
    return true;
}

static const struct record_of by_key = { query_key, NULL }, by_key_moving = { query_key, query_to };
static const struct route_extra tpages_list[] = {
    { "GET", "/tpages", serve, .record = &by_key },
    { "POST", "/tpages", serve, .record = &by_key_moving, .body_max = 4096 },
};
static const struct connector tpages = { .name = "tpages", .title = "T", .routes = tpages_list, .n_routes = COUNT(tpages_list) };

struct got {
    bool done;
    int status;
    slice body, header;
    struct rig *r;
};

static void answered(void *arg, const struct answer *a)
{
    struct got *g = arg;
    g->status = a->status;
    g->body = arena_dup(g->r->a, a->body);
    g->header = arena_dup(g->r->a, answer_header(a, "x-page"));
    g->done = true;
}

static struct got ask(struct rig *r, const char *method, const char *query, const char *body)
{
    struct got g = { .r = r };
    struct client_call c = { .a = r->a, .method = method, .url = arena_printf(r->a, "http://127.0.0.1:%u/tpages?%s", server_port(r->server), query),
                             .body = slice_of(body), .done = answered, .arg = &g };
    client_send(r->out, &c);
    UNTIL(r, g.done);
    return g;
}

TEST(pages_keep_a_record_that_outlives_the_process)
{
    struct rig *r = rig_new();
    pages_routes(&r->hub, r->server, &tpages);
    pages_routes(&r->hub, r->server, &tpages);
    struct got g = ask(r, "GET", "key=k1", NULL);
    CHECK_INT(g.status, 200);
    CHECK_SLICE(g.body, SL("0 |"));
    CHECK_SLICE(g.header, SL("yes"));
    CHECK_INT(ask(r, "POST", "key=k1", "Ana Guest").status, 200);
    CHECK_SLICE(ask(r, "GET", "key=k1", NULL).body, SL("0 Ana Guest|A"));
    CHECK_SLICE(ask(r, "GET", "key=k2", NULL).body, SL("0 |"));
    CHECK_INT(ask(r, "POST", "", "nobody").status, 200); /* without a key there is nothing to keep it under */
    CHECK_INT(ask(r, "GET", "bad", NULL).status, 400);
    CHECK(!rig_on_disk(r, "Ana Guest"));
    rig_crash(r);
    pages_routes(&r->hub, r->server, &tpages);
    CHECK_SLICE(ask(r, "GET", "key=k1", NULL).body, SL("0 Ana Guest|A"));
    rig_free(r);
}

TEST(pages_move_a_record_where_there_is_none)
{
    struct rig *r = rig_new();
    pages_routes(&r->hub, r->server, &tpages);
    ask(r, "POST", "key=k1", "one");
    ask(r, "POST", "key=k2", "two");
    CHECK_INT(ask(r, "POST", "key=k1&to=k2", "one").status, 409);
    CHECK_SLICE(ask(r, "GET", "key=k2", NULL).body, SL("0 two|t"));
    CHECK_INT(ask(r, "POST", "key=k1&to=k3", "one more").status, 200);
    CHECK_SLICE(ask(r, "GET", "key=k3", NULL).body, SL("0 one more|o"));
    CHECK_SLICE(ask(r, "GET", "key=k1", NULL).body, SL("0 |"));
    CHECK_INT(ask(r, "POST", "key=k3&to=k3", "stays").status, 200);
    CHECK_SLICE(ask(r, "GET", "key=k3", NULL).body, SL("0 stays|s"));
    rig_free(r);
}

TEST(pages_are_written_by_strangers_only_so_often)
{
    struct rig *r = rig_new();
    pages_routes(&r->hub, r->server, &tpages);
    size_t refused = 0;
    for (int i = 0; i < PAGE_BURST + 5; i++)
        refused += ask(r, "POST", "key=k", "x").status == 429;
    CHECK(refused >= 3 && refused <= 5);
    CHECK_INT(ask(r, "GET", "key=k", NULL).status, 200);
    rig_free(r);
}

TEST(pages_that_cannot_be_stored_say_so)
{
    struct rig *r = rig_new();
    pages_routes(&r->hub, r->server, &tpages);
    rig_disk_full(true);
    int status = ask(r, "POST", "key=k", "lost").status;
    rig_disk_full(false);
    CHECK_INT(status, 503);
    rig_free(r);
}

TEST(pages_are_named_in_a_list)
{
    static const struct { const char *list; bool ok; } rows[] = {
        { "tpages", true }, { "slack, tpages", true }, { "slack tpages", true }, { "tpages2", false }, { "", false }, { "tpag es", false },
    };
    for (size_t i = 0; i < COUNT(rows); i++)
        CHECK_ROW(i, pages_are_named(&tpages, slice_of(rows[i].list)) == rows[i].ok);
    CHECK(!pages_are_named(&(struct connector){ .name = "tpages" }, SL("tpages")) && !pages_are_named(&tpages, SLICE_NONE));
}
