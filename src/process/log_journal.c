#include "process/log_journal.h"

#include "base/buffer.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define SOCKET "/run/systemd/journal/socket"

int log_journal_open(int fd)
{
	const char *stream = getenv("JOURNAL_STREAM"); /* "DEVICE:INODE" */
	char ours[48];
	struct stat st;

	if (!stream || fstat(fd, &st) < 0)
		return -1;
	snprintf(ours, sizeof(ours), "%ju:%ju", (uintmax_t)st.st_dev, (uintmax_t)st.st_ino);
	if (strcmp(stream, ours) != 0)
		return -1;
	return socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
}

/* No value of a line has a newline in it. */
static void add(struct buffer *out, const char *key, struct slice value)
{
	char *text = event_line_text(value);

	if (value.len)
		buffer_printf(out, "%s=%s\n", key, text);
	free(text);
}

static void add_own_field(struct buffer *out, const struct event_line_field *field)
{
	char key[64] = "SALLYPORT_";
	size_t len = strlen(key);

	for (size_t i = 0; i < field->key.len && len < sizeof(key) - 1; i++)
		key[len++] = (char)toupper((unsigned char)field->key.data[i]);
	key[len] = '\0';
	add(out, key, field->value);
}

/* syslog(3)'s numbers */
static int priority(enum log_level level)
{
	static const int priorities[] = {
		[LOG_LEVEL_ERROR] = 3,
		[LOG_LEVEL_WARN] = 4,
		[LOG_LEVEL_INFO] = 6,
		[LOG_LEVEL_DEBUG] = 7,
	};

	return priorities[level];
}

static void write_fields(struct buffer *out, struct slice line, const struct event_line *event)
{
	const char *end = line.data + line.len;
	const char *message = event->module.data - strlen("Module=\"");

	buffer_printf(out, "MESSAGE=%.*s\nPRIORITY=%d\nSYSLOG_PID=%" PRIu32 "\n",
		      (int)(end - message), message, priority(event->level), event->pid);
	add(out, "SYSLOG_IDENTIFIER", event->process);
	add(out, "SALLYPORT_TIME", event->time);
	add(out, "SALLYPORT_NODE", event->node);
	add(out, "SALLYPORT_MODULE", event->module);
	add(out, "SALLYPORT_EVENT", event->location);
	add(out, "SALLYPORT_DETAIL", event->detail);
	add(out, "SALLYPORT_XCODER", event->xcoder);
	for (size_t i = 0; i < event->domain_count; i++)
		add(out, "SALLYPORT_DOMAIN", event->domains[i]);
	for (size_t i = 0; i < event->field_count; i++)
		add_own_field(out, &event->fields[i]);
}

enum log_journal_result log_journal_send(int journal, struct slice line,
					 const struct event_line *event)
{
	static const struct sockaddr_un address = { .sun_family = AF_UNIX, .sun_path = SOCKET };
	struct buffer out = { 0 };
	ssize_t sent;

	write_fields(&out, line, event);
	do
		sent = sendto(journal, buffer_data(&out), buffer_len(&out), MSG_NOSIGNAL,
			      (const struct sockaddr *)&address, sizeof(address));
	while (sent < 0 && errno == EINTR);
	buffer_finish(&out);
	if (sent >= 0)
		return LOG_JOURNAL_SENT;
	return errno == EAGAIN || errno == ENOBUFS ? LOG_JOURNAL_FULL : LOG_JOURNAL_GONE;
}
