/* files.c - pictures and files of guests into the storage and the chat; those and agents' pictures out of it, for who is in the chat. */
#include "api/chat/request.h"
#include "api/chat/say.h"
#include "api/desk/sniff.h"
#include "hub/media_link.h"
#include "hub/storage.h"
#include "hub/storage_set.h"
#include "store/store.h"
#include "wire/mime.h"
#include "wire/multipart.h"

/* ---- up ---------------------------------------------------------------------------------------------------------------------------- */

struct uploading {
    struct chat_call *c;
    struct media md;
    char id[STORAGE_ID_BYTES];
    slice conversation;
    struct storage *storage;
    slice body;
};

/* What the bytes are, whatever the page says: only pictures that no browser runs. */
static slice picture_type(slice body)
{
    static const struct { slice begin, type; } kinds[] = {
        { SLI("\x89PNG\r\n\x1a\n"), SLI("image/png") },
        { SLI("\xff\xd8\xff"),      SLI("image/jpeg") },
        { SLI("GIF87a"),            SLI("image/gif") },
        { SLI("GIF89a"),            SLI("image/gif") },
        { SLI("BM"),                SLI("image/bmp") },
    };
    for (size_t i = 0; i < COUNT(kinds); i++)
        if (slice_starts(body, kinds[i].begin))
            return kinds[i].type;
    if (slice_starts(body, SL("RIFF")) && slice_eq(slice_sub(body, 8, 4), SL("WEBP")))
        return SL("image/webp");
    return SLICE_NONE;
}

static slice file_line(struct chat_call *c, int64_t place, slice *ret_files)
{
    return say_upload(c->a, c->session, place, message_media(&c->in.first->m), ret_files);
}

static void row_stored(void *arg, const struct fault *f)
{
    struct uploading *up = arg;
    struct chat_call *c = up->c;
    if (f) { /* a file that nobody would ever delete is not kept */
        chat_not_stored(c);
        return;
    }
    if (c->session->end != CHAT_OPEN) { /* meanwhile */
        chat_refuse(c, 404, "INVALID_SESSION", "the chat has ended");
        return;
    }
    struct message *m = chat_message(c, kind_of_file(up->md.type));
    m->id = chat_message_id(c, up->body);
    *LIST_ADD(c->a, &m->media, struct media) = up->md;
    chat_accept(c, file_line, chat_said);
}

static void put(struct uploading *up, struct storage *to);

static void put_done(void *arg, const struct storage_stored *st, const struct fault *f)
{
    struct uploading *up = arg;
    struct chat_call *c = up->c;
    struct hub *h = c->hub;
    bool large = f && strcmp(f->code, "too_large") == 0;
    if (!st && !large && up->storage != h->storage && h->limits.storage_instead) {
        storage_trouble(h, up->storage, f);
        put(up, h->storage);
        return;
    }
    if (!st) {
        chat_refuse(c, large ? 413 : 503, large ? "LIMIT_FILE_SIZE" : NULL, "%s", f->text);
        return;
    }
    up->md.handle = arena_dup(c->a, st->handle);
    up->md.sha256 = arena_dup(c->a, st->sha256);
    up->md.size = st->size;
    up->md.storage = up->storage->name;
    struct storage_link link = { .audience = STORAGE_FOR_DESK, .name = up->md.name, .type = up->md.type,
                                 .expires_s = h->limits.link_ms ? (c->now_ms + h->limits.link_ms) / 1000 : 0 };
    up->md.url = arena_dup(c->a, media_link(h, c->a, up->storage, slice_of(up->id), up->md.handle, &link));
    struct attachment row = { .id = slice_of(up->id), .account = c->actor->account.id, .conversation = up->conversation, .storage = up->storage->name,
                              .handle = up->md.handle, .url = up->md.url, .sha256 = up->md.sha256, .type = up->md.type, .name = up->md.name,
                              .size = up->md.size, .created_ms = c->now_ms, .state = ATTACHMENT_STORED };
    store_attachment_put(h->store, &row, row_stored, up);
}

static void more(void *arg)
{
    (void)arg; /* all bytes were taken with the first write */
}

static void put(struct uploading *up, struct storage *to)
{
    slice body = up->body;
    struct storage_file file = { .tenant = up->c->actor->tenant->name, .conversation = up->conversation, .id = slice_of(up->id), .name = up->md.name,
                                 .type = up->md.type, .length = (int64_t)body.n, .max_bytes = (int64_t)body.n };
    struct storage_put_events events = { more, put_done, up };
    up->storage = to;
    struct storage_put *p = storage_put(to, &file, &events);
    (void)storage_put_write(to, p, body);
    storage_put_end(to, p);
}

