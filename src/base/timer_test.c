#include "base/timer.h"

#include "base/alloc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

static uint64_t last_due_ms;
static int fired;

static void note(struct timer *timer)
{
	assert_true(timer->due_ms >= last_due_ms);
	assert_false(timer_is_armed(timer));
	last_due_ms = timer->due_ms;
	fired++;
}

static void timers_fire_in_order_and_once(void **state)
{
	struct timers timers = { 0 };
	struct timer all[500] = { 0 };
	int armed = 0;

	srandom(7);
	last_due_ms = 0;
	fired = 0;
	for (size_t i = 0; i < nitems(all); i++) {
		all[i].fire = note;
		timer_arm(&timers, &all[i], (uint64_t)random() % 1000);
	}
	for (size_t i = 0; i < nitems(all); i += 3)
		timer_arm(&timers, &all[i], (uint64_t)random() % 1000); /* moves it */
	for (size_t i = 0; i < nitems(all); i += 5)
		timer_disarm(&timers, &all[i]);
	for (size_t i = 0; i < nitems(all); i++)
		armed += timer_is_armed(&all[i]);
	for (uint64_t now = 0; now <= 1000; now += 7) {
		int64_t sleep_ms = timers_run(&timers, now);

		assert_true(sleep_ms != 0);
	}
	assert_int_equal(timers_run(&timers, 1001), -1);
	assert_int_equal(fired, armed);
	timers_finish(&timers);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(timers_fire_in_order_and_once) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
