#include "hub/command_line.h"
#include "tests/harness/test.h"

TEST(what_is_a_command)
{
    static const struct { slice text, prefix; bool is; slice line; } rows[] = {
        { SLI("> help"), SLI(">"), true, SLI("help") },          { SLI("  >\xc2\xa0help \n"), SLI(">"), true, SLI("help") },
        { SLI(">help"), SLI(">"), true, SLI("help") },           { SLI("a > b"), SLI(">"), false, { 0 } },
        { SLI("//help"), SLI("//"), true, SLI("help") },         { SLI("/help"), SLI("//"), false, { 0 } },
        { SLI(">"), SLI(">"), true, SLI("") },                   { SLI("help"), { 0 }, false, { 0 } },
        { SLI("\xe3\x80\x80> \xe7\xb6\x9a"), SLI(">"), true, SLI("\xe7\xb6\x9a") },
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        slice line = SLICE_NONE;
        CHECK_ROW(i, command_prefixed(rows[i].text, rows[i].prefix, &line) == rows[i].is);
        CHECK_ROW(i, !rows[i].is || slice_eq(line, rows[i].line));
    }
}

/* "thing|name=value|…" */
static slice shown(struct arena *a, const struct command_object *o)
{
    struct text t = text_new(a, 4096);
    text_put(&t, o->thing);
    for (size_t i = 0; i < o->n; i++)
        text_add(&t, "|" SLF "=" SLF, SLA(o->values[i].name), SLA(o->values[i].value));
    return text_slice(&t);
}

TEST(a_thing_and_its_values)
{
    static const struct { slice rest, want; } rows[] = {
        { SLI("\"My Response\""), SLI("My Response") },
        { SLI("\"My Response\" with name=\"John\" total=\"12\""), SLI("My Response|name=John|total=12") },
        { SLI("\"cannedresponse\" WITH name = \"John\" , total=12,vat=7%"), SLI("cannedresponse|name=John|total=12|vat=7%") },
        { SLI("My Response with name=x"), SLI("My Response|name=x") },
        { SLI("Greeting"), SLI("Greeting") },
        { SLI("Greeting without words"), SLI("Greeting without words") },
        { SLI("\"x\" a=\"1\" a=\"2\""), SLI("x|a=2") },
        { SLI("\"say \\\"hi\\\"\" a=\"x\"\"y\" b='it''s' c=\"two\\nlines\" d=\"C:\\dir\""), SLI("say \"hi\"|a=x\"y|b=it's|c=two\nlines|d=C:\\dir") },
        { SLI("\xe2\x80\x9cMy Response\xe2\x80\x9d name=\xe2\x80\x9eJ\xe2\x80\x9c b=\xc2\xabq\xc2\xbb"), SLI("My Response|name=J|b=q") },
        { SLI("\"x\" a=\"\" b=\"\""), SLI("x|a=|b=") },
        { SLI("\"x\" pr\xc3\xa9nom=\"\xc3\x89ve\""), SLI("x|pr\xc3\xa9nom=\xc3\x89ve") },
        { SLI("John's offer with a='1'"), SLI("John's offer|a=1") },
    };
    CLEANUP(arena_freep) struct arena *a = arena_new();
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct command_object o;
        struct fault f = { 0 };
        CHECK_ROW(i, command_read_object(a, rows[i].rest, &o, &f));
        CHECK_SLICE(shown(a, &o), rows[i].want);
    }
}

TEST(slips_in_a_command_are_told)
{
    static const struct { slice rest; const char *text; } rows[] = {
        { SLI(""), "a name in quotes is missing" },
        { SLI("\"\""), "the name in quotes is empty" },
        { SLI("with a=\"1\""), "the name in quotes is empty" },
        { SLI("\"open"), "the quote at character 1 is not closed" },
        { SLI("\"x\" a=\"\xc3\xa9 b=1"), "the quote at character 7 is not closed" },
        { SLI("\"x\" name \"John\""), "\"=\" is missing behind \"name\" (character 5): name=\"…\"" },
        { SLI("\"x\" with ?"), "name=\"value\" is expected at character 10, not ?" },
        { SLI("\"x\" =1"), "name=\"value\" is expected at character 5, not =" },
    };
    CLEANUP(arena_freep) struct arena *a = arena_new();
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct command_object o;
        struct fault f = { 0 };
        CHECK_ROW(i, !command_read_object(a, rows[i].rest, &o, &f));
        if (strcmp(f.text, rows[i].text) != 0)
            fprintf(stderr, "%zu: %s\n", i, f.text);
        CHECK_ROW(i, strcmp(f.text, rows[i].text) == 0);
    }
    struct text many = text_new(a, 1 << 20);
    struct command_object o;
    text_put(&many, SL("\"x\""));
    for (int i = 0; i <= COMMAND_VALUES_MAX; i++)
        text_add(&many, " v%d=1", i);
    CHECK(!command_read_object(a, text_slice(&many), &o, NULL));
    many = text_new(a, 1 << 20);
    text_put(&many, SL("\"x\" a=\""));
    for (int i = 0; i <= COMMAND_VALUE_BYTES; i++)
        text_char(&many, 'y');
    text_char(&many, '"');
    CHECK(!command_read_object(a, text_slice(&many), &o, NULL));
}
