/*
 * Domains and JIDs, as far as routing needs them (RFC 7622, RFC 5890). A prepared domain is what
 * everything here compares and logs: lower case, A-labels, no trailing dot; an IPv4 literal as it
 * is, an IPv6 literal in brackets as RFC 7622 3.2 has it, its text that of RFC 5952. No I/O.
 *
 * Beyond what the RFCs ask:
 * - '_' is taken where they want letters, digits and hyphens: servers with such names exist. Not
 *   in A-labels, where it can only be a mistake.
 * - A name that ends in a number (127.1, 0x7f.1, 192.0.2.256) is no name: some resolvers would
 *   read it as an address, and no top-level domain looks like that.
 * - Labels with U+00DF, U+03C2, U+200C or U+200D must come as A-labels. Servers with the older
 *   rules (RFC 6122) read them as "ss", sigma and nothing, so whoever owns one name could speak as
 *   the other behind us; every server reads an A-label alike.
 */
#ifndef POLICY_DOMAIN_H
#define POLICY_DOMAIN_H

#include "base/slice.h"

#include <stdbool.h>

#define DOMAIN_BYTES 253
#define JID_PART_BYTES 1023 /* of localpart and of resourcepart (RFC 7622 3.3, 3.4) */

/* Prepares a domainpart; false: not a domain (bad labels, too long, empty). A- and U-labels of
 * the same name give the same text. */
bool domain_prepare(struct slice text, char domain[DOMAIN_BYTES + 1]);
bool domain_is_address(const char *domain); /* an IP literal, not a name */
/* Whether `domain` lies below `parent`, "a.example" below "example". */
bool domain_is_below(const char *domain, const char *parent);

/* The parts of a JID as they stand, without preparing them; absent parts have data == NULL.
 * False: no domainpart, an empty or too long part, a second '@' before the resourcepart. */
struct jid {
	struct slice local, domain, resource;
};
bool jid_split(struct slice text, struct jid *jid);
/* Its prepared domain; false: not a JID. */
bool jid_domain(struct slice text, char domain[DOMAIN_BYTES + 1]);

#endif
