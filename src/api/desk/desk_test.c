/* What needs no hub: who gets which conversation, profiles, files. The rest is tests/e2e/desk.test.mjs. */
#include "api/desk/inside.h"
#include "api/desk/sniff.h"
#include "hub/message.h"
#include "tests/harness/test.h"

static struct login_profile profile(struct arena *a, const char *json)
{
    struct login_profile is;
    struct fault f = { 0 };
    CHECK(login_profile_read(a, js_parse(a, slice_of(json), &f), &is, &f));
    return is;
}

#define ALL "{}"
#define SALES "{\"queues\":[\"sales\"],\"capacity\":{\"chat\":2}}"
#define FRENCH "{\"queues\":[\"sales\",\"care\"],\"skills\":{\"fr\":9,\"billing\":2},\"capacity\":{\"chat\":4}}"
#define BEGINNER "{\"queues\":[\"sales\",\"care\"],\"skills\":{\"fr\":3,\"billing\":9},\"capacity\":{\"chat\":4}}"
#define NOBODY (-1)
enum { NOW = 1000000 };

TEST(desk_the_agent_that_fits_best_is_asked)
{
    static const struct {
        const char *what, *queue, *skills, *last;
        int64_t last_until_ms;
        int refused; /* by the agent of this number, from 1; 0: by none */
        struct {
            const char *profile;
            bool ready;
            int64_t open, idle_since_ms;
        } agents[3];
        int to;
    } rows[] = {
        { "nobody is ready", "sales", "", "", 0, 0, { { ALL, false, 0, 1 }, { SALES, false, 0, 1 }, { FRENCH, false, 0, 1 } }, NOBODY },
        { "who serves the queue", "care", "", "", 0, 0, { { SALES, true, 0, 1 }, { FRENCH, true, 0, 1 }, { SALES, true, 0, 1 } }, 1 },
        { "who names no queues serves all", "care", "", "", 0, 0, { { SALES, true, 0, 1 }, { SALES, true, 0, 1 }, { ALL, true, 0, 1 } }, 2 },
        { "who is full is not asked", "sales", "", "", 0, 0, { { SALES, true, 2, 1 }, { SALES, true, 3, 1 }, { SALES, true, 1, 9 } }, 2 },
        { "all are full", "sales", "", "", 0, 0, { { SALES, true, 2, 1 }, { FRENCH, true, 4, 1 }, { ALL, true, 5, 1 } }, NOBODY },
        { "who has the skill", "sales", "fr", "", 0, 0, { { SALES, true, 0, 1 }, { ALL, true, 0, 1 }, { BEGINNER, true, 3, 9 } }, 2 },
        { "every skill is needed", "sales", "fr,ja", "", 0, 0, { { SALES, true, 0, 1 }, { FRENCH, true, 0, 1 }, { BEGINNER, true, 0, 1 } }, NOBODY },
        { "who has most of it, although busier", "sales", "fr", "", 0, 0, { { BEGINNER, true, 0, 1 }, { FRENCH, true, 3, 9 }, { SALES, true, 0, 1 } }, 1 },
        { "levels of all skills are added up", "sales", "fr,billing", "", 0, 0, { { FRENCH, true, 0, 1 }, { BEGINNER, true, 3, 9 }, { SALES, true, 0, 1 } }, 1 },
        { "least occupied, not fewest", "sales", "", "", 0, 0, { { SALES, true, 1, 1 }, { FRENCH, true, 1, 9 }, { BEGINNER, true, 2, 1 } }, 1 },
        { "longest idle of equals", "sales", "", "", 0, 0, { { SALES, true, 0, 7 }, { SALES, true, 0, 3 }, { SALES, true, 0, 5 } }, 1 },
        { "who just refused is passed over", "sales", "", "", 0, 1, { { SALES, true, 0, 1 }, { SALES, true, 0, 9 }, { SALES, false, 0, 1 } }, 1 },
        { "the agent of the last time, although others are idler", "sales", "", "a2", NOW + 1, 0, { { SALES, true, 0, 1 }, { SALES, true, 0, 1 }, { FRENCH, true, 3, 9 } }, 2 },
        { "… whatever queue they serve now", "care", "ja", "a0", NOW + 1, 0, { { SALES, true, 0, 1 }, { FRENCH, true, 0, 1 }, { ALL, true, 0, 1 } }, 0 },
        { "… is waited for while full", "sales", "", "a0", NOW + 1, 0, { { SALES, true, 2, 1 }, { SALES, true, 0, 1 }, { ALL, true, 0, 1 } }, NOBODY },
        { "… but not for ever", "sales", "", "a0", NOW, 0, { { SALES, true, 2, 1 }, { SALES, true, 0, 1 }, { ALL, true, 0, 9 } }, 1 },
    };
    CLEANUP(arena_freep) struct arena *a = arena_new();
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct interaction it = { .queue = slice_of(rows[i].queue), .last_agent = slice_of(rows[i].last), .last_until_ms = rows[i].last_until_ms };
        struct login_profile is[3];
        struct route_agent agents[3];
        struct js_list skills = { NULL, 0 };
        for (slice rest = slice_of(rows[i].skills); rest.n;)
            *LIST_ADD(a, &skills, slice) = slice_cut(&rest, ',');
        for (int k = 0; k < 3; k++) {
            is[k] = profile(a, rows[i].agents[k].profile);
            agents[k] = (struct route_agent){ arena_printf(a, "a%d", k), &is[k], rows[i].agents[k].ready, rows[i].agents[k].open, rows[i].agents[k].idle_since_ms };
            if (rows[i].refused == k + 1)
                interaction_refuse(&it, agents[k].user, NOW + 1);
        }
        size_t to = route_choose(agents, 3, &it, &skills, NOW);
        if (to != (size_t)rows[i].to)
            fprintf(stderr, "%s: %zd\n", rows[i].what, (ssize_t)to);
        CHECK_ROW(i, to == (size_t)rows[i].to);
        interaction_forgive(&it);
    }
}

