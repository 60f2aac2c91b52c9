#include "admin/event_line.h"

#include "base/alloc.h"
#include "base/log.h"
#include "base/log_escape.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#define HEAD "2026-11-24T12:00:00.123456+00:00 edge-a sallyport-traffic[123]: "
#define FACTS "Module=\"XMPPFederation\" Level=\"INFO\" "
#define LINE(detail) HEAD FACTS "CodeLocation=\"s2s.out.ready\" Detail=\"" detail "\""

static struct event_line event;

static bool reads(const char *line)
{
	return event_line_read(&event, slice_of(line));
}

static bool is(struct slice given, const char *wanted)
{
	return slice_equals(given, slice_of(wanted));
}

static void a_line_is_read_back_whole(void **state)
{
	assert_true(reads(LINE("xcoder=34A9B60C8 local=coluc.com peer=vngtp.lab tls=1.3")));
	assert_true(is(event.time, "2026-11-24T12:00:00.123456+00:00"));
	assert_int_equal(event.unix_us, 1795521600123456);
	assert_true(is(event.node, "edge-a"));
	assert_true(is(event.process, "sallyport-traffic"));
	assert_int_equal(event.pid, 123);
	assert_true(is(event.module, "XMPPFederation"));
	assert_int_equal(event.level, LOG_LEVEL_INFO);
	assert_true(is(event.location, "s2s.out.ready"));
	assert_true(is(event.detail, "xcoder=34A9B60C8 local=coluc.com peer=vngtp.lab tls=1.3"));
	assert_true(is(event.xcoder, "34A9B60C8"));
	assert_int_equal(event.domain_count, 2);
	assert_true(event_line_names(&event, "VNGTP.lab"));
	assert_false(event_line_names(&event, "gtp.lab"));
}

static void fields_of_their_own_are_read(void **state)
{
	assert_true(reads(HEAD "Module=\"network.axl\" Level=\"INFO\" Action=\"Send\" "
			       "URL=\"https://cups.example.net:8443/axl/\""));
	assert_int_equal(event.field_count, 2);
	assert_true(is(event.fields[1].key, "URL"));
	assert_true(is(event.fields[1].value, "https://cups.example.net:8443/axl/"));
	assert_null(event.location.data);
	assert_null(event.detail.data);
}

static void days_are_counted_as_the_calendar_does(void **state)
{
	static const struct {
		const char *line;
		int64_t seconds;
	} rows[] = {
		{ "1970-01-01T00:00:00.000000+00:00 n p[1]: " FACTS "Detail=\"\"", 0 },
		{ "2000-02-29T23:59:59.000000+00:00 n p[1]: " FACTS "Detail=\"\"", 951868799 },
		{ "2024-02-29T00:00:00.000000+00:00 n p[1]: " FACTS "Detail=\"\"", 1709164800 },
		{ "2024-03-01T00:00:00.000000+00:00 n p[1]: " FACTS "Detail=\"\"", 1709251200 },
		{ "2026-12-31T23:59:60.000000+00:00 n p[1]: " FACTS "Detail=\"\"", 1798761600 },
	};

	for (size_t i = 0; i < nitems(rows); i++) {
		assert_true(reads(rows[i].line));
		assert_int_equal(event.unix_us / 1000000, rows[i].seconds);
	}
}

static void what_we_did_not_write_is_no_event(void **state)
{
	static const char *const lines[] = {
		"",
		"==123==ERROR: AddressSanitizer: heap-use-after-free",
		"2026-13-24T12:00:00.123456+00:00 n p[1]: " FACTS "Detail=\"\"",
		"2026-11-24T12:00:00.123456+01:00 n p[1]: " FACTS "Detail=\"\"",
		"2026-11-24T12:00:00.12345+00:00 n p[1]: " FACTS "Detail=\"\"",
		"2026-11-24T12:00:00.123456+00:00 n two words[1]: " FACTS "Detail=\"\"",
		"2026-11-24T12:00:00.123456+00:00 n p[x]: " FACTS "Detail=\"\"",
		"2026-11-24T12:00:00.123456+00:00 n p[1] " FACTS "Detail=\"\"",
		HEAD "Level=\"INFO\" Module=\"m\" Detail=\"\"",
		HEAD "Module=\"m\" Level=\"LOUD\" Detail=\"\"",
		HEAD FACTS "Detail=\"open",
		HEAD FACTS "Detail=\"a\" Detail=\"b\"",
		HEAD FACTS "Detail=\"a\" more",
		HEAD FACTS "Detail=\"a\" Else=\"b\"",
		HEAD FACTS "X=\"a\" CodeLocation=\"b\"",
		HEAD FACTS "Detail=\"a\\b\"",
		HEAD FACTS "Detail=\"a\\u12g4\"",
		HEAD FACTS "Detail=\"a\\",
		HEAD FACTS "Detail=\"a\\x1\"",
		LINE("a\nb"),
		LINE("a\033[31mb"),
		LINE("a\302\233b"),
		LINE("a\342\200\256b"),
		LINE("a\377b"),
		LINE("a") "\n",
	};

	for (size_t i = 0; i < nitems(lines); i++) {
		assert_false(reads(lines[i]));
		assert_false(event_line_read(&event, (struct slice){ lines[i], 0 }));
	}
}

