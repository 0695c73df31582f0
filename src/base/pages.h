/* pages.h - the memory that counts as ours: how much it is, and giving back what only the start needed.
 *
 * Starting touches most of the program and of its libraries once: relocation, tables, tests of themselves. Those pages are then counted as ours for
 * good, though a process at rest uses few of them. Given back they are still in the system's page cache: whatever is needed again is mapped
 * again at its first use, without reading the disk.
 *
 * Threads    any, also while others run: only pages are given back that are never written.
 */
#ifndef BASE_PAGES_H
#define BASE_PAGES_H
#include <stdint.h>

void pages_give_back(void); /* also what malloc holds free */
int64_t pages_resident(void); /* bytes; 0: the system does not say */
#endif
