#include "hub/setting.h"

static bool parse_number(slice s, int64_t *ret)
{
    static const struct {
        slice unit;
        int64_t factor;
    } units[] = { { SLI("KiB"), 1 << 10 }, { SLI("MiB"), 1 << 20 }, { SLI("GiB"), 1 << 30 } };
    int64_t factor = 1;
    for (size_t i = 0; i < COUNT(units); i++) {
        if (slice_ends(s, units[i].unit)) {
            factor = units[i].factor;
            s = slice_trim(slice_sub(s, 0, s.n - units[i].unit.n));
        }
    }
    return slice_int(s, ret) && !__builtin_mul_overflow(*ret, factor, ret);
}

static bool value_number(struct arena *a, const struct setting *s, slice text, slice *ret, struct fault *f)
{
    int64_t v;
    if (!parse_number(slice_trim(text), &v))
        return fault(f, "wrong_type", s->name, "must be a whole number");
    if ((s->min || s->max) && (v < s->min || v > s->max))
        return fault(f, "out_of_range", s->name, "must be between %lld and %lld", (long long)s->min, (long long)s->max);
    *ret = arena_printf(a, "%lld", (long long)v);
    return true;
}

static bool value_bool(const struct setting *s, slice text, slice *ret, struct fault *f)
{
    static const slice words[][2] = { { SLI("true"), SLI("false") }, { SLI("yes"), SLI("no") }, { SLI("on"), SLI("off") }, { SLI("1"), SLI("0") } };
    for (size_t i = 0; i < COUNT(words); i++) {
        for (size_t no = 0; no < 2; no++) {
            if (slice_eq_nocase(text, words[i][no])) {
                *ret = words[0][no];
                return true;
            }
        }
    }
    return fault(f, "wrong_type", s->name, "must be true or false");
}

static bool value_choice(struct arena *a, const struct setting *s, slice text, slice *ret, struct fault *f)
{
    struct text list = text_new(a, sizeof(f->text));
    for (const char *const *c = s->choices; c && *c; c++) {
        if (slice_eq(text, slice_of(*c))) {
            *ret = slice_of(*c);
            return true;
        }
        text_add(&list, "%s%s", list.n ? ", " : "", *c);
    }
    return fault(f, "out_of_range", s->name, "must be one of: " SLF, SLA(text_slice(&list)));
}

static bool length_ok(const struct setting *s, slice text, struct fault *f)
{
    int64_t chars = (int64_t)utf8_len(text);
    if (s->min && chars < s->min)
        return fault(f, "out_of_range", s->name, "must have at least %lld characters", (long long)s->min);
    if (s->max && chars > s->max)
        return fault(f, "out_of_range", s->name, "must have at most %lld characters", (long long)s->max);
    return true;
}

static bool value_url(struct arena *a, const struct setting *s, slice text, slice *ret, struct fault *f)
{
    size_t scheme = slice_starts(text, SL("https://")) ? 8 : slice_starts(text, SL("http://")) ? 7 : 0;
    if (!scheme)
        return fault(f, "wrong_type", s->name, "must be a URL that begins with https:// or http://");
    for (size_t i = 0; i < text.n; i++)
        if ((unsigned char)text.p[i] <= ' ' || (unsigned char)text.p[i] >= 0x7f || strchr("\"<>\\^`{|}", text.p[i]))
            return fault(f, "wrong_type", s->name, "holds a character that a URL cannot have (byte %zu)", i + 1);
    slice rest = slice_from(text, scheme), host = rest;
    for (size_t i = 0; i < rest.n; i++) {
        if (rest.p[i] == '/' || rest.p[i] == '?' || rest.p[i] == '#') {
            host = slice_sub(rest, 0, i);
            break;
        }
    }
    if (host.n == 0 || host.p[0] == ':')
        return fault(f, "wrong_type", s->name, "has no host behind https://");
    if (slice_find_char(text, '#') != SIZE_MAX)
        return fault(f, "wrong_type", s->name, "must not have a fragment (#…)");
    size_t colon = slice_find_last(host, ':');
    int64_t port;
    if (colon != SIZE_MAX && slice_find_char(slice_from(host, colon), ']') == SIZE_MAX &&
        (!slice_int(slice_from(host, colon + 1), &port) || port < 1 || port > 65535))
        return fault(f, "wrong_type", s->name, "has a port that is no number between 1 and 65535");
    if (!length_ok(s, text, f))
        return false;
    while (text.n > scheme && text.p[text.n - 1] == '/')
        text.n--;
    *ret = arena_dup(a, text);
    return true;
}

