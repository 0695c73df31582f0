/* What LINE refuses in message objects that are passed on: "Message objects", "Actions", "Flex". What is not listed is LINE's to judge. */
#include "networks/line/wire.h"
#include "wire/js_shape.h"

enum { BUBBLE_BYTES = 30 << 10, CAROUSEL_BYTES = 50 << 10, ANY_NUMBER = 1 << 20, ALT_MOST = 1500 /* the newer pages' */ };
#define ROW SHAPE_ROW
#define REQ SHAPE_REQUIRED
#define RANGE SHAPE_RANGE
#define ANY_OF(name, ...) static const struct shape *const name[] = { __VA_ARGS__, NULL }

/* clang-format off */
/* ---- actions --------------------------------------------------------------------------------------------------------- */

static bool good_link(const struct js *v, const struct shape_path *at, struct fault *f)
{
    static const char *const schemes[] = { "http://", "https://", "line://", "tel:" };
    for (size_t i = 0; i < COUNT(schemes); i++)
        if (slice_starts(slice_trim(js_text(js_at(v, "uri"))), slice_of(schemes[i])))
            return true;
    return shape_fault(f, "out_of_range", at, "uri", "must begin with http://, https://, line:// or tel:");
}

#define LABEL ROW("label", SHAPE_TEXT, SHAPE_CHARS, RANGE(1, 40))
static const struct shape_member act_message[]   = { LABEL, ROW("text", SHAPE_TEXT, REQ, RANGE(1, 300)) };
static const struct shape_member act_postback[]  = { LABEL, ROW("data", SHAPE_TEXT, REQ, RANGE(1, 300)), ROW("displayText", SHAPE_TEXT, 0, RANGE(1, 300)),
                                                     ROW("inputOption", SHAPE_WORD, 0, .words = "closeRichMenu openRichMenu openKeyboard openVoice") };
static const struct shape_member act_uri[]       = { LABEL, ROW("uri", SHAPE_TEXT, REQ, RANGE(1, 1000)) };
static const struct shape_member act_picker[]    = { LABEL, ROW("data", SHAPE_TEXT, REQ, RANGE(1, 300)), ROW("mode", SHAPE_WORD, REQ, .words = "date time datetime") };
static const struct shape_member act_clipboard[] = { LABEL, ROW("clipboardText", SHAPE_TEXT, REQ, RANGE(1, 1000)) };
static const struct shape_member act_label[]     = { LABEL };
static const struct shape a_message = SHAPE("message", act_message), a_postback = SHAPE("postback", act_postback), a_uri = SHAPE("uri", act_uri, .more = good_link),
    a_picker = SHAPE("datetimepicker", act_picker), a_clipboard = SHAPE("clipboard", act_clipboard), a_camera = SHAPE("camera", act_label),
    a_roll = SHAPE("cameraRoll", act_label), a_location = SHAPE("location", act_label), a_menu = SHAPE("richmenuswitch", act_label);
ANY_OF(actions, &a_message, &a_postback, &a_uri, &a_picker, &a_clipboard, &a_camera, &a_roll, &a_location, &a_menu);

/* ---- Flex ------------------------------------------------------------------------------------------------------------- */

static const struct shape *const components[], *const spans[], *const boxes[], *const heroes[], *const bubbles[];
#define TAP ROW("action", SHAPE_OBJECT, 0, .of = actions)
#define ADDRESS(name) ROW(name, SHAPE_HTTPS, REQ, RANGE(1, 2000))
#define FONT ROW("weight", SHAPE_WORD, 0, .words = "regular bold"), ROW("style", SHAPE_WORD, 0, .words = "normal italic"), \
             ROW("decoration", SHAPE_WORD, 0, .words = "none underline line-through")

