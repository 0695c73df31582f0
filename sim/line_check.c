#include "sim/line_check.h"

/* ---- tables ------------------------------------------------------------------------------------------------------------------- */

enum type {
    T_TEXT,    /* string of min to max UTF-16 units */
    T_LABEL,   /* string of min to max grapheme clusters */
    T_URL,     /* https only, at most max characters */
    T_LINK,    /* an action's: http, https, line, tel */
    T_INT, T_NUM, /* from min to max */
    T_BOOL,
    T_ENUM,    /* one of sub */
    T_OBJ,     /* of shape sub */
    T_LIST,    /* min to max objects of shape sub */
    T_STRINGS, /* min to max strings of at most 2000 units */
    T_MAP,     /* an object of objects of shape sub, at most max of them */
};
enum { REQ = 1 };

struct shape;
struct field {
    const char *name;
    enum type type;
    int req;
    int64_t min, max;
    const void *sub; /* const char *const *, or const struct shape * */
};
struct check;
struct shape {
    const struct field *fields; /* when every object of it has the same */
    size_t n;
    const struct kind *kinds;   /* else chosen by "type" (or `by`), which ends with a NULL name */
    const char *by;
    bool strict;                /* members that are not in the table are refused */
    void (*more)(struct check *c, const struct js *v, slice at);
};
struct kind {
    const char *name;
    const struct shape *shape;
};
struct check {
    struct line_errors *e;
    bool quick_reply; /* inside one: more actions are allowed */
    int depth;
};

static void check_shape(struct check *c, const struct shape *s, const struct js *v, slice at);

#define SHAPE(f) { .fields = f, .n = COUNT(f) }
#define WORDS(...) ((const char *const[]){ __VA_ARGS__, NULL })

/* clang-format off */

/* -- actions -- */
static void more_picker(struct check *c, const struct js *v, slice at);
static void more_quick_only(struct check *c, const struct js *v, slice at);
static const struct field act_message[]  = { { "label", T_LABEL, 0, 1, 20, NULL }, { "text", T_TEXT, REQ, 1, 300, NULL } };
static const struct field act_postback[] = {
    { "label", T_LABEL, 0, 1, 20, NULL }, { "data", T_LABEL, REQ, 1, 300, NULL }, { "displayText", T_TEXT, 0, 1, 300, NULL },
    { "text", T_TEXT, 0, 1, 300, NULL }, { "fillInText", T_TEXT, 0, 1, 300, NULL },
    { "inputOption", T_ENUM, 0, 0, 0, WORDS("closeRichMenu", "openRichMenu", "openKeyboard", "openVoice") },
};
static const struct field alt_uri[]    = { { "desktop", T_LINK, 0, 1, 1000, NULL } };
static const struct shape shape_alt_uri = SHAPE(alt_uri);
static const struct field act_uri[]    = { { "label", T_LABEL, 0, 1, 20, NULL }, { "uri", T_LINK, REQ, 1, 1000, NULL },
                                           { "altUri", T_OBJ, 0, 0, 0, &shape_alt_uri } };
static const struct field act_picker[] = {
    { "label", T_LABEL, 0, 1, 20, NULL }, { "data", T_LABEL, REQ, 1, 300, NULL }, { "mode", T_ENUM, REQ, 0, 0, WORDS("date", "time", "datetime") },
    { "initial", T_TEXT, 0, 1, 20, NULL }, { "max", T_TEXT, 0, 1, 20, NULL }, { "min", T_TEXT, 0, 1, 20, NULL },
};
static const struct field act_clipboard[] = { { "label", T_LABEL, 0, 1, 20, NULL }, { "clipboardText", T_TEXT, REQ, 1, 1000, NULL } };
static const struct field act_label[]     = { { "label", T_LABEL, REQ, 1, 20, NULL } };
static const struct field act_menu[]      = { { "label", T_LABEL, 0, 1, 20, NULL }, { "richMenuAliasId", T_TEXT, REQ, 1, 32, NULL },
                                              { "data", T_LABEL, REQ, 1, 300, NULL } };
static const struct shape a_message = SHAPE(act_message), a_postback = SHAPE(act_postback), a_uri = SHAPE(act_uri),
    a_picker = { .fields = act_picker, .n = COUNT(act_picker), .more = more_picker }, a_clipboard = SHAPE(act_clipboard),
    a_quick = { .fields = act_label, .n = COUNT(act_label), .more = more_quick_only }, a_menu = SHAPE(act_menu);
static const struct kind action_kinds[] = {
    { "message", &a_message }, { "postback", &a_postback }, { "uri", &a_uri }, { "datetimepicker", &a_picker }, { "clipboard", &a_clipboard },
    { "camera", &a_quick }, { "cameraRoll", &a_quick }, { "location", &a_quick }, { "richmenuswitch", &a_menu }, { NULL, NULL },
};
static const struct shape action = { .kinds = action_kinds, .by = "type" };

