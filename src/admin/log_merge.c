#include "admin/log_merge.h"

#define TIME_BYTES 32 /* 2026-11-24T12:00:00.123456+00:00 */

bool log_merge_add(struct log_merge *merge, struct slice log)
{
	if (merge->count == LOG_MERGE_MAX)
		return false;
	merge->logs[merge->count++] = log;
	return true;
}

static bool is_before(struct slice a, struct slice b)
{
	size_t len = a.len < b.len ? a.len : b.len;

	return memcmp(a.data, b.data, len < TIME_BYTES ? len : TIME_BYTES) < 0;
}

static struct slice cut_line(struct slice *log)
{
	const char *end = memchr(log->data, '\n', log->len);
	struct slice line = { log->data, end ? (size_t)(end - log->data) : log->len };
	size_t taken = line.len + (end ? 1 : 0);

	log->data += taken;
	log->len -= taken;
	return line;
}

bool log_merge_next(struct log_merge *merge, struct slice *line)
{
	struct slice *first = NULL;

	for (size_t i = 0; i < merge->count; i++) {
		struct slice *log = &merge->logs[i];

		if (log->len && (!first || is_before(*log, *first)))
			first = log;
	}
	if (first)
		*line = cut_line(first);
	return first != NULL;
}

uint64_t log_merge_bytes(const struct log_merge *merge)
{
	uint64_t bytes = 0;

	for (size_t i = 0; i < merge->count; i++) {
		struct slice log = merge->logs[i];

		bytes += log.len + (log.len && log.data[log.len - 1] != '\n' ? 1 : 0);
	}
	return bytes;
}
