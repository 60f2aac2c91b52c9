#include "xmpp/number_ranges.h"

#include "base/alloc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

static void assert_text(const struct number_ranges *set, const char *text)
{
	struct buffer out = { 0 };
	char *written;

	number_ranges_write(set, &out);
	written = buffer_take_text(&out);
	assert_string_equal(written, text);
	free(written);
}

static void a_text_is_read_only_when_it_is_the_one_text_of_its_set(void **state)
{
	static const struct {
		const char *text;
		bool good;
	} rows[] = {
		{ "7", true },
		{ "0", true },
		{ "500-520 522", true },
		{ "1-2 4 6-18446744073709551615", true },
		{ "18446744073709551615", true },
		{ "", false },
		{ " ", false },
		{ "1 ", false },
		{ " 1", false },
		{ "1  3", false },
		{ "1,3", false },
		{ "-", false },
		{ "1-", false },
		{ "-1", false },
		{ "1--2", false },
		{ "1-2-3", false },
		{ "2-1", false },
		{ "1-1", false },
		{ "1 2", false },
		{ "1-3 4", false },
		{ "1-3 3", false },
		{ "5 1", false },
		{ "01", false },
		{ "+1", false },
		{ "0x1", false },
		{ "18446744073709551616", false },
		{ "99999999999999999999", false },
		{ "18446744073709551615 0", false },
		{ "18446744073709551615 3", false },
	};

	for (size_t i = 0; i < nitems(rows); i++) {
		struct number_ranges set = { 0 };

		if (number_ranges_read(&set, slice_of(rows[i].text)) != rows[i].good)
			fail_msg("%s", rows[i].text);
		assert_text(&set, rows[i].good ? rows[i].text : "");
		number_ranges_finish(&set);
	}
	assert_false(number_ranges_read(&(struct number_ranges){ 0 }, (struct slice){ NULL, 0 }));
}

static void a_text_has_no_more_ranges_than_the_limit(void **state)
{
	for (unsigned count = NUMBER_RANGES_MAX; count <= NUMBER_RANGES_MAX + 1; count++) {
		struct number_ranges set = { 0 };
		struct buffer text = { 0 };

		for (unsigned i = 0; i < count; i++)
			buffer_printf(&text, "%s%u", i ? " " : "", 2 * i);
		assert_int_equal(number_ranges_read(&set, (struct slice){ buffer_data(&text),
									  buffer_len(&text) }),
				 count == NUMBER_RANGES_MAX);
		number_ranges_finish(&set);
		buffer_finish(&text);
	}
}

static void numbers_come_and_go_in_any_order(void **state)
{
	enum { NUMBERS = 64 };
	bool model[NUMBERS + 2] = { false };
	struct number_ranges set = { 0 };
	unsigned random = 12345;

	for (int turn = 0; turn < 20000; turn++) {
		unsigned number;

		random = random * 1103515245 + 12345;
		number = 1 + (random >> 8) % NUMBERS;
		model[number] = (random >> 20) % 2;
		if (model[number])
			number_ranges_add(&set, number);
		else
			number_ranges_remove(&set, number);
		for (unsigned i = 0; i < NUMBERS + 2; i++)
			assert_int_equal(number_ranges_has(&set, i), model[i]);
		for (size_t i = 1; i < set.count; i++)
			assert_true(set.items[i].first > set.items[i - 1].last + 1);
	}
	number_ranges_finish(&set);
	assert_null(set.items);
}

static void the_greatest_number_is_a_number_like_others(void **state)
{
	struct number_ranges set = { 0 };

	number_ranges_add(&set, UINT64_MAX);
	number_ranges_add(&set, 0);
	number_ranges_add(&set, UINT64_MAX - 1);
	assert_text(&set, "0 18446744073709551614-18446744073709551615");
	number_ranges_remove(&set, UINT64_MAX);
	number_ranges_remove(&set, 0);
	assert_text(&set, "18446744073709551614");
	number_ranges_finish(&set);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_text_is_read_only_when_it_is_the_one_text_of_its_set),
		cmocka_unit_test(a_text_has_no_more_ranges_than_the_limit),
		cmocka_unit_test(numbers_come_and_go_in_any_order),
		cmocka_unit_test(the_greatest_number_is_a_number_like_others),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