/* -- quick replies, sender -- */
static const struct field quick_item[] = {
    { "type", T_ENUM, REQ, 0, 0, WORDS("action") }, { "imageUrl", T_URL, 0, 1, 2000, NULL }, { "action", T_OBJ, REQ, 0, 0, &action },
};
static const struct shape shape_quick_item = SHAPE(quick_item);
static const struct field quick_fields[] = { { "items", T_LIST, REQ, 1, 13, &shape_quick_item } };
static void more_quick(struct check *c, const struct js *v, slice at);
static const struct shape quick_reply = { .more = more_quick };
static const struct shape quick_inner = SHAPE(quick_fields);
static const struct field sender_fields[] = { { "name", T_TEXT, 0, 1, 20, NULL }, { "iconUrl", T_URL, 0, 1, 2000, NULL } };
static void more_sender(struct check *c, const struct js *v, slice at);
static const struct shape sender = { .fields = sender_fields, .n = COUNT(sender_fields), .more = more_sender };
#define COMMON { "quickReply", T_OBJ, 0, 0, 0, &quick_reply }, { "sender", T_OBJ, 0, 0, 0, &sender }

/* -- templates -- */
static void more_buttons(struct check *c, const struct js *v, slice at);
static void more_carousel(struct check *c, const struct js *v, slice at);
static void more_column(struct check *c, const struct js *v, slice at);
#define PICTURE { "thumbnailImageUrl", T_URL, 0, 1, 2000, NULL }, { "imageBackgroundColor", T_TEXT, 0, 7, 7, NULL }
#define PICTURE_FORM { "imageAspectRatio", T_ENUM, 0, 0, 0, WORDS("rectangle", "square") }, \
                     { "imageSize", T_ENUM, 0, 0, 0, WORDS("cover", "contain") }
static const struct field t_buttons[] = {
    PICTURE, PICTURE_FORM, { "title", T_LABEL, 0, 1, 40, NULL }, { "text", T_LABEL, REQ, 1, 160, NULL },
    { "defaultAction", T_OBJ, 0, 0, 0, &action }, { "actions", T_LIST, REQ, 1, 4, &action },
};
static const struct field t_confirm[] = { { "text", T_LABEL, REQ, 1, 240, NULL }, { "actions", T_LIST, REQ, 2, 2, &action } };
static const struct field column_fields[] = {
    PICTURE, { "title", T_LABEL, 0, 1, 40, NULL }, { "text", T_LABEL, REQ, 1, 120, NULL },
    { "defaultAction", T_OBJ, 0, 0, 0, &action }, { "actions", T_LIST, REQ, 1, 3, &action },
};
static const struct shape column = { .fields = column_fields, .n = COUNT(column_fields), .more = more_column };
static const struct field t_carousel[] = { { "columns", T_LIST, REQ, 1, 10, &column }, PICTURE_FORM };
static const struct field image_column_fields[] = { { "imageUrl", T_URL, REQ, 1, 2000, NULL }, { "action", T_OBJ, REQ, 0, 0, &action } };
static const struct shape image_column = SHAPE(image_column_fields);
static const struct field t_images[] = { { "columns", T_LIST, REQ, 1, 10, &image_column } };
static const struct shape buttons = { .fields = t_buttons, .n = COUNT(t_buttons), .more = more_buttons }, confirm = SHAPE(t_confirm),
    carousel = { .fields = t_carousel, .n = COUNT(t_carousel), .more = more_carousel }, images = SHAPE(t_images);
static const struct kind template_kinds[] = {
    { "buttons", &buttons }, { "confirm", &confirm }, { "carousel", &carousel }, { "image_carousel", &images }, { NULL, NULL } };
static const struct shape template = { .kinds = template_kinds, .by = "type" };

/* -- flex: every member is listed, because LINE refuses unknown ones here -- */
static const struct shape flex_component, flex_bubble;
static void more_flex_text(struct check *c, const struct js *v, slice at);
#define TYPE { "type", T_TEXT, REQ, 1, 30, NULL }
#define SIZE(name) { name, T_TEXT, 0, 1, 50, NULL }
#define PLACE SIZE("margin"), { "position", T_ENUM, 0, 0, 0, WORDS("relative", "absolute") }, SIZE("offsetTop"), SIZE("offsetBottom"), \
              SIZE("offsetStart"), SIZE("offsetEnd")
#define FLEX { "flex", T_INT, 0, 0, INT32_MAX, NULL }
#define GRAVITY { "gravity", T_ENUM, 0, 0, 0, WORDS("top", "bottom", "center") }
#define ALIGN { "align", T_ENUM, 0, 0, 0, WORDS("start", "end", "center") }
#define ACTION { "action", T_OBJ, 0, 0, 0, &action }
#define SCALING { "scaling", T_BOOL, 0, 0, 0, NULL }
#define ADJUST { "adjustMode", T_ENUM, 0, 0, 0, WORDS("shrink-to-fit") }
#define FONT SIZE("size"), SIZE("color"), { "weight", T_ENUM, 0, 0, 0, WORDS("regular", "bold") }, \
             { "style", T_ENUM, 0, 0, 0, WORDS("normal", "italic") }, \
             { "decoration", T_ENUM, 0, 0, 0, WORDS("none", "underline", "line-through") }
