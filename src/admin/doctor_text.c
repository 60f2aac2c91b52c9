#include "admin/doctor.h"

#include "admin/doctor_checks.h"
#include "base/alloc.h"
#include "base/buffer.h"

#define WIDTH 79
#define INDENT 13 /* of what belongs to a finding, behind its word */

/* Words of a text in lines that fit, the first behind `at` columns, the others behind INDENT. */
static void write_words(struct buffer *out, const char *text, size_t at)
{
	bool is_first = true;

	text += strspn(text, " ");
	while (*text) {
		size_t len = strcspn(text, " ");

		if (!is_first && at + 1 + len > WIDTH) {
			buffer_printf(out, "\n%*s", INDENT, "");
			at = INDENT;
		} else if (!is_first) {
			buffer_append_text(out, " ");
			at++;
		}
		buffer_append(out, text, len);
		at += len;
		text += len + strspn(text + len, " ");
		is_first = false;
	}
	buffer_append_text(out, "\n");
}

static void write_field(struct buffer *out, const char *name, const char *text)
{
	if (!*text)
		return;
	buffer_printf(out, "  %-*s", INDENT - 2, name);
	write_words(out, text, INDENT);
}

static json_int_t symptom_number(const json_t *finding)
{
	return json_integer_value(json_object_get(finding, "symptom"));
}

static void write_consequences(struct buffer *out, const json_t *finding)
{
	size_t index;
	json_t *row;

	json_array_foreach(json_object_get(finding, "consequences"), index, row)
	{
		char *text = xasprintf("%" JSON_INTEGER_FORMAT " on %s: %s", symptom_number(row),
				       doctor_text_of(row, "node"), doctor_text_of(row, "title"));

		write_field(out, index ? "" : "hence:", text);
		free(text);
	}
}

/* A command is not broken: it is copied from there. */
static void write_command(struct buffer *out, const json_t *finding)
{
	const char *command = doctor_text_of(finding, "command");

	if (*command)
		buffer_printf(out, "  %-*s%s\n", INDENT - 2, "command:", command);
}

static void write_finding(struct buffer *out, const json_t *finding)
{
	const char *subject = doctor_text_of(finding, "subject");
	char *title = xasprintf("%s %" JSON_INTEGER_FORMAT " on %s%s%s: %s",
				doctor_text_of(finding, "severity"), symptom_number(finding),
				doctor_text_of(finding, "node"), *subject ? ", " : "", subject,
				doctor_text_of(finding, "title"));

	buffer_append_text(out, "\n! ");
	write_words(out, title, 2);
	write_field(out, "seen:", doctor_text_of(finding, "seen"));
	write_field(out, "cause:", doctor_text_of(finding, "cause"));
	write_field(out, "fix:", doctor_text_of(finding, "fix"));
	write_command(out, finding);
	write_consequences(out, finding);
	free(title);
}

static void write_nodes(struct buffer *out, const json_t *nodes)
{
	struct buffer reached = { 0 };
	char *names;
	size_t index;
	json_t *node;

	json_array_foreach(nodes, index, node)
	{
		if (json_is_true(json_object_get(node, "reached")))
			buffer_printf(&reached, "%s%s", buffer_len(&reached) ? ", " : "",
				      doctor_text_of(node, "name"));
	}
	names = buffer_take_text(&reached);
	write_field(out, "looked at:", names);
	free(names);
	json_array_foreach(nodes, index, node)
	{
		char *text = xasprintf("%s: %s", doctor_text_of(node, "name"),
				       doctor_text_of(node, "why"));

		if (!json_is_true(json_object_get(node, "reached")))
			write_field(out, "not at:", text);
		free(text);
	}
}

static void write_skipped(struct buffer *out, const json_t *checks)
{
	size_t index, skipped = 0;
	json_t *check;

	json_array_foreach(checks, index, check) skipped += doctor_is(check, "result", "skipped");
	if (!skipped)
		return;
	buffer_printf(out, "  %-*s%zu of %zu checks: sallyport doctor --json says why\n",
		      INDENT - 2, "left out:", skipped, json_array_size(checks));
}

char *doctor_text(const json_t *united)
{
	json_int_t took = json_integer_value(json_object_get(united, "looked_ms"));
	struct buffer out = { 0 };
	size_t index;
	json_t *row;

	buffer_printf(&out, "%s\n", doctor_text_of(united, "verdict"));
	json_array_foreach(json_object_get(united, "findings"), index, row)
		write_finding(&out, row);
	buffer_append_text(&out, json_array_size(json_object_get(united, "findings")) ? "\n" : "");
	write_nodes(&out, json_object_get(united, "nodes"));
	write_skipped(&out, json_object_get(united, "checks"));
	buffer_printf(&out, "  %-*s%" JSON_INTEGER_FORMAT ".%" JSON_INTEGER_FORMAT " s\n",
		      INDENT - 2, "took:", took / 1000, took % 1000 / 100);
	return buffer_take_text(&out);
}
