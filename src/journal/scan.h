/* scan.h - records of a group, as told to readers beside the hub. */
#ifndef JOURNAL_SCAN_H
#define JOURNAL_SCAN_H
#include "journal/journal.h"

/* False: each wants no more. */
bool records_tell(slice records, bool (*each)(void *arg, const struct jrecord *r), void *arg);
#endif
