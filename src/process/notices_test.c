#include "process/notices.h"

#include "base/alloc.h"
#include "ipc/wire.h"
#include "process/configure.h"
#include "store/notification.h"
#include "tables/events.h"

#include <fcntl.h>
#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#define ROW_A "11111111-1111-1111-1111-111111111111 cm-1_s2scp-1.edge-a"
#define ROW_B "22222222-2222-2222-2222-222222222222 cm-1_s2scp-1.edge-b"
#define A "cm-1_s2scp-1.edge-a"
#define B "cm-1_s2scp-1.edge-b"

struct stage {
	char folder[40];
	struct bootstrap bootstrap;
	struct node node;
	struct notices *notices;
};

static void open_node(struct stage *stage)
{
	char *why = NULL;

	if (!node_open(&stage->node, &stage->bootstrap, &why))
		fail_msg("%s", why);
	stage->notices = notices_create(&stage->node);
}

static void close_node(struct stage *stage)
{
	notices_destroy(&stage->notices);
	node_close(&stage->node);
}

static int set_up(void **state)
{
	struct stage *stage = xcalloc(1, sizeof(*stage));

	strcpy(stage->folder, "/tmp/sallyport-notices-XXXXXX");
	if (!mkdtemp(stage->folder))
		return -1;
	stage->bootstrap = (struct bootstrap){ .role = &role_home,
					       .name = xstrdup("home-a"),
					       .data = xstrdup(stage->folder) };
	open_node(stage);
	*state = stage;
	return 0;
}

static int remove_entry(const char *name, const struct stat *st, int type, struct FTW *at)
{
	return remove(name);
}

