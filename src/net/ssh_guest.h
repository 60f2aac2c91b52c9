/*
 * A connection that came in to our SSH: what its server and its way in share. Answers to it are in
 * ssh_guest.c; who may come at all, ssh_server.c decides.
 */
#ifndef NET_SSH_GUEST_H
#define NET_SSH_GUEST_H

#include "net/ssh_internal.h"

#define SSH_LISTENERS_MAX 8

struct ssh_server {
	struct ssh_server_config config;
	ssh_bind bind; /* host key and algorithms */
	struct listener *listeners[SSH_LISTENERS_MAX];
	int fds[SSH_LISTENERS_MAX];
	size_t listeners_count;
	struct ssh_guest *guests; /* every connection that it accepted and that lives */
	uint64_t telling_since_ms;
	unsigned told, untold; /* refusals, since then */
};

struct ssh_guest {
	struct ssh_tunnel tunnel;
	struct ssh_server *server; /* NULL: it is gone */
	struct ssh_guest *next;
	struct ssh_server_callbacks_struct callbacks;
	char from[CONN_ADDRESS_TEXT], host[CONN_ADDRESS_TEXT]; /* with and without port */
	char *user;
	char pin[SSH_PIN_LEN + 1]; /* of the key that it logged in with; empty: by password */
	bool logged_in;
	char *subsystem; /* that it asked for and may have */
	unsigned tries, requests;
};

/* Its server, addresses and session are set. Takes `fd`. */
void ssh_guest_receive(struct ssh_guest *guest, int fd);
/* Logs that it may not, with what it asked for or NULL: `what` is escaped if it is its own word. */
void ssh_guest_log_refused(const struct ssh_guest *guest, const char *why, const char *what);

#endif