static const struct field gradient_fields[] = {
    { "type", T_ENUM, REQ, 0, 0, WORDS("linearGradient") }, { "angle", T_TEXT, REQ, 1, 20, NULL }, { "startColor", T_TEXT, REQ, 7, 9, NULL },
    { "endColor", T_TEXT, REQ, 7, 9, NULL }, { "centerColor", T_TEXT, 0, 7, 9, NULL }, { "centerPosition", T_TEXT, 0, 1, 20, NULL } };
static const struct shape gradient = { .fields = gradient_fields, .n = COUNT(gradient_fields), .strict = true };
static const struct field box_fields[] = {
    TYPE, { "layout", T_ENUM, REQ, 0, 0, WORDS("horizontal", "vertical", "baseline") }, { "contents", T_LIST, REQ, 0, 1000, &flex_component },
    FLEX, SIZE("spacing"), PLACE, SIZE("backgroundColor"), SIZE("borderColor"), SIZE("borderWidth"), SIZE("cornerRadius"), SIZE("width"),
    SIZE("maxWidth"), SIZE("height"), SIZE("maxHeight"), SIZE("paddingAll"), SIZE("paddingTop"), SIZE("paddingBottom"), SIZE("paddingStart"),
    SIZE("paddingEnd"), ACTION, { "background", T_OBJ, 0, 0, 0, &gradient },
    { "justifyContent", T_ENUM, 0, 0, 0, WORDS("center", "flex-start", "flex-end", "space-between", "space-around", "space-evenly") },
    { "alignItems", T_ENUM, 0, 0, 0, WORDS("center", "flex-start", "flex-end") },
};
static const struct field button_fields[] = {
    TYPE, FLEX, SIZE("color"), { "style", T_ENUM, 0, 0, 0, WORDS("primary", "secondary", "link") }, { "action", T_OBJ, REQ, 0, 0, &action },
    GRAVITY, PLACE, { "height", T_ENUM, 0, 0, 0, WORDS("md", "sm") }, ADJUST, SCALING };
static const struct field image_fields[] = {
    TYPE, { "url", T_URL, REQ, 1, 2000, NULL }, FLEX, PLACE, ALIGN, GRAVITY, SIZE("size"), SIZE("aspectRatio"),
    { "aspectMode", T_ENUM, 0, 0, 0, WORDS("fit", "cover") }, SIZE("backgroundColor"), ACTION, { "animated", T_BOOL, 0, 0, 0, NULL } };
static const struct field video_fields[] = {
    TYPE, { "url", T_URL, REQ, 1, 2000, NULL }, { "previewUrl", T_URL, REQ, 1, 2000, NULL }, { "altContent", T_OBJ, REQ, 0, 0, &flex_component },
    SIZE("aspectRatio"), ACTION };
static const struct field icon_fields[] = { TYPE, { "url", T_URL, REQ, 1, 2000, NULL }, SIZE("size"), SIZE("aspectRatio"), PLACE, SCALING };
static const struct field span_fields[] = { TYPE, { "text", T_TEXT, 0, 0, 2000, NULL }, FONT };
static const struct shape span = { .fields = span_fields, .n = COUNT(span_fields), .strict = true };
static const struct field text_fields[] = {
    TYPE, FLEX, { "text", T_TEXT, 0, 1, 2000, NULL }, FONT, ALIGN, GRAVITY, { "wrap", T_BOOL, 0, 0, 0, NULL }, SIZE("lineSpacing"), PLACE, ACTION,
    { "maxLines", T_INT, 0, 0, INT32_MAX, NULL }, { "contents", T_LIST, 0, 0, 1000, &span }, ADJUST, SCALING };
static const struct field separator_fields[] = { TYPE, SIZE("margin"), SIZE("color") };
static const struct field filler_fields[] = { TYPE, FLEX };
#define FLEX_SHAPE(f) { .fields = f, .n = COUNT(f), .strict = true }
static const struct shape f_box = FLEX_SHAPE(box_fields), f_button = FLEX_SHAPE(button_fields), f_image = FLEX_SHAPE(image_fields),
    f_video = FLEX_SHAPE(video_fields), f_icon = FLEX_SHAPE(icon_fields), f_separator = FLEX_SHAPE(separator_fields),
    f_filler = FLEX_SHAPE(filler_fields),
    f_text = { .fields = text_fields, .n = COUNT(text_fields), .strict = true, .more = more_flex_text };
static const struct kind flex_kinds[] = {
    { "box", &f_box }, { "button", &f_button }, { "image", &f_image }, { "video", &f_video }, { "icon", &f_icon }, { "text", &f_text },
    { "span", &span }, { "separator", &f_separator }, { "filler", &f_filler }, { NULL, NULL } };
static const struct shape flex_component = { .kinds = flex_kinds, .by = "type" };
static const struct kind flex_box_kinds[] = { { "box", &f_box }, { NULL, NULL } };
static const struct shape flex_box = { .kinds = flex_box_kinds, .by = "type" };
static const struct kind hero_kinds[] = { { "box", &f_box }, { "image", &f_image }, { "video", &f_video }, { NULL, NULL } };
static const struct shape hero = { .kinds = hero_kinds, .by = "type" };
static const struct field block_fields[] = { SIZE("backgroundColor"), { "separator", T_BOOL, 0, 0, 0, NULL }, SIZE("separatorColor") };
static const struct shape block = FLEX_SHAPE(block_fields);
static const struct field style_fields[] = { { "header", T_OBJ, 0, 0, 0, &block }, { "hero", T_OBJ, 0, 0, 0, &block },
                                             { "body", T_OBJ, 0, 0, 0, &block }, { "footer", T_OBJ, 0, 0, 0, &block } };
