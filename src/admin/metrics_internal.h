/* What the files of metrics.c share. */
#ifndef ADMIN_METRICS_INTERNAL_H
#define ADMIN_METRICS_INTERNAL_H

#include "admin/metrics.h"
#include "admin/openmetrics.h"

#include <stdbool.h>

static inline const char *text_of(const json_t *object, const char *key)
{
	const char *value = json_string_value(json_object_get(object, key));

	return value ? value : "";
}

static inline json_int_t number_of(const json_t *object, const char *key)
{
	return json_integer_value(json_object_get(object, key));
}

/* Families made of lists: a sample for each row, and rows counted by some of their fields. */
void metrics_lists(struct buffer *out, const json_t *status);
void metrics_groups(struct buffer *out, const json_t *status);
/* Of what traffic counts. */
void metrics_counters(struct buffer *out, const json_t *counters);
void metrics_histograms(struct buffer *out, const json_t *histograms);

#endif
