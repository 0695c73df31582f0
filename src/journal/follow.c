/* Reading the log behind the hub that writes it, from a place that is kept. */
#include "journal/journal-private.h"
#include "journal/log.h"
#include "journal/scan.h"
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

uint64_t journal_durable(const struct journal *j)
{
    for (size_t i = j->kept_from; i < j->n_kept; i++)
        if (!j->kept[i]->synced)
            return j->kept[i]->place.seq;
    return j->log.seq;
}

void journal_followed(struct journal *j, uint32_t no)
{
    j->followed = no;
}

int64_t journal_room(const struct journal *j)
{
    return j->limits.keep_bytes;
}

struct following {
    const uint32_t *list;
    size_t n, i;
    int dirfd;
    struct reader now, next;
    uint64_t end; /* the sequence with which the segment after `now` begins */
};

/* The segment behind that of now, if there is one that can be read: its first sequence ends this one. */
static void open_next(struct following *fo)
{
    fo->end = UINT64_MAX;
    while (fo->i + 1 < fo->n) {
        fo->i++;
        if (reader_open(&fo->next, fo->dirfd, fo->list[fo->i])) {
            fo->end = fo->next.first_seq;
            return;
        }
    }
    fo->next = (struct reader){ .fd = -1 };
}

static bool open_first(struct following *fo, struct jplace *at, bool *ret_gap)
{
    for (fo->i = 0; fo->i < fo->n; fo->i++) {
        if (fo->list[fo->i] < at->no || !reader_open(&fo->now, fo->dirfd, fo->list[fo->i]))
            continue;
        if (at->no == fo->now.no)
            reader_seek(&fo->now, at->off, at->crc, at->seq);
        else
            *ret_gap |= at->no != 0 && fo->now.first_seq != at->seq;
        return true;
    }
    return false;
}

bool journal_follow(const char *dir, struct jplace *at, uint64_t until, size_t max_bytes, bool (*each)(void *arg, const struct jrecord *r), void *arg,
                    bool *ret_gap, struct fault *f)
{
    CLEANUP(arena_freep) struct arena *a = arena_new();
    *ret_gap = false;
    int dirfd = open(arena_printf(a, "%s/journal", dir).p, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (dirfd < 0)
        return fault(f, "not_found", "data", "there is no journal in %s: %s", dir, strerror(errno));
    struct following fo = { .dirfd = dirfd, .now = { .fd = -1 }, .next = { .fd = -1 } };
    uint32_t *list = log_list(dirfd, &fo.n);
    fo.list = list;
    size_t taken = 0;
    bool more = open_first(&fo, at, ret_gap);
    while (more) {
        open_next(&fo);
        slice records;
        uint32_t off;
        while (more && taken < max_bytes && reader_next(&fo.now, MIN(until, fo.end), &records, &off)) {
            taken += records.n;
            more = records_tell(records, each, arg);
            *at = (struct jplace){ fo.now.no, fo.now.off, fo.now.crc, fo.now.seq };
        }
        if (fo.next.fd < 0 || taken >= max_bytes || fo.now.seq >= until)
            break;
        *ret_gap |= fo.now.seq < fo.end; /* its end cannot be read */
        reader_close(&fo.now);
        fo.now = fo.next;
        fo.next = (struct reader){ .fd = -1 };
        *at = (struct jplace){ fo.now.no, fo.now.off, fo.now.crc, fo.now.seq };
    }
    reader_close(&fo.now);
    reader_close(&fo.next);
    free(list);
    close(dirfd);
    return true;
}
