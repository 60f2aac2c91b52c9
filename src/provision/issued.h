/*
 * The code that is out: one at a time. It is void once it was used, when its time is over, when
 * five passwords were wrong, and when another is made.
 */
#ifndef PROVISION_ISSUED_H
#define PROVISION_ISSUED_H

#include "provision/code.h"
#include "provision/tunnel.h"

#define ISSUED_FAILURES_MAX 5
#define ISSUED_USER "pairing" /* who logs in with it */

struct issued { /* all zero: none */
	struct loop *loop;
	bool out;
	char secret[CODE_SECRET_CHARS + 1];
	char link[FORM_ENDPOINT_BYTES + 1]; /* told to who comes with it; see pairing.h */
	unsigned axl_port, failures;
	struct timer expiry;
};

struct issued_wish { /* what the words of `pair` say */
	const char *address, *link;
	unsigned seconds, axl_port;
};

/* NULL: the word is taken; else what is wrong with it, the caller's. */
char *issued_read_word(const char *word, struct issued_wish *wish);

void issued_make(struct issued *issued, const struct tunnel_shared *shared,
		 const struct issued_wish *wish, char text[CODE_TEXT_BYTES]);
bool issued_knows(struct issued *issued, const char *user, const char *password);
void issued_void(struct issued *issued, const char *why); /* none is out: fine */

#endif
