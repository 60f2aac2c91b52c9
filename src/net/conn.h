/*
 * A TCP connection, accepted or dialled, that can turn to TLS at any point.
 *
 * The owner is handed bytes where it wants them (into its stream reader), appends what it sends
 * to one buffer, and that is written once at the end of a wake-up. Everything happens later:
 * no call here calls the owner back from inside, and conn_destroy is allowed in any callback.
 */
#ifndef NET_CONN_H
#define NET_CONN_H

#include "base/buffer.h"
#include "net/loop.h"

#include <openssl/ssl.h>
#include <sys/socket.h>

struct conn;

enum conn_end {
	CONN_REFUSED,	  /* TCP: refused */
	CONN_UNREACHABLE, /* TCP: no route, or another error before it was up */
	CONN_TIMEOUT,	  /* TCP: no answer within the time given */
	CONN_TLS_FAILED,  /* handshake failed; `why` says on which side and how */
	CONN_EOF,	  /* the peer closed */
	CONN_LOST,	  /* reset, timed out, or a TLS error after the handshake */
};

/* Plain addresses with ports; both families. */
struct conn_address {
	struct sockaddr_storage storage;
	socklen_t len;
};

struct conn_handler {
	void (*connected)(void *owner); /* dialled: TCP is up */
	/* Where to put up to *len bytes (it may lower *len); then how many came. */
	char *(*room)(void *owner, size_t *len);
	void (*filled)(void *owner, size_t len);
	void (*secured)(void *owner); /* the TLS handshake is done */
	/* Once, after which nothing more is called; the owner then destroys the connection. `why`
	 * is for people and lent until the call returns. */
	void (*ended)(void *owner, enum conn_end how, const char *why);
};

/* Takes the descriptor (non-blocking, close-on-exec). */
struct conn *conn_accept(struct loop *loop, int fd, const struct conn_handler *handler,
			 void *owner);
struct conn *conn_dial(struct loop *loop, const struct conn_address *to, unsigned timeout_ms,
		       const struct conn_handler *handler, void *owner);

/* Another owner from now on, as when it has shown whose it is. */
void conn_hand_over(struct conn *conn, const struct conn_handler *handler, void *owner);

/* At once, unsent bytes lost; a socket that still has unread bytes is reset by TCP. */
void conn_destroy(struct conn **conn);
/* Sends what is left, closes in order, waits for the peer for at most `linger_ms`; all that
 * without the owner, who lets go of it here. Before TCP or a TLS that was begun is up: as
 * conn_destroy. */
void conn_finish(struct conn **conn, unsigned linger_ms);

/* Append here, then say conn_flush: written at the end of this wake-up, or when it can be. */
struct buffer *conn_out(struct conn *conn);
void conn_flush(struct conn *conn);

/* Starts TLS once everything appended so far is written. Takes the SSL object (client or server
 * state set). Bytes that were read before belong to the owner, who must have dropped them. Not
 * done within `timeout_ms` (0: no limit): ended with CONN_TLS_FAILED. What is appended meanwhile
 * goes out under TLS once the handshake is done. */
void conn_start_tls(struct conn *conn, SSL *ssl, unsigned timeout_ms);
SSL *conn_tls(struct conn *conn); /* NULL before `secured` */

/* Stops and restarts reading: back-pressure. */
void conn_pause(struct conn *conn, bool paused);

/*
 * Bytes ever appended to conn_out, how many of them were handed to the kernel (or to TLS on the way
 * there), and how many the peer's TCP is known to have acknowledged (it lags by up to two round
 * trips; asks the kernel). After `ended` too, until the connection is destroyed.
 */
uint64_t conn_appended(const struct conn *conn);
uint64_t conn_written(const struct conn *conn);
uint64_t conn_acknowledged(struct conn *conn);

/* "192.0.2.1:5269", "[2001:db8::1]:5269"; room for CONN_ADDRESS_TEXT bytes. */
#define CONN_ADDRESS_TEXT 64
void conn_address_text(const struct conn_address *address, char *text);
bool conn_address_parse(struct conn_address *address, const char *ip, uint16_t port);

/* Accepts from a listening socket until it is empty, bounded per wake-up. It may be destroyed
 * when it tells of a connection. */
struct listener;
typedef void listener_fn(void *owner, int fd, const struct conn_address *from);
struct listener *listener_create(struct loop *loop, int fd, listener_fn *accepted, void *owner);
void listener_destroy(struct listener **listener); /* does not close the descriptor */

#endif
