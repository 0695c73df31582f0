#include "hub/response_message.h"
#include "hub/rich.h"

static bool take(struct arena *a, const struct js *v, const struct connector *network, struct js_list *out, struct fault *f)
{
    if (out->n == RESPONSE_MESSAGES_MAX)
        return fault(f, "out_of_range", "", "more than %d messages", RESPONSE_MESSAGES_MAX);
    struct message *m = LIST_ADD(a, out, struct message);
    if (js_is_object(v))
        return rich_message(a, v, network, m, f);
    *m = (struct message){ .kind = KIND_TEXT, .text = slice_trim(js_text(v)) };
    return m->text.n || fault(f, "missing_field", "", "an item of the list is no text and no object");
}

bool response_messages(struct arena *a, slice text, const struct connector *network, struct js_list *ret, struct fault *f)
{
    struct fault bad = { 0 };
    text = slice_trim(text);
    *ret = (struct js_list){ 0 };
    if (!text.n)
        return fault(f, "missing_field", "", "it is empty");
    const struct js *doc = rich_json(a, text, &bad);
    if (bad.code)
        return fault(f, "bad_json", "", "its JSON is not valid: %.160s", bad.text);
    if (!doc) {
        *LIST_ADD(a, ret, struct message) = (struct message){ .kind = KIND_TEXT, .text = utf8_repair(a, text) };
        return true;
    }
    if (!js_is_array(doc))
        return take(a, doc, network, ret, f);
    for (size_t i = 0; i < js_len(doc); i++)
        if (!take(a, js_item(doc, i), network, ret, f))
            return false;
    return ret->n > 0 || fault(f, "missing_field", "", "the list is empty");
}
