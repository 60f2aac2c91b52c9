#include "admin/metrics.h"

#include "admin/openmetrics.h"
#include "base/alloc.h"
#include "base/buffer.h"

#include <stdlib.h>
#include <string.h>

#define LABELS_MAX 4

static const char *text_of(const json_t *object, const char *key)
{
	const char *value = json_string_value(json_object_get(object, key));

	return value ? value : "";
}

static json_int_t number_of(const json_t *object, const char *key)
{
	return json_integer_value(json_object_get(object, key));
}

static bool is_one_of(const char *text, const char *const *words)
{
	while (*words && strcmp(*words, text) != 0)
		words++;
	return *words != NULL;
}

static bool is_well(const json_t *row)
{
	static const char *const well[] = { "up", "ready", "open", "running", NULL };

	return is_one_of(text_of(row, "state"), well);
}

/* A sample for each row of a list. */
enum measure { IS_WELL, NUMBER, THOUSANDTHS, ONE };

static const struct list_metric {
	const char *name, *type, *unit, *help;
	const char *list;
	enum measure measure;
	const char *key; /* of what is measured */
	struct {
		const char *name, *key;
	} labels[LABELS_MAX + 1];
} list_metrics[] = {
	{ "process_up",
	  "gauge",
	  NULL,
	  "Whether a process of the node runs",
	  "processes",
	  IS_WELL,
	  NULL,
	  { { "process", "name" } } },
	{ "process_starts",
	  "counter",
	  NULL,
	  "How often a process was started; more than once: it died",
	  "processes",
	  NUMBER,
	  "starts",
	  { { "process", "name" } } },
	{ "link_up",
	  "gauge",
	  NULL,
	  "Whether the link to another node is open",
	  "links",
	  IS_WELL,
	  NULL,
	  { { "node", "node" }, { "role", "role" } } },
	{ "link_unsettled_stanzas",
	  "gauge",
	  "stanzas",
	  "Stanzas that went to another node and whose fate is not known yet",
	  "links",
	  NUMBER,
	  "unsettled",
	  { { "node", "node" } } },
	{ "attachment_up",
	  "gauge",
	  NULL,
	  "Whether the XMPP server with the users is attached",
	  "attachments",
	  IS_WELL,
	  NULL,
	  { { "attachment", "name" } } },
	{ "attachment_unsettled_stanzas",
	  "gauge",
	  "stanzas",
	  "Stanzas that went to that server and whose fate is not known yet",
	  "attachments",
	  NUMBER,
	  "unsettled",
	  { { "attachment", "name" } } },
	{ "tunnel_up",
	  "gauge",
	  NULL,
	  "Whether the SSH tunnel to another node is open",
	  "tunnels",
	  IS_WELL,
	  NULL,
	  { { "node", "node" } } },
	{ "tunnel_silence_seconds",
	  "gauge",
	  "seconds",
	  "Since anything was heard through the tunnel",
	  "tunnels",
	  THOUSANDTHS,
	  "heard_ms",
	  { { "node", "node" } } },
	{ "tunnel_clock_skew_seconds",
	  "gauge",
	  "seconds",
	  "How far the other node's clock is from ours",
	  "tunnels",
	  THOUSANDTHS,
	  "skew_ms",
	  { { "node", "node" } } },
	{ "home_server_up",
	  "gauge",
	  NULL,
	  "Whether the table of a home server is as it should be, by AXL",
	  "home_servers",
	  IS_WELL,
	  NULL,
	  { { "server", "name" } } },
	{ "certificate_end_timestamp_seconds",
	  "gauge",
	  "seconds",
	  "When a certificate of ours ends",
	  "certificates",
	  NUMBER,
	  "not_after",
	  { { "setting", "setting" } } },
	{ "alarm",
	  "gauge",
	  NULL,
	  "1 for each alarm that stands",
	  "alarms",
	  ONE,
	  NULL,
	  { { "number", "number" },
	    { "severity", "severity" },
	    { "title", "title" },
	    { "subject", "subject" } } },
};