static bool baseline_box(const struct js *v, const struct shape_path *at, struct fault *f)
{
    bool baseline = slice_eq(js_text(js_at(v, "layout")), SL("baseline"));
    const struct js *contents = js_at(v, "contents");
    for (size_t i = 0; i < js_len(contents); i++) {
        slice type = js_text(js_at(js_item(contents, i), "type"));
        bool only_here = slice_eq(type, SL("icon")), not_here = slice_eq(type, SL("box")) || slice_eq(type, SL("button")) || slice_eq(type, SL("image")) || slice_eq(type, SL("separator"));
        if (baseline ? not_here : only_here)
            return shape_fault(f, "out_of_range", at, "contents", baseline ? "a baseline box holds text, icon and filler only" : "an icon stands in a baseline box only");
    }
    return true;
}

static const struct shape_member box_members[] = { ROW("layout", SHAPE_WORD, REQ, .words = "horizontal vertical baseline"), ROW("contents", SHAPE_LIST, REQ, .of = components), TAP,
    ROW("justifyContent", SHAPE_WORD, 0, .words = "center flex-start flex-end space-between space-around space-evenly"), ROW("flex", SHAPE_NUMBER, 0, RANGE(0, ANY_NUMBER)) };
static const struct shape_member button_members[] = { ROW("action", SHAPE_OBJECT, REQ, .of = actions), ROW("style", SHAPE_WORD, 0, .words = "primary secondary link"),
    ROW("height", SHAPE_WORD, 0, .words = "sm md"), ROW("flex", SHAPE_NUMBER, 0, RANGE(0, ANY_NUMBER)) };
static const struct shape_member image_members[] = { ADDRESS("url"), TAP, ROW("aspectMode", SHAPE_WORD, 0, .words = "cover fit"), ROW("flex", SHAPE_NUMBER, 0, RANGE(0, ANY_NUMBER)) };
static const struct shape_member video_members[] = { ADDRESS("url"), ADDRESS("previewUrl"), ROW("altContent", SHAPE_OBJECT, REQ, .of = components), TAP };
static const struct shape_member icon_members[] = { ADDRESS("url") };
static const struct shape_member text_members[] = { ROW("text", SHAPE_TEXT, 0, RANGE(1, 2000)), ROW("contents", SHAPE_LIST, 0, RANGE(1, 1000), .of = spans), TAP, FONT,
    ROW("wrap", SHAPE_BOOL, 0), ROW("maxLines", SHAPE_NUMBER, 0, RANGE(0, ANY_NUMBER)), ROW("align", SHAPE_WORD, 0, .words = "start end center"), ROW("flex", SHAPE_NUMBER, 0, RANGE(0, ANY_NUMBER)) };
static const struct shape_member span_members[] = { ROW("text", SHAPE_TEXT, 0, RANGE(0, 2000)), FONT };
static const struct shape_member none_members[] = { ROW("margin", SHAPE_TEXT, 0, RANGE(1, 50)) };
static const struct shape c_box = SHAPE("box", box_members, .more = baseline_box), c_button = SHAPE("button", button_members), c_image = SHAPE("image", image_members),
    c_video = SHAPE("video", video_members), c_icon = SHAPE("icon", icon_members), c_text = SHAPE("text", text_members, .one_of = "text contents"), c_span = SHAPE("span", span_members),
    c_separator = SHAPE("separator", none_members), c_filler = SHAPE("filler", none_members);
ANY_OF(components, &c_box, &c_button, &c_image, &c_icon, &c_text, &c_separator, &c_filler);
ANY_OF(spans, &c_span);
ANY_OF(boxes, &c_box);
ANY_OF(heroes, &c_box, &c_image, &c_video);

static const struct shape_member bubble_members[] = { ROW("header", SHAPE_OBJECT, 0, .of = boxes), ROW("hero", SHAPE_OBJECT, 0, .of = heroes), ROW("body", SHAPE_OBJECT, 0, .of = boxes),
    ROW("footer", SHAPE_OBJECT, 0, .of = boxes), TAP, ROW("size", SHAPE_WORD, 0, .words = "nano micro deca hecto kilo mega giga"), ROW("direction", SHAPE_WORD, 0, .words = "ltr rtl") };
