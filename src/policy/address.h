/*
 * Which addresses may be dialled when a public SRV record names them (SEC-21b): none that reaches
 * into a network of ours. A static route, or the list of networks that a setting allows, is no
 * public record. No I/O.
 */
#ifndef POLICY_ADDRESS_H
#define POLICY_ADDRESS_H

#include "base/slice.h"

#include <stdbool.h>
#include <stdint.h>

struct address {
	bool v6;
	unsigned char bytes[16]; /* network order; IPv4: the first four */
};
bool address_read(struct slice text, struct address *address); /* "192.0.2.1", "2001:db8::1" */
#define ADDRESS_TEXT 46
void address_text(const struct address *address, char text[ADDRESS_TEXT]);
bool address_equals(const struct address *a, const struct address *b);

/* "192.0.2.0/24", "2001:db8::/32", or one address. Host bits must be zero. An IPv4 network has no
 * IPv6 address, whatever form of IPv6 carries an IPv4 address of it. */
struct network {
	struct address base;
	unsigned bits;
};
bool network_read(struct slice text, struct network *network);
bool network_has(const struct network *network, const struct address *address);

/*
 * NULL: may be dialled. Otherwise why not, for people ("loopback", "private", "link-local",
 * "multicast", ..., "port below 1024"): this network, loopback, private and shared (RFC 1918, 6598,
 * 4193), link-local, multicast, reserved, broadcast, documentation; whatever IPv6 address is not
 * global unicast; also inside IPv4-mapped, 6to4, NAT64 and Teredo forms of IPv6; ports below 1024
 * other than 443. `allowed` networks are exempt from the rules of addresses, not of ports; an
 * IPv4 network among them exempts those forms of its addresses too.
 */
const char *address_refused(const struct address *address, uint16_t port,
			    const struct network *allowed, size_t allowed_count);

#endif
