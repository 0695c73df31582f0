#include "wire/multipart.h"
#include "wire/mime.h"

static bool bad(struct fault *f, const char *why)
{
    return fault(f, "bad_form", "", "%s", why);
}

/* A parameter of a header's value: name=token or name="quoted", where \" and \\ are escaped and browsers write %22 for a quote. */
static slice parameter(struct arena *a, slice value, slice name)
{
    for (size_t at = slice_find_char(value, ';'); at < value.n;) {
        while (at < value.n && strchr("; \t", value.p[at]))
            at++;
        size_t from = at;
        while (at < value.n && value.p[at] != '=' && value.p[at] != ';')
            at++;
        bool ours = slice_eq_nocase(slice_trim(slice_sub(value, from, at - from)), name);
        if (at >= value.n || value.p[at] != '=')
            continue;
        bool quoted = ++at < value.n && value.p[at] == '"';
        struct text t = text_new(a, value.n + 1);
        for (at += quoted; at < value.n && value.p[at] != (quoted ? '"' : ';'); at++) {
            if (quoted && value.p[at] == '\\' && at + 1 < value.n && strchr("\\\"", value.p[at + 1]))
                at++;
            text_char(&t, value.p[at]);
        }
        if (ours)
            return quoted ? text_slice(&t) : slice_trim(text_slice(&t));
        at += quoted;
    }
    return SLICE_NONE;
}

static bool read_head(struct arena *a, slice head, struct multipart_part *p, struct fault *f)
{
    while (head.n) {
        size_t end = slice_find(head, SL("\r\n"));
        slice line = slice_sub(head, 0, MIN(end, head.n)), value = line;
        head = end == SIZE_MAX ? SLICE_NONE : slice_from(head, end + 2);
        slice name = slice_cut(&value, ':');
        if (!value.p)
            return bad(f, "a line of a part's head has no colon");
        value = slice_trim(value);
        if (slice_eq_nocase(name, SL("content-disposition"))) {
            if (!slice_eq_nocase(mime_essence(value), SL("form-data")))
                return bad(f, "a part is no form-data");
            p->name = parameter(a, value, SL("name"));
            p->filename = parameter(a, value, SL("filename"));
        } else if (slice_eq_nocase(name, SL("content-type"))) {
            p->type = value;
        }
    }
    return p->name.p || bad(f, "a part has no name");
}

bool multipart_parse(struct arena *a, slice content_type, slice body, struct multipart *ret, struct fault *f)
{
    slice boundary = parameter(a, content_type, SL("boundary"));
    ret->n = 0;
    if (!slice_eq_nocase(mime_essence(content_type), SL("multipart/form-data")) || !boundary.n || boundary.n > MULTIPART_BOUNDARY_MAX)
        return bad(f, "multipart/form-data with a boundary is wanted");
    slice opening = arena_printf(a, "--" SLF, SLA(boundary)), between = arena_printf(a, "\r\n--" SLF, SLA(boundary));
    if (!slice_starts(body, opening)) {
        size_t at = slice_find(body, between);
        body = slice_from(body, at == SIZE_MAX ? body.n : at + 2);
    }
    for (body = slice_from(body, opening.n); !slice_starts(body, SL("--"));) {
        if (!slice_starts(body, SL("\r\n")))
            return bad(f, "a boundary is not where it should be");
        slice rest = slice_from(body, 2);
        bool bare = slice_starts(rest, SL("\r\n"));
        size_t head = bare ? 0 : slice_find(slice_sub(rest, 0, MULTIPART_HEAD_MAX), SL("\r\n\r\n")), end;
        if (head == SIZE_MAX || ret->n == MULTIPART_PARTS_MAX)
            return bad(f, "a part's head has no end, or there are too many parts");
        slice content = slice_from(rest, head + (bare ? 2 : 4));
        if ((end = slice_find(content, between)) == SIZE_MAX)
            return bad(f, "the closing boundary is missing");
        struct multipart_part *p = &ret->parts[ret->n++];
        *p = (struct multipart_part){ .body = slice_sub(content, 0, end) };
        if (!read_head(a, slice_sub(rest, 0, head), p, f))
            return false;
        body = slice_from(content, end + between.n);
    }
    return true;
}

const struct multipart_part *multipart_part(const struct multipart *mp, slice name)
{
    for (size_t i = 0; i < mp->n; i++)
        if (slice_eq(mp->parts[i].name, name))
            return &mp->parts[i];
    return NULL;
}

slice multipart_value(const struct multipart *mp, slice name)
{
    const struct multipart_part *p = multipart_part(mp, name);
    return p ? p->body : SLICE_NONE;
}
