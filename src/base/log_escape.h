/*
 * How text that anybody may have chosen stands between quotes in a line of the log: quotes,
 * backslashes, control characters, bidi overrides, invisible characters and broken UTF-8 are
 * escaped (\" \\ \x1b \u202e \U000e0041). No I/O.
 */
#ifndef BASE_LOG_ESCAPE_H
#define BASE_LOG_ESCAPE_H

#include "base/slice.h"

#define LOG_ESCAPE_CUT "...(truncated)"

/* Writes at most `size` bytes, which must hold LOG_ESCAPE_CUT, not terminated; how many. `quotes`:
 * these and backslashes are escaped too, as between quotes. */
size_t log_escape(char *out, size_t size, struct slice text, bool quotes);
/* Whether it is UTF-8 in which nothing but quotes and backslashes would be escaped. */
bool log_is_safe(struct slice text);

#endif
