#include "policy/candidates.h"

#include "base/alloc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

/* Gives the numbers of a list, in turn, and notes out of how many each was asked for. */
struct script {
	const uint32_t *numbers;
	size_t count, used;
	uint32_t bounds[8];
};

static uint32_t scripted(void *arg, uint32_t bound)
{
	struct script *script = arg;

	assert_true(script->used < script->count);
	assert_true(script->numbers[script->used] < bound);
	script->bounds[script->used] = bound;
	return script->numbers[script->used++];
}

/* A linear congruential generator (Knuth's MMIX): the same numbers each time. */
static uint32_t generated(void *arg, uint32_t bound)
{
	uint64_t *seed = arg;

	assert_true(bound > 0);
	*seed = *seed * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)((*seed >> 32) * bound >> 32);
}

static void the_lowest_priority_comes_first(void **state)
{
	struct srv_record records[] = {
		{ 20, 5, 5269, "c" },
		{ 65535, 0, 5269, "d" },
		{ 10, 0, 5269, "b" },
		{ 0, 65535, 5269, "a" },
	};

	srv_sort(records, nitems(records), scripted, NULL); /* there is nothing to choose */
	for (size_t i = 0; i < nitems(records); i++)
		assert_int_equal(records[i].target[0], "abcd"[i]);
}

/* RFC 2782, "Weight": those of weight 0 in front, then the first running sum >= the number. */
static void weights_choose_as_the_rfc_says(void **state)
{
	static const struct {
		uint32_t numbers[2];
		const char *order;
		uint32_t bounds[2];
	} rows[] = {
		{ { 0, 0 }, "zab", { 5, 5 } }, /* z has its small chance */
		{ { 1, 0 }, "azb", { 5, 4 } }, { { 1, 1 }, "abz", { 5, 4 } },
		{ { 2, 0 }, "bza", { 5, 2 } }, { { 4, 1 }, "baz", { 5, 2 } },
	};

	for (size_t i = 0; i < nitems(rows); i++) {
		struct srv_record records[] = {
			{ 1, 1, 5269, "a" },
			{ 1, 3, 5269, "b" },
			{ 1, 0, 5269, "z" },
		};
		struct script script = { rows[i].numbers, 2, 0, { 0 } };
		char order[4] = "";

		srv_sort(records, nitems(records), scripted, &script);
		for (size_t j = 0; j < nitems(records); j++)
			order[j] = records[j].target[0];
		assert_string_equal(order, rows[i].order);
		assert_int_equal(script.used, 2);
		assert_memory_equal(script.bounds, rows[i].bounds, sizeof(rows[i].bounds));
	}
}

static void the_share_of_a_target_follows_its_weight(void **state)
{
	enum { ROUNDS = 20000 };
	uint64_t seed = 1;
	int first[3] = { 0 };

	for (int round = 0; round < ROUNDS; round++) {
		struct srv_record records[] = {
			{ 1, 100, 5269, "0" },
			{ 1, 300, 5269, "1" },
			{ 1, 600, 5269, "2" },
		};

		srv_sort(records, nitems(records), generated, &seed);
		first[records[0].target[0] - '0']++;
	}
	assert_in_range(first[0], ROUNDS * 9 / 100, ROUNDS * 11 / 100);
	assert_in_range(first[1], ROUNDS * 29 / 100, ROUNDS * 31 / 100);
	assert_in_range(first[2], ROUNDS * 59 / 100, ROUNDS * 61 / 100);
}

static void without_weights_all_have_the_same_chance(void **state)
{
	enum { ROUNDS = 9000 };
	uint64_t seed = 1;
	int first[3] = { 0 };

	for (int round = 0; round < ROUNDS; round++) {
		struct srv_record records[] = {
			{ 1, 0, 5269, "0" },
			{ 1, 0, 5269, "1" },
			{ 1, 0, 5269, "2" },
		};

		srv_sort(records, nitems(records), generated, &seed);
		first[records[0].target[0] - '0']++;
	}
	for (size_t i = 0; i < nitems(first); i++)
		assert_in_range(first[i], ROUNDS * 30 / 100, ROUNDS * 37 / 100);
}

static void sorting_keeps_each_record_once(void **state)
{
	struct srv_record records[200];
	static char names[200][4];
	int seen[200] = { 0 };
	uint64_t seed = 7;

	for (size_t i = 0; i < nitems(records); i++) {
		snprintf(names[i], sizeof(names[i]), "%zu", i);
		records[i] = (struct srv_record){ (uint16_t)generated(&seed, 5),
						  (uint16_t)(generated(&seed, 2) * 65535), 5269,
						  names[i] };
	}
	srv_sort(records, nitems(records), generated, &seed);
	for (size_t i = 0; i < nitems(records); i++) {
		assert_true(i == 0 || records[i - 1].priority <= records[i].priority);
		assert_int_equal(seen[strtoul(records[i].target, NULL, 10)]++, 0);
	}
	srv_sort(NULL, 0, scripted, NULL);
}

static void a_lone_root_says_no_service(void **state)
{
	struct srv_record root[] = { { 0, 0, 0, "." }, { 0, 0, 5269, "a.example" } };
	struct srv_record empty = { 0, 0, 0, "" };

	assert_true(srv_says_no_service(root, 1));
	assert_true(srv_says_no_service(&empty, 1));
	assert_false(srv_says_no_service(root, 2));
	assert_false(srv_says_no_service(root + 1, 1));
	assert_false(srv_says_no_service(NULL, 0));
}

/* Letters are IPv6, digits IPv4, in the order that the DNS gave. */
static void families_alternate_from_ipv6_on(void **state)
{
	static const struct {
		const char *given, *order;
	} rows[] = {
		{ "", "" },
		{ "a", "a" },
		{ "1", "1" },
		{ "1a", "a1" },
		{ "12ab", "a1b2" },
		{ "ab12", "a1b2" },
		{ "a1b2", "a1b2" },
		{ "123a", "a123" },
		{ "abc1", "a1bc" },
		{ "1abcd", "a1bcd" },
		{ "123", "123" },
		{ "abc", "abc" },
		{ "12345ab", "a1b2345" },
	};

	for (size_t i = 0; i < nitems(rows); i++) {
		size_t count = strlen(rows[i].given);
		struct address addresses[8] = { 0 };
		char order[9] = "";

		for (size_t j = 0; j < count; j++) {
			addresses[j].v6 = rows[i].given[j] >= 'a';
			addresses[j].bytes[3] = (unsigned char)rows[i].given[j];
		}
		addresses_interleave(addresses, count);
		for (size_t j = 0; j < count; j++)
			order[j] = (char)addresses[j].bytes[3];
		assert_string_equal(order, rows[i].order);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_lowest_priority_comes_first),
		cmocka_unit_test(weights_choose_as_the_rfc_says),
		cmocka_unit_test(the_share_of_a_target_follows_its_weight),
		cmocka_unit_test(without_weights_all_have_the_same_chance),
		cmocka_unit_test(sorting_keeps_each_record_once),
		cmocka_unit_test(a_lone_root_says_no_service),
		cmocka_unit_test(families_alternate_from_ipv6_on),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