static const struct shape styles = FLEX_SHAPE(style_fields);
static const struct field bubble_fields[] = {
    TYPE, { "size", T_ENUM, 0, 0, 0, WORDS("nano", "micro", "deca", "hecto", "kilo", "mega", "giga") },
    { "direction", T_ENUM, 0, 0, 0, WORDS("ltr", "rtl") }, { "header", T_OBJ, 0, 0, 0, &flex_box }, { "hero", T_OBJ, 0, 0, 0, &hero },
    { "body", T_OBJ, 0, 0, 0, &flex_box }, { "footer", T_OBJ, 0, 0, 0, &flex_box }, { "styles", T_OBJ, 0, 0, 0, &styles }, ACTION };
static void more_bubble(struct check *c, const struct js *v, slice at);
static const struct shape bubble = { .fields = bubble_fields, .n = COUNT(bubble_fields), .strict = true, .more = more_bubble };
static const struct kind bubble_kinds[] = { { "bubble", &bubble }, { NULL, NULL } };
static const struct shape flex_bubble = { .kinds = bubble_kinds, .by = "type" };
static const struct field flex_carousel_fields[] = { TYPE, { "contents", T_LIST, REQ, 1, 12, &flex_bubble } };
static void more_flex_carousel(struct check *c, const struct js *v, slice at);
static const struct shape flex_carousel = { .fields = flex_carousel_fields, .n = COUNT(flex_carousel_fields), .strict = true,
                                            .more = more_flex_carousel };
static const struct kind container_kinds[] = { { "bubble", &bubble }, { "carousel", &flex_carousel }, { NULL, NULL } };
static const struct shape container = { .kinds = container_kinds, .by = "type" };

/* -- imagemap -- */
static const struct field area_fields[] = { { "x", T_INT, REQ, 0, INT32_MAX, NULL }, { "y", T_INT, REQ, 0, INT32_MAX, NULL },
                                            { "width", T_INT, REQ, 1, INT32_MAX, NULL }, { "height", T_INT, REQ, 1, INT32_MAX, NULL } };
static const struct shape area = SHAPE(area_fields);
static const struct field map_uri[]  = { { "linkUri", T_LINK, REQ, 1, 1000, NULL }, { "label", T_TEXT, 0, 0, 100, NULL }, { "area", T_OBJ, REQ, 0, 0, &area } };
static const struct field map_text[] = { { "text", T_TEXT, REQ, 1, 400, NULL }, { "label", T_TEXT, 0, 0, 100, NULL }, { "area", T_OBJ, REQ, 0, 0, &area } };
static const struct field map_clip[] = { { "clipboardText", T_TEXT, REQ, 1, 1000, NULL }, { "label", T_TEXT, 0, 0, 100, NULL }, { "area", T_OBJ, REQ, 0, 0, &area } };
static const struct shape m_uri = SHAPE(map_uri), m_text = SHAPE(map_text), m_clip = SHAPE(map_clip);
static const struct kind map_kinds[] = { { "uri", &m_uri }, { "message", &m_text }, { "clipboard", &m_clip }, { NULL, NULL } };
static const struct shape map_action = { .kinds = map_kinds, .by = "type" };
static const struct field base_size_fields[] = { { "width", T_INT, REQ, 1, INT32_MAX, NULL }, { "height", T_INT, REQ, 1, INT32_MAX, NULL } };
static const struct shape base_size = SHAPE(base_size_fields);

/* -- messages -- */
static void more_text(struct check *c, const struct js *v, slice at);
static void more_text_v2(struct check *c, const struct js *v, slice at);
static void more_sticker(struct check *c, const struct js *v, slice at);
static const struct field emoji_fields[] = { { "index", T_INT, REQ, 0, 5000, NULL }, { "productId", T_TEXT, REQ, 1, 100, NULL },
                                             { "emojiId", T_TEXT, REQ, 1, 100, NULL } };
static const struct shape emoji = SHAPE(emoji_fields);
static const struct field msg_text[] = { { "text", T_TEXT, REQ, 1, 5000, NULL }, { "emojis", T_LIST, 0, 0, 20, &emoji },
                                         { "quoteToken", T_TEXT, 0, 1, 1000, NULL }, COMMON };
static const struct field mentionee_user[] = { { "userId", T_TEXT, REQ, 33, 33, NULL } };
static const struct shape s_mentionee_user = SHAPE(mentionee_user), s_mentionee_all = { .fields = NULL };
static const struct kind mentionee_kinds[] = { { "user", &s_mentionee_user }, { "all", &s_mentionee_all }, { NULL, NULL } };
static const struct shape mentionee = { .kinds = mentionee_kinds, .by = "type" };
static const struct field sub_mention[] = { { "mentionee", T_OBJ, REQ, 0, 0, &mentionee } };
static const struct field sub_emoji[] = { { "productId", T_TEXT, REQ, 1, 100, NULL }, { "emojiId", T_TEXT, REQ, 1, 100, NULL } };
static const struct shape s_sub_mention = SHAPE(sub_mention), s_sub_emoji = SHAPE(sub_emoji);
static const struct kind substitution_kinds[] = { { "mention", &s_sub_mention }, { "emoji", &s_sub_emoji }, { NULL, NULL } };
static const struct shape substitution = { .kinds = substitution_kinds, .by = "type" };
static const struct field msg_text_v2[] = { { "text", T_TEXT, REQ, 1, 5000, NULL }, { "substitution", T_MAP, 0, 0, 100, &substitution },
                                            { "quoteToken", T_TEXT, 0, 1, 1000, NULL }, COMMON };
