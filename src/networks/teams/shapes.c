/* What Teams refuses in cards that are passed on: "Cards". Elements and actions that are not listed are Teams' to judge: newer cards have more of them. */
#include "networks/teams/wire.h"
#include "wire/js_shape.h"

enum { CARDS_MOST = 50, ITEMS_MOST = 500 };
#define ROW SHAPE_ROW
#define REQ SHAPE_REQUIRED
#define RANGE SHAPE_RANGE
#define ANY_OF(name, ...) static const struct shape *const name[] = { __VA_ARGS__, NULL }

/* clang-format off */
static const struct shape *const card_elements[], *const card_actions[], *const inner_cards[];

static bool web_link(const struct js *v, const struct shape_path *at, const char *member, struct fault *f)
{
    slice url = slice_trim(js_text(js_at(v, member)));
    return slice_starts(url, SL("https://")) || slice_starts(url, SL("http://")) || slice_starts(url, SL("data:image/")) || slice_starts(url, SL("mailto:")) ||
           slice_starts(url, SL("tel:")) || slice_starts(url, SL("msteams:")) || shape_fault(f, "out_of_range", at, member, "must be an address, https://...");
}
static bool url_ok(const struct js *v, const struct shape_path *at, struct fault *f)
{
    return web_link(v, at, "url", f);
}

static const struct shape_member type_members[]     = { ROW("type", SHAPE_TEXT, REQ, RANGE(1, 100)) };
static const struct shape_member text_members[]     = { ROW("text", SHAPE_TEXT, REQ), ROW("wrap", SHAPE_BOOL, 0) };
static const struct shape_member image_members[]    = { ROW("url", SHAPE_TEXT, REQ), ROW("selectAction", SHAPE_OBJECT, 0, .of = card_actions) };
static const struct shape_member items_members[]    = { ROW("items", SHAPE_LIST, REQ, RANGE(0, ITEMS_MOST), .of = card_elements), ROW("selectAction", SHAPE_OBJECT, 0, .of = card_actions) };
static const struct shape_member column_members[]   = { ROW("items", SHAPE_LIST, 0, RANGE(0, ITEMS_MOST), .of = card_elements), ROW("selectAction", SHAPE_OBJECT, 0, .of = card_actions) };
static const struct shape column = SHAPE(NULL, column_members);
ANY_OF(columns, &column);
static const struct shape_member columns_members[]  = { ROW("columns", SHAPE_LIST, 0, RANGE(0, ITEMS_MOST), .of = columns) };
static const struct shape_member fact_members[]     = { ROW("title", SHAPE_TEXT, REQ), ROW("value", SHAPE_TEXT, REQ) };
static const struct shape fact = SHAPE(NULL, fact_members);
ANY_OF(facts, &fact);
static const struct shape_member facts_members[]    = { ROW("facts", SHAPE_LIST, REQ, RANGE(1, ITEMS_MOST), .of = facts) };
static const struct shape_member images_members[]   = { ROW("images", SHAPE_LIST, REQ, RANGE(1, ITEMS_MOST), .of = card_elements) };
static const struct shape_member actions_members[]  = { ROW("actions", SHAPE_LIST, REQ, RANGE(1, ITEMS_MOST), .of = card_actions) };
static const struct shape_member sources_members[]  = { ROW("sources", SHAPE_LIST, REQ, RANGE(1, ITEMS_MOST)) };
static const struct shape_member inlines_members[]  = { ROW("inlines", SHAPE_LIST, REQ, RANGE(1, ITEMS_MOST)) };
static const struct shape_member input_members[]    = { ROW("id", SHAPE_TEXT, REQ, RANGE(1, 255)) };
static const struct shape_member toggle_members[]   = { ROW("id", SHAPE_TEXT, REQ, RANGE(1, 255)), ROW("title", SHAPE_TEXT, REQ) };
static const struct shape_member choice_members[]   = { ROW("title", SHAPE_TEXT, REQ), ROW("value", SHAPE_TEXT, REQ) };
static const struct shape choice = SHAPE(NULL, choice_members);
ANY_OF(choices, &choice);
static const struct shape_member choices_members[]  = { ROW("id", SHAPE_TEXT, REQ, RANGE(1, 255)), ROW("choices", SHAPE_LIST, 0, RANGE(0, ITEMS_MOST), .of = choices) };

static const struct shape e_text = SHAPE("TextBlock", text_members), e_image = SHAPE("Image", image_members, .more = url_ok), e_container = SHAPE("Container", items_members),
    e_columns = SHAPE("ColumnSet", columns_members), e_facts = SHAPE("FactSet", facts_members), e_images = SHAPE("ImageSet", images_members), e_actions = SHAPE("ActionSet", actions_members),
    e_media = SHAPE("Media", sources_members), e_rich = SHAPE("RichTextBlock", inlines_members), i_text = SHAPE("Input.Text", input_members), i_number = SHAPE("Input.Number", input_members),
    i_date = SHAPE("Input.Date", input_members), i_time = SHAPE("Input.Time", input_members), i_toggle = SHAPE("Input.Toggle", toggle_members),
    i_choices = SHAPE("Input.ChoiceSet", choices_members), other = SHAPE(NULL, type_members);