TEST(desk_a_refusal_ends)
{
    struct interaction it = { .id = SLICE_NONE };
    interaction_refuse(&it, SL("kim"), 100);
    CHECK(interaction_refused(&it, SL("kim"), 99) && !interaction_refused(&it, SL("kim"), 100) && !interaction_refused(&it, SL("ken"), 99));
    interaction_refuse(&it, SL("kim"), 200);
    CHECK(it.n_refused == 1 && interaction_refused(&it, SL("kim"), 199));
    for (int i = 0; i < DESK_AGENTS_MAX + 3; i++) { /* more than are remembered */
        char name[16];
        snprintf(name, sizeof(name), "agent%d", i);
        interaction_refuse(&it, slice_of(name), 300);
    }
    CHECK_INT(it.n_refused, DESK_AGENTS_MAX);
    interaction_forgive(&it);
    CHECK(!interaction_refused(&it, SL("agent3"), 0));
}

TEST(desk_agents_come_and_go)
{
    struct interaction it = { .id = SLICE_NONE };
    CHECK(!interaction_owner(&it).n && interaction_join(&it, SL("kim"), DESK_OWNER) && interaction_join(&it, SL("ken"), DESK_CONSULTED));
    CHECK_SLICE(interaction_owner(&it), SL("kim"));
    CHECK(interaction_join(&it, SL("ken"), DESK_CONFERENCED) && it.agents.n == 2);
    CHECK_INT(interaction_agent(&it, SL("ken"))->part, DESK_CONFERENCED);
    interaction_leave(&it, SL("kim"));
    interaction_leave(&it, SL("nobody"));
    CHECK(it.agents.n == 1 && !interaction_owner(&it).n);
    for (int i = 0; i < DESK_AGENTS_MAX - 1; i++) {
        char name[16];
        snprintf(name, sizeof(name), "agent%d", i);
        CHECK(interaction_join(&it, slice_of(name), DESK_MONITOR));
    }
    CHECK(!interaction_join(&it, SL("one more"), DESK_MONITOR) && interaction_join(&it, SL("ken"), DESK_OWNER));
    interaction_alone(&it);
    CHECK_INT(it.agents.n, 0);
    free(it.agents.items);
}

TEST(desk_profiles_are_checked)
{
    static const struct {
        const char *json, *field;
    } rows[] = {
        { "{}", NULL },
        { "{\"display_name\":\"Kim\",\"email\":\"k@example.net\",\"queues\":[\"q\"],\"skills\":{\"fr\":10},\"capacity\":{\"chat\":0}}", NULL },
        { "{\"queues\":\"q\"}", "queues" },
        { "{\"queues\":[7]}", "queues" },
        { "{\"queues\":[\"\"]}", "queues" },
        { "{\"skills\":[\"fr\"]}", "skills" },
        { "{\"skills\":{\"fr\":0}}", "skills" },
        { "{\"skills\":{\"fr\":11}}", "skills" },
        { "{\"skills\":{\"\":1}}", "skills" },
        { "{\"capacity\":{\"chat\":-1}}", "capacity.chat" },
        { "{\"capacity\":{\"chat\":101}}", "capacity.chat" },
    };
    CLEANUP(arena_freep) struct arena *a = arena_new();
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct fault f = { 0 };
        struct login_profile is;
        bool ok = login_profile_read(a, js_parse(a, slice_of(rows[i].json), &f), &is, &f);
        CHECK_ROW(i, ok == !rows[i].field && (ok || strcmp(f.field, rows[i].field) == 0));
    }
}

