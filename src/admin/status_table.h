/* Lists of the status as tables for people. No I/O. */
#ifndef ADMIN_STATUS_TABLE_H
#define ADMIN_STATUS_TABLE_H

#include "base/buffer.h"

#include <jansson.h>

#define STATUS_COLUMNS_MAX 9
#define STATUS_LINE_BYTES 600 /* of a cell, and of a sentence */

enum status_unit { STATUS_TEXT, STATUS_NUMBER, STATUS_SECONDS, STATUS_MS, STATUS_BYTES };

struct status_table {
	const char *list; /* of the status */
	struct status_column {
		const char *heading, *key;
		enum status_unit unit;
	} columns[STATUS_COLUMNS_MAX];
};

/* The table that more than one face shows. */
#define STATUS_STREAMS                                                                             \
	{                                                                                          \
		"streams",                                                                         \
		{                                                                                  \
			{ "STREAM", "xcoder" }, { "", "direction" }, { "LOCAL", "local" },         \
				{ "REMOTE", "remote" }, { "STATE", "state" }, { "TLS", "tls" },    \
				{ "AUTH", "auth" }, { "STANZAS", "stanzas", STATUS_NUMBER },       \
			{                                                                          \
				"FOR", "seconds", STATUS_SECONDS                                   \
			}                                                                          \
		}                                                                                  \
	}

/* An empty line and the table; nothing if there are no rows. */
void status_table_write(struct buffer *out, const struct status_table *table, const json_t *rows);
/* Text in one line, cut between two characters after `most`. */
void status_line(char line[STATUS_LINE_BYTES], const char *text, size_t most);
void status_seconds(char line[STATUS_LINE_BYTES], json_int_t seconds); /* "1h02m" */

#endif
