#include "ctl/client.h"

#include "base/alloc.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define READ_BYTES 65536

static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static char *no_connection(const char *path)
{
	switch (errno) {
	case ENOENT:
		return xasprintf("no node runs here: %s does not exist", path);
	case ECONNREFUSED:
		return xasprintf("no node runs here: nobody listens on %s", path);
	case EACCES:
		return xasprintf("you may not use %s: only root and who runs the node", path);
	default:
		return xasprintf("cannot connect to %s: %s", path, strerror(errno));
	}
}

static int dial(const char *path, char **why)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd;

	if (strlen(path) >= sizeof(address.sun_path)) {
		*why = xasprintf("%s is too long for a socket's path", path);
		return -1;
	}
	memcpy(address.sun_path, path, strlen(path));
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0) {
		*why = no_connection(path);
		if (fd >= 0)
			close(fd);
		return -1;
	}
	return fd;
}

/* Waits until the socket is ready for it; false: the time is over. */
static bool wait_for(int fd, short events, int64_t deadline_ms)
{
	struct pollfd ready = { fd, events, 0 };
	int64_t left_ms = deadline_ms - now_ms();

	return left_ms > 0 && poll(&ready, 1, left_ms > INT_MAX ? -1 : (int)left_ms) != 0;
}

/* What the node does not read is no failure yet: it may have refused us and said why. */
static void send_all(int fd, struct slice bytes, int64_t deadline_ms)
{
	while (bytes.len && wait_for(fd, POLLOUT, deadline_ms)) {
		ssize_t sent = send(fd, bytes.data, bytes.len, MSG_NOSIGNAL | MSG_DONTWAIT);

		if (sent < 0 && errno != EAGAIN && errno != EINTR)
			return;
		if (sent > 0) {
			bytes.data += sent;
			bytes.len -= (size_t)sent;
		}
	}
}

/* Waits until something is to be read; says how long that takes. */
static bool wait_for_answer(int fd, int64_t deadline_ms, void (*waiting)(unsigned seconds))
{
	int64_t began_ms = now_ms();

	while (waiting && now_ms() + CLIENT_PATIENCE_MS < deadline_ms) {
		if (wait_for(fd, POLLIN, now_ms() + CLIENT_PATIENCE_MS))
			return true;
		waiting((unsigned)((now_ms() - began_ms) / 1000));
	}
	return wait_for(fd, POLLIN, deadline_ms);
}

/* A piece is taken by whoever wants them; false: that was the last, for there is no more, it was
 * enough, or nobody asked for pieces. */
static bool take_piece(const struct client_pieces *pieces, struct reply *reply)
{
	bool goes_on;

	if (!reply->more)
		return false;
	goes_on = pieces && pieces->take(pieces->arg, reply);
	if (goes_on)
		reply_finish(reply);
	return goes_on;
}

static bool receive(int fd, struct lines *lines, void (*waiting)(unsigned seconds),
		    const struct client_pieces *pieces, struct reply *reply, int64_t deadline_ms,
		    char **why)
{
	const char *wrong;
	struct slice line;
	ssize_t got;

	for (;;) {
		switch (lines_next(lines, PROTOCOL_REPLY_BYTES, &line)) {
		case LINES_LINE:
			if (reply_read(reply, line, &wrong)) {
				if (!take_piece(pieces, reply))
					return true;
				waiting = NULL;
				deadline_ms = INT64_MAX;
				continue;
			}
			*why = xasprintf("the node's answer cannot be read: %s", wrong);
			return false;
		case LINES_TOO_LONG:
			*why = xstrdup("the node's answer does not end");
			return false;
		case LINES_MORE:
			break;
		}
		if (!wait_for_answer(fd, deadline_ms, waiting)) {
			*why = xasprintf("the node does not answer within %d s",
					 CLIENT_TIMEOUT_MS / 1000);
			return false;
		}
		got = recv(fd, buffer_reserve(&lines->bytes, READ_BYTES), READ_BYTES, MSG_DONTWAIT);
		if (got > 0) {
			buffer_filled(&lines->bytes, (size_t)got);
		} else if (got == 0 || (errno != EAGAIN && errno != EINTR)) {
			*why = xstrdup("the node closed the connection without an answer");
			return false;
		}
	}
}

bool client_ask(const char *path, struct slice request, void (*waiting)(unsigned seconds),
		const struct client_pieces *pieces, struct reply *reply, char **why)
{
	int64_t deadline_ms = now_ms() + CLIENT_TIMEOUT_MS;
	struct lines lines = { 0 };
	int fd = dial(path, why);
	bool answered;

	if (fd < 0)
		return false;
	send_all(fd, request, deadline_ms);
	answered = receive(fd, &lines, waiting, pieces, reply, deadline_ms, why);
	lines_finish(&lines);
	close(fd);
	return answered;
}
