#include "process/capture_job.h"

#include "base/alloc.h"
#include "ipc/wire.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

static const struct capture_job sample = {
	.interface = "any",
	.packets = 100000,
	.bytes = 67108864,
	.snap = CAPTURE_SNAP_MAX,
	.seconds = 600,
	.ports_count = 2,
	.ports = { 5269, 7400 },
};

static bool reads(struct buffer *body, struct capture_job *job)
{
	return capture_job_get((struct slice){ buffer_data(body), buffer_len(body) }, job);
}

static void a_job_comes_out_as_it_went_in(void **state)
{
	struct buffer body = { 0 };
	struct capture_job job;

	capture_job_put(&body, &sample);
	assert_true(reads(&body, &job));
	assert_string_equal(job.interface, "any");
	assert_int_equal(job.packets, 100000);
	assert_int_equal(job.seconds, 600);
	assert_int_equal(job.ports_count, 2);
	assert_int_equal(job.ports[1], 7400);
	buffer_finish(&body);
}

static void a_job_that_is_cut_or_too_long_is_refused(void **state)
{
	struct buffer body = { 0 };
	struct capture_job job;

	capture_job_put(&body, &sample);
	for (size_t len = 0; len < buffer_len(&body); len++)
		assert_false(capture_job_get((struct slice){ buffer_data(&body), len }, &job));
	wire_put_u8(&body, 0);
	assert_false(reads(&body, &job));
	buffer_finish(&body);
}

static void a_name_or_size_out_of_bounds_is_refused(void **state)
{
	static const struct {
		const char *interface;
		uint32_t snap;
	} rows[] = {
		{ "", 100 },   { "sixteen-letters1", 100 },	 { "eth0\n", 100 },
		{ "eth0", 0 }, { "eth0", CAPTURE_SNAP_MAX + 1 },
	};

	for (size_t i = 0; i < nitems(rows); i++) {
		struct buffer body = { 0 };
		struct capture_job job;

		wire_put_text(&body, rows[i].interface);
		wire_put_u64(&body, 1);
		wire_put_u64(&body, 1);
		wire_put_u32(&body, rows[i].snap);
		wire_put_u32(&body, 1);
		wire_put_u16(&body, 0);
		assert_false(reads(&body, &job));
		buffer_finish(&body);
	}
}

static void too_many_ports_are_refused(void **state)
{
	struct buffer body = { 0 };
	struct capture_job job;

	wire_put_text(&body, "eth0");
	wire_put_u64(&body, 1);
	wire_put_u64(&body, 1);
	wire_put_u32(&body, 1);
	wire_put_u32(&body, 1);
	wire_put_u16(&body, CAPTURE_PORTS_MAX + 1);
	for (int i = 0; i <= CAPTURE_PORTS_MAX; i++)
		wire_put_u16(&body, 1);
	assert_false(reads(&body, &job));
	buffer_finish(&body);
}

static bool reads_report(const struct capture_report *report, struct capture_report *read)
{
	struct buffer body = { 0 };
	bool done;

	capture_report_put(&body, report);
	done = capture_report_get((struct slice){ buffer_data(&body), buffer_len(&body) }, read);
	buffer_finish(&body);
	return done;
}

static void a_report_comes_out_as_it_went_in(void **state)
{
	const struct capture_report report = { CAPTURE_ENDED, 12, 3400, 1, 77, "it was ended" };
	struct capture_report read;

	assert_true(reads_report(&report, &read));
	assert_int_equal(read.state, CAPTURE_ENDED);
	assert_int_equal(read.packets, 12);
	assert_int_equal(read.dropped, 1);
	assert_int_equal(read.start, 77);
	assert_string_equal(read.why, "it was ended");
}

/* It comes from a process that hears strangers. */
static void a_report_of_what_cannot_be_is_refused(void **state)
{
	const struct capture_report rows[] = {
		{ CAPTURE_FAILED + 1, 0, 0, 0, 0, "" },
		{ CAPTURE_ENDED, 0, 0, 0, CAPTURE_HEAD_BYTES + 1, "" },
		{ CAPTURE_ENDED, 0, 0, 0, 0, "a\nline" },
	};
	struct capture_report read;

	for (size_t i = 0; i < nitems(rows); i++)
		assert_false(reads_report(&rows[i], &read));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_job_comes_out_as_it_went_in),
		cmocka_unit_test(a_job_that_is_cut_or_too_long_is_refused),
		cmocka_unit_test(a_name_or_size_out_of_bounds_is_refused),
		cmocka_unit_test(too_many_ports_are_refused),
		cmocka_unit_test(a_report_comes_out_as_it_went_in),
		cmocka_unit_test(a_report_of_what_cannot_be_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
