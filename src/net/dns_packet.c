#include "net/dns_packet.h"

#include "base/alloc.h"
#include "ipc/wire.h"

#include <stdlib.h>

#define CLASS_IN 1
#define RR_CNAME 5
#define RR_SOA 6
#define RCODE_NXDOMAIN 3
#define FLAG_RESPONSE 0x8000
#define FLAG_TRUNCATED 0x0200
#define OPCODE_MASK 0x7800
#define WIRE_NAME_BYTES 255 /* RFC 1035 3.1, length bytes and the root included */

static const uint16_t rr_types[] = { [DNS_SRV] = 33, [DNS_A] = 1, [DNS_AAAA] = 28 };

struct name {
	char text[DNS_NAME_BYTES + 1]; /* lower case; "." for the root */
	bool plain;		       /* else it has other bytes, shown as '?' */
};

struct record {
	struct name owner;
	uint16_t type;
	uint32_t ttl_s;
	struct wire data; /* lies in the packet up to where it ends, for names in it */
};

struct response {
	struct slice packet;
	const struct dns_question *question;
	unsigned rcode;
	uint16_t answers_count, authority_count;
	struct wire answers; /* at the first record */
};

const char *dns_packet_rcode_name(unsigned rcode)
{
	static const char *const names[] = { "NOERROR",	 "FORMERR", "SERVFAIL",
					     "NXDOMAIN", "NOTIMP",  "REFUSED" };

	return rcode < nitems(names) ? names[rcode] : "error";
}

static char plain_char(char c, bool *plain)
{
	if (c >= 'A' && c <= 'Z')
		return (char)(c - 'A' + 'a');
	if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_')
		return c;
	*plain = false;
	return '?';
}

/*
 * Reads the name at the front of `in`, which ends where the packet's end, or that of a record's
 * data, is. A pointer leads to an earlier place than any before it, so names end.
 */
static bool read_name(struct slice packet, struct wire *in, struct name *name)
{
	const unsigned char *bytes = (const unsigned char *)packet.data;
	size_t at = (size_t)(in->left.data - packet.data), end = at + in->left.len;
	size_t lowest = at, written = 0, wire_bytes = 1;
	bool jumped = false;

	*name = (struct name){ .plain = true };
	while (at < end) {
		size_t label = bytes[at];

		if (label == 0) {
			if (!jumped)
				in->left = (struct slice){ packet.data + at + 1, end - at - 1 };
			if (written)
				name->text[written - 1] = '\0'; /* the last dot */
			else
				name->text[0] = '.';
			return true;
		}
		if (label >= 0xc0) {
			size_t target;

			if (at + 1 >= end)
				return false;
			target = (label & 0x3f) << 8 | bytes[at + 1];
			if (target >= lowest)
				return false;
			if (!jumped)
				in->left = (struct slice){ packet.data + at + 2, end - at - 2 };
			jumped = true;
			end = packet.len;
			at = lowest = target;
			continue;
		}
		wire_bytes += label + 1;
		if (label > 63 || wire_bytes > WIRE_NAME_BYTES || at + 1 + label > end)
			return false;
		for (size_t i = 0; i < label; i++)
			name->text[written++] = plain_char(packet.data[at + 1 + i], &name->plain);
		if (written < DNS_NAME_BYTES)
			name->text[written] = '.';
		written++;
		at += 1 + label;
	}
	return false;
}

/* Records of another class have nothing for us: their type reads as 0. */
static bool read_record(struct slice packet, struct wire *in, struct record *record)
{
	uint16_t rr_class, len;

	if (!read_name(packet, in, &record->owner))
		return false;
	record->type = wire_get_u16(in);
	rr_class = wire_get_u16(in);
	record->ttl_s = wire_get_u32(in);
	len = wire_get_u16(in);
	if (in->failed || len > in->left.len)
		return false;
	if (rr_class != CLASS_IN)
		record->type = 0;
	if (record->ttl_s > INT32_MAX) /* RFC 2181 8 */
		record->ttl_s = 0;
	record->data = wire_read((struct slice){ in->left.data, len });
	in->left.data += len;
	in->left.len -= len;
	return true;
}

static bool is_owner(const struct record *record, const char *name)
{
	return record->owner.plain && strcmp(record->owner.text, name) == 0;
}

/* The header and the question, which must be ours. */
static bool read_head(struct response *r)
{
	struct wire in = wire_read(r->packet);
	uint16_t flags, questions, type, rr_class;
	struct name name;

	wire_get_u16(&in); /* the id: our resolver made both */
	flags = wire_get_u16(&in);
	questions = wire_get_u16(&in);
	r->answers_count = wire_get_u16(&in);
	r->authority_count = wire_get_u16(&in);
	wire_get_u16(&in);
	r->rcode = flags & 0xf;
	if (in.failed || !(flags & FLAG_RESPONSE) || flags & (FLAG_TRUNCATED | OPCODE_MASK) ||
	    questions != 1 || !read_name(r->packet, &in, &name))
		return false;
	type = wire_get_u16(&in);
	rr_class = wire_get_u16(&in);
	r->answers = in;
	return !in.failed && type == rr_types[r->question->type] && rr_class == CLASS_IN &&
	       name.plain && strcmp(name.text, r->question->name) == 0;
}

static uint32_t shorter(uint32_t a_s, uint32_t b_s)
{
	return a_s < b_s ? a_s : b_s;
}

