#include "tests/harness/test.h"
#include "wire/xml_text.h"

TEST(xml_text_finds_the_first_element_of_a_name)
{
    static const struct {
        const char *doc, *name, *want;
    } rows[] = {
        { "<?xml version=\"1.0\"?>\n<Error><Code>NoSuchBucket</Code><Message>a &amp; b</Message></Error>", "Code", "NoSuchBucket" },
        { "<Error><Code>NoSuchBucket</Code><Message>a &amp; b &lt;c&gt; &#65;&#x42;&#233;&#x4e00;&#128512; &quot;&apos;</Message></Error>", "Message",
          "a & b <c> AB\xc3\xa9\xe4\xb8\x80\xf0\x9f\x98\x80 \"'" },
        { "<a:Error xmlns:a=\"x\"><a:UploadId\n x='y'>u-1</a:UploadId></a:Error>", "UploadId", "u-1" },
        { "<E><Empty/><Code></Code></E>", "Empty", "" },
        { "<E><Empty/><Code></Code></E>", "Code", "" },
        { "<!-- <Code>no</Code> --><E><![CDATA[<Code>no</Code>]]><Code>yes</Code></E>", "Code", "yes" },
        { "<E><Code><![CDATA[a<b]]></Code></E>", "Code", "a<b" },
        { "<Key><Key>inner</Key></Key>", "Key", "inner" },
        { "<E>&bad; &#0; &#xd800; &</E>", "E", "&bad; &#0; &#xd800; &" },
        { "<E><Codes>x</Codes></E>", "Code", NULL },
        { "<E><Code>x", "Code", NULL },
        { "<E><Code", "Code", NULL },
        { "<", "Code", NULL },
        { "", "Code", NULL },
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        CLEANUP(arena_freep) struct arena *a = arena_new();
        slice got = xml_text(a, slice_of(rows[i].doc), rows[i].name);
        CHECK_ROW(i, (got.p != NULL) == (rows[i].want != NULL));
        CHECK_SLICE(got, slice_of(rows[i].want));
    }
    CLEANUP(arena_freep) struct arena *a = arena_new();
    CHECK_SLICE(xml_escape(a, SL("a<b>&\"c'")), SL("a&lt;b&gt;&amp;&quot;c&apos;"));
}
