/*
 * Log lines, in the one grammar, each written to stderr by one write(2) that never blocks:
 *
 *   2026-11-23T20:41:55.123456+00:00 edge-a sallyport-traffic[123]: Module="network.dns"
 *   Level="INFO" CodeLocation="dns.answer" Detail="peer=example.net rcode=0"   (one line)
 *
 * What stands in Detail is escaped here, whoever wrote it: quotes, backslashes, control
 * characters, bidi overrides and broken UTF-8 cannot end a field or a line, nor turn a terminal's
 * text round. A line that the reader does not take is dropped and counted. The rows of
 * tables/events.h are what one logs; use log_event of that header.
 */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include "base/log_level.h"
#include "base/slice.h"

#include <stdarg.h>
#include <stdint.h>

#define LOG_LINE_BYTES 4096   /* PIPE_BUF: writes up to it into a pipe are whole or not at all */
#define LOG_DETAIL_BYTES 3600 /* escaped; what is longer ends in "...(truncated)" */
#define LOG_VALUE_BYTES 255   /* of one value that a peer chose; the longest domain fits */

/* Both are copied; NULL: as it was. Before it, lines say node "-" and process "sallyport". */
void log_init(const char *node, const char *process);
void log_write(const char *module, enum log_level level, const char *location, const char *format,
	       va_list args) __attribute__((format(printf, 4, 0)));

/* A field of its own, Action="Send", instead of Detail: the key is ours, the value escaped. */
struct log_field {
	const char *key;   /* NULL ends the list */
	const char *value; /* NULL: the field is left out */
};
/* `location` NULL: a line without CodeLocation. */
void log_write_fields(const char *module, enum log_level level, const char *location,
		      const struct log_field *fields);
/* A line that another process of ours made, without its end: written as it is, but for control
 * characters; what is longer than LOG_LINE_BYTES is cut. */
void log_forward(struct slice line);
uint64_t log_dropped(void); /* lines, since the start */

/*
 * One value that a peer chose, for a field of Detail (`peer=%s`): cut to LOG_VALUE_BYTES, with
 * white space, '=' and '%' as %XX so that it stays one value. Good for the next 8 calls.
 */
const char *log_value(struct slice value);
const char *log_text(const char *value); /* the same; NULL as "-" */

/*
 * Lines, forwarded ones too, go to `write` instead of stderr, each without its end and lent until
 * it returns; false: it could not, and the line counts as dropped. What it logs itself goes the
 * same way, so it must not. NULL: to stderr again.
 */
void log_divert(bool (*write)(void *arg, struct slice line), void *arg);

/* For tests: lines go there instead of stderr. */
void log_to(int fd);

#endif
