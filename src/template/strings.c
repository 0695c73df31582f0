/* Sprig's string functions that take texts apart and put them together; what changes letters is in letters.c. */
#include "template/function.h"
#include "template/print.h"
#include "template/unicode.h"

#define FN(name) static struct value name(struct run *r, const struct value *v, size_t n)
#define UNUSED_N ((void)n, (void)r)

static slice trim_runes(struct run *r, slice s, slice cut, bool space)
{
    for (int end = 0; end < 2; end++)
        while (s.n) {
            size_t at = end ? s.n : 0;
            uint32_t c = end ? rune_before(s, &at) : rune_next(s, &at);
            bool hit = space && rune_is_space(c);
            for (size_t k = 0; !space && !hit && k < cut.n;)
                hit = rune_next(cut, &k) == c;
            if (!hit)
                break;
            run_step(r, 1 + cut.n / 16);
            s = end ? slice_sub(s, 0, at) : slice_from(s, at);
        }
    return s;
}

FN(f_trim)
{
    UNUSED_N;
    return VALUE_STRING(trim_runes(r, v[0].s, SL(""), true));
}

FN(f_trim_all)
{
    (void)n;
    return VALUE_STRING(trim_runes(r, v[1].s, v[0].s, false));
}

FN(f_trim_prefix)
{
    UNUSED_N;
    return VALUE_STRING(slice_starts(v[1].s, v[0].s) ? slice_from(v[1].s, v[0].s.n) : v[1].s);
}

FN(f_trim_suffix)
{
    UNUSED_N;
    return VALUE_STRING(slice_ends(v[1].s, v[0].s) ? slice_sub(v[1].s, 0, v[1].s.n - v[0].s.n) : v[1].s);
}

FN(f_repeat)
{
    (void)n;
    struct text_out t = out_new(r);
    if (v[0].i < 0)
        run_fail(r, "strings: negative Repeat count");
    if (v[1].s.n && (uint64_t)v[0].i > TEMPLATE_STRING_BYTES / v[1].s.n)
        run_limit(r, "string");
    for (int64_t i = 0; v[1].s.n && i < v[0].i; i++)
        out_put(&t, v[1].s), run_step(r, i % 16 == 0);
    return VALUE_STRING(out_slice(&t));
}

/* A cut at `bytes` from the start or the end never splits a character; it moves toward the shorter result. */
static slice first_bytes(slice s, size_t bytes)
{
    return utf8_cut_bytes(s, bytes);
}

static slice from_byte(slice s, size_t from)
{
    while (from < s.n && ((unsigned char)s.p[from] & 0xc0) == 0x80)
        from++;
    return slice_from(s, from);
}

FN(f_substr)
{
    UNUSED_N;
    slice s = v[2].s;
    int64_t start = v[0].i, end = v[1].i, len = (int64_t)s.n;
    if (start < 0) {
        if (end < 0 || end > len)
            run_fail(r, "slice bounds out of range [:%lld] with length %zu", (long long)end, s.n);
        return VALUE_STRING(first_bytes(s, (size_t)end));
    }
    if (end < 0 || end > len)
        end = len;
    if (start > end)
        run_fail(r, "slice bounds out of range [%lld:%lld]", (long long)start, (long long)end);
    return VALUE_STRING(from_byte(first_bytes(s, (size_t)end), (size_t)start));
}

FN(f_trunc)
{
    UNUSED_N;
    slice s = v[1].s;
    int64_t c = v[0].i, len = (int64_t)s.n;
    if (c < 0 && len + c > 0)
        return VALUE_STRING(from_byte(s, (size_t)(len + c)));
    if (c >= 0 && len > c)
        return VALUE_STRING(first_bytes(s, (size_t)c));
    return VALUE_STRING(s);
}

