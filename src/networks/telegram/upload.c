/* A stored file inside multipart/form-data: "Uploads". The framework streams it; what frames it is made here. */
#include "networks/telegram/wire.h"

/* A value inside quotes or a line: what would end it is written as browsers write it. */
static slice quoted(struct arena *a, slice s)
{
    struct text t = text_new(a, s.n * 3 + 1);
    for (size_t i = 0; i < s.n; i++)
        if (s.p[i] == '"' || s.p[i] == '\r' || s.p[i] == '\n')
            text_add(&t, "%%%02X", (unsigned)(unsigned char)s.p[i]);
        else
            text_char(&t, s.p[i]);
    return text_slice(&t);
}

void telegram_upload(struct call *c, struct delivery *d, const char *method, slice body, const char *name, const struct media *file)
{
    const struct js *doc = js_parse(c->a, body, c->f);
    slice boundary = arena_printf(c->a, "dragoman-" SLF, SLA(delivery_uuid(c->a, d, d->part)));
    struct text head = text_new(c->a, TELEGRAM_BODY_BYTES * 2);
    for (void *it = js_first(doc); it; it = js_next(doc, it)) {
        const struct js *v = js_value(it);
        slice value = js_is_string(v) ? js_text(v) : js_print(c->a, v); /* objects as JSON */
        text_add(&head, "--" SLF "\r\nContent-Disposition: form-data; name=\"" SLF "\"\r\n\r\n" SLF "\r\n", SLA(boundary),
                 SLA(quoted(c->a, js_key(doc, it))), SLA(value));
    }
    text_add(&head, "--" SLF "\r\nContent-Disposition: form-data; name=\"%s\"; filename=\"" SLF "\"\r\nContent-Type: " SLF "\r\n\r\n", SLA(boundary),
             name, SLA(quoted(c->a, slice_or(file->name, SL("file")))), SLA(quoted(c->a, slice_or(file->type, SL("application/octet-stream")))));
    telegram_api(c, d, method, SLICE_NONE);
    d->call.type = arena_printf(c->a, "multipart/form-data; boundary=" SLF, SLA(boundary));
    d->call.media_body = file;
    d->call.media_head = text_slice(&head);
    d->call.media_tail = arena_printf(c->a, "\r\n--" SLF "--\r\n", SLA(boundary));
}
