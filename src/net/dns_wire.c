#include "net/dns_wire.h"

#include "base/alloc.h"
#include "ipc/wire.h"

#include <stdlib.h>

#define WHY_BYTES 512
#define LABEL_BYTES 63

bool dns_name_is_plain(struct slice name)
{
	size_t label = 0;

	if (name.len > DNS_NAME_BYTES)
		return false;
	for (size_t i = 0; i < name.len; i++) {
		char c = name.data[i];

		if (c == '.' && label)
			label = 0;
		else if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_')
			label++;
		else
			return false;
		if (label > LABEL_BYTES)
			return false;
	}
	return label > 0;
}

void dns_wire_put_query(struct buffer *out, const struct dns_question *question)
{
	wire_put_u8(out, (uint8_t)question->type);
	wire_put_text(out, question->name);
	wire_put_u32(out, question->timeout_ms);
}

bool dns_wire_get_query(struct slice body, struct dns_question *question)
{
	struct wire in = wire_read(body);
	uint8_t type = wire_get_u8(&in);
	struct slice name = wire_get_slice(&in);
	uint32_t timeout_ms = wire_get_u32(&in);

	if (!wire_is_done(&in) || type >= DNS_TYPE_COUNT || !dns_name_is_plain(name))
		return false;
	*question = (struct dns_question){ .type = type, .timeout_ms = timeout_ms };
	memcpy(question->name, name.data, name.len);
	return true;
}

void dns_wire_put_answer(struct buffer *out, const struct dns_answer *answer)
{
	wire_put_u8(out, (uint8_t)answer->type);
	wire_put_u8(out, (uint8_t)answer->status);
	wire_put_u8(out, answer->secure);
	wire_put_u32(out, answer->ttl_s);
	wire_put_text(out, answer->why);
	wire_put_u16(out, (uint16_t)answer->count);
	for (size_t i = 0; i < answer->count; i++) {
		if (answer->type == DNS_SRV) {
			wire_put_u16(out, answer->srv[i].priority);
			wire_put_u16(out, answer->srv[i].weight);
			wire_put_u16(out, answer->srv[i].port);
			wire_put_text(out, answer->srv[i].target);
		} else {
			wire_put_slice(out, (struct slice){ (char *)answer->addresses[i].bytes,
							    answer->type == DNS_A ? 4 : 16 });
		}
	}
}

static bool get_srv(struct wire *in, struct srv_record *srv)
{
	struct slice target;

	srv->priority = wire_get_u16(in);
	srv->weight = wire_get_u16(in);
	srv->port = wire_get_u16(in);
	target = wire_get_slice(in);
	if (!slice_is(target, ".") && !dns_name_is_plain(target))
		return false;
	srv->target = xstrndup(target.data, target.len);
	return true;
}

static bool get_address(struct wire *in, enum dns_type type, struct address *address)
{
	struct slice bytes = wire_get_slice(in);

	address->v6 = type == DNS_AAAA;
	if (bytes.len != (address->v6 ? 16 : 4))
		return false;
	memcpy(address->bytes, bytes.data, bytes.len);
	return true;
}

static bool get_records(struct wire *in, size_t count, struct dns_answer *answer)
{
	if (answer->type == DNS_SRV)
		answer->srv = xcalloc(count, sizeof(*answer->srv));
	else
		answer->addresses = xcalloc(count, sizeof(*answer->addresses));
	for (; answer->count < count; answer->count++) {
		if (answer->type == DNS_SRV
			    ? !get_srv(in, &answer->srv[answer->count])
			    : !get_address(in, answer->type, &answer->addresses[answer->count]))
			return false;
	}
	return true;
}

/* Text for people and logs; absent when empty. */
static bool get_why(struct wire *in, struct dns_answer *answer)
{
	char *why = wire_get_text(in, WHY_BYTES);

	answer->why = why && *why ? why : NULL;
	if (!answer->why)
		free(why);
	return !in->failed;
}

bool dns_wire_get_answer(struct slice body, struct dns_answer *answer)
{
	struct wire in = wire_read(body);
	uint8_t type = wire_get_u8(&in), status = wire_get_u8(&in), secure = wire_get_u8(&in);
	size_t count;
	bool good;

	*answer = (struct dns_answer){ .type = type, .status = status, .secure = secure };
	answer->ttl_s = wire_get_u32(&in);
	good = get_why(&in, answer);
	count = wire_get_u16(&in);
	good = good && type < DNS_TYPE_COUNT && status < DNS_STATUS_COUNT && secure <= 1 &&
	       count <= DNS_RECORDS_MAX && (count > 0) == (status == DNS_FOUND);
	if (good && count)
		good = get_records(&in, count, answer);
	if (good && wire_is_done(&in))
		return true;
	dns_wire_free_answer(answer);
	return false;
}

static void free_text(const char *text)
{
	void *ours; /* though the answer's reader may not write it */

	memcpy(&ours, &text, sizeof(ours));
	free(ours);
}

void dns_wire_free_answer(struct dns_answer *answer)
{
	for (size_t i = 0; answer->srv && i < answer->count; i++)
		free_text(answer->srv[i].target);
	free(answer->srv);
	free(answer->addresses);
	free_text(answer->why);
	answer->srv = NULL;
	answer->addresses = NULL;
	answer->why = NULL;
	answer->count = 0;
}