static void a_line_that_breaks_off_is_no_event(void **state)
{
	static const char line[] = LINE("xcoder=1 why=\\\"a\\u202e\\\"");

	for (size_t len = 0; len < sizeof(line) - 1; len++) {
		char *copy = xmalloc(len + 1); /* its own, so that reading past its end is seen */
		bool read;

		memcpy(copy, line, len);
		copy = xrealloc(copy, len ? len : 1);
		read = event_line_read(&event, (struct slice){ copy, len });
		/* What ends between two fields says less, but what it says was said. */
		assert_int_equal(read, slice_is((struct slice){ copy, len },
						HEAD "Module=\"XMPPFederation\" Level=\"INFO\"") ||
					       slice_is((struct slice){ copy, len }, HEAD FACTS
							"CodeLocation=\"s2s.out.ready\""));
		free(copy);
	}
}

static void the_domains_are_those_it_is_about(void **state)
{
	static const struct {
		const char *line, *domains, *xcoder;
	} rows[] = {
		{ LINE("xcoder=A1 domain=example.net why=no-address example.net names 1.2.3.4: x"),
		  "example.net", "A1" },
		{ LINE("origin=1 from=alice@home.example/x to=bob@example.net via=s2s"),
		  "home.example example.net", "" },
		{ LINE("from=traffic to=manage"), "", "" },
		{ LINE("from=192.0.2.1 to=[2001:db8::1]:22"), "", "" },
		{ LINE("local=localhost peer=?"), "localhost", "" },
		{ LINE("(00000000-0000-0000-0000-000000000000, coluc.com:vngtp.lab, OUT) "
		       "xcoder=34A9B60C8 Scheduling dialback timeout in 30 secs."),
		  "coluc.com vngtp.lab", "34A9B60C8" },
		{ LINE("Connection state change: PENDING->CONNECTED: (0, coluc.com:vngtp.lab, IN) "
		       "xcoder=34A9B60C8 "),
		  "coluc.com vngtp.lab", "34A9B60C8" },
		{ LINE("xcoder=2 Starting resolver lookup for "
		       "'coluc.com:puny=coluc.com:service=_xmpp-server._tcp:defport=0'"),
		  "coluc.com", "2" },
		{ LINE("xcoder=3 resolved dialback address for host=coluc.com method=SRV"),
		  "coluc.com", "3" },
		{ LINE("xcoder=4 sending:: <db:result from='coluc.com' "
		       "to='vngtp.lab'>k</db:result>"),
		  "", "4" },
		{ LINE("local=a.example peer=A.Example remote=a.example"), "a.example", "" },
		{ LINE("name=_xmpp-server._tcp.example.net type=SRV status=ok"), "example.net",
		  "" },
		{ LINE("name=edge-a type=A"), "", "" },
		{ LINE("origin=1 from=a@a.example/x to=b@b.example bytes=9 stanza=<message "
		       "from='c.example' to='d.example'> peer=c.example"),
		  "a.example b.example", "" },
	};

	for (size_t i = 0; i < nitems(rows); i++) {
		char all[1024] = "";

		assert_true(reads(rows[i].line));
		for (size_t d = 0; d < event.domain_count; d++)
			snprintf(all + strlen(all), sizeof(all) - strlen(all), "%s%.*s",
				 d ? " " : "", SLICE_ARGS(event.domains[d]));
		assert_string_equal(all, rows[i].domains);
		assert_true(is(event.xcoder, rows[i].xcoder));
	}
}

static bool keep(void *arg, struct slice line)
{
	snprintf(arg, LOG_LINE_BYTES, "%.*s", SLICE_ARGS(line));
	return true;
}

__attribute__((format(printf, 2, 3))) static void say(char *line, const char *format, ...)
{
	va_list args;

	log_divert(keep, line);
	va_start(args, format);
	log_write("XMPPFederation", LOG_LEVEL_WARN, "s2s.out.failed", format, args);
	va_end(args);
	log_divert(NULL, NULL);
}

