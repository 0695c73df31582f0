/* Slack's text dialect: "Text". */
#include "networks/slack/wire.h"

struct entity {
    slice wire;
    char c;
};
static const struct entity entities[] = { { SLI("&amp;"), '&' }, { SLI("&lt;"), '<' }, { SLI("&gt;"), '>' } };

static void put_plain(struct text *t, slice s)
{
    for (size_t i = 0; i < s.n; i++) {
        size_t k = 0;
        while (k < COUNT(entities) && !slice_starts(slice_from(s, i), entities[k].wire))
            k++;
        text_char(t, k < COUNT(entities) ? entities[k].c : s.p[i]);
        i += k < COUNT(entities) ? entities[k].wire.n - 1 : 0;
    }
}

struct reading {
    const struct call *c;
    const struct slack_install *own;
    struct text t;
    bool mentioned;
};

static void on_user(struct reading *r, slice id, slice label)
{
    if (r->own->bot_user.n && slice_eq(id, r->own->bot_user)) {
        r->mentioned = true;
        if (slice_trim(text_slice(&r->t)).n) /* said to it, at the beginning: left out */
            text_add(&r->t, "@" SLF, SLA(slack_app_name(r->c)));
        return;
    }
    text_put(&r->t, SL("@"));
    put_plain(&r->t, slice_or(label, slice_or(slack_name_of(r->c, id), id)));
}

/* <!here>, <!subteam^S1|@team>, <!date^1767225600^{date}^https://…|1 January> */
static void on_special(struct reading *r, slice what, slice label)
{
    if (label.n)
        put_plain(&r->t, label);
    else if (slice_find_char(what, '^') == SIZE_MAX)
        text_add(&r->t, "@" SLF, SLA(what));
}

static void on_link(struct reading *r, slice url, slice label)
{
    slice bare = url;
    if (slice_starts(url, SL("mailto:")))
        bare = slice_from(url, 7);
    else if (slice_starts(url, SL("tel:")))
        bare = slice_from(url, 4);
    bool same = !label.n || slice_eq(label, bare) || slice_eq(label, url) || slice_ends(url, arena_printf(r->c->a, "://" SLF, SLA(label)));
    if (same) {
        put_plain(&r->t, bare);
        return;
    }
    put_plain(&r->t, label);
    text_put(&r->t, SL(" ("));
    put_plain(&r->t, bare);
    text_put(&r->t, SL(")"));
}

static void on_token(struct reading *r, slice token)
{
    slice label = token, what = slice_cut(&label, '|');
    char first = what.n ? what.p[0] : 0;
    if (first == '@') {
        on_user(r, slice_from(what, 1), label);
    } else if (first == '#') {
        text_put(&r->t, SL("#"));
        put_plain(&r->t, slice_or(label, slice_from(what, 1)));
    } else if (first == '!') {
        on_special(r, slice_from(what, 1), label);
    } else {
        on_link(r, what, label);
    }
}

struct slack_text slack_read_text(const struct call *c, const struct slack_install *own, slice mrkdwn)
{
    struct reading r = { .c = c, .own = own, .t = text_new(c->a, mrkdwn.n * 4 + 4096) };
    slice rest = mrkdwn;
    while (rest.n) {
        size_t open = slice_find_char(rest, '<');
        put_plain(&r.t, slice_sub(rest, 0, open));
        if (open == SIZE_MAX)
            break;
        rest = slice_from(rest, open + 1);
        size_t close = slice_find_char(rest, '>');
        if (close == SIZE_MAX) { /* Slack escapes every other '<' */
            text_char(&r.t, '<');
            continue;
        }
        on_token(&r, slice_sub(rest, 0, close));
        rest = slice_from(rest, close + 1);
    }
    slice text = text_slice(&r.t);
    return (struct slack_text){ r.mentioned ? slice_trim(text) : text, r.mentioned };
}

slice slack_escape(struct arena *a, slice text)
{
    struct text t = text_new(a, text.n * 5 + 1);
    for (size_t i = 0; i < text.n; i++) {
        size_t k = 0;
        while (k < COUNT(entities) && entities[k].c != text.p[i])
            k++;
        if (k < COUNT(entities))
            text_put(&t, entities[k].wire);
        else
            text_char(&t, text.p[i]);
    }
    return text_slice(&t);
}

slice slack_cut_escaped(slice text, size_t chars)
{
    size_t used = 0, i = 0;
    while (i < text.n) {
        size_t cost = 1, k = 0;
        slice one = utf8_cut(slice_from(text, i), 1);
        while (k < COUNT(entities) && entities[k].c != text.p[i])
            k++;
        if (k < COUNT(entities))
            cost = entities[k].wire.n;
        if (used + cost > chars)
            break;
        used += cost;
        i += MAX(one.n, (size_t)1);
    }
    return slice_sub(text, 0, i);
}
