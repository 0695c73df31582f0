#include "hub/recorder.h"
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

enum { LINE_EXTRA_BYTES = 65536, NAMES_MAX = 256 };

struct recorder {
    const struct log *log;
    slice path;
    uint8_t key[PSEUDONYM_KEY_BYTES];
    int fd; /* -1: off */
    int64_t webhooks, bytes, max_bytes;
};

/* Headers whose values are about the body, not about who sent it. */
static const char *const harmless[] = { "content-type", "accept", "user-agent", NULL };

struct recorder *recorder_new(const struct log *log, slice path, int64_t max_bytes, const uint8_t key[PSEUDONYM_KEY_BYTES])
{
    struct recorder *r = must_calloc(1, sizeof(*r));
    r->log = log;
    r->path = path;
    r->max_bytes = max_bytes;
    r->fd = -1;
    memcpy(r->key, key, sizeof(r->key));
    return r;
}

void recorder_free(struct recorder *r)
{
    if (!r)
        return;
    recorder_stop(r);
    bytes_wipe(r->key, sizeof(r->key));
    free(r);
}

bool recorder_start(struct recorder *r, struct fault *f)
{
    if (r->fd >= 0)
        return true;
    struct stat st;
    int fd = open(r->path.p, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0 || fstat(fd, &st) != 0 || !S_ISREG(st.st_mode)) {
        fault(f, "storage", "record.file", "cannot write %s: %s", r->path.p, fd < 0 ? strerror(errno) : "it is no plain file");
        if (fd >= 0)
            close(fd);
        return false;
    }
    r->fd = fd;
    r->bytes = st.st_size;
    struct log_line *l = log_begin(r->log, LEVEL_WARN, "Webhooks are recorded, redacted");
    log_str(l, "file", r->path);
    log_end(l);
    return true;
}

void recorder_stop(struct recorder *r)
{
    if (r->fd < 0)
        return;
    close(r->fd);
    r->fd = -1;
    struct log_line *l = log_begin(r->log, LEVEL_INFO, "Webhooks are no longer recorded");
    log_int(l, "webhooks", r->webhooks);
    log_end(l);
}

struct recorder_state recorder_state(const struct recorder *r)
{
    return (struct recorder_state){ r->fd >= 0, r->path, r->webhooks, r->bytes, r->max_bytes };
}

static void put_headers(struct jw *w, const struct request *rq)
{
    jw_open(w, "headers", '{');
    for (size_t i = 0; i < rq->n_headers; i++) {
        bool first = true, stays = false;
        for (size_t k = 0; k < i; k++)
            first &= !slice_eq_nocase(rq->headers[k].name, rq->headers[i].name);
        for (const char *const *h = harmless; *h; h++)
            stays |= slice_eq_nocase(rq->headers[i].name, slice_of(*h));
        if (!first)
            continue;
        jw_key(w, rq->headers[i].name);
        jw_str(w, NULL, stays ? rq->headers[i].value : SL(""));
    }
    jw_close(w, '}');
}

static slice line_of(struct recorder *r, struct arena *a, const struct actor *actor, const struct request *rq)
{
    slice names[NAMES_MAX];
    struct pseudonyms p = { .keep = actor->account.type->record_keep, .names = names };
    for (size_t i = 0; i < actor->tenant->n_channels && i < NAMES_MAX; i++)
        names[p.n_names++] = actor->tenant->channels[i]->account.name;
    memcpy(p.key, r->key, sizeof(p.key));
    slice body = pseudonym_body(&p, a, rq->body);
    bytes_wipe(p.key, sizeof(p.key));
    struct jw w = jw_new(a, body.n + LINE_EXTRA_BYTES);
    jw_open(&w, NULL, '{');
    jw_time(&w, "at", time_now_ms());
    jw_str(&w, "connector", slice_of(actor->account.type->name));
    jw_str(&w, "account", actor->account.id);
    jw_str(&w, "method", rq->method);
    jw_str(&w, "path", slice_of(actor->account.type->hook.path));
    jw_int(&w, "bytes", (int64_t)rq->body.n);
    put_headers(&w, rq);
    if (body.p)
        jw_raw(&w, "body", body);
    jw_close(&w, '}');
    text_char(&w.t, '\n');
    return jw_done(&w);
}

void recorder_take(struct recorder *r, const struct actor *actor, const struct request *rq)
{
    if (r->fd < 0)
        return;
    CLEANUP(arena_freep) struct arena *a = arena_new();
    slice line = line_of(r, a, actor, rq);
    if (!line.n)
        return;
    if (r->bytes + (int64_t)line.n > r->max_bytes) {
        log_note(r->log, LEVEL_WARN, "The recording is as large as record.mib allows: it ends here");
        recorder_stop(r);
        return;
    }
    ssize_t n = write(r->fd, line.p, line.n);
    if (n != (ssize_t)line.n) {
        const char *why = n < 0 ? strerror(errno) : "the disk is full";
        if (n > 0 && ftruncate(r->fd, r->bytes) != 0)
            why = "the disk is full, and half a line could not be taken back";
        log_note(r->log, LEVEL_WARN, "The recording cannot be written and ends here: %s", why);
        recorder_stop(r);
        return;
    }
    r->bytes += n;
    r->webhooks++;
}
