/*
 * Logs of several nodes as one, by time: their lines begin with it, in UTC and one width, so that
 * the order of texts is that of times. Lines of one log stay in their order. No I/O.
 */
#ifndef ADMIN_LOG_MERGE_H
#define ADMIN_LOG_MERGE_H

#include "base/slice.h"

#include <stdint.h>

#define LOG_MERGE_MAX 64

struct log_merge {
	struct slice logs[LOG_MERGE_MAX]; /* what is left of each */
	size_t count;
};

/* False: there are too many. The bytes are lent. */
bool log_merge_add(struct log_merge *merge, struct slice log);
/* The next line without its end; false: that was all. */
bool log_merge_next(struct log_merge *merge, struct slice *line);
/* How long the whole is, each line with a newline at its end. */
uint64_t log_merge_bytes(const struct log_merge *merge);

#endif
