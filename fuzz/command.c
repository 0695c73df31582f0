/* The words behind the prefix of a command. What is read is within its limits, and written down again with quotes it reads as the same. */
#include "fuzz/fuzz.h"
#include "hub/command_line.h"
#include "hub/when.h"

static void quoted(struct text *t, slice s)
{
    text_char(t, '"');
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] == '"' || s.p[i] == '\\')
            text_char(t, '\\');
        text_char(t, s.p[i]);
    }
    text_char(t, '"');
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP(arena_freep) struct arena *a = arena_new();
    struct command_line cl;
    struct command_object o, again;
    struct fault f = { 0 };
    slice text = arena_dup(a, slice_mem(data, size)), line = SLICE_NONE;
    int64_t at_ms;
    (void)when_read(text, SL("Asia/Tokyo"), INT64_C(1772600767890), &at_ms);
    if (!command_prefixed(text, SL(">"), &line))
        line = text;
    if (!command_read(a, line, &cl, &f)) {
        assert(f.code);
        return 0;
    }
    if (!command_read_object(a, cl.rest, &o, &f)) {
        assert(f.code);
        return 0;
    }
    assert(o.thing.n && o.thing.n <= COMMAND_THING_BYTES && o.n <= COMMAND_VALUES_MAX);
    struct text t = text_new(a, 1 << 22);
    quoted(&t, o.thing);
    for (size_t i = 0; i < o.n; i++) {
        text_add(&t, " " SLF "=", SLA(o.values[i].name));
        quoted(&t, o.values[i].value);
    }
    bool same = command_read_object(a, text_slice(&t), &again, &f) && slice_eq(again.thing, o.thing) && again.n == o.n;
    for (size_t i = 0; same && i < o.n; i++)
        same = slice_eq(again.values[i].name, o.values[i].name) && slice_eq(again.values[i].value, o.values[i].value);
    assert(same);
    return 0;
}
