/*
 * Bodies of MESSAGE_QUERY and MESSAGE_ANSWER (ipc/messages.h), for both ends.
 *
 * Query: u8 type, slice name, u32 timeout in ms. Answer: u8 type, u8 status, u8 secure, u32 ttl,
 * slice why, u16 count, then for each record: SRV u16 priority, u16 weight, u16 port, slice
 * target; A and AAAA a slice of 4 or 16 bytes. The resolver is a process that hears strangers: the
 * reader believes nothing.
 */
#ifndef NET_DNS_WIRE_H
#define NET_DNS_WIRE_H

#include "base/buffer.h"
#include "net/dns.h"

struct dns_question {
	enum dns_type type;
	char name[DNS_NAME_BYTES + 1];
	uint32_t timeout_ms;
};

/* Whether it is a name that we ask about or believe as a target: labels of 1 to 63 letters (lower
 * case), digits, '-' and '_'. */
bool dns_name_is_plain(struct slice name);

void dns_wire_put_query(struct buffer *out, const struct dns_question *question);
bool dns_wire_get_query(struct slice body, struct dns_question *question);
void dns_wire_put_answer(struct buffer *out, const struct dns_answer *answer);
/* Fills *answer (but for name and took_us) with memory of its own; free it with
 * dns_wire_free_answer (also twice). False: malformed, and nothing left to free. */
bool dns_wire_get_answer(struct slice body, struct dns_answer *answer);
void dns_wire_free_answer(struct dns_answer *answer);

#endif
