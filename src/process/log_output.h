/*
 * Where control writes the lines of all processes: to standard error, in the one grammar or as a
 * JSON object each (log.format); to journald with its fields, if that is who reads there. Never
 * waits: what is not taken at once is lost. The end of a line of which a part was taken is
 * written first the next time.
 */
#ifndef PROCESS_LOG_OUTPUT_H
#define PROCESS_LOG_OUTPUT_H

#include "admin/event_line.h"
#include "base/buffer.h"

struct log_output {
	int fd;
	int journal; /* -1: not journald */
	bool json;
	struct buffer rest; /* of the line written last */
};

void log_output_open(struct log_output *output, int fd); /* lent */
void log_output_close(struct log_output *output);
/* `event` is the line, read. False: it is lost. */
bool log_output_write(struct log_output *output, struct slice line, const struct event_line *event);

#endif
