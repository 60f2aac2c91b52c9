/*
 * The control socket: takes requests from people's `sallyport`, one JSON object a line, and gives
 * replies. One request of a connection at a time; what follows waits in its socket.
 *
 * Everybody whom the socket's mode lets in may connect, so all is bounded: connections, and those
 * of people who may only look so that they never keep root out; the length of a line, which is
 * short for them; the time to send a request and to take its reply. A line that cannot be read is
 * answered with why, and ends the connection.
 */
#ifndef ADMIN_CONTROL_SOCKET_H
#define ADMIN_CONTROL_SOCKET_H

#include "admin/visitor.h"
#include "ctl/protocol.h"
#include "net/loop.h"

#define CONTROL_SOCKET_SESSIONS 32
#define CONTROL_SOCKET_LOOKERS 16      /* of them */
#define CONTROL_SOCKET_LOOK_BYTES 4096 /* a request of who may only look */

struct control_socket;

struct control_socket_config {
	struct loop *loop;
	uid_t owner;	     /* may change the node, beside root */
	unsigned request_ms; /* for a whole request to arrive, counted from the one before */
	unsigned reply_ms;   /* for a reply to be taken */
	/* Lent until it returns; answered with control_socket_reply, in it or later. */
	void (*request)(void *arg, uint64_t session, const struct visitor *visitor,
			const struct request *request);
	/* Who asked has gone before the answer. */
	void (*gone)(void *arg, uint64_t session);
	void *arg;
};

struct control_socket *control_socket_create(const struct control_socket_config *config);
void control_socket_destroy(struct control_socket **control_socket);
/* Takes the listening socket. */
void control_socket_listen(struct control_socket *control_socket, int fd);
/* A session that is gone meanwhile is not found, and nothing happens. */
void control_socket_reply(struct control_socket *control_socket, uint64_t session,
			  enum reply_status status, struct slice text, json_t *data);
/* A piece of the answer. One who does not take them in time is closed. */
void control_socket_tell(struct control_socket *control_socket, uint64_t session, struct slice text,
			 json_t *data);
/* Bytes that wait in it to be taken. */
size_t control_socket_behind(const struct control_socket *control_socket, uint64_t session);
/* No more requests: calls done(arg of the config) from the loop when the last reply is out. */
void control_socket_finish(struct control_socket *control_socket, void (*done)(void *arg));

#endif
