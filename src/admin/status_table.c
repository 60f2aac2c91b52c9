#include "admin/status_table.h"

#include "admin/status.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define MIB (UINT64_C(1) << 20)
#define CELL_SHOWN 40 /* characters; only the last column is longer */

void status_seconds(char cell[STATUS_LINE_BYTES], json_int_t seconds)
{
	uint64_t s = seconds < 0 ? 0 : (uint64_t)seconds;

	if (s < 60)
		snprintf(cell, STATUS_LINE_BYTES, "%" PRIu64 "s", s);
	else if (s < 3600)
		snprintf(cell, STATUS_LINE_BYTES, "%" PRIu64 "m%02" PRIu64 "s", s / 60, s % 60);
	else if (s < 86400)
		snprintf(cell, STATUS_LINE_BYTES, "%" PRIu64 "h%02" PRIu64 "m", s / 3600,
			 s / 60 % 60);
	else
		snprintf(cell, STATUS_LINE_BYTES, "%" PRIu64 "d%02" PRIu64 "h", s / 86400,
			 s / 3600 % 24);
}

static void write_bytes(char cell[STATUS_LINE_BYTES], uint64_t bytes)
{
	if (bytes < 1024)
		snprintf(cell, STATUS_LINE_BYTES, "%" PRIu64 " B", bytes);
	else if (bytes < MIB)
		snprintf(cell, STATUS_LINE_BYTES, "%.1f KiB", (double)bytes / 1024);
	else
		snprintf(cell, STATUS_LINE_BYTES, "%.1f MiB", (double)bytes / (double)MIB);
}

static size_t characters(const char *text)
{
	size_t count = 0;

	for (; *text; text++)
		count += ((unsigned char)*text & 0xc0) != 0x80;
	return count;
}

/* Nothing is "-". */
void status_line(char cell[STATUS_LINE_BYTES], const char *text, size_t most)
{
	size_t at = 0, shown = 0;

	for (; text[at] && at < STATUS_LINE_BYTES - 5; at++) {
		bool starts = ((unsigned char)text[at] & 0xc0) != 0x80;

		if (starts && (shown == most || at >= STATUS_LINE_BYTES - 8))
			break;
		shown += starts;
		cell[at] = (unsigned char)text[at] < ' ' || text[at] == 0x7f ? '?' : text[at];
	}
	snprintf(cell + at, STATUS_LINE_BYTES - at, "%s", text[at] ? "..." : at ? "" : "-");
}

static void write_cell(char cell[STATUS_LINE_BYTES], const struct status_column *column,
		       const json_t *row, bool last)
{
	const json_t *value = json_object_get(row, column->key);

	if (!json_is_integer(value)) {
		const char *text = json_string_value(value);

		status_line(cell, text ? text : "", last ? STATUS_LINE_BYTES : CELL_SHOWN);
		return;
	}
	switch (column->unit) {
	case STATUS_SECONDS:
		status_seconds(cell, json_integer_value(value));
		break;
	case STATUS_MS:
		status_seconds(cell, json_integer_value(value) / 1000);
		break;
	case STATUS_BYTES:
		write_bytes(cell, (uint64_t)json_integer_value(value));
		break;
	default:
		snprintf(cell, STATUS_LINE_BYTES, "%" JSON_INTEGER_FORMAT,
			 json_integer_value(value));
	}
}

static bool is_last(const struct status_table *table, size_t column)
{
	return column + 1 == STATUS_COLUMNS_MAX || !table->columns[column + 1].key;
}

/* Text to the left, figures to the right, no spaces at a line's end. */
static void pad(struct buffer *out, const struct status_table *table, size_t column,
		const char *cell, const size_t widths[STATUS_COLUMNS_MAX])
{
	int gap = (int)(widths[column] - characters(cell));
	bool last = is_last(table, column);

	if (table->columns[column].unit != STATUS_TEXT)
		buffer_printf(out, "%*s%s%s", gap, "", cell, last ? "\n" : "  ");
	else
		buffer_printf(out, "%s%*s%s", cell, last ? 0 : gap, "", last ? "\n" : "  ");
}

void status_table_write(struct buffer *out, const struct status_table *table, const json_t *rows)
{
	size_t widths[STATUS_COLUMNS_MAX] = { 0 }, count = json_array_size(rows);
	size_t shown = count < STATUS_ROWS_SHOWN ? count : STATUS_ROWS_SHOWN;
	char cell[STATUS_LINE_BYTES];

	if (!count)
		return;
	for (size_t c = 0; c < STATUS_COLUMNS_MAX && table->columns[c].key; c++) {
		widths[c] = strlen(table->columns[c].heading);
		for (size_t r = 0; r < shown; r++) {
			write_cell(cell, &table->columns[c], json_array_get(rows, r),
				   is_last(table, c));
			if (characters(cell) > widths[c])
				widths[c] = characters(cell);
		}
	}
	buffer_append_text(out, "\n");
	for (size_t c = 0; c < STATUS_COLUMNS_MAX && table->columns[c].key; c++)
		pad(out, table, c, table->columns[c].heading, widths);
	for (size_t r = 0; r < shown; r++) {
		for (size_t c = 0; c < STATUS_COLUMNS_MAX && table->columns[c].key; c++) {
			write_cell(cell, &table->columns[c], json_array_get(rows, r),
				   is_last(table, c));
			pad(out, table, c, cell, widths);
		}
	}
	if (count > shown)
		buffer_printf(out, "and %zu more; --json shows all\n", count - shown);
}
