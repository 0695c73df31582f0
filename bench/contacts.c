/* contacts.c - what a database of many contacts costs: filled as the hub fills it, then asked as agents' pages and messages ask.
 *
 *   bench-contacts FOLDER|postgresql://… [CONTACTS]     prints one line for each question: how often it was asked, the middle and the 99th of a hundred, ms
 *
 * Every tenth guest has a second identity of another network with the same telephone number, which is matched. Commits of BATCH while it is filled, as
 * the hub's catching up does; the questions about a message that just came commit one by one, with fsync.
 */
#include "store/contact_db.h"
#include <stdio.h>
#include <sys/stat.h>
#include <time.h>

enum { CONTACTS = 200000, BATCH = 500, ASKED = 500, PAGE = 30 };

static struct fault f;

static double now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static void must(bool ok, const char *what)
{
    if (ok)
        return;
    fprintf(stderr, "%s: %s\n", what, f.text);
    exit(1);
}

/* Of /proc/self/status; 0: it is not there. */
static int64_t status_kib(const char *name)
{
    int64_t kib = 0;
    char line[200];
    FILE *in = fopen("/proc/self/status", "r");
    while (in && fgets(line, sizeof(line), in)) {
        slice rest = slice_of(line), key = slice_cut(&rest, ':'), number = slice_trim(rest);
        if (slice_eq(key, slice_of(name)) && !slice_int(slice_cut(&number, ' '), &kib))
            kib = 0;
    }
    if (in)
        fclose(in);
    return kib;
}

static const char *const first[] = { "Ana", "Ben", "Chiyo", "Duc", "Emma", "Farid", "Gwen", "Haruto", "Ines", "Jun", "Kim", "Lena", "Minh" };
static const char *const last[] = { "Lee", "Tanaka", "Nguyen", "Martin", "Schmidt", "Kowalski", "Okafor", "Silva", "Garcia", "Rossi", "Dubois" };

static void hear(struct contact_db *db, struct arena *a, const char *network, unsigned i, bool phone)
{
    struct contact_identity v = {
        .conversation = arena_printf(a, "acme/%s:U%08x", network, i * 2654435761u), .network = slice_of(network),
        .name = arena_printf(a, "%s %s %u", first[i % COUNT(first)], last[i / 7 % COUNT(last)], i),
        .phone = phone ? arena_printf(a, "+4917%08u", i) : SLICE_NONE,
        .email = i % 3 ? SLICE_NONE : arena_printf(a, "guest%u@example.net", i), .heard_ms = 1700000000000 + i,
    };
    int64_t n;
    bool changed;
    must(contact_db_hear(db, &v, &n, &changed, &f), "hear");
}

static void fill(struct contact_db *db, unsigned count)
{
    for (unsigned i = 0; i < count;) {
        CLEANUP(arena_freep) struct arena *a = arena_new();
        must(contact_db_begin(db, &f), "begin");
        for (unsigned k = 0; k < BATCH && i < count; k++, i++) {
            hear(db, a, "line", i, i % 2 == 0);
            if (i % 10 == 0)
                hear(db, a, "sms", i, true);
        }
        must(contact_db_commit(db, &f), "commit");
    }
}

/* ---- questions: each as often as ASKED, of contacts from all over the database --------------------------------------------------------- */

static void ask_again(struct contact_db *db, struct arena *a, unsigned i)
{
    must(contact_db_begin(db, &f), "begin");
    hear(db, a, "line", i, i % 2 == 0);
    must(contact_db_commit(db, &f), "commit");
}

static void ask_matched(struct contact_db *db, struct arena *a, unsigned i)
{
    must(contact_db_begin(db, &f), "begin");
    hear(db, a, "plus", i & ~1u, true); /* a new identity, with a number that is known */
    must(contact_db_commit(db, &f), "commit");
}

static void ask_new(struct contact_db *db, struct arena *a, unsigned i)
{
    must(contact_db_begin(db, &f), "begin");
    hear(db, a, "fresh", i + 900000000, false);
    must(contact_db_commit(db, &f), "commit");
}

static void ask_find(struct contact_db *db, struct arena *a, unsigned i)
{
    int64_t n;
    struct contact c;
    must(contact_db_find(db, arena_printf(a, "acme/line:U%08x", i * 2654435761u), &n, &f) && n, "find");
    must(contact_db_read(db, a, n, &c, &f), "read");
}

