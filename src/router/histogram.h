/*
 * How long things took, counted by bounds that suit both a stanza's way and a stream's set-up.
 * Adding costs a few comparisons. Plain data, all zero is empty; no I/O.
 */
#ifndef ROUTER_HISTOGRAM_H
#define ROUTER_HISTOGRAM_H

#include "base/buffer.h"

#include <stdint.h>

#define HISTOGRAM_BOUNDS 13

struct histogram {
	uint64_t counts[HISTOGRAM_BOUNDS + 1]; /* the last: more than the last bound */
	uint64_t sum_ms;
};

extern const uint32_t histogram_bounds_ms[HISTOGRAM_BOUNDS];

static inline void histogram_add(struct histogram *histogram, uint64_t ms)
{
	unsigned i = 0;

	while (i < HISTOGRAM_BOUNDS && ms > histogram_bounds_ms[i])
		i++;
	histogram->counts[i]++;
	histogram->sum_ms += ms;
}

/* Appends its records `histogram` (admin/status.h). */
void histogram_write(const struct histogram *histogram, const char *name, struct buffer *out);

#endif
