#include "net/conn.h"

#include "base/alloc.h"

#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <linux/sockios.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define READ_BYTES 16384	/* one TLS record */
#define YOUNG_UNTIL_BYTES 16384 /* a stream's set-up takes less */
#define READS_A_WAKE_UP 16	/* then the others have their turn */
/* The kernel gives a dead peer up after this long without acknowledgement (design: noticed
 * within 60 s). */
#define TCP_USER_TIMEOUT_MS 45000
#define KEEPALIVE_IDLE_S 30
#define KEEPALIVE_INTERVAL_S 5
#define KEEPALIVE_PROBES 3

enum conn_state { CONN_CONNECTING, CONN_OPEN, CONN_HANDSHAKE, CONN_FINISHING, CONN_ENDED };

struct conn {
	struct loop *loop;
	const struct conn_handler *handler; /* NULL: the owner let go */
	void *owner;
	enum conn_state state;
	struct loop_io io;
	struct loop_task flush;
	struct loop_task read_on; /* TLS has more than one turn's worth */
	struct loop_task free_later;
	struct loop_task die;  /* finishing, with nobody else to destroy it: with the loop */
	struct timer deadline; /* connecting, handshake, finishing */
	unsigned tls_timeout_ms;
	uint64_t received; /* read so far */
	struct buffer out;
	SSL *ssl, *starting; /* starting: waits until what was appended before it is written */
	size_t clear_bytes;  /* how much of `out` that is */
	bool paused, secured, said_goodbye;
	bool peer_closed;	    /* while we finish, and still have something to send */
	int failed_errno;	    /* a dial that failed at once */
	uint64_t written;	    /* bytes of `out` handed to the kernel or to TLS */
	uint64_t socket_written;    /* before TLS; with TLS its BIO counts on */
	uint64_t mark, mark_socket; /* when the socket's bytes reach mark_socket, `mark` is safe */
	uint64_t acknowledged;
};

static void handshake(struct conn *c);
static void write_out(struct conn *c);

static void free_conn(struct loop_task *task)
{
	free((char *)task - offsetof(struct conn, free_later));
}

void conn_destroy(struct conn **conn)
{
	struct conn *c = *conn;

	if (!c)
		return;
	*conn = NULL;
	c->handler = NULL;
	c->state = CONN_ENDED;
	loop_unwatch(&c->io);
	loop_undefer(c->loop, &c->flush);
	loop_undefer(c->loop, &c->read_on);
	loop_undefer(c->loop, &c->die);
	loop_disarm(c->loop, &c->deadline);
	SSL_free(c->ssl);
	SSL_free(c->starting);
	c->ssl = c->starting = NULL;
	buffer_finish(&c->out);
	if (c->io.fd >= 0)
		close(c->io.fd);
	c->io.fd = -1;
	/* Callbacks further up the stack may still look at it. */
	loop_defer(c->loop, &c->free_later);
}

static void die(struct loop_task *task)
{
	conn_destroy(&(struct conn *){ (void *)((char *)task - offsetof(struct conn, die)) });
}

/* Tells the owner; after this only conn_destroy. */
static void end(struct conn *c, enum conn_end how, const char *why)
{
	const struct conn_handler *handler = c->handler;

	if (c->state == CONN_ENDED)
		return;
	if (!handler) { /* finishing without an owner */
		conn_destroy(&(struct conn *){ c });
		return;
	}
	if (how == CONN_EOF)
		conn_acknowledged(c); /* the last chance to ask */
	c->state = CONN_ENDED;
	loop_unwatch(&c->io);
	loop_undefer(c->loop, &c->read_on);
	loop_disarm(c->loop, &c->deadline);
	handler->ended(c->owner, how, why);
}

/* What comes while TLS is about to start belongs to the handshake. */
static bool may_read(const struct conn *c)
{
	if (c->state == CONN_FINISHING)
		return !c->peer_closed;
	return c->state == CONN_OPEN && !c->paused && !c->starting;
}

static void watch(struct conn *c, bool wants_write)
{
	if (c->state != CONN_ENDED)
		loop_watch(c->loop, &c->io, may_read(c) || c->state == CONN_HANDSHAKE, wants_write);
}

