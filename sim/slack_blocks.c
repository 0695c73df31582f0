/* slack_blocks.c - what Slack refuses of Block Kit: section "Block Kit". */
#include "sim/slack.h"


static bool over(const struct js *v, const char *path, size_t max)
{
    return utf8_len(js_text(js_at(v, path))) > max;
}

static bool bad_text(const struct js *t, size_t max, bool plain_only)
{
    slice type = js_text(js_at(t, "type")), text = js_text(js_at(t, "text"));
    bool plain = slice_eq(type, SL("plain_text")), mrkdwn = slice_eq(type, SL("mrkdwn"));
    return !js_is_object(t) || !(plain || (mrkdwn && !plain_only)) || !text.n || utf8_len(text) > max;
}

static bool bad_options(const struct js *element)
{
    enum { OPTIONS_MAX = 100, TEXT_MAX = 75, VALUE_MAX = 150 };
    const struct js *options = js_at(element, "options");
    bool bad = !js_is_array(options) || !js_len(options) || js_len(options) > OPTIONS_MAX;
    for (size_t i = 0; i < js_len(options); i++)
        bad |= bad_text(js_at(js_item(options, i), "text"), TEXT_MAX, false) || !js_text(js_at(js_item(options, i), "value")).n ||
               over(js_item(options, i), "value", VALUE_MAX);
    return bad;
}

static const char *bad_element(const struct js *v)
{
    enum { TEXT_MAX = 75, VALUE_MAX = 2000, URL_MAX = 3000, ID_MAX = 255, PLACEHOLDER_MAX = 150 };
    static const slice lists[] = { SLI("static_select"), SLI("multi_static_select"), SLI("radio_buttons"), SLI("checkboxes"), SLI("overflow") };
    static const slice others[] = { SLI("datepicker"), SLI("timepicker"), SLI("datetimepicker"), SLI("users_select"), SLI("conversations_select"),
                                    SLI("channels_select"), SLI("external_select"), SLI("plain_text_input"), SLI("number_input"),
                                    SLI("email_text_input"), SLI("url_text_input"), SLI("rich_text_input"), SLI("file_input") };
    slice type = js_text(js_at(v, "type"));
    if (over(v, "action_id", ID_MAX))
        return "action_id";
    if (slice_eq(type, SL("button"))) {
        slice style = js_text(js_at(v, "style"));
        bool bad_style = style.n && !slice_eq(style, SL("primary")) && !slice_eq(style, SL("danger"));
        return bad_text(js_at(v, "text"), TEXT_MAX, true) || over(v, "value", VALUE_MAX) || over(v, "url", URL_MAX) || bad_style ? "button" : NULL;
    }
    if (slice_eq(type, SL("image")))
        return !js_text(js_at(v, "alt_text")).n ? "alt_text" : NULL;
    for (size_t i = 0; i < COUNT(lists); i++)
        if (slice_eq(type, lists[i]))
            return bad_options(v) || (js_at(v, "placeholder") && bad_text(js_at(v, "placeholder"), PLACEHOLDER_MAX, true)) ? "options" : NULL;
    for (size_t i = 0; i < COUNT(others); i++)
        if (slice_eq(type, others[i]))
            return NULL;
    return "unknown element";
}

static const char *bad_section(const struct js *v)
{
    enum { TEXT_MAX = 3000, FIELDS_MAX = 10, FIELD_MAX = 2000 };
    const struct js *text = js_at(v, "text"), *fields = js_at(v, "fields"), *accessory = js_at(v, "accessory");
    bool bad = (!text && !fields) || (text && bad_text(text, TEXT_MAX, false)) || js_len(fields) > FIELDS_MAX;
    for (size_t i = 0; i < js_len(fields); i++)
        bad |= bad_text(js_item(fields, i), FIELD_MAX, false);
    return bad ? "section" : accessory ? bad_element(accessory) : NULL;
}

static const char *bad_actions(const struct js *v)
{
    enum { ELEMENTS_MAX = 25 };
    const struct js *elements = js_at(v, "elements");
    const char *bad = !js_len(elements) || js_len(elements) > ELEMENTS_MAX ? "elements" : NULL;
    for (size_t i = 0; i < js_len(elements) && !bad; i++) {
        bool many = slice_eq(js_text(js_at(js_item(elements, i), "type")), SL("multi_static_select"));
        bad = many ? "multi_static_select in actions" : bad_element(js_item(elements, i));
    }
    return bad;
}

