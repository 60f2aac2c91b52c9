#include "process/log_terms.h"

#include "base/alloc.h"
#include "ipc/snapshot.h"
#include "process/configure_stage.h"
#include "tables/events.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#define DEADLINE_MS 10000

/* The calendar, which somebody may set; ours comes before the C library's. */
static int64_t calendar_off_s;

time_t time(time_t *into)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	now.tv_sec += calendar_off_s;
	if (into)
		*into = now.tv_sec;
	return now.tv_sec;
}

static int set_up(void **state)
{
	calendar_off_s = 0;
	return stage_set_up(state, &role_edge);
}

/* The rows of a setting, with bars between them; until as + and the seconds from now on. */
static const char *rows(const struct stage *stage, const char *name)
{
	static char text[2048];
	const struct setting *setting = setting_find(name);
	const struct setting_value *value = store_value(stage->node.store, setting);
	size_t until_place = strcmp(name, "log.levels") == 0 ? 2 : 1;
	struct slice fields[SETTING_FIELDS_MAX];

	text[0] = '\0';
	for (size_t i = 0; i < value->count; i++) {
		size_t count = setting_split(setting, value->entries[i], fields);

		for (size_t f = 0; f < count; f++) {
			long long left = strtoll(fields[f].data, NULL, 10) - (long long)time(NULL);
			size_t used = strlen(text);

			if (f == until_place) /* a second may have passed, or two */
				snprintf(text + used, sizeof(text) - used, " +%lld",
					 (left + 5) / 10 * 10);
			else
				snprintf(text + used, sizeof(text) - used, "%s%.*s",
					 f   ? " "
					 : i ? "|"
					     : "",
					 SLICE_ARGS(fields[f]));
		}
	}
	return text;
}

static void a_level_is_set_for_a_time(void **state)
{
	struct stage *stage = *state;

	assert_int_equal(ASK(stage, "log-level", "network.dns", "debug"), 0);
	assert_string_equal(rows(stage, "log.levels"), "network.dns debug +3600");
	assert_non_null(strstr(stage->text, "network.dns: DEBUG, until 2"));
	assert_true(stage_logged(stage, "CodeLocation=\"log.level\" Detail=\"module=network.dns "
					"level=DEBUG until=2"));
	assert_int_equal(ASK(stage, "log-level", "network.dns", "ERROR", "for=60"), 0);
	assert_string_equal(rows(stage, "log.levels"), "network.dns error +60");
}

static void for_good_it_stays_and_the_usual_level_needs_no_row(void **state)
{
	struct stage *stage = *state;

	assert_int_equal(ASK(stage, "log-level", "network.dns", "debug", "for=0"), 0);
	assert_string_equal(rows(stage, "log.levels"), "network.dns debug");
	assert_string_equal(stage->text, "network.dns: DEBUG, for good\n");
	assert_int_equal(ASK(stage, "log-level", "network.dns", "info", "for=0"), 0);
	assert_string_equal(rows(stage, "log.levels"), "");
}

static void all_modules_are_set_at_once_as_one_revision(void **state)
{
	struct stage *stage = *state;
	uint64_t before = store_revision(stage->node.store);

	assert_int_equal(ASK(stage, "log-level", "all", "debug", "for=600"), 0);
	assert_int_equal(store_revision(stage->node.store), before + 1);
	assert_non_null(strstr(rows(stage, "log.levels"), "|XMPPFederation debug +600|"));
	assert_int_equal(store_value(stage->node.store, setting_find("log.levels"))->count,
			 EVENT_MODULE_COUNT);
}

static void what_cannot_be_is_refused_with_why(void **state)
{
	static const char *const wrong[][4] = {
		{ "log-level", "network.tea", "debug", NULL },
		{ "log-level", "network.dns", "loud", NULL },
		{ "log-level", "network.dns", "debug", "for=soon" },
		{ "log-level", "network.dns", "debug", "600" },
		{ "log-level", "network.dns", "debug", "for=2592001" },
		{ "log-stanzas", "b.example", "for=3601", NULL },
		{ "log-stanzas", "b.example", "for=0", NULL },
		{ "log-stanzas", "no domain", NULL, NULL },
	};
	static const char *const whys[] = {
		"no such module",	  "not error, warn", "not for=SECONDS, 2592000",
		"not for=SECONDS",	  "not for=SECONDS", "not for=SECONDS, 3600 at most",
		"for a time only; `off`", "log.stanzas: ",
	};
	struct stage *stage = *state;

	for (size_t i = 0; i < nitems(wrong); i++) {
		assert_int_equal(ASK(stage, wrong[i][0], wrong[i][1], wrong[i][2], wrong[i][3]), 1);
		assert_non_null(strstr(stage->text, whys[i]));
	}
	assert_string_equal(rows(stage, "log.levels"), "");
	assert_string_equal(rows(stage, "log.stanzas"), "");
}

