#include "net/net_test.h"
