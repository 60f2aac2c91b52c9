#include "admin/status.h"

#include "base/alloc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static char *brief_of(const char *json)
{
	json_t *status = json_loads(json, 0, NULL);
	char *text;

	assert_non_null(status);
	text = status_brief(status);
	json_decref(status);
	return text;
}

static void a_node_that_is_well_says_so_and_a_line_for_each_part(void **state)
{
	char *text =
		brief_of("{\"verdict\":\"edge-a (edge): up\",\"node\":{\"name\":\"edge-a\","
			 "\"role\":\"edge\"},\"release\":\"0.1.0\",\"revision\":7,\"wrong\":[],"
			 "\"settings\":{\"federation.enabled\":\"on\",\"federation.security_mode\":"
			 "\"tls-required\",\"federation.privacy_mode\":\"off\"},"
			 "\"domains\":[{\"name\":\"a.example\",\"federation\":\"on\"},"
			 "{\"name\":\"b.example\",\"federation\":\"off\"}],"
			 "\"processes\":[{\"name\":\"control\",\"state\":\"running\"},"
			 "{\"name\":\"traffic\",\"state\":\"running\"}],"
			 "\"links\":[{\"node\":\"core-a\",\"state\":\"open\"}],\"tunnels\":[],"
			 "\"streams\":[{\"direction\":\"in\",\"tls\":\"TLSv1.3\"},"
			 "{\"direction\":\"out\",\"tls\":\"-\"}],\"queues\":[],\"alarms\":[],"
			 "\"counters\":{\"stanzas.taken\":12,\"stanzas.written\":11,"
			 "\"stanzas.refused\":0}}");

	assert_string_equal(text,
			    "edge-a (edge): up\n"
			    "federation    on; 1 domain federated; tls-required; privacy mode "
			    "off\n"
			    "processes     2 of 2 running: control, traffic\n"
			    "links         1 of 1 open: core-a\n"
			    "streams       2 with the world: 1 in, 1 out; 1 with TLS\n"
			    "queues        nothing waits\n"
			    "stanzas       12 taken, 11 written\n"
			    "alarms        none\n"
			    "settings      revision 7; release 0.1.0\n");
	free(text);
}

static void what_is_not_well_comes_first_in_its_line(void **state)
{
	char *text = brief_of("{\"verdict\":\"core-a (core): link to edge-b is down\","
			      "\"node\":{\"role\":\"core\"},\"wrong\":[\"x\"],\"links\":["
			      "{\"node\":\"edge-a\",\"state\":\"open\"},"
			      "{\"node\":\"edge-b\",\"state\":\"down\"}],"
			      "\"queues\":[{\"stanzas\":3,\"oldest_seconds\":61}],"
			      "\"alarms\":[{\"severity\":\"error\"},{\"severity\":\"warning\"},"
			      "{\"severity\":\"warning\"}]}");

	assert_non_null(strstr(text, "links         1 of 2 open: edge-b is down, edge-a\n"));
	assert_non_null(strstr(
		text, "alarms        1 error, 2 warnings; sallyport alarms says what helps\n"));
	assert_null(strstr(text, "queues")); /* a core has none with the world */
	free(text);
}

static void what_traffic_alone_knows_is_not_made_up(void **state)
{
	char *text = brief_of("{\"verdict\":\"v\",\"node\":{\"role\":\"edge\"},\"silent\":["
			      "{\"process\":\"traffic\"}]}");

	assert_non_null(strstr(text, "streams       not known\nqueues        not known\n"
				     "stanzas       not known\n"));
	free(text);
}

static json_t *many(const char *row, size_t count)
{
	json_t *list = json_array();

	for (size_t i = 0; i < count; i++)
		json_array_append_new(list, json_loads(row, JSON_DECODE_ANY, NULL));
	return list;
}

/* Columns as a terminal counts them. */
static size_t columns(const char *line, size_t len)
{
	size_t count = 0;

	for (size_t i = 0; i < len; i++)
		count += ((unsigned char)line[i] & 0xc0) != 0x80;
	return count;
}

static void however_bad_it_is_it_fits_on_a_screen(void **state)
{
	static const char longest[] =
		"\"a very long sentence about something that went wrong with a "
		"domain of the world \\u00fc\\u00fc\\u001b[2J and some more\"";
	json_t *status = status_begin(), *others = json_object();
	size_t rows = 0;
	char *text;

	for (int i = 0; i < 40; i++) {
		char node[16];

		snprintf(node, sizeof(node), "node-%d", i);
		json_object_set_new(
			others, node,
			json_pack("{s:o}", "alarms",
				  many("{\"number\":1,\"title\":\"Something with a long "
				       "title, a very long one, as it happens, longer "
				       "than the line\"}",
				       30)));
	}
	json_object_set_new(status, "others", others);
	json_object_set_new(status, "verdict",
			    json_sprintf("edge-a (edge): %0300d and 39 more", 7));
	json_object_set_new(status, "wrong", many(longest, 40));
	json_object_set_new(status, "warnings", many(longest, 40));
	json_object_set_new(status, "node", json_pack("{s:s}", "role", "edge"));
	json_object_set_new(status, "links", many("{\"node\":\"core-a\",\"state\":\"down\"}", 99));
	json_object_set_new(status, "tunnels", many("{\"node\":\"core\",\"state\":\"down\"}", 99));
	json_object_set_new(status, "attachments", many("{\"name\":\"u\",\"state\":\"up\"}", 99));
	json_object_set_new(status, "processes", many("{\"name\":\"p\",\"state\":\"up\"}", 9));
	json_object_set_new(status, "home_servers", many("{\"name\":\"h\",\"state\":\"x\"}", 99));
	text = status_brief(status);
	for (char *line = text; *line;) {
		size_t len = strcspn(line, "\n"), width = columns(line, len);

		rows += width > 80 ? 2 : 1;
		assert_true(width <= 160);
		assert_null(memchr(line, 0x1b, len));
		line += len + 1;
	}
	assert_in_range(rows, 20, 23); /* and the prompt */
	free(text);
	json_decref(status);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_node_that_is_well_says_so_and_a_line_for_each_part),
		cmocka_unit_test(what_is_not_well_comes_first_in_its_line),
		cmocka_unit_test(what_traffic_alone_knows_is_not_made_up),
		cmocka_unit_test(however_bad_it_is_it_fits_on_a_screen),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