static void stanzas_of_a_domain_are_logged_for_a_time(void **state)
{
	struct stage *stage = *state;

	assert_int_equal(ASK(stage, "log-stanzas", "b.example"), 0);
	assert_string_equal(rows(stage, "log.stanzas"), "b.example +600");
	assert_int_equal(stage->changed, SEEN_BY_TRAFFIC);
	assert_true(stage_logged(stage, "stanzas=on domain=b.example until=2"));
	assert_int_equal(ASK(stage, "log-stanzas", "c.example", "for=60"), 0);
	assert_string_equal(rows(stage, "log.stanzas"), "b.example +600|c.example +60");
	assert_int_equal(ASK(stage, "log-stanzas", "off"), 0);
	assert_string_equal(rows(stage, "log.stanzas"), "");
	assert_true(stage_logged(stage, "stanzas=off by=\\\"root\\\""));
}

static struct loop *running; /* until nothing has an end any more, or the deadline */
static struct log_terms *terms;
static unsigned told; /* who was told of changes meanwhile */

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
	const struct look *look = arg;

	told |= seen_by;
	if (running && !strchr(rows(look->stage, "log.levels"), '+') &&
	    !strchr(rows(look->stage, "log.stanzas"), '+'))
		loop_stop(running);
}

#define DURING_MS 200

/* Whether all has ended within `ms`, for a control that has just started; `during` fires after its
 * first look. */
static bool ends_with(struct stage *stage, unsigned ms, struct timer *during)
{
	struct look look = { { .fire = on_deadline }, stage, false };

	told = 0;
	running = loop_create();
	loop_arm(running, during, DURING_MS);
	stage->configure.changed = on_changed;
	stage->configure.arg = &look;
	terms = log_terms_create(running, &stage->configure);
	loop_arm(running, &look.timer, ms);
	loop_run(running);
	loop_disarm(running, &look.timer);
	loop_disarm(running, during);
	log_terms_destroy(&terms);
	loop_destroy(&running);
	return !look.late;
}

static void nothing_happens(struct timer *timer)
{
}

static bool ends_within(struct stage *stage, unsigned ms)
{
	struct timer nothing = { .fire = nothing_happens };

	return ends_with(stage, ms, &nothing);
}

static void it_ends_on_time_by_the_timer(void **state)
{
	struct stage *stage = *state;

	assert_int_equal(ASK(stage, "log-level", "network.dns", "debug", "for=1"), 0);
	assert_int_equal(ASK(stage, "log-stanzas", "b.example", "for=2"), 0);
	assert_true(ends_within(stage, DEADLINE_MS));
	assert_string_equal(rows(stage, "log.levels"), "");
	assert_string_equal(rows(stage, "log.stanzas"), "");
	assert_true(stage_logged(stage, "module=network.dns level=INFO by=\\\"timer\\\""));
	assert_true(stage_logged(stage, "stanzas=off domain=b.example by=\\\"timer\\\""));
	assert_int_equal(ASK(stage, "history"), 0);
	assert_non_null(strstr(stage->text, "Z timer: log.levels from "));
}

static void it_ends_while_the_node_is_down(void **state)
{
	struct stage *stage = *state;
	char *why = NULL;

	assert_int_equal(ASK(stage, "log-level", "all", "debug", "for=1"), 0);
	node_close(&stage->node);
	sleep(2);
	assert_true(node_open(&stage->node, &stage->bootstrap, &why));
	assert_true(ends_within(stage, 500));
	assert_string_equal(rows(stage, "log.levels"), "");
}

