/* What Slack refuses in blocks that are passed on: "Block Kit". Types of blocks and elements that are not listed are Slack's to judge: it adds to them. */
#include "networks/slack/wire.h"
#include "wire/js_shape.h"

#define ROW SHAPE_ROW
#define REQ SHAPE_REQUIRED
#define RANGE SHAPE_RANGE
#define ANY_OF(name, ...) static const struct shape *const name[] = { __VA_ARGS__, NULL }

/* clang-format off */
static const struct shape_member type_only[] = { ROW("type", SHAPE_TEXT, REQ, RANGE(1, 100)) };
static const struct shape other = { .members = type_only, .n = COUNT(type_only) };

/* ---- texts -------------------------------------------------------------------------------------------------------------- */

#define PLAIN(name, max) \
    static const struct shape_member name##_members[] = { ROW("text", SHAPE_TEXT, REQ | SHAPE_CHARS, RANGE(1, max)) }; \
    static const struct shape name##_plain = SHAPE("plain_text", name##_members)
#define MARKED(name) static const struct shape name##_marked = SHAPE("mrkdwn", name##_members)
PLAIN(of_section, SLACK_SECTION_CHARS);
MARKED(of_section);
PLAIN(of_field, 2000);
MARKED(of_field);
PLAIN(of_header, SLACK_HEADER_CHARS);
PLAIN(of_label, SLACK_LABEL_CHARS);
MARKED(of_label);
PLAIN(of_input, 2000);
ANY_OF(section_text, &of_section_plain, &of_section_marked);
ANY_OF(field_text, &of_field_plain, &of_field_marked);
ANY_OF(header_text, &of_header_plain);
ANY_OF(label_text, &of_label_plain);
ANY_OF(option_text, &of_label_plain, &of_label_marked);
ANY_OF(input_text, &of_input_plain);

/* ---- elements ----------------------------------------------------------------------------------------------------------- */

#define ID ROW("action_id", SHAPE_TEXT, SHAPE_CHARS, RANGE(1, 255))
#define HINT ROW("placeholder", SHAPE_OBJECT, 0, .of = header_text)
static const struct shape_member option_members[] = { ROW("text", SHAPE_OBJECT, REQ, .of = option_text), ROW("value", SHAPE_TEXT, SHAPE_CHARS, RANGE(1, SLACK_OPTION_VALUE)) };
static const struct shape option = SHAPE(NULL, option_members);
ANY_OF(options, &option);
static const struct shape_member group_members[] = { ROW("label", SHAPE_OBJECT, REQ, .of = label_text), ROW("options", SHAPE_LIST, REQ, RANGE(1, SLACK_OPTIONS), .of = options) };
static const struct shape group = SHAPE(NULL, group_members);
ANY_OF(groups, &group);

static const struct shape_member button_members[] = { ID, ROW("text", SHAPE_OBJECT, REQ, .of = label_text), ROW("value", SHAPE_TEXT, SHAPE_CHARS, RANGE(0, SLACK_BUTTON_VALUE)),
    ROW("url", SHAPE_TEXT, SHAPE_CHARS, RANGE(1, SLACK_URL_CHARS)), ROW("style", SHAPE_WORD, 0, .words = "primary danger") };
static const struct shape_member select_members[] = { ID, HINT, ROW("options", SHAPE_LIST, 0, RANGE(1, SLACK_OPTIONS), .of = options),
    ROW("option_groups", SHAPE_LIST, 0, RANGE(1, SLACK_OPTIONS), .of = groups) };