/* What a peer may write into its stream error, its domain's name, its banner. */
static const char *const attacks[] = {
	"\" peer=bank.example xcoder=FORGED domain=bank.example",
	"x\"\nModule=\"m\" Level=\"ERROR\" Detail=\"peer=bank.example",
	"\\\" peer=bank.example",
	"\\\\\" peer=bank.example",
	"a peer=bank.example xcoder=FORGED",
	"\033]0;title\007\033[2J peer=bank.example",
	"\342\200\256elpmaxe.knab=reep \302\233",
	"\",\"domains\":[\"bank.example\"],\"x\":\"",
	"Starting resolver lookup for 'bank.example:",
	"(0, bank.example:bank.example, OUT) xcoder=FORGED ",
	"bank.example\377",
	"\xe2\x80\xa8peer=bank.example",
};

/* SEC-24 */
static void a_strangers_words_name_no_stream_and_no_domain(void **state)
{
	static const char *const around[][2] = {
		{ "xcoder=34A9B60C8 local=a.example peer=b.example why=lost detail=\"",
		  "\" waiting=1" },
		{ "xcoder=34A9B60C8 local=a.example peer=b.example why=no-address ", " (DNS)" },
		{ "xcoder=34A9B60C8 local=a.example peer=b.example stanza=<message ", "/>" },
		{ "(0, a.example:b.example, IN) xcoder=34A9B60C8 the peer's stream error:: ", "" },
		{ "Connection state change: A->B: (0, a.example:b.example, IN) xcoder=34A9B60C8 ",
		  "" },
	};
	char line[LOG_LINE_BYTES];

	for (size_t i = 0; i < nitems(attacks); i++) {
		for (size_t f = 0; f < nitems(around); f++) {
			say(line, "%s%s%s", around[f][0], attacks[i], around[f][1]);
			assert_true(reads(line));
			assert_true(is(event.module, "XMPPFederation"));
			assert_int_equal(event.level, LOG_LEVEL_WARN);
			assert_true(is(event.xcoder, "34A9B60C8"));
			assert_int_equal(event.domain_count, 2);
			assert_false(event_line_names(&event, "bank.example"));
		}
		say(line, "xcoder=34A9B60C8 local=a.example id=%s", log_text(attacks[i]));
		assert_true(reads(line));
		assert_int_equal(event.domain_count, 1);
		assert_int_equal(event.field_count, 0);
	}
}

/* SEC-24 */
static void json_has_our_keys_and_no_other_and_no_byte_that_turns_a_terminal(void **state)
{
	static const char *const keys[] = { "seq",    "time",	"node",	  "process",
					    "pid",    "module", "level",  "location",
					    "detail", "xcoder", "domains" };
	char line[LOG_LINE_BYTES];

	for (size_t i = 0; i < nitems(attacks); i++) {
		json_t *json, *again;
		char *text;

		say(line, "xcoder=34A9B60C8 local=a.example why=\"%s\"", attacks[i]);
		assert_true(reads(line));
		json = event_line_json(&event, 7);
		assert_int_equal(json_object_size(json), nitems(keys));
		for (size_t k = 0; k < nitems(keys); k++)
			assert_non_null(json_object_get(json, keys[k]));
		text = json_dumps(json, JSON_COMPACT);
		assert_true(log_is_safe(slice_of(text)));
		again = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
		assert_true(json_equal(json, again));
		json_decref(json);
		json_decref(again);
		free(text);
	}
}

static void the_detail_of_json_is_for_people_and_still_unambiguous(void **state)
{
	json_t *json;

	assert_true(reads(LINE("why=\\\"it said \\\\u202e, and \\u202e\\\"")));
	json = event_line_json(&event, 1);
	assert_string_equal(json_string_value(json_object_get(json, "detail")),
			    "why=\"it said \\\\u202e, and \\u202e\"");
	assert_null(json_object_get(json, "fields"));
	json_decref(json);
	assert_true(reads(HEAD "Module=\"network.axl\" Level=\"INFO\" Action=\"Send\" "
			       "URL=\"https://h/?a=\\\"b\\\"\""));
	json = event_line_json(&event, 1);
	assert_string_equal(
		json_string_value(json_object_get(json_object_get(json, "fields"), "URL")),
		"https://h/?a=\"b\"");
	assert_string_equal(json_string_value(json_object_get(json, "detail")),
			    "Action=\"Send\" URL=\"https://h/?a=\\\"b\\\"\"");
	json_decref(json);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_line_is_read_back_whole),
		cmocka_unit_test(fields_of_their_own_are_read),
		cmocka_unit_test(days_are_counted_as_the_calendar_does),
		cmocka_unit_test(what_we_did_not_write_is_no_event),
		cmocka_unit_test(a_line_that_breaks_off_is_no_event),
		cmocka_unit_test(the_domains_are_those_it_is_about),
		cmocka_unit_test(a_strangers_words_name_no_stream_and_no_domain),
		cmocka_unit_test(json_has_our_keys_and_no_other_and_no_byte_that_turns_a_terminal),
		cmocka_unit_test(the_detail_of_json_is_for_people_and_still_unambiguous),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
