#include "admin/throttle.h"

#include "base/alloc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

static const unsigned char key[THROTTLE_KEY_BYTES] = "sixteen letters";
static struct throttle *throttle;

static int set_up(void **state)
{
	throttle = throttle_create(key);
	return 0;
}

static int tear_down(void **state)
{
	throttle_destroy(&throttle);
	return 0;
}

static void the_fifth_failure_in_a_minute_makes_wait_and_each_more_doubles_it(void **state)
{
	static const unsigned waits[] = { 0, 0, 0, 0, 2, 4, 8, 16, 32, 60, 60, 60 };
	uint64_t now = 1000000;

	for (size_t i = 0; i < nitems(waits); i++) {
		throttle_fail(throttle, "anna", now);
		assert_int_equal(throttle_wait_s(throttle, "anna", now), waits[i]);
		now += (uint64_t)waits[i] * 1000;
		assert_int_equal(throttle_wait_s(throttle, "anna", now), 0);
	}
}

static void others_do_not_wait_with_it(void **state)
{
	for (int i = 0; i < 20; i++)
		throttle_fail(throttle, "anna", 5);
	assert_true(throttle_wait_s(throttle, "anna", 5) > 0);
	assert_int_equal(throttle_wait_s(throttle, "192.0.2.1", 5), 0);
}

static void a_quiet_minute_or_a_success_wipes_the_slate(void **state)
{
	for (int i = 0; i < 4; i++)
		throttle_fail(throttle, "anna", 0);
	throttle_fail(throttle, "anna", 60001);
	assert_int_equal(throttle_wait_s(throttle, "anna", 60001), 0);
	for (int i = 0; i < 4; i++)
		throttle_fail(throttle, "anna", 60001);
	assert_int_equal(throttle_wait_s(throttle, "anna", 60001), 2);
	throttle_forget(throttle, "anna");
	assert_int_equal(throttle_wait_s(throttle, "anna", 60001), 0);
	throttle_fail(throttle, "anna", 60001);
	assert_int_equal(throttle_wait_s(throttle, "anna", 60001), 0);
}

static void who_waited_is_not_forgiven_by_having_waited(void **state)
{
	uint64_t now = 0;

	for (int i = 0; i < 12; i++)
		throttle_fail(throttle, "anna", now);
	now += 60000;
	throttle_fail(throttle, "anna", now);
	assert_int_equal(throttle_wait_s(throttle, "anna", now), 60);
}

static void a_flood_of_names_pushes_nobody_out(void **state)
{
	char name[16];

	for (int i = 0; i < 20; i++)
		throttle_fail(throttle, "anna", 0);
	for (int i = 0; i < 100000; i++) {
		snprintf(name, sizeof(name), "x%d", i);
		throttle_fail(throttle, name, 0);
	}
	assert_int_equal(throttle_wait_s(throttle, "anna", 0), 60);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
		TEST(the_fifth_failure_in_a_minute_makes_wait_and_each_more_doubles_it),
		TEST(others_do_not_wait_with_it),
		TEST(a_quiet_minute_or_a_success_wipes_the_slate),
		TEST(who_waited_is_not_forgiven_by_having_waited),
		TEST(a_flood_of_names_pushes_nobody_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
