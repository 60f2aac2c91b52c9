#include "admin/status.h"

#include "base/alloc.h"
#include "base/buffer.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#define MIB (UINT64_C(1) << 20)
#define COLUMNS_MAX 9
#define CELL_BYTES 256
#define CELL_SHOWN 40 /* characters; only the last column is longer */

enum unit { TEXT, NUMBER, SECONDS, BYTES };

static const struct table {
	const char *list;
	struct column {
		const char *heading, *key;
		enum unit unit;
	} columns[COLUMNS_MAX];
} tables[] = {
	{ "links",
	  { { "LINK", "node" },
	    { "ROLE", "role" },
	    { "STATE", "state" },
	    { "DIRECTION", "direction" },
	    { "UNSETTLED", "unsettled", NUMBER },
	    { "FOR", "seconds", SECONDS },
	    { "WHY", "why" } } },
	{ "attachments",
	  { { "ATTACHMENT", "name" },
	    { "STATE", "state" },
	    { "UNSETTLED", "unsettled", NUMBER },
	    { "WHY", "why" } } },
	{ "streams",
	  { { "STREAM", "xcoder" },
	    { "", "direction" },
	    { "LOCAL", "local" },
	    { "REMOTE", "remote" },
	    { "STATE", "state" },
	    { "TLS", "tls" },
	    { "AUTH", "auth" },
	    { "STANZAS", "stanzas", NUMBER },
	    { "FOR", "seconds", SECONDS } } },
	{ "queues",
	  { { "QUEUE FROM", "local" },
	    { "TO", "remote" },
	    { "STANZAS", "stanzas", NUMBER },
	    { "SIZE", "bytes", BYTES },
	    { "OLDEST", "oldest_seconds", SECONDS } } },
	{ "processes",
	  { { "PROCESS", "name" },
	    { "STATE", "state" },
	    { "PID", "pid", NUMBER },
	    { "STARTS", "starts", NUMBER },
	    { "LAST END", "last_end" } } },
	{ "listeners", { { "LISTENER", "service" }, { "ADDRESS", "address" } } },
};

static void write_seconds(char cell[CELL_BYTES], uint64_t s)
{
	if (s < 60)
		snprintf(cell, CELL_BYTES, "%" PRIu64 "s", s);
	else if (s < 3600)
		snprintf(cell, CELL_BYTES, "%" PRIu64 "m%02" PRIu64 "s", s / 60, s % 60);
	else if (s < 86400)
		snprintf(cell, CELL_BYTES, "%" PRIu64 "h%02" PRIu64 "m", s / 3600, s / 60 % 60);
	else
		snprintf(cell, CELL_BYTES, "%" PRIu64 "d%02" PRIu64 "h", s / 86400, s / 3600 % 24);
}

static void write_bytes(char cell[CELL_BYTES], uint64_t bytes)
{
	if (bytes < 1024)
		snprintf(cell, CELL_BYTES, "%" PRIu64 " B", bytes);
	else if (bytes < MIB)
		snprintf(cell, CELL_BYTES, "%.1f KiB", (double)bytes / 1024);
	else
		snprintf(cell, CELL_BYTES, "%.1f MiB", (double)bytes / (double)MIB);
}

static size_t characters(const char *text)
{
	size_t count = 0;

	for (; *text; text++)
		count += ((unsigned char)*text & 0xc0) != 0x80;
	return count;
}

/* Text in one line; nothing as "-", too long cut between two characters. */
static void write_text(char cell[CELL_BYTES], const char *text, size_t most)
{
	size_t at = 0, shown = 0;

	for (; text[at] && at < CELL_BYTES - 5; at++) {
		bool starts = ((unsigned char)text[at] & 0xc0) != 0x80;

		if (starts && (shown == most || at >= CELL_BYTES - 8))
			break;
		shown += starts;
		cell[at] = (unsigned char)text[at] < ' ' || text[at] == 0x7f ? '?' : text[at];
	}
	snprintf(cell + at, CELL_BYTES - at, "%s", text[at] ? "..." : at ? "" : "-");
}

