#include "net/dns_wire.h"

#include "base/alloc.h"
#include "ipc/wire.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

static struct srv_record two_srv[] = { { 10, 60, 5269, "x1.fed.example" }, { 0, 0, 0, "." } };
static struct address two_addresses[] = { { false, { 192, 0, 2, 1 } },
					  { false, { 192, 0, 2, 2 } } };
static struct address one_v6[] = { { true, { 0x20, 1, 0xd, 0xb8, [15] = 1 } } };

static const struct dns_answer answers[] = {
	{ DNS_SRV, DNS_FOUND, true, 300, .srv = two_srv, .count = 2 },
	{ DNS_A, DNS_FOUND, false, 60, .addresses = two_addresses, .count = 2 },
	{ DNS_AAAA, DNS_FOUND, false, 1, .addresses = one_v6, .count = 1 },
	{ DNS_SRV, DNS_ABSENT, true, 60 },
	{ DNS_A, DNS_SERVFAIL, .why = "REFUSED" },
};

static struct slice bytes_of(const struct buffer *b)
{
	return (struct slice){ buffer_data(b), buffer_len(b) };
}

static void a_question_comes_out_as_it_went_in(void **state)
{
	struct dns_question in = { DNS_SRV, "_xmpp-server._tcp.fed.example", 10000 }, out;
	struct buffer bytes = { 0 };

	dns_wire_put_query(&bytes, &in);
	assert_true(dns_wire_get_query(bytes_of(&bytes), &out));
	assert_int_equal(out.type, in.type);
	assert_string_equal(out.name, in.name);
	assert_int_equal(out.timeout_ms, in.timeout_ms);
	buffer_finish(&bytes);
}

static void only_plain_names_are_asked_about(void **state)
{
	static const struct {
		const char *name;
		bool plain;
	} rows[] = {
		{ "a", true },
		{ "_xmpp-server._tcp.xn--bcher-kva.example", true },
		{ "", false },
		{ ".", false },
		{ "a.", false },
		{ "a..b", false },
		{ ".a", false },
		{ "A.example", false },
		{ "a b", false },
		{ "a\\.b", false },
		{ "b\xc3\xbc", false },
		{ "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", true },
		{ "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", false },
	};
	char longest[DNS_NAME_BYTES + 2];

	for (size_t i = 0; i < nitems(rows); i++)
		assert_int_equal(dns_name_is_plain(slice_of(rows[i].name)), rows[i].plain);
	for (size_t i = 0; i < sizeof(longest); i++)
		longest[i] = i % 2 ? '.' : 'a';
	assert_true(dns_name_is_plain((struct slice){ longest, DNS_NAME_BYTES }));
	longest[DNS_NAME_BYTES] = 'a';
	assert_false(dns_name_is_plain((struct slice){ longest, DNS_NAME_BYTES + 1 }));
	assert_false(dns_name_is_plain((struct slice){ "a\0b", 3 }));
}

static void check_equal(const struct dns_answer *a, const struct dns_answer *b)
{
	assert_int_equal(a->type, b->type);
	assert_int_equal(a->status, b->status);
	assert_int_equal(a->secure, b->secure);
	assert_int_equal(a->ttl_s, b->ttl_s);
	assert_int_equal(a->count, b->count);
	assert_int_equal(!a->why, !b->why);
	if (a->why)
		assert_string_equal(a->why, b->why);
	for (size_t i = 0; i < a->count; i++) {
		if (a->type == DNS_SRV) {
			assert_int_equal(a->srv[i].priority, b->srv[i].priority);
			assert_int_equal(a->srv[i].weight, b->srv[i].weight);
			assert_int_equal(a->srv[i].port, b->srv[i].port);
			assert_string_equal(a->srv[i].target, b->srv[i].target);
		} else {
			assert_int_equal(a->addresses[i].v6, b->addresses[i].v6);
			assert_memory_equal(a->addresses[i].bytes, b->addresses[i].bytes,
					    a->addresses[i].v6 ? 16 : 4);
		}
	}
}

static void an_answer_comes_out_as_it_went_in_and_broken_off_not_at_all(void **state)
{
	for (size_t i = 0; i < nitems(answers); i++) {
		struct buffer bytes = { 0 };
		struct dns_answer out;

		dns_wire_put_answer(&bytes, &answers[i]);
		assert_true(dns_wire_get_answer(bytes_of(&bytes), &out));
		check_equal(&answers[i], &out);
		dns_wire_free_answer(&out);
		for (size_t len = 0; len < buffer_len(&bytes); len++)
			assert_false(dns_wire_get_answer((struct slice){ buffer_data(&bytes), len },
							 &out));
		buffer_append_text(&bytes, "x");
		assert_false(dns_wire_get_answer(bytes_of(&bytes), &out));
		buffer_finish(&bytes);
	}
}

static void an_answer_that_no_resolver_of_ours_gives_is_refused(void **state)
{
	struct srv_record many[DNS_RECORDS_MAX + 1];
	struct srv_record odd = { 0, 0, 0, "Upper.example" };
	const struct dns_answer rows[] = {
		{ DNS_TYPE_COUNT, DNS_ABSENT },
		{ DNS_A, DNS_STATUS_COUNT },
		{ DNS_A, DNS_FOUND }, /* and nothing there */
		{ DNS_A, DNS_ABSENT, .addresses = two_addresses, .count = 2 },
		{ DNS_SRV, DNS_BOGUS_ANSWER, .srv = two_srv, .count = 2 },
		{ DNS_SRV, DNS_FOUND, .srv = &odd, .count = 1 },
		{ DNS_SRV, DNS_FOUND, .srv = many, .count = nitems(many) },
	};

	for (size_t i = 0; i < nitems(many); i++)
		many[i] = two_srv[0];
	for (size_t i = 0; i < nitems(rows); i++) {
		struct buffer bytes = { 0 };
		struct dns_answer out;

		dns_wire_put_answer(&bytes, &rows[i]);
		assert_false(dns_wire_get_answer(bytes_of(&bytes), &out));
		buffer_finish(&bytes);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_question_comes_out_as_it_went_in),
		cmocka_unit_test(only_plain_names_are_asked_about),
		cmocka_unit_test(an_answer_comes_out_as_it_went_in_and_broken_off_not_at_all),
		cmocka_unit_test(an_answer_that_no_resolver_of_ours_gives_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
