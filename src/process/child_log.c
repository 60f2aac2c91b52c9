#include "process/child_log.h"

#include "admin/event_line.h"
#include "tables/events.h"

#include <errno.h>
#include <unistd.h>

#define TURN_BYTES 65536 /* in one turn; then others get theirs */

static void take_line(struct child_log *log, struct slice line)
{
	struct event_line event;

	if (event_line_read(&event, line) && slice_is(event.process, process_program(log->process)))
		log_forward(line);
	else
		log_event(EVENT_PROCESS_SAID, "process=%s %.*s", process_name(log->process),
			  SLICE_ARGS(line));
	if (log->line)
		log->line(log->arg, line);
}

static void take_lines(struct child_log *log)
{
	const char *end;
	size_t len = buffer_len(&log->lines);

	while (len && (end = memchr(buffer_data(&log->lines), '\n', len))) {
		struct slice line = { buffer_data(&log->lines), 0 };

		line.len = (size_t)(end - line.data);
		take_line(log, line);
		buffer_consume(&log->lines, line.len + 1);
		len = buffer_len(&log->lines);
	}
	if (len >= LOG_LINE_BYTES) { /* no line of ours is so long */
		take_line(log, (struct slice){ buffer_data(&log->lines), len });
		buffer_consume(&log->lines, len);
	}
}

/* False at the end of the pipe. */
static bool read_lines(struct child_log *log)
{
	size_t taken = 0;

	while (taken < TURN_BYTES) {
		ssize_t n = read(log->io.fd, buffer_reserve(&log->lines, LOG_LINE_BYTES),
				 LOG_LINE_BYTES);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 && errno == EAGAIN;
		buffer_filled(&log->lines, (size_t)n);
		taken += (size_t)n;
		take_lines(log);
	}
	return true;
}

static void on_ready(struct loop_io *io, bool readable, bool writable)
{
	struct child_log *log = (void *)((char *)io - offsetof(struct child_log, io));

	if (!read_lines(log))
		loop_unwatch(io); /* it closed its end; ours is closed when it is reaped */
}

void child_log_open(struct child_log *log, struct loop *loop, enum process process, int fd,
		    void (*line)(void *arg, struct slice line), void *arg)
{
	*log = (struct child_log){ .io = { .ready = on_ready, .fd = fd },
				   .open = true,
				   .process = process,
				   .line = line,
				   .arg = arg };
	loop_watch(loop, &log->io, true, false);
}

void child_log_close(struct child_log *log)
{
	if (!log->open)
		return;
	read_lines(log);
	if (buffer_len(&log->lines))
		take_line(log, (struct slice){ buffer_data(&log->lines), buffer_len(&log->lines) });
	buffer_finish(&log->lines);
	loop_unwatch(&log->io);
	close(log->io.fd);
	log->open = false;
}