static const struct field msg_sticker[] = { { "packageId", T_TEXT, REQ, 1, 20, NULL }, { "stickerId", T_TEXT, REQ, 1, 20, NULL },
                                            { "quoteToken", T_TEXT, 0, 1, 1000, NULL }, COMMON };
static const struct field msg_image[] = { { "originalContentUrl", T_URL, REQ, 1, 2000, NULL }, { "previewImageUrl", T_URL, REQ, 1, 2000, NULL }, COMMON };
static const struct field msg_video[] = { { "originalContentUrl", T_URL, REQ, 1, 2000, NULL }, { "previewImageUrl", T_URL, REQ, 1, 2000, NULL },
                                          { "trackingId", T_TEXT, 0, 1, 100, NULL }, COMMON };
static const struct field msg_audio[] = { { "originalContentUrl", T_URL, REQ, 1, 2000, NULL }, { "duration", T_INT, REQ, 1, INT32_MAX, NULL }, COMMON };
static const struct field msg_location[] = { { "title", T_TEXT, REQ, 1, 100, NULL }, { "address", T_TEXT, REQ, 1, 100, NULL },
                                             { "latitude", T_NUM, REQ, -90, 90, NULL }, { "longitude", T_NUM, REQ, -180, 180, NULL }, COMMON };
static const struct field msg_imagemap[] = { { "baseUrl", T_URL, REQ, 1, 2000, NULL }, { "altText", T_TEXT, REQ, 1, 400, NULL },
                                             { "baseSize", T_OBJ, REQ, 0, 0, &base_size }, { "actions", T_LIST, REQ, 1, 50, &map_action }, COMMON };
static const struct field msg_template[] = { { "altText", T_TEXT, REQ, 1, 400, NULL }, { "template", T_OBJ, REQ, 0, 0, &template }, COMMON };
static const struct field msg_flex[] = { { "altText", T_TEXT, REQ, 1, 400, NULL }, { "contents", T_OBJ, REQ, 0, 0, &container }, COMMON };
static const struct field msg_coupon[] = { { "couponId", T_TEXT, REQ, 1, 100, NULL }, { "deliveryTag", T_TEXT, 0, 1, 30, NULL }, COMMON };
static const struct shape s_text = { .fields = msg_text, .n = COUNT(msg_text), .more = more_text },
    s_text_v2 = { .fields = msg_text_v2, .n = COUNT(msg_text_v2), .more = more_text_v2 },
    s_sticker = { .fields = msg_sticker, .n = COUNT(msg_sticker), .more = more_sticker }, s_image = SHAPE(msg_image),
    s_video = SHAPE(msg_video), s_audio = SHAPE(msg_audio), s_location = SHAPE(msg_location), s_imagemap = SHAPE(msg_imagemap),
    s_template = SHAPE(msg_template), s_flex = SHAPE(msg_flex), s_coupon = SHAPE(msg_coupon);
static const struct kind message_kinds[] = {
    { "text", &s_text }, { "image", &s_image }, { "video", &s_video }, { "audio", &s_audio }, { "location", &s_location },
    { "sticker", &s_sticker }, { "template", &s_template }, { "imagemap", &s_imagemap }, { "flex", &s_flex }, { "textV2", &s_text_v2 },
    { "coupon", &s_coupon }, { NULL, NULL } };
static const struct shape message = { .kinds = message_kinds, .by = "type" };

/* Packages that bots may send (the public sticker list). */
static const char *const sticker_packages[] = { "446", "789", "1070", "6136", "6325", "6359", "6362", "6370", "6632", "8515", "8522", "8525",
                                                "11537", "11538", "11539" };
/* clang-format on */

enum {
    FLEX_DEPTH_MAX = 20,
    FLEX_BUBBLE_BYTES = 30 << 10,
    FLEX_CAROUSEL_BYTES = 50 << 10,
    TEMPLATE_TEXT_BESIDE = 60, /* with a title or a picture */
};

/* ---- errors ------------------------------------------------------------------------------------------------------------------- */

void sim_line_error(struct line_errors *e, slice property, const char *fmt, ...)
{
    if (e->n >= LINE_ERRORS_MAX)
        return;
    va_list ap;
    va_start(ap, fmt);
    e->list[e->n++] = (struct sim_line_error){ .message = arena_vprintf(e->a, fmt, ap), .property = property };
    va_end(ap);
}

static slice at_member(struct check *c, slice at, slice name)
{
    return at.n ? arena_printf(c->e->a, SLF "." SLF, SLA(at), SLA(name)) : name;
}

