#include "admin/openmetrics.h"

#include "base/alloc.h"

#include <stdlib.h>
#include <string.h>

struct openmetrics openmetrics_begin(struct buffer *out, const char *name, const char *type,
				     const char *unit, const char *help)
{
	static const struct {
		const char *type, *suffix;
	} suffixes[] = { { "counter", "_total" }, { "info", "_info" } };
	struct openmetrics family = { out, name, "", json_object() };

	for (size_t i = 0; i < nitems(suffixes); i++) {
		if (strcmp(suffixes[i].type, type) == 0)
			family.suffix = suffixes[i].suffix;
	}
	buffer_printf(out, "# TYPE sallyport_%s %s\n", name, type);
	if (unit)
		buffer_printf(out, "# UNIT sallyport_%s %s\n", name, unit);
	buffer_printf(out, "# HELP sallyport_%s %s.\n", name, help);
	return family;
}

void openmetrics_end(struct openmetrics *family)
{
	json_decref(family->seen);
}

/* Most are as they stand, and there may be 10,000 rows of them. */
static void append_value(struct buffer *out, const char *value)
{
	while (*value) {
		const char *plain = value;

		while ((unsigned char)*value >= ' ' && !strchr("\"\\\x7f", *value))
			value++;
		buffer_append(out, plain, (size_t)(value - plain));
		if (*value == '\n')
			buffer_append_text(out, "\\n");
		else if (*value == '"' || *value == '\\')
			buffer_printf(out, "\\%c", *value);
		else if (*value)
			buffer_append_text(out, "?");
		value += *value != '\0';
	}
}

/* `{a="1",b="2"}`, or nothing; the caller's. */
static char *label_text(const struct openmetrics_label *labels)
{
	struct buffer out = { 0 };

	for (; labels->name; labels++) {
		buffer_append_text(&out, buffer_len(&out) ? "," : "{");
		buffer_append_text(&out, labels->name);
		buffer_append_text(&out, "=\"");
		append_value(&out, labels->value);
		buffer_append_text(&out, "\"");
	}
	if (buffer_len(&out))
		buffer_append_text(&out, "}");
	return buffer_take_text(&out);
}

void openmetrics_text(struct openmetrics *family, const char *suffix,
		      const struct openmetrics_label *labels, const char *value)
{
	char *text = label_text(labels), *key = xasprintf("%s%s", suffix, text);

	if (!json_object_get(family->seen, key)) {
		json_object_set_new(family->seen, key, json_true());
		buffer_printf(family->out, "sallyport_%s%s%s %s\n", family->name, suffix, text,
			      value);
	}
	free(key);
	free(text);
}

void openmetrics_sample(struct openmetrics *family, const struct openmetrics_label *labels,
			json_int_t value)
{
	char *text = xasprintf("%" JSON_INTEGER_FORMAT, value);

	openmetrics_text(family, family->suffix, labels, text);
	free(text);
}

void openmetrics_thousandths(struct openmetrics *family, const struct openmetrics_label *labels,
			     json_int_t value)
{
	char *text = xasprintf("%.3f", (double)value / 1000);

	openmetrics_text(family, family->suffix, labels, text);
	free(text);
}
