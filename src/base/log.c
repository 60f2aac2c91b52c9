#include "base/log.h"

#include "base/alloc.h"
#include "base/log_escape.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#define NAME_BYTES 64
#define VALUES 8
#define FIELD_ROOM 24 /* space, =, quotes, LOG_ESCAPE_CUT, end of line */

static struct {
	char node[NAME_BYTES + 1], process[NAME_BYTES + 1];
	int fd;
	uint64_t dropped, dropped_told;
	bool (*write)(void *arg, struct slice line); /* NULL: to fd */
	void *arg;
} logger = { .node = "-", .process = "sallyport", .fd = STDERR_FILENO };

void log_init(const char *node, const char *process)
{
	if (node)
		snprintf(logger.node, sizeof(logger.node), "%s", node);
	if (process)
		snprintf(logger.process, sizeof(logger.process), "%s", process);
}

void log_to(int fd)
{
	logger.fd = fd;
}

void log_divert(bool (*write)(void *arg, struct slice line), void *arg)
{
	logger.write = write;
	logger.arg = arg;
}

uint64_t log_dropped(void)
{
	return logger.dropped;
}

static size_t write_head(char *line, size_t size, const char *module, enum log_level level,
			 const char *location)
{
	struct timespec now;
	struct tm day;
	size_t used;

	clock_gettime(CLOCK_REALTIME, &now);
	gmtime_r(&now.tv_sec, &day);
	used = strftime(line, size, "%Y-%m-%dT%H:%M:%S", &day);
	used += (size_t)snprintf(line + used, size - used,
				 ".%06ld+00:00 %s %s[%d]: Module=\"%s\" Level=\"%s\"",
				 now.tv_nsec / 1000, logger.node, logger.process, (int)getpid(),
				 module, log_level_name(level));
	if (location)
		used += (size_t)snprintf(line + used, size - used, " CodeLocation=\"%s\"",
					 location);
	return used;
}

/* Appends KEY="VALUE" with a space before it; the room left must hold the key, quotes and
 * LOG_ESCAPE_CUT. */
static size_t write_field(char *line, size_t used, size_t size, const char *key, struct slice value)
{
	size_t room;

	used += (size_t)snprintf(line + used, size - used, " %s=\"", key);
	room = size - used - 2; /* quote and end of line */
	used += log_escape(line + used, room < LOG_DETAIL_BYTES ? room : LOG_DETAIL_BYTES, value,
			   true);
	line[used++] = '"';
	return used;
}

static bool write_out(char *line, size_t used)
{
	ssize_t n;

	if (logger.write)
		return logger.write(logger.arg, (struct slice){ line, used });
	line[used++] = '\n';
	do
		n = write(logger.fd, line, used);
	while (n < 0 && errno == EINTR);
	return n == (ssize_t)used;
}

static bool write_line(const char *module, enum log_level level, const char *location,
		       struct slice detail)
{
	char line[LOG_LINE_BYTES];
	size_t used = write_head(line, sizeof(line), module, level, location);

	return write_out(line, write_field(line, used, sizeof(line), "Detail", detail));
}

static void tell_dropped(void)
{
	char detail[64];
	int n = snprintf(detail, sizeof(detail), "lines=%" PRIu64,
			 logger.dropped - logger.dropped_told);

	if (write_line("system.process", LOG_LEVEL_WARN, "log.dropped",
		       (struct slice){ detail, (size_t)n }))
		logger.dropped_told = logger.dropped;
}

void log_write(const char *module, enum log_level level, const char *location, const char *format,
	       va_list args)
{
	char detail[LOG_DETAIL_BYTES + 1];
	int n = vsnprintf(detail, sizeof(detail), format, args);

	if (n < 0)
		return;
	if (logger.dropped != logger.dropped_told)
		tell_dropped();
	/* One byte more than fits tells log_escape() that there was more. */
	if (!write_line(module, level, location,
			(struct slice){ detail, (size_t)n < sizeof(detail) ? (size_t)n
									   : sizeof(detail) - 1 }))
		logger.dropped++;
}

void log_write_fields(const char *module, enum log_level level, const char *location,
		      const struct log_field *fields)
{
	char line[LOG_LINE_BYTES];
	size_t used = write_head(line, sizeof(line), module, level, location);

	if (logger.dropped != logger.dropped_told)
		tell_dropped();
	for (; fields->key; fields++) {
		if (sizeof(line) - used < strlen(fields->key) + FIELD_ROOM)
			break;
		if (fields->value)
			used = write_field(line, used, sizeof(line), fields->key,
					   slice_of(fields->value));
	}
	if (!write_out(line, used))
		logger.dropped++;
}

void log_forward(struct slice line)
{
	char copy[LOG_LINE_BYTES];
	size_t len = line.len < sizeof(copy) ? line.len : sizeof(copy) - 1;

	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)line.data[i];

		copy[i] = (char)(c < ' ' || c == 0x7f ? '?' : c);
	}
	if (!write_out(copy, len))
		logger.dropped++;
}

const char *log_value(struct slice value)
{
	static _Thread_local char values[VALUES]
					[LOG_VALUE_BYTES * (size_t)3 + sizeof(LOG_ESCAPE_CUT)];
	static _Thread_local unsigned turn;
	char *out = values[turn++ % VALUES];
	size_t used = 0;

	if (!value.data)
		return "-";
	for (size_t i = 0; i < value.len; i++) {
		unsigned char c = (unsigned char)value.data[i];

		if (i == LOG_VALUE_BYTES) {
			memcpy(out + used, LOG_ESCAPE_CUT, strlen(LOG_ESCAPE_CUT));
			used += strlen(LOG_ESCAPE_CUT);
			break;
		}
		if (c <= ' ' || c == '=' || c == '%')
			used += (size_t)snprintf(out + used, 4, "%%%02X", c);
		else
			out[used++] = (char)c;
	}
	out[used] = '\0';
	return out;
}

const char *log_text(const char *value)
{
	return log_value(slice_of(value));
}
