#include "hub/response_message.h"
#include "hub/command.h"
#include "hub/responses.h"
#include "hub/rig_test.h"

static const struct connector all_of_it = { .name = "net", .title = "A Net", .caps = { .kinds = ~0u } };
static const struct connector plain = { .name = "plain", .title = "A Plain Net", .caps = { .kinds = CAN(KIND_TEXT) } };

TEST(what_a_response_says)
{
    static const struct { slice text; const char *want; } rows[] = {
        { SLI(" Hello \n"), "[{\"kind\":\"text\",\"text\":\"Hello\"}]" },
        { SLI("{not json}"), "[{\"kind\":\"text\",\"text\":\"{not json}\"}]" },
        { SLI("{\"text\":\"Hi\"}"), "[{\"kind\":\"text\",\"text\":\"Hi\"}]" },
        { SLI("{\"genesys_prompt\":\"Ok?\",\"genesys_quick_replies\":[{\"text\":\"Yes\",\"payload\":\"y\"},{\"text\":\"No\"},]}"),
          "[{\"kind\":\"choices\",\"text\":\"Ok?\",\"choices\":[{\"label\":\"Yes\",\"payload\":\"y\"},{\"label\":\"No\"}]}]" },
        { SLI("{\"type\":\"location\",\"title\":\"T\",\"address\":\"A\",\"latitude\":\"35.5\",\"longitude\":139.5}"),
          "[{\"kind\":\"location\",\"location\":{\"lat\":35.5,\"lon\":139.5,\"title\":\"T\",\"address\":\"A\"}}]" },
        { SLI("{\"type\":\"sticker\",\"title\":\"Hug\",\"stickerId\":40130}"), "[{\"kind\":\"sticker\",\"sticker\":{\"id\":\"40130\",\"title\":\"Hug\"}}]" },
        { SLI("{\"type\":\"card\",\"title\":\"C\",\"description\":\"D\",\"image\":\"https://x/y.png\",\"actions\":[{\"text\":\"Go\",\"url\":\"https://x\"}]}"),
          "[{\"kind\":\"cards\",\"cards\":[{\"title\":\"C\",\"text\":\"D\",\"image\":\"https://x/y.png\",\"choices\":[{\"label\":\"Go\",\"url\":\"https://x\"}]}]}]" },
        { SLI("{\"type\":\"carousel\",\"cards\":[{\"title\":\"1\"},{\"title\":\"2\"}]}"), "[{\"kind\":\"cards\",\"cards\":[{\"title\":\"1\"},{\"title\":\"2\"}]}]" },
        { SLI("{\"type\":\"Button\",\"name\":\"John\",\"text\":\"Less\"}"), "[{\"kind\":\"choices\",\"text\":\"Less\",\"choices\":[{\"label\":\"John\"}]}]" },
        { SLI("{\"kind\":\"text\",\"text\":\"ours\",\"id\":\"theirs\"}"), "[{\"kind\":\"text\",\"text\":\"ours\"}]" },
        { SLI("[\"one\",{\"type\":\"text\",\"text\":\"two\"}]"), "[{\"kind\":\"text\",\"text\":\"one\"},{\"kind\":\"text\",\"text\":\"two\"}]" },
        { SLI("{\"type\":\"flex\",\"altText\":\"x\" /* y */}"), "[{\"kind\":\"native\",\"native_for\":\"net\",\"native\":{\"type\":\"flex\",\"altText\":\"x\"}}]" },
        { SLI("{\"type\":\"text\",\"text\":\"x\",\"quickReply\":{}}"), "[{\"kind\":\"native\",\"native_for\":\"net\",\"native\":{\"type\":\"text\",\"text\":\"x\",\"quickReply\":{}}}]" },
    };
    CLEANUP(arena_freep) struct arena *a = arena_new();
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct js_list list, again;
        struct fault f = { 0 };
        CHECK_ROW(i, response_messages(a, rows[i].text, &all_of_it, &list, &f));
        slice json = messages_print(a, &list);
        const struct js *got = js_parse(a, json, NULL), *want = js_parse(a, slice_of(rows[i].want), NULL);
        if (!js_equal(got, want))
            fprintf(stderr, "%zu: " SLF "\n", i, SLA(json));
        CHECK_ROW(i, js_equal(got, want));
        CHECK_ROW(i, messages_read(a, json, &again) && slice_eq(messages_print(a, &again), json));
    }
}

