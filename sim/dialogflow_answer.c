/* What the agent "continue" understands, and how ES and CX say it. */
#include "base/zone.h"
#include "sim/dialogflow.h"
#include "sim/shelf.h"

enum { DAY_MS = 86400000, HOUR_MS = 3600000, MINUTE_MS = 60000 };
#define ASKS "When shall the conversation go on?"
#define DOES "The conversation will go on then."
#define FAILS "I missed that, say that again?"

struct heard {
    bool command, time; /* "continue"; a time */
    int64_t at_ms;
};

/* The number behind word in text; -1: there is none. */
static int64_t number_behind(slice text, const char *word)
{
    size_t at = slice_find(text, slice_of(word));
    int64_t n;
    if (at == SIZE_MAX)
        return -1;
    slice rest = slice_trim(slice_from(text, at + strlen(word)));
    return slice_int(slice_cut(&rest, ' '), &n) ? n : -1;
}

static struct heard hear(const struct sdf_asked *asked, int64_t now_ms)
{
    struct heard h = { 0 };
    slice text = slice_trim(asked->text), rest = text, first = slice_cut(&rest, ' ');
    h.command = slice_eq_nocase(first, SL("continue"));
    slice zone = slice_or(asked->zone, SL("UTC"));
    int64_t in = number_behind(text, "in "), at = number_behind(text, "tomorrow at ");
    for (slice all = text; all.n && !h.time;)
        h.time = time_parse_rfc3339(slice_cut(&all, ' '), &h.at_ms);
    if (h.time)
        return h;
    if (in >= 0 && (slice_find(text, SL("hour")) != SIZE_MAX || slice_find(text, SL("minute")) != SIZE_MAX)) {
        h.time = true;
        h.at_ms = now_ms + in * (slice_find(text, SL("hour")) != SIZE_MAX ? HOUR_MS : MINUTE_MS);
    } else if (at >= 0 && at < 24) {
        int64_t wall_ms = now_ms + zone_offset_ms(zone, now_ms);
        wall_ms = wall_ms - wall_ms % DAY_MS + DAY_MS + at * HOUR_MS;
        h.time = true;
        h.at_ms = wall_ms - zone_offset_ms(zone, wall_ms);
    }
    return h;
}

/* ---- ES ----------------------------------------------------------------------------------------------------------------- */

/* ES writes times with the zone's offset. */
static slice es_time(struct arena *a, slice zone, int64_t at_ms)
{
    int64_t offset_min = zone_offset_ms(zone, at_ms) / MINUTE_MS, size = offset_min < 0 ? -offset_min : offset_min;
    slice wall = time_rfc3339(a, at_ms + offset_min * MINUTE_MS);
    return arena_printf(a, "%.19s%c%02d:%02d", wall.p, offset_min < 0 ? '-' : '+', (int)(size / 60), (int)(size % 60));
}

static void es_when(struct jw *w, struct arena *a, const struct sdf *s, slice zone, const struct heard *h)
{
    if (!h->time) {
        jw_str(w, "when", SL(""));
        return;
    }
    slice at = es_time(a, zone, h->at_ms);
    switch (s->shape) {
    case SDF_OBJECT:
        jw_open(w, "when", '{');
        jw_str(w, "date_time", at);
        jw_close(w, '}');
        break;
    case SDF_PERIOD:
        jw_open(w, "when", '{');
        jw_str(w, "startDateTime", at);
        jw_str(w, "endDateTime", es_time(a, zone, h->at_ms + HOUR_MS));
        jw_close(w, '}');
        break;
    case SDF_LIST:
        jw_open(w, "when", '[');
        jw_str(w, NULL, at);
        jw_close(w, ']');
        break;
    case SDF_STRING:
    case SDF_SHAPES: jw_str(w, "when", at); break;
    }
}

static void es_result(struct jw *w, struct sim_call *c, struct sdf *s, const struct sdf_asked *asked, const struct heard *h)
{
    struct arena *a = c->x->a;
    slice say = !h->command ? SL(FAILS) : h->time ? SL(DOES) : SL(ASKS);
    jw_open(w, "queryResult", '{');
    jw_str(w, "queryText", asked->text);
    jw_str(w, "languageCode", asked->language);
    jw_str(w, "action", h->command ? SL("continue") : SL("input.unknown"));
    jw_open(w, "parameters", '{');
    if (h->command)
        es_when(w, a, s, slice_or(asked->zone, SL("UTC")), h);
    jw_close(w, '}');
    if (h->time || !h->command)
        jw_bool(w, "allRequiredParamsPresent", true); /* left out where it is false, as Google's JSON does */
    jw_str(w, "fulfillmentText", say);
    jw_open(w, "fulfillmentMessages", '[');
    jw_open(w, NULL, '{');
    jw_open(w, "text", '{');
    jw_open(w, "text", '[');
    jw_str(w, NULL, say);
    jw_close(w, ']');
    jw_close(w, '}');
    jw_close(w, '}');
    jw_close(w, ']');
    jw_open(w, "intent", '{');
    jw_str(w, "name", arena_printf(a, "projects/" SLF "/agent/intents/5b1c0000-0000-4000-8000-00000000000%d", SLA(s->account.project), h->command));
    jw_str(w, "displayName", h->command ? SL("continue") : SL("Default Fallback Intent"));
    if (!h->command)
        jw_bool(w, "isFallback", true);
    jw_close(w, '}');
    jw_double(w, "intentDetectionConfidence", h->command ? 0.98 : 1);
    jw_close(w, '}');
}

