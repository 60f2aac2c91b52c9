#include "admin/metrics.h"

#include "admin/status.h"
#include "base/alloc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static char *metrics_of(const char *json)
{
	json_t *status = json_loads(json, 0, NULL);
	char *text;

	assert_non_null(status);
	text = metrics_text(status);
	json_decref(status);
	return text;
}

static const struct {
	const char *status, *sample;
} rows[] = {
	{ "{\"node\":{\"name\":\"edge-a\",\"role\":\"edge\"},\"release\":\"0.1.0\"}",
	  "sallyport_build_info{node=\"edge-a\",role=\"edge\",version=\"0.1.0\"} 1" },
	{ "{\"wrong\":[]}", "sallyport_well 1" },
	{ "{\"wrong\":[\"link down\"]}", "sallyport_well 0" },
	{ "{\"silent\":[{\"process\":\"traffic\",\"why\":\"is not there\"}]}",
	  "sallyport_process_answers{process=\"traffic\"} 0" },
	{ "{}", "sallyport_process_answers{process=\"control\"} 1" },
	{ "{\"counters\":{\"stanzas.in\":7}}",
	  "sallyport_world_stanzas_total{direction=\"in\"} 7" },
	{ "{\"counters\":{\"stanzas.written\":7}}",
	  "sallyport_stanza_fates_total{fate=\"written\"} 7" },
	{ "{\"counters\":{\"stanzas.taken\":7}}", "sallyport_stanzas_taken_total 7" },
	{ "{\"counters\":{\"stanzas.open\":7}}", "sallyport_stanzas_open 7" },
	{ "{\"counters\":{\"bounces.tcp-timeout\":2}}",
	  "sallyport_bounces_total{cause=\"tcp-timeout\"} 2" },
	{ "{\"counters\":{\"setups.out.failed.tcp-refused\":3}}",
	  "sallyport_stream_setups_total{direction=\"out\",result=\"tcp-refused\"} 3" },
	{ "{\"counters\":{\"setups.in.ready\":3}}",
	  "sallyport_stream_setups_total{direction=\"in\",result=\"ready\"} 3" },
	{ "{\"counters\":{\"tls.1.3\":3}}", "sallyport_tls_sessions_total{version=\"1.3\"} 3" },
	{ "{\"counters\":{\"dialback.keys.invalid\":3}}",
	  "sallyport_dialback_keys_total{verdict=\"invalid\"} 3" },
	{ "{\"counters\":{\"moon.phase\":3}}", "sallyport_other_total{name=\"moon.phase\"} 3" },
	{ "{\"processes\":[{\"name\":\"traffic\",\"state\":\"down\",\"starts\":4}]}",
	  "sallyport_process_up{process=\"traffic\"} 0" },
	{ "{\"processes\":[{\"name\":\"traffic\",\"state\":\"down\",\"starts\":4}]}",
	  "sallyport_process_starts_total{process=\"traffic\"} 4" },
	{ "{\"links\":[{\"node\":\"core-a\",\"role\":\"core\",\"state\":\"open\"}]}",
	  "sallyport_link_up{node=\"core-a\",role=\"core\"} 1" },
	{ "{\"tunnels\":[{\"node\":\"core-a\",\"state\":\"up\",\"skew_ms\":-1500}]}",
	  "sallyport_tunnel_clock_skew_seconds{node=\"core-a\"} -1.500" },
	{ "{\"certificates\":[{\"setting\":\"tls.certificate\",\"not_after\":1798117611}]}",
	  "sallyport_certificate_end_timestamp_seconds{setting=\"tls.certificate\"} 1798117611" },
	{ "{\"alarms\":[{\"number\":90001,\"severity\":\"error\",\"title\":\"Link\",\"subject\":"
	  "\"\"}]}",
	  "sallyport_alarm{number=\"90001\",severity=\"error\",title=\"Link\",subject=\"\"} 1" },
	{ "{\"alarms\":[{\"number\":90001,\"severity\":\"error\"}]}",
	  "sallyport_alarms{severity=\"error\"} 1" },
	{ "{}", "sallyport_alarms{severity=\"critical\"} 0" },
	{ "{\"streams\":[{\"direction\":\"in\",\"state\":\"ready\",\"tls\":\"TLSv1.3\","
	  "\"auth\":\"dialback\"},{\"direction\":\"in\",\"state\":\"ready\",\"tls\":\"TLSv1.3\","
	  "\"auth\":\"dialback\"}]}",
	  "sallyport_streams{direction=\"in\",state=\"ready\",tls=\"TLSv1.3\",auth=\"dialback\"} "
	  "2" },
	{ "{\"peers\":[{\"domain\":\"a\",\"failure\":\"\"},{\"domain\":\"b\",\"failure\":\"tls\"}]"
	  "}",
	  "sallyport_domains_failing{failure=\"tls\"} 1" },
	{ "{\"queues\":[{\"stanzas\":2,\"bytes\":10,\"oldest_seconds\":4},"
	  "{\"stanzas\":3,\"bytes\":5,\"oldest_seconds\":1}]}",
	  "sallyport_queue_stanzas 5" },
	{ "{\"queues\":[{\"oldest_seconds\":4},{\"oldest_seconds\":1}]}",
	  "sallyport_queue_oldest_seconds 4" },
	{ "{\"histograms\":[{\"name\":\"setup_out\",\"le\":\"1\",\"count\":3}]}",
	  "sallyport_stream_setup_seconds_bucket{direction=\"out\",le=\"1.0\"} 3" },
	{ "{\"histograms\":[{\"name\":\"latency\",\"le\":\"+Inf\",\"count\":3}]}",
	  "sallyport_stanza_latency_seconds_count 3" },
	{ "{\"histograms\":[{\"name\":\"latency\",\"le\":\"sum\",\"count\":1500}]}",
	  "sallyport_stanza_latency_seconds_sum 0.001500" },
};