/* A label's value: text, or a number in digits (in *digits, freed by the caller). */
static const char *label_value(const json_t *row, const char *key, char **digits)
{
	const json_t *value = json_object_get(row, key);

	if (!json_is_integer(value))
		return text_of(row, key);
	*digits = xasprintf("%" JSON_INTEGER_FORMAT, json_integer_value(value));
	return *digits;
}

static void write_row(struct openmetrics *family, const struct list_metric *metric,
		      const json_t *row)
{
	struct openmetrics_label labels[LABELS_MAX + 1] = { { NULL, NULL } };
	char *digits[LABELS_MAX] = { NULL };

	for (size_t i = 0; metric->labels[i].name; i++)
		labels[i] = (struct openmetrics_label){
			metric->labels[i].name, label_value(row, metric->labels[i].key, &digits[i])
		};
	if (metric->measure == IS_WELL)
		openmetrics_sample(family, labels, is_well(row));
	else if (metric->measure == ONE)
		openmetrics_sample(family, labels, 1);
	else if (json_is_integer(json_object_get(row, metric->key)) && metric->measure == NUMBER)
		openmetrics_sample(family, labels, number_of(row, metric->key));
	else if (json_is_integer(json_object_get(row, metric->key)))
		openmetrics_thousandths(family, labels, number_of(row, metric->key));
	for (size_t i = 0; i < nitems(digits); i++)
		free(digits[i]);
}

