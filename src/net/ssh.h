/*
 * SSH (RFC 4251 to 4254, by libssh) as our nodes use it: one session channel with one subsystem,
 * and bytes through it. No shell, no command, no forwarding, no second channel, no environment:
 * whoever asks for one is refused and logged. Keys are pinned: a pin is the SHA-256 of the public
 * key as SSH writes it (what `ssh-keygen -l` prints in base64), in lowercase hex.
 *
 * A tunnel is one open subsystem, whichever side dialled. Everything happens later: no call here
 * calls the owner back from inside, and ssh_tunnel_destroy is allowed in any callback. Nothing here
 * opens a file or resolves a name, so it runs in the sandbox once ssh_prepare was called.
 */
#ifndef NET_SSH_H
#define NET_SSH_H

#include "net/conn.h"

#define SSH_PIN_LEN 64
#define SSH_PROVISIONING "provisioning"	  /* for who has a key that is pinned */
#define SSH_PAIRING "pairing"		  /* for who has the password of a code, while one is out */
#define SSH_QUEUE_BYTES ((size_t)8 << 20) /* unsent; the other side doesn't read if it is more */

bool ssh_prepare(void); /* once, before the sandbox; false: libssh cannot start */

struct ssh_identity; /* our private key: of our host and of us as a user */
/* From PEM (PKCS #8, Ed25519); NULL and *why: it cannot be read. */
struct ssh_identity *ssh_identity_create(struct slice private_key, const char **why);
void ssh_identity_destroy(struct ssh_identity **identity);
const char *ssh_identity_pin(const struct ssh_identity *identity);

enum ssh_end {
	SSH_END_REFUSED,     /* TCP: nobody listens there */
	SSH_END_UNREACHABLE, /* TCP: no route */
	SSH_END_TIMEOUT,     /* no answer to TCP, or not logged in in time */
	SSH_END_HOST_KEY,    /* it is not the host that was pinned */
	SSH_END_LOGIN,	     /* our key or password was refused */
	SSH_END_SUBSYSTEM,   /* it has no such subsystem, or not for us */
	SSH_END_PROTOCOL,    /* not SSH as we know it */
	SSH_END_CLOSED,	     /* the other side closed in order */
	SSH_END_LOST,	     /* broken, or silent for too long, or it does not read */
};
const char *ssh_end_name(enum ssh_end end); /* "tcp-refused", ..., for logs and alarms */

struct ssh_tunnel;

struct ssh_handler {
	void (*opened)(void *owner);			   /* dialled only: the subsystem is open */
	void (*received)(void *owner, struct slice bytes); /* lent until it returns */
	/* Once, after which nothing more is called; the owner then destroys the tunnel. `why` is
	 * for people and lent until the call returns. */
	void (*ended)(void *owner, enum ssh_end how, const char *why);
};

struct ssh_dial {
	struct conn_address to;
	const char *host_pin; /* 64 digits: the only host key that is taken */
	const char *user;
	const char *password;		       /* NULL: log in with the identity */
	const char *subsystem;		       /* SSH_PROVISIONING, SSH_PAIRING */
	unsigned tcp_ms, login_ms, silence_ms; /* login: until the subsystem is open */
};

/* All of *dial is copied but the identity, which must live as long as the tunnel. */
struct ssh_tunnel *ssh_dial(struct loop *loop, const struct ssh_identity *identity,
			    const struct ssh_dial *dial, const struct ssh_handler *handler,
			    void *owner);
/* At once. */
void ssh_tunnel_destroy(struct ssh_tunnel **tunnel);
/* Sends what is queued, closes in order, without the owner, who lets go of it here; at most 5 s. */
void ssh_tunnel_finish(struct ssh_tunnel **tunnel);
/* Queues; what passes SSH_QUEUE_BYTES ends the tunnel as LOST, later. */
void ssh_tunnel_send(struct ssh_tunnel *tunnel, struct slice bytes);
/* Another owner, as when it has said who it is. */
void ssh_tunnel_hand_over(struct ssh_tunnel *tunnel, const struct ssh_handler *handler,
			  void *owner);

struct ssh_server;

struct ssh_server_config {
	struct loop *loop;
	const struct ssh_identity *identity; /* lives as long as the server */
	unsigned login_ms;   /* from accept until a subsystem is open, then it is closed */
	unsigned silence_ms; /* of a logged-in peer: then it is dead; keepalives go out before */
	unsigned connections_max, connections_per_address_max;
	/* Whether that user may log in with that key (for SSH_PROVISIONING). */
	bool (*knows_key)(void *arg, const char *user, const char *pin);
	/* Whether a password is taken at all now; else that method is not even offered. */
	bool (*takes_passwords)(void *arg);
	/* Whether this is one (for SSH_PAIRING). Each wrong one is told to `arg` by this call. */
	bool (*knows_password)(void *arg, const char *user, const char *password);
	/* Logged in, and its subsystem is open: the tunnel is the callee's, who hands it over to
	 * its owner from inside this call or destroys it. `pin` NULL: it came by password. `from`:
	 * "192.0.2.1:40000". */
	void (*accepted)(void *arg, struct ssh_tunnel *tunnel, const char *subsystem,
			 const char *user, const char *pin, const char *from);
	void *arg;
};

/* Three wrong keys or passwords on one connection close it, and 32 refused requests. Of refusals, a
 * hundred a second are logged. Limits may change while it runs. */
struct ssh_server *ssh_server_create(const struct ssh_server_config *config);
void ssh_server_destroy(struct ssh_server **server);	   /* tunnels that were accepted live on */
void ssh_server_listen(struct ssh_server *server, int fd); /* takes the listening socket */
void ssh_server_set_limits(struct ssh_server *server, unsigned login_ms, unsigned silence_ms,
			   unsigned connections_max, unsigned connections_per_address_max);

#endif
