#include "admin/lines_json.h"

#include "base/alloc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

static const struct {
	const char *verb, *text, *json;
} rows[] = {
	{ "history",
	  "7 2026-11-24T12:00:00Z root: federation.enabled from off to on\n"
	  "6 2026-11-24T11:00:00Z node core-a: domains from a on to a on from b to c\n"
	  "5 2026-11-24T10:00:00Z root: a.setting.of.old\n"
	  "rubbish\n",
	  "[{\"revision\":7,\"time\":\"2026-11-24T12:00:00Z\",\"author\":\"root\",\"setting\":"
	  "\"federation.enabled\",\"from\":\"off\",\"to\":\"on\"},"
	  "{\"revision\":6,\"time\":\"2026-11-24T11:00:00Z\",\"author\":\"node "
	  "core-a\",\"setting\":"
	  "\"domains\",\"from\":\"a on\",\"to\":\"a on from b to c\"},"
	  "{\"revision\":5,\"time\":\"2026-11-24T10:00:00Z\",\"author\":\"root\",\"setting\":"
	  "\"a.setting.of.old\"}]" },
	{ "history", "", "[]" },
	{ "diff", "- a = 1\n+ a = 2\n~ b: the same entries in another order\n\n- \n",
	  "[{\"change\":\"removed\",\"text\":\"a = 1\"},{\"change\":\"added\",\"text\":\"a = 2\"},"
	  "{\"change\":\"reordered\",\"text\":\"b: the same entries in another order\"}]" },
	{ "node-list", "edge-a edge address=192.0.2.1:7400 pin=ab ssh-pin=cd\ncore-a core\n",
	  "[{\"name\":\"edge-a\",\"role\":\"edge\",\"address\":\"192.0.2.1:7400\",\"pin\":\"ab\","
	  "\"ssh-pin\":\"cd\"},{\"name\":\"core-a\",\"role\":\"core\"}]" },
	{ "node-self", "name = edge-a\nrole = edge\npin = ab\n",
	  "{\"name\":\"edge-a\",\"role\":\"edge\",\"pin\":\"ab\"}" },
};

static void lines_become_data(void **state)
{
	for (size_t i = 0; i < nitems(rows); i++) {
		json_t *data = lines_json(rows[i].verb, slice_of(rows[i].text));
		char *text = json_dumps(data, JSON_COMPACT);

		assert_string_equal(text, rows[i].json);
		free(text);
		json_decref(data);
	}
	assert_null(lines_json("export", slice_of("a = b\n")));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines_become_data),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
