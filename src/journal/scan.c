/* Reading the log beside a running hub, or without one. */
#include "journal/scan.h"
#include "journal/log.h"
#include "journal/record.h"
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

static bool tell(const struct rec *r, bool (*each)(void *, const struct jrecord *), void *arg)
{
    if (r->op == OP_FLUSHED)
        return true;
    bool put = r->op == JOP_PUT;
    return each(arg, &(struct jrecord){
                         .op = r->op == OP_COPY ? JOP_ACCEPT : (enum jop)r->op,
                         .copied = r->op == OP_COPY,
                         .at_ms = r->at_ms,
                         .id = put ? 0 : r->id,
                         .state = r->state,
                         .lane = REC_TEXT(r, REC_LANE),
                         .dedupe = REC_TEXT(r, REC_DEDUPE),
                         .body = REC_TEXT(r, REC_BODY),
                         .note = REC_TEXT(r, REC_NOTE),
                         .key = REC_TEXT(r, REC_KEY),
                         .value = REC_TEXT(r, REC_VALUE),
                         .not_before_ms = REC_NUMBER(r, REC_NOT_BEFORE),
                     });
}

bool records_tell(slice records, bool (*each)(void *, const struct jrecord *), void *arg)
{
    for (struct rec rec; records.n && rec_get(&records, &rec);)
        if (!tell(&rec, each, arg))
            return false;
    return true;
}

/* False: the caller wants no more. */
static bool scan_segment(struct reader *r, uint64_t seq_limit, bool (*each)(void *, const struct jrecord *), void *arg)
{
    slice records;
    uint32_t off;
    while (reader_next(r, seq_limit, &records, &off))
        if (!records_tell(records, each, arg))
            return false;
    return true;
}

bool journal_scan(const char *dir, bool (*each)(void *arg, const struct jrecord *r), void *arg, struct fault *f)
{
    CLEANUP(arena_freep) struct arena *a = arena_new();
    int dirfd = open(arena_printf(a, "%s/journal", dir).p, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (dirfd < 0)
        return fault(f, "not_found", "data", "there is no journal in %s: %s", dir, strerror(errno));
    size_t n;
    uint32_t *list = log_list(dirfd, &n);
    struct reader now = { .fd = -1 }, next = { .fd = -1 };
    bool more = true;
    for (size_t i = 0; more && i <= n; i++) {
        /* The next one's first sequence ends this one, so each is opened before the one in front of it is read. */
        bool opened = i < n && reader_open(&next, dirfd, list[i]);
        if (i < n && !opened)
            continue; /* deleted meanwhile, or damaged */
        if (now.fd >= 0)
            more = scan_segment(&now, opened ? next.first_seq : UINT64_MAX, each, arg);
        reader_close(&now);
        now = next;
        next = (struct reader){ .fd = -1 };
    }
    reader_close(&now);
    free(list);
    close(dirfd);
    return true;
}
