#include "tables/settings.h"

#include "base/alloc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void names_are_unique_and_found(void **state)
{
	for (size_t i = 0; i < settings_count; i++)
		assert_ptr_equal(setting_find(settings[i].name), &settings[i]);
	assert_null(setting_find("federation"));
}

static void every_row_is_complete(void **state)
{
	for (size_t i = 0; i < settings_count; i++) {
		const struct setting *row = &settings[i];

		assert_non_null(row->help);
		assert_true(row->roles && row->roles <= ROLE_ALL);
		/* control itself ends the overlap, writes the log and keeps what is not in use */
		assert_true(
			row->seen_by || !strcmp(row->name, "federation.dialback_secret_overlap") ||
			!strcmp(row->name, "log.format") || !strcmp(row->name, "tls.pending_key"));
		assert_in_range(row->fields_count, 1, SETTING_FIELDS_MAX);
		for (size_t f = 0; f < row->fields_count; f++) {
			const struct setting_field *field = &row->fields[f];

			assert_int_equal(field->name != NULL, row->shape == SETTING_RECORDS);
			assert_int_equal(field->kind == FIELD_CHOICE, field->choices[0] != NULL);
			assert_true(field->kind != FIELD_INTEGER || field->min < field->max);
		}
		if (row->shape == SETTING_ONE && row->fields[0].kind == FIELD_INTEGER) {
			assert_non_null(row->unit);
			assert_non_null(row->reason);
		}
	}
}

static void every_default_passes_its_own_check(void **state)
{
	for (size_t i = 0; i < settings_count; i++) {
		struct setting_value value, again;
		char *why = NULL;

		setting_default(&settings[i], &value);
		assert_true(setting_read(&settings[i], (const char *const *)value.entries,
					 value.count, &again, &why));
		assert_true(setting_value_equals(&value, &again));
		setting_value_finish(&value);
		setting_value_finish(&again);
	}
}

static void a_secret_is_seen_by_the_one_process_that_needs_it(void **state)
{
	static const char *const managed[] = { "home_servers",	     "axl.users",
					       "axl.private_key",    "ssh.private_key",
					       "admin.accounts",     "admin.private_key",
					       "admin.metrics_token" };

	for (size_t i = 0; i < settings_count; i++) {
		unsigned expected = SEEN_BY_TRAFFIC;

		for (size_t m = 0; m < nitems(managed); m++) {
			if (!strcmp(settings[i].name, managed[m]))
				expected = SEEN_BY_MANAGE;
		}
		if (!strcmp(settings[i].name, "tls.pending_key"))
			expected = 0; /* until it is in use */
		if (setting_is_secret(&settings[i]))
			assert_int_equal(settings[i].seen_by, expected);
	}
}