static void what_the_status_says_is_a_sample(void **state)
{
	for (size_t i = 0; i < nitems(rows); i++) {
		char *text = metrics_of(rows[i].status),
		     *line = xasprintf("\n%s\n", rows[i].sample);

		if (!strstr(text, line))
			fail_msg("%s is not in:\n%s", rows[i].sample, text);
		free(line);
		free(text);
	}
}

static void no_set_of_labels_comes_twice(void **state)
{
	char *text = metrics_of("{\"links\":[{\"node\":\"a\",\"role\":\"core\",\"state\":\"open\"},"
				"{\"node\":\"a\",\"role\":\"core\",\"state\":\"down\"}]}");
	char *first = strstr(text, "\nsallyport_link_up{");

	assert_non_null(first);
	assert_null(strstr(first + 1, "\nsallyport_link_up{"));
	free(text);
}

static void what_others_wrote_stays_within_its_label(void **state)
{
	char *text = metrics_of("{\"alarms\":[{\"number\":1,\"severity\":\"error\",\"title\":\"t\","
				"\"subject\":\"a\\\"} 7\\nsallyport_well 1\\\\\\u001b\"}]}");

	assert_non_null(strstr(text, "subject=\"a\\\"} 7\\nsallyport_well 1\\\\?\"} 1\n"));
	free(text);
}

static void however_many_kinds_are_told_there_are_few_samples(void **state)
{
	json_t *status = status_begin();
	size_t count = 0;
	char *text;

	for (int i = 0; i < 3000; i++)
		json_array_append_new(json_object_get(status, "streams"),
				      json_pack("{s:o}", "state", json_sprintf("state-%d", i)));
	text = metrics_text(status);
	for (const char *at = text; (at = strstr(at, "\nsallyport_streams{")); at++)
		count++;
	assert_in_range(count, 100, 1000);
	free(text);
	json_decref(status);
}

static void an_empty_status_has_every_name_and_an_end(void **state)
{
	json_t *status = status_begin();
	char *text = metrics_text(status), *end = strstr(text, "# EOF\n");

	assert_non_null(end);
	assert_string_equal(end, "# EOF\n");
	assert_non_null(strstr(text, "# TYPE sallyport_stanza_latency_seconds histogram\n"));
	assert_non_null(strstr(text, "# TYPE sallyport_bounces counter\n"));
	json_decref(status);
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_the_status_says_is_a_sample),
		cmocka_unit_test(no_set_of_labels_comes_twice),
		cmocka_unit_test(what_others_wrote_stays_within_its_label),
		cmocka_unit_test(however_many_kinds_are_told_there_are_few_samples),
		cmocka_unit_test(an_empty_status_has_every_name_and_an_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
