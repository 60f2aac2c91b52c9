#include "net/dns_packet.h"

#include "base/alloc.h"
#include "ipc/wire.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#define NXDOMAIN 3
#define TO_QUESTION "\xc0\x0c" /* where the question's name lies */

static struct buffer packet;
static struct dns_answer answer;
static size_t cut;

static void put(const char *bytes, size_t len)
{
	buffer_append(&packet, bytes, len);
}

/* "a.example" as labels, with the root. */
static void put_name(const char *name)
{
	while (*name) {
		size_t len = strcspn(name, ".");

		wire_put_u8(&packet, (uint8_t)len);
		put(name, len);
		name += len + (name[len] == '.');
	}
	wire_put_u8(&packet, 0);
}

static void begin(unsigned flags, const char *name, uint16_t type, uint16_t answers,
		  uint16_t authority)
{
	buffer_finish(&packet);
	wire_put_u16(&packet, 0x1234);
	wire_put_u16(&packet, (uint16_t)(0x8180 | flags));
	wire_put_u16(&packet, 1);
	wire_put_u16(&packet, answers);
	wire_put_u16(&packet, authority);
	wire_put_u16(&packet, 0);
	put_name(name);
	wire_put_u16(&packet, type);
	wire_put_u16(&packet, 1);
}

/* A record up to its data; its owner is the question's name, or `owner`. */
static void put_record(const char *owner, uint16_t type, uint32_t ttl_s, size_t len)
{
	if (owner)
		put_name(owner);
	else
		put(TO_QUESTION, 2);
	wire_put_u16(&packet, type);
	wire_put_u16(&packet, 1);
	wire_put_u32(&packet, ttl_s);
	wire_put_u16(&packet, (uint16_t)len);
}

static void put_srv(uint32_t ttl_s, uint16_t priority, uint16_t port, const char *target)
{
	put_record(NULL, 33, ttl_s, 6 + (*target ? strlen(target) + 2 : 1));
	wire_put_u16(&packet, priority);
	wire_put_u16(&packet, 5);
	wire_put_u16(&packet, port);
	put_name(target);
}

static void put_alias(const char *owner, const char *target)
{
	put_record(owner, 5, 100, strlen(target) + 2);
	put_name(target);
}

static void put_soa(uint32_t ttl_s, uint32_t minimum_s)
{
	put_record("example", 6, ttl_s, 2 + 2 + 20);
	put(TO_QUESTION, 2);
	put(TO_QUESTION, 2);
	for (int i = 0; i < 4; i++)
		wire_put_u32(&packet, 1);
	wire_put_u32(&packet, minimum_s);
}

static void read_as(enum dns_type type, const char *name)
{
	struct dns_question question = { .type = type };

	snprintf(question.name, sizeof(question.name), "%s", name);
	dns_wire_free_answer(&answer);
	dns_packet_read((struct slice){ buffer_data(&packet), buffer_len(&packet) }, &question,
			&answer, &cut);
	assert_int_equal(answer.type, type);
}

static void srv_records_come_with_their_shortest_ttl(void **state)
{
	begin(0, "_s._tcp.a.example", 33, 2, 0);
	put_srv(300, 10, 5269, "X1.a.example");
	put_srv(60, 20, 5270, "");
	read_as(DNS_SRV, "_s._tcp.a.example");
	assert_int_equal(answer.status, DNS_FOUND);
	assert_int_equal(answer.count, 2);
	assert_int_equal(answer.ttl_s, 60);
	assert_int_equal(answer.srv[0].priority, 10);
	assert_int_equal(answer.srv[0].weight, 5);
	assert_int_equal(answer.srv[0].port, 5269);
	assert_string_equal(answer.srv[0].target, "x1.a.example");
	assert_string_equal(answer.srv[1].target, ".");
}

static void addresses_of_both_families(void **state)
{
	begin(0, "a.example", 1, 1, 0);
	put_record(NULL, 1, 60, 4);
	put("\xc0\0\2\1", 4);
	read_as(DNS_A, "a.example");
	assert_int_equal(answer.status, DNS_FOUND);
	assert_memory_equal(answer.addresses[0].bytes, "\xc0\0\2\1", 4);
	assert_false(answer.addresses[0].v6);

	begin(0, "a.example", 28, 1, 0);
	put_record(NULL, 28, 0x80000001, 16);
	put("\x20\1\xd\xb8\0\0\0\0\0\0\0\0\0\0\0\1", 16);
	read_as(DNS_AAAA, "a.example");
	assert_int_equal(answer.status, DNS_FOUND);
	assert_int_equal(answer.ttl_s, 0);
	assert_true(answer.addresses[0].v6);
	assert_memory_equal(answer.addresses[0].bytes + 14, "\0\1", 2);
}

