/*
 * What the charts show: a sample of the watch's status every 10 s, for 6 hours, in memory. Counts
 * are those within the step; where the process that counts was started anew meanwhile, it is what
 * it has counted since. Steps that nobody saw are null. No I/O, no clock.
 */
#ifndef ADMIN_SERIES_H
#define ADMIN_SERIES_H

#include <jansson.h>
#include <stdint.h>

#define SERIES_STEP_S 10
#define SERIES_STEPS 2160 /* 6 h; seven figures each: 60 KiB */

struct series;

struct series *series_create(void);
void series_destroy(struct series **series);

/* A complete status. The first within a step says what was until the step began. Where the
 * clock was set back by more than a minute, all begins anew. */
void series_take(struct series *series, const json_t *status, int64_t now_s);
/* {"step_s":10,"end":UNIX_S,"series":{"stanzas_in":[n|null,...],...}}, oldest first; the last
 * `minutes` (1 to 360), up to now. Each ends
 * at a multiple of the step, the last at `end`. */
json_t *series_json(const struct series *series, int minutes, int64_t now_s);

#endif
