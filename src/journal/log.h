/* log.h - segments on disk and the groups in them.
 *
 * Segment   NUMBER.log, allocated in full when it is begun and cut to what was used when it is sealed. A head of SEG_HEAD bytes:
 *           magic u64, number u32, 0 u32, salt u64 (random), sequence of its first group u64, time i64, 0…, CRC-32C u32.
 * Group     what one disk commit writes: length u32 of the records, CRC-32C u32, sequence u64, records. The CRC covers sequence, length
 *           and records and continues the CRC of the group before it (the first: of the segment's head), so that a group is
 *           only ever read behind the very bytes it was written behind: a torn group is dropped whole, and neither zeros
 *           nor what an earlier life of the file left behind the end is taken for one.
 * Failure   a write that failed is repeated in the same place. After a sync that failed nobody knows what is on disk: the
 *           next group begins a new segment whose first sequence is that of the first group in doubt, and what an older segment
 *           holds from that sequence on does not count.
 * Threads   loop thread; log_write runs on the disk thread with a place made for it by log_plan.
 */
#ifndef JOURNAL_LOG_H
#define JOURNAL_LOG_H
#include "journal/io.h"

enum {
    SEG_HEAD = 64,
    GROUP_HEAD = 16,
    GROUP_MAX = 256 << 20, /* a length above this is damage, not a group */
    LOG_READ_FDS = 4,      /* sealed segments kept open for reading */
};

struct segment {
    uint32_t no, bytes;
    int64_t last_ms; /* wall clock of its last group */
    uint32_t live, dead, puts;
    uint64_t live_bytes;
};
struct log {
    int dirfd;
    const struct jio *io;
    size_t segment_bytes;
    struct segment *segs; /* by number, the last one is being written */
    size_t n_segs, cap_segs;
    int fd; /* -1: nothing to write to, the next group begins a segment */
    uint32_t off, size, crc, next_no;
    uint64_t seq; /* of the next group */
    bool fresh;   /* the next group must begin a segment */
    struct log_fd {
        uint32_t no;
        int fd;
    } reading[LOG_READ_FDS];
    unsigned next_reading;
};
/* Where a group goes, and then how it went. */
struct place {
    const struct log *log;
    int fd, old_fd; /* old_fd: to be synced and cut to old_bytes after the first group of a new segment; -1 */
    uint32_t no, off, size, crc, old_bytes;
    uint64_t seq;
    bool begin;    /* a new segment */
    bool in_doubt; /* a sync failed */
    int error;
};

/* dirfd is not taken over. Lists the segments there are. */
bool log_open(struct log *l, int dirfd, const struct jio *io, size_t segment_bytes, struct fault *f) MUST_USE;
void log_done(struct log *l);
struct segment *log_segment(struct log *l, uint32_t no); /* NULL: deleted */
void log_delete(struct log *l, uint32_t no);
/* Can so much stand there? Asked before memory is taken for it. */
bool log_has(struct log *l, uint32_t no, uint32_t off, size_t n);
bool log_read(struct log *l, uint32_t no, uint32_t off, void *p, size_t n) MUST_USE;
/* Goes on writing to the last segment behind its last good group; where the folder is a copy, in a new one. */
void log_continue(struct log *l, uint32_t no, uint32_t off, uint32_t crc, uint64_t next_seq);

void log_plan(const struct log *l, size_t group_bytes, struct place *ret);
/* group[0..GROUP_HEAD) is filled in here. n == GROUP_HEAD: only syncs what was written before. */
void log_write(struct place *p, char *group, size_t n, bool sync);
void log_landed(struct log *l, const struct place *p, size_t n);

/* ---- reading groups in order, by anybody ---- */
struct reader {
    int fd;
    char *buf;
    size_t cap, from, n; /* buf[from..n) is what was read ahead */
    uint32_t no, off, crc; /* of the next group */
    uint64_t first_seq, seq;
    off_t at; /* in the file, of buf[n] */
};
/* False: not there, or its head is not one. */
bool reader_open(struct reader *r, int dirfd, uint32_t no) MUST_USE;
void reader_close(struct reader *r);
/* Goes to a group whose place and chain are known. */
void reader_seek(struct reader *r, uint32_t off, uint32_t crc, uint64_t seq);
/* The records of the next group with a sequence below the limit; valid until the next call. False: the end. */
bool reader_next(struct reader *r, uint64_t seq_limit, slice *ret_records, uint32_t *ret_off) MUST_USE;
/* Numbers of the segments in the folder in ascending order, malloc'ed. */
uint32_t *log_list(int dirfd, size_t *ret_n);
#endif