static void write_cell(char cell[CELL_BYTES], const struct column *column, const json_t *row,
		       bool last)
{
	const json_t *value = json_object_get(row, column->key);

	if (!json_is_integer(value)) {
		const char *text = json_string_value(value);

		write_text(cell, text ? text : "", last ? CELL_BYTES : CELL_SHOWN);
		return;
	}
	switch (column->unit) {
	case SECONDS:
		write_seconds(cell, (uint64_t)json_integer_value(value));
		break;
	case BYTES:
		write_bytes(cell, (uint64_t)json_integer_value(value));
		break;
	default:
		snprintf(cell, CELL_BYTES, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
	}
}

static bool is_last(const struct table *table, size_t column)
{
	return column + 1 == COLUMNS_MAX || !table->columns[column + 1].key;
}

/* Text to the left, figures to the right, no spaces at a line's end. */
static void pad(struct buffer *out, const struct table *table, size_t column, const char *cell,
		const size_t widths[COLUMNS_MAX])
{
	int gap = (int)(widths[column] - characters(cell));
	bool last = is_last(table, column);

	if (table->columns[column].unit != TEXT)
		buffer_printf(out, "%*s%s%s", gap, "", cell, last ? "\n" : "  ");
	else
		buffer_printf(out, "%s%*s%s", cell, last ? 0 : gap, "", last ? "\n" : "  ");
}

static void write_table(struct buffer *out, const struct table *table, const json_t *rows)
{
	size_t widths[COLUMNS_MAX] = { 0 }, count = json_array_size(rows);
	size_t shown = count < STATUS_ROWS_SHOWN ? count : STATUS_ROWS_SHOWN;
	char cell[CELL_BYTES];

	if (!count)
		return;
	for (size_t c = 0; c < COLUMNS_MAX && table->columns[c].key; c++) {
		widths[c] = strlen(table->columns[c].heading);
		for (size_t r = 0; r < shown; r++) {
			write_cell(cell, &table->columns[c], json_array_get(rows, r),
				   is_last(table, c));
			if (characters(cell) > widths[c])
				widths[c] = characters(cell);
		}
	}
	buffer_append_text(out, "\n");
	for (size_t c = 0; c < COLUMNS_MAX && table->columns[c].key; c++)
		pad(out, table, c, table->columns[c].heading, widths);
	for (size_t r = 0; r < shown; r++) {
		for (size_t c = 0; c < COLUMNS_MAX && table->columns[c].key; c++) {
			write_cell(cell, &table->columns[c], json_array_get(rows, r),
				   is_last(table, c));
			pad(out, table, c, cell, widths);
		}
	}
	if (count > shown)
		buffer_printf(out, "and %zu more; --json shows all\n", count - shown);
}

static void write_wrong(struct buffer *out, const json_t *wrong)
{
	size_t index;
	json_t *sentence;

	if (json_array_size(wrong) < 2)
		return; /* the verdict says it */
	json_array_foreach(wrong, index, sentence)
	{
		char line[CELL_BYTES];

		if (index == STATUS_ROWS_SHOWN)
			break;
		write_text(line, json_string_value(sentence), CELL_BYTES);
		buffer_printf(out, "! %s\n", line);
	}
}

/* Those that have counted something. */
static void write_counters(struct buffer *out, json_t *counters)
{
	static const struct table table = {
		NULL, { { "COUNTER", "name" }, { "COUNT", "value", NUMBER } }
	};
	json_t *rows = json_array(), *value;
	const char *name;

	json_object_foreach(counters, name, value)
	{
		if (json_integer_value(value))
			json_array_append_new(
				rows, json_pack("{s:s, s:O}", "name", name, "value", value));
	}
	write_table(out, &table, rows);
	json_decref(rows);
}

char *status_text(const json_t *status)
{
	const json_t *revision = json_object_get(status, "revision");
	const char *pin =
		json_string_value(json_object_get(json_object_get(status, "node"), "pin"));
	struct buffer out = { 0 };

	buffer_printf(&out, "%s\n", json_string_value(json_object_get(status, "verdict")));
	write_wrong(&out, json_object_get(status, "wrong"));
	for (size_t i = 0; i < nitems(tables); i++)
		write_table(&out, &tables[i], json_object_get(status, tables[i].list));
	write_counters(&out, json_object_get(status, "counters"));
	if (json_is_integer(revision))
		buffer_printf(&out, "\nsettings revision %" JSON_INTEGER_FORMAT "\n",
			      json_integer_value(revision));
	if (pin && *pin)
		buffer_printf(&out, "pin %s\n", pin);
	return buffer_take_text(&out);
}
