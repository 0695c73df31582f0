#include "main/commands.h"
#include "journal/journal.h"
#include "wire/js.h"

/* Which message is asked for: its number, or any id in it (the vendor's, a delivery key). */
struct asked {
    slice text;
    uint64_t id;   /* 0: not known yet */
    size_t shown;
};

static bool find(void *arg, const struct jrecord *r)
{
    struct asked *q = arg;
    if (r->op == JOP_PUT || !r->id)
        return true;
    bool hit = slice_find(r->body, q->text) != SIZE_MAX || slice_find(r->note, q->text) != SIZE_MAX || slice_find(r->dedupe, q->text) != SIZE_MAX;
    if (hit)
        q->id = r->id;
    return !hit;
}

static void show_note(struct arena *a, slice json)
{
    struct fault f;
    const struct js *doc = js_parse(a, json, &f);
    if (!doc) {
        printf("    " SLF "\n", SLA(json));
        return;
    }
    const struct js *hops = js_at(doc, "hops");
    for (size_t i = 0; i < js_len(hops); i++) {
        const struct js *hop = js_item(hops, i);
        int64_t status = 0, us = 0;
        if (!js_int(js_at(hop, "status"), &status) || !js_int(js_at(hop, "us"), &us))
            continue;
        printf("    call  " SLF "  " SLF "  status %lld  %.1f ms  " SLF "\n", SLA(js_text(js_at(hop, "at"))), SLA(js_text(js_at(hop, "call"))),
               (long long)status, (double)us / 1000, SLA(js_text(js_at(hop, "answer"))));
    }
    for (void *it = js_first(doc); it; it = js_next(doc, it)) {
        if (slice_eq(js_key(doc, it), SL("hops")))
            continue;
        printf("    " SLF ": " SLF "\n", SLA(js_key(doc, it)), SLA(js_print(a, js_value(it))));
    }
}

static bool show(void *arg, const struct jrecord *r)
{
    struct asked *q = arg;
    if (r->id != q->id || r->op == JOP_PUT || (r->copied && q->shown))
        return true;
    CLEANUP(arena_freep) struct arena *a = arena_new();
    char at[TIME_RFC3339_BYTES];
    time_rfc3339_buf(r->at_ms, at);
    printf("%s  %-8s %s\n", at, jop_names[r->op], jstate_names[r->state]);
    if (r->op == JOP_ACCEPT) {
        slice lane = r->lane;
        slice to = slice_cut(&lane, 0x1f);
        printf("    to: " SLF "\n    conversation: " SLF "\n    message: " SLF "\n", SLA(to), SLA(lane), SLA(r->body));
    }
    if (r->not_before_ms) {
        time_rfc3339_buf(r->not_before_ms, at);
        printf("    not before: %s\n", at);
    }
    if (r->note.n)
        show_note(a, r->note);
    q->shown++;
    return true;
}

int command_trace(const struct options *o, int argc, char **argv)
{
    if (argc != 1 || strcmp(argv[0], "--help") == 0)
        return command_usage("usage: dragoman trace ID [--config FILE | --data DIR]   ID: a message's number, or an id of the network, the desk or a delivery\n", argc, argv);
    struct fault f = { 0 };
    struct asked q = { .text = slice_of(argv[0]) };
    int64_t number;
    slice text = q.text;
    size_t dash = slice_find_last(text, '-');
    if (slice_starts(text, SL("dg-")) && dash != SIZE_MAX)
        text = slice_from(text, dash + 1);
    if (slice_int(text, &number) && number > 0 && text.n < 16)
        q.id = (uint64_t)number;
    else if (!journal_scan(o->data, find, &q, &f))
        goto bad;
    if (!journal_scan(o->data, show, &q, &f))
        goto bad;
    if (!q.shown)
        fprintf(stderr, "dragoman trace: no message \"%s\" among the records still kept\n", argv[0]);
    return q.shown ? 0 : 1;
bad:
    fprintf(stderr, "dragoman trace: %s\n", f.text);
    return 1;
}
