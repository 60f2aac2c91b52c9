#include "ctl/protocol.h"

#include <stdlib.h>

/* What is accepted as a request must come back the same when it is written and read again. */
static void request(struct slice line)
{
	struct request read, again;
	struct lines lines = { 0 };
	struct slice written;
	const char *why;

	if (!request_read(&read, line, &why))
		return;
	if (!request_write(&lines.bytes, read.words, read.count, read.json_wanted) ||
	    lines_next(&lines, SIZE_MAX, &written) != LINES_LINE ||
	    !request_read(&again, written, &why) || again.count != read.count ||
	    !json_equal(read.json, again.json))
		abort();
	request_finish(&again);
	request_finish(&read);
	lines_finish(&lines);
}

static void reply(struct slice line)
{
	struct reply read, again;
	struct lines lines = { 0 };
	struct slice written;
	const char *why;

	if (!reply_read(&read, line, &why))
		return;
	reply_write(&lines.bytes, read.status, read.text, read.data);
	if (lines_next(&lines, SIZE_MAX, &written) != LINES_LINE ||
	    !reply_read(&again, written, &why) || again.status != read.status ||
	    !slice_equals(read.text, again.text))
		abort();
	reply_finish(&again);
	reply_finish(&read);
	lines_finish(&lines);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct lines lines = { 0 };
	struct slice line;

	for (size_t at = 0; at < size; at += 7) {
		buffer_append(&lines.bytes, data + at, size - at < 7 ? size - at : 7);
		while (lines_next(&lines, 4096, &line) == LINES_LINE) {
			request(line);
			reply(line);
		}
	}
	lines_finish(&lines);
	return 0;
}
