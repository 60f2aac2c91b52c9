/*
 * What the two sides of SSH share: a tunnel from its first byte on, and how it is driven. libssh is
 * only ever entered from ssh_drive, its callbacks only note what they saw, and owners are called
 * when it has returned.
 */
#ifndef NET_SSH_INTERNAL_H
#define NET_SSH_INTERNAL_H

#include "net/ssh.h"

#include <libssh/callbacks.h>
#include <libssh/libssh.h>
#include <libssh/server.h>

#define SSH_KEX "curve25519-sha256,curve25519-sha256@libssh.org"
#define SSH_CIPHERS "chacha20-poly1305@openssh.com,aes256-gcm@openssh.com,aes128-gcm@openssh.com"
#define SSH_MACS "hmac-sha2-256-etm@openssh.com,hmac-sha2-512-etm@openssh.com"
#define SSH_KEYS "ssh-ed25519"
#define SSH_COMPRESSION "none" /* a few bytes of it could become many of ours */
#define SSH_REQUESTS_MAX 32    /* refused on one connection; a guest's are lines of the log */

enum ssh_stage {
	SSH_STAGE_TCP,	 /* dialled: no connection yet */
	SSH_STAGE_LOGIN, /* until the subsystem is open */
	SSH_STAGE_OPEN,
	SSH_STAGE_CLOSING, /* ours to close, nobody owns it */
	SSH_STAGE_ENDED,   /* `how` and `why`; the owner hears of it */
};

struct ssh_tunnel {
	struct loop *loop;
	enum ssh_stage stage;
	int fd;
	struct loop_io io;
	struct timer timer; /* login, silence or closing */
	struct loop_task later;
	ssh_session session;
	ssh_event event; /* NULL: not yet, which is until the keys are exchanged */
	ssh_channel channel;
	struct ssh_channel_callbacks_struct channel_callbacks;
	const struct ssh_handler *handler; /* NULL: no owner yet, or none any more */
	void *owner;
	struct buffer in, out;
	struct ssh_counter_struct socket_bytes; /* counted by libssh when it is open */
	uint64_t heard_bytes, heard_ms;
	unsigned silence_ms;
	bool dialled;
	bool opened;	     /* once; what came before waits in `in` */
	bool closed_by_peer; /* in order */
	bool told;	     /* the owner knows that it ended */
	enum ssh_end how;
	char *why;
	bool *destroyed; /* set when it goes while we are in a call of its owner */
	/* The side's own way to SSH_STAGE_OPEN; calls ssh_end_with when there is none. */
	void (*log_in)(struct ssh_tunnel *tunnel);
	/* Told in ssh_tunnel_destroy, before it is gone. */
	void (*release)(struct ssh_tunnel *tunnel);
};

/* All of *tunnel is zero but what the side has set; `fd` is taken. */
void ssh_begin(struct ssh_tunnel *tunnel, struct loop *loop, int fd, unsigned deadline_ms);
/* Does what can be done now, then tells the owner. The tunnel may be gone afterwards. */
void ssh_drive(struct ssh_tunnel *tunnel);
/* Notes the end; the owner is told by ssh_drive. The first counts. `why` is copied. */
void ssh_end_with(struct ssh_tunnel *tunnel, enum ssh_end how, const char *why);
/* The subsystem is open: from now on bytes pass, and silence is watched. */
void ssh_is_open(struct ssh_tunnel *tunnel, unsigned silence_ms);
/* What our channel tells of: bytes, end, close. Before ssh_set_channel_callbacks. */
void ssh_watch_channel(struct ssh_tunnel *tunnel);
void ssh_start_event(struct ssh_tunnel *tunnel); /* the keys are exchanged */

/* What kept the two sides from agreeing on keys; may be the other side's words. */
const char *ssh_why_no_keys(ssh_session session);
bool ssh_pin_of(ssh_key key, char pin[SSH_PIN_LEN + 1]);
ssh_key ssh_identity_key(const struct ssh_identity *identity); /* a new one; the caller's */

#endif