/* A peer that closed its half only still gets what an owner who let go had appended. */
static void end_of_peer(struct conn *c)
{
	if (c->state == CONN_FINISHING && buffer_len(&c->out) && !c->peer_closed) {
		c->peer_closed = true;
		watch(c, true);
	} else {
		end(c, CONN_EOF, "closed by the peer");
	}
}

static const char *tls_error(int code, char *text, size_t size)
{
	unsigned long error = ERR_peek_error();

	if (error)
		ERR_error_string_n(error, text, size);
	else if (code == SSL_ERROR_SYSCALL && errno)
		snprintf(text, size, "%s", strerror(errno));
	else
		snprintf(text, size, "the peer closed the connection");
	return text;
}

static void end_tls(struct conn *c, int code, enum conn_end how)
{
	char text[256];

	if (code == SSL_ERROR_ZERO_RETURN && c->secured)
		end_of_peer(c);
	else
		end(c, how, tls_error(code, text, sizeof(text)));
}

/*
 * Peers with Nagle's algorithm hold back the second of two small writes until the first is
 * acknowledged: Prosody sends its stream header and the features so, and each step of a set-up
 * would take the 40 ms of a delayed acknowledgement. The kernel forgets the option as it likes, so
 * it is set again while a stream is young.
 */
static void acknowledge_at_once(const struct conn *c)
{
	const int on = 1;

	if (c->received < YOUNG_UNTIL_BYTES)
		setsockopt(c->io.fd, IPPROTO_TCP, TCP_QUICKACK, &on, sizeof(on));
}

/* Reads once; false when there is nothing more now, or the connection ended. */
static bool read_some(struct conn *c)
{
	size_t room = READ_BYTES;
	char discarded[1024], *into;
	ssize_t got;

	if (c->handler) {
		into = c->handler->room(c->owner, &room);
	} else {
		into = discarded;
		room = sizeof(discarded);
	}
	if (c->ssl) {
		ERR_clear_error();
		errno = 0;
		got = SSL_read(c->ssl, into, (int)room);
		acknowledge_at_once(c);
		if (got <= 0) {
			int code = SSL_get_error(c->ssl, (int)got);

			if (code == SSL_ERROR_WANT_WRITE)
				watch(c, true);
			else if (code != SSL_ERROR_WANT_READ)
				end_tls(c, code, CONN_LOST);
			return false;
		}
	} else {
		got = recv(c->io.fd, into, room, 0);
		acknowledge_at_once(c);
		if (got == 0) {
			end_of_peer(c);
			return false;
		}
		if (got < 0) {
			if (errno != EAGAIN && errno != EINTR)
				end(c, CONN_LOST, strerror(errno));
			return false;
		}
	}
	c->received += (uint64_t)got;
	if (c->handler)
		c->handler->filled(c->owner, (size_t)got);
	/* To read only to hear that there is nothing costs a system call, and the owner room. */
	return may_read(c) && ((size_t)got == room || (c->ssl && SSL_has_pending(c->ssl)));
}

static void read_all(struct conn *c)
{
	for (int i = 0; i < READS_A_WAKE_UP; i++) {
		if (!read_some(c))
			return;
	}
	loop_defer_to_next(c->loop, &c->read_on);
}

static void read_on(struct loop_task *task)
{
	struct conn *c = (struct conn *)((char *)task - offsetof(struct conn, read_on));

	if (may_read(c))
		read_all(c);
}

static void begin_tls(struct conn *c)
{
	c->ssl = c->starting;
	c->starting = NULL;
	c->state = CONN_HANDSHAKE;
	if (SSL_set_fd(c->ssl, c->io.fd) != 1)
		abort();
	handshake(c);
}

static void say_goodbye(struct conn *c)
{
	if (c->said_goodbye)
		return;
	c->said_goodbye = true;
	if (c->ssl && c->state != CONN_HANDSHAKE) {
		ERR_clear_error();
		SSL_shutdown(c->ssl);
	}
	shutdown(c->io.fd, SHUT_WR);
}

