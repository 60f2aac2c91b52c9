#include "admin/control_socket.h"

#include "base/alloc.h"
#include "tables/events.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#define READ_BYTES 65536
#define ACCEPTS_A_TURN 16
#define BEHIND_BYTES                                                                               \
	((size_t)8 << 20) /* pieces that who asked has not taken; then it is closed                \
			   */

struct session {
	struct session *next, **link; /* link: what points here */
	struct control_socket *socket;
	uint64_t number;
	struct visitor visitor;
	struct loop_io io;
	struct timer timer;    /* for the request, then for the reply */
	struct loop_task turn; /* goes on after a reply; never from inside control_socket_reply */
	struct lines in;
	struct buffer out;
	enum {
		SESSION_HEARS,	/* a request */
		SESSION_WAITS,	/* for its answer */
		SESSION_TELLS,	/* pieces of its answer, as they come; more to come */
		SESSION_ANSWERS /* what is in `out` */
	} state;
	bool last;  /* reply; then it is closed */
	bool ahead; /* the next request, or its beginning, came before the answer to this one */
};

struct listener {
	struct listener *next;
	struct control_socket *socket;
	struct loop_io io;
};

struct control_socket {
	struct control_socket_config config;
	struct listener *listeners;
	struct session *sessions;
	size_t count, lookers; /* sessions; those that may only look */
	uint64_t numbers;
	struct loop_task end;
	void (*done)(void *arg); /* set when it finishes */
};

static void on_end(struct loop_task *task)
{
	struct control_socket *socket =
		(void *)((char *)task - offsetof(struct control_socket, end));

	socket->done(socket->config.arg);
}

struct control_socket *control_socket_create(const struct control_socket_config *config)
{
	struct control_socket *socket = xcalloc(1, sizeof(*socket));

	socket->config = *config;
	socket->end.run = on_end;
	return socket;
}

static void close_session(struct session *session)
{
	struct control_socket *socket = session->socket;

	bool waited = session->state == SESSION_WAITS || session->state == SESSION_TELLS;

	*session->link = session->next;
	if (session->next)
		session->next->link = session->link;
	socket->count--;
	socket->lookers -= session->visitor.access < ACCESS_ADMIN;
	if (waited)
		socket->config.gone(socket->config.arg, session->number);
	loop_unwatch(&session->io);
	loop_disarm(socket->config.loop, &session->timer);
	loop_undefer(socket->config.loop, &session->turn);
	close(session->io.fd);
	lines_finish(&session->in);
	buffer_finish(&session->out);
	free(session);
	if (socket->done && !socket->sessions)
		loop_defer(socket->config.loop, &socket->end);
}

static void enter(struct session *session, int state)
{
	const struct control_socket_config *config = &session->socket->config;

	session->state = state;
	/* While it waits it is read only to learn that who asked has gone. */
	loop_watch(config->loop, &session->io, state != SESSION_ANSWERS && !session->ahead,
		   buffer_len(&session->out) != 0);
	if (state == SESSION_WAITS || (state == SESSION_TELLS && !buffer_len(&session->out)))
		/* whoever answers has a deadline */
		loop_disarm(config->loop, &session->timer);
	else
		loop_arm(config->loop, &session->timer,
			 state == SESSION_HEARS ? config->request_ms : config->reply_ms);
}

static void reply(struct session *session, enum reply_status status, struct slice text,
		  json_t *data)
{
	reply_write(&session->out, status, text, data);
	enter(session, SESSION_ANSWERS);
	loop_defer_to_next(session->socket->config.loop, &session->turn);
}

static void refuse(struct session *session, const char *why)
{
	char *text = xasprintf("that request cannot be read: %s", why);

	log_event(EVENT_ADMIN_REFUSED, "by=\"%s\" from=\"%s\" why=\"%s\"", session->visitor.name,
		  session->visitor.from, why);
	session->last = true;
	reply(session, REPLY_FAILED, slice_of(text), NULL);
	free(text);
}

