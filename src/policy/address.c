#include "policy/address.h"

#include "base/alloc.h"

#include <arpa/inet.h>

#define IPV4_BYTES 4
#define IPV6_BYTES 16

static size_t bytes_of(const struct address *address)
{
	return address->v6 ? IPV6_BYTES : IPV4_BYTES;
}

bool address_read(struct slice text, struct address *address)
{
	struct address read = { 0 };
	char copy[ADDRESS_TEXT];

	if (text.len == 0 || text.len >= sizeof(copy) || memchr(text.data, '\0', text.len))
		return false;
	memcpy(copy, text.data, text.len);
	copy[text.len] = '\0';
	read.v6 = strchr(copy, ':') != NULL;
	if (inet_pton(read.v6 ? AF_INET6 : AF_INET, copy, read.bytes) != 1)
		return false;
	*address = read;
	return true;
}

void address_text(const struct address *address, char text[ADDRESS_TEXT])
{
	inet_ntop(address->v6 ? AF_INET6 : AF_INET, address->bytes, text, ADDRESS_TEXT);
}

bool address_equals(const struct address *a, const struct address *b)
{
	return a->v6 == b->v6 && memcmp(a->bytes, b->bytes, bytes_of(a)) == 0;
}

/* Up to three digits without a leading zero, nothing else; at most `max`. */
static bool read_bits(struct slice text, unsigned max, unsigned *bits)
{
	unsigned value = 0;

	if (text.len == 0 || text.len > 3 || (text.len > 1 && text.data[0] == '0'))
		return false;
	for (size_t i = 0; i < text.len; i++) {
		if (text.data[i] < '0' || text.data[i] > '9')
			return false;
		value = value * 10 + (unsigned)(text.data[i] - '0');
	}
	if (value > max)
		return false;
	*bits = value;
	return true;
}

/* Whether the first `bits` bits of both are the same. */
static bool starts_alike(const unsigned char *a, const unsigned char *b, unsigned bits)
{
	unsigned rest = bits % 8;
	unsigned char mask = (unsigned char)(0xff00 >> rest);

	return memcmp(a, b, bits / 8) == 0 &&
	       (rest == 0 || ((a[bits / 8] ^ b[bits / 8]) & mask) == 0);
}

static bool host_bits_are_zero(const struct network *network)
{
	for (unsigned bit = network->bits; bit < bytes_of(&network->base) * 8; bit++) {
		if (network->base.bytes[bit / 8] & (0x80 >> bit % 8))
			return false;
	}
	return true;
}

bool network_read(struct slice text, struct network *network)
{
	const char *slash = text.len ? memchr(text.data, '/', text.len) : NULL;
	struct slice base = { text.data, slash ? (size_t)(slash - text.data) : text.len };
	struct network read;
	unsigned max;

	if (!address_read(base, &read.base))
		return false;
	max = (unsigned)bytes_of(&read.base) * 8;
	read.bits = max;
	if (slash &&
	    !read_bits((struct slice){ slash + 1, text.len - base.len - 1 }, max, &read.bits))
		return false;
	if (!host_bits_are_zero(&read))
		return false;
	*network = read;
	return true;
}

bool network_has(const struct network *network, const struct address *address)
{
	return network->base.v6 == address->v6 &&
	       starts_alike(network->base.bytes, address->bytes, network->bits);
}

struct rule {
	struct network network;
	const char *why; /* NULL: an exception, may be dialled */
};

#define IPV4(a, b, c, d, len)                                                                      \
	{                                                                                          \
		{ false, { a, b, c, d } }, len                                                     \
	}
/* The first four bytes; what follows them is zero. */
#define IPV6(a, b, c, d, len)                                                                      \
	{                                                                                          \
		{ true, { a, b, c, d } }, len                                                      \
	}

/*
 * From IANA's registries of special-purpose addresses (RFC 6890), what is not globally reachable.
 * The first row that has the address counts.
 */
static const struct rule ipv4_rules[] = {
	{ IPV4(0, 0, 0, 0, 8), "this network" },
	{ IPV4(10, 0, 0, 0, 8), "private" },
	{ IPV4(100, 64, 0, 0, 10), "shared" }, /* RFC 6598: carrier-grade NAT */
	{ IPV4(127, 0, 0, 0, 8), "loopback" },
	{ IPV4(169, 254, 0, 0, 16), "link-local" }, /* clouds keep their metadata here */
	{ IPV4(172, 16, 0, 0, 12), "private" },
	{ IPV4(192, 0, 0, 0, 24), "reserved" }, /* RFC 6890: protocol assignments */
	{ IPV4(192, 0, 2, 0, 24), "documentation" },
	{ IPV4(192, 88, 99, 0, 24), "reserved" }, /* RFC 7526: the former 6to4 relays */
	{ IPV4(192, 168, 0, 0, 16), "private" },
	{ IPV4(198, 18, 0, 0, 15), "reserved" }, /* RFC 2544: benchmarks */
	{ IPV4(198, 51, 100, 0, 24), "documentation" },
	{ IPV4(203, 0, 113, 0, 24), "documentation" },
	{ IPV4(224, 0, 0, 0, 4), "multicast" },
	{ IPV4(255, 255, 255, 255, 32), "broadcast" },
	{ IPV4(240, 0, 0, 0, 4), "reserved" },
};