static void write_out(struct conn *c)
{
	for (;;) {
		size_t sendable = c->starting ? c->clear_bytes : buffer_len(&c->out);
		ssize_t sent;

		if (!sendable)
			break;
		if (c->ssl) {
			int code, len = sendable > 1 << 20 ? 1 << 20 : (int)sendable;

			ERR_clear_error();
			errno = 0;
			sent = SSL_write(c->ssl, buffer_data(&c->out), len);
			code = sent > 0 ? SSL_ERROR_NONE : SSL_get_error(c->ssl, (int)sent);
			if (code == SSL_ERROR_WANT_WRITE) {
				watch(c, true);
				return;
			}
			if (code == SSL_ERROR_WANT_READ) {
				watch(c, false);
				return;
			}
			if (code != SSL_ERROR_NONE) {
				end_tls(c, code, CONN_LOST);
				return;
			}
		} else {
			sent = send(c->io.fd, buffer_data(&c->out), sendable, MSG_NOSIGNAL);
			if (sent < 0 && (errno == EAGAIN || errno == EINTR)) {
				watch(c, true);
				return;
			}
			if (sent < 0) {
				end(c, CONN_LOST, strerror(errno));
				return;
			}
			c->socket_written += (uint64_t)sent;
		}
		c->written += (uint64_t)sent;
		buffer_consume(&c->out, (size_t)sent);
		if (c->starting)
			c->clear_bytes -= (size_t)sent;
	}
	watch(c, false);
	if (c->starting) {
		begin_tls(c);
	} else if (c->state == CONN_FINISHING) {
		say_goodbye(c);
		if (c->peer_closed)
			end(c, CONN_EOF, "closed by the peer");
	}
}

static void flush(struct loop_task *task)
{
	struct conn *c = (struct conn *)((char *)task - offsetof(struct conn, flush));

	if (c->state == CONN_OPEN || c->state == CONN_FINISHING)
		write_out(c);
}

static void handshake(struct conn *c)
{
	int result, code;

	ERR_clear_error();
	errno = 0;
	result = SSL_do_handshake(c->ssl);
	acknowledge_at_once(c);
	if (result == 1) {
		c->state = CONN_OPEN;
		c->secured = true;
		loop_disarm(c->loop, &c->deadline);
		watch(c, false);
		c->handler->secured(c->owner);
		if (c->state == CONN_OPEN) {
			conn_flush(c);
			/* The first data may have come along with the handshake. */
			loop_defer(c->loop, &c->read_on);
		}
		return;
	}
	code = SSL_get_error(c->ssl, result);
	if (code == SSL_ERROR_WANT_READ)
		watch(c, false);
	else if (code == SSL_ERROR_WANT_WRITE)
		watch(c, true);
	else
		end_tls(c, code, CONN_TLS_FAILED);
}

static enum conn_end how_refused(int error)
{
	switch (error) {
	case ECONNREFUSED:
		return CONN_REFUSED;
	case ETIMEDOUT: /* the kernel was the first to lose patience */
		return CONN_TIMEOUT;
	default:
		return CONN_UNREACHABLE;
	}
}

static void connected(struct conn *c)
{
	int error = 0;
	socklen_t len = sizeof(error);

	getsockopt(c->io.fd, SOL_SOCKET, SO_ERROR, &error, &len);
	if (error) {
		end(c, how_refused(error), strerror(error));
		return;
	}
	loop_disarm(c->loop, &c->deadline);
	c->state = CONN_OPEN;
	watch(c, false);
	if (c->starting && c->tls_timeout_ms)
		loop_arm(c->loop, &c->deadline, c->tls_timeout_ms);
	c->handler->connected(c->owner);
	conn_flush(c); /* what was appended, or begun, before there was anybody to send it to */
}

static void on_ready(struct loop_io *io, bool readable, bool writable)
{
	struct conn *c = (struct conn *)((char *)io - offsetof(struct conn, io));

	switch (c->state) {
	case CONN_CONNECTING:
		connected(c);
		break;
	case CONN_HANDSHAKE:
		handshake(c);
		break;
	case CONN_OPEN:
	case CONN_FINISHING:
		if (writable)
			write_out(c);
		/* With TLS, reading may have waited for writing. */
		if ((readable || c->secured) && may_read(c))
			read_all(c);
		break;
	case CONN_ENDED:
		break;
	}
}

static void on_deadline(struct timer *timer)
{
	struct conn *c = (struct conn *)((char *)timer - offsetof(struct conn, deadline));

	if (c->failed_errno)
		end(c, how_refused(c->failed_errno), strerror(c->failed_errno));
	else if (c->state == CONN_HANDSHAKE || (c->state == CONN_OPEN && c->starting))
		end(c, CONN_TLS_FAILED, "no TLS handshake in time");
	else
		end(c, CONN_TIMEOUT, "no answer in time");
}

