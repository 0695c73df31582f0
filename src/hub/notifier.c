#include "hub/notifier.h"

const char *const notice_topics[NOTICE_TOPICS] = { [NOTICE_DEFAULT] = "Default", [NOTICE_SUBSCRIPTIONS] = "Subscriptions" };
const uint32_t notice_rgb[NOTICE_COLOURS] = {
    [NOTICE_GOOD] = 0x2eb67d, [NOTICE_CALM] = 0xecb22e, [NOTICE_BAD] = 0xe01e5a, [NOTICE_ERROR] = 0xe01e5a,
};

bool notice_of_account(const struct notice *n)
{
    return !n->verb.n;
}

slice notice_span(struct arena *a, int64_t ms)
{
    int64_t s = ms / 1000, min = s / 60, h = min / 60, d = h / 24;
    if (d && h % 24)
        return arena_printf(a, "%lld d %lld h", (long long)d, (long long)(h % 24));
    if (d)
        return arena_printf(a, "%lld d", (long long)d);
    if (h && min % 60)
        return arena_printf(a, "%lld h %lld min", (long long)h, (long long)(min % 60));
    if (h)
        return arena_printf(a, "%lld h", (long long)h);
    return min ? arena_printf(a, "%lld min", (long long)min) : arena_printf(a, "%lld s", (long long)s);
}

slice notice_seconds(struct arena *a, int64_t ms)
{
    enum { TO_SECONDS = 19 }; /* "2026-01-01T00:00:00" */
    return arena_printf(a, SLF "Z", SLA(slice_sub(time_rfc3339(a, ms), 0, TO_SECONDS)));
}

slice notice_times(struct arena *a, const struct notice *n)
{
    return n->count > 1 ? arena_printf(a, " (%u times)", n->count) : SL("");
}

slice notice_line(struct arena *a, const struct notice *n)
{
    struct text t = text_new(a, 8 * NOTICE_TEXT_MAX);
    text_put(&t, n->head);
    if (notice_of_account(n)) {
        if (n->tenant.n)
            text_add(&t, ": tenant " SLF, SLA(n->tenant));
        if (n->party.n)
            text_add(&t, ", " SLF, SLA(n->party));
        if (n->reason.n)
            text_add(&t, ": " SLF, SLA(n->reason));
    } else {
        if (n->version.n)
            text_add(&t, " " SLF, SLA(n->version));
        text_add(&t, " " SLF, SLA(n->verb));
        if (n->instance.n)
            text_add(&t, " on " SLF, SLA(n->instance));
        slice more = slice_or(n->reason, n->environment);
        if (more.n)
            text_add(&t, " (" SLF ")", SLA(more));
    }
    text_put(&t, notice_times(a, n));
    return text_slice(&t);
}

static bool is_letter(slice s, size_t i)
{
    return i < s.n && ((s.p[i] >= '0' && s.p[i] <= '9') || ((s.p[i] | 0x20) >= 'a' && (s.p[i] | 0x20) <= 'z'));
}

slice notice_escape(struct arena *a, slice s, const char *marks)
{
    struct text t = text_new(a, 2 * s.n + 1);
    for (size_t i = 0; i < s.n; i++) {
        bool inside = s.p[i] == '_' && i && is_letter(s, i - 1) && is_letter(s, i + 1);
        if (s.p[i] && !inside && strchr(marks, s.p[i]))
            text_char(&t, '\\');
        text_char(&t, s.p[i]);
    }
    return text_slice(&t);
}

void notice_usual(struct notice_call *c, const struct answer *r, struct notice_verdict *ret)
{
    bool again = r->status == 0 || r->status == 408 || r->status == 425 || r->status == 429 || r->status >= 500;
    *ret = (struct notice_verdict){ .end = r->status >= 200 && r->status < 300 ? NOTICE_TAKEN : again ? NOTICE_AGAIN : NOTICE_REFUSED,
                                    .wait_ms = r->retry_after_ms };
    if (ret->end == NOTICE_TAKEN)
        return;
    if (r->status)
        fault(c->f, again ? "unavailable" : "refused", "", "status %d", r->status);
    else
        fault(c->f, "unavailable", "", "no answer: " SLF, SLA(r->error));
}
