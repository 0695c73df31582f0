/* Sprig's functions that write several words as one, and its one taken apart: snakecase, kebabcase, camelcase. */
#include "template/function.h"
#include "template/unicode.h"

#define FN(name) static struct value name(struct run *r, const struct value *v, size_t n)

static bool is_connector(uint32_t c)
{
    return c == '_' || c == '-' || rune_is_space(c);
}

static bool in(uint32_t c, const char *category)
{
    struct rune_class k;
    return rune_class_find(slice_of(category), &k) && rune_in_class(c, &k);
}

static bool is_letter(uint32_t c) /* of a script that is written in words */
{
    return rune_is_letter(c) && !((c >= 0x4e00 && c <= 0x9fcc) || (c >= 0x3400 && c <= 0x4d85) || (c >= 0x20000 && c <= 0x2b81d));
}

enum word_kind { WORD_NONE, WORD_NUMBER, WORD_UPPER, WORD_LETTERS, WORD_CONNECTOR, WORD_MARKS, WORD_OTHER };
struct words { /* of a text: the one it stands at */
    slice rest, word;
    enum word_kind kind;
};

static enum word_kind kind_of(uint32_t c)
{
    return is_connector(c) ? WORD_CONNECTOR : in(c, "P") ? WORD_MARKS : rune_is_upper(c) ? WORD_UPPER : is_letter(c) ? WORD_LETTERS : in(c, "N") ? WORD_NUMBER : WORD_OTHER;
}

static void next_word(struct words *w)
{
    slice s = w->rest;
    size_t at = 0, before = 0;
    w->kind = WORD_NONE;
    if (s.n) {
        bool capital = false; /* "First": small letters behind a capital are its word */
        w->kind = kind_of(rune_next(s, &at));
        for (size_t look = at; at < s.n; at = look) {
            uint32_t c = rune_next(s, &look);
            enum word_kind next = kind_of(c);
            bool same = next == w->kind || (w->kind == WORD_MARKS && in(c, "P")); /* - and _ among marks are marks */
            if (w->kind == WORD_UPPER && next == WORD_LETTERS) {
                same = capital || before == 0;
                capital = true;
                if (!same) /* "HTTPStatus": the last capital begins the next word */
                    at = before;
            } else if (w->kind == WORD_UPPER && capital) {
                same = false;
            }
            if (!same)
                break;
            before = capital ? before : at;
        }
    }
    w->word = slice_sub(s, 0, at);
    w->rest = slice_from(s, at);
}

static void put_word(struct text_out *t, const struct words *w, char connector)
{
    if (w->kind != WORD_UPPER && w->kind != WORD_CONNECTOR) {
        out_put(t, w->word);
        return;
    }
    for (size_t at = 0; at < w->word.n;) {
        uint32_t c = rune_next(w->word, &at);
        out_rune(t, is_connector(c) ? (unsigned char)connector : rune_is_upper(c) ? rune_lower(c) : c);
    }
}

/* What goes on without a connector. */
static void put_run(struct text_out *t, struct words *w, char connector)
{
    while (w->kind == WORD_LETTERS || w->kind == WORD_NUMBER) {
        put_word(t, w, connector);
        next_word(w);
    }
    if (w->kind != WORD_NONE && w->kind != WORD_MARKS && w->kind != WORD_CONNECTOR)
        out_char(t, connector);
}

static void join_if_word(struct text_out *t, const struct words *w, char connector)
{
    if (w->kind != WORD_CONNECTOR && w->kind != WORD_MARKS)
        out_char(t, connector);
}

/* FirstName -> first_name, HTTPServer2Go -> http_server2_go, http2xx -> http_2xx: a number belongs to what is before it, but where small letters follow. */
static struct value worded(struct run *r, slice s, char connector)
{
    struct text_out t = out_new(r);
    struct words w = { .rest = s };
    run_step(r, s.n);
    next_word(&w);
    while (w.rest.n) {
        struct words before = w;
        if (w.kind != WORD_CONNECTOR)
            put_word(&t, &w, connector);
        next_word(&w);
        if (before.kind == WORD_NUMBER) {
            put_run(&t, &w, connector);
        } else if (before.kind == WORD_CONNECTOR) {
            put_word(&t, &before, connector);
        } else if (before.kind != WORD_MARKS && w.kind != WORD_NUMBER) {
            join_if_word(&t, &w, connector);
        } else if (before.kind != WORD_MARKS && w.rest.n) {
            struct words number = w;
            next_word(&w);
            if (w.kind != WORD_LETTERS) {
                put_word(&t, &number, connector);
                join_if_word(&t, &w, connector);
            } else {
                out_char(&t, connector);
                put_word(&t, &number, connector);
                put_run(&t, &w, connector);
            }
        }
    }
    put_word(&t, &w, connector);
    return VALUE_STRING(out_slice(&t));
}

FN(f_snakecase)
{
    (void)n;
    return worded(r, v[0].s, '_');
}

FN(f_kebabcase)
{
    (void)n;
    return worded(r, v[0].s, '-');
}

/* http_server -> HttpServer; connectors at the start stay, and of several all but the last. */
FN(f_camelcase)
{
    (void)n;
    struct text_out t = out_new(r);
    slice s = v[0].s;
    uint32_t c = 0, before;
    size_t at = 0;
    run_step(r, s.n / 8);
    while (at < s.n) {
        c = rune_next(s, &at);
        if (!is_connector(c)) {
            c = rune_upper(c);
            break;
        }
        out_rune(&t, c);
    }
    while (at < s.n) {
        before = c;
        c = rune_next(s, &at);
        if (is_connector(before) && !is_connector(c)) {
            c = rune_upper(c);
            continue;
        }
        out_rune(&t, before);
        if (!is_connector(before))
            c = rune_lower(c);
    }
    if (s.n)
        out_rune(&t, c);
    return VALUE_STRING(out_slice(&t));
}

/* clang-format off */
static const struct function rows[] = { { "snakecase", "s", f_snakecase }, { "kebabcase", "s", f_kebabcase }, { "camelcase", "s", f_camelcase } };
/* clang-format on */
const struct functions functions_case = { rows, COUNT(rows) };