static const struct shape c_bubble = SHAPE("bubble", bubble_members, .one_of = "header hero body footer", .max_bytes = BUBBLE_BYTES);
ANY_OF(bubbles, &c_bubble);
static const struct shape_member carousel_members[] = { ROW("contents", SHAPE_LIST, REQ, RANGE(1, LINE_CARDS), .of = bubbles) };
static const struct shape c_carousel = SHAPE("carousel", carousel_members, .max_bytes = CAROUSEL_BYTES);
ANY_OF(containers, &c_bubble, &c_carousel);

/* ---- templates ---------------------------------------------------------------------------------------------------------- */

static bool same_actions(const struct js *v, const struct shape_path *at, struct fault *f)
{
    const struct js *columns = js_at(v, "columns");
    for (size_t i = 1; i < js_len(columns); i++)
        if (js_len(js_at(js_item(columns, i), "actions")) != js_len(js_at(js_item(columns, 0), "actions")))
            return shape_fault(f, "out_of_range", at, "columns", "every column needs as many actions as the first");
    return true;
}
#define TITLED ROW("title", SHAPE_TEXT, SHAPE_CHARS, RANGE(1, 40)), ROW("text", SHAPE_TEXT, REQ | SHAPE_CHARS, RANGE(1, 160)), \
               ROW("thumbnailImageUrl", SHAPE_HTTPS, 0, RANGE(1, 2000)), ROW("defaultAction", SHAPE_OBJECT, 0, .of = actions)
static const struct shape_member buttons_members[] = { TITLED, ROW("actions", SHAPE_LIST, REQ, RANGE(1, 4), .of = actions) };
static const struct shape_member confirm_members[] = { ROW("text", SHAPE_TEXT, REQ | SHAPE_CHARS, RANGE(1, 240)), ROW("actions", SHAPE_LIST, REQ, RANGE(2, 2), .of = actions) };
static const struct shape_member column_members[]  = { TITLED, ROW("actions", SHAPE_LIST, REQ, RANGE(1, 3), .of = actions) };
static const struct shape column = SHAPE(NULL, column_members);
ANY_OF(columns, &column);
static const struct shape_member columns_members[] = { ROW("columns", SHAPE_LIST, REQ, RANGE(1, 10), .of = columns) };
static const struct shape_member picture_members[] = { ADDRESS("imageUrl"), ROW("action", SHAPE_OBJECT, REQ, .of = actions) };
static const struct shape picture = SHAPE(NULL, picture_members);
ANY_OF(pictures, &picture);
static const struct shape_member images_members[]  = { ROW("columns", SHAPE_LIST, REQ, RANGE(1, 10), .of = pictures) };
static const struct shape t_buttons = SHAPE("buttons", buttons_members), t_confirm = SHAPE("confirm", confirm_members), t_carousel = SHAPE("carousel", columns_members, .more = same_actions),
    t_images = SHAPE("image_carousel", images_members);
ANY_OF(templates, &t_buttons, &t_confirm, &t_carousel, &t_images);

/* ---- imagemap ----------------------------------------------------------------------------------------------------------- */

#define EDGE(name) ROW(name, SHAPE_NUMBER, REQ, RANGE(0, ANY_NUMBER))
static const struct shape_member area_members[] = { EDGE("x"), EDGE("y"), EDGE("width"), EDGE("height") };
static const struct shape_member size_members[] = { ROW("width", SHAPE_NUMBER, REQ, RANGE(1040, 1040)), ROW("height", SHAPE_NUMBER, REQ, RANGE(1, ANY_NUMBER)) };
static const struct shape area = SHAPE(NULL, area_members), size = SHAPE(NULL, size_members);
ANY_OF(areas, &area);
ANY_OF(sizes, &size);
#define AREA ROW("area", SHAPE_OBJECT, REQ, .of = areas)
static const struct shape_member map_uri_members[]  = { ROW("linkUri", SHAPE_TEXT, REQ, RANGE(1, 1000)), AREA };
static const struct shape_member map_text_members[] = { ROW("text", SHAPE_TEXT, REQ, RANGE(1, 400)), AREA };
static const struct shape_member map_clip_members[] = { ROW("clipboardText", SHAPE_TEXT, REQ, RANGE(1, 1000)), AREA };
static const struct shape map_uri = SHAPE("uri", map_uri_members), map_text = SHAPE("message", map_text_members), map_clip = SHAPE("clipboard", map_clip_members);
ANY_OF(map_actions, &map_uri, &map_text, &map_clip);