static slice at_item(struct check *c, slice at, size_t i)
{
    return arena_printf(c->e->a, SLF "[%zu]", SLA(at), i);
}

/* ---- what the tables say ------------------------------------------------------------------------------------------------------- */

/* One code point of valid UTF-8. */
static uint32_t code_point(slice s, size_t *ret_bytes)
{
    unsigned char c = (unsigned char)s.p[0];
    size_t n = c < 0x80 ? 1 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4;
    uint32_t v = n == 1 ? c : c & (0xffu >> (n + 1));
    for (size_t i = 1; i < n && i < s.n; i++)
        v = v << 6 | ((unsigned char)s.p[i] & 0x3f);
    *ret_bytes = MIN(n, s.n);
    return v;
}

static bool extends(uint32_t v)
{
    static const struct { uint32_t from, to; } rows[] = {
        { 0x300, 0x36f }, { 0x3099, 0x309a }, { 0x200d, 0x200d }, { 0x20d0, 0x20ff }, { 0xfe00, 0xfe0f }, { 0x1f3fb, 0x1f3ff },
        { 0xe0020, 0xe007f }, { 0xe31, 0xe31 }, { 0xe34, 0xe3a }, { 0xe47, 0xe4e },
    };
    for (size_t i = 0; i < COUNT(rows); i++)
        if (v >= rows[i].from && v <= rows[i].to)
            return true;
    return false;
}

size_t grapheme_count(slice s)
{
    size_t n = 0, flags = 0;
    uint32_t before = 0;
    while (s.n) {
        size_t bytes;
        uint32_t v = code_point(s, &bytes);
        bool flag = v >= 0x1f1e6 && v <= 0x1f1ff;
        flags = flag ? flags + 1 : 0;
        bool joined = extends(v) || before == 0x200d || (flag && flags % 2 == 0) || (v == '\n' && before == '\r');
        n += n == 0 || !joined;
        before = v;
        s = slice_from(s, bytes);
    }
    return n;
}

static void check_length(struct check *c, const struct field *f, slice s, slice at)
{
    size_t n = f->type == T_LABEL ? grapheme_count(s) : utf16_len(s);
    if (n == 0 && f->min > 0)
        sim_line_error(c->e, at, "May not be empty");
    else if ((int64_t)n > f->max || (int64_t)n < f->min)
        sim_line_error(c->e, at, "Length must be between %lld and %lld", (long long)f->min, (long long)f->max);
}

static void check_url(struct check *c, const struct field *f, slice s, slice at)
{
    static const slice links[] = { SLI("https://"), SLI("http://"), SLI("line://"), SLI("tel:") };
    size_t allowed = f->type == T_LINK ? COUNT(links) : c->e->rules.allow_http ? 2 : 1;
    size_t before = c->e->n;
    check_length(c, f, s, at);
    if (c->e->n != before)
        return;
    for (size_t i = 0; i < s.n; i++)
        if ((unsigned char)s.p[i] <= ' ' || (unsigned char)s.p[i] >= 0x7f) {
            sim_line_error(c->e, at, "Must be a valid URL, percent-encoded as UTF-8");
            return;
        }
    for (size_t i = 0; i < allowed; i++)
        if (slice_starts(s, links[i]) && s.n > links[i].n)
            return;
    sim_line_error(c->e, at, "%s", f->type == T_LINK ? "invalid uri scheme" : "Must be a valid HTTPS URL");
}

static void check_enum(struct check *c, const struct field *f, slice s, slice at)
{
    struct text t = text_new(c->e->a, 1024);
    for (const char *const *w = f->sub; *w; w++) {
        if (slice_eq(s, slice_of(*w)))
            return;
        text_add(&t, "%s%s", t.n ? ", " : "", *w);
    }
    sim_line_error(c->e, at, "Must be one of the following values: [" SLF "]", SLA(text_slice(&t)));
}

static void check_value(struct check *c, const struct field *f, const struct js *v, slice at)
{
    int64_t n;
    double d;
    switch (f->type) {
    case T_TEXT:
    case T_LABEL:
    case T_URL:
    case T_LINK:
    case T_ENUM:
        if (!js_is_string(v))
            sim_line_error(c->e, at, "Must be a string");
        else if (f->type == T_ENUM)
            check_enum(c, f, js_text(v), at);
        else if (f->type == T_URL || f->type == T_LINK)
            check_url(c, f, js_text(v), at);
        else
            check_length(c, f, js_text(v), at);
        return;
    case T_INT:
        if (!js_int(v, &n))
            sim_line_error(c->e, at, "Must be an integer");
        else if (n < f->min || n > f->max)
            sim_line_error(c->e, at, "Must be between %lld and %lld", (long long)f->min, (long long)f->max);
        return;
    case T_NUM:
        if (!js_double(v, &d))
            sim_line_error(c->e, at, "Must be a number");
        else if (d < (double)f->min || d > (double)f->max)
            sim_line_error(c->e, at, "Must be between %lld and %lld", (long long)f->min, (long long)f->max);
        return;
    case T_BOOL:
        if (js_is_object(v) || js_is_array(v) || js_is_string(v) || js_is_null(v) || js_double(v, &d))
            sim_line_error(c->e, at, "Must be a boolean");
        return;
    case T_OBJ:
        check_shape(c, f->sub, v, at);
        return;
    case T_LIST:
    case T_STRINGS:
        if (!js_is_array(v)) {
            sim_line_error(c->e, at, "Must be an array");
            return;
        }
        if ((int64_t)js_len(v) < f->min || (int64_t)js_len(v) > f->max)
            sim_line_error(c->e, at, "Size must be between %lld and %lld", (long long)f->min, (long long)f->max);
        for (size_t i = 0; i < js_len(v) && f->type == T_LIST; i++)
            check_shape(c, f->sub, js_item(v, i), at_item(c, at, i));
        return;
    case T_MAP:
        if (!js_is_object(v)) {
            sim_line_error(c->e, at, "Must be an object");
            return;
        }
        if ((int64_t)js_len(v) > f->max)
            sim_line_error(c->e, at, "Size must be between 0 and %lld", (long long)f->max);
        for (void *it = js_first(v); it; it = js_next(v, it))
            check_shape(c, f->sub, js_value(it), at_member(c, at, js_key(v, it)));
        return;
    }
}

