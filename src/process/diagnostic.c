#include "process/diagnostic.h"

#include "base/alloc.h"
#include "ipc/snapshot.h"
#include "tables/events.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#define WRITE_BYTES 65536 /* lines are written in pieces of about that size */

struct diagnostic {
	struct diagnostic_config config;
	enum diagnostic_state state;
	int file; /* -1: none */
	struct buffer unwritten;
	uint64_t lines, bytes;
	time_t began, ends;
	char *author;
	bool capture, secrets;
	struct timer timer;
	struct loop_task full; /* not from inside the log */
	const char *full_why;
};

static void finish(struct diagnostic *diagnostic, const char *why)
{
	if (diagnostic->state != DIAGNOSTIC_RUNNING)
		return;
	log_event(EVENT_DIAG_ENDED, "lines=%" PRIu64 " bytes=%" PRIu64 " why=\"%s\"",
		  diagnostic->lines, diagnostic->bytes, why);
	diagnostic->state = DIAGNOSTIC_KEPT;
	diagnostic->ends = time(NULL);
	loop_disarm(diagnostic->config.loop, &diagnostic->timer);
	loop_undefer(diagnostic->config.loop, &diagnostic->full);
	diagnostic->config.verbosity(diagnostic->config.arg);
}

static void on_time(struct timer *timer)
{
	struct diagnostic *diagnostic =
		(void *)((char *)timer - offsetof(struct diagnostic, timer));

	finish(diagnostic, "its time is over");
	diagnostic->config.over(diagnostic->config.arg);
}

static void on_full(struct loop_task *task)
{
	struct diagnostic *diagnostic = (void *)((char *)task - offsetof(struct diagnostic, full));

	finish(diagnostic, diagnostic->full_why);
	diagnostic->config.over(diagnostic->config.arg);
}

static void forget(struct diagnostic *diagnostic)
{
	if (diagnostic->file >= 0)
		close(diagnostic->file);
	diagnostic->file = -1;
	buffer_finish(&diagnostic->unwritten);
	free(diagnostic->author);
	diagnostic->author = NULL;
	diagnostic->lines = diagnostic->bytes = 0;
	diagnostic->state = DIAGNOSTIC_NONE;
}

struct diagnostic *diagnostic_create(const struct diagnostic_config *config)
{
	struct diagnostic *diagnostic = xcalloc(1, sizeof(*diagnostic));

	diagnostic->config = *config;
	diagnostic->file = -1;
	diagnostic->timer.fire = on_time;
	diagnostic->full.run = on_full;
	return diagnostic;
}

void diagnostic_destroy(struct diagnostic **diagnostic_ref)
{
	struct diagnostic *diagnostic = *diagnostic_ref;

	if (!diagnostic)
		return;
	*diagnostic_ref = NULL;
	loop_disarm(diagnostic->config.loop, &diagnostic->timer);
	loop_undefer(diagnostic->config.loop, &diagnostic->full);
	forget(diagnostic);
	free(diagnostic);
}

bool diagnostic_start(struct diagnostic *diagnostic, const struct diagnostic_wish *wish, char **why)
{
	int file = memfd_create("diagnostic", MFD_CLOEXEC);

	if (file < 0) {
		*why = xasprintf("there is no memory for it: %s", strerror(errno));
		return false;
	}
	finish(diagnostic, "another one replaces it");
	forget(diagnostic);
	diagnostic->file = file;
	diagnostic->author = xstrdup(wish->author);
	diagnostic->capture = wish->capture;
	diagnostic->secrets = wish->secrets;
	diagnostic->began = time(NULL);
	diagnostic->ends = diagnostic->began + (time_t)wish->seconds;
	diagnostic->state = DIAGNOSTIC_RUNNING;
	loop_arm(diagnostic->config.loop, &diagnostic->timer, (uint64_t)wish->seconds * 1000);
	log_event(EVENT_DIAG_STARTED, "by=\"%s\" seconds=%u capture=%s secrets=%s domain=%s",
		  wish->author, wish->seconds, wish->capture ? "yes" : "no",
		  wish->secrets ? "yes" : "no", log_text(wish->domain));
	diagnostic->config.verbosity(diagnostic->config.arg);
	return true;
}

