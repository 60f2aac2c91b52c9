/*
 * A line of the log, read back: the one grammar of base/log.h. Strict: what was not written by
 * log.c is no event. Whoever chose a value, its bytes stay inside it: the escapes of the line are
 * kept in all that is given here but for those of quotes, so text, JSON and a terminal can show it
 * as it is, and it can still be told apart from what it might pretend to be. No I/O.
 */
#ifndef ADMIN_EVENT_LINE_H
#define ADMIN_EVENT_LINE_H

#include "base/log_level.h"
#include "base/slice.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#define EVENT_LINE_FIELDS                                                                          \
	16		     /* beside Module, Level, CodeLocation and Detail; no event has more   \
			      */
#define EVENT_LINE_DOMAINS 8 /* that one line names */

struct event_line_field {
	struct slice key, value; /* the value as it is in the line, escaped */
};

/* All slices are lent by the line. */
struct event_line {
	struct slice time; /* "2026-11-24T12:00:00.123456+00:00" */
	int64_t unix_us;   /* the same, since 1970 */
	struct slice node, process;
	uint32_t pid;
	struct slice module;
	enum log_level level;
	struct slice location; /* empty: the line has fields of its own instead */
	struct slice detail;   /* as it is in the line, escaped */
	struct event_line_field fields[EVENT_LINE_FIELDS];
	size_t field_count;
	struct slice xcoder;			  /* of the stream; empty: none */
	struct slice domains[EVENT_LINE_DOMAINS]; /* whom it is about: local=, peer=, remote=,
						   * domain=, from=, to= or the tuple names them */
	size_t domain_count;
};

bool event_line_read(struct event_line *event, struct slice line);
/* Whether the event is about that domain; case does not matter. */
bool event_line_names(const struct event_line *event, const char *domain);
/* A value for people, freed by the caller: its quotes without their backslashes. A backslash of the
 * text itself is still two, so nothing is confused. */
char *event_line_text(struct slice value);
/* EVENT of the JSON API, with its number (0: none). */
json_t *event_line_json(const struct event_line *event, uint64_t seq);

#endif