static void check_fields(struct check *c, const struct shape *s, const struct js *v, slice at)
{
    for (size_t i = 0; i < s->n; i++) {
        const struct field *f = &s->fields[i];
        const struct js *value = js_get(v, slice_of(f->name));
        if (value && !js_is_null(value))
            check_value(c, f, value, at_member(c, at, slice_of(f->name)));
        else if (f->req)
            sim_line_error(c->e, at_member(c, at, slice_of(f->name)), "May not be empty");
    }
    for (void *it = s->strict ? js_first(v) : NULL; it; it = js_next(v, it)) {
        size_t i = 0;
        while (i < s->n && !slice_eq(slice_of(s->fields[i].name), js_key(v, it)))
            i++;
        if (i == s->n)
            sim_line_error(c->e, at_member(c, at, js_key(v, it)), "unknown field");
    }
    if (s->more)
        s->more(c, v, at);
}

static void check_kind(struct check *c, const struct shape *s, const struct js *v, slice at)
{
    slice name = js_text(js_get(v, slice_of(s->by)));
    struct text t = text_new(c->e->a, 1024);
    for (const struct kind *k = s->kinds; k->name; k++) {
        if (slice_eq(name, slice_of(k->name))) {
            check_fields(c, k->shape, v, at);
            return;
        }
        text_add(&t, "%s%s", t.n ? ", " : "", k->name);
    }
    sim_line_error(c->e, at_member(c, at, slice_of(s->by)), "Must be one of the following values: [" SLF "]", SLA(text_slice(&t)));
}

static void check_shape(struct check *c, const struct shape *s, const struct js *v, slice at)
{
    if (!js_is_object(v)) {
        sim_line_error(c->e, at, "Must be an object");
        return;
    }
    if (++c->depth > FLEX_DEPTH_MAX)
        sim_line_error(c->e, at, "Nested too deeply");
    else if (s->kinds)
        check_kind(c, s, v, at);
    else
        check_fields(c, s, v, at);
    c->depth--;
}

/* ---- what they cannot say ------------------------------------------------------------------------------------------------------ */

static void more_quick(struct check *c, const struct js *v, slice at)
{
    bool outer = c->quick_reply;
    c->quick_reply = true;
    check_fields(c, &quick_inner, v, at);
    const struct js *items = js_get(v, SL("items"));
    for (size_t i = 0; i < js_len(items); i++)
        if (!js_at(js_item(items, i), "action.label"))
            sim_line_error(c->e, arena_printf(c->e->a, SLF ".items[%zu].action.label", SLA(at), i), "May not be empty");
    c->quick_reply = outer;
}

static void more_quick_only(struct check *c, const struct js *v, slice at)
{
    if (!c->quick_reply)
        sim_line_error(c->e, at_member(c, at, SL("type")), SLF " is allowed in quick replies only", SLA(js_text(js_get(v, SL("type")))));
}

static bool shaped_like(slice s, const char *form)
{
    if (s.n != strlen(form))
        return false;
    for (size_t i = 0; i < s.n; i++)
        if (form[i] == '0' ? s.p[i] < '0' || s.p[i] > '9' : form[i] == 'T' ? (s.p[i] | 0x20) != 't' : s.p[i] != form[i])
            return false;
    return true;
}

static void more_picker(struct check *c, const struct js *v, slice at)
{
    slice mode = js_text(js_get(v, SL("mode")));
    const char *form = slice_eq(mode, SL("date")) ? "0000-00-00" : slice_eq(mode, SL("time")) ? "00:00" : "0000-00-00T00:00";
    static const char *const names[] = { "initial", "max", "min" };
    for (size_t i = 0; i < COUNT(names); i++) {
        slice s = js_text(js_get(v, slice_of(names[i])));
        if (s.p && !shaped_like(s, form))
            sim_line_error(c->e, at_member(c, at, slice_of(names[i])), "Must be in the format of %s", form);
    }
}

