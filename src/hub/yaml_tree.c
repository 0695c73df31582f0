#include "hub/yaml_tree.h"
#include "wire/js.h"
#include <yaml.h>

#define BYTE_ORDER_MARK "\xef\xbb\xbf" /* editors on Windows begin a file with it */

struct reader {
    struct arena *a;
    yaml_parser_t parser;
    yaml_event_t event; /* the current one */
    bool has_event;
    size_t nodes;
    struct fault *f;
    int line, column;
};

static bool bad(struct reader *r, yaml_mark_t at, const char *text)
{
    r->line = (int)at.line + 1;
    r->column = (int)at.column + 1;
    return fault(r->f, "bad_yaml", "", "%s", text);
}

static bool next_event(struct reader *r)
{
    if (r->has_event)
        yaml_event_delete(&r->event);
    r->has_event = yaml_parser_parse(&r->parser, &r->event) != 0;
    if (r->has_event)
        return true;
    yaml_mark_t at = r->parser.problem_mark;
    const char *problem = r->parser.problem ? r->parser.problem : "cannot be read";
    if (r->parser.error == YAML_READER_ERROR) { /* has an offset in bytes instead of a mark */
        const unsigned char *start = r->parser.input.string.start;
        size_t n = MIN(r->parser.problem_offset, (size_t)(r->parser.input.string.end - start));
        at = (yaml_mark_t){ 0 };
        for (size_t i = 0; i < n; i++)
            at.line += start[i] == '\n';
    }
    return bad(r, at, problem);
}

static const char *forbidden(const yaml_event_t *e)
{
    static const char anchors[] = "anchors (&name) and aliases (*name) are not supported: write the value twice";
    static const char tags[] = "tags (!name) are not supported";
    switch (e->type) {
    case YAML_ALIAS_EVENT:
        return anchors;
    case YAML_SCALAR_EVENT:
        return e->data.scalar.anchor ? anchors : e->data.scalar.tag ? tags : NULL;
    case YAML_SEQUENCE_START_EVENT:
        return e->data.sequence_start.anchor ? anchors : e->data.sequence_start.tag ? tags : NULL;
    case YAML_MAPPING_START_EVENT:
        return e->data.mapping_start.anchor ? anchors : e->data.mapping_start.tag ? tags : NULL;
    case YAML_NO_EVENT:
    case YAML_STREAM_START_EVENT:
    case YAML_STREAM_END_EVENT:
    case YAML_DOCUMENT_START_EVENT:
    case YAML_DOCUMENT_END_EVENT:
    case YAML_SEQUENCE_END_EVENT:
    case YAML_MAPPING_END_EVENT:
        break;
    }
    return NULL;
}

static void read_scalar(struct reader *r, struct yaml *node)
{
    slice s = slice_mem(r->event.data.scalar.value, r->event.data.scalar.length);
    bool plain = r->event.data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
    bool null = plain && (s.n == 0 || slice_eq(s, SL("~")) || slice_eq_nocase(s, SL("null")));
    node->kind = null ? YAML_NULL : YAML_SCALAR;
    node->text = null ? SLICE_NONE : arena_dup(r->a, s);
}

static struct yaml *read_node(struct reader *r, int depth);

static bool read_key(struct reader *r, const struct yaml *map, slice *ret)
{
    if (r->event.type != YAML_SCALAR_EVENT)
        return bad(r, r->event.start_mark, forbidden(&r->event) ? forbidden(&r->event) : "a key must be a plain word");
    if (forbidden(&r->event))
        return bad(r, r->event.start_mark, forbidden(&r->event));
    slice key = slice_mem(r->event.data.scalar.value, r->event.data.scalar.length);
    if (yaml_get(map, key)) {
        char text[160];
        snprintf(text, sizeof(text), "the key \"%.80s\" is there twice", r->event.data.scalar.value);
        return bad(r, r->event.start_mark, text);
    }
    *ret = arena_dup(r->a, key);
    return true;
}

/* From behind the start event to the end event. */
static bool read_children(struct reader *r, struct yaml *parent, int depth)
{
    struct yaml **end = &parent->first;
    yaml_event_type_t last = parent->kind == YAML_MAP ? YAML_MAPPING_END_EVENT : YAML_SEQUENCE_END_EVENT;
    for (;;) {
        slice key = SLICE_NONE;
        if (!next_event(r))
            return false;
        if (r->event.type == last)
            return true;
        if (parent->n == YAML_MEMBERS_MAX)
            return bad(r, r->event.start_mark, "too many members");
        if (parent->kind == YAML_MAP && (!read_key(r, parent, &key) || !next_event(r)))
            return false;
        struct yaml *child = read_node(r, depth);
        if (!child)
            return false;
        child->key = key;
        *end = child;
        end = &child->next;
        parent->n++;
    }
}