/* any: also what is no picture. */
static void upload(struct chat_call *c, bool any)
{
    struct multipart mp;
    struct fault f = { 0 };
    int64_t most = chat_number(c, WEBCHAT_UPLOAD_BYTES);
    const struct multipart_part *file = NULL;
    size_t files = 0;
    if (c->session->end != CHAT_OPEN) {
        chat_refuse(c, 404, "INVALID_SESSION", "the chat has ended");
        return;
    }
    if (!multipart_parse(c->a, exchange_header(c->x, "Content-Type"), c->x->body, &mp, &f)) {
        chat_refuse(c, 400, NULL, "%s", f.text);
        return;
    }
    c->operation = slice_or(multipart_value(&mp, SL("operationId")), c->operation);
    for (size_t i = 0; i < mp.n; i++) {
        files += mp.parts[i].filename.p != NULL;
        if (slice_eq(mp.parts[i].name, SL("file")))
            file = &mp.parts[i];
    }
    if (files > 1 || most == 0) {
        chat_refuse(c, 400, "LIMIT_FILE_COUNT", most ? "one file a request" : "no files are taken");
        return;
    }
    if (!file || !file->body.n) {
        chat_refuse(c, 400, NULL, "the part file is missing");
        return;
    }
    if ((int64_t)file->body.n > most) {
        chat_refuse(c, 413, "LIMIT_FILE_SIZE", "a file has at most %lld bytes", (long long)most);
        return;
    }
    slice type = picture_type(file->body);
    if (!type.n && any)
        type = sniff_type(file->body, mime_essence(file->type));
    if (!type.n) {
        chat_refuse(c, 400, "INVALID_FILE_TYPE", "only pictures are taken: PNG, JPEG, GIF, WebP, BMP");
        return;
    }
    struct uploading *up = ARENA_NEW(c->a, struct uploading);
    *up = (struct uploading){ .c = c };
    storage_id(up->id);
    up->md.type = type;
    up->md.name = storage_shown_name(c->a, file->filename, type);
    up->conversation = arena_printf(c->a, SLF ":%s", SLA(c->actor->account.id), c->session->id);
    up->body = file->body;
    put(up, storages_choose(c->actor));
}

void chat_upload(struct chat_call *c)
{
    upload(c, false);
}

void chat_upload_file(struct chat_call *c)
{
    upload(c, chat_true(c, WEBCHAT_FILES));
}

/* ---- down --------------------------------------------------------------------------------------------------------------------------- */

enum { BLOCK_BYTES = 32 << 10, HELD_BYTES = 128 << 10 /* that wait for a page which reads slowly */ };
struct downloading {
    struct chat_call *c;
    struct hub *hub;
    size_t n;
    struct media md;
    struct storage *storage;
    struct storage_get *get;
    struct stream *stream; /* NULL: nothing was read yet, so that it may still be said that there is no such file */
    char *block;
};

static void down(void *arg);

static void down_gone(void *arg)
{
    struct downloading *dn = arg;
    dn->stream = NULL;
    loop_defer_cancel(dn->hub->loop, down, dn);
    storage_get_close(dn->storage, dn->get);
}

static void down_ready(void *arg)
{
    struct downloading *dn = arg;
    loop_defer(dn->hub->loop, down, dn);
}

/* False: the page is gone, and dn with it. */
static bool begin_answer(struct downloading *dn)
{
    struct chat_call *c = dn->c;
    struct storage *storage = dn->storage;
    struct storage_get *get = dn->get;
    struct header headers[] = { { SL("Content-Type"), storage_serve_type(dn->md.type) },
                                { SL("Content-Disposition"), storage_disposition(c->a, dn->md.name, dn->md.type) },
                                { SL("Cache-Control"), SL("private, max-age=3600") },
                                { SL("Content-Security-Policy"), SL("default-src 'none'; sandbox") } };
    struct stream *stream = chat_send_stream(c, &(struct stream_answer){ .status = 200, .headers = headers, .n_headers = COUNT(headers), .bytes = dn->md.size,
                                                                         .held_bytes = HELD_BYTES, .ready = down_ready, .gone = down_gone, .arg = dn });
    if (!stream) {
        storage_get_close(storage, get);
        return false;
    }
    dn->stream = stream;
    return true;
}

/* From the storage to the page, as fast as the slower of them. */
static void down(void *arg)
{
    struct downloading *dn = arg;
    for (;;) {
        ssize_t n = storage_get_read(dn->storage, dn->get, dn->block, BLOCK_BYTES);
        if (n == STORAGE_WAIT)
            return;
        if (n <= 0) {
            storage_get_close(dn->storage, dn->get);
            if (!dn->stream)
                chat_refuse(dn->c, 404, NULL, "there is no such file any more");
            else if (n < 0)
                stream_break(dn->stream);
            else
                stream_end(dn->stream);
            return;
        }
        if (!dn->stream && !begin_answer(dn))
            return;
        if (!stream_put(dn->stream, slice_mem(dn->block, (size_t)n)))
            return; /* until down_ready */
    }
}

static void found(void *arg, slice files)
{
    struct downloading *dn = arg;
    struct chat_call *c = dn->c;
    bool known = say_file(c->a, files, dn->n, &dn->md) && dn->md.size <= SAY_IMAGE_MAX;
    dn->storage = known ? storages_find(c->hub, slice_or(dn->md.storage, c->hub->storage->name)) : NULL;
    if (!dn->storage) {
        chat_refuse(c, 404, NULL, "there is no such file in this chat");
        return;
    }
    dn->block = arena_alloc(c->a, BLOCK_BYTES);
    dn->get = storage_get(dn->storage, dn->md.handle, 0, -1, down, dn);
    down(dn);
}

/* "<index>-<number>": of the line in this chat, so of no other. */
void chat_download(struct chat_call *c)
{
    struct downloading *dn = ARENA_NEW(c->a, struct downloading);
    *dn = (struct downloading){ .c = c, .hub = c->hub };
    size_t dash = slice_find_last(c->words[2], '-');
    int64_t place, n;
    if (dash == SIZE_MAX || !slice_int(slice_from(c->words[2], dash + 1), &n) || n < 0 || n > 1000 || !place_read(slice_sub(c->words[2], 0, dash), &place)) {
        chat_refuse(c, 404, NULL, "there is no such file in this chat");
        return;
    }
    dn->n = (size_t)n;
    line_files(c->chat->sessions, c->session, place, c->a, found, dn);
}