static void more_sender(struct check *c, const struct js *v, slice at)
{
    slice name = js_text(js_get(v, SL("name")));
    for (size_t i = 0; i + 4 <= name.n; i++)
        if (slice_eq_nocase(slice_sub(name, i, 4), SL("line"))) {
            sim_line_error(c->e, at_member(c, at, SL("name")), "May not contain a prohibited word");
            return;
        }
}

static void text_beside(struct check *c, const struct js *v, slice at)
{
    bool beside = js_get(v, SL("title")) || js_get(v, SL("thumbnailImageUrl"));
    slice text = js_text(js_get(v, SL("text")));
    if (beside && grapheme_count(text) > TEMPLATE_TEXT_BESIDE)
        sim_line_error(c->e, at_member(c, at, SL("text")), "Length must be between 1 and %d", TEMPLATE_TEXT_BESIDE);
}

static void more_buttons(struct check *c, const struct js *v, slice at)
{
    text_beside(c, v, at);
}

static void more_column(struct check *c, const struct js *v, slice at)
{
    text_beside(c, v, at);
}

static void more_carousel(struct check *c, const struct js *v, slice at)
{
    const struct js *columns = js_get(v, SL("columns"));
    for (size_t i = 1; i < js_len(columns); i++)
        if (js_len(js_get(js_item(columns, i), SL("actions"))) != js_len(js_get(js_item(columns, 0), SL("actions"))))
            sim_line_error(c->e, arena_printf(c->e->a, SLF ".columns[%zu].actions", SLA(at), i),
                       "The number of actions must be the same in all columns");
}

static void more_flex_text(struct check *c, const struct js *v, slice at)
{
    if (!js_get(v, SL("text")) && js_len(js_get(v, SL("contents"))) == 0)
        sim_line_error(c->e, at_member(c, at, SL("text")), "May not be empty");
}

static void more_bubble(struct check *c, const struct js *v, slice at)
{
    if (js_print(c->e->a, v).n > FLEX_BUBBLE_BYTES)
        sim_line_error(c->e, at, "The bubble is larger than %d bytes", FLEX_BUBBLE_BYTES);
}

static void more_flex_carousel(struct check *c, const struct js *v, slice at)
{
    if (js_print(c->e->a, v).n > FLEX_CAROUSEL_BYTES)
        sim_line_error(c->e, at, "The carousel is larger than %d bytes", FLEX_CAROUSEL_BYTES);
}

/* Every emoji stands on a `$`, counted in UTF-16 units. */
static void more_text(struct check *c, const struct js *v, slice at)
{
    slice text = js_text(js_get(v, SL("text")));
    const struct js *emojis = js_get(v, SL("emojis"));
    for (size_t i = 0; i < js_len(emojis); i++) {
        int64_t index;
        if (!js_int(js_get(js_item(emojis, i), SL("index")), &index) || index < 0)
            continue;
        slice rest = slice_from(text, utf8_cut_utf16(text, (size_t)index).n);
        if (!slice_starts(rest, SL("$")))
            sim_line_error(c->e, arena_printf(c->e->a, SLF ".emojis[%zu].index", SLA(at), i), "There is no $ at this position of the text");
    }
}

/* Placeholders in braces, each with a substitution; a doubled brace stands for itself. */
static void more_text_v2(struct check *c, const struct js *v, slice at)
{
    slice s = js_text(js_get(v, SL("text")));
    const struct js *subs = js_get(v, SL("substitution"));
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] != '{' && s.p[i] != '}')
            continue;
        if (i + 1 < s.n && s.p[i + 1] == s.p[i]) {
            i++;
            continue;
        }
        size_t len = s.p[i] == '{' ? slice_find_char(slice_from(s, i), '}') : SIZE_MAX;
        if (len == SIZE_MAX) {
            sim_line_error(c->e, at_member(c, at, SL("text")), "A brace without its partner");
            return;
        }
        slice key = slice_sub(s, i + 1, len - 1);
        if (!js_get(subs, key))
            sim_line_error(c->e, arena_printf(c->e->a, SLF ".substitution." SLF, SLA(at), SLA(key)), "May not be empty");
        i += len;
    }
}

static void more_sticker(struct check *c, const struct js *v, slice at)
{
    slice package = js_text(js_get(v, SL("packageId")));
    for (size_t i = 0; i < COUNT(sticker_packages); i++)
        if (slice_eq(package, slice_of(sticker_packages[i])))
            return;
    if (package.n)
        sim_line_error(c->e, at_member(c, at, SL("packageId")), "This sticker cannot be sent");
}

void line_check_messages(struct line_errors *e, const struct js *messages)
{
    static const struct field list = { "messages", T_LIST, REQ, 1, LINE_MESSAGES_MAX, &message };
    struct check c = { .e = e };
    if (!messages || js_is_null(messages)) {
        sim_line_error(e, SL("messages"), "May not be empty");
        return;
    }
    check_value(&c, &list, messages, SL("messages"));
    static const char *const refused[] = { "image", "video", "audio" };
    for (size_t i = 0; e->rules.notification && i < js_len(messages); i++)
        for (size_t k = 0; k < COUNT(refused); k++)
            if (slice_eq(js_text(js_at(js_item(messages, i), "type")), slice_of(refused[k])))
                sim_line_error(e, arena_printf(e->a, "messages[%zu].type", i), "%s is not allowed in a notification message", refused[k]);
}