/* ---- CX ----------------------------------------------------------------------------------------------------------------- */

static void cx_when(struct jw *w, slice zone, int64_t at_ms)
{
    static const char *const names[] = { "year", "month", "day", "hours", "minutes", "seconds" };
    static const size_t from[] = { 0, 5, 8, 11, 14, 17 }, n[] = { 4, 2, 2, 2, 2, 2 };
    char wall[TIME_RFC3339_BYTES];
    time_rfc3339_buf(at_ms + zone_offset_ms(zone, at_ms), wall);
    jw_open(w, "when", '{');
    for (size_t i = 0; i < COUNT(names); i++) {
        int64_t v = 0;
        bool good = slice_int(slice_mem(wall + from[i], n[i]), &v);
        assert(good);
        jw_double(w, names[i], (double)v); /* numbers of a Struct are reals */
    }
    jw_double(w, "nanos", 0);
    jw_close(w, '}');
}

static void cx_result(struct jw *w, struct sdf *s, const struct sdf_asked *asked, const struct heard *h, bool filling)
{
    (void)s;
    jw_open(w, "queryResult", '{');
    jw_str(w, "text", asked->text);
    jw_str(w, "languageCode", asked->language);
    jw_open(w, "parameters", '{');
    if (h->command && h->time)
        cx_when(w, slice_or(asked->zone, SL("UTC")), h->at_ms);
    jw_close(w, '}');
    jw_open(w, "responseMessages", '[');
    jw_open(w, NULL, '{');
    if (h->command && !h->time)
        jw_str(w, "responseType", SL("PARAMETER_PROMPT"));
    jw_open(w, "text", '{');
    jw_open(w, "text", '[');
    jw_str(w, NULL, !h->command ? SL(FAILS) : h->time ? SL(DOES) : SL(ASKS));
    jw_close(w, ']');
    jw_close(w, '}');
    jw_close(w, '}');
    jw_close(w, ']');
    jw_open(w, "currentPage", '{');
    jw_str(w, "displayName", h->command ? SL("Continue") : SL("Start Page"));
    jw_close(w, '}');
    jw_open(w, "match", '{');
    if (h->command && !filling) {
        jw_open(w, "intent", '{');
        jw_str(w, "displayName", SL("continue"));
        jw_close(w, '}');
    }
    jw_str(w, "matchType", !h->command ? SL("NO_MATCH") : filling ? SL("PARAMETER_FILLING") : SL("INTENT"));
    jw_double(w, "confidence", h->command ? 1 : 0.3);
    jw_close(w, '}');
    jw_close(w, '}');
}

/* ---- all ---------------------------------------------------------------------------------------------------------------- */

slice sdf_answer(struct sdf *s, struct sim_call *c, const struct sdf_asked *asked)
{
    struct heard h = hear(asked, time_now_ms());
    slice key = arena_printf(c->x->a, "%d " SLF, asked->cx, SLA(asked->session));
    bool filling = !h.command && shelf_get(s->waiting, key) != NULL;
    h.command |= filling;
    if (h.command && !h.time)
        shelf_put(s->waiting, key, s, time_now_ms());
    else
        shelf_remove(s->waiting, key);
    struct jw w = jw_new(c->x->a, SDF_JSON_MAX);
    jw_open(&w, NULL, '{');
    jw_str(&w, "responseId", sim_random_uuid(&s->env->random, c->x->a));
    if (s->script) {
        jw_raw(&w, "queryResult", arena_dup(c->x->a, slice_of(s->script)));
        free(s->script);
        s->script = NULL;
    } else if (asked->cx) {
        cx_result(&w, s, asked, &h, filling);
        jw_str(&w, "responseType", SL("FINAL"));
    } else {
        es_result(&w, c, s, asked, &h);
    }
    jw_close(&w, '}');
    return jw_done(&w);
}
