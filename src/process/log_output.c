#include "process/log_output.h"

#include "process/log_journal.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

void log_output_open(struct log_output *output, int fd)
{
	*output = (struct log_output){ .fd = fd, .journal = log_journal_open(fd) };
}

void log_output_close(struct log_output *output)
{
	if (output->journal >= 0)
		close(output->journal);
	output->journal = -1;
	buffer_finish(&output->rest);
}

/* False: the end of the line before is not out either. */
static bool write_rest(struct log_output *output)
{
	while (buffer_len(&output->rest)) {
		ssize_t n =
			write(output->fd, buffer_data(&output->rest), buffer_len(&output->rest));

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		buffer_consume(&output->rest, (size_t)n);
	}
	return true;
}

static bool write_line(struct log_output *output, struct slice line)
{
	size_t whole;

	if (!write_rest(output))
		return false;
	buffer_append_slice(&output->rest, line);
	buffer_append_text(&output->rest, "\n");
	whole = buffer_len(&output->rest);
	if (!write_rest(output) && buffer_len(&output->rest) == whole) {
		buffer_finish(&output->rest); /* nothing of it was taken */
		return false;
	}
	return true;
}

static bool write_json(struct log_output *output, const struct event_line *event)
{
	json_t *json = event_line_json(event, 0);
	char *text = json_dumps(json, JSON_COMPACT);
	bool written = write_line(output, slice_of(text));

	free(text);
	json_decref(json);
	return written;
}

bool log_output_write(struct log_output *output, struct slice line, const struct event_line *event)
{
	if (output->journal >= 0) {
		enum log_journal_result result = log_journal_send(output->journal, line, event);

		if (result != LOG_JOURNAL_GONE)
			return result == LOG_JOURNAL_SENT;
	}
	return output->json ? write_json(output, event) : write_line(output, line);
}