static void write_lists(struct buffer *out, const json_t *status)
{
	for (size_t i = 0; i < nitems(list_metrics); i++) {
		const struct list_metric *metric = &list_metrics[i];
		struct openmetrics family = openmetrics_begin(out, metric->name, metric->type,
							      metric->unit, metric->help);
		size_t index;
		json_t *row;

		json_array_foreach(json_object_get(status, metric->list), index, row)
			write_row(&family, metric, row);
		openmetrics_end(&family);
	}
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

static void write_counters(struct buffer *out, const json_t *counters)
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

static void write_histograms(struct buffer *out, const json_t *histograms)
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

/* Rows are counted by some of their fields. */

static const struct group_metric {
	const char *name, *help, *list;
	const char *needs; /* a field without which a row does not count; NULL: all do */
	const char *labels[LABELS_MAX + 1]; /* and keys */
} group_metrics[] = {
	{ "streams",
	  "Streams with the world",
	  "streams",
	  NULL,
	  { "direction", "state", "tls", "auth" } },
	{ "domains_failing",
	  "Domains of the world whose last attempt failed, by failure",
	  "peers",
	  "failure",
	  { "failure" } },
	{ "alarms", "Alarms that stand, by severity", "alarms", NULL, { "severity" } },
};

static void count_row(json_t *groups, const struct group_metric *metric, const json_t *row)
{
	struct openmetrics_label labels[LABELS_MAX + 1] = { { NULL, NULL } };
	char *text;

	if (metric->needs && !*text_of(row, metric->needs))
		return;
	for (size_t i = 0; metric->labels[i]; i++)
		labels[i] = (struct openmetrics_label){ metric->labels[i],
							text_of(row, metric->labels[i]) };
	text = openmetrics_labels(labels);
	json_object_set_new(groups, text, json_integer(number_of(groups, text) + 1));
	free(text);
}

/* That a severity has no alarm is worth a sample: a rule compares it. */
static json_t *groups_of(const struct group_metric *metric)
{
	static const char *const severities[] = { "warning", "error", "alert", "critical" };
	json_t *groups = json_object();

	for (size_t i = 0; i < nitems(severities) && strcmp(metric->name, "alarms") == 0; i++) {
		char *text = openmetrics_labels(OPENMETRICS_LABEL("severity", severities[i]));

		json_object_set_new(groups, text, json_integer(0));
		free(text);
	}
	return groups;
}

static void write_groups(struct buffer *out, const json_t *status)
{
	for (size_t i = 0; i < nitems(group_metrics); i++) {
		const struct group_metric *metric = &group_metrics[i];
		struct openmetrics family =
			openmetrics_begin(out, metric->name, "gauge", NULL, metric->help);
		json_t *groups = groups_of(metric), *row;
		const char *labels;
		size_t index;

		json_array_foreach(json_object_get(status, metric->list), index, row)
			count_row(groups, metric, row);
		json_object_foreach(groups, labels, row)
			buffer_printf(out, "sallyport_%s%s %" JSON_INTEGER_FORMAT "\n",
				      metric->name, labels, json_integer_value(row));
		json_decref(groups);
		openmetrics_end(&family);
	}
}

/* What there is one of */

static void write_one(struct buffer *out, const char *name, const char *unit, const char *help,
		      bool known, json_int_t value)
{
	struct openmetrics family = openmetrics_begin(out, name, "gauge", unit, help);

	if (known)
		openmetrics_sample(&family, OPENMETRICS_NO_LABEL, value);
	openmetrics_end(&family);
}

static void write_build(struct buffer *out, const json_t *status)
{
	const json_t *node = json_object_get(status, "node");
	struct openmetrics family =
		openmetrics_begin(out, "build", "info", NULL, "The node and its release");

	openmetrics_sample(
		&family,
		(const struct openmetrics_label[]){ { "node", text_of(node, "name") },
						    { "role", text_of(node, "role") },
						    { "version", text_of(status, "release") },
						    { NULL, NULL } },
		1);
	openmetrics_end(&family);
}

static void write_answers(struct buffer *out, const json_t *status)
{
	static const char *const asked[] = { "control", "traffic" };
	struct openmetrics family = openmetrics_begin(out, "process_answers", "gauge", NULL,
						      "Whether a process says how it does");

	for (size_t i = 0; i < nitems(asked); i++) {
		bool silent = false;
		size_t index;
		json_t *row;

		json_array_foreach(json_object_get(status, "silent"), index, row) silent |=
			strcmp(text_of(row, "process"), asked[i]) == 0;
		openmetrics_sample(&family, OPENMETRICS_LABEL("process", asked[i]), !silent);
	}
	openmetrics_end(&family);
}

static void write_queues(struct buffer *out, const json_t *status)
{
	json_int_t stanzas = 0, bytes = 0, oldest = 0;
	size_t index;
	json_t *queue;

	json_array_foreach(json_object_get(status, "queues"), index, queue)
	{
		json_int_t seconds = number_of(queue, "oldest_seconds");

		stanzas += number_of(queue, "stanzas");
		bytes += number_of(queue, "bytes");
		oldest = seconds > oldest ? seconds : oldest;
	}
	write_one(out, "queue_stanzas", "stanzas", "Stanzas that wait for a stream to the world",
		  true, stanzas);
	write_one(out, "queue_bytes", "bytes", "What they are in bytes", true, bytes);
	write_one(out, "queue_oldest_seconds", "seconds", "How long the oldest of them has waited",
		  true, oldest);
}

static void write_singles(struct buffer *out, const json_t *status)
{
	const json_t *settings = json_object_get(status, "settings");
	const json_t *counters = json_object_get(status, "counters");
	const json_t *open = json_object_get(counters, "stanzas.open");
	const json_t *revision = json_object_get(status, "revision");

	write_build(out, status);
	write_one(out, "well", NULL, "1 if the node's verdict of itself is good, 0 if not", true,
		  json_array_size(json_object_get(status, "wrong")) == 0);
	write_answers(out, status);
	write_one(out, "federation_enabled", NULL,
		  "Whether federation is on; home nodes have no switch",
		  json_object_get(settings, "federation.enabled") != NULL,
		  strcmp(text_of(settings, "federation.enabled"), "on") == 0);
	write_one(out, "settings_revision", NULL, "Revision of the settings",
		  json_is_integer(revision), json_integer_value(revision));
	write_one(out, "stanzas_open", NULL, "Stanzas in this node's custody", open != NULL,
		  json_integer_value(open));
	write_one(out, "notifications", NULL, "Notifications for the home server's administrator",
		  true, (json_int_t)json_array_size(json_object_get(status, "notifications")));
	write_queues(out, status);
}

char *metrics_text(const json_t *status)
{
	struct buffer out = { 0 };

	write_singles(&out, status);
	write_counters(&out, json_object_get(status, "counters"));
	write_histograms(&out, json_object_get(status, "histograms"));
	write_groups(&out, status);
	write_lists(&out, status);
	buffer_append_text(&out, "# EOF\n");
	return buffer_take_text(&out);
}
