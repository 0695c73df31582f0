#include "hub/storage.h"
#include "net/client.h"
#include "wire/crypto.h"
#include "wire/hex.h"

void storage_id(char ret[STORAGE_ID_BYTES])
{
    random_hex(ret, STORAGE_ID_BYTES / 2);
}

static bool is_alnum(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

bool storage_word_ok(slice s)
{
    for (size_t i = 0; i < s.n; i++)
        if (!is_alnum(s.p[i]) && s.p[i] != '_' && s.p[i] != '-')
            return false;
    return s.n > 0 && s.n <= STORAGE_WORD_MAX;
}

slice storage_word(struct arena *a, slice text)
{
    if (storage_word_ok(text))
        return text;
    struct sha256 sum = sha256(text);
    return hex_encode(a, slice_mem(sum.b, 16));
}

/* clang-format off */
static const struct { slice type, extension; } extensions[] = {
    { SLI("image/jpeg"), SLI("jpg") }, { SLI("image/png"), SLI("png") },  { SLI("image/gif"), SLI("gif") },  { SLI("image/webp"), SLI("webp") },
    { SLI("video/mp4"), SLI("mp4") },  { SLI("audio/mpeg"), SLI("mp3") }, { SLI("audio/mp4"), SLI("m4a") },  { SLI("audio/x-m4a"), SLI("m4a") },
    { SLI("audio/aac"), SLI("aac") },  { SLI("audio/ogg"), SLI("ogg") },  { SLI("audio/wav"), SLI("wav") },  { SLI("application/pdf"), SLI("pdf") },
    { SLI("text/plain"), SLI("txt") }, { SLI("text/vcard"), SLI("vcf") }, { SLI("application/zip"), SLI("zip") },
};
/* clang-format on */

/* The type without parameters. */
static slice bare(slice type)
{
    return slice_trim(slice_cut(&type, ';'));
}

static slice extension_of(slice type)
{
    for (size_t i = 0; i < COUNT(extensions); i++)
        if (slice_eq_nocase(bare(type), extensions[i].type))
            return extensions[i].extension;
    return SL("bin");
}

static bool is_extension(slice s)
{
    enum { LONGEST = 10 };
    for (size_t i = 0; i < s.n; i++)
        if (!is_alnum(s.p[i]))
            return false;
    return s.n > 0 && s.n <= LONGEST;
}

slice storage_safe_name(struct arena *a, slice name, slice type)
{
    char *to = arena_alloc(a, name.n + 1);
    size_t n = 0, real = 0;
    for (size_t i = 0; i < name.n; i++) {
        char c = is_alnum(name.p[i]) || name.p[i] == '.' || name.p[i] == '-' || name.p[i] == '_' ? name.p[i] : '_';
        if ((c == '.' && n == 0) || (c == '_' && n && to[n - 1] == '_'))
            continue;
        real += is_alnum(c);
        to[n++] = c;
    }
    slice stem = { to, n }, extension = extension_of(type);
    size_t dot = slice_find_last(stem, '.');
    if (dot != SIZE_MAX && is_extension(slice_from(stem, dot + 1))) {
        extension = slice_from(stem, dot + 1);
        stem.n = dot;
    }
    if (real == 0 || stem.n == 0 || slice_eq(stem, SL("_")))
        stem = SL("file");
    stem = slice_sub(stem, 0, STORAGE_NAME_MAX - extension.n - 1);
    return arena_printf(a, SLF "." SLF, SLA(stem), SLA(extension));
}

/* Bytes at the beginning of s that are a mark of direction: U+200E, U+200F, U+202A to U+202E, U+2066 to U+2069. */
static size_t turns_writing(slice s)
{
    if (s.n < 3 || s.p[0] != '\xe2')
        return 0;
    unsigned char x = (unsigned char)s.p[1], y = (unsigned char)s.p[2];
    bool mark = (x == 0x80 && (y == 0x8e || y == 0x8f || (y >= 0xaa && y <= 0xae))) || (x == 0x81 && y >= 0xa6 && y <= 0xa9);
    return mark ? 3 : 0;
}

slice storage_shown_name(struct arena *a, slice name, slice type)
{
    slice whole = utf8_repair(a, name);
    struct text t = text_new(a, STORAGE_SHOWN_MAX);
    for (size_t i = 0, skip; i < whole.n; i += skip ? skip : 1) {
        char c = whole.p[i];
        skip = turns_writing(slice_from(whole, i));
        if (!skip && (unsigned char)c >= ' ' && c != 0x7f)
            text_char(&t, c == '/' || c == '\\' ? '_' : c);
    }
    slice shown = slice_trim(text_slice(&t));
    return shown.n && shown.p[0] != '.' && !t.over ? shown : storage_safe_name(a, name, type);
}

bool storage_is_inline(slice type)
{
    static const slice whole[] = { SLI("image/jpeg"), SLI("image/png"), SLI("image/gif"), SLI("image/webp"), SLI("application/pdf") };
    type = bare(type);
    for (size_t i = 0; i < COUNT(whole); i++)
        if (slice_eq_nocase(type, whole[i]))
            return true;
    return slice_eq_nocase(slice_sub(type, 0, 6), SL("audio/")) || slice_eq_nocase(slice_sub(type, 0, 6), SL("video/"));
}

slice storage_serve_type(slice type)
{
    static const slice scripts[] = { SLI("html"), SLI("xml"), SLI("svg"), SLI("javascript"), SLI("ecmascript") };
    bool well_formed = slice_find_char(type, '/') != SIZE_MAX;
    for (size_t i = 0; i < type.n; i++) {
        if ((unsigned char)type.p[i] < ' ' || (unsigned char)type.p[i] > '~')
            well_formed = false;
        for (size_t k = 0; k < COUNT(scripts); k++)
            if (slice_eq_nocase(slice_sub(type, i, scripts[k].n), scripts[k]))
                well_formed = false;
    }
    return well_formed ? type : SL("application/octet-stream");
}

slice storage_disposition(struct arena *a, slice name, slice type)
{
    const char *how = storage_is_inline(type) ? "inline" : "attachment";
    slice safe = storage_safe_name(a, name, type);
    name = utf8_cut_bytes(utf8_repair(a, name), 255);
    if (name.n == 0 || slice_eq(name, safe))
        return arena_printf(a, "%s; filename=\"" SLF "\"", how, SLA(safe));
    struct text t = text_new(a, 255 * 3);
    for (size_t i = 0; i < name.n; i++) {
        if (is_alnum(name.p[i]) || (name.p[i] && strchr("!#$&+-.^_`|~", name.p[i])))
            text_char(&t, name.p[i]);
        else
            text_add(&t, "%%%02X", (unsigned char)name.p[i]);
    }
    return arena_printf(a, "%s; filename=\"" SLF "\"; filename*=UTF-8''" SLF, how, SLA(safe), SLA(text_slice(&t)));
}

/* ---- links ---------------------------------------------------------------------------------------------------------------------- */

void storage_ask(struct storage *s, slice handle, const struct storage_link *link, void (*done)(void *arg, slice url, const struct fault *f), void *arg)
{
    if (s->type->ask) {
        s->type->ask(s, handle, link, done, arg);
        return;
    }
    CLEANUP(arena_freep) struct arena *a = arena_new();
    struct fault f = { 0 };
    slice url = storage_url(s, a, handle, link);
    if (!url.n)
        fault(&f, "storage_refused", "", "this is no handle of the storage " SLF, SLA(s->name));
    done(arg, url, url.n ? NULL : &f);
}

/* ---- probe ---------------------------------------------------------------------------------------------------------------------- */

enum { PROBE_LINK_S = 300, PROBE_REDIRECTS = 5, PROBE_BYTES = 4096 };
#define PROBE_TEXT "probe\n"

struct probe {
    struct storage *s;
    struct client *client;
    struct arena *a;
    void (*done)(void *arg, const struct fault *f);
    void *arg;
    slice handle;
    struct client_call call;
    struct fault f; /* why the link does not open */
};

static void probe_end(struct probe *p, const struct fault *f)
{
    p->done(p->arg, f);
    arena_free(p->a); /* p lives in it */
}

static void probe_deleted(void *arg, enum storage_end end, const struct fault *f)
{
    struct probe *p = arg;
    bool deleted = end == STORAGE_OK || end == STORAGE_GONE;
    probe_end(p, p->f.code ? &p->f : deleted ? NULL : f);
}

static void probe_fetched(void *arg, const struct answer *r)
{
    struct probe *p = arg;
    const char *hint = p->s->type->link_hint ? p->s->type->link_hint(p->s, r->status) : NULL;
    if (r->status == 0)
        fault(&p->f, "storage_failed", "", "a file was stored, but its link does not open: " SLF, SLA(r->error));
    else if (r->status != 200)
        fault(&p->f, "storage_refused", "", "a file was stored, but its link answers %d%s%s", r->status, hint ? ": " : "", hint ? hint : "");
    else if (!slice_eq(r->body, SL(PROBE_TEXT)))
        fault(&p->f, "storage_refused", "", "a file was stored, but its link gives something else%s%s", hint ? ": " : "", hint ? hint : "");
    storage_delete(p->s, p->handle, probe_deleted, p);
}

static void probe_linked(void *arg, slice url, const struct fault *f)
{
    struct probe *p = arg;
    if (f) {
        p->f = *f;
        storage_delete(p->s, p->handle, probe_deleted, p);
        return;
    }
    p->call = (struct client_call){ .a = p->a, .method = "GET", .url = arena_dup(p->a, url), .answer_bytes = PROBE_BYTES,
                                    .max_redirects = PROBE_REDIRECTS, .done = probe_fetched, .arg = p };
    client_send(p->client, &p->call);
}

static void probe_stored(void *arg, const struct storage_stored *stored, const struct fault *f)
{
    struct probe *p = arg;
    if (!stored) {
        probe_end(p, f);
        return;
    }
    p->handle = arena_dup(p->a, stored->handle);
    struct storage_link link = { .audience = STORAGE_FOR_GUEST, .name = SL("probe.txt"), .type = SL("text/plain"),
                                 .expires_s = time_now_ms() / 1000 + PROBE_LINK_S };
    if (p->client)
        storage_ask(p->s, p->handle, &link, probe_linked, p);
    else
        storage_delete(p->s, p->handle, probe_deleted, p);
}

static void probe_more(void *arg)
{
    (void)arg; /* all is written already */
}

void storage_probe(struct storage *s, struct client *client, void (*done)(void *arg, const struct fault *f), void *arg)
{
    struct arena *a = arena_new();
    struct probe *p = ARENA_NEW(a, struct probe);
    *p = (struct probe){ .s = s, .client = client, .a = a, .done = done, .arg = arg };
    char id[STORAGE_ID_BYTES];
    storage_id(id);
    slice text = SL(PROBE_TEXT);
    struct storage_file file = { SL("probe"), SL("probe"), slice_of(id), SL("probe.txt"), SL("text/plain"), (int64_t)text.n, (int64_t)text.n };
    struct storage_put_events events = { probe_more, probe_stored, p };
    struct storage_put *put = storage_put(s, &file, &events);
    (void)storage_put_write(s, put, text);
    storage_put_end(s, put);
}
