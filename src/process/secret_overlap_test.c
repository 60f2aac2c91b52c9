#include "process/secret_overlap.h"

#include "base/alloc.h"
#include "process/configure_stage.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#define PREVIOUS "federation.dialback_secret_previous"
#define DEADLINE_MS 10000

static int set_up(void **state)
{
	return stage_set_up(state, &role_edge);
}

static struct loop *running; /* until the previous secret is gone, or the deadline */

struct look {
	struct timer timer;
	struct stage *stage;
	bool late;
};

static void on_deadline(struct timer *timer)
{
	((struct look *)timer)->late = true;
	loop_stop(running);
}

static void on_changed(void *arg, unsigned seen_by)
{
	struct look *look = arg;

	if (running && !store_text(look->stage->node.store, PREVIOUS))
		loop_stop(running);
}

/* Whether the previous secret goes within `ms`, for a control that has just started. */
static bool goes_within(struct stage *stage, unsigned ms)
{
	struct look look = { { .fire = on_deadline }, stage, false };
	struct secret_overlap *overlap;

	running = loop_create();
	stage->configure.changed = on_changed;
	stage->configure.arg = &look;
	overlap = secret_overlap_create(running, &stage->configure);
	loop_arm(running, &look.timer, ms);
	loop_run(running);
	loop_disarm(running, &look.timer);
	secret_overlap_destroy(&overlap);
	loop_destroy(&running);
	return !look.late;
}

static void the_previous_secret_goes_when_the_overlap_is_over(void **state)
{
	struct stage *stage = *state;
	char *first = xstrdup(store_text(stage->node.store, "federation.dialback_secret"));

	assert_int_equal(ASK(stage, "set", "federation.dialback_secret_overlap", "1"), 0);
	assert_int_equal(ASK(stage, "set", "federation.dialback_secret", "correct-horse-battery"),
			 0);
	assert_string_equal(store_text(stage->node.store, PREVIOUS), first);
	assert_true(goes_within(stage, DEADLINE_MS));
	assert_null(store_text(stage->node.store, PREVIOUS));
	assert_string_equal(store_text(stage->node.store, "federation.dialback_secret"),
			    "correct-horse-battery");
	assert_true(stage_logged(stage, "xconfiguration " PREVIOUS " - changed from: (set, "));
	assert_false(stage_logged(stage, first));
	assert_int_equal(ASK(stage, "history"), 0);
	assert_non_null(strstr(stage->text, "Z sallyportd: " PREVIOUS " from (set, "));
	assert_null(strstr(stage->text, first));
	free(first);
}

static void before_that_it_stays(void **state)
{
	struct stage *stage = *state;

	assert_int_equal(ASK(stage, "set", "federation.dialback_secret", "correct-horse-battery"),
			 0);
	assert_false(goes_within(stage, 200));
	assert_non_null(store_text(stage->node.store, PREVIOUS));
}

static void it_ends_while_the_node_is_down(void **state)
{
	struct stage *stage = *state;
	char *why = NULL;

	assert_int_equal(ASK(stage, "set", "federation.dialback_secret_overlap", "1"), 0);
	assert_int_equal(ASK(stage, "set", "federation.dialback_secret", "correct-horse-battery"),
			 0);
	node_close(&stage->node);
	sleep(2);
	assert_true(node_open(&stage->node, &stage->bootstrap, &why));
	assert_non_null(store_text(stage->node.store, PREVIOUS));
	assert_true(goes_within(stage, 500));
	assert_null(store_text(stage->node.store, PREVIOUS));
}

static void a_shorter_overlap_ends_it(void **state)
{
	struct stage *stage = *state;

	assert_int_equal(ASK(stage, "set", "federation.dialback_secret", "correct-horse-battery"),
			 0);
	assert_int_equal(ASK(stage, "set", "federation.dialback_secret_overlap", "0"), 0);
	assert_true(goes_within(stage, DEADLINE_MS));
}

static void without_overlap_it_is_never_kept(void **state)
{
	struct stage *stage = *state;

	assert_int_equal(ASK(stage, "set", "federation.dialback_secret_overlap", "0"), 0);
	assert_int_equal(ASK(stage, "set", "federation.dialback_secret", "correct-horse-battery"),
			 0);
	assert_null(store_text(stage->node.store, PREVIOUS));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, stage_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_previous_secret_goes_when_the_overlap_is_over),
		TEST(before_that_it_stays),
		TEST(it_ends_while_the_node_is_down),
		TEST(a_shorter_overlap_ends_it),
		TEST(without_overlap_it_is_never_kept),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