/* Takes the next request, if it has arrived whole. */
static void take_line(struct session *session)
{
	const struct control_socket_config *config = &session->socket->config;
	size_t limit = session->visitor.access == ACCESS_ADMIN ? PROTOCOL_REQUEST_BYTES
							       : CONTROL_SOCKET_LOOK_BYTES;
	struct request request;
	struct slice line;
	const char *why;

	switch (lines_next(&session->in, limit, &line)) {
	case LINES_MORE:
		return;
	case LINES_TOO_LONG:
		refuse(session, "it is too long");
		return;
	case LINES_LINE:
		break;
	}
	if (!request_read(&request, line, &why)) {
		refuse(session, why);
		return;
	}
	enter(session, SESSION_WAITS);
	config->request(config->arg, session->number, &session->visitor, &request);
	request_finish(&request);
}

static void hear(struct session *session)
{
	ssize_t got = recv(session->io.fd, buffer_reserve(&session->in.bytes, READ_BYTES),
			   READ_BYTES, MSG_DONTWAIT);

	if (got > 0) {
		buffer_filled(&session->in.bytes, (size_t)got);
		if (session->state == SESSION_HEARS) {
			take_line(session);
		} else { /* it is taken in its turn; until then nothing more is read */
			session->ahead = true;
			enter(session, session->state);
		}
	} else if (got == 0 && session->state == SESSION_WAITS) {
		session->ahead = session->last =
			true; /* it has no more to say, and may listen yet */
		enter(session, session->state);
	} else if (got == 0 || (errno != EAGAIN && errno != EINTR)) {
		close_session(session);
	}
}

static void send_out(struct session *session)
{
	bool moved = false;

	if (session->state == SESSION_WAITS || session->state == SESSION_HEARS)
		return;
	while (buffer_len(&session->out)) {
		ssize_t sent = send(session->io.fd, buffer_data(&session->out),
				    buffer_len(&session->out), MSG_NOSIGNAL | MSG_DONTWAIT);

		if (sent < 0 && errno == EAGAIN) {
			if (moved && session->state == SESSION_TELLS)
				enter(session, SESSION_TELLS); /* its time begins anew */
			return;
		}
		if (sent < 0 && errno != EINTR) {
			close_session(session);
			return;
		}
		if (sent > 0) {
			buffer_consume(&session->out, (size_t)sent);
			moved = true;
		}
	}
	if (session->state == SESSION_TELLS) {
		enter(session, SESSION_TELLS);
		return;
	}
	if (session->last || session->socket->done) {
		close_session(session);
		return;
	}
	session->ahead = false;
	enter(session, SESSION_HEARS);
	take_line(session);
}

static void on_turn(struct loop_task *task)
{
	struct session *session = (void *)((char *)task - offsetof(struct session, turn));

	send_out(session);
}

static void on_ready(struct loop_io *io, bool readable, bool writable)
{
	struct session *session = (void *)((char *)io - offsetof(struct session, io));

	if (readable && session->state != SESSION_ANSWERS)
		hear(session);
	else if (writable)
		send_out(session);
}

static void on_timer(struct timer *timer)
{
	close_session((void *)((char *)timer - offsetof(struct session, timer)));
}

static struct visitor visitor_of(const struct control_socket *socket, int fd)
{
	struct ucred peer = { 0, (uid_t)-1, (gid_t)-1 };
	socklen_t len = sizeof(peer);

	struct visitor visitor = { .access = ACCESS_VIEW, .name = "unknown" };

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) < 0)
		return visitor;
	if (peer.uid == 0 || peer.uid == socket->config.owner)
		visitor.access = ACCESS_ADMIN;
	if (peer.uid == 0)
		snprintf(visitor.name, sizeof(visitor.name), "root");
	else
		snprintf(visitor.name, sizeof(visitor.name), "uid %u", (unsigned)peer.uid);
	snprintf(visitor.from, sizeof(visitor.from), "pid %d", (int)peer.pid);
	return visitor;
}

/* Says so, as far as its socket takes it at once. */
static void turn_away(int fd, const struct visitor *visitor)
{
	struct buffer out = { 0 };

	log_event(EVENT_ADMIN_REFUSED, "by=\"%s\" from=\"%s\" why=\"too many connections\"",
		  visitor->name, visitor->from);
	reply_write(&out, REPLY_FAILED, slice_of("too many others are connected: try again"), NULL);
	(void)send(fd, buffer_data(&out), buffer_len(&out), MSG_NOSIGNAL | MSG_DONTWAIT);
	buffer_finish(&out);
	close(fd);
}

