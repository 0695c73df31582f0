/* The agent to be imported into Dialogflow ES, in the form of its exports: "The agent to import". One intent, "continue", in the languages below. The same language gives the
 * same bytes. */
#include "languages/dialogflow/wire.h"
#include "wire/uuid.h"
#include "wire/zip.h"

enum { ARCHIVE_BYTES = 256 << 10, FILE_BYTES = 32 << 10, PHRASES = 8 };
#define INTENT "continue"
#define VALUE "when"

/* "{" and "}" stand around what is a time. */
struct speech {
    const char *language;
    const char *ask, *done;
    const char *phrases[PHRASES];
};
static const struct speech speeches[] = {
    { "en", "When shall the conversation go on?", "The conversation will go on then.",
      { "continue {tomorrow at 10}", "continue {in 2 hours}", "continue {next Monday at 9 am}", "continue on {August 23 at 15:00}", "continue at {4 pm}",
        "call back {tomorrow morning}", "go on {in 30 minutes}", "continue" } },
    { "ja", "いつ会話を再開しますか。", "その時刻に会話を再開します。",
      { "{明日10時}に続ける", "{2時間後}に再開", "{来週の月曜日9時}に続きをお願いします", "{8月23日15時}に続行", "{午後4時}に再開する", "{30分後}に続ける", "続ける", "再開" } },
    { "fr", "Quand la conversation doit-elle reprendre ?", "La conversation reprendra à ce moment-là.",
      { "continuer {demain à 10h}", "continuer {dans 2 heures}", "reprendre {lundi prochain à 9h}", "continuer {le 23 août à 15h}", "reprendre à {16h}",
        "rappeler {demain matin}", "reprendre {dans 30 minutes}", "continuer" } },
    { "ko", "언제 대화를 이어갈까요?", "그때 대화를 이어가겠습니다.",
      { "{내일 10시}에 계속", "{2시간 후}에 계속", "{다음 주 월요일 9시}에 이어서", "{8월 23일 15시}에 계속", "{오후 4시}에 다시", "{30분 후}에 계속", "계속", "이어서" } },
    { "zh-cn", "什么时候继续对话？", "届时将继续对话。",
      { "{明天10点}继续", "{2小时后}继续", "{下周一9点}继续", "{8月23日15点}继续", "{下午4点}继续", "{30分钟后}继续", "继续", "稍后继续" } },
};

static slice id_of(struct arena *a, const char *what, size_t n)
{
    return uuid_named(a, arena_printf(a, "dragoman %s %zu", what, n));
}

static struct jw file_begin(struct arena *a, char bracket)
{
    struct jw w = jw_new(a, FILE_BYTES);
    jw_open(&w, NULL, bracket);
    return w;
}

static slice file_end(struct jw *w, char bracket)
{
    jw_close(w, bracket);
    return jw_done(w);
}

static slice agent_file(struct arena *a, slice language)
{
    struct jw w = file_begin(a, '{');
    jw_str(&w, "description", SL("Commands of agents"));
    jw_str(&w, "language", language);
    jw_open(&w, "supportedLanguages", '[');
    for (size_t i = 0; i < COUNT(speeches); i++)
        if (!slice_eq(slice_of(speeches[i].language), language))
            jw_str(&w, NULL, slice_of(speeches[i].language));
    jw_close(&w, ']');
    jw_str(&w, "displayName", SL(INTENT));
    jw_str(&w, "defaultTimezone", SL("Etc/UTC"));
    jw_double(&w, "mlMinConfidence", 0.3);
    jw_bool(&w, "enableOnePlatformApi", true);
    jw_str(&w, "onePlatformApiVersion", SL("v2"));
    jw_bool(&w, "isPrivate", true);
    jw_open(&w, "webhook", '{');
    jw_bool(&w, "available", false);
    jw_close(&w, '}');
    return file_end(&w, '}');
}