static const char *bad_context(const struct js *v)
{
    enum { ELEMENTS_MAX = 10, TEXT_MAX = 2000 };
    const struct js *elements = js_at(v, "elements");
    if (!js_len(elements) || js_len(elements) > ELEMENTS_MAX)
        return "elements";
    for (size_t i = 0; i < js_len(elements); i++) {
        const struct js *one = js_item(elements, i);
        bool image = slice_eq(js_text(js_at(one, "type")), SL("image"));
        if (image ? !js_text(js_at(one, "alt_text")).n : bad_text(one, TEXT_MAX, false))
            return "elements";
    }
    return NULL;
}

static const char *bad_image(const struct js *v)
{
    enum { URL_MAX = 3000, ALT_MAX = 2000 };
    slice url = js_text(js_at(v, "image_url"));
    bool some = url.n ? slice_starts(url, SL("http")) && utf8_len(url) <= URL_MAX : js_is_object(js_at(v, "slack_file"));
    return !some || !js_text(js_at(v, "alt_text")).n || over(v, "alt_text", ALT_MAX) ? "image" : NULL;
}

static const char *bad_header(const struct js *v)
{
    enum { TEXT_MAX = 150 };
    return bad_text(js_at(v, "text"), TEXT_MAX, true) ? "header" : NULL;
}

static const char *bad_input(const struct js *v)
{
    enum { LABEL_MAX = 2000 };
    return bad_text(js_at(v, "label"), LABEL_MAX, true) ? "label" : bad_element(js_at(v, "element"));
}

static const char *bad_nothing(const struct js *v)
{
    (void)v;
    return NULL;
}

/* clang-format off */
static const struct { const char *type; const char *(*bad)(const struct js *v); } blocks_known[] = {
    { "section",   bad_section },
    { "actions",   bad_actions },
    { "context",   bad_context },
    { "image",     bad_image },
    { "header",    bad_header },
    { "input",     bad_input },
    { "divider",   bad_nothing },
    { "rich_text", bad_nothing },
    { "markdown",  bad_nothing },
    { "table",     bad_nothing },
    { "video",     bad_nothing },
    { "file",      bad_nothing },
};
/* clang-format on */

static const char *bad_block(const struct js *v)
{
    enum { ID_MAX = 255 };
    slice type = js_text(js_at(v, "type"));
    if (over(v, "block_id", ID_MAX))
        return "block_id";
    for (size_t i = 0; i < COUNT(blocks_known); i++)
        if (slice_eq(type, slice_of(blocks_known[i].type)))
            return blocks_known[i].bad(v);
    return "unknown block";
}

static const char *bad_list(const struct js *blocks, size_t max)
{
    if (!js_is_array(blocks) || js_len(blocks) > max)
        return "blocks";
    for (size_t i = 0; i < js_len(blocks); i++) {
        const char *bad = bad_block(js_item(blocks, i));
        if (bad)
            return bad;
    }
    return NULL;
}

const char *ssk_bad_blocks(const struct js *blocks)
{
    enum { BLOCKS_MAX = 50 };
    return bad_list(blocks, BLOCKS_MAX);
}

const char *ssk_bad_view(const struct js *view)
{
    enum { BLOCKS_MAX = 100, TITLE_MAX = 24, METADATA_MAX = 3000, ID_MAX = 255 };
    if (!slice_eq(js_text(js_at(view, "type")), SL("modal")))
        return "type";
    if (bad_text(js_at(view, "title"), TITLE_MAX, true))
        return "title";
    if ((js_at(view, "submit") && bad_text(js_at(view, "submit"), TITLE_MAX, true)) || (js_at(view, "close") && bad_text(js_at(view, "close"), TITLE_MAX, true)))
        return "submit";
    if (over(view, "private_metadata", METADATA_MAX) || over(view, "callback_id", ID_MAX))
        return "private_metadata";
    return bad_list(js_at(view, "blocks"), BLOCKS_MAX);
}
