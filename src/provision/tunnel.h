/*
 * The tunnel to one node: dials it or is given what it dialled, dials again, and drives the
 * replication (replica.h) through it.
 */
#ifndef PROVISION_TUNNEL_H
#define PROVISION_TUNNEL_H

#include "net/ssh.h"
#include "provision/form.h"
#include "provision/inquiries.h"
#include "provision/questions.h"

/* What all tunnels of a node share; it outlives them. */
struct tunnel_shared {
	struct loop *loop;
	const char *release;
	struct questions *questions;
	struct ssh_identity *identity;
	char name[FORM_NAME_BYTES + 1], role[8]; /* ours */
	unsigned login_ms, silence_ms;
	json_t *status; /* ours, NULL before the first */
	struct inquiries *inquiries;
	/* config.asked of tunnels.h, and its arg; NULL: nobody is heard */
	void (*asked)(void *arg, const char *from, const char *role, uint64_t number,
		      const char *const *words, size_t count);
	void *arg;
};

struct tunnel_node { /* a row of `nodes`; plain data */
	char name[FORM_NAME_BYTES + 1], role[8];
	char address[FORM_ENDPOINT_BYTES + 1]; /* empty: it dials us */
	char ssh_pin[SSH_PIN_LEN + 1];
};

struct tunnel;

/* Dials after `wait_ms`. */
struct tunnel *tunnel_create(const struct tunnel_shared *shared, const struct tunnel_node *node,
			     unsigned wait_ms);
/* At once; `why` for the log. */
void tunnel_destroy(struct tunnel **tunnel, const char *why);
const struct tunnel_node *tunnel_node(const struct tunnel *tunnel);
void tunnel_move(struct tunnel *tunnel, const char *address); /* dials there at once */
/* What the node dialled, which replaces what there was. */
void tunnel_adopt(struct tunnel *tunnel, struct ssh_tunnel *ssh, const char *from);
/* What we tell it in settings; NULL: nothing. The reference stays the caller's. */
void tunnel_publish(struct tunnel *tunnel, uint64_t revision, json_t *document);
void tunnel_report(struct tunnel *tunnel); /* shared->status is another */
bool tunnel_is_up(const struct tunnel *tunnel);
/* Under a number of inquiries.h, which it fails when it cannot. */
void tunnel_ask(struct tunnel *tunnel, uint64_t number, const char *const *words, size_t count);
void tunnel_reply(struct tunnel *tunnel, uint64_t theirs, unsigned status, const char *text,
		  json_t *data);

void tunnel_status(const struct tunnel *tunnel, struct buffer *out);
const json_t *tunnel_other_status(const struct tunnel *tunnel);	  /* NULL: none yet */
const json_t *tunnel_other_document(const struct tunnel *tunnel); /* its settings; likewise */

bool tunnel_address(const char *text, struct conn_address *address); /* of IP:PORT */

#endif