static void aliases_are_followed_in_any_order_and_strangers_passed_over(void **state)
{
	begin(0, "a.example", 1, 5, 0);
	put_alias("b.example", "c.example");
	put_record("evil.example", 1, 1, 4);
	put("\x0a\0\0\1", 4);
	put_record("c.example", 1, 600, 4);
	put("\xc0\0\2\7", 4);
	put_record(NULL, 46, 1, 3); /* RRSIG, or what else stands there */
	put("sig", 3);
	put_alias(NULL, "B.example");
	read_as(DNS_A, "a.example");
	assert_int_equal(answer.status, DNS_FOUND);
	assert_int_equal(answer.count, 1);
	assert_int_equal(answer.ttl_s, 100);
	assert_memory_equal(answer.addresses[0].bytes, "\xc0\0\2\7", 4);

	begin(0, "a.example", 1, 2, 0);
	put_alias(NULL, "b.example");
	put_alias("b.example", "a.example");
	read_as(DNS_A, "a.example");
	assert_int_equal(answer.status, DNS_SERVFAIL);
	assert_string_equal(answer.why, "aliases without an end");
}

static void no_such_name_no_such_record_and_a_failure_are_told_apart(void **state)
{
	static const struct {
		unsigned rcode;
		enum dns_status status;
		const char *why;
	} rows[] = {
		{ 0, DNS_EMPTY, NULL },		{ NXDOMAIN, DNS_ABSENT, NULL },
		{ 1, DNS_SERVFAIL, "FORMERR" }, { 2, DNS_SERVFAIL, "SERVFAIL" },
		{ 5, DNS_SERVFAIL, "REFUSED" }, { 9, DNS_SERVFAIL, "error" },
	};

	for (size_t i = 0; i < nitems(rows); i++) {
		begin(rows[i].rcode, "a.example", 28, 1, 1);
		put_alias(NULL, "b.example");
		put_soa(3600, 90);
		read_as(DNS_AAAA, "a.example");
		assert_int_equal(answer.status, rows[i].status);
		assert_int_equal(answer.ttl_s, rows[i].why ? 0 : 90);
		assert_int_equal(answer.count, 0);
		if (rows[i].why)
			assert_string_equal(answer.why, rows[i].why);
	}
	begin(0, "a.example", 28, 0, 0);
	read_as(DNS_AAAA, "a.example");
	assert_int_equal(answer.status, DNS_EMPTY);
	assert_int_equal(answer.ttl_s, 0);
}

static void targets_that_are_no_host_names_are_passed_over(void **state)
{
	begin(0, "a.example", 33, 2, 0);
	put_srv(1, 1, 1, "x y.example");
	put_srv(1, 1, 1, "x.example");
	read_as(DNS_SRV, "a.example");
	assert_int_equal(answer.count, 1);
	assert_string_equal(answer.srv[0].target, "x.example");

	begin(0, "a.example", 33, 1, 0);
	put_srv(1, 1, 1, "x\"y.example");
	read_as(DNS_SRV, "a.example");
	assert_int_equal(answer.status, DNS_SERVFAIL);
}

static void more_records_than_we_use_are_cut_and_counted(void **state)
{
	begin(0, "a.example", 33, DNS_RECORDS_MAX + 3, 0);
	for (int i = 0; i < DNS_RECORDS_MAX + 3; i++)
		put_srv(60, 1, (uint16_t)i, "x.example");
	read_as(DNS_SRV, "a.example");
	assert_int_equal(answer.count, DNS_RECORDS_MAX);
	assert_int_equal(cut, 3);
}