static int tear_down(void **state)
{
	struct stage *stage = *state;

	close_node(stage);
	bootstrap_finish(&stage->bootstrap);
	nftw(stage->folder, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
	free(stage);
	return 0;
}

static void set(struct stage *stage, const char *name, const char *const *words, size_t count)
{
	struct store_change change = { .setting = setting_find(name) };
	char *why = NULL;

	if (!setting_read(change.setting, words, count, &change.value, &why) ||
	    !store_change(stage->node.store, "root", &change, 1, &why))
		fail_msg("%s", why);
	setting_value_finish(&change.value);
	notices_changed(stage->notices);
}

#define SET(stage, name, ...)                                                                      \
	set(stage, name, (const char *const[]){ __VA_ARGS__ },                                     \
	    nitems(((const char *const[]){ __VA_ARGS__ })))

static void loads(struct stage *stage, const char *const *rows, size_t count)
{
	struct buffer body = { 0 };

	wire_put_u64(&body, store_revision(stage->node.store));
	wire_put_u16(&body, (uint16_t)count);
	for (size_t i = 0; i < count; i++)
		wire_put_text(&body, rows[i]);
	notices_loaded(stage->notices, (struct slice){ buffer_data(&body), buffer_len(&body) });
	buffer_finish(&body);
}

#define LOADS(stage, ...)                                                                          \
	loads(stage, (const char *const[]){ __VA_ARGS__ },                                         \
	      nitems(((const char *const[]){ __VA_ARGS__ })))

/* The count of the only notification; 0: there is none. */
static int64_t asked(struct stage *stage, int64_t *number)
{
	struct notification *list;
	char *why = NULL;
	int64_t times;
	size_t count;

	assert_true(notification_list(stage->node.store, &list, &count, &why));
	assert_true(count <= 1);
	times = count ? list[0].count : 0;
	if (count && number)
		*number = list[0].number;
	if (count)
		assert_string_equal(
			list[0].description,
			"Cisco XCP Router: (home-a) requires a restart in order for recent "
			"configuration changes to take effect. You can restart this service here. "
			"Once the service is restarted, this notification will be deleted "
			"automatically.");
	notification_forget(list, count);
	return times;
}

static void it_is_raised_by_a_change_and_counts_further_ones(void **state)
{
	struct stage *stage = *state;

	SET(stage, "router.apply", "restart");
	loads(stage, NULL, 0);
	assert_int_equal(asked(stage, NULL), 0);
	SET(stage, "xmpps2snodes", ROW_A);
	assert_int_equal(asked(stage, NULL), 1);
	SET(stage, "limits.depth", "32");
	assert_int_equal(asked(stage, NULL), 1);
	SET(stage, "xmpps2snodes", ROW_A, ROW_B);
	assert_int_equal(asked(stage, NULL), 2);
}

static void it_goes_when_the_router_was_restarted(void **state)
{
	struct stage *stage = *state;

	SET(stage, "router.apply", "restart");
	loads(stage, NULL, 0);
	SET(stage, "xmpps2snodes", ROW_A, ROW_B);
	LOADS(stage, A);
	assert_int_equal(asked(stage, NULL), 1);
	LOADS(stage, B, A);
	assert_int_equal(asked(stage, NULL), 0);
}

static void it_goes_when_the_table_is_again_as_it_was(void **state)
{
	struct stage *stage = *state;

	SET(stage, "router.apply", "restart");
	SET(stage, "xmpps2snodes", ROW_A);
	LOADS(stage, A);
	SET(stage, "xmpps2snodes", ROW_A, ROW_B);
	assert_int_equal(asked(stage, NULL), 1);
	SET(stage, "xmpps2snodes", ROW_A);
	assert_int_equal(asked(stage, NULL), 0);
}

static void nothing_is_raised_where_changes_are_applied_at_once(void **state)
{
	struct stage *stage = *state;

	loads(stage, NULL, 0);
	SET(stage, "xmpps2snodes", ROW_A);
	assert_int_equal(asked(stage, NULL), 0);
}

static void deleted_by_hand_it_comes_again_by_a_further_change_only(void **state)
{
	struct stage *stage = *state;
	char *why = NULL, text[24];
	int64_t number;

	SET(stage, "router.apply", "restart");
	loads(stage, NULL, 0);
	SET(stage, "xmpps2snodes", ROW_A);
	assert_int_equal(asked(stage, &number), 1);
	snprintf(text, sizeof(text), "%d", (int)number);
	assert_true(notices_delete(stage->notices, text, &why));
	SET(stage, "limits.depth", "32");
	loads(stage, NULL, 0);
	assert_int_equal(asked(stage, NULL), 0);
	assert_false(notices_delete(stage->notices, text, &why));
	assert_non_null(strstr(why, "no such notification"));
	free(why);
	SET(stage, "xmpps2snodes", ROW_A, ROW_B);
	assert_int_equal(asked(stage, NULL), 1);
}

static void a_number_that_is_none_deletes_nothing(void **state)
{
	static const char *const numbers[] = { "", "x", "1x", "-1", "0", "99999999999999999999" };
	struct stage *stage = *state;

	SET(stage, "router.apply", "restart");
	loads(stage, NULL, 0);
	SET(stage, "xmpps2snodes", ROW_A);
	for (size_t i = 0; i < nitems(numbers); i++) {
		char *why = NULL;

		assert_false(notices_delete(stage->notices, numbers[i], &why));
		free(why);
	}
	assert_int_equal(asked(stage, NULL), 1);
}

static void it_survives_a_restart_of_control_until_traffic_has_told(void **state)
{
	struct stage *stage = *state;

	SET(stage, "router.apply", "restart");
	loads(stage, NULL, 0);
	SET(stage, "xmpps2snodes", ROW_A);
	close_node(stage);
	open_node(stage);
	assert_int_equal(asked(stage, NULL), 1);
	loads(stage, NULL, 0);
	assert_int_equal(asked(stage, NULL), 1);
	LOADS(stage, A);
	assert_int_equal(asked(stage, NULL), 0);
}

static void a_change_before_traffic_has_told_counts(void **state)
{
	struct stage *stage = *state;

	SET(stage, "router.apply", "restart");
	SET(stage, "xmpps2snodes", ROW_A);
	assert_int_equal(asked(stage, NULL), 0);
	loads(stage, NULL, 0);
	assert_int_equal(asked(stage, NULL), 1);
	loads(stage, NULL, 0);
	assert_int_equal(asked(stage, NULL), 1);
}

static void what_cannot_be_read_changes_nothing(void **state)
{
	static const char many[] = "\0\0\0\0\0\0\0\1\377\377";
	struct stage *stage = *state;

	SET(stage, "router.apply", "restart");
	loads(stage, NULL, 0);
	SET(stage, "xmpps2snodes", ROW_A);
	notices_loaded(stage->notices, slice_of(""));
	notices_loaded(stage->notices, (struct slice){ many, 10 });
	notices_loaded(stage->notices, (struct slice){ "\0\0\0\0\0\0\0\1\0\1\0\0\0\4cm", 16 });
	assert_int_equal(asked(stage, NULL), 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(it_is_raised_by_a_change_and_counts_further_ones),
		TEST(it_goes_when_the_router_was_restarted),
		TEST(it_goes_when_the_table_is_again_as_it_was),
		TEST(nothing_is_raised_where_changes_are_applied_at_once),
		TEST(deleted_by_hand_it_comes_again_by_a_further_change_only),
		TEST(a_number_that_is_none_deletes_nothing),
		TEST(it_survives_a_restart_of_control_until_traffic_has_told),
		TEST(a_change_before_traffic_has_told_counts),
		TEST(what_cannot_be_read_changes_nothing),
	};

	log_to(open("/dev/null", O_WRONLY | O_CLOEXEC));
	return cmocka_run_group_tests(tests, NULL, NULL);
}