static void list(struct contact_db *db, struct arena *a, slice text, bool some)
{
    struct js_list found = { 0 };
    struct contact_query q = { .tenant = SL("acme"), .text = text, .limit = PAGE };
    must(contact_db_list(db, a, &q, &found, &f), "list");
    if (some && !found.n) {
        fprintf(stderr, "nothing found for " SLF "\n", SLA(text));
        exit(1);
    }
}

static void ask_newest(struct contact_db *db, struct arena *a, unsigned i)
{
    (void)i;
    list(db, a, SLICE_NONE, true);
}
static void ask_number(struct contact_db *db, struct arena *a, unsigned i)
{
    list(db, a, arena_printf(a, "17%08u", i & ~1u), true);
}
static void ask_name(struct contact_db *db, struct arena *a, unsigned i)
{
    list(db, a, arena_printf(a, "%s %s %u", first[i % COUNT(first)], last[i / 7 % COUNT(last)], i), true);
}
static void ask_common(struct contact_db *db, struct arena *a, unsigned i)
{
    list(db, a, slice_of(last[i % COUNT(last)]), true);
}
static void ask_two_letters(struct contact_db *db, struct arena *a, unsigned i)
{
    list(db, a, i % 2 ? SL("zq") : SL("xw"), false);
}

static int compare(const void *x, const void *y)
{
    double a = *(const double *)x, b = *(const double *)y;
    return a < b ? -1 : a > b;
}

static void ask(struct contact_db *db, unsigned count, const char *what, unsigned times, void (*question)(struct contact_db *, struct arena *, unsigned))
{
    static double took_ms[ASKED];
    for (unsigned k = 0; k < times; k++) {
        CLEANUP(arena_freep) struct arena *a = arena_new();
        double from_ms = now_ms();
        question(db, a, (unsigned)((uint64_t)k * 7919 * 4001 % count));
        took_ms[k] = now_ms() - from_ms;
    }
    qsort(took_ms, times, sizeof(*took_ms), compare);
    printf("%-46s %4u times   p50 %8.2f ms   p99 %8.2f ms\n", what, times, took_ms[times / 2], took_ms[times * 99 / 100]);
    fflush(stdout);
}

int main(int argc, char **argv)
{
    if (argc < 2) {
        fprintf(stderr, "usage: bench-contacts FOLDER|postgresql://… [CONTACTS]\n");
        return 2;
    }
    CLEANUP(arena_freep) struct arena *a = arena_new();
    int64_t asked = CONTACTS;
    if (argc > 2 && (!slice_int(slice_of(argv[2]), &asked) || asked < BATCH || asked > 10 * CONTACTS)) {
        fprintf(stderr, "CONTACTS is %d to %d\n", BATCH, 10 * CONTACTS);
        return 2;
    }
    unsigned count = (unsigned)asked;
    bool in_file = !slice_starts(slice_of(argv[1]), SL("postgres"));
    slice path = arena_printf(a, "%s%s", argv[1], in_file ? "/contacts.db" : "");
    int64_t before_kib = status_kib("VmRSS");
    struct contact_db *db = contact_db_open(path.p, 0, &f);
    must(db, "open");
    double from_ms = now_ms();
    fill(db, count);
    double took_s = (now_ms() - from_ms) / 1e3;
    int64_t there = 0;
    must(contact_db_count(db, &there, &f), "count");
    contact_db_close(db); /* what filling took is given back: a start of its own */
    struct stat st = { 0 };
    (void)stat(path.p, &st);
    printf("%lld contacts of %u identities in %.1f s, %.0f a second; file %.1f MiB\n", (long long)there, count + (count + 9) / 10, took_s, (count + (count + 9) / 10) / took_s,
           (double)st.st_size / (1 << 20));
    db = contact_db_open(path.p, 0, &f);
    must(db, "open");
    ask(db, count, "find by conversation, and read", ASKED, ask_find);
    ask(db, count, "heard again, nothing new (with its commit)", ASKED, ask_again);
    ask(db, count, "matched by its number (with its commit)", ASKED, ask_matched);
    ask(db, count, "a new contact (with its commit)", ASKED, ask_new);
    ask(db, count, "a page of those changed last", ASKED, ask_newest);
    ask(db, count, "search: a telephone number", ASKED, ask_number);
    ask(db, count, "search: a whole name", ASKED, ask_name);
    ask(db, count, "search: a name of every eleventh", ASKED, ask_common);
    ask(db, count, "search: two letters that nobody has", ASKED / 25, ask_two_letters);
    printf("memory: %lld KiB more than before it was opened; at most %lld KiB\n", (long long)(status_kib("VmRSS") - before_kib), (long long)(status_kib("VmHWM") - before_kib));
    contact_db_close(db);
    return 0;
}
