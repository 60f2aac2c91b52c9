/*
 * HTTPS requests (libcurl), one answer each, from the loop. TLS 1.2 or later only, no redirects, no
 * proxy, no cookies kept beyond a session object, no file opened: trust is given as bytes. The name
 * is resolved by our own resolver process. Memory of an answer is bounded.
 */
#ifndef NET_HTTPS_CLIENT_H
#define NET_HTTPS_CLIENT_H

#include "net/dns.h"
#include "net/loop.h"

#define HTTPS_ANSWER_BYTES ((size_t)4 << 20)

bool https_prepare(void); /* once, before the sandbox */

enum https_end {
	HTTPS_ANSWERED, /* any HTTP status */
	HTTPS_NO_ADDRESS,
	HTTPS_REFUSED,
	HTTPS_UNREACHABLE,
	HTTPS_TIMEOUT,
	HTTPS_TLS, /* handshake, or the certificate is not the right one: `why` has OpenSSL's words
		    */
	HTTPS_PROTOCOL, /* not HTTP, or too long */
};
const char *https_end_name(enum https_end end); /* "answered", "refused", "tls", ... */

enum https_verify { HTTPS_VERIFY_CA, HTTPS_VERIFY_PIN, HTTPS_VERIFY_OFF };

struct https_request {
	const char *host; /* name or address; what the certificate must name with VERIFY_CA */
	uint16_t port;
	const char *path;
	const char *user, *password; /* Basic; NULL: none */
	const char *const *headers;  /* "Name: value", terminated by NULL */
	struct slice body;	     /* a POST; absent: a GET */
	enum https_verify verify;
	const char *pin;    /* SHA-256 of the certificate's public key, lowercase hex */
	struct slice trust; /* PEM */
	bool fresh;	    /* on a connection of its own: the certificate is looked at again */
	unsigned timeout_ms;
};

struct https_answer {
	enum https_end end;
	long status; /* of ANSWERED */
	struct slice body;
	const char *why; /* for people, unless ANSWERED */
	unsigned took_ms;
};

struct https_client;
typedef void https_fn(void *arg, uint64_t tag, const struct https_answer *answer);

/* Connections are kept and used again. `dns` may be NULL if all hosts are addresses. */
struct https_client *https_client_create(struct loop *loop, struct dns *dns);
void https_client_destroy(struct https_client **client); /* open requests are not answered */
/* All of *request is copied. Answered exactly once, later. */
void https_client_send(struct https_client *client, const struct https_request *request,
		       uint64_t tag, https_fn *answered, void *arg);

#endif
