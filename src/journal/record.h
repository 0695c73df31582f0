/* record.h - one operation as bytes in the log.
 *
 * Shape   little-endian: length u32 (of the whole record), operation u8, state u8, which fields u16, time i64, id u64, then the
 *         fields that are there in the order of enum rec_field: numbers as i64, texts as length u32 and bytes.
 *         A field that is not there is absent ({NULL,0}, or 0); present and empty is kept apart from absent.
 * Ids     PUT and FLUSHED carry a position (see journal_position) where others carry a message's id.
 */
#ifndef JOURNAL_RECORD_H
#define JOURNAL_RECORD_H
#include "journal/journal.h"

enum { OP_COPY = 64, OP_FLUSHED = 65 }; /* our own, beside enum jop: an accept copied forward; puts safe up to a position */
enum { REC_HEAD = 24 };

enum rec_field { REC_NOT_BEFORE, REC_EXPIRES, REC_LANE, REC_DEDUPE, REC_KEY, REC_NOTE, REC_VALUE, REC_BODY, REC_FIELDS };
enum { REC_NUMBERS = 2, REC_TEXTS = REC_FIELDS - REC_NUMBERS };

struct rec {
    unsigned op;
    enum jstate state;
    int64_t at_ms;
    uint64_t id;
    int64_t number[REC_NUMBERS];
    slice text[REC_TEXTS];
};
#define REC_NUMBER(r, field) ((r)->number[field])
#define REC_TEXT(r, field) ((r)->text[(field)-REC_NUMBERS])

size_t rec_bytes(const struct rec *r);
void rec_put(char *to, const struct rec *r); /* writes exactly rec_bytes(r) */
/* Takes the first record off *in; texts point into it. False: *in does not begin with a whole, well-formed record. */
bool rec_get(slice *in, struct rec *r) MUST_USE;
/* The id within an encoded record, changed in place. */
void rec_set_id(char *record, uint64_t id);

static inline uint32_t get32(const char *p)
{
    uint32_t v;
    memcpy(&v, p, sizeof(v));
    return v;
}
static inline uint64_t get64(const char *p)
{
    uint64_t v;
    memcpy(&v, p, sizeof(v));
    return v;
}
static inline char *put32(char *p, uint32_t v)
{
    memcpy(p, &v, sizeof(v));
    return p + sizeof(v);
}
static inline char *put64(char *p, uint64_t v)
{
    memcpy(p, &v, sizeof(v));
    return p + sizeof(v);
}
#endif
