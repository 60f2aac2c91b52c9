#include "admin/why_text.h"

#include "base/alloc.h"
#include "base/buffer.h"
#include "base/utc.h"

#include <stdio.h>
#include <stdlib.h>

#define COLUMNS 80
#define STEP_INDENT 34
#define STEP_SHOWN 140 /* characters of a step's text; the JSON has all */

static const char *string_of(const json_t *object, const char *key)
{
	const char *value = json_string_value(json_object_get(object, key));

	return value ? value : "";
}

static long long number_of(const json_t *object, const char *key)
{
	return json_integer_value(json_object_get(object, key));
}

/* The bytes of the next character. */
static size_t character(const char *text)
{
	size_t len = 1;

	while (((unsigned char)text[len] & 0xc0) == 0x80)
		len++;
	return len;
}

/* How much of the text fits into so many columns, broken at a space where there is one. */
static size_t fitting(const char *text, size_t columns)
{
	size_t len = 0, space = 0, shown = 0;

	while (text[len] && shown < columns) {
		if (text[len] == ' ')
			space = len;
		len += character(text + len);
		shown++;
	}
	return !text[len] || text[len] == ' ' || !space ? len : space;
}

/* Goes on at column `indent`, and further lines begin there. */
static void wrap(struct buffer *out, size_t indent, const char *text)
{
	for (;;) {
		size_t len = fitting(text, COLUMNS - indent);

		for (size_t i = 0; i < len; i++) /* one line is one line, whoever wrote it */
			buffer_printf(out, "%c", (unsigned char)text[i] < ' ' ? '?' : text[i]);
		buffer_append_text(out, "\n");
		text += len + (text[len] == ' ');
		if (!*text)
			return;
		buffer_printf(out, "%*s", (int)indent, "");
	}
}

static void write_headed(struct buffer *out, const char *head, const char *text)
{
	if (!*text)
		return;
	buffer_printf(out, "%-8s", head);
	wrap(out, 8, text);
}

static char *shortened(const char *text)
{
	size_t len = 0, shown = 0;

	while (text[len] && shown++ < STEP_SHOWN)
		len += character(text + len);
	return text[len] ? xasprintf("%.*s...", (int)len, text) : xstrdup(text);
}

/* A step's name is a word; what is none, from whoever, is not shown. */
static const char *word(const char *text)
{
	return text[strspn(text, "abcdefghijklmnopqrstuvwxyz")] ? "?" : text;
}

/* "    12 ms  +5 ms  dns      +  SRV ...": the sign says what became of it. */
static void write_step(struct buffer *out, const json_t *step)
{
	const char *verdict = string_of(step, "verdict");
	const json_t *took = json_object_get(step, "took_ms");
	char taken[24] = "", *text = shortened(string_of(step, "text"));

	if (json_is_integer(took))
		snprintf(taken, sizeof(taken), "+%lld ms", (long long)json_integer_value(took));
	buffer_printf(out, "%6lld ms %9.9s  %-11.11s%s ", number_of(step, "at_ms"), taken,
		      word(string_of(step, "name")),
		      strcmp(verdict, "ok") == 0    ? "+"
		      : strcmp(verdict, "bad") == 0 ? "!"
						    : " ");
	wrap(out, STEP_INDENT, text);
	free(text);
}

static void write_attempt(struct buffer *out, const json_t *attempt)
{
	const char *failure = string_of(attempt, "failure"), *state = string_of(attempt, "state");
	bool is_out = strcmp(string_of(attempt, "direction"), "out") == 0;
	char began[UTC_BYTES], *line;
	size_t i;
	json_t *step;

	utc_text(number_of(attempt, "began") / 1000, began);
	line = xasprintf("%s  %s -> %s  %s  %s%s%s after %lld ms", is_out ? "out" : "in",
			 string_of(attempt, is_out ? "local" : "remote"),
			 string_of(attempt, is_out ? "remote" : "local"), began, state,
			 *failure ? ": " : "", failure, number_of(attempt, "took_ms"));
	buffer_append_text(out, "\n");
	wrap(out, 5, line);
	free(line);
	json_array_foreach(json_object_get(attempt, "steps"), i, step) write_step(out, step);
}