/* ---- messages ------------------------------------------------------------------------------------------------------------- */

static const struct shape_member quick_item_members[] = { ROW("action", SHAPE_OBJECT, REQ, .of = actions), ROW("imageUrl", SHAPE_HTTPS, 0, RANGE(1, 2000)) };
static const struct shape quick_item = SHAPE(NULL, quick_item_members);
ANY_OF(quick_items, &quick_item);
static const struct shape_member quick_members[] = { ROW("items", SHAPE_LIST, REQ, RANGE(1, LINE_QUICK_REPLIES), .of = quick_items) };
static const struct shape quick = SHAPE(NULL, quick_members);
ANY_OF(quicks, &quick);
#define QUICK ROW("quickReply", SHAPE_OBJECT, 0, .of = quicks)
#define ALT ROW("altText", SHAPE_TEXT, REQ, RANGE(1, ALT_MOST))
static const struct shape_member m_text[]     = { QUICK, ROW("text", SHAPE_TEXT, REQ, RANGE(1, LINE_TEXT_UNITS)) };
static const struct shape_member m_sticker[]  = { QUICK, ROW("packageId", SHAPE_TEXT, REQ, RANGE(1, 20)), ROW("stickerId", SHAPE_TEXT, REQ, RANGE(1, 20)) };
static const struct shape_member m_picture[]  = { QUICK, ADDRESS("originalContentUrl"), ADDRESS("previewImageUrl") };
static const struct shape_member m_audio[]    = { QUICK, ADDRESS("originalContentUrl"), ROW("duration", SHAPE_NUMBER, REQ) };
static const struct shape_member m_flex[]     = { QUICK, ALT, ROW("contents", SHAPE_OBJECT, REQ, .of = containers) };
static const struct shape_member m_location[] = { QUICK, ROW("title", SHAPE_TEXT, REQ, RANGE(1, LINE_PLACE_CHARS)), ROW("address", SHAPE_TEXT, REQ, RANGE(1, LINE_PLACE_CHARS)),
                                                  ROW("latitude", SHAPE_NUMBER, REQ, RANGE(-90, 90)), ROW("longitude", SHAPE_NUMBER, REQ, RANGE(-180, 180)) };
static const struct shape_member m_imagemap[] = { QUICK, ALT, ADDRESS("baseUrl"), ROW("baseSize", SHAPE_OBJECT, REQ, .of = sizes), ROW("actions", SHAPE_LIST, REQ, RANGE(1, 50), .of = map_actions) };
static const struct shape_member m_template[] = { QUICK, ALT, ROW("template", SHAPE_OBJECT, REQ, .of = templates) };
static const struct shape_member m_coupon[]   = { QUICK, ROW("couponId", SHAPE_TEXT, REQ, RANGE(1, 100)) };
static const struct shape text = SHAPE("text", m_text), text_v2 = SHAPE("textV2", m_text), sticker = SHAPE("sticker", m_sticker), image = SHAPE("image", m_picture),
    video = SHAPE("video", m_picture), audio = SHAPE("audio", m_audio), flex = SHAPE("flex", m_flex), location = SHAPE("location", m_location), imagemap = SHAPE("imagemap", m_imagemap),
    template = SHAPE("template", m_template), coupon = SHAPE("coupon", m_coupon);
ANY_OF(messages, &text, &text_v2, &sticker, &image, &video, &audio, &flex, &location, &imagemap, &template, &coupon);
/* clang-format on */

bool line_object_ok(struct call *c, const struct js *object)
{
    struct fault why = { 0 };
    return shape_check(c->a, object, messages, "", &why) || refuse_shape(c, &why);
}
