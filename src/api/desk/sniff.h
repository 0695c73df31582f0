/* sniff.h - what the bytes of an uploaded file are. Pictures, sound and films are known by how they begin; the rest is what the sender says, but never a picture. */
#ifndef API_DESK_SNIFF_H
#define API_DESK_SNIFF_H
#include "base/base.h"

/* said: the sender's media type; absent: not said. */
slice sniff_type(slice body, slice said);
#endif
