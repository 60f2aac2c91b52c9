/*
 * Dialback keys (XEP-0220), made as XEP-0185 recommends.
 *
 * A key follows from our secret and the claim it backs, and from nothing else: to verify one, the
 * authoritative server makes it again. So no state is shared, and any process that holds the
 * secret can answer. No I/O. Secrets are never logged, keys only shortened.
 */
#ifndef XMPP_DIALBACK_H
#define XMPP_DIALBACK_H

#include "base/slice.h"

#include <stdbool.h>

#define DIALBACK_KEY_LEN 64    /* HMAC-SHA-256 in lowercase hex */
#define DIALBACK_KEY_MAX 256   /* of a peer's key that we carry; theirs may have any form */
#define DIALBACK_SHORT_LEN 8   /* digits of a key that a log may show */
#define DIALBACK_SECRET_MIN 16 /* characters: what `openssl rand -hex 8` prints */

struct dialback_secret;

/* "This stream speaks for sender_domain to target_domain." Borrowed strings, prepared domains. */
struct dialback_claim {
	const char *sender_domain;
	const char *target_domain;
	const char *stream_id; /* chosen by the receiving server */
};

/* `previous` (NULL: none): a key made with it is still valid, while the secret is changed. Gives
 * NULL when a text is shorter than DIALBACK_SECRET_MIN. The texts are not kept. */
struct dialback_secret *dialback_secret_create(const char *text, const char *previous);
void dialback_secret_destroy(struct dialback_secret **secret); /* wipes it */

/* HMAC-SHA-256(hex(SHA-256(secret)), target SP sender SP stream id) (XEP-0185 section 2). */
void dialback_key(const struct dialback_secret *secret, const struct dialback_claim *claim,
		  char key[DIALBACK_KEY_LEN + 1]);
/* In constant time, whatever `key` is. Exact: no white space around it, no upper case. */
bool dialback_verify(const struct dialback_secret *secret, const struct dialback_claim *claim,
		     struct slice key);

#endif