static void a_packet_broken_off_anywhere_is_a_failure(void **state)
{
	struct dns_question question = { .type = DNS_SRV, .name = "a.example" };

	begin(0, "a.example", 33, 3, 0);
	put_alias(NULL, "b.example");
	put_record("b.example", 33, 1, 8);
	put("\0\1\0\2\0\3" TO_QUESTION, 8);
	put_record("b.example", 33, 1, 10); /* one compressed in part */
	put("\0\1\0\2\0\3\1z" TO_QUESTION, 10);
	for (size_t len = 0; len < buffer_len(&packet); len++) {
		char *copy = malloc(len + !len); /* so that a sanitizer sees a byte too far */

		memcpy(copy, buffer_data(&packet), len);
		dns_wire_free_answer(&answer);
		dns_packet_read((struct slice){ copy, len }, &question, &answer, &cut);
		assert_int_equal(answer.status, DNS_SERVFAIL);
		free(copy);
	}
	read_as(DNS_SRV, "a.example");
	assert_int_equal(answer.status, DNS_FOUND);
	assert_string_equal(answer.srv[0].target, "a.example");
	assert_string_equal(answer.srv[1].target, "z.a.example");
}

static void malformed_packets_are_failures(void **state)
{
	static const struct {
		const char *what;
		const char *data; /* of an SRV record of a.example */
		size_t len;
	} rows[] = {
		{ "a pointer to itself", "\0\1\0\2\0\3\xc0\x2d", 8 },
		{ "a pointer forward", "\0\1\0\2\0\3\xc0\xff", 8 },
		{ "a pointer cut short", "\0\1\0\2\0\3\xc0", 7 },
		{ "a label of an unknown kind",
		  "\0\1\0\2\0\3\x81"
		  "a\0",
		  9 },
		{ "a label longer than the data", "\0\1\0\2\0\3\5ab\0", 10 },
		{ "bytes after the target", "\0\1\0\2\0\3\1a\0x", 10 },
		{ "no target", "\0\1\0\2\0\3", 6 },
		{ "nothing", "", 0 },
	};

	for (size_t i = 0; i < nitems(rows); i++) {
		begin(0, "a.example", 33, 1, 0);
		put_record(NULL, 33, 1, rows[i].len);
		put(rows[i].data, rows[i].len);
		read_as(DNS_SRV, "a.example");
		if (answer.status != DNS_SERVFAIL)
			fail_msg("%s", rows[i].what);
	}
	begin(0, "a.example", 1, 1, 0);
	put_record(NULL, 1, 1, 5);
	put("12345", 5);
	read_as(DNS_A, "a.example");
	assert_int_equal(answer.status, DNS_SERVFAIL);
}

static void an_answer_to_another_question_is_a_failure(void **state)
{
	begin(0, "b.example", 1, 0, 0);
	read_as(DNS_A, "a.example");
	assert_int_equal(answer.status, DNS_SERVFAIL);
	begin(0, "a.example", 28, 0, 0);
	read_as(DNS_A, "a.example");
	assert_int_equal(answer.status, DNS_SERVFAIL);
	begin(0x200, "a.example", 1, 0, 0); /* truncated */
	read_as(DNS_A, "a.example");
	assert_int_equal(answer.status, DNS_SERVFAIL);
}

static void the_longest_name_is_read_and_no_longer_one(void **state)
{
	char name[260] = { 0 };

	for (size_t i = 0; i < DNS_NAME_BYTES; i++)
		name[i] = i % 2 ? '.' : 'a';
	begin(0, name, 1, 0, 0);
	read_as(DNS_A, name);
	assert_int_equal(answer.status, DNS_EMPTY);
	begin(0, "a.example", 33, 1, 0);
	memcpy(name + DNS_NAME_BYTES, ".a", 3);
	put_record(NULL, 33, 1, 6 + strlen(name) + 2);
	put("\0\1\0\2\0\3", 6);
	put_name(name);
	read_as(DNS_SRV, "a.example");
	assert_int_equal(answer.status, DNS_SERVFAIL);
}

static int clean_up(void **state)
{
	dns_wire_free_answer(&answer);
	buffer_finish(&packet);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(srv_records_come_with_their_shortest_ttl),
		cmocka_unit_test(addresses_of_both_families),
		cmocka_unit_test(aliases_are_followed_in_any_order_and_strangers_passed_over),
		cmocka_unit_test(no_such_name_no_such_record_and_a_failure_are_told_apart),
		cmocka_unit_test(targets_that_are_no_host_names_are_passed_over),
		cmocka_unit_test(more_records_than_we_use_are_cut_and_counted),
		cmocka_unit_test(a_packet_broken_off_anywhere_is_a_failure),
		cmocka_unit_test(malformed_packets_are_failures),
		cmocka_unit_test(an_answer_to_another_question_is_a_failure),
		cmocka_unit_test(the_longest_name_is_read_and_no_longer_one),
	};

	return cmocka_run_group_tests(tests, NULL, clean_up);
}
