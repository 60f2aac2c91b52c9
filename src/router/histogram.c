#include "router/histogram.h"

#include "ipc/snapshot.h"

#include <inttypes.h>
#include <stdio.h>

const uint32_t histogram_bounds_ms[HISTOGRAM_BOUNDS] = { 5,    10,   25,   50,	  100,	 250,  500,
							 1000, 2500, 5000, 10000, 30000, 60000 };
static const char *const bounds[HISTOGRAM_BOUNDS + 1] = {
	"0.005", "0.01", "0.025", "0.05", "0.1",  "0.25", "0.5",
	"1.0",	 "2.5",	 "5.0",	  "10.0", "30.0", "60.0", "+Inf",
};

static void add(struct buffer *out, const char *name, const char *bound, uint64_t value)
{
	char text[24];

	snprintf(text, sizeof(text), "%" PRIu64, value);
	snapshot_add(out, &(struct snapshot_record){ 4,
						     { slice_of("histogram"), slice_of(name),
						       slice_of(bound), slice_of(text) } });
}

void histogram_write(const struct histogram *histogram, const char *name, struct buffer *out)
{
	uint64_t so_far = 0;

	for (size_t i = 0; i <= HISTOGRAM_BOUNDS; i++) {
		so_far += histogram->counts[i];
		add(out, name, bounds[i], so_far);
	}
	add(out, name, "sum", histogram->sum_ms * 1000);
}
