#include "tests/cases/compare.h"
#include "tests/cases/run.h"

bool expect_json(struct run *r, const char *section, slice got, slice otherwise)
{
    struct section *s = casefile_next(r->cf, section, NULL);
    slice why = json_difference(r->a, s ? s->text : otherwise, got);
    if (!why.p)
        return true;
    if (r->update) {
        casefile_put(r->cf, s, section, json_pretty(r->a, got));
        return true;
    }
    return case_fail(r, "%s " SLF, section, SLA(why));
}

bool expect_text(struct run *r, const char *section, slice got, slice otherwise)
{
    struct section *s = casefile_next(r->cf, section, NULL);
    slice want = s ? s->text : otherwise;
    if (slice_eq(want, got))
        return true;
    if (r->update) {
        casefile_put(r->cf, s, section, got);
        return true;
    }
    return case_fail(r, "%s: want \"" SLF "\", got \"" SLF "\"", section, SLA(want), SLA(got));
}

slice run_fault(struct run *r)
{
    return arena_printf(r->a, "%s%s%s", r->fault.code ? r->fault.code : "none", r->fault.field[0] ? " " : "",
                        r->fault.field);
}

static slice inbox_messages(struct run *r, const struct inbox *in)
{
    struct jw w = jw_new(r->a, CASE_BYTES_MAX);
    jw_open(&w, NULL, '[');
    for (const struct inbox_item *it = in->first; it; it = it->next) {
        slice m = message_print(r->a, &it->m);
        if (it->only)
            m = arena_printf(r->a, SLF ",\"%s\":true}", SLA(slice_sub(m, 0, m.n - 1)), it->only == ONLY_KNOWN ? "only_known" : "only_if_open");
        if (it->remember.n) {
            struct jw more = jw_new(r->a, CASE_BYTES_MAX);
            jw_open(&more, NULL, '{');
            for (size_t i = 0; i < it->remember.n; i++) {
                const struct remembered *kept = LIST_AT(it->remember, struct remembered, i);
                jw_key(&more, slice_of(remembered_key(kept, r->guest_memory, r->call.now_ms)));
                if (!kept->value.p) {
                    jw_null(&more, NULL);
                } else if (kept->until_ms) {
                    jw_open(&more, NULL, '[');
                    jw_str(&more, NULL, kept->value);
                    jw_time(&more, NULL, kept->until_ms);
                    jw_close(&more, ']');
                } else {
                    jw_str(&more, NULL, kept->value);
                }
            }
            jw_close(&more, '}');
            m = arena_printf(r->a, SLF ",\"remember\":" SLF "}", SLA(slice_sub(m, 0, m.n - 1)),
                             SLA(jw_done(&more)));
        }
        jw_raw(&w, NULL, m);
    }
    jw_close(&w, ']');
    return jw_done(&w);
}

static slice inbox_rules(struct run *r, const struct inbox *in)
{
    struct jw w = jw_new(r->a, CASE_BYTES_MAX);
    jw_open(&w, NULL, '[');
    for (size_t i = 0; i < in->ignored.n; i++)
        jw_str(&w, NULL, slice_of(LIST_AT(in->ignored, struct inbox_ignored, i)->rule));
    jw_close(&w, ']');
    return jw_done(&w);
}

static slice inbox_resumes(struct run *r, const struct inbox *in)
{
    struct jw w = jw_new(r->a, CASE_BYTES_MAX);
    jw_open(&w, NULL, '[');
    for (size_t i = 0; i < in->resumed.n; i++) {
        const struct inbox_resumed *one = LIST_AT(in->resumed, struct inbox_resumed, i);
        jw_open(&w, NULL, '[');
        jw_str(&w, NULL, one->wait_for);
        jw_str(&w, NULL, one->data);
        jw_close(&w, ']');
    }
    jw_close(&w, ']');
    return jw_done(&w);
}

/* What stands between the two, left out: how the house's pages look is no connector's matter. */
static slice without(struct run *r, slice s, const char *from, const char *to)
{
    size_t at = slice_find(s, slice_of(from)), begin = at + strlen(from);
    size_t n = at == SIZE_MAX ? SIZE_MAX : slice_find(slice_from(s, begin), slice_of(to));
    return n == SIZE_MAX ? s : arena_printf(r->a, SLF SLF, SLA(slice_sub(s, 0, begin)), SLA(slice_from(s, begin + n)));
}

bool expect_inbox(struct run *r, const struct inbox *in)
{
    struct text head = text_new(r->a, CASE_BYTES_MAX);
    for (size_t i = 0; i < in->headers.n; i++) {
        const struct header *h = LIST_AT(in->headers, struct header, i);
        text_add(&head, "\n" SLF ": " SLF, SLA(h->name), SLA(h->value));
    }
    slice reply = in->status
                      ? arena_printf(r->a, "%d " SLF SLF "\n" SLF, in->status, SLA(in->type), SLA(text_slice(&head)), SLA(in->body))
                      : SL("");
    reply = without(r, without(r, reply, "<style>", "</style>"), "style-src 'sha256-", "'");
    return expect_json(r, "messages", inbox_messages(r, in), SL("[]")) &&
           expect_json(r, "ignored", inbox_rules(r, in), SL("[]")) &&
           expect_json(r, "resumed", inbox_resumes(r, in), SL("[]")) &&
           expect_text(r, "reply", reply, SL(""));
}
