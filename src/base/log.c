#include "base/log.h"

#include "base/alloc.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#define NAME_BYTES 64
#define VALUES 8
#define CUT "...(truncated)"
#define FIELD_ROOM 24 /* space, =, quotes, CUT, end of line */

static struct {
	char node[NAME_BYTES + 1], process[NAME_BYTES + 1];
	int fd;
	uint64_t dropped, dropped_told;
} logger = { .node = "-", .process = "sallyport", .fd = STDERR_FILENO };

static const char *const level_names[] = {
	[LOG_LEVEL_ERROR] = "ERROR",
	[LOG_LEVEL_WARN] = "WARN",
	[LOG_LEVEL_INFO] = "INFO",
	[LOG_LEVEL_DEBUG] = "DEBUG",
};

const char *log_level_name(enum log_level level)
{
	return level_names[level];
}

bool log_level_read(const char *name, enum log_level *level)
{
	for (size_t i = 0; i < nitems(level_names); i++) {
		if (strcasecmp(name, level_names[i]) == 0) {
			*level = (enum log_level)i;
			return true;
		}
	}
	return false;
}

void log_init(const char *node, const char *process)
{
	snprintf(logger.node, sizeof(logger.node), "%s", node);
	snprintf(logger.process, sizeof(logger.process), "%s", process);
}

void log_to(int fd)
{
	logger.fd = fd;
}

uint64_t log_dropped(void)
{
	return logger.dropped;
}

/* The length of the UTF-8 sequence at `s`, and its code point; 0 if there is none (RFC 3629). */
static size_t utf8_decode(struct slice s, uint32_t *point)
{
	const unsigned char *b = (const unsigned char *)s.data;
	size_t len = b[0] < 0x80 ? 1 : b[0] >> 5 == 6 ? 2 : b[0] >> 4 == 14 ? 3 : 4;
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };

	if (len == 4 && b[0] >> 3 != 30)
		return 0;
	if (len > s.len)
		return 0;
	*point = len == 1 ? b[0] : b[0] & (0x7fu >> len);
	for (size_t i = 1; i < len; i++) {
		if ((b[i] & 0xc0) != 0x80)
			return 0;
		*point = *point << 6 | (b[i] & 0x3fu);
	}
	if (*point < least[len] || *point > 0x10ffff || (*point >= 0xd800 && *point < 0xe000))
		return 0;
	return len;
}

/* What could end the line, or make a terminal or a reader see another text than is there. */
static bool is_unsafe(uint32_t point)
{
	return point < 0x20 || (point >= 0x7f && point < 0xa0) ||
	       (point >= 0x200b && point <= 0x200f) || (point >= 0x2028 && point <= 0x202e) ||
	       (point >= 0x2060 && point <= 0x206f) || point == 0xfeff || point == 0x061c ||
	       (point >= 0xfff9 && point <= 0xfffb) || point >= 0xe0000;
}

size_t log_escape(char *out, size_t size, struct slice text, bool quotes)
{
	size_t used = 0;

	while (text.len) {
		char piece[16];
		uint32_t point = 0;
		size_t len = utf8_decode(text, &point);
		int n;

		if (!len)
			n = snprintf(piece, sizeof(piece), "\\x%02x", (unsigned char)text.data[0]);
		else if (quotes && (point == '"' || point == '\\'))
			n = snprintf(piece, sizeof(piece), "\\%c", (int)point);
		else if (is_unsafe(point))
			n = snprintf(piece, sizeof(piece), point > 0xffff ? "\\U%08x" : "\\u%04x",
				     point);
		else
			n = snprintf(piece, sizeof(piece), "%.*s", (int)len, text.data);
		if (used + (size_t)n + strlen(CUT) > size) {
			memcpy(out + used, CUT, strlen(CUT));
			return used + strlen(CUT);
		}
		memcpy(out + used, piece, (size_t)n);
		used += (size_t)n;
		text.data += len ? len : 1;
		text.len -= len ? len : 1;
	}
	return used;
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
				 module, level_names[level]);
	if (location)
		used += (size_t)snprintf(line + used, size - used, " CodeLocation=\"%s\"",
					 location);
	return used;
}

/* Appends KEY="VALUE" with a space before it; the room left must hold the key, quotes and CUT. */
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
	ssize_t n;

	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)line.data[i];

		copy[i] = (char)(c < ' ' || c == 0x7f ? '?' : c);
	}
	copy[len++] = '\n';
	do
		n = write(logger.fd, copy, len);
	while (n < 0 && errno == EINTR);
	if (n != (ssize_t)len)
		logger.dropped++;
}

const char *log_value(struct slice value)
{
	static _Thread_local char values[VALUES][LOG_VALUE_BYTES * (size_t)3 + sizeof(CUT)];
	static _Thread_local unsigned turn;
	char *out = values[turn++ % VALUES];
	size_t used = 0;

	if (!value.data)
		return "-";
	for (size_t i = 0; i < value.len; i++) {
		unsigned char c = (unsigned char)value.data[i];

		if (i == LOG_VALUE_BYTES) {
			memcpy(out + used, CUT, strlen(CUT));
			used += strlen(CUT);
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
