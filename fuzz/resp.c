/* What is read lies within the input, and its parts too; a command we print is read as the same texts; more bytes behind a value do not change it; no beginning of
 * a value that is whole is bad. */
#include "fuzz/fuzz.h"
#include "cache/resp.h"

static void lies(const struct resp *r, slice in, unsigned depth)
{
    assert(depth <= RESP_DEPTH_MAX && lies_within(r->text, in));
    for (size_t i = 0; r->kind == RESP_ARRAY && i < r->n; i++)
        lies(&r->items[i], in, depth + 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP(arena_freep) struct arena *a = arena_new();
    slice in = slice_mem(data, size);
    struct resp r;
    size_t used;

    if (resp_read(a, in, &r, &used) == RESP_DONE) {
        size_t again;
        struct resp same;
        assert(used > 0 && used <= size);
        lies(&r, in, 0);
        assert(resp_read(a, slice_sub(in, 0, used), &same, &again) == RESP_DONE && again == used && same.kind == r.kind && same.n == r.n);
        for (size_t n = 0; n < MIN(used, (size_t)200); n++)
            assert(resp_read(a, slice_sub(in, 0, n), &same, &again) == RESP_MORE);
    }

    slice args[3] = { slice_sub(in, 0, size / 2), slice_from(in, size / 2), SL("end") };
    struct text t = text_new(a, 2 * size + 200);
    resp_command(&t, args, COUNT(args));
    assert(!t.over && resp_read(a, text_slice(&t), &r, &used) == RESP_DONE && used == t.n && r.kind == RESP_ARRAY && r.n == COUNT(args));
    for (size_t i = 0; i < COUNT(args); i++)
        assert(r.items[i].kind == RESP_TEXT && slice_eq(r.items[i].text, args[i]));
    return 0;
}
