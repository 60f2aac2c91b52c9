#include "net/dns_text.h"

#include "base/alloc.h"
#include "base/buffer.h"

#include <stdio.h>
#include <stdlib.h>

bool dns_answer_is_usable(const struct dns_answer *a)
{
	return a->status == DNS_FOUND || a->status == DNS_ABSENT || a->status == DNS_EMPTY;
}

static void add_records(struct buffer *out, const struct dns_answer *a)
{
	char address[ADDRESS_TEXT];

	for (size_t i = 0; i < a->count; i++) {
		buffer_append_text(out, i ? ", " : " ");
		if (a->type == DNS_SRV) {
			buffer_printf(out, "%u %u %u %s", a->srv[i].priority, a->srv[i].weight,
				      a->srv[i].port, a->srv[i].target);
		} else {
			address_text(&a->addresses[i], address);
			buffer_append_text(out, address);
		}
	}
}

static void add_lack(struct buffer *out, const struct dns_answer *a)
{
	static const char *const words[DNS_STATUS_COUNT] = {
		[DNS_ABSENT] = "no such name",
		[DNS_EMPTY] = "no such record",
		[DNS_SERVFAIL] = "the server answers with an error",
		[DNS_TIMED_OUT] = "no answer in time",
		[DNS_BOGUS_ANSWER] = "DNSSEC says that the answer is forged or broken",
		[DNS_UNAVAILABLE] = "there is no resolver to ask",
	};

	buffer_printf(out, " %s%s%s", words[a->status], a->why ? ": " : "", a->why ? a->why : "");
}

void dns_text(const struct dns_answer *a, char *text, size_t size)
{
	struct buffer out = { 0 };
	char *whole;

	buffer_printf(&out, "%s %s:", dns_type_name(a->type), a->name);
	if (a->status == DNS_FOUND)
		add_records(&out, a);
	else
		add_lack(&out, a);
	if (dns_answer_is_usable(a))
		buffer_append_text(&out, a->secure ? " (DNSSEC: secure)" : " (not signed)");
	whole = buffer_take_text(&out);
	snprintf(text, size, "%s", whole);
	free(whole);
}