TEST(desk_files_are_what_their_bytes_are)
{
    static const struct {
        slice body;
        const char *said, *type;
    } rows[] = {
        { SLI("\x89PNG\r\n\x1a\n...."), "text/html", "image/png" },
        { SLI("RIFF....WEBPVP8 "), "", "image/webp" },
        { SLI("\0\0\0\x18""ftypmp42"), "image/png", "video/mp4" },
        { SLI("<script>"), "image/png", "application/octet-stream" },
        { SLI("<svg onload=1>"), "image/svg+xml", "application/octet-stream" },
        { SLI("a,b\n"), "text/csv", "text/csv" },
        { SLI("a,b\n"), "no type", "application/octet-stream" },
        { SLI("a,b\n"), "te xt/csv", "application/octet-stream" },
        { SLI("a"), "", "application/octet-stream" },
    };
    for (size_t i = 0; i < COUNT(rows); i++)
        CHECK_ROW(i, slice_eq(sniff_type(rows[i].body, slice_of(rows[i].said)), slice_of(rows[i].type)));
}

static const struct js *shown(struct arena *a, const struct said *s)
{
    struct jw w = jw_new(a, 1 << 20);
    show_message(&w, NULL, s);
    return js_parse(a, jw_done(&w), NULL);
}

TEST(desk_a_message_is_shown_without_what_only_the_road_needs)
{
    CLEANUP(arena_freep) struct arena *a = arena_new();
    struct choice two[] = { { .label = SL("Yes"), .payload = SL("y") }, { .label = SL("No") } };
    struct media file = { .url = SL("https://vendor/secret"), .type = SL("image/png"), .name = SL("a.png"), .size = 7, .token = true };
    struct message m = { .kind = KIND_CHOICES, .id = SL("it-1:c1"), .guest = SL("U1@line"), .text = SL("Which?"), .origin = ORIGIN_AGENT,
                         .from = { .id = SL("kim"), .name = SL("Kim") }, .choices = { two, 2 }, .private = true };
    const struct js *doc = shown(a, &(struct said){ .id = m.id, .interaction = SL("it-1"), .m = &m, .at_ms = 5, .state = "accepted", .adapted = SL("split numbered") });
    CHECK(doc);
    CHECK_SLICE(js_text(js_at(doc, "id")), SL("c1"));
    CHECK_SLICE(js_text(js_at(doc, "from")), SL("agent"));
    CHECK_SLICE(js_text(js_at(doc, "visible")), SL("agents"));
    CHECK_SLICE(js_text(js_at(doc, "adapted.1")), SL("numbered"));
    CHECK_SLICE(js_text(js_at(doc, "choices.0.payload")), SL("y"));
    CHECK(js_at(doc, "rich.kind") && !js_at(doc, "rich.guest") && !js_at(doc, "rich.from"));
    struct message picture = { .kind = KIND_IMAGE, .media = { &file, 1 } };
    doc = shown(a, &(struct said){ .id = SL("7"), .m = &picture, .from_guest = true, .state = "delivered" });
    CHECK(!js_at(doc, "media.url")); /* not stored: it may need the vendor's secret */
    file.handle = SL("h");
    doc = shown(a, &(struct said){ .id = SL("7"), .m = &picture, .from_guest = true, .state = "delivered" });
    CHECK_SLICE(js_text(js_at(doc, "media.url")), SL("https://vendor/secret"));
    CHECK_SLICE(js_text(js_at(doc, "from")), SL("guest"));
}

TEST(desk_a_day_begins_at_midnight_of_its_zone)
{
    static const struct {
        const char *zone, *at, *begins;
    } rows[] = {
        { "", "2026-03-10T15:00:00Z", "2026-03-10T00:00:00Z" },
        { "UTC", "2026-03-10T00:00:00Z", "2026-03-10T00:00:00Z" },
        { "Asia/Tokyo", "2026-03-10T14:59:59Z", "2026-03-09T15:00:00Z" },
        { "Asia/Tokyo", "2026-03-10T15:00:00Z", "2026-03-10T15:00:00Z" },
        { "-03:30", "2026-03-10T03:29:59Z", "2026-03-09T03:30:00Z" },
        { "Europe/Berlin", "2026-03-29T12:00:00Z", "2026-03-28T23:00:00Z" }, /* an hour was left out that night */
        { "Europe/Berlin", "2026-10-25T12:00:00Z", "2026-10-24T22:00:00Z" }, /* there was one twice */
        { "Europe/Berlin", "2026-10-25T12:14:59Z", "2026-10-24T22:00:00Z" },
    };
    struct desk desk = { .routes = false };
    for (size_t i = 0; i < COUNT(rows); i++) {
        int64_t at_ms, begins_ms;
        CHECK(time_parse_rfc3339(slice_of(rows[i].at), &at_ms) && time_parse_rfc3339(slice_of(rows[i].begins), &begins_ms));
        CHECK_ROW(i, desk_day_ms(&desk, slice_of(rows[i].zone), at_ms) == begins_ms);
    }
    for (size_t i = 0; i < DESK_ZONES; i++)
        interaction_set(&desk.zones[i].name, SLICE_NONE);
}