static bool value_text(struct arena *a, const struct setting *s, slice text, slice *ret, struct fault *f)
{
    if (!utf8_valid(text) || slice_find_char(text, 0) != SIZE_MAX)
        return fault(f, "wrong_type", s->name, "must be text in UTF-8");
    if (text.n == 0 && s->required)
        return fault(f, "missing_field", s->name, "must not be empty");
    if (!length_ok(s, text, f))
        return false;
    *ret = arena_dup(a, text);
    return true;
}

const struct setting setting_dedupe = { "dedupe_hours", "Hours a message id is remembered", SETTING_NUMBER, false, false, NULL,
                                        "A message that comes again within this time has no effect; otherwise seven days, or as long as the network repeats", NULL, 1, 8760 };

bool setting_value(struct arena *a, const struct setting *s, slice text, slice *ret, struct fault *f)
{
    switch (s->type) {
    case SETTING_TEXT:
    case SETTING_PAIRS: /* JSON text, made by who reads the object */
        return value_text(a, s, text, ret, f);
    case SETTING_URL:
        return value_url(a, s, text, ret, f);
    case SETTING_NUMBER:
        return value_number(a, s, text, ret, f);
    case SETTING_BOOL:
        return value_bool(s, text, ret, f);
    case SETTING_CHOICE:
        return value_choice(a, s, text, ret, f);
    }
    return false;
}

int setting_find(const struct setting *rows, size_t n, slice name)
{
    for (size_t i = 0; i < n; i++)
        if (slice_eq(slice_of(rows[i].name), name))
            return (int)i;
    return -1;
}

/* Levenshtein's distance; names longer than the table are never near. */
static size_t distance(slice a, slice b)
{
    enum { LONGEST = 48 };
    if (a.n > LONGEST || b.n > LONGEST)
        return SIZE_MAX;
    size_t row[LONGEST + 1];
    for (size_t j = 0; j <= b.n; j++)
        row[j] = j;
    for (size_t i = 1; i <= a.n; i++) {
        size_t diagonal = row[0];
        row[0] = i;
        for (size_t j = 1; j <= b.n; j++) {
            size_t change = diagonal + (a.p[i - 1] != b.p[j - 1]);
            diagonal = row[j];
            row[j] = MIN(change, MIN(row[j], row[j - 1]) + 1);
        }
    }
    return row[b.n];
}

const char *setting_nearest(const struct setting *rows, size_t n, slice name)
{
    const char *best = NULL;
    size_t best_distance = MAX(name.n / 3, (size_t)1) + 1; /* a third of the letters wrong is still a typing error */
    for (size_t i = 0; i < n; i++) {
        size_t d = distance(name, slice_of(rows[i].name));
        if (d < best_distance) {
            best = rows[i].name;
            best_distance = d;
        }
    }
    return best;
}

slice seconds_in_words(struct arena *a, int64_t seconds)
{
    static const struct {
        const char *name;
        int64_t seconds;
    } units[] = { { "day", 86400 }, { "hour", 3600 }, { "minute", 60 }, { "second", 1 } };
    if (seconds <= 0)
        return SL("at once");
    size_t i = 0;
    while (seconds < units[i].seconds)
        i++;
    int64_t n = (seconds + units[i].seconds / 2) / units[i].seconds;
    return arena_printf(a, "%s%lld %s%s", seconds % units[i].seconds ? "about " : "", (long long)n, units[i].name, n == 1 ? "" : "s");
}
