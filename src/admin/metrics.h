/*
 * The status as metrics for Prometheus, in OpenMetrics 1.0: what docs/metrics.md lists. Engine: a
 * status that is complete (watch_complete) in, text out.
 *
 * Each name is there whether or not there is a sample of it, so that a dashboard's query for it is
 * never a question of luck. No label's value is a foreign domain's: strangers could make as many
 * as they like. No I/O.
 */
#ifndef ADMIN_METRICS_H
#define ADMIN_METRICS_H

#include <jansson.h>

/* Of type OPENMETRICS_TYPE (admin/openmetrics.h); the caller's. */
char *metrics_text(const json_t *status);

#endif
