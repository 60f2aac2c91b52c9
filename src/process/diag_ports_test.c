#include "process/diag_ports.h"

#include "base/alloc.h"
#include "process/configure_stage.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

static char s2s[] = "s2s", links[] = "link", admin[] = "admin", control[] = "control";
static char addresses[][32] = { "192.0.2.1:5299", "[2001:db8::1]:7400", "10.0.0.1:9443",
				"/run/sallyport/control.sock" };
static const struct listeners listeners = {
	.list = { { s2s, addresses[0], PROCESS_TRAFFIC, -1 },
		  { links, addresses[1], PROCESS_TRAFFIC, -1 },
		  { admin, addresses[2], PROCESS_MANAGE, -1 },
		  { control, addresses[3], PROCESS_MANAGE, -1 } },
	.count = 4,
};

/* " 53 5269 ..." */
static char *ports(struct stage *stage, bool plain)
{
	struct capture_job job = { 0 };
	struct buffer text = { 0 };

	diag_ports(&stage->node, &listeners, plain, &job);
	for (size_t i = 0; i < job.ports_count; i++)
		buffer_printf(&text, " %u", job.ports[i]);
	return buffer_take_text(&text);
}

static void has(struct stage *stage, bool plain, const char *wanted)
{
	char *text = ports(stage, plain);

	assert_string_equal(text, wanted);
	free(text);
}

static int set_up_edge(void **state)
{
	return stage_set_up(state, &role_edge);
}

static int set_up_home(void **state)
{
	return stage_set_up(state, &role_home);
}

static void those_listened_on_and_dialled_each_once_but_not_peoples(void **state)
{
	has(*state, false, " 53 5269 5270 5299 7400");
	assert_int_equal(ASK(*state, "set", "federation.static_routes",
			     "example.net 192.0.2.9 5277 1", "example.org 192.0.2.9 5277 1"),
			 0);
	has(*state, false, " 53 5269 5270 5299 7400 5277");
}

static void attachments_only_with_what_passes_in_clear(void **state)
{
	assert_int_equal(ASK(*state, "set", "attachments",
			     "users prosody 10.0.0.5 5347 gateway.a.example secret a.example"),
			 0);
	has(*state, false, " 53 5269 5270 5299 7400");
	has(*state, true, " 53 5269 5270 5299 7400 5347");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			those_listened_on_and_dialled_each_once_but_not_peoples, set_up_edge,
			stage_tear_down),
		cmocka_unit_test_setup_teardown(attachments_only_with_what_passes_in_clear,
						set_up_home, stage_tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