enum alias { ALIAS_NONE, ALIAS_FOUND, ALIAS_MALFORMED };

/* Where `name` is an alias (CNAME), puts what it stands for in its place. */
static enum alias follow(const struct response *r, struct name *name, uint32_t *ttl_s)
{
	struct wire in = r->answers;
	struct record record;

	for (uint16_t i = 0; i < r->answers_count; i++) {
		if (!read_record(r->packet, &in, &record))
			return ALIAS_MALFORMED;
		if (record.type != RR_CNAME || !is_owner(&record, name->text))
			continue;
		if (!read_name(r->packet, &record.data, name) || !wire_is_done(&record.data) ||
		    !name->plain)
			return ALIAS_MALFORMED;
		*ttl_s = shorter(*ttl_s, record.ttl_s);
		return ALIAS_FOUND;
	}
	return ALIAS_NONE;
}

static bool add_srv(struct response *r, struct record *record, struct dns_answer *answer)
{
	struct srv_record srv;
	struct name target;

	srv.priority = wire_get_u16(&record->data);
	srv.weight = wire_get_u16(&record->data);
	srv.port = wire_get_u16(&record->data);
	if (record->data.failed || !read_name(r->packet, &record->data, &target) ||
	    !wire_is_done(&record->data))
		return false;
	if (!target.plain)
		return true;
	srv.target = xstrdup(target.text);
	answer->srv[answer->count++] = srv;
	return true;
}

static bool add_address(struct record *record, struct dns_answer *answer)
{
	struct address *address = &answer->addresses[answer->count];

	address->v6 = answer->type == DNS_AAAA;
	if (record->data.left.len != (address->v6 ? 16 : 4))
		return false;
	memcpy(address->bytes, record->data.left.data, record->data.left.len);
	answer->count++;
	return true;
}

/* Takes the records of `name`; false: malformed. */
static bool collect(struct response *r, const char *name, struct dns_answer *answer, size_t *cut)
{
	struct wire in = r->answers;
	struct record record;
	bool good = true;

	if (answer->type == DNS_SRV)
		answer->srv = xcalloc(DNS_RECORDS_MAX, sizeof(*answer->srv));
	else
		answer->addresses = xcalloc(DNS_RECORDS_MAX, sizeof(*answer->addresses));
	for (uint16_t i = 0; good && i < r->answers_count; i++) {
		good = read_record(r->packet, &in, &record);
		if (!good || record.type != rr_types[answer->type] || !is_owner(&record, name))
			continue;
		answer->ttl_s = shorter(answer->ttl_s, record.ttl_s);
		answer->status = DNS_FOUND;
		if (answer->count == DNS_RECORDS_MAX)
			++*cut;
		else
			good = answer->type == DNS_SRV ? add_srv(r, &record, answer)
						       : add_address(&record, answer);
	}
	return good;
}

/* How long "there is none" is true (RFC 2308 5): the zone's SOA tells. */
static uint32_t negative_ttl_s(const struct response *r)
{
	struct wire in = r->answers;
	struct record record;
	struct name name;

	for (unsigned i = 0; i < (unsigned)r->answers_count + r->authority_count; i++) {
		uint32_t minimum_s;

		if (!read_record(r->packet, &in, &record))
			return 0;
		if (i < r->answers_count || record.type != RR_SOA)
			continue;
		if (!read_name(r->packet, &record.data, &name) ||
		    !read_name(r->packet, &record.data, &name))
			return 0;
		for (int skip = 0; skip < 4; skip++)
			wire_get_u32(&record.data);
		minimum_s = wire_get_u32(&record.data);
		return shorter(record.ttl_s, minimum_s);
	}
	return 0;
}

static void fail(struct dns_answer *answer, const char *why)
{
	dns_wire_free_answer(answer);
	answer->status = DNS_SERVFAIL;
	answer->ttl_s = 0;
	answer->why = xstrdup(why);
}

static void read_records(struct response *r, struct dns_answer *answer, size_t *cut)
{
	enum alias alias = ALIAS_FOUND;
	struct name name = { .plain = true };

	answer->status = r->rcode == RCODE_NXDOMAIN ? DNS_ABSENT : DNS_EMPTY;
	answer->ttl_s = UINT32_MAX;
	memcpy(name.text, r->question->name, sizeof(name.text));
	for (int i = 0; alias == ALIAS_FOUND && i <= DNS_PACKET_ALIASES_MAX; i++)
		alias = follow(r, &name, &answer->ttl_s);
	if (alias == ALIAS_FOUND)
		fail(answer, "aliases without an end");
	else if (alias == ALIAS_MALFORMED ||
		 (answer->status == DNS_EMPTY && !collect(r, name.text, answer, cut)))
		fail(answer, "malformed answer");
	else if (answer->status == DNS_FOUND && !answer->count)
		fail(answer, "no target is a host name");
	else if (answer->status != DNS_FOUND)
		answer->ttl_s = shorter(answer->ttl_s, negative_ttl_s(r));
}

void dns_packet_read(struct slice packet, const struct dns_question *question,
		     struct dns_answer *answer, size_t *cut)
{
	struct response r = { .packet = packet, .question = question };

	*answer = (struct dns_answer){ .type = question->type };
	*cut = 0;
	if (!read_head(&r))
		fail(answer, "malformed answer");
	else if (r.rcode && r.rcode != RCODE_NXDOMAIN)
		fail(answer, dns_packet_rcode_name(r.rcode));
	else
		read_records(&r, answer, cut);
}