static const struct shape_member few_members[] = { ID, ROW("options", SHAPE_LIST, REQ, RANGE(1, 10), .of = options) };
static const struct shape_member overflow_members[] = { ID, ROW("options", SHAPE_LIST, REQ, RANGE(1, 5), .of = options) };
static const struct shape_member image_members[] = { ROW("alt_text", SHAPE_TEXT, REQ | SHAPE_CHARS, RANGE(1, 2000)), ROW("image_url", SHAPE_TEXT, SHAPE_CHARS, RANGE(1, SLACK_URL_CHARS)) };
static const struct shape e_button = SHAPE("button", button_members), e_select = SHAPE("static_select", select_members, .one_of = "options option_groups"),
    e_multi = SHAPE("multi_static_select", select_members, .one_of = "options option_groups"), e_boxes = SHAPE("checkboxes", few_members),
    e_radio = SHAPE("radio_buttons", few_members), e_overflow = SHAPE("overflow", overflow_members), e_image = SHAPE("image", image_members, .one_of = "image_url slack_file");
ANY_OF(elements, &e_button, &e_select, &e_multi, &e_boxes, &e_radio, &e_overflow, &e_image, &other);
ANY_OF(context_elements, &e_image, &of_section_plain, &of_section_marked);

/* ---- blocks ------------------------------------------------------------------------------------------------------------- */

#define BLOCK ROW("block_id", SHAPE_TEXT, SHAPE_CHARS, RANGE(1, 255))
static const struct shape_member section_members[] = { BLOCK, ROW("text", SHAPE_OBJECT, 0, .of = section_text), ROW("fields", SHAPE_LIST, 0, RANGE(1, 10), .of = field_text),
    ROW("accessory", SHAPE_OBJECT, 0, .of = elements) };
static const struct shape_member header_members[]  = { BLOCK, ROW("text", SHAPE_OBJECT, REQ, .of = header_text) };
static bool no_lists_of_several(const struct js *v, const struct shape_path *at, struct fault *f)
{
    const struct js *elements_in = js_at(v, "elements");
    for (size_t i = 0; i < js_len(elements_in); i++)
        if (slice_eq(js_text(js_at(js_item(elements_in, i), "type")), SL("multi_static_select")))
            return shape_fault(f, "out_of_range", at, "elements", "a multi_static_select stands in a section, as its accessory");
    return true;
}
static const struct shape_member actions_members[] = { BLOCK, ROW("elements", SHAPE_LIST, REQ, RANGE(1, SLACK_ROW_BUTTONS), .of = elements) };
static const struct shape_member context_members[] = { BLOCK, ROW("elements", SHAPE_LIST, REQ, RANGE(1, 10), .of = context_elements) };
static const struct shape_member picture_members[] = { BLOCK, ROW("alt_text", SHAPE_TEXT, REQ | SHAPE_CHARS, RANGE(1, 2000)),
    ROW("image_url", SHAPE_TEXT, SHAPE_CHARS, RANGE(1, SLACK_URL_CHARS)), ROW("title", SHAPE_OBJECT, 0, .of = input_text) };
static const struct shape_member input_members[]   = { BLOCK, ROW("label", SHAPE_OBJECT, REQ, .of = input_text), ROW("element", SHAPE_OBJECT, REQ, .of = elements) };
static const struct shape_member divider_members[] = { BLOCK };
static const struct shape b_section = SHAPE("section", section_members, .one_of = "text fields"), b_header = SHAPE("header", header_members), b_actions = SHAPE("actions", actions_members, .more = no_lists_of_several),
    b_context = SHAPE("context", context_members), b_image = SHAPE("image", picture_members, .one_of = "image_url slack_file"), b_input = SHAPE("input", input_members),
    b_divider = SHAPE("divider", divider_members);
ANY_OF(block_types, &b_section, &b_header, &b_actions, &b_context, &b_image, &b_input, &b_divider, &other);

static const struct shape_member message_members[] = { ROW("blocks", SHAPE_LIST, 0, RANGE(1, SLACK_BLOCKS), .of = block_types), ROW("attachments", SHAPE_LIST, 0, RANGE(1, 100)) };
static const struct shape message = SHAPE(NULL, message_members);
ANY_OF(messages, &message);
/* clang-format on */

bool slack_blocks_ok(struct call *c, const struct js *members)
{
    struct fault why = { 0 };
    return shape_check(c->a, members, messages, "", &why) || refuse_shape(c, &why);
}
