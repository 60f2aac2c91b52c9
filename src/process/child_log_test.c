#include "process/child_log.h"

#include "base/alloc.h"
#include "base/log.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#define OURS(process)                                                                              \
	"2026-11-24T12:00:00.123456+00:00 edge-a " process                                         \
	"[7]: Module=\"m\" Level=\"INFO\" CodeLocation=\"x.y\" Detail=\"a\""

static bool hear(void *arg, struct slice line)
{
	buffer_append_slice(arg, line);
	buffer_append_text(arg, "\n");
	return true;
}

/* What the log has of it when a child wrote that; the caller's. */
static char *forwarded(const char *written)
{
	struct loop *loop = loop_create();
	struct buffer heard = { 0 };
	struct child_log log;
	int ends[2];

	assert_int_equal(pipe2(ends, O_NONBLOCK | O_CLOEXEC), 0);
	log_divert(hear, &heard);
	child_log_open(&log, loop, PROCESS_TRAFFIC, ends[0], NULL, NULL);
	assert_int_equal(write(ends[1], written, strlen(written)), strlen(written));
	close(ends[1]);
	child_log_close(&log);
	log_divert(NULL, NULL);
	loop_destroy(&loop);
	return buffer_take_text(&heard);
}

static void its_own_lines_are_forwarded_as_they_are(void **state)
{
	char *text = forwarded(OURS("sallyport-traffic") "\n" OURS("sallyport-traffic") "\n");

	assert_string_equal(text, OURS("sallyport-traffic") "\n" OURS("sallyport-traffic") "\n");
	free(text);
}

static void it_cannot_speak_for_another(void **state)
{
	static const char *const others[] = { OURS("sallyportd"), OURS("sallyport-manage"),
					      OURS("sallyport-traffic2"), "abort: no reason" };

	for (size_t i = 0; i < nitems(others); i++) {
		char *text = forwarded(others[i]);

		assert_non_null(strstr(text, "CodeLocation=\"process.said\" "
					     "Detail=\"process=traffic "));
		assert_true(strncmp(text, others[i], 40) != 0);
		assert_ptr_equal(strchr(text, '\n'), text + strlen(text) - 1);
		free(text);
	}
}

static void an_endless_line_is_cut(void **state)
{
	const size_t len = (size_t)3 * LOG_LINE_BYTES;
	char *endless = xmalloc(len + 1), *text;
	size_t lines = 0;

	memset(endless, 'x', len);
	endless[len] = '\0';
	text = forwarded(endless);
	for (const char *at = text; (at = strchr(at, '\n')); at++)
		lines++;
	assert_int_equal(lines, 3);
	free(text);
	free(endless);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(its_own_lines_are_forwarded_as_they_are),
		cmocka_unit_test(it_cannot_speak_for_another),
		cmocka_unit_test(an_endless_line_is_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
