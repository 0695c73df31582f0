/* A message of the journal from any bytes, and its adaptation to a poor side: what is read and printed reads the same again; every part is
 * within what the side can carry; something is always left to send or a reason is given. */
#include "fuzz/fuzz.h"
#include "hub/adapt.h"
#include "wire/js.h"

static const struct connector poor = { .name = "poor", .title = "Poor", .caps = { .kinds = CAN(KIND_TEXT), .text_max = 40 } };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP(arena_freep) struct arena *a = arena_new();
    const struct js *doc = js_parse(a, slice_mem(data, size), NULL);
    struct message m, again;
    if (!doc || !message_read(a, doc, &m, NULL))
        return 0;
    slice once = message_print(a, &m);
    const struct js *second = js_parse(a, once, NULL);
    assert(second && message_read(a, second, &again, NULL));
    assert(slice_eq(message_print(a, &again), once));

    struct account account = { .type = &poor, .id = SL("poor"), .name = SL("Poor") };
    struct conversation conversation = { 0 };
    struct adapt_to to = { &account, &conversation };
    struct adapted out = { 0 };
    enum reason reason = REASON_NONE;
    struct fault f = { 0 };
    if (!adapt_message(a, &to, &m, &out, &reason, &f)) {
        assert(reason != REASON_NONE || f.code);
        return 0;
    }
    for (size_t i = 0; i < out.n; i++)
        if (kind_is_content((enum kind)m.kind))
            assert(out.parts[i].kind == KIND_TEXT && out.parts[i].text.n);
    return 0;
}
