#include "journal/record.h"

#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "the log is little-endian and read by memcpy"
#endif

const char *const jstate_names[J_STATES] = {
    [J_WAITING] = "waiting", [J_PARKED] = "parked",   [J_DELIVERED] = "delivered",
    [J_DEAD] = "dead",       [J_UNKNOWN] = "unknown", [J_IGNORED] = "ignored",
};
const char *const jop_names[JOP_MAX] = {
    [JOP_ACCEPT] = "accept", [JOP_PUT] = "put",       [JOP_SETTLE] = "settle", [JOP_ATTEMPT] = "attempt",
    [JOP_RETRY] = "retry",   [JOP_PARK] = "park",     [JOP_RESUME] = "resume", [JOP_NOTE] = "note",
    [JOP_REPLAY] = "replay", [JOP_DISCARD] = "discard",
};

size_t rec_bytes(const struct rec *r)
{
    size_t n = REC_HEAD;
    for (size_t i = 0; i < REC_NUMBERS; i++)
        n += r->number[i] ? 8 : 0;
    for (size_t i = 0; i < REC_TEXTS; i++)
        n += r->text[i].p ? 4 + r->text[i].n : 0;
    return n;
}

void rec_put(char *to, const struct rec *r)
{
    char *p = to + REC_HEAD;
    unsigned fields = 0;
    for (unsigned i = 0; i < REC_NUMBERS; i++)
        if (r->number[i]) {
            fields |= 1u << i;
            p = put64(p, (uint64_t)r->number[i]);
        }
    for (unsigned i = 0; i < REC_TEXTS; i++)
        if (r->text[i].p) {
            fields |= 1u << (i + REC_NUMBERS);
            p = put32(p, (uint32_t)r->text[i].n);
            if (r->text[i].n)
                memcpy(p, r->text[i].p, r->text[i].n);
            p += r->text[i].n;
        }
    put32(to, (uint32_t)(p - to));
    put32(to + 4, r->op | (unsigned)r->state << 8 | fields << 16);
    put64(put64(to + 8, (uint64_t)r->at_ms), r->id);
}

bool rec_get(slice *in, struct rec *r)
{
    if (in->n < REC_HEAD)
        return false;
    uint32_t n = get32(in->p), kind = get32(in->p + 4), fields = kind >> 16;
    if (n < REC_HEAD || n > in->n || fields >> REC_FIELDS || (kind >> 8 & 0xff) >= J_STATES)
        return false;
    *r = (struct rec){ .op = kind & 0xff, .state = (enum jstate)(kind >> 8 & 0xff) };
    if (r->op >= JOP_MAX && r->op != OP_COPY && r->op != OP_FLUSHED)
        return false;
    r->at_ms = (int64_t)get64(in->p + 8);
    r->id = get64(in->p + 16);
    slice rest = slice_sub(*in, REC_HEAD, n - REC_HEAD);
    for (unsigned i = 0; i < REC_NUMBERS; i++) {
        if (!(fields & 1u << i))
            continue;
        if (rest.n < 8)
            return false;
        r->number[i] = (int64_t)get64(rest.p);
        rest = slice_from(rest, 8);
    }
    for (unsigned i = 0; i < REC_TEXTS; i++) {
        if (!(fields & 1u << (i + REC_NUMBERS)))
            continue;
        if (rest.n < 4 || get32(rest.p) > rest.n - 4)
            return false;
        r->text[i] = slice_sub(rest, 4, get32(rest.p));
        rest = slice_from(rest, 4 + r->text[i].n);
    }
    if (rest.n)
        return false;
    *in = slice_from(*in, n);
    return true;
}

void rec_set_id(char *record, uint64_t id)
{
    put64(record + 16, id);
}