static struct conn *create(struct loop *loop, int fd, const struct conn_handler *handler,
			   void *owner)
{
	struct conn *c = xcalloc(1, sizeof(*c));
	const int on = 1, idle = KEEPALIVE_IDLE_S, interval = KEEPALIVE_INTERVAL_S;
	const int probes = KEEPALIVE_PROBES;
	const unsigned timeout = TCP_USER_TIMEOUT_MS;

	c->loop = loop;
	c->handler = handler;
	c->owner = owner;
	c->io = (struct loop_io){ .ready = on_ready, .fd = fd };
	c->flush.run = flush;
	c->read_on.run = read_on;
	c->free_later.run = free_conn;
	c->die.run = die;
	c->deadline.fire = on_deadline;
	if (fd >= 0) {
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
		setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
		setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle, sizeof(idle));
		setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &interval, sizeof(interval));
		setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &probes, sizeof(probes));
		setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &timeout, sizeof(timeout));
	}
	return c;
}

struct conn *conn_accept(struct loop *loop, int fd, const struct conn_handler *handler, void *owner)
{
	struct conn *c = create(loop, fd, handler, owner);

	c->state = CONN_OPEN;
	watch(c, false);
	return c;
}

struct conn *conn_dial(struct loop *loop, const struct conn_address *to, unsigned timeout_ms,
		       const struct conn_handler *handler, void *owner)
{
	int fd = socket(to->storage.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	struct conn *c = create(loop, fd, handler, owner);

	c->state = CONN_CONNECTING;
	if (fd < 0 || (connect(fd, (const struct sockaddr *)&to->storage, to->len) < 0 &&
		       errno != EINPROGRESS))
		c->failed_errno = errno;
	if (c->failed_errno) {
		loop_arm(loop, &c->deadline, 0);
	} else {
		loop_arm(loop, &c->deadline, timeout_ms);
		watch(c, true);
	}
	return c;
}

void conn_finish(struct conn **conn, unsigned linger_ms)
{
	struct conn *c = *conn;

	if (!c)
		return;
	if (c->state != CONN_OPEN || c->starting) {
		conn_destroy(conn);
		return;
	}
	*conn = NULL;
	c->handler = NULL;
	c->owner = NULL;
	c->paused = false;
	c->state = CONN_FINISHING;
	loop_arm(c->loop, &c->deadline, linger_ms);
	loop_defer(c->loop, &c->flush);
	loop_defer_to_end(c->loop, &c->die);
}

void conn_hand_over(struct conn *c, const struct conn_handler *handler, void *owner)
{
	c->handler = handler;
	c->owner = owner;
}

struct buffer *conn_out(struct conn *c)
{
	return &c->out;
}

void conn_flush(struct conn *c)
{
	if (c->state == CONN_OPEN)
		loop_defer(c->loop, &c->flush);
}

void conn_start_tls(struct conn *c, SSL *ssl, unsigned timeout_ms)
{
	assert(!c->ssl && !c->starting);
	c->starting = ssl;
	c->clear_bytes = buffer_len(&c->out);
	c->tls_timeout_ms = timeout_ms;
	if (c->state != CONN_OPEN)
		return;
	if (timeout_ms)
		loop_arm(c->loop, &c->deadline, timeout_ms);
	watch(c, c->io.writes);
	conn_flush(c);
}

SSL *conn_tls(struct conn *c)
{
	return c->secured ? c->ssl : NULL;
}

void conn_pause(struct conn *c, bool paused)
{
	if (c->paused == paused || c->state == CONN_ENDED)
		return;
	c->paused = paused;
	if (c->state == CONN_OPEN) {
		watch(c, c->io.writes);
		if (!paused)
			loop_defer_to_next(c->loop, &c->read_on);
	}
}

uint64_t conn_appended(const struct conn *c)
{
	return c->written + buffer_len(&c->out);
}

uint64_t conn_written(const struct conn *c)
{
	return c->written;
}

uint64_t conn_acknowledged(struct conn *c)
{
	uint64_t socket =
		c->socket_written + (c->ssl ? BIO_number_written(SSL_get_wbio(c->ssl)) : 0);
	int unacknowledged = 0;

	if (c->state == CONN_ENDED || c->io.fd < 0 ||
	    ioctl(c->io.fd, SIOCOUTQ, &unacknowledged) < 0)
		return c->acknowledged;
	if (socket - (uint64_t)unacknowledged >= c->mark_socket) {
		c->acknowledged = c->mark;
		c->mark = c->written;
		c->mark_socket = socket;
		if (unacknowledged == 0)
			c->acknowledged = c->mark;
	}
	return c->acknowledged;
}

bool conn_address_parse(struct conn_address *address, const char *ip, uint16_t port)
{
	struct sockaddr_in *v4 = (struct sockaddr_in *)&address->storage;
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)&address->storage;

	memset(address, 0, sizeof(*address));
	if (inet_pton(AF_INET, ip, &v4->sin_addr) == 1) {
		v4->sin_family = AF_INET;
		v4->sin_port = htons(port);
		address->len = sizeof(*v4);
		return true;
	}
	if (inet_pton(AF_INET6, ip, &v6->sin6_addr) == 1) {
		v6->sin6_family = AF_INET6;
		v6->sin6_port = htons(port);
		address->len = sizeof(*v6);
		return true;
	}
	return false;
}

