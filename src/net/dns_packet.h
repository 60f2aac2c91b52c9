/*
 * Reads a DNS response (RFC 1035) as the answer to one question: follows aliases, takes the
 * records of the question's type, tells a name that does not exist from one without such records
 * and from a server's failure. Strict: what is malformed anywhere before it is a failure as a
 * whole. No I/O.
 */
#ifndef NET_DNS_PACKET_H
#define NET_DNS_PACKET_H

#include "net/dns_wire.h"

#define DNS_PACKET_ALIASES_MAX 8 /* as many as resolvers follow, more or less */

/*
 * Fills *answer with memory of its own, for dns_wire_free_answer; name, secure and took_us are the
 * caller's to set. Malformed: DNS_SERVFAIL with `why`. *cut: how many records DNS_RECORDS_MAX left
 * out. SRV records whose target is not a plain host name are passed over.
 */
void dns_packet_read(struct slice packet, const struct dns_question *question,
		     struct dns_answer *answer, size_t *cut);

/* "SERVFAIL", "REFUSED", ...; "error" for what has no name. */
const char *dns_packet_rcode_name(unsigned rcode);

#endif