TEST(what_a_response_cannot_say)
{
    static const struct { slice text; const char *field, *text_of; } rows[] = {
        { SLI("  "), "", "it is empty" },
        { SLI("{\"a\":1"), "", "its JSON is not valid: line 1: the text ends, and the object that began in line 1 is not closed" },
        { SLI("{\"a\":1,\"a\":2}"), "", NULL },
        { SLI("{}"), "", "the object is empty" },
        { SLI("[{}]"), "", "the object is empty" },
        { SLI("{\"type\":\"location\",\"latitude\":91,\"longitude\":0}"), "latitude", NULL },
        { SLI("{\"type\":\"sticker\"}"), "stickerId", NULL },
        { SLI("{\"type\":\"image\",\"url\":\"file:///etc/passwd\"}"), "url", NULL },
        { SLI("{\"genesys_prompt\":\"x\"}"), "genesys_quick_replies", NULL },
        { SLI("{\"type\":\"flex\"}"), "type", "A Plain Net takes no objects of its own, and this one is none that all networks have" },
        { SLI("[\"1\",\"2\",\"3\",\"4\",\"5\",\"6\",\"7\",\"8\",\"9\",\"10\",\"11\"]"), "", "more than 10 messages" },
    };
    CLEANUP(arena_freep) struct arena *a = arena_new();
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct js_list list;
        struct fault f = { 0 };
        CHECK_ROW(i, !response_messages(a, rows[i].text, &plain, &list, &f));
        CHECK_ROW(i, f.code && strcmp(f.field, rows[i].field) == 0 && (!rows[i].text_of || strcmp(f.text, rows[i].text_of) == 0));
    }
}

TEST(a_typical_response_costs_microseconds)
{
    enum { TIMES = 2000 };
    static const struct substitution subs[] = { { SLI("name"), { 0 }, SLI("you") }, { SLI("total"), { 0 }, SLI("0") } };
    const struct canned_response r = { .name = SL("r"), .text = SL("{\"genesys_prompt\":\"{{name}}, {{if gt .total 10}}you pay less{{else}}another time{{end}}\","
                                                                   "\"genesys_quick_replies\":[{\"text\":\"{{upper name}}\"},{\"text\":\"No\"}]}"),
                                       .substitutions = { (void *)(uintptr_t)subs, COUNT(subs) } };
    const struct template_pair values[] = { { SLI("name"), SLI("Ann") }, { SLI("total"), SLI("12") } };
    struct rig *rig = rig_new();
    rig_text(rig, "1", "U1", "hello");
    UNTIL(rig, rig_count(rig, J_DELIVERED) == 1);
    struct js_list list;
    struct fault f = { 0 };
    slice text;
    int64_t began_us = time_mono_us(), rendered_us = 0;
    for (int i = 0; i < TIMES; i++) {
        CLEANUP(arena_freep) struct arena *a = arena_new();
        int64_t at_us = time_mono_us();
        CHECK(response_render(&rig->hub, a, &r, SLICE_NONE, values, COUNT(values), &text, &f));
        rendered_us += time_mono_us() - at_us;
        CHECK(response_messages(a, text, &all_of_it, &list, &f) && list.n == 1);
    }
    printf("# rendering a typical response: %.1f us; made into messages: %.1f us\n", (double)rendered_us / TIMES, (double)(time_mono_us() - began_us) / TIMES);
    rig_free(rig);
}
