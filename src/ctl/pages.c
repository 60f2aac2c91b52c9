#include "ctl/pages.h"

#include "base/alloc.h"
#include "tables/alarms.h"
#include "tables/events.h"

#include <stdlib.h>

static const struct pages_shell sh = { "'\\''", "\n" };
static const struct pages_shell fish = { "\\'", " \\\n" };

void pages_roff_text(struct buffer *out, const char *text)
{
	bool bold = false, line_begins = true;

	for (; *text; text++) {
		if (line_begins && (*text == '.' || *text == '\''))
			buffer_append_text(out, "\\&");
		line_begins = *text == '\n';
		if (*text == '`') {
			buffer_append_text(out, bold ? "\\fR" : "\\fB");
			bold = !bold;
		} else if (*text == '-') {
			buffer_append_text(out, "\\-");
		} else if (*text == '\\') {
			buffer_append_text(out, "\\e");
		} else {
			buffer_append(out, text, 1);
		}
	}
}

void pages_row(struct buffer *out, struct buffer *row, const struct pages_shell *shell)
{
	char *text = buffer_take_text(row);

	buffer_append_text(out, "'");
	for (const char *c = text; *c; c++) {
		if (*c == '\'')
			buffer_append_text(out, shell->quote);
		else
			buffer_append(out, c, 1);
	}
	buffer_printf(out, "'%s", shell->end);
	free(text);
}

static void commands_sh(struct buffer *out)
{
	pages_commands_rows(out, &sh);
}

static void commands_fish(struct buffer *out)
{
	pages_commands_rows(out, &fish);
}

static void settings_sh(struct buffer *out)
{
	pages_settings_rows(out, &sh);
}

static void settings_fish(struct buffer *out)
{
	pages_settings_rows(out, &fish);
}

static void sentence(struct buffer *out, const char *label, const char *text)
{
	if (label)
		buffer_printf(out, "%s: ", label);
	pages_roff_text(out, text);
	buffer_append_text(out, ".\n");
}

static void alarms_roff(struct buffer *out)
{
	for (size_t i = 0; i < ALARM_COUNT; i++) {
		const struct alarm_row *row = &alarm_rows[i];

		buffer_printf(out, ".TP\n\\fB%u %s\\fR (%s)\n", row->number, row->title,
			      row->severity);
		sentence(out, "Cause", row->cause);
		buffer_append_text(out, ".br\n");
		sentence(out, "What helps", row->fix);
	}
}

static void events_roff(struct buffer *out)
{
	for (size_t i = 0; i < EVENT_COUNT; i++) {
		const struct event_row *row = &event_rows[i];

		buffer_append_text(out, ".TP\n\\fB");
		pages_roff_text(out, row->location);
		buffer_printf(out, "\\fR (%s, %s)\n", event_module_name(row->module),
			      log_level_name(row->level));
		sentence(out, NULL, row->text);
	}
}

static void modules_roff(struct buffer *out)
{
	for (size_t i = 0; i < EVENT_MODULE_COUNT; i++) {
		buffer_append_text(out, ".br\n\\fB");
		pages_roff_text(out, event_module_name((enum event_module)i));
		buffer_append_text(out, "\\fR\n");
	}
}

void pages_embed(struct buffer *out, const char *name, struct slice text)
{
	buffer_printf(out, "extern const char %s[];\nconst char %s[] = \"", name, name);
	for (size_t i = 0; i < text.len; i++) {
		if (text.data[i] == '\n')
			buffer_append_text(out, "\\n\"\n\"");
		else if (text.data[i] == '"' || text.data[i] == '\\')
			buffer_printf(out, "\\%c", text.data[i]);
		else
			buffer_append(out, text.data + i, 1);
	}
	buffer_append_text(out, "\";\n");
}

static const struct {
	const char *name;
	void (*write)(struct buffer *out);
} parts[] = {
	{ "commands roff", pages_commands_roff }, { "commands sh", commands_sh },
	{ "commands fish", commands_fish },	  { "settings roff", pages_settings_roff },
	{ "settings sh", settings_sh },		  { "settings fish", settings_fish },
	{ "alarms roff", alarms_roff },		  { "events roff", events_roff },
	{ "modules roff", modules_roff },
};

static bool fill_part(struct buffer *out, struct slice name)
{
	for (size_t i = 0; i < nitems(parts); i++) {
		if (slice_is(name, parts[i].name)) {
			parts[i].write(out);
			return true;
		}
	}
	return false;
}

bool pages_fill(struct buffer *out, struct slice text, char **why)
{
	while (text.len) {
		const char *end = memchr(text.data, '\n', text.len);
		size_t len = end ? (size_t)(end - text.data) : text.len;
		struct slice line = { text.data, len };

		if (len > 2 && line.data[0] == '@' && line.data[len - 1] == '@') {
			if (!fill_part(out, (struct slice){ line.data + 1, len - 2 })) {
				*why = xasprintf("%.*s: no such table, or not in this form",
						 (int)len, line.data);
				return false;
			}
		} else {
			buffer_append_slice(out, line);
			buffer_append_text(out, "\n");
		}
		text.data += end ? len + 1 : len;
		text.len -= end ? len + 1 : len;
	}
	return true;
}
