/* What Apple refuses in interactive messages that are passed on: "Interactive messages". */
#include "networks/apple/wire.h"
#include "wire/js_shape.h"

enum { TIMES_MOST = 100, SECTIONS_MOST = 50, QUICK_LEAST = 2, QUICK_MOST = 5 };
#define ROW SHAPE_ROW
#define REQ SHAPE_REQUIRED
#define RANGE SHAPE_RANGE
#define ANY_OF(name, ...) static const struct shape *const name[] = { __VA_ARGS__, NULL }

/* clang-format off */
#define STYLE ROW("style", SHAPE_WORD, 0, .words = "default icon small large")
static const struct shape_member item_members[]    = { ROW("identifier", SHAPE_TEXT, REQ, RANGE(1, 500)), ROW("title", SHAPE_TEXT, REQ, RANGE(1, 512)), ROW("subtitle", SHAPE_TEXT, 0), STYLE };
static const struct shape item = SHAPE(NULL, item_members);
ANY_OF(items, &item);
static const struct shape_member section_members[] = { ROW("items", SHAPE_LIST, REQ, RANGE(1, APPLE_ITEMS), .of = items), ROW("title", SHAPE_TEXT, 0), ROW("multipleSelection", SHAPE_BOOL, 0) };
static const struct shape section = SHAPE(NULL, section_members);
ANY_OF(sections, &section);
static const struct shape_member list_members[]    = { ROW("sections", SHAPE_LIST, REQ, RANGE(1, SECTIONS_MOST), .of = sections) };
static const struct shape list = SHAPE(NULL, list_members);
ANY_OF(lists, &list);

static const struct shape_member quick_item_members[] = { ROW("identifier", SHAPE_TEXT, REQ, RANGE(1, 500)), ROW("title", SHAPE_TEXT, REQ, RANGE(1, 512)) };
static const struct shape quick_item = SHAPE(NULL, quick_item_members);
ANY_OF(quick_items, &quick_item);
static const struct shape_member quick_members[]   = { ROW("items", SHAPE_LIST, REQ, RANGE(QUICK_LEAST, QUICK_MOST), .of = quick_items), ROW("summaryText", SHAPE_TEXT, 0) };
static const struct shape quick = SHAPE(NULL, quick_members);
ANY_OF(quicks, &quick);

static const struct shape_member slot_members[]    = { ROW("identifier", SHAPE_TEXT, REQ, RANGE(1, 500)), ROW("startTime", SHAPE_TEXT, REQ, RANGE(1, 64)), ROW("duration", SHAPE_NUMBER, REQ) };
static const struct shape slot = SHAPE(NULL, slot_members);
ANY_OF(slots, &slot);
static const struct shape_member event_members[]   = { ROW("title", SHAPE_TEXT, 0), ROW("timeslots", SHAPE_LIST, 0, RANGE(1, TIMES_MOST), .of = slots) };
static const struct shape event = SHAPE(NULL, event_members);
ANY_OF(events, &event);

static const struct shape_member data_members[] = {
    ROW("listPicker", SHAPE_OBJECT, 0, .of = lists), ROW("quick-reply", SHAPE_OBJECT, 0, .of = quicks), ROW("event", SHAPE_OBJECT, 0, .of = events),
    ROW("timeslots", SHAPE_LIST, 0, RANGE(1, TIMES_MOST), .of = slots), ROW("images", SHAPE_LIST, 0, RANGE(0, 100)),
};
static const struct shape data = SHAPE(NULL, data_members);
ANY_OF(datas, &data);
static const struct shape_member bubble_members[] = { ROW("title", SHAPE_TEXT, 0), ROW("subtitle", SHAPE_TEXT, 0), STYLE };
static const struct shape bubble = SHAPE(NULL, bubble_members);
ANY_OF(bubbles, &bubble);
static const struct shape_member whole_members[] = { ROW("data", SHAPE_OBJECT, REQ, .of = datas), ROW("receivedMessage", SHAPE_OBJECT, 0, .of = bubbles), ROW("replyMessage", SHAPE_OBJECT, 0, .of = bubbles) };
static const struct shape whole = SHAPE(NULL, whole_members);
ANY_OF(wholes, &whole);
/* clang-format on */

bool apple_interactive_ok(struct call *c, const struct js *inner)
{
    struct fault why = { 0 };
    return shape_check(c->a, inner, wholes, "", &why) || refuse_shape(c, &why);
}