/* goutils.AbbreviateFull: cut to `width` bytes, beginning near `offset`. */
static slice abbreviate(struct run *r, slice s, int64_t offset, int64_t width)
{
    int64_t len = (int64_t)s.n;
    struct text_out t = out_new(r);
    if (width < 4 || (offset > 0 && width < 7))
        return s;
    if (width > len)
        return s;
    if (offset > len)
        offset = len;
    if (len - offset < width - 3)
        offset = len - (width - 3);
    if (offset <= 4) {
        if (len <= width)
            return s;
        out_put(&t, first_bytes(s, (size_t)(width - 3)));
        out_put(&t, SL("..."));
        return out_slice(&t);
    }
    out_put(&t, SL("..."));
    slice rest = from_byte(s, (size_t)offset);
    if (offset + width - 3 < len) {
        out_put(&t, first_bytes(rest, (size_t)(width - 6)));
        out_put(&t, SL("..."));
    } else {
        out_put(&t, from_byte(s, (size_t)(len - (width - 3))));
    }
    return out_slice(&t);
}

FN(f_abbrev)
{
    (void)n;
    return VALUE_STRING(v[0].i < 4 ? v[1].s : abbreviate(r, v[1].s, 0, v[0].i));
}

FN(f_abbrevboth)
{
    (void)n;
    if (v[1].i < 4 || (v[0].i > 0 && v[1].i < 7))
        return v[2];
    return VALUE_STRING(abbreviate(r, v[2].s, v[0].i, v[1].i));
}

FN(f_contains)
{
    UNUSED_N;
    run_step(r, v[1].s.n / 64);
    return VALUE_TRUTH(slice_find(v[1].s, v[0].s) != SIZE_MAX);
}

FN(f_has_prefix)
{
    UNUSED_N;
    return VALUE_TRUTH(slice_starts(v[1].s, v[0].s));
}

FN(f_has_suffix)
{
    UNUSED_N;
    return VALUE_TRUTH(slice_ends(v[1].s, v[0].s));
}

FN(f_quote)
{
    struct text_out t = out_new(r);
    for (size_t i = 0; i < n; i++) {
        if (value_nothing(v[i]))
            continue;
        if (t.n)
            out_char(&t, ' ');
        print_quoted(&t, value_text(r, v[i]), false);
    }
    return VALUE_STRING(out_slice(&t));
}

FN(f_squote)
{
    struct text_out t = out_new(r);
    for (size_t i = 0; i < n; i++) {
        if (value_nothing(v[i]))
            continue;
        if (t.n)
            out_char(&t, ' ');
        out_char(&t, '\'');
        print_value(&t, v[i]);
        out_char(&t, '\'');
    }
    return VALUE_STRING(out_slice(&t));
}

FN(f_cat)
{
    struct text_out t = out_new(r);
    bool first = true;
    for (size_t i = 0; i < n; i++) {
        if (value_nothing(v[i]))
            continue;
        out_put(&t, first ? SL("") : SL(" "));
        print_value(&t, v[i]);
        first = false;
    }
    return VALUE_STRING(out_slice(&t));
}

static slice replaced(struct run *r, slice s, slice old, slice new)
{
    struct text_out t = out_new(r);
    for (size_t at = 0; at <= s.n;) {
        slice rest = slice_from(s, at);
        size_t hit = slice_find(rest, old);
        if (!old.n) { /* between all characters, and at both ends */
            out_put(&t, new);
            if (at == s.n)
                break;
            size_t next = at;
            (void)rune_next(s, &next);
            out_put(&t, slice_sub(s, at, next - at));
            at = next;
            run_step(r, 1);
            continue;
        }
        out_put(&t, slice_sub(rest, 0, hit));
        if (hit == SIZE_MAX)
            break;
        out_put(&t, new);
        at += hit + old.n;
        run_step(r, 1);
    }
    return out_slice(&t);
}

FN(f_replace)
{
    (void)n;
    return VALUE_STRING(replaced(r, v[2].s, v[0].s, v[1].s));
}

static slice indented(struct run *r, int64_t n, slice s, bool line)
{
    if (n < 0)
        run_fail(r, "strings: negative Repeat count");
    if (n > TEMPLATE_STRING_BYTES)
        run_limit(r, "string");
    struct text_out t = out_new(r);
    if (line)
        out_char(&t, '\n');
    out_fill(&t, ' ', (size_t)n);
    for (size_t at = 0;;) {
        size_t end = slice_find_char(slice_from(s, at), '\n');
        if (end == SIZE_MAX)
            return out_put(&t, slice_from(s, at)), out_slice(&t);
        out_put(&t, slice_sub(s, at, end + 1));
        out_fill(&t, ' ', (size_t)n);
        at += end + 1;
        run_step(r, 1);
    }
}

