/* slots.h - which of the 16384 slots of a cluster a key lies in: CRC16 of the key, or of what stands between its first { and the next }. */
#ifndef CACHE_SLOTS_H
#define CACHE_SLOTS_H
#include "base/base.h"

enum { CACHE_SLOTS = 16384 };
unsigned cache_slot(slice key);
#endif
