#include "net/dns_wire.h"

#include <stdlib.h>

static void check_answer(const struct dns_answer *answer, struct slice body)
{
	struct buffer again = { 0 };

	dns_wire_put_answer(&again, answer);
	if (!slice_equals(body, (struct slice){ buffer_data(&again), buffer_len(&again) }))
		abort();
	buffer_finish(&again);
}

/* What is read is what would be written. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice body = { (const char *)data, size };
	struct dns_question question;
	struct dns_answer answer;

	if (dns_wire_get_query(body, &question) && !dns_name_is_plain(slice_of(question.name)))
		abort();
	if (dns_wire_get_answer(body, &answer)) {
		check_answer(&answer, body);
		dns_wire_free_answer(&answer);
	}
	return 0;
}
