#include "sim/slack.h"
#include "tests/harness/test.h"
