/*
 * For tests: an HTTPS server in a process of its own, which answers by the path:
 *
 *	/echo		200, "connection=N", then the request as it came
 *	/status/NNN	that status and "status NNN"
 *	/long		a body without end
 *	/headers	header lines without end
 *	/silent		nothing
 *	/garbage	what is not HTTP
 *	/redirect	302 to /echo
 *
 * and anything else as `respond` says.
 */
#ifndef NET_HTTPS_TEST_SERVER_H
#define NET_HTTPS_TEST_SERVER_H

#include "base/slice.h"

#include <stdint.h>
#include <sys/types.h>

struct https_test_server {
	pid_t pid;
	uint16_t port;
	char pin[65];
	char certificate[4096]; /* PEM, self-signed, also the authority */
};

/* Writes an HTTP response to `request` (terminated) into `response`. */
typedef void https_test_respond(void *arg, const char *request, char *response, size_t size);

/* The certificate names `name`, and 127.0.0.1 not. */
void https_test_server_start(struct https_test_server *server, const char *name,
			     https_test_respond *respond, void *arg);
void https_test_server_stop(struct https_test_server *server);

#endif