static void open_session(struct control_socket *socket, int fd)
{
	struct visitor visitor = visitor_of(socket, fd);
	struct session *session;

	if (socket->count == CONTROL_SOCKET_SESSIONS ||
	    (visitor.access < ACCESS_ADMIN && socket->lookers == CONTROL_SOCKET_LOOKERS)) {
		turn_away(fd, &visitor);
		return;
	}
	session = xcalloc(1, sizeof(*session));
	session->socket = socket;
	session->number = ++socket->numbers;
	session->visitor = visitor;
	session->io.ready = on_ready;
	session->io.fd = fd;
	session->timer.fire = on_timer;
	session->turn.run = on_turn;
	session->next = socket->sessions;
	session->link = &socket->sessions;
	if (session->next)
		session->next->link = &session->next;
	socket->sessions = session;
	socket->count++;
	socket->lookers += visitor.access < ACCESS_ADMIN;
	enter(session, SESSION_HEARS);
}

static void on_connection(struct loop_io *io, bool readable, bool writable)
{
	struct listener *listener = (void *)((char *)io - offsetof(struct listener, io));

	for (int i = 0; i < ACCEPTS_A_TURN; i++) {
		int fd = accept4(io->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

		if (fd < 0)
			return;
		open_session(listener->socket, fd);
	}
}

void control_socket_listen(struct control_socket *socket, int fd)
{
	struct listener *listener = xcalloc(1, sizeof(*listener));

	fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK); /* accepted from until it is empty */
	listener->socket = socket;
	listener->io.fd = fd;
	listener->io.ready = on_connection;
	listener->next = socket->listeners;
	socket->listeners = listener;
	loop_watch(socket->config.loop, &listener->io, true, false);
}

static struct session *find(const struct control_socket *socket, uint64_t number)
{
	struct session *session = socket->sessions;

	while (session && session->number != number)
		session = session->next;
	return session;
}

void control_socket_reply(struct control_socket *socket, uint64_t number, enum reply_status status,
			  struct slice text, json_t *data)
{
	struct session *session = find(socket, number);

	if (session && (session->state == SESSION_WAITS || session->state == SESSION_TELLS))
		reply(session, status, text, data);
}

void control_socket_tell(struct control_socket *socket, uint64_t number, struct slice text,
			 json_t *data)
{
	struct session *session = find(socket, number);
	bool idle = session && !buffer_len(&session->out);

	if (!session || (session->state != SESSION_WAITS && session->state != SESSION_TELLS))
		return;
	if (buffer_len(&session->out) > BEHIND_BYTES) {
		close_session(session);
		return;
	}
	reply_write_piece(&session->out, text, data);
	if (idle) /* its time to be taken runs from the first that waits */
		enter(session, SESSION_TELLS);
	loop_defer_to_next(socket->config.loop, &session->turn);
}

size_t control_socket_behind(const struct control_socket *socket, uint64_t number)
{
	const struct session *session = find(socket, number);

	return session ? buffer_len(&session->out) : 0;
}

static void close_listeners(struct control_socket *socket)
{
	while (socket->listeners) {
		struct listener *listener = socket->listeners;

		socket->listeners = listener->next;
		loop_unwatch(&listener->io);
		close(listener->io.fd);
		free(listener);
	}
}

void control_socket_finish(struct control_socket *socket, void (*done)(void *arg))
{
	struct session *next;

	close_listeners(socket);
	socket->done = done;
	for (struct session *session = socket->sessions; session; session = next) {
		next = session->next;
		if (session->state == SESSION_HEARS)
			close_session(session);
	}
	if (!socket->sessions)
		loop_defer(socket->config.loop, &socket->end);
}

void control_socket_destroy(struct control_socket **socket_ref)
{
	struct control_socket *socket = *socket_ref;
	struct session *next;

	if (!socket)
		return;
	*socket_ref = NULL;
	close_listeners(socket);
	for (struct session *session = socket->sessions; session; session = next) {
		next = session->next;
		close_session(session);
	}
	loop_undefer(socket->config.loop, &socket->end);
	free(socket);
}
