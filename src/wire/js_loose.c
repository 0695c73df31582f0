#include "wire/js_loose.h"
#include "wire/js.h"

#define BREAK_SIGN "\xe2\x86\xb5" /* U+21B5 */

enum want { WANT_VALUE, WANT_VALUE_OR_END, WANT_KEY, WANT_KEY_OR_END, WANT_COLON, WANT_COMMA, WANT_NOTHING };
struct open_bracket {
    char what;
    int line;
};
struct loose {
    slice in;
    size_t at;
    int line;
    struct text out;
    enum want want;
    bool comma; /* one was read and is not written yet: it may be the last */
    struct open_bracket open[JS_DEPTH_MAX];
    size_t depth;
    struct fault *f;
};

static bool no(struct loose *l, const char *fmt, ...) PRINTF(2, 3);
static bool no(struct loose *l, const char *fmt, ...)
{
    char why[120];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(why, sizeof(why), fmt, ap);
    va_end(ap);
    return fault(l->f, "bad_json", "", "line %d: %s", l->line, why);
}

static slice rest(const struct loose *l)
{
    return slice_from(l->in, l->at);
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* Blanks and comments. */
static bool skip(struct loose *l)
{
    while (l->at < l->in.n) {
        char c = l->in.p[l->at];
        if (c == '\n')
            l->line++;
        if (is_blank(c)) {
            l->at++;
        } else if (slice_starts(rest(l), SL("//"))) {
            size_t end = slice_find_char(rest(l), '\n');
            l->at = end == SIZE_MAX ? l->in.n : l->at + end;
        } else if (slice_starts(rest(l), SL("/*"))) {
            size_t end = slice_find(slice_from(rest(l), 2), SL("*/"));
            if (end == SIZE_MAX)
                return no(l, "a comment begins here and does not end");
            for (size_t i = 0; i < end; i++)
                l->line += l->in.p[l->at + 2 + i] == '\n';
            l->at += end + 4;
        } else if (slice_starts(rest(l), SL("\xef\xbb\xbf")) || slice_starts(rest(l), SL("\xc2\xa0"))) {
            l->at += slice_starts(rest(l), SL("\xc2\xa0")) ? 2 : 3; /* byte order mark, no-break space: copied out of pages */
        } else {
            break;
        }
    }
    return true;
}

/* ---- strings ---------------------------------------------------------------------------------------------------------- */

/* What in an address is no part of it. Bytes; 0: it is one. */
static size_t breaks(slice s)
{
    if (s.n && (unsigned char)s.p[0] <= ' ')
        return 1;
    if (slice_starts(s, SL(BREAK_SIGN)))
        return 3;
    return slice_starts(s, SL("\\n")) || slice_starts(s, SL("\\r")) || slice_starts(s, SL("\\t")) ? 2 : 0;
}

/* The sign of a broken line with its line end, in bytes; 0: there is none. */
static size_t line_break(slice s)
{
    size_t n = 3;
    if (!slice_starts(s, SL(BREAK_SIGN)))
        return 0;
    while (n < s.n && (s.p[n] == ' ' || s.p[n] == '\t' || s.p[n] == '\r'))
        n++;
    return n < s.n && s.p[n] == '\n' ? n + 1 : 0;
}

/* Leaving out what is left out of any string, so that it is one afterwards exactly when it was one before. */
static bool is_address(slice s)
{
    char head[8];
    size_t n = 0;
    for (size_t gone; (gone = breaks(s)) != 0 || (gone = line_break(s)) != 0;)
        s = slice_from(s, gone);
    while (s.n && n < sizeof(head)) {
        size_t gone = s.p[0] == '\r' ? 1 : line_break(s);
        if (!gone)
            head[n++] = s.p[0];
        s = slice_from(s, gone ? gone : 1);
    }
    return slice_starts(slice_mem(head, n), SL("http://")) || slice_starts(slice_mem(head, n), SL("https://"));
}

static bool string(struct loose *l)
{
    int began = l->line;
    bool address = is_address(slice_from(l->in, l->at + 1));
    text_char(&l->out, '"');
    for (l->at++; l->at < l->in.n;) {
        char c = l->in.p[l->at];
        size_t gone = line_break(rest(l));
        if (!gone && address)
            gone = breaks(rest(l));
        if (gone) {
            l->line += l->in.p[l->at + gone - 1] == '\n';
            l->at += gone;
        } else if (c == '"') {
            text_char(&l->out, '"');
            l->at++;
            return true;
        } else if (c == '\\' && l->at + 1 < l->in.n && (unsigned char)l->in.p[l->at + 1] >= ' ') {
            text_put(&l->out, slice_sub(l->in, l->at, 2));
            l->at += 2;
        } else if (c == '\\' && l->at + 1 < l->in.n) {
            return no(l, "a backslash with nothing behind it");
        } else if ((unsigned char)c < ' ') {
            l->line += c == '\n';
            if (c == '\n' || c == '\t')
                text_add(&l->out, "\\%c", c == '\n' ? 'n' : 't');
            else if (c != '\r')
                text_add(&l->out, "\\u%04x", (unsigned)c);
            l->at++;
        } else {
            text_char(&l->out, c);
            l->at++;
        }
    }
    l->line = began;
    return no(l, "a text begins here and does not end: its closing \" is missing");
}

/* ---- everything else -------------------------------------------------------------------------------------------------- */

static bool one_open(struct loose *l, char c)
{
    if (l->depth == JS_DEPTH_MAX)
        return no(l, "more than %d brackets within each other", JS_DEPTH_MAX);
    l->open[l->depth++] = (struct open_bracket){ c, l->line };
    text_char(&l->out, c);
    l->at++;
    l->want = c == '{' ? WANT_KEY_OR_END : WANT_VALUE_OR_END;
    return true;
}

static bool one_close(struct loose *l, char c)
{
    if (l->depth == 0)
        return no(l, "%c without a beginning", c);
    const struct open_bracket *o = &l->open[l->depth - 1];
    char fits = o->what == '{' ? '}' : ']';
    if (c != fits)
        return no(l, "%c where the %s that began in line %d ends with %c", c, o->what == '{' ? "object" : "list", o->line, fits);
    l->comma = false;
    text_char(&l->out, c);
    l->at++;
    l->depth--;
    l->want = l->depth ? WANT_COMMA : WANT_NOTHING;
    return true;
}

/* As far as its letters tell; js_parse knows. */
static bool may_be_number(slice w)
{
    bool digit = false;
    for (size_t i = 0; i < w.n; i++) {
        char c = w.p[i];
        bool sign = c == '-' || c == '+' || c == '.' || ((c == 'e' || c == 'E') && digit);
        digit = digit || (c >= '0' && c <= '9');
        if (!sign && (c < '0' || c > '9'))
            return false;
    }
    return digit;
}

static bool word(struct loose *l)
{
    size_t from = l->at;
    while (l->at < l->in.n) {
        char c = l->in.p[l->at];
        bool part = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' || c == '+' || c == '.' || c == '_';
        if (!part)
            break;
        l->at++;
    }
    slice w = slice_sub(l->in, from, l->at - from);
    bool good = slice_eq(w, SL("true")) || slice_eq(w, SL("false")) || slice_eq(w, SL("null")) || may_be_number(w);
    if (good) {
        text_put(&l->out, w);
        return true;
    }
    slice shown = utf8_cut_bytes(slice_or(w, rest(l)), 12);
    if (slice_starts(shown, SL("\xe2\x80\x9c")) || slice_starts(shown, SL("\xe2\x80\x9d")) || slice_starts(shown, SL("'")))
        return no(l, "texts stand between straight double quotes: \"");
    return no(l, "\"" SLF "\" is no value: texts stand between quotes", SLA(shown));
}

static const char *wanted(const struct loose *l)
{
    switch (l->want) {
    case WANT_COMMA: return l->open[l->depth - 1].what == '{' ? "a comma or }" : "a comma or ]";
    case WANT_COLON: return "a colon";
    case WANT_KEY:
    case WANT_KEY_OR_END: return "a name between quotes";
    case WANT_NOTHING: return "nothing more";
    case WANT_VALUE:
    case WANT_VALUE_OR_END: break;
    }
    return "a value";
}

static void comma_first(struct loose *l)
{
    if (l->comma)
        text_char(&l->out, ',');
    l->comma = false;
}

static bool value(struct loose *l, char c)
{
    comma_first(l);
    if (c == '{' || c == '[')
        return one_open(l, c);
    if (!(c == '"' ? string(l) : word(l)))
        return false;
    l->want = l->depth ? WANT_COMMA : WANT_NOTHING;
    return true;
}

static bool token(struct loose *l)
{
    char c = l->in.p[l->at];
    bool may_end = l->want == WANT_COMMA || l->want == WANT_KEY_OR_END || l->want == WANT_VALUE_OR_END;
    if ((c == '}' || c == ']') && (may_end || l->want == WANT_NOTHING))
        return one_close(l, c);
    if (l->want == WANT_COMMA && c == ',') {
        l->at++;
        l->comma = true;
        l->want = l->open[l->depth - 1].what == '{' ? WANT_KEY_OR_END : WANT_VALUE_OR_END;
        return true;
    }
    if (l->want == WANT_COLON && c == ':') {
        l->at++;
        text_char(&l->out, ':');
        l->want = WANT_VALUE;
        return true;
    }
    if ((l->want == WANT_KEY || l->want == WANT_KEY_OR_END) && c == '"') {
        comma_first(l);
        l->want = WANT_COLON;
        return string(l);
    }
    bool is_value = l->want == WANT_VALUE || l->want == WANT_VALUE_OR_END;
    if (is_value && !strchr("}],:", c))
        return value(l, c);
    size_t n = 1;
    while (l->at + n < l->in.n && ((unsigned char)l->in.p[l->at + n] & 0xc0) == 0x80)
        n++;
    return no(l, SLF " where %s is expected", SLA(slice_sub(l->in, l->at, n)), wanted(l));
}

slice js_strict(struct arena *a, slice text, struct fault *f)
{
    struct fault own;
    struct loose l = { .in = text, .line = 1, .out = text_new(a, text.n * 6 + 64), .want = WANT_VALUE, .f = f ? f : &own };
    if (!utf8_valid(text)) { /* what is taken out could make a sign of what was none */
        no(&l, "the text is no UTF-8");
        return SLICE_NONE;
    }
    while (skip(&l)) {
        if (l.at < l.in.n) {
            if (!token(&l))
                return SLICE_NONE;
        } else if (l.depth) {
            const struct open_bracket *o = &l.open[l.depth - 1];
            no(&l, "the text ends, and the %s that began in line %d is not closed", o->what == '{' ? "object" : "list", o->line);
            return SLICE_NONE;
        } else if (l.want != WANT_NOTHING) {
            no(&l, "there is nothing");
            return SLICE_NONE;
        } else {
            return text_slice(&l.out);
        }
    }
    return SLICE_NONE;
}

bool js_is_meant(slice text)
{
    struct fault ignored;
    struct loose l = { .in = text, .line = 1, .f = &ignored };
    if (!skip(&l) || l.at == l.in.n)
        return false;
    char first = l.in.p[l.at++];
    if ((first != '{' && first != '[') || !skip(&l) || l.at == l.in.n)
        return false;
    char second = l.in.p[l.at];
    return first == '{' ? second == '"' || second == '}' : second == '{' || second == '"';
}
