/* Webhooks nobody signed. Byte 0 chooses the connector; then lines "name: value" up to an empty line, and the body; a first line without a colon is
 * the path and query. Properties: a stranger's request does not verify; what the account's own secret signs does, and not with one byte changed. */
#include "fuzz/world.h"
#include "hub/verify.h"

enum { HEADERS_MAX = 20 };

static size_t read_headers(slice *rest, struct request *rq, struct header *headers)
{
    size_t n = 0;
    while (rest->n && n < HEADERS_MAX) {
        slice line = slice_cut(rest, '\n');
        if (!line.n)
            break;
        slice name = slice_cut(&line, ':');
        if (!line.p && n == 0) {
            rq->path = slice_cut(&name, '?');
            rq->query = slice_or(name, SL(""));
            continue;
        }
        headers[n++] = (struct header){ name, slice_trim(slice_or(line, SL(""))) };
    }
    return n;
}

/* Where nothing is verified, or the connector verifies in a way of its own (then its own tests say what holds), a stranger may pass. */
static void strangers_do_not_pass(struct world *w, const struct request *rq)
{
    slice body = SLICE_NONE;
    enum verify how = w->account.type->hook.how;
    bool good = hook_verify(&w->c, rq, &body, &w->f);
    assert(good || w->f.code);
    assert(!good || how == VERIFY_NONE || how == VERIFY_OWN);
    assert(!good || body.p || !rq->body.p);
}

static bool verifies(struct world *w, struct request *rq, const struct header signature[2])
{
    slice body;
    rq->headers = signature;
    rq->n_headers = signature[1].name.p ? 2 : 1;
    bool good = hook_verify(&w->c, rq, &body, &w->f);
    assert(!good || slice_eq(body, rq->body));
    return good;
}

static void owners_pass(struct world *w, struct request *rq)
{
    const struct hook *hook = &w->account.type->hook;
    struct header signature[2] = { 0 };
    w->f = (struct fault){ 0 };
    if (!hook_sign(&w->account, w->a, rq->body, w->c.now_ms, &signature[0], &signature[1], &w->f)) {
        assert(w->f.code);
        return;
    }
    if (!signature[0].name.p)
        return;
    assert(verifies(w, rq, signature));
    if (hook->stamp) { /* somebody's recording, played again later */
        w->c.now_ms += hook->window_ms + 2000;
        assert(!verifies(w, rq, signature));
        w->c.now_ms -= hook->window_ms + 2000;
    }
    if (hook->how == VERIFY_HEADER_EQUAL || !rq->body.n)
        return;
    char *other = arena_alloc(w->a, rq->body.n);
    memcpy(other, rq->body.p, rq->body.n);
    other[rq->body.n / 2] ^= 1;
    rq->body = slice_mem(other, rq->body.n);
    assert(!verifies(w, rq, signature));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1)
        return 0;
    CLEANUP(arena_freep) struct arena *a = arena_new();
    struct world w;
    world_begin(&w, a, connectors[data[0] % n_connectors]);
    slice rest = slice_mem(data + 1, size - 1);
    struct header headers[HEADERS_MAX];
    struct request rq = { .method = SL("POST"), .path = SL(""), .query = SL(""), .headers = headers };
    rq.n_headers = read_headers(&rest, &rq, headers);
    rq.body = slice_or(rest, SL(""));
    const struct connector *k = w.account.type;
    if (k->route_key) {
        slice key = k->route_key(a, &rq);
        assert(key.p || !key.n);
    }
    strangers_do_not_pass(&w, &rq);
    owners_pass(&w, &rq);
    world_end(&w, NULL);
    return 0;
}
