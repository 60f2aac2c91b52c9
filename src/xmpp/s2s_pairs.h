/*
 * The domain pairs that are proven on one inbound stream, and which of them a stanza belongs to.
 * Plain data: all zero is none. No I/O.
 */
#ifndef XMPP_S2S_PAIRS_H
#define XMPP_S2S_PAIRS_H

#include "policy/policy.h"
#include "xmpp/stanza.h"

struct s2s_proven { /* prepared domains */
	struct s2s_proven *next;
	const char *sender, *target;
	char memory[];
};

struct s2s_pairs {
	struct s2s_proven *first;
	size_t count;
	/* The last stanza's pair, and how its domains were written: most are followed by more. */
	const struct s2s_proven *last;
	char last_from[DOMAIN_BYTES + 1], last_to[DOMAIN_BYTES + 1];
};

void s2s_pairs_add(struct s2s_pairs *pairs, const char *sender, const char *target);
const struct s2s_proven *s2s_pairs_find(const struct s2s_pairs *pairs, const char *sender,
					const char *target);
/* NULL: none, and *condition is the stream error that the stanza deserves. */
const struct s2s_proven *s2s_pairs_of(struct s2s_pairs *pairs, const struct policy *policy,
				      const struct stanza_view *stanza, const char **condition);
/* Forgets those that the policy does not allow; why, of one of them. NONE: all stay. */
enum failure s2s_pairs_keep_allowed(struct s2s_pairs *pairs, const struct policy *policy);
/* Whether the policy allows none of them: why, of one. NONE: some would stay, or there are none. */
enum failure s2s_pairs_refused(const struct s2s_pairs *pairs, const struct policy *policy);
void s2s_pairs_finish(struct s2s_pairs *pairs);

#endif