ANY_OF(card_elements, &e_text, &e_image, &e_container, &e_columns, &e_facts, &e_images, &e_actions, &e_media, &e_rich, &i_text, &i_number, &i_date, &i_time, &i_toggle, &i_choices, &other);

#define TITLE ROW("title", SHAPE_TEXT, 0), ROW("style", SHAPE_WORD, 0, .words = "default positive destructive")
static const struct shape_member submit_members[]  = { TITLE };
static const struct shape_member open_members[]    = { TITLE, ROW("url", SHAPE_TEXT, REQ) };
static const struct shape_member show_members[]    = { TITLE, ROW("card", SHAPE_OBJECT, REQ, .of = inner_cards) };
static const struct shape_member visible_members[] = { TITLE, ROW("targetElements", SHAPE_LIST, REQ, RANGE(1, ITEMS_MOST)) };
static const struct shape a_submit = SHAPE("Action.Submit", submit_members), a_execute = SHAPE("Action.Execute", submit_members), a_open = SHAPE("Action.OpenUrl", open_members, .more = url_ok),
    a_show = SHAPE("Action.ShowCard", show_members), a_visible = SHAPE("Action.ToggleVisibility", visible_members);
ANY_OF(card_actions, &a_submit, &a_execute, &a_open, &a_show, &a_visible, &other);

#define CARD ROW("body", SHAPE_LIST, 0, RANGE(0, ITEMS_MOST), .of = card_elements), ROW("actions", SHAPE_LIST, 0, RANGE(0, ITEMS_MOST), .of = card_actions), \
             ROW("selectAction", SHAPE_OBJECT, 0, .of = card_actions)
static const struct shape_member inner_members[] = { CARD };
static const struct shape_member card_members[]  = { CARD, ROW("version", SHAPE_TEXT, REQ, RANGE(1, 10)) };
static const struct shape inner_card = SHAPE("AdaptiveCard", inner_members, .one_of = "body actions"), whole_card = SHAPE("AdaptiveCard", card_members, .one_of = "body actions");
ANY_OF(inner_cards, &inner_card);
ANY_OF(adaptive_cards, &whole_card);

/* ---- attachments -------------------------------------------------------------------------------------------------------- */

static const struct shape_member button_members[] = { ROW("type", SHAPE_WORD, REQ, .words = "openUrl imBack messageBack invoke signin call playAudio playVideo showImage downloadFile postBack"),
                                                      ROW("title", SHAPE_TEXT, 0) };
static const struct shape button = SHAPE(NULL, button_members);
ANY_OF(buttons, &button);
static const struct shape_member hero_members[] = { ROW("buttons", SHAPE_LIST, 0, RANGE(0, TEAMS_HERO_BUTTONS), .of = buttons), ROW("title", SHAPE_TEXT, 0), ROW("text", SHAPE_TEXT, 0) };
static const struct shape hero_card = SHAPE(NULL, hero_members);
ANY_OF(hero_cards, &hero_card);
static const struct shape_member adaptive_members[] = { ROW("content", SHAPE_OBJECT, REQ, .of = adaptive_cards) };
static const struct shape_member hero_attached[]    = { ROW("content", SHAPE_OBJECT, REQ, .of = hero_cards) };
static const struct shape_member any_attached[]     = { ROW("contentType", SHAPE_TEXT, REQ, RANGE(1, 200)) };
static const struct shape adaptive = SHAPE("application/vnd.microsoft.card.adaptive", adaptive_members, .by = "contentType"),
    hero = SHAPE("application/vnd.microsoft.card.hero", hero_attached), thumbnail = SHAPE("application/vnd.microsoft.card.thumbnail", hero_attached), any = SHAPE(NULL, any_attached);
ANY_OF(attachments, &adaptive, &hero, &thumbnail, &any);
static const struct shape_member activity_members[] = { ROW("attachments", SHAPE_LIST, 0, RANGE(0, CARDS_MOST), .of = attachments), ROW("text", SHAPE_TEXT, 0) };
static const struct shape activity = SHAPE(NULL, activity_members, .one_of = "attachments text");
ANY_OF(activities, &activity);
/* clang-format on */

bool teams_card_ok(struct call *c, const struct js *doc)
{
    struct fault why = { 0 };
    bool card = slice_eq(js_text(js_at(doc, "type")), SL("AdaptiveCard")), attached = js_text(js_at(doc, "contentType")).n;
    const struct shape *const *of = card ? adaptive_cards : attached ? attachments : activities;
    if (!js_is_array(doc))
        return shape_check(c->a, doc, of, "", &why) || refuse_shape(c, &why);
    for (size_t i = 0; i < js_len(doc); i++)
        if (!teams_card_ok(c, js_item(doc, i)))
            return false;
    return true;
}
