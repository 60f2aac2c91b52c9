#include "xmpp/s2s_pairs.h"

#include "base/alloc.h"

#include <stdlib.h>

void s2s_pairs_add(struct s2s_pairs *pairs, const char *sender, const char *target)
{
	size_t sender_size = strlen(sender) + 1, target_size = strlen(target) + 1;
	struct s2s_proven *pair = xmalloc(sizeof(*pair) + sender_size + target_size);

	pair->sender = memcpy(pair->memory, sender, sender_size);
	pair->target = memcpy(pair->memory + sender_size, target, target_size);
	pair->next = pairs->first;
	pairs->first = pair;
	pairs->count++;
}

const struct s2s_proven *s2s_pairs_find(const struct s2s_pairs *pairs, const char *sender,
					const char *target)
{
	const struct s2s_proven *pair = pairs->first;

	while (pair && (strcmp(pair->sender, sender) != 0 || strcmp(pair->target, target) != 0))
		pair = pair->next;
	return pair;
}

static bool keep_text(char kept[DOMAIN_BYTES + 1], struct slice text)
{
	if (text.len > DOMAIN_BYTES)
		return false;
	memcpy(kept, text.data, text.len);
	kept[text.len] = '\0';
	return true;
}

/* Domains that were not written as in the stanza before. */
static const struct s2s_proven *find_again(struct s2s_pairs *pairs, const struct policy *policy,
					   struct slice from, struct slice to,
					   const char **condition)
{
	char sender[DOMAIN_BYTES + 1], target[DOMAIN_BYTES + 1];
	const struct s2s_proven *pair;

	pairs->last = NULL;
	*condition = "improper-addressing";
	if (!domain_prepare(to, target))
		return NULL;
	*condition = "invalid-from";
	if (!domain_prepare(from, sender))
		return NULL;
	pair = s2s_pairs_find(pairs, sender, target);
	if (pair && keep_text(pairs->last_from, from) && keep_text(pairs->last_to, to))
		pairs->last = pair;
	if (pair == NULL && !policy_is_federated(policy, target))
		*condition = "host-unknown";
	return pair;
}

const struct s2s_proven *s2s_pairs_of(struct s2s_pairs *pairs, const struct policy *policy,
				      const struct stanza_view *stanza, const char **condition)
{
	struct jid from, to;

	*condition = "invalid-from";
	if (stanza->from.data == NULL || !jid_split(stanza->from, &from))
		return NULL;
	*condition = "improper-addressing";
	if (stanza->to.data == NULL || !jid_split(stanza->to, &to))
		return NULL;
	if (pairs->last && slice_is(from.domain, pairs->last_from) &&
	    slice_is(to.domain, pairs->last_to))
		return pairs->last;
	return find_again(pairs, policy, from.domain, to.domain, condition);
}

enum failure s2s_pairs_keep_allowed(struct s2s_pairs *pairs, const struct policy *policy)
{
	struct s2s_proven **link = &pairs->first;
	enum failure failure = FAILURE_NONE;

	pairs->last = NULL;
	while (*link) {
		struct s2s_proven *pair = *link;
		enum failure refused = policy_decide(policy, pair->target, pair->sender).refused;

		if (refused == FAILURE_NONE) {
			link = &pair->next;
			continue;
		}
		failure = refused;
		*link = pair->next;
		free(pair);
		pairs->count--;
	}
	return failure;
}

enum failure s2s_pairs_refused(const struct s2s_pairs *pairs, const struct policy *policy)
{
	enum failure failure = FAILURE_NONE;

	for (const struct s2s_proven *pair = pairs->first; pair; pair = pair->next) {
		failure = policy_decide(policy, pair->target, pair->sender).refused;
		if (failure == FAILURE_NONE)
			break;
	}
	return failure;
}

void s2s_pairs_finish(struct s2s_pairs *pairs)
{
	while (pairs->first) {
		struct s2s_proven *pair = pairs->first;

		pairs->first = pair->next;
		free(pair);
	}
	*pairs = (struct s2s_pairs){ 0 };
}
