#include "admin/metrics_internal.h"

#include "base/alloc.h"

#include <string.h>

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

static bool answers(const json_t *status, const char *process)
{
	size_t index;
	json_t *row;

	json_array_foreach(json_object_get(status, "silent"), index, row)
	{
		if (strcmp(text_of(row, "process"), process) == 0)
			return false;
	}
	return true;
}

static void write_answers(struct buffer *out, const json_t *status)
{
	static const char *const asked[] = { "control", "traffic" };
	struct openmetrics family = openmetrics_begin(out, "process_answers", "gauge", NULL,
						      "Whether a process says how it does");

	for (size_t i = 0; i < nitems(asked); i++)
		openmetrics_sample(&family, OPENMETRICS_LABEL("process", asked[i]),
				   answers(status, asked[i]));
	openmetrics_end(&family);
}

static void write_queues(struct buffer *out, const json_t *status)
{
	json_int_t stanzas = 0, bytes = 0, oldest = 0;
	bool known = answers(status, "traffic");
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
		  known, stanzas);
	write_one(out, "queue_bytes", "bytes", "What they are in bytes", known, bytes);
	write_one(out, "queue_oldest_seconds", "seconds", "How long the oldest of them has waited",
		  known, oldest);
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
		  answers(status, "control"),
		  (json_int_t)json_array_size(json_object_get(status, "notifications")));
	write_queues(out, status);
}

char *metrics_text(const json_t *status)
{
	struct buffer out = { 0 };

	write_singles(&out, status);
	metrics_counters(&out, json_object_get(status, "counters"));
	metrics_histograms(&out, json_object_get(status, "histograms"));
	metrics_groups(&out, status);
	metrics_lists(&out, status);
	buffer_append_text(&out, "# EOF\n");
	return buffer_take_text(&out);
}
