/*
 * An HTTPS server on the loop (libevent's evhttp): whole requests in; answers out, perhaps later,
 * whole or piece by piece. TLS 1.2 and 1.3. Sizes, times and connections are bounded here; what a
 * request means is the owner's. Nothing opens a file, so it runs in the sandbox.
 *
 * A stranger costs little: so many connections from one address, a whole request in its time
 * however slowly it trickles, and of long bodies that are on their way only HTTPS_ARRIVING_BYTES
 * in all, a quarter of it from one address.
 */
#ifndef NET_HTTPS_SERVER_H
#define NET_HTTPS_SERVER_H

#include "net/conn.h"
#include "net/tls.h"

#define HTTPS_HEADERS_BYTES 8192
#define HTTPS_FIELD_BYTES 256 /* of a user's name or password */
#define HTTPS_ARRIVING_BYTES ((size_t)96 << 20)
#define HTTPS_SHORT_BYTES ((size_t)64 << 10) /* shorter requests are not counted among those */
#define HTTPS_PROGRESS_BYTES 16384 /* of an answer that waits, to be taken in `timeout_s` */

struct https_server;
struct https_call; /* a request that waits for its answer */

struct https_server_config {
	struct loop *loop;
	size_t body_bytes;  /* a longer one is answered 413 */
	unsigned timeout_s; /* for a request to arrive whole, counted from the answer to the one
			     * before; the owner's answers have his own deadline */
	unsigned connections_max;	  /* more wait in the kernel */
	unsigned connections_per_address; /* more are closed; IPv6: from one /64 */
	/* The call is the callee's, to answer with https_reply from inside or later. */
	void (*request)(void *arg, struct https_call *call);
	/* A connection beyond connections_per_address was closed; NULL: nobody wants to know. */
	void (*refused)(void *arg, const char *from, const char *why);
	void *arg;
};

struct https_server *https_server_create(const struct https_server_config *config);
/* Calls that are open must have been answered. */
void https_server_destroy(struct https_server **server);
/* For connections from now on; takes it. Without one none is accepted. */
void https_server_use(struct https_server *server, struct tls **tls);
void https_server_listen(struct https_server *server, int fd); /* takes the listening socket */

/* All lent until the answer. */
const char *https_method(const struct https_call *call); /* "GET", "POST", "other" */
const char *https_path(const struct https_call *call);	 /* without the query */
const char *https_query(const struct https_call *call);	 /* behind the '?'; NULL: none */
const char *https_header(const struct https_call *call, const char *name); /* NULL: not there */
struct slice https_body(const struct https_call *call);
const char *https_from(const struct https_call *call); /* an address, without port */
/* The same as it counts against bounds: of IPv6 the network of 64 bits, which is one person's. */
const char *https_place(const struct https_call *call);
/* Bytes of answers that wait to be taken by those of the same place. */
size_t https_untaken(const struct https_call *call);
/* What Basic authentication (RFC 7617) says; false: nothing, or nothing that can be read. */
bool https_login(const struct https_call *call, char user[HTTPS_FIELD_BYTES + 1],
		 char password[HTTPS_FIELD_BYTES + 1]);

/* `headers`: name, value, name, value, ..., NULL; may be NULL. One who has gone meanwhile is not
 * written to. */
void https_reply(struct https_call **call, int status, const char *type, const char *const *headers,
		 struct slice body);

/*
 * The other way to answer: begin, then pieces as they come, then the end, whether or not who asked
 * is still there. `gone` is called once if he goes before, not from inside these; it may end.
 */
typedef void https_gone_fn(void *arg);
void https_stream_begin(struct https_call *call, const char *type, const char *const *headers,
			https_gone_fn *gone, void *arg);
void https_stream_send(struct https_call *call, struct slice piece);
size_t https_stream_waits(const struct https_call *call); /* bytes that are not taken yet */
void https_stream_end(struct https_call **call);
/* The same, but so that who listens sees that it is not whole. */
void https_stream_break(struct https_call **call);
/* Who asked went away before the answer; only what takes long wants to know. Called at most once,
 * the call is still to be answered. NULL: no more. */
void https_on_gone(struct https_call *call, https_gone_fn *gone, void *arg);

#endif