FN(f_indent)
{
    (void)n;
    return VALUE_STRING(indented(r, v[0].i, v[1].s, false));
}

FN(f_nindent)
{
    (void)n;
    return VALUE_STRING(indented(r, v[0].i, v[1].s, true));
}

FN(f_plural)
{
    UNUSED_N;
    return v[2].i == 1 ? v[0] : v[1];
}

FN(f_to_string)
{
    (void)n;
    return VALUE_STRING(value_text(r, v[0]));
}

/* goutils.WrapCustom */
static slice wrapped(struct run *r, slice s, int64_t width, slice sep, bool break_words)
{
    struct text_out t = out_new(r);
    size_t len = s.n, offset = 0, wrap = width < 1 ? 1 : (size_t)MIN(width, TEMPLATE_STRING_BYTES);
    sep = sep.n ? sep : SL("\n");
    while (len - offset > wrap) {
        run_step(r, 1);
        if (s.p[offset] == ' ') {
            offset++;
            continue;
        }
        size_t end = offset + wrap, space = end + 1;
        while (space > offset && s.p[space - 1] != ' ')
            space--;
        if (space > offset + 1 || (space == offset + 1 && s.p[offset] == ' ')) {
            out_put(&t, slice_sub(s, offset, space - 1 - offset));
            out_put(&t, sep);
            offset = space;
        } else if (break_words) {
            slice piece = first_bytes(slice_from(s, offset), wrap);
            if (!piece.n) { /* a width smaller than the character */
                size_t next = offset;
                (void)rune_next(s, &next);
                piece = slice_sub(s, offset, next - offset);
            }
            out_put(&t, piece);
            out_put(&t, sep);
            offset += piece.n;
        } else {
            size_t next = slice_find_char(slice_from(s, end), ' ');
            if (next == SIZE_MAX) {
                out_put(&t, slice_from(s, offset));
                return out_slice(&t);
            }
            out_put(&t, slice_sub(s, offset, end + next - offset));
            out_put(&t, sep);
            offset = end + next + 1;
        }
        if (offset >= len)
            break;
    }
    out_put(&t, slice_from(s, offset));
    return out_slice(&t);
}

FN(f_wrap)
{
    (void)n;
    return VALUE_STRING(wrapped(r, v[1].s, v[0].i, SL(""), false));
}

FN(f_wrap_with)
{
    (void)n;
    return VALUE_STRING(wrapped(r, v[2].s, v[0].i, v[1].s, true));
}

static struct list *pieces(struct run *r, slice s, slice sep, int64_t most)
{
    struct gather g = gather_new(r, OF_STRING);
    if (most == 0)
        return g.l;
    for (;;) {
        size_t hit = slice_find(s, sep), width = sep.n;
        if (!sep.n) {
            if (!s.n)
                break;
            hit = 0;
            (void)rune_next(s, &hit);
            if (hit == s.n)
                hit = SIZE_MAX;
            width = 0;
        }
        if (hit == SIZE_MAX || (most > 0 && (int64_t)g.l->n + 1 == most)) {
            gather_add(&g, VALUE_STRING(s));
            break;
        }
        gather_add(&g, VALUE_STRING(slice_sub(s, 0, hit)));
        s = slice_from(s, hit + width);
    }
    return g.l;
}

static struct value as_map(struct run *r, const struct list *l)
{
    enum { KEY_BYTES = 8 }; /* "_9999" */
    struct map *m = map_new(r, OF_STRING);
    char *keys = run_alloc(r, (l->n + 1) * KEY_BYTES);
    m->e = run_alloc(r, (l->n + 1) * sizeof(*m->e));
    for (size_t i = 0; i < l->n; i++, keys += KEY_BYTES)
        m->e[m->n++] = (struct entry){ { keys, (size_t)snprintf(keys, KEY_BYTES, "_%u", (unsigned)i) }, l->v[i] };
    m->cap = m->n;
    map_order(r, m);
    return VALUE_MAP(m);
}