#define PIN "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static void values_are_taken_or_refused_with_a_sentence(void **state)
{
	static const struct {
		const char *name, *word;
		const char *refusal; /* NULL: taken */
	} rows[] = {
		{ "limits.depth", "64", NULL },
		{ "limits.depth", "4", NULL },
		{ "limits.depth", "256", NULL },
		{ "limits.depth", "abc", "limits.depth: 'abc' is not a number between 4 and 256" },
		{ "limits.depth", "3", "limits.depth: '3' is not a number between 4 and 256" },
		{ "limits.depth", "257", "limits.depth: '257' is not a number between 4 and 256" },
		{ "limits.depth", "064", "limits.depth: '064' is not a number between 4 and 256" },
		{ "limits.depth", "", "limits.depth: '' is not a number between 4 and 256" },
		{ "limits.depth", "-5", "limits.depth: '-5' is not a number between 4 and 256" },
		{ "limits.depth", "18446744073709551680",
		  "limits.depth: '18446744073709551680' is not a number between 4 and 256" },
		{ "federation.enabled", "on", NULL },
		{ "federation.enabled", "yes", "federation.enabled: 'yes' is not on or off" },
		{ "federation.security_mode", "no-tls", NULL },
		{ "federation.security_mode", "tls",
		  "federation.security_mode: 'tls' is not one of tls-required, tls-optional, "
		  "no-tls" },
		{ "federation.dialback_secret", "0123456789abcdef", NULL },
		{ "federation.dialback_secret", "hunter2",
		  "federation.dialback_secret: what was given is not of 16 to 256 characters "
		  "without white space" },
		{ "federation.dialback_secret", "0123456789 abcdef",
		  "federation.dialback_secret: what was given is not of 16 to 256 characters "
		  "without white space" },
		{ "federation.allow_list", "example.net", NULL },
		{ "federation.allow_list",
		  "b\xc3\xbc"
		  "cher.example",
		  NULL },
		{ "federation.allow_list", "*.example.net",
		  "federation.allow_list: '*.example.net' is not a domain" },
		{ "federation.allow_list", "a b", "federation.allow_list: 'a b' is not a domain" },
		{ "dns.servers", "2001:db8::53", NULL },
		{ "dns.servers", "ns.example", "dns.servers: 'ns.example' is not an IP address" },
		{ "dial.allowed_networks", "10.0.0.0/8", NULL },
		{ "dial.allowed_networks", "fd00::/8", NULL },
		{ "dial.allowed_networks", "10.0.0.0/33",
		  "dial.allowed_networks: '10.0.0.0/33' is not a network such as 192.0.2.0/24" },
		{ "dial.allowed_networks", "10.0.0.0",
		  "dial.allowed_networks: '10.0.0.0' is not a network such as 192.0.2.0/24" },
		{ "federation.static_routes", "example.net 192.0.2.1 5269 0", NULL },
		{ "federation.static_routes", "example.net 192.0.2.1 0 0",
		  "federation.static_routes: port '0' is not a number between 1 and 65535" },
		{ "federation.static_routes", "example.net 192.0.2.1",
		  "federation.static_routes: a row is domain host port priority" },
		{ "domains", "example.net on", NULL },
		{ "domains", "example.net on home-a", NULL },
		{ "domains", "example.net on home-a more",
		  "domains: a row is domain federated [node]" },
		{ "nodes", "edge-a edge 192.0.2.1:7400 " PIN, NULL },
		{ "nodes", "edge-a edge [2001:db8::1]:7400 " PIN, NULL },
		{ "nodes", "core-a core - " PIN, NULL },
		{ "nodes", "edge-a edge - 0123",
		  "nodes: pin '0123' is not 64 hexadecimal digits in lower case" },
		{ "nodes", "../a edge - " PIN,
		  "nodes: name '../a' is not a name of letters, digits, hyphens and dots, at most "
		  "63" },
		{ "nodes", "edge-a edge 2001:db8::1:7400 " PIN,
		  "nodes: address '2001:db8::1:7400' is not an address and port such as "
		  "192.0.2.1:7400 or [2001:db8::1]:7400, or -" },
		{ "attachments", "a prosody 192.0.2.1 5347 gw.example s3cret example.net", NULL },
		{ "log.levels", "network.dns debug", NULL },
		{ "log.levels", "network debug",
		  "log.levels: module 'network' is not a module of the log" },
		{ "tls.certificate", "hello",
		  "tls.certificate: what was given is not certificates in PEM" },
	};

	for (size_t i = 0; i < nitems(rows); i++) {
		const struct setting *row = setting_find(rows[i].name);
		struct setting_value value;
		char *why = NULL;

		assert_non_null(row);
		if (setting_read(row, &rows[i].word, 1, &value, &why)) {
			assert_null(rows[i].refusal);
			assert_string_equal(value.entries[0], rows[i].word);
			setting_value_finish(&value);
		} else {
			assert_non_null(rows[i].refusal);
			assert_string_equal(why, rows[i].refusal);
			free(why);
		}
	}
}

static void a_plain_setting_has_one_value(void **state)
{
	const char *const words[] = { "on", "off" };
	struct setting_value value;
	char *why = NULL;

	assert_false(setting_read(setting_find("federation.enabled"), words, 2, &value, &why));
	assert_string_equal(why, "federation.enabled: 2 values where at most 1 may be");
	free(why);
}

static void the_fields_of_a_record_end_up_with_one_space_between(void **state)
{
	const struct setting *row = setting_find("domains");
	const char *word = "  example.net \t on ";
	struct slice fields[SETTING_FIELDS_MAX];
	struct setting_value value;
	char *why = NULL;

	assert_true(setting_read(row, &word, 1, &value, &why));
	assert_string_equal(value.entries[0], "example.net on");
	assert_int_equal(setting_split(row, value.entries[0], fields), 2);
	assert_true(slice_is(fields[0], "example.net"));
	assert_true(slice_is(fields[1], "on"));
	assert_null(fields[2].data);
	setting_value_finish(&value);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_are_unique_and_found),
		cmocka_unit_test(every_row_is_complete),
		cmocka_unit_test(every_default_passes_its_own_check),
		cmocka_unit_test(a_secret_is_seen_by_the_one_process_that_needs_it),
		cmocka_unit_test(values_are_taken_or_refused_with_a_sentence),
		cmocka_unit_test(a_plain_setting_has_one_value),
		cmocka_unit_test(the_fields_of_a_record_end_up_with_one_space_between),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
