#include "router/watches.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

static void one_target_is_watched_until_its_end_and_no_other(void **state)
{
	struct watches watches = { 0 };

	assert_true(watches_set(&watches, "example.net", 10, 1000));
	assert_true(watches_have(&watches, "example.net"));
	assert_false(watches_have(&watches, "example.com"));
	assert_false(watches_have(&watches, ""));
	assert_int_equal(watches_expire(&watches, 10999), 1);
	assert_true(watches_have(&watches, "example.net"));
	assert_int_equal(watches_expire(&watches, 11000), 0);
	assert_false(watches_have(&watches, "example.net"));
	assert_int_equal(watches.count, 0);
}

static void zero_seconds_end_it_and_again_moves_its_end(void **state)
{
	struct watches watches = { 0 };

	watches_set(&watches, "a.example", 10, 1000);
	watches_set(&watches, "b.example", 20, 1000);
	watches_set(&watches, "a.example", 30, 1000);
	assert_int_equal(watches.count, 2);
	assert_int_equal(watches_expire(&watches, 1000), 20000);
	watches_set(&watches, "b.example", 0, 1000);
	watches_set(&watches, "nobody.example", 0, 1000);
	assert_false(watches_have(&watches, "b.example"));
	assert_int_equal(watches_expire(&watches, 1000), 30000);
}

static void there_are_eight_at_most(void **state)
{
	struct watches watches = { 0 };
	char target[16];

	for (int i = 0; i < WATCHES_MAX; i++) {
		snprintf(target, sizeof(target), "%d.example", i);
		assert_true(watches_set(&watches, target, 10, 1000));
	}
	assert_false(watches_set(&watches, "one-more.example", 10, 1000));
	assert_true(watches_set(&watches, "3.example", 10, 1000));
	watches_set(&watches, "0.example", 0, 1000);
	assert_true(watches_have(&watches, "7.example"));
	assert_true(watches_set(&watches, "one-more.example", 10, 1000));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_target_is_watched_until_its_end_and_no_other),
		cmocka_unit_test(zero_seconds_end_it_and_again_moves_its_end),
		cmocka_unit_test(there_are_eight_at_most),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