FN(f_split_list)
{
    (void)n;
    return VALUE_LIST(pieces(r, v[1].s, v[0].s, -1));
}

FN(f_split)
{
    (void)n;
    return as_map(r, pieces(r, v[1].s, v[0].s, -1));
}

FN(f_splitn)
{
    (void)n;
    return as_map(r, pieces(r, v[2].s, v[0].s, v[1].i));
}

static struct list *texts(struct run *r, struct value v)
{
    struct gather g = gather_new(r, OF_STRING);
    if (v.t == V_LIST) {
        for (size_t i = 0; i < v.l->n; i++)
            if (!value_nothing(v.l->v[i]))
                gather_add(&g, VALUE_STRING(value_text(r, v.l->v[i])));
    } else if (!value_nothing(v)) {
        gather_add(&g, VALUE_STRING(value_text(r, v)));
    }
    return g.l;
}

FN(f_join)
{
    (void)n;
    struct text_out t = out_new(r);
    struct list *l = texts(r, v[1]);
    for (size_t i = 0; i < l->n; i++) {
        out_put(&t, i ? v[0].s : SL(""));
        out_put(&t, l->v[i].s);
    }
    return VALUE_STRING(out_slice(&t));
}

FN(f_to_strings)
{
    (void)n;
    return VALUE_LIST(texts(r, v[0]));
}

/* By merging: a step for what each comparison may cost, however long and alike the texts are. */
static void sort_texts(struct run *r, struct value *v, struct value *spare, size_t n)
{
    if (n < 2)
        return;
    size_t half = n / 2, i = 0, j = half, k = 0;
    sort_texts(r, v, spare, half);
    sort_texts(r, v + half, spare, n - half);
    memcpy(spare, v, n * sizeof(*v));
    while (i < half && j < n) {
        run_step(r, 1 + MIN(spare[i].s.n, spare[j].s.n) / 64);
        v[k++] = slice_cmp(spare[i].s, spare[j].s) <= 0 ? spare[i++] : spare[j++];
    }
    while (i < half)
        v[k++] = spare[i++];
    while (j < n)
        v[k++] = spare[j++];
}

FN(f_sort_alpha)
{
    (void)n;
    struct list *l = texts(r, v[0]);
    if (v[0].t != V_LIST && !l->n) { /* what is no list is a list of its text, nothing too */
        l = list_new(r, 1, OF_STRING);
        l->v[0] = VALUE_STRING(value_text(r, v[0]));
    }
    sort_texts(r, l->v, run_alloc(r, l->n * sizeof(*l->v)), l->n);
    return VALUE_LIST(l);
}

/* clang-format off */
static const struct function rows[] = {
    { "trim", "s", f_trim }, { "trimAll", "ss", f_trim_all }, { "trimall", "ss", f_trim_all }, { "trimPrefix", "ss", f_trim_prefix },
    { "trimSuffix", "ss", f_trim_suffix }, { "repeat", "is", f_repeat }, { "substr", "iis", f_substr }, { "trunc", "is", f_trunc },
    { "abbrev", "is", f_abbrev }, { "abbrevboth", "iis", f_abbrevboth }, { "contains", "ss", f_contains },
    { "hasPrefix", "ss", f_has_prefix }, { "hasSuffix", "ss", f_has_suffix }, { "quote", "x*", f_quote }, { "squote", "x*", f_squote },
    { "cat", "x*", f_cat }, { "replace", "sss", f_replace }, { "indent", "is", f_indent }, { "nindent", "is", f_nindent },
    { "plural", "ssi", f_plural }, { "toString", "x", f_to_string }, { "wrap", "is", f_wrap }, { "wrapWith", "iss", f_wrap_with },
    { "splitList", "ss", f_split_list }, { "split", "ss", f_split }, { "splitn", "sis", f_splitn }, { "join", "sx", f_join },
    { "toStrings", "x", f_to_strings }, { "sortAlpha", "x", f_sort_alpha },
};
/* clang-format on */
const struct functions functions_string = { rows, COUNT(rows) };
