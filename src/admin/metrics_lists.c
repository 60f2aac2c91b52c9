#include "admin/metrics_internal.h"

#include "base/alloc.h"

#include <stdlib.h>
#include <string.h>

#define LABELS_MAX 4

static bool is_well(const json_t *row)
{
	static const char *const well[] = { "up", "ready", "open", "running" };

	for (size_t i = 0; i < nitems(well); i++) {
		if (strcmp(text_of(row, "state"), well[i]) == 0)
			return true;
	}
	return false;
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

void metrics_lists(struct buffer *out, const json_t *status)
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

#define GROUPS_MAX 500 /* of what we tell apart there are some dozens */

/* Rows with the same labels. There are few, and many rows: they are compared, not written. */
struct group {
	const char *values[LABELS_MAX]; /* lent by a row */
	json_int_t count;
};
struct groups {
	struct group *list;
	size_t count;
};

/* NULL: too many, so traffic tells what it should not. */
static struct group *find_group(struct groups *groups, const char *const values[LABELS_MAX])
{
	struct group *group;

	for (size_t i = 0; i < groups->count; i++) {
		bool same = true;

		for (size_t v = 0; v < LABELS_MAX && values[v] && same; v++)
			same = strcmp(groups->list[i].values[v], values[v]) == 0;
		if (same)
			return &groups->list[i];
	}
	if (groups->count == GROUPS_MAX)
		return NULL;
	groups->list = xrealloc(groups->list, (groups->count + 1) * sizeof(*groups->list));
	group = &groups->list[groups->count++];
	memcpy(group->values, values, sizeof(group->values));
	group->count = 0;
	return group;
}

static void count_row(struct groups *groups, const struct group_metric *metric, const json_t *row)
{
	const char *values[LABELS_MAX] = { NULL };
	struct group *group;

	if (metric->needs && !*text_of(row, metric->needs))
		return;
	for (size_t i = 0; metric->labels[i]; i++)
		values[i] = text_of(row, metric->labels[i]);
	group = find_group(groups, values);
	if (group)
		group->count++;
}

/* That a severity has no alarm is worth a sample: a rule compares it. */
static void add_severities(struct groups *groups)
{
	static const char *const severities[] = { "warning", "error", "alert", "critical" };

	for (size_t i = 0; i < nitems(severities); i++)
		find_group(groups, (const char *const[LABELS_MAX]){ severities[i] });
}

static void write_group(struct openmetrics *family, const struct group_metric *metric,
			const struct group *group)
{
	struct openmetrics_label labels[LABELS_MAX + 1] = { { NULL, NULL } };

	for (size_t i = 0; metric->labels[i]; i++)
		labels[i] = (struct openmetrics_label){ metric->labels[i], group->values[i] };
	openmetrics_sample(family, labels, group->count);
}

void metrics_groups(struct buffer *out, const json_t *status)
{
	for (size_t i = 0; i < nitems(group_metrics); i++) {
		const struct group_metric *metric = &group_metrics[i];
		struct openmetrics family =
			openmetrics_begin(out, metric->name, "gauge", NULL, metric->help);
		struct groups groups = { 0 };
		json_t *row;
		size_t index;

		if (strcmp(metric->name, "alarms") == 0)
			add_severities(&groups);
		json_array_foreach(json_object_get(status, metric->list), index, row)
			count_row(&groups, metric, row);
		for (size_t g = 0; g < groups.count; g++)
			write_group(&family, metric, &groups.list[g]);
		free(groups.list);
		openmetrics_end(&family);
	}
}
