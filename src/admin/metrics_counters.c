#include "admin/metrics_internal.h"

#include "base/alloc.h"

#include <stdlib.h>
#include <string.h>

static bool is_one_of(const char *text, const char *const *words)
{
	while (*words && strcmp(*words, text) != 0)
		words++;
	return *words != NULL;
}

/*
 * Counters of traffic. A name that ends in '.' stands for all that begin with it; what follows is
 * the label's value, or, where there are two labels, that of the first up to the next dot. A
 * "failed." before a failure's name is left out.
 */
static const struct counter_metric {
	const char *name, *help;
	const char *counters[5];
	const char *labels[2];
} counter_metrics[] = {
	{ "world_stanzas",
	  "Stanzas from (in) and to (out) the world",
	  { "stanzas.in", "stanzas.out" },
	  { "direction" } },
	{ "stanzas_taken", "Stanzas that entered this node", { "stanzas.taken" }, { NULL } },
	{ "stanzas_repeated",
	  "Stanzas that came a second time after a break, and were dropped",
	  { "stanzas.repeated" },
	  { NULL } },
	{ "stanza_fates",
	  "What became of stanzas, as the next server or node said",
	  { "stanzas.delivered", "stanzas.written", "stanzas.refused", "stanzas.uncertain" },
	  { "fate" } },
	{ "stanzas_bounced",
	  "Stanzas whose sender got an error from this node",
	  { "stanzas.bounced" },
	  { NULL } },
	{ "stanzas_unbounced",
	  "Stanzas that failed and of whose kind no error is sent",
	  { "stanzas.unbounced" },
	  { NULL } },
	{ "bounces", "Errors to senders, by cause", { "bounces." }, { "cause" } },
	{ "connections",
	  "Connections from the world",
	  { "connections.accepted", "connections.refused" },
	  { "result" } },
	{ "stream_setups",
	  "Streams with the world that got ready, or did not, by failure",
	  { "setups." },
	  { "direction", "result" } },
	{ "tls_sessions",
	  "Streams with the world that got ready, by version of TLS",
	  { "tls." },
	  { "version" } },
	{ "dialback_keys",
	  "Dialback keys of ours that others asked about, by our verdict",
	  { "dialback.keys." },
	  { "verdict" } },
	{ "dialback_verified",
	  "Dialback keys of others, by the verdict of whom we asked",
	  { "dialback.verified." },
	  { "verdict" } },
};

/* Those that go down too. */
static const char *const gauges[] = { "stanzas.open", "streams.open", NULL };

static bool counts(const char *counter, const char *name)
{
	size_t len = strlen(counter);

	return counter[len - 1] == '.' ? strncmp(name, counter, len) == 0 && name[len]
				       : strcmp(name, counter) == 0;
}

/* The counter of a family that a name is; NULL: none of it. */
static const char *counter_of(const struct counter_metric *metric, const char *name)
{
	for (size_t i = 0; i < nitems(metric->counters) && metric->counters[i]; i++) {
		if (counts(metric->counters[i], name))
			return metric->counters[i];
	}
	return NULL;
}

static void write_counter(struct openmetrics *family, const struct counter_metric *metric,
			  const char *counter, const char *name, json_int_t value)
{
	size_t len = strlen(counter);
	const char *rest = name + (counter[len - 1] == '.' ? len : strcspn(name, ".") + 1);
	const char *dot = metric->labels[1] ? strchr(rest, '.') : NULL;
	char *first = dot ? xstrndup(rest, (size_t)(dot - rest)) : xstrdup(rest);
	const char *second = dot ? dot + 1 : "";

	if (strncmp(second, "failed.", 7) == 0)
		second += 7;
	openmetrics_sample(family,
			   (const struct openmetrics_label[]){
				   { metric->labels[0], first },
				   { metric->labels[0] ? metric->labels[1] : NULL, second },
				   { NULL, NULL } },
			   value);
	free(first);
}

static void write_others(struct buffer *out, const json_t *counters)
{
	struct openmetrics family = openmetrics_begin(out, "other", "counter", NULL,
						      "Counters without a name of their own");
	const char *name;
	json_t *value;

	json_object_foreach((json_t *)(uintptr_t)counters, name, value)
	{
		bool known = is_one_of(name, gauges);

		for (size_t i = 0; i < nitems(counter_metrics); i++)
			known |= counter_of(&counter_metrics[i], name) != NULL;
		if (!known)
			openmetrics_sample(&family, OPENMETRICS_LABEL("name", name),
					   json_integer_value(value));
	}
	openmetrics_end(&family);
}

void metrics_counters(struct buffer *out, const json_t *counters)
{
	for (size_t i = 0; i < nitems(counter_metrics); i++) {
		const struct counter_metric *metric = &counter_metrics[i];
		struct openmetrics family =
			openmetrics_begin(out, metric->name, "counter", NULL, metric->help);
		const char *name, *counter;
		json_t *value;

		json_object_foreach((json_t *)(uintptr_t)counters, name, value)
		{
			counter = counter_of(metric, name);
			if (counter)
				write_counter(&family, metric, counter, name,
					      json_integer_value(value));
		}
		openmetrics_end(&family);
	}
	write_others(out, counters);
}

/* Histograms: bounds, and "sum" in microseconds. */

static const struct histogram_metric {
	const char *name, *help;
	struct {
		const char *histogram, *direction;
	} parts[2];
} histogram_metrics[] = {
	{ "stream_setup_seconds",
	  "From the first packet until a stream with the world may carry stanzas",
	  { { "setup_in", "in" }, { "setup_out", "out" } } },
	{ "stanza_latency_seconds",
	  "From entering this node until a stanza's fate is known",
	  { { "latency", NULL } } },
};

static void write_bucket(struct openmetrics *family, const json_t *row, const char *direction)
{
	const char *le = text_of(row, "le");
	json_int_t count = number_of(row, "count");
	struct openmetrics_label labels[3] = { { NULL, NULL } };
	size_t labelled = 0;
	char *bound = xasprintf("%s%s", le, strpbrk(le, ".I") ? "" : ".0"); /* "+Inf" */
	char *value = xasprintf("%" JSON_INTEGER_FORMAT, count);

	if (direction)
		labels[labelled++] = (struct openmetrics_label){ "direction", direction };
	if (strcmp(le, "sum") == 0) {
		free(value);
		value = xasprintf("%.6f", (double)count / 1000000);
		openmetrics_text(family, "_sum", labels, value);
	} else {
		labels[labelled] = (struct openmetrics_label){ "le", bound };
		openmetrics_text(family, "_bucket", labels, value);
		labels[labelled] = (struct openmetrics_label){ NULL, NULL };
		if (strcmp(le, "+Inf") == 0)
			openmetrics_text(family, "_count", labels, value);
	}
	free(value);
	free(bound);
}

void metrics_histograms(struct buffer *out, const json_t *histograms)
{
	for (size_t i = 0; i < nitems(histogram_metrics); i++) {
		const struct histogram_metric *metric = &histogram_metrics[i];
		struct openmetrics family =
			openmetrics_begin(out, metric->name, "histogram", "seconds", metric->help);

		for (size_t p = 0; p < nitems(metric->parts) && metric->parts[p].histogram; p++) {
			size_t index;
			json_t *row;

			json_array_foreach(histograms, index, row)
			{
				if (strcmp(text_of(row, "name"), metric->parts[p].histogram) == 0)
					write_bucket(&family, row, metric->parts[p].direction);
			}
		}
		openmetrics_end(&family);
	}
}
