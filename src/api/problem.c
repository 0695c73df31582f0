#include "api/problem.h"
#include "api/call.h"

enum { PROBLEM_BYTES_MAX = 64 << 10, DETAIL_MAX = 1000 };

static const char *status_title(int status)
{
    static const struct {
        int status;
        const char *title;
    } titles[] = {
        { 400, "Bad Request" },       { 401, "Unauthorized" },           { 403, "Forbidden" },         { 404, "Not Found" },
        { 405, "Method Not Allowed" }, { 409, "Conflict" },               { 412, "Precondition Failed" }, { 413, "Content Too Large" },
        { 415, "Unsupported Media Type" }, { 417, "Expectation Failed" }, { 422, "Unprocessable Content" }, { 429, "Too Many Requests" }, { 431, "Request Header Fields Too Large" }, { 500, "Internal Server Error" },
        { 502, "Bad Gateway" },        { 503, "Service Unavailable" },
    };
    for (size_t i = 0; i < COUNT(titles); i++)
        if (titles[i].status == status)
            return titles[i].title;
    return "Error";
}

static slice document(struct arena *a, slice path, int status, const char *code, slice field, slice detail, const struct problems *p)
{
    struct jw w = jw_new(a, PROBLEM_BYTES_MAX);
    jw_open(&w, NULL, '{');
    jw_str(&w, "type", arena_printf(a, "urn:dragoman:problem:%s", code));
    jw_str(&w, "title", slice_of(status_title(status)));
    jw_int(&w, "status", status);
    jw_str(&w, "detail", detail);
    jw_str(&w, "instance", utf8_cut_bytes(path, DETAIL_MAX));
    jw_str(&w, "code", slice_of(code));
    jw_str(&w, "message", detail);
    jw_opt(&w, "field", field);
    if (p) {
        jw_open(&w, "problems", '[');
        for (size_t i = 0; i < p->n; i++) {
            jw_open(&w, NULL, '{');
            jw_str(&w, "field", p->items[i].field);
            jw_str(&w, "message", p->items[i].message);
            jw_close(&w, '}');
        }
        jw_close(&w, ']');
    }
    jw_close(&w, '}');
    return jw_done(&w);
}

static void answer(struct api_call *c, int status, const char *code, slice field, slice detail, const struct problems *p)
{
    api_header(c, "Cache-Control", SL("no-store"));
    exchange_answer(c->x, &(struct response){ .status = status, .type = SL(PROBLEM_TYPE), .body = document(c->a, c->x->path, status, code, field, detail, p),
                                              .headers = c->headers, .n_headers = c->n_headers });
}

slice problem_of_fault(struct arena *a, slice path, int status, const struct fault *f)
{
    return document(a, path, status, f->code ? f->code : "error", slice_of(f->field), slice_of(f->text), NULL);
}

void api_problem(struct api_call *c, int status, const char *code, const char *field, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    slice text = arena_vprintf(c->a, fmt, ap);
    va_end(ap);
    answer(c, status, code, slice_of(field), utf8_cut_bytes(text, DETAIL_MAX), NULL);
}

void api_problems(struct api_call *c, int status, const char *code, const struct problems *p)
{
    assert(p->n > 0);
    const struct problem_item *first = &p->items[0];
    slice detail = first->field.n ? arena_printf(c->a, SLF ": " SLF, SLA(first->field), SLA(first->message)) : first->message;
    answer(c, status, code, first->field, utf8_cut_bytes(detail, DETAIL_MAX), p);
}

void api_fault(struct api_call *c, int status, const struct fault *f)
{
    answer(c, status, f->code ? f->code : "error", slice_of(f->field), slice_of(f->text), NULL);
}

void api_not_found(struct api_call *c, const char *what, slice name)
{
    enum { NAME_SHOWN = 200 };
    api_problem(c, 404, "not_found", NULL, "there is no %s \"" SLF "\"", what, SLA(utf8_cut_bytes(name, NAME_SHOWN)));
}

void api_not_stored(struct api_call *c, const struct fault *f)
{
    (void)f; /* what it says is for the log: it may name files */
    api_problem(c, 503, "not_stored", NULL, "it could not be stored; try again");
}