/* The node whose first event is the current one. */
static struct yaml *read_node(struct reader *r, int depth)
{
    yaml_mark_t at = r->event.start_mark;
    const char *why = forbidden(&r->event);
    if (!why && depth > YAML_DEPTH_MAX)
        why = "nested too deeply";
    if (!why && ++r->nodes > YAML_NODES_MAX)
        why = "the document has too many values";
    if (why) {
        bad(r, at, why);
        return NULL;
    }
    struct yaml *node = ARENA_NEW(r->a, struct yaml);
    node->line = (int)at.line + 1;
    node->column = (int)at.column + 1;
    if (r->event.type == YAML_SCALAR_EVENT) {
        read_scalar(r, node);
        return node;
    }
    node->kind = r->event.type == YAML_MAPPING_START_EVENT ? YAML_MAP : YAML_LIST;
    return read_children(r, node, depth + 1) ? node : NULL;
}

static struct yaml *read_document(struct reader *r)
{
    if (!next_event(r) || !next_event(r)) /* stream start; then a document or the end */
        return NULL;
    if (r->event.type == YAML_STREAM_END_EVENT) {
        struct yaml *empty = ARENA_NEW(r->a, struct yaml);
        empty->kind = YAML_MAP;
        empty->line = empty->column = 1;
        return empty;
    }
    if (!next_event(r))
        return NULL;
    struct yaml *root = read_node(r, 1);
    if (!root || !next_event(r) || !next_event(r)) /* document end, stream end */
        return NULL;
    if (r->event.type != YAML_STREAM_END_EVENT) {
        bad(r, r->event.start_mark, "only one document is read: remove the \"---\" and what follows");
        return NULL;
    }
    return root;
}

const struct yaml *yaml_parse(struct arena *a, slice text, struct fault *f, int *ret_line, int *ret_column)
{
    struct reader r = { .a = a, .f = f, .line = 1, .column = 1 };
    struct yaml *root = NULL;
    if (slice_starts(text, SL(BYTE_ORDER_MARK)))
        text = slice_from(text, strlen(BYTE_ORDER_MARK));
    if (text.n > YAML_BYTES_MAX) {
        fault(f, "bad_yaml", "", "the file has more than %d bytes", YAML_BYTES_MAX);
    } else if (!yaml_parser_initialize(&r.parser)) {
        fault(f, "bad_yaml", "", "no memory to read it");
    } else {
        yaml_parser_set_encoding(&r.parser, YAML_UTF8_ENCODING);
        yaml_parser_set_input_string(&r.parser, (const unsigned char *)(text.p ? text.p : ""), text.n);
        root = read_document(&r);
        if (r.has_event)
            yaml_event_delete(&r.event);
        yaml_parser_delete(&r.parser);
    }
    *ret_line = r.line;
    *ret_column = r.column;
    return root;
}

const struct yaml *yaml_get(const struct yaml *map, slice key)
{
    if (!map || map->kind != YAML_MAP)
        return NULL;
    for (const struct yaml *child = map->first; child; child = child->next)
        if (slice_eq(child->key, key))
            return child;
    return NULL;
}

/* ---- from JSON ---------------------------------------------------------------------------------------------------------- */

static struct yaml *of_js(struct arena *a, const struct js *v, slice key, size_t *nodes)
{
    if (++*nodes > YAML_NODES_MAX)
        return NULL;
    struct yaml *y = ARENA_NEW(a, struct yaml);
    y->key = key.p ? arena_dup(a, key) : SLICE_NONE;
    struct yaml **last = &y->first;
    if (js_is_object(v)) {
        y->kind = YAML_MAP;
        for (void *it = js_first(v); it; it = js_next(v, it)) {
            struct yaml *m = of_js(a, js_value(it), js_key(v, it), nodes);
            if (!m)
                return NULL;
            *last = m;
            last = &m->next;
            y->n++;
        }
    } else if (js_is_array(v)) {
        y->kind = YAML_LIST;
        for (size_t i = 0; i < js_len(v); i++) {
            struct yaml *m = of_js(a, js_item(v, i), SLICE_NONE, nodes);
            if (!m)
                return NULL;
            *last = m;
            last = &m->next;
            y->n++;
        }
    } else if (!js_is_null(v)) {
        y->kind = YAML_SCALAR;
        y->text = js_is_string(v) ? arena_dup(a, js_text(v)) : js_print(a, v);
    }
    return y;
}

struct yaml *yaml_of_js(struct arena *a, const struct js *v)
{
    size_t nodes = 0;
    return of_js(a, v, SLICE_NONE, &nodes);
}