static const struct rule ipv6_rules[] = {
	{ { { true, { 0 } }, 128 }, "this network" },
	{ { { true, { [15] = 1 } }, 128 }, "loopback" },
	{ { { true, { [10] = 0xff, [11] = 0xff } }, 96 }, NULL }, /* the IPv4 address decides */
	{ { { true, { 0, 0x64, 0xff, 0x9b } }, 96 }, NULL },	  /* likewise (RFC 6052) */
	{ { { true, { 0, 0x64, 0xff, 0x9b, 0, 1 } }, 48 }, "private" }, /* RFC 8215: own NAT64 */
	{ IPV6(0xfc, 0, 0, 0, 7), "private" },				/* RFC 4193 */
	{ IPV6(0xfe, 0x80, 0, 0, 10), "link-local" },
	{ IPV6(0xfe, 0xc0, 0, 0, 10), "private" }, /* RFC 3879: the former site-local */
	{ IPV6(0xff, 0, 0, 0, 8), "multicast" },
	{ IPV6(0x20, 0x01, 0x0d, 0xb8, 32), "documentation" },
	{ IPV6(0x3f, 0xff, 0, 0, 20), "documentation" },	   /* RFC 9637 */
	{ { { true, { 0x20, 0x01, 0, 0x02 } }, 48 }, "reserved" }, /* RFC 5180: benchmarks */
	{ { { true, { 0x20, 0x01, 0, 0x10 } }, 28 }, "reserved" }, /* RFC 4843: ORCHID */
	{ { { true, { 0x20, 0x01, 0, 0x20 } }, 28 }, "reserved" }, /* RFC 7343: ORCHIDv2 */
	{ IPV6(0x20, 0, 0, 0, 3), NULL },			   /* global unicast */
	{ { { true, { 0 } }, 0 }, "reserved" }, /* RFC 4291 2.4: all others, until assigned */
};

/* Where IPv6 carries an IPv4 address that a router or our own kernel would take out again. */
static const struct {
	struct network network;
	unsigned at;	    /* byte at which it stands */
	unsigned char flip; /* what its bytes are exclusive-ored with */
} embeddings[] = {
	{ { { true, { [10] = 0xff, [11] = 0xff } }, 96 },
	  12,
	  0 },						      /* IPv4-mapped, RFC 4291 2.5.5.2 */
	{ { { true, { 0, 0x64, 0xff, 0x9b } }, 96 }, 12, 0 }, /* NAT64, RFC 6052 */
	{ IPV6(0x20, 0x02, 0, 0, 16), 2, 0 },		      /* 6to4, RFC 3056 */
	{ IPV6(0x20, 0x01, 0, 0, 32), 4, 0 },		      /* Teredo's server, RFC 4380 */
	{ IPV6(0x20, 0x01, 0, 0, 32), 12, 0xff },	      /* Teredo's client */
};

struct allowance {
	const struct network *networks;
	size_t count;
};

static bool is_allowed(const struct allowance *allowed, const struct address *address)
{
	for (size_t i = 0; i < allowed->count; i++) {
		if (network_has(&allowed->networks[i], address))
			return true;
	}
	return false;
}

static const char *refused_by(const struct rule *rules, size_t count, const struct address *address)
{
	for (size_t i = 0; i < count; i++) {
		if (network_has(&rules[i].network, address))
			return rules[i].why;
	}
	return NULL;
}

static const char *ipv4_refused(const struct address *address, const struct allowance *allowed)
{
	return is_allowed(allowed, address) ? NULL
					    : refused_by(ipv4_rules, nitems(ipv4_rules), address);
}

static const char *embedded_refused(const struct address *address, const struct allowance *allowed)
{
	for (size_t i = 0; i < nitems(embeddings); i++) {
		struct address ipv4 = { 0 };
		const char *why;

		if (!network_has(&embeddings[i].network, address))
			continue;
		for (size_t j = 0; j < IPV4_BYTES; j++)
			ipv4.bytes[j] = address->bytes[embeddings[i].at + j] ^ embeddings[i].flip;
		why = ipv4_refused(&ipv4, allowed);
		if (why)
			return why;
	}
	return NULL;
}

static const char *ipv6_refused(const struct address *address, const struct allowance *allowed)
{
	const char *why;

	if (is_allowed(allowed, address))
		return NULL;
	why = refused_by(ipv6_rules, nitems(ipv6_rules), address);
	return why ? why : embedded_refused(address, allowed);
}

const char *address_refused(const struct address *address, uint16_t port,
			    const struct network *allowed, size_t allowed_count)
{
	struct allowance allowance = { allowed, allowed_count };
	const char *why =
		address->v6 ? ipv6_refused(address, &allowance) : ipv4_refused(address, &allowance);

	if (why)
		return why;
	return port < 1024 && port != 443 ? "port below 1024" : NULL;
}