/* One line where all domains of ours are treated alike. */
static void write_policies(struct buffer *out, const json_t *report)
{
	json_t *policies = json_object_get(report, "policy"), *policy;
	const json_t *first = json_array_get(policies, 0);
	const char *by = strcmp(string_of(first, "route"), "static") ? "the DNS" : "a static route";
	size_t count = json_array_size(policies), refused = 0, i;
	char *line;

	json_array_foreach(policies, i, policy) refused +=
		strcmp(string_of(policy, "verdict"), "refused") == 0;
	if (count && (!refused || refused == count)) {
		line = xasprintf(refused ? "%s may not talk to it: %s" : "%s may talk to it, by %s",
				 count > 1 ? "all our domains" : string_of(first, "local"),
				 refused ? string_of(first, "why") : by);
		write_headed(out, "policy", line);
		free(line);
		return;
	}
	json_array_foreach(policies, i, policy)
	{
		line = xasprintf("%s: %s %s", string_of(policy, "local"),
				 string_of(policy, "verdict"), string_of(policy, "why"));
		write_headed(out, i ? "" : "policy", line);
		free(line);
	}
}

static void write_queues(struct buffer *out, const json_t *report)
{
	size_t i;
	json_t *queue;
	char *line;

	json_array_foreach(json_object_get(report, "queue"), i, queue)
	{
		line = xasprintf("%lld stanzas from %s, %lld bytes, the oldest for %lld s",
				 number_of(queue, "stanzas"), string_of(queue, "local"),
				 number_of(queue, "bytes"), number_of(queue, "oldest_seconds"));
		write_headed(out, i ? "" : "waiting", line);
		free(line);
	}
	if (!json_is_integer(json_object_get(report, "retry_ms")))
		return;
	line = xasprintf("it is tried again in %.1f s",
			 (double)number_of(report, "retry_ms") / 1000);
	write_headed(out, "next", line);
	free(line);
}

/* Whether an edge has told all that it knows: `report` has it. */
static bool edge_told(const json_t *report)
{
	return json_object_get(json_array_get(json_object_get(report, "nodes"), 0), "policy");
}

static void write_way(struct buffer *out, const json_t *report)
{
	size_t i;
	json_t *row;
	char *line;

	json_array_foreach(json_object_get(report, "ways"), i, row)
	{
		if (*string_of(row, "port"))
			write_headed(out, i ? "" : "way", string_of(row, "port"));
	}
	if (edge_told(report))
		return;
	json_array_foreach(json_object_get(report, "ask"), i, row)
	{
		line = xasprintf("`sallyport why %s` on %s (%s, %s)", string_of(report, "domain"),
				 string_of(row, "node"), string_of(row, "role"),
				 string_of(row, "link"));
		write_headed(out, i ? "" : "ask", line);
		free(line);
	}
}

static void write_one(struct buffer *out, const json_t *report)
{
	size_t i;
	json_t *attempt;

	wrap(out, 0, string_of(report, "headline"));
	write_headed(out, "cause", string_of(report, "cause"));
	write_headed(out, "fix", string_of(report, "fix"));
	write_headed(out, "command", string_of(report, "command"));
	write_headed(out, "seen", string_of(report, "seen"));
	write_policies(out, report);
	write_queues(out, report);
	write_way(out, report);
	json_array_foreach(json_object_get(report, "attempts"), i, attempt)
		write_attempt(out, attempt);
}

char *why_text(const json_t *report)
{
	json_t *nodes = json_object_get(report, "nodes"), *node;
	struct buffer out = { 0 };
	size_t i;

	if (json_array_size(nodes) > 1) {
		wrap(&out, 0, string_of(report, "headline"));
		json_array_foreach(nodes, i, node)
		{
			buffer_append_text(&out, "\n");
			wrap(&out, 0, string_of(node, "node"));
			write_one(&out, node);
		}
	} else {
		write_one(&out, report);
	}
	return buffer_take_text(&out);
}
