/*
 * An HTTPS server on the loop (libevent's evhttp): whole requests in, whole answers out, perhaps
 * later. TLS 1.2 and 1.3. Sizes, times and connections are bounded here; what a request means is
 * the owner's. Nothing opens a file, so it runs in the sandbox.
 */
#ifndef NET_HTTPS_SERVER_H
#define NET_HTTPS_SERVER_H

#include "net/conn.h"
#include "net/tls.h"

#define HTTPS_HEADERS_BYTES 8192
#define HTTPS_FIELD_BYTES 256 /* of a user's name or password */

struct https_server;
struct https_call; /* a request that waits for its answer */

struct https_server_config {
	struct loop *loop;
	size_t body_bytes;	  /* a longer one is answered 413 */
	unsigned timeout_s;	  /* for a request to arrive and an answer to be taken */
	unsigned connections_max; /* more wait in the kernel */
	/* The call is the callee's, to answer with https_reply from inside or later. */
	void (*request)(void *arg, struct https_call *call);
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
const char *https_header(const struct https_call *call, const char *name); /* NULL: not there */
struct slice https_body(const struct https_call *call);
const char *https_from(const struct https_call *call); /* an address, without port */
/* What Basic authentication (RFC 7617) says; false: nothing, or nothing that can be read. */
bool https_login(const struct https_call *call, char user[HTTPS_FIELD_BYTES + 1],
		 char password[HTTPS_FIELD_BYTES + 1]);

/* `headers`: name, value, name, value, ..., NULL; may be NULL. One who has gone meanwhile is not
 * written to. */
void https_reply(struct https_call **call, int status, const char *type, const char *const *headers,
		 struct slice body);

#endif
