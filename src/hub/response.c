#include "hub/response.h"

/* clang-format off */
static const struct js_field substitution_fields[] = {
    JS_FIELD(struct substitution, id,          "id",            JS_STR, JS_REQ),
    JS_FIELD(struct substitution, description, "description",   JS_STR, 0),
    JS_FIELD(struct substitution, otherwise,   "default_value", JS_STR, 0),
};
static const struct js_field response_fields[] = {
    JS_FIELD(struct canned_response, name,    "name",    JS_STR, JS_REQ),
    JS_FIELD(struct canned_response, library, "library", JS_STR, 0),
    JS_FIELD(struct canned_response, text,    "text",    JS_STR, JS_REQ),
    JS_FIELD_LIST(struct canned_response, substitutions, "substitutions", struct substitution, substitution_fields, 0),
};
/* clang-format on */

struct canned_response *response_copy(struct arena *a, const struct canned_response *r)
{
    struct canned_response *to = ARENA_NEW(a, struct canned_response);
    *to = (struct canned_response){ .name = arena_dup(a, r->name), .text = arena_dup(a, r->text), .library = arena_dup(a, r->library),
                             .id = arena_dup(a, r->id), .why = arena_dup(a, r->why) };
    struct substitution *all = ARENA_ARRAY(a, struct substitution, r->substitutions.n + 1);
    for (size_t i = 0; i < r->substitutions.n; i++) {
        const struct substitution *s = &((const struct substitution *)r->substitutions.items)[i];
        all[i] = (struct substitution){ arena_dup(a, s->id), arena_dup(a, s->description), arena_dup(a, s->otherwise) };
    }
    to->substitutions = (struct js_list){ all, r->substitutions.n };
    return to;
}

void response_write(struct jw *w, const struct canned_response *r)
{
    jw_fields(w, response_fields, COUNT(response_fields), r);
}

bool response_read(struct arena *a, const struct js *v, struct canned_response *ret, struct fault *f)
{
    *ret = (struct canned_response){ 0 };
    if (!js_read(a, v, response_fields, COUNT(response_fields), ret, f))
        return false;
    if (!ret->name.n || ret->name.n > RESPONSE_NAME_BYTES)
        return fault(f, "out_of_range", "name", "must have 1 to %d bytes", RESPONSE_NAME_BYTES);
    if (!ret->text.n || ret->text.n > RESPONSE_TEXT_BYTES)
        return fault(f, "out_of_range", "text", "must have 1 to %d bytes", RESPONSE_TEXT_BYTES);
    if (ret->substitutions.n > RESPONSE_SUBSTITUTIONS)
        return fault(f, "out_of_range", "substitutions", "at most %d", RESPONSE_SUBSTITUTIONS);
    for (size_t i = 0; i < ret->substitutions.n; i++) {
        const struct substitution *s = &((const struct substitution *)ret->substitutions.items)[i];
        char field[64];
        snprintf(field, sizeof(field), "substitutions[%zu].id", i);
        if (!s->id.n || slice_find(s->id, SL("{{")) != SIZE_MAX || slice_find(s->id, SL("}}")) != SIZE_MAX)
            return fault(f, "out_of_range", field, "must not be empty, nor hold {{ or }}");
    }
    return true;
}
