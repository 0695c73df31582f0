/* A request head and a redirect from any bytes: what is accepted is plain; a target's parts are the target's own; no credential travels on
 * to another origin, and nothing leads from https to http. The lines are "name:value"; the first three are method, target and version. */
#include "fuzz/fuzz.h"
#include "net/client_redirect.h"
#include "net/server_check.h"
#include "wire/url.h"

static void check_head(struct arena *a, slice text)
{
    struct head h = { .method = slice_cut(&text, '\n'), .target = slice_cut(&text, '\n'), .version = slice_cut(&text, '\n') };
    enum { LINES_MAX = HEAD_FIELDS_MAX + 10 };
    struct header *fields = ARENA_ARRAY(a, struct header, LINES_MAX);
    while (text.n && h.n_headers < LINES_MAX) {
        slice line = slice_cut(&text, '\n');
        slice name = slice_cut(&line, ':');
        fields[h.n_headers++] = (struct header){ name, slice_or(line, SL("")) };
    }
    h.headers = fields;
    struct fault f = { 0 };
    int status = head_check(&h, &f);
    assert(status == 0 || (status >= 400 && status < 600 && f.code && f.text[0]));
    size_t lengths = 0, codings = 0, hosts = 0;
    for (size_t i = 0; i < h.n_headers; i++) {
        lengths += slice_eq_nocase(fields[i].name, SL("Content-Length"));
        codings += slice_eq_nocase(fields[i].name, SL("Transfer-Encoding"));
        hosts += slice_eq_nocase(fields[i].name, SL("Host"));
        assert(status || slice_find_char(fields[i].value, '\0') == SIZE_MAX);
    }
    assert(status || (lengths + codings <= 1 && hosts <= 1 && h.n_headers <= HEAD_FIELDS_MAX));
    if (!h.target.p) /* no such line: the library always has one */
        return;
    slice path, query;
    target_split(h.target, &path, &query);
    assert(lies_within(path, h.target) || slice_eq(path, SL("/")));
    assert(lies_within(query, h.target));
}

static void check_redirect(struct arena *a, slice text)
{
    static const struct header fields[] = { { SLI("Authorization"), SLI("Bearer secret") }, { SLI("X-Api-Key"), SLI("secret") },
                                            { SLI("Accept"), SLI("*/*") } };
    static const int statuses[] = { 301, 302, 303, 307, 308 };
    struct hop from = { .method = "POST", .url = SL("https://here.example/path?x=1"), .body = true, .headers = fields, .n_headers = COUNT(fields) };
    for (size_t i = 0; i < COUNT(statuses); i++) {
        struct hop to = { 0 };
        if (redirect_next(a, &from, statuses[i], text, &to) != REDIRECT_FOLLOW)
            continue;
        assert(slice_starts(to.url, SL("https://")) && to.method);
        assert(slice_eq_nocase(slice_sub(to.url, 0, 8), SL("https://")));
        slice host = url_host(a, to.url);
        bool same = slice_eq_nocase(host, SL("here.example"));
        for (size_t k = 0; k < to.n_headers; k++)
            assert(same || slice_find(to.headers[k].value, SL("secret")) == SIZE_MAX);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP(arena_freep) struct arena *a = arena_new();
    slice text = slice_mem(data, size);
    check_head(a, text);
    check_redirect(a, text);
    return 0;
}