static void put_parameter(struct jw *w, struct arena *a)
{
    jw_open(w, NULL, '{');
    jw_str(w, "id", id_of(a, "parameter", 0));
    jw_str(w, "name", SL(VALUE));
    jw_bool(w, "required", true);
    jw_str(w, "dataType", SL("@sys.date-time"));
    jw_str(w, "value", SL("$" VALUE));
    jw_str(w, "defaultValue", SL(""));
    jw_bool(w, "isList", false);
    jw_open(w, "prompts", '[');
    for (size_t i = 0; i < COUNT(speeches); i++) {
        jw_open(w, NULL, '{');
        jw_str(w, "lang", slice_of(speeches[i].language));
        jw_str(w, "value", slice_of(speeches[i].ask));
        jw_close(w, '}');
    }
    jw_close(w, ']');
    jw_close(w, '}');
}

static void put_response(struct jw *w, struct arena *a)
{
    jw_open(w, NULL, '{');
    jw_bool(w, "resetContexts", false);
    jw_str(w, "action", SL(INTENT));
    jw_open(w, "affectedContexts", '[');
    jw_close(w, ']');
    jw_open(w, "parameters", '[');
    put_parameter(w, a);
    jw_close(w, ']');
    jw_open(w, "messages", '[');
    for (size_t i = 0; i < COUNT(speeches); i++) {
        jw_open(w, NULL, '{');
        jw_str(w, "type", SL("0"));
        jw_str(w, "lang", slice_of(speeches[i].language));
        jw_open(w, "speech", '[');
        jw_str(w, NULL, slice_of(speeches[i].done));
        jw_close(w, ']');
        jw_close(w, '}');
    }
    jw_close(w, ']');
    jw_close(w, '}');
}

static slice intent_file(struct arena *a)
{
    enum { PRIORITY = 500000 };
    struct jw w = file_begin(a, '{');
    jw_str(&w, "id", id_of(a, "intent", 0));
    jw_str(&w, "name", SL(INTENT));
    jw_bool(&w, "auto", true);
    jw_open(&w, "contexts", '[');
    jw_close(&w, ']');
    jw_open(&w, "events", '[');
    jw_close(&w, ']');
    jw_int(&w, "priority", PRIORITY);
    jw_bool(&w, "webhookUsed", false);
    jw_bool(&w, "webhookForSlotFilling", false);
    jw_bool(&w, "fallbackIntent", false);
    jw_open(&w, "responses", '[');
    put_response(&w, a);
    jw_close(&w, ']');
    return file_end(&w, '}');
}

static void put_piece(struct jw *w, slice text, bool time)
{
    if (!text.n)
        return;
    jw_open(w, NULL, '{');
    jw_str(w, "text", text);
    if (time) {
        jw_str(w, "meta", SL("@sys.date-time"));
        jw_str(w, "alias", SL(VALUE));
    }
    jw_bool(w, "userDefined", time);
    jw_close(w, '}');
}

static slice phrases_file(struct arena *a, const struct speech *s)
{
    struct jw w = file_begin(a, '[');
    for (size_t i = 0; i < PHRASES; i++) {
        slice rest = slice_of(s->phrases[i]), before = slice_cut(&rest, '{'), time = slice_cut(&rest, '}');
        jw_open(&w, NULL, '{');
        jw_str(&w, "id", id_of(a, s->language, i));
        jw_bool(&w, "isTemplate", false);
        jw_int(&w, "count", 0);
        jw_open(&w, "data", '[');
        put_piece(&w, before, false);
        put_piece(&w, time, true);
        put_piece(&w, rest, false);
        jw_close(&w, ']');
        jw_close(&w, '}');
    }
    return file_end(&w, ']');
}

slice dialogflow_archive(struct arena *a, slice language)
{
    struct zip z = zip_new(a, ARCHIVE_BYTES);
    slice main = slice_of(speeches[0].language);
    for (size_t i = 0; i < COUNT(speeches); i++)
        if (slice_eq_nocase(slice_of(speeches[i].language), language))
            main = slice_of(speeches[i].language);
    zip_add(&z, "package.json", SL("{\"version\":\"1.0.0\"}"));
    zip_add(&z, "agent.json", agent_file(a, main));
    zip_add(&z, "intents/" INTENT ".json", intent_file(a));
    for (size_t i = 0; i < COUNT(speeches); i++)
        zip_add(&z, arena_printf(a, "intents/" INTENT "_usersays_%s.json", speeches[i].language).p, phrases_file(a, &speeches[i]));
    return zip_done(&z);
}
