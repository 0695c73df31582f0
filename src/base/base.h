/* base.h - everything in base/ that nearly every file wants. */
#ifndef BASE_BASE_H
#define BASE_BASE_H
#include "base/arena.h"
#include "base/clock.h"
#include "base/fault.h"
#include "base/macros.h"
#include "base/slice.h"
#include "base/text.h"
#endif