void conn_address_text(const struct conn_address *address, char *text)
{
	const struct sockaddr_in *v4 = (const struct sockaddr_in *)&address->storage;
	const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)&address->storage;
	char ip[INET6_ADDRSTRLEN] = "?";

	if (address->storage.ss_family == AF_INET6) {
		inet_ntop(AF_INET6, &v6->sin6_addr, ip, sizeof(ip));
		snprintf(text, CONN_ADDRESS_TEXT, "[%s]:%u", ip, ntohs(v6->sin6_port));
	} else {
		inet_ntop(AF_INET, &v4->sin_addr, ip, sizeof(ip));
		snprintf(text, CONN_ADDRESS_TEXT, "%s:%u", ip, ntohs(v4->sin_port));
	}
}

/* Listening */

#define ACCEPTS_A_WAKE_UP 64

struct listener {
	struct loop *loop;
	struct loop_io io;
	listener_fn *accepted;
	void *owner;
	struct timer rest; /* out of descriptors: try again later, without spinning */
	bool *destroyed;   /* set while the owner is told */
};

static void on_connection(struct loop_io *io, bool readable, bool writable)
{
	struct listener *l = (struct listener *)((char *)io - offsetof(struct listener, io));
	bool destroyed = false;

	for (int i = 0; i < ACCEPTS_A_WAKE_UP; i++) {
		struct conn_address from = { .len = sizeof(from.storage) };
		int fd = accept4(io->fd, (struct sockaddr *)&from.storage, &from.len,
				 SOCK_NONBLOCK | SOCK_CLOEXEC);

		if (fd >= 0) {
			l->destroyed = &destroyed;
			l->accepted(l->owner, fd, &from);
			if (destroyed)
				return;
			l->destroyed = NULL;
		} else if (errno == EMFILE || errno == ENFILE || errno == ENOMEM ||
			   errno == ENOBUFS) {
			loop_unwatch(io);
			loop_arm(l->loop, &l->rest, 100);
			return;
		} else if (errno != EINTR && errno != ECONNABORTED) {
			return;
		}
	}
}

static void rested(struct timer *timer)
{
	struct listener *l = (struct listener *)((char *)timer - offsetof(struct listener, rest));

	loop_watch(l->loop, &l->io, true, false);
}

struct listener *listener_create(struct loop *loop, int fd, listener_fn *accepted, void *owner)
{
	struct listener *l = xcalloc(1, sizeof(*l));

	l->loop = loop;
	l->io = (struct loop_io){ .ready = on_connection, .fd = fd };
	l->accepted = accepted;
	l->owner = owner;
	l->rest.fire = rested;
	loop_watch(loop, &l->io, true, false);
	return l;
}

void listener_destroy(struct listener **listener)
{
	struct listener *l = *listener;

	if (!l)
		return;
	*listener = NULL;
	if (l->destroyed)
		*l->destroyed = true;
	loop_unwatch(&l->io);
	loop_disarm(l->loop, &l->rest);
	free(l);
}
