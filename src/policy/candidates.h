/*
 * In which order to dial what the DNS gave: SRV priorities and weights (RFC 2782), each target's
 * addresses with the families interleaved, IPv6 first (RFC 8305 section 4). No I/O and no random
 * source: the caller gives random bits.
 */
#ifndef POLICY_CANDIDATES_H
#define POLICY_CANDIDATES_H

#include "policy/address.h"

#include <stddef.h>
#include <stdint.h>

struct srv_record {
	uint16_t priority, weight, port;
	const char *target; /* borrowed */
};

/* Sorts in place: lowest priority first, within one by weight at random. `random` is called for
 * each choice and returns a number evenly in [0, bound). */
typedef uint32_t candidates_random_fn(void *arg, uint32_t bound);
void srv_sort(struct srv_record *records, size_t count, candidates_random_fn *random, void *arg);
/* RFC 2782: a single record whose target is the root ("." or "") says that the service is decidedly
 * not there. */
bool srv_says_no_service(const struct srv_record *records, size_t count);

/* Sorts one target's addresses in place so that the families alternate, IPv6 first. */
void addresses_interleave(struct address *addresses, size_t count);

#endif
