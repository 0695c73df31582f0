/* draw.h - small pictures of our own, drawn when asked for, as PNG: faces of the simulated people, stickers, a sample photograph.
 *
 * The same number gives the same picture. Results live in the arena.
 */
#ifndef SIM_DRAW_H
#define SIM_DRAW_H
#include "base/base.h"

slice draw_face(struct arena *a, unsigned size, unsigned number) MUST_USE;
slice draw_sticker(struct arena *a, unsigned size, unsigned number) MUST_USE;
slice draw_scene(struct arena *a, unsigned width, unsigned height, unsigned number) MUST_USE;
#endif
