/*
 * Writes pcapng (the IETF's draft-ietf-opsawg-pcapng), what libpcap cannot: one section, one
 * interface, TLS secrets, packets. The secrets must stand before the packets: Wireshark changes
 * keys while it reads the handshake, and knows then only what it has read. No I/O.
 */
#ifndef PROCESS_PCAPNG_H
#define PROCESS_PCAPNG_H

#include "base/buffer.h"

struct pcapng_interface {
	const char *name;
	uint16_t link_type; /* LINKTYPE_... */
	uint32_t snap;	    /* bytes kept of each packet at most */
};

/* All that comes before the packets. `secrets`: lines of SSLKEYLOGFILE; empty: no such block. */
void pcapng_begin(struct buffer *out, const char *application,
		  const struct pcapng_interface *interface, struct slice secrets);
/* `time_ns` since 1970; `original`: bytes on the wire, of which `bytes` are kept. */
void pcapng_packet(struct buffer *out, uint64_t time_ns, uint32_t original, struct slice bytes);
size_t pcapng_packet_bytes(size_t kept); /* what pcapng_packet appends */

#endif
