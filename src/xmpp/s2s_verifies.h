/*
 * Our questions to an authoritative server, on one outbound stream, that have no answer yet.
 * Plain data: all zero is none. No I/O.
 */
#ifndef XMPP_S2S_VERIFIES_H
#define XMPP_S2S_VERIFIES_H

#include "base/slice.h"

#include <stdint.h>

struct s2s_verify {
	struct s2s_verify *next;
	uint64_t request, due_ms;
	bool sent;
	const char *id; /* of the stream on which the key was shown to us */
	struct slice key;
	char memory[];
};

struct s2s_verifies {
	struct s2s_verify *first; /* the oldest */
	size_t count;
};

struct s2s_verify *s2s_verifies_add(struct s2s_verifies *verifies, const char *id,
				    struct slice key);
/* One that was sent, with that stream id; NULL: none. */
struct s2s_verify *s2s_verifies_find(const struct s2s_verifies *verifies, struct slice id);
void s2s_verifies_remove(struct s2s_verifies *verifies, struct s2s_verify *verify); /* frees it */
uint64_t s2s_verifies_next_due(const struct s2s_verifies *verifies);		    /* 0: none */

#endif