void diagnostic_stop(struct diagnostic *diagnostic, const char *why)
{
	finish(diagnostic, why);
}

struct diagnostic_facts diagnostic_facts(const struct diagnostic *diagnostic)
{
	return (struct diagnostic_facts){
		diagnostic->state,   diagnostic->began,
		diagnostic->ends,    diagnostic->lines,
		diagnostic->bytes,   diagnostic->capture,
		diagnostic->secrets, diagnostic->author ? diagnostic->author : ""
	};
}

/* Lines */

static void end_soon(struct diagnostic *diagnostic, const char *why)
{
	diagnostic->full_why = why;
	loop_defer(diagnostic->config.loop, &diagnostic->full);
}

static bool write_lines(struct diagnostic *diagnostic)
{
	struct buffer *lines = &diagnostic->unwritten;

	while (buffer_len(lines)) {
		ssize_t n = write(diagnostic->file, buffer_data(lines), buffer_len(lines));

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		buffer_consume(lines, (size_t)n);
	}
	return true;
}

void diagnostic_line(struct diagnostic *diagnostic, struct slice line)
{
	if (diagnostic->state != DIAGNOSTIC_RUNNING || diagnostic->full.link)
		return;
	if (diagnostic->bytes + line.len + 1 > DIAGNOSTIC_BYTES) {
		end_soon(diagnostic, "it is full: 64 MiB");
		return;
	}
	buffer_append_slice(&diagnostic->unwritten, line);
	buffer_append_text(&diagnostic->unwritten, "\n");
	diagnostic->lines++;
	diagnostic->bytes += line.len + 1;
	if (buffer_len(&diagnostic->unwritten) >= WRITE_BYTES && !write_lines(diagnostic))
		end_soon(diagnostic, "no memory is left for it");
}

bool diagnostic_read(struct diagnostic *diagnostic, uint64_t offset, struct buffer *out,
		     uint64_t *size, char **why)
{
	ssize_t got;

	if (diagnostic->state == DIAGNOSTIC_NONE) {
		*why = xstrdup("there is no diagnostic log; `sallyport diag start` begins one");
		return false;
	}
	write_lines(diagnostic);
	*size = diagnostic->bytes - buffer_len(&diagnostic->unwritten);
	if (offset >= *size)
		return true;
	got = pread(diagnostic->file, buffer_reserve(out, DIAGNOSTIC_PIECE_BYTES),
		    DIAGNOSTIC_PIECE_BYTES, (off_t)offset);
	if (got < 0) {
		*why = xasprintf("the diagnostic log cannot be read: %s", strerror(errno));
		return false;
	}
	buffer_filled(out, (size_t)got);
	return true;
}

/* Levels and status */

void diagnostic_levels(const struct diagnostic *diagnostic, struct buffer *snapshot)
{
	if (diagnostic->state != DIAGNOSTIC_RUNNING)
		return;
	for (enum event_module module = 0; module < EVENT_MODULE_COUNT; module++)
		snapshot_add(snapshot,
			     &(struct snapshot_record){ 3,
							{ slice_of("log.levels"),
							  slice_of(event_module_name(module)),
							  slice_of("debug") } });
}

/* diagnostic STATE BEGAN ENDS LINES BYTES SECRETS AUTHOR */
void diagnostic_report(const struct diagnostic *diagnostic, struct buffer *out)
{
	bool runs = diagnostic->state == DIAGNOSTIC_RUNNING;
	char began[24], ends[24], lines[24], bytes[24];

	if (diagnostic->state == DIAGNOSTIC_NONE)
		return;
	snprintf(began, sizeof(began), "%" PRId64, (int64_t)diagnostic->began);
	snprintf(ends, sizeof(ends), "%" PRId64, (int64_t)diagnostic->ends);
	snprintf(lines, sizeof(lines), "%" PRIu64, diagnostic->lines);
	snprintf(bytes, sizeof(bytes), "%" PRIu64, diagnostic->bytes);
	snapshot_add(out, &(struct snapshot_record){
				  8,
				  { slice_of("diagnostic"), slice_of(runs ? "running" : "kept"),
				    slice_of(began), slice_of(ends), slice_of(lines),
				    slice_of(bytes), slice_of(diagnostic->secrets ? "yes" : "no"),
				    slice_of(diagnostic->author) } });
}
