#include "admin/series.h"

#include "base/alloc.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* What is sampled; the names are those of the JSON. */
enum figure {
	STANZAS_IN,
	STANZAS_OUT,
	BOUNCES,
	STREAMS,
	WAITING,
	LATENCY_P50_MS,
	LATENCY_P99_MS,
	FIGURES,
};

static const struct {
	const char *name;
	const char *counter; /* counted up; its difference is the figure */
	const char *gauge;   /* a counter that goes down too */
	double quantile;     /* of the histogram "latency", within the step */
} figures[FIGURES] = {
	[STANZAS_IN] = { "stanzas_in", .counter = "stanzas.in" },
	[STANZAS_OUT] = { "stanzas_out", .counter = "stanzas.out" },
	[BOUNCES] = { "bounces", .counter = "stanzas.bounced" },
	[STREAMS] = { "streams", .gauge = "streams.open" },
	[WAITING] = { "waiting", .gauge = "stanzas.open" },
	[LATENCY_P50_MS] = { "latency_p50_ms", .quantile = 0.5 },
	[LATENCY_P99_MS] = { "latency_p99_ms", .quantile = 0.99 },
};

#define BUCKETS_MAX 32 /* of a histogram */
#define STEPS_BACK 6   /* that the clock may be set back; by more: all begins anew */

struct series {
	float rows[SERIES_STEPS][FIGURES]; /* a ring by step; NAN: not known */
	int64_t step;			   /* the newest that is in it; -1: none */
	json_int_t counted[FIGURES];	   /* at the end of it */
	bool has_counted[FIGURES];
	json_int_t buckets[BUCKETS_MAX]; /* of the histogram then; cumulative */
	size_t buckets_count;
};

struct series *series_create(void)
{
	struct series *series = xcalloc(1, sizeof(*series));

	series->step = -1;
	return series;
}

void series_destroy(struct series **series)
{
	free(*series);
	*series = NULL;
}

static void clear(float row[FIGURES])
{
	for (size_t f = 0; f < FIGURES; f++)
		row[f] = NAN;
}

/* Steps between the newest and this one were seen by nobody. */
static void move_to(struct series *series, int64_t step)
{
	int64_t from = series->step + 1;

	if (series->step < 0 || step < from || step - from >= SERIES_STEPS)
		from = step - SERIES_STEPS + 1;
	for (int64_t at = from < 0 ? 0 : from; at <= step; at++)
		clear(series->rows[at % SERIES_STEPS]);
	series->step = step;
}

/* The buckets of the histogram, with the bounds in ms; the last is endless. */
struct histogram {
	double bounds[BUCKETS_MAX];
	json_int_t counts[BUCKETS_MAX];
	size_t count;
};

static void read_histogram(const json_t *status, struct histogram *h)
{
	size_t index;
	json_t *row;

	h->count = 0;
	json_array_foreach(json_object_get(status, "histograms"), index, row)
	{
		const char *name = json_string_value(json_object_get(row, "name"));
		const char *le = json_string_value(json_object_get(row, "le"));

		if (!name || !le || strcmp(name, "latency") != 0 || strcmp(le, "sum") == 0 ||
		    h->count == BUCKETS_MAX)
			continue;
		h->bounds[h->count] = strtod(le, NULL) * 1000;
		h->counts[h->count++] = json_integer_value(json_object_get(row, "count"));
	}
}

/* Of what came since the last sample; in between two bounds it is taken as evenly spread. */
static double quantile(const struct series *series, const struct histogram *h, double part)
{
	bool again = series->buckets_count != h->count || !h->count ||
		     h->counts[h->count - 1] < series->buckets[h->count - 1];
	json_int_t all, below = 0;
	double from = 0;

	if (!h->count)
		return NAN;
	all = h->counts[h->count - 1] - (again ? 0 : series->buckets[h->count - 1]);
	for (size_t i = 0; i < h->count && all > 0; i++) {
		json_int_t count = h->counts[i] - (again ? 0 : series->buckets[i]);

		if ((double)count >= part * (double)all && count > below) {
			if (isinf(h->bounds[i]))
				return from;
			return from + (h->bounds[i] - from) * (part * (double)all - (double)below) /
					      (double)(count - below);
		}
		below = count;
		from = h->bounds[i];
	}
	return NAN;
}

static void take_counter(struct series *series, enum figure f, const json_t *counters, float *to)
{
	const json_t *value = json_object_get(counters, figures[f].counter);
	json_int_t now = json_integer_value(value), before = series->counted[f];

	if (!json_is_integer(value))
		return; /* traffic is silent; what it counts meanwhile comes with its next answer */
	if (series->has_counted[f])
		*to = (float)(now < before ? now : now - before);
	series->counted[f] = now;
	series->has_counted[f] = true;
}

void series_take(struct series *series, const json_t *status, int64_t now_s)
{
	const json_t *counters = json_object_get(status, "counters");
	int64_t step = now_s / SERIES_STEP_S;
	struct histogram histogram;
	float *row;

	if (step <= series->step && step > series->step - STEPS_BACK)
		return;
	move_to(series, step);
	row = series->rows[step % SERIES_STEPS];
	read_histogram(status, &histogram);
	for (enum figure f = 0; f < FIGURES; f++) {
		const json_t *gauge =
			figures[f].gauge ? json_object_get(counters, figures[f].gauge) : NULL;

		if (figures[f].counter)
			take_counter(series, f, counters, &row[f]);
		else if (json_is_integer(gauge))
			row[f] = (float)json_integer_value(gauge);
		else if (figures[f].quantile > 0 && series->buckets_count)
			row[f] = (float)quantile(series, &histogram, figures[f].quantile);
	}
	if (!histogram.count)
		return;
	memcpy(series->buckets, histogram.counts, sizeof(series->buckets));
	series->buckets_count = histogram.count;
}

/* Milliseconds without the digits that nobody measured. */
static double microseconds(float ms)
{
	return (double)(int64_t)((double)ms * 1000 + 0.5) / 1000;
}

static json_t *figure_json(const struct series *series, enum figure f, int64_t from, int64_t to)
{
	json_t *list = json_array();

	for (int64_t step = from; step <= to; step++) {
		float value = NAN;

		if (step > series->step - SERIES_STEPS && step <= series->step && step >= 0)
			value = series->rows[step % SERIES_STEPS][f];
		if (isnan(value))
			json_array_append_new(list, json_null());
		else if (figures[f].quantile > 0)
			json_array_append_new(list, json_real(microseconds(value)));
		else
			json_array_append_new(list, json_integer((json_int_t)value));
	}
	return list;
}

json_t *series_json(const struct series *series, int minutes, int64_t now_s)
{
	int bounded = minutes < 1 ? 1 : minutes > 360 ? 360 : minutes;
	int64_t steps = bounded * 60 / SERIES_STEP_S, to = now_s / SERIES_STEP_S;
	json_t *all = json_object();

	if (to == series->step + 1)
		to = series->step; /* not looked at yet, and nobody's gap */
	for (enum figure f = 0; f < FIGURES; f++)
		json_object_set_new(all, figures[f].name,
				    figure_json(series, f, to - steps + 1, to));
	return json_pack("{s:i, s:I, s:o}", "step_s", SERIES_STEP_S, "end",
			 (json_int_t)to * SERIES_STEP_S, "series", all);
}
