#include "process/diagnostic.h"

#include "base/alloc.h"
#include "ipc/snapshot.h"
#include "tables/events.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

struct stage {
	struct loop *loop;
	struct diagnostic *diagnostic;
	unsigned verbosity, over;
};

static void on_verbosity(void *arg)
{
	((struct stage *)arg)->verbosity++;
}

static void on_over(void *arg)
{
	struct stage *stage = arg;

	stage->over++;
	loop_stop(stage->loop);
}

static void open_stage(struct stage *stage)
{
	*stage = (struct stage){ .loop = loop_create() };
	stage->diagnostic = diagnostic_create(
		&(struct diagnostic_config){ stage->loop, on_verbosity, on_over, stage });
}

static void close_stage(struct stage *stage)
{
	diagnostic_destroy(&stage->diagnostic);
	loop_destroy(&stage->loop);
}

static void start(struct stage *stage, unsigned seconds, const char *author)
{
	const struct diagnostic_wish wish = { .author = author, .seconds = seconds };
	char *why = NULL;

	assert_true(diagnostic_start(stage->diagnostic, &wish, &why));
}

static char *all(struct stage *stage)
{
	struct buffer out = { 0 };
	uint64_t size;
	char *why;

	assert_true(diagnostic_read(stage->diagnostic, 0, &out, &size, &why));
	assert_int_equal(size, buffer_len(&out));
	return buffer_take_text(&out);
}

static bool is_verbose(struct stage *stage)
{
	struct buffer out = { 0 };
	bool verbose;

	diagnostic_levels(stage->diagnostic, &out);
	verbose = buffer_len(&out) != 0;
	buffer_finish(&out);
	return verbose;
}

static void it_has_the_lines_from_its_beginning_to_its_end(void **state)
{
	struct stage stage;
	char *text;

	open_stage(&stage);
	diagnostic_line(stage.diagnostic, slice_of("before"));
	start(&stage, 60, "root");
	assert_true(is_verbose(&stage));
	diagnostic_line(stage.diagnostic, slice_of("one"));
	diagnostic_line(stage.diagnostic, slice_of("two"));
	diagnostic_stop(stage.diagnostic, "root ended it");
	assert_false(is_verbose(&stage));
	diagnostic_line(stage.diagnostic, slice_of("after"));
	text = all(&stage);
	assert_string_equal(text, "one\ntwo\n");
	assert_int_equal(diagnostic_facts(stage.diagnostic).lines, 2);
	assert_int_equal(stage.verbosity, 2);
	assert_int_equal(stage.over, 0); /* who ended it knows */
	free(text);
	close_stage(&stage);
}

static void a_new_one_replaces_the_old(void **state)
{
	struct stage stage;
	char *text;

	open_stage(&stage);
	start(&stage, 60, "root");
	diagnostic_line(stage.diagnostic, slice_of("old"));
	start(&stage, 60, "anna");
	diagnostic_line(stage.diagnostic, slice_of("new"));
	text = all(&stage);
	assert_string_equal(text, "new\n");
	assert_string_equal(diagnostic_facts(stage.diagnostic).author, "anna");
	free(text);
	close_stage(&stage);
}

static void it_ends_when_its_time_is_over(void **state)
{
	struct stage stage;

	open_stage(&stage);
	start(&stage, 1, "root");
	loop_run(stage.loop);
	assert_int_equal(stage.over, 1);
	assert_int_equal(diagnostic_facts(stage.diagnostic).state, DIAGNOSTIC_KEPT);
	assert_false(is_verbose(&stage));
	close_stage(&stage);
}

static void it_ends_when_it_is_full(void **state)
{
	struct stage stage;
	struct slice line = { xcalloc(1, 1 << 16), 1 << 16 };
	struct diagnostic_facts facts;

	open_stage(&stage);
	start(&stage, 60, "root");
	for (int i = 0; i < 1100; i++)
		diagnostic_line(stage.diagnostic, line);
	loop_run(stage.loop); /* not from inside a line */
	facts = diagnostic_facts(stage.diagnostic);
	assert_int_equal(facts.state, DIAGNOSTIC_KEPT);
	assert_int_equal(facts.lines, DIAGNOSTIC_BYTES / (line.len + 1));
	assert_true(facts.bytes <= DIAGNOSTIC_BYTES);
	close_stage(&stage);
	free((void *)(uintptr_t)line.data);
}

static void it_is_read_in_pieces(void **state)
{
	struct stage stage;
	struct buffer out = { 0 };
	struct slice line = { xcalloc(1, 1 << 16), 1 << 16 };
	uint64_t size = 1;
	char *why;

	open_stage(&stage);
	start(&stage, 60, "root");
	for (int i = 0; i < 40; i++)
		diagnostic_line(stage.diagnostic, line);
	while (buffer_len(&out) < size) {
		size_t before = buffer_len(&out);

		assert_true(diagnostic_read(stage.diagnostic, before, &out, &size, &why));
		assert_true(buffer_len(&out) > before);
		assert_true(buffer_len(&out) - before <= DIAGNOSTIC_PIECE_BYTES);
	}
	assert_int_equal(size, 40 * (line.len + 1));
	assert_true(diagnostic_read(stage.diagnostic, size + 5, &out, &size, &why));
	assert_int_equal(buffer_len(&out), size); /* nothing is behind its end */
	buffer_finish(&out);
	close_stage(&stage);
	free((void *)(uintptr_t)line.data);
}

static void without_one_there_is_nothing_to_read_or_to_report(void **state)
{
	struct stage stage;
	struct buffer out = { 0 };
	uint64_t size;
	char *why;

	open_stage(&stage);
	assert_false(diagnostic_read(stage.diagnostic, 0, &out, &size, &why));
	free(why);
	diagnostic_report(stage.diagnostic, &out);
	assert_int_equal(buffer_len(&out), 0);
	start(&stage, 60, "root");
	diagnostic_report(stage.diagnostic, &out);
	assert_int_not_equal(buffer_len(&out), 0);
	buffer_finish(&out);
	close_stage(&stage);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_has_the_lines_from_its_beginning_to_its_end),
		cmocka_unit_test(a_new_one_replaces_the_old),
		cmocka_unit_test(it_ends_when_its_time_is_over),
		cmocka_unit_test(it_ends_when_it_is_full),
		cmocka_unit_test(it_is_read_in_pieces),
		cmocka_unit_test(without_one_there_is_nothing_to_read_or_to_report),
	};

	log_to(open("/dev/null", O_WRONLY | O_CLOEXEC));
	return cmocka_run_group_tests(tests, NULL, NULL);
}
