/* What Telegram refuses in calls that are passed on: "Native". Methods that are not listed are Telegram's to judge. */
#include "networks/telegram/wire.h"
#include "wire/js_shape.h"

enum { ROWS_MOST = 100, ALBUM_LEAST = 2 };
#define ROW SHAPE_ROW
#define REQ SHAPE_REQUIRED
#define RANGE SHAPE_RANGE
#define ANY_OF(name, ...) static const struct shape *const name[] = { __VA_ARGS__, NULL }

/* clang-format off */
static bool good_keyboard(const struct js *v, const struct shape_path *at, struct fault *f)
{
    static const char *const does[] = { "url", "callback_data", "web_app", "login_url", "switch_inline_query", "switch_inline_query_current_chat", "switch_inline_query_chosen_chat",
                                        "copy_text", "callback_game", "pay" };
    const struct js *rows = js_at(v, "inline_keyboard");
    for (size_t r = 0; r < js_len(rows); r++) {
        const struct js *row = js_item(rows, r);
        if (!js_is_array(row))
            return shape_fault(f, "wrong_type", at, "inline_keyboard", "row %zu must be a list of buttons", r + 1);
        for (size_t i = 0; i < js_len(row); i++) {
            const struct js *b = js_item(row, i);
            size_t n = 0;
            for (size_t k = 0; k < COUNT(does); k++)
                n += js_at(b, does[k]) != NULL;
            if (!js_text(js_at(b, "text")).n || n != 1)
                return shape_fault(f, "missing_field", at, "inline_keyboard", "row %zu, button %zu: it needs a text, and one of url, callback_data ...", r + 1, i + 1);
            if (js_text(js_at(b, "callback_data")).n > TELEGRAM_PAYLOAD_BYTES)
                return shape_fault(f, "out_of_range", at, "inline_keyboard", "row %zu, button %zu: callback_data has at most %d bytes", r + 1, i + 1, TELEGRAM_PAYLOAD_BYTES);
        }
    }
    return true;
}
static const struct shape_member markup_members[] = { ROW("inline_keyboard", SHAPE_LIST, 0, RANGE(0, ROWS_MOST)), ROW("keyboard", SHAPE_LIST, 0, RANGE(1, ROWS_MOST)) };
static const struct shape markup = SHAPE(NULL, markup_members, .more = good_keyboard);
ANY_OF(markups, &markup);
#define COMMON ROW("reply_markup", SHAPE_OBJECT, 0, .of = markups), ROW("caption", SHAPE_TEXT, 0, RANGE(0, TELEGRAM_CAPTION_UNITS))
#define MEMBERS(name, ...) static const struct shape_member name[] = { COMMON, __VA_ARGS__ }

static const struct shape_member any_members[] = { COMMON };
MEMBERS(text_members,     ROW("text", SHAPE_TEXT, REQ, RANGE(1, TELEGRAM_TEXT_UNITS)));
MEMBERS(photo_members,    ROW("photo", SHAPE_TEXT, REQ, RANGE(1, 2000)));
MEMBERS(video_members,    ROW("video", SHAPE_TEXT, REQ, RANGE(1, 2000)));
MEMBERS(audio_members,    ROW("audio", SHAPE_TEXT, REQ, RANGE(1, 2000)));
MEMBERS(voice_members,    ROW("voice", SHAPE_TEXT, REQ, RANGE(1, 2000)));
MEMBERS(document_members, ROW("document", SHAPE_TEXT, REQ, RANGE(1, 2000)));
MEMBERS(sticker_members,  ROW("sticker", SHAPE_TEXT, REQ, RANGE(1, 2000)));
MEMBERS(album_members,    ROW("media", SHAPE_LIST, REQ, RANGE(ALBUM_LEAST, TELEGRAM_ALBUM)));
MEMBERS(place_members,    ROW("latitude", SHAPE_NUMBER, REQ, RANGE(-90, 90)), ROW("longitude", SHAPE_NUMBER, REQ, RANGE(-180, 180)));
MEMBERS(venue_members,    ROW("latitude", SHAPE_NUMBER, REQ, RANGE(-90, 90)), ROW("longitude", SHAPE_NUMBER, REQ, RANGE(-180, 180)),
                          ROW("title", SHAPE_TEXT, REQ, RANGE(1, 1000)), ROW("address", SHAPE_TEXT, REQ, RANGE(1, 1000)));
MEMBERS(contact_members,  ROW("phone_number", SHAPE_TEXT, REQ, RANGE(1, 100)), ROW("first_name", SHAPE_TEXT, REQ, RANGE(1, 256)));
MEMBERS(poll_members,     ROW("question", SHAPE_TEXT, REQ, RANGE(1, 300)), ROW("options", SHAPE_LIST, REQ, RANGE(1, 12)));
#define METHOD(name, rows) static const struct shape name = SHAPE(#name, rows, .by = "method")
METHOD(sendMessage, text_members);
METHOD(sendPhoto, photo_members);
METHOD(sendVideo, video_members);
METHOD(sendAudio, audio_members);
METHOD(sendVoice, voice_members);
METHOD(sendDocument, document_members);
METHOD(sendSticker, sticker_members);
METHOD(sendMediaGroup, album_members);
METHOD(sendLocation, place_members);
METHOD(sendVenue, venue_members);
METHOD(sendContact, contact_members);
METHOD(sendPoll, poll_members);
static const struct shape other = SHAPE(NULL, any_members);
ANY_OF(methods, &sendMessage, &sendPhoto, &sendVideo, &sendAudio, &sendVoice, &sendDocument, &sendSticker, &sendMediaGroup, &sendLocation, &sendVenue, &sendContact, &sendPoll, &other);
/* clang-format on */

bool telegram_call_ok(struct call *c, const struct js *doc)
{
    struct fault why = { 0 };
    return shape_check(c->a, doc, methods, "", &why) || refuse_shape(c, &why);
}
