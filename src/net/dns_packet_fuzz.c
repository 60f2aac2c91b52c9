#include "net/dns_packet.h"

#include <stdlib.h>

/* The first byte chooses the type, the rest is the packet; the name is that of the seeds. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct dns_question question = { .name = "a.example" };
	struct buffer bytes = { 0 };
	struct dns_answer answer, again;
	size_t cut;

	if (!size)
		return 0;
	question.type = data[0] % DNS_TYPE_COUNT;
	dns_packet_read((struct slice){ (const char *)data + 1, size - 1 }, &question, &answer,
			&cut);
	/* Whatever it is, the other end of the channel believes it. */
	dns_wire_put_answer(&bytes, &answer);
	if (!dns_wire_get_answer((struct slice){ buffer_data(&bytes), buffer_len(&bytes) }, &again))
		abort();
	dns_wire_free_answer(&again);
	dns_wire_free_answer(&answer);
	buffer_finish(&bytes);
	return 0;
}