static void before_that_it_stays(void **state)
{
	struct stage *stage = *state;

	assert_int_equal(ASK(stage, "log-level", "network.dns", "debug", "for=60"), 0);
	assert_int_equal(ASK(stage, "log-stanzas", "b.example", "for=60"), 0);
	assert_false(ends_within(stage, 300));
	assert_string_equal(rows(stage, "log.levels"), "network.dns debug +60");
	assert_string_equal(rows(stage, "log.stanzas"), "b.example +60");
}

static void afterwards_it_is_what_it_was_for_good(void **state)
{
	struct stage *stage = *state;

	assert_int_equal(ASK(stage, "set", "log.levels", "network.dns warn", "network.axl debug"),
			 0);
	assert_int_equal(ASK(stage, "log-level", "network.dns", "debug", "for=60"), 0);
	assert_string_equal(rows(stage, "log.levels"),
			    "network.dns debug +60 warn|network.axl debug");
	assert_int_equal(ASK(stage, "log-level", "network.dns", "error", "for=1"), 0);
	assert_true(ends_within(stage, DEADLINE_MS));
	assert_string_equal(rows(stage, "log.levels"), "network.dns warn|network.axl debug");
}

static void what_was_set_by_hand_with_an_end_ends_too(void **state)
{
	struct stage *stage = *state;

	assert_int_equal(ASK(stage, "set", "log.levels", "network.dns debug 1",
			     "network.axl debug 1 error", "network.link warn"),
			 0);
	assert_true(ends_within(stage, 500));
	assert_string_equal(rows(stage, "log.levels"), "network.axl error|network.link warn");
}

static void set_clock_back(struct timer *timer)
{
	calendar_off_s = -86400;
}

static void a_clock_that_is_set_back_makes_nothing_last_longer(void **state)
{
	struct stage *stage = *state;
	struct timer setting = { .fire = set_clock_back };

	assert_int_equal(ASK(stage, "log-level", "network.dns", "debug", "for=1"), 0);
	assert_int_equal(ASK(stage, "log-stanzas", "b.example", "for=1"), 0);
	assert_true(ends_with(stage, DEADLINE_MS, &setting));
	assert_string_equal(rows(stage, "log.levels"), "");
	assert_string_equal(rows(stage, "log.stanzas"), "");
}

/* Nothing can be written, as if the disk were full. */
static void fill_disk(bool full)
{
	struct rlimit bytes;

	signal(SIGXFSZ, full ? SIG_IGN : SIG_DFL);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &bytes), 0);
	bytes.rlim_cur = full ? 0 : bytes.rlim_max;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &bytes), 0);
}

static void look_at_levels(struct timer *timer)
{
	struct buffer out = { 0 };
	char *lines;

	snapshot_begin(&out, 0, 0);
	log_terms_levels(terms, &out);
	lines = stage_lines((struct slice){ buffer_data(&out), buffer_len(&out) });
	assert_string_equal(lines, "\nlog.levels|network.dns|warn\n");
	free(lines);
	buffer_finish(&out);
}

static void where_the_disk_is_full_a_level_ends_all_the_same(void **state)
{
	struct stage *stage = *state;
	struct timer looking = { .fire = look_at_levels };

	assert_int_equal(
		ASK(stage, "set", "log.levels", "network.dns debug 1 warn", "network.axl debug"),
		0);
	fill_disk(true);
	assert_false(ends_with(stage, 2 * DURING_MS, &looking));
	fill_disk(false);
	assert_int_equal(told, SEEN_BY_TRAFFIC | SEEN_BY_MANAGE | SEEN_BY_RESOLVER);
	assert_true(ends_within(stage, 500));
	assert_string_equal(rows(stage, "log.levels"), "network.dns warn|network.axl debug");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, stage_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_level_is_set_for_a_time),
		TEST(for_good_it_stays_and_the_usual_level_needs_no_row),
		TEST(all_modules_are_set_at_once_as_one_revision),
		TEST(what_cannot_be_is_refused_with_why),
		TEST(stanzas_of_a_domain_are_logged_for_a_time),
		TEST(it_ends_on_time_by_the_timer),
		TEST(it_ends_while_the_node_is_down),
		TEST(before_that_it_stays),
		TEST(afterwards_it_is_what_it_was_for_good),
		TEST(what_was_set_by_hand_with_an_end_ends_too),
		TEST(a_clock_that_is_set_back_makes_nothing_last_longer),
		TEST(where_the_disk_is_full_a_level_ends_all_the_same),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
