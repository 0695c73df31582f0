#include "template/template.h"
#include "tests/harness/test.h"

TEST(template_renders)
{
    CHECK(true);
}
