#include "admin/settings_json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

static json_t *value_of(const char *text, const char *name)
{
	json_t *list = settings_json(slice_of(text), name), *value;

	assert_non_null(list);
	assert_int_equal(json_array_size(list), 1);
	value = json_incref(json_object_get(json_array_get(list, 0), "value"));
	json_decref(list);
	return value;
}

static void values_have_their_types(void **state)
{
	static const char *const rows[][3] = {
		{ "federation.enabled = on", "federation.enabled", "true" },
		{ "limits.depth = 60", "limits.depth", "60" },
		{ "tls.certificate =", "tls.certificate", "null" },
		{ "federation.privacy_mode = off", "federation.privacy_mode", "\"off\"" },
		{ "federation.allow_list = a.example\nfederation.allow_list = b.example",
		  "federation.allow_list", "[\"a.example\", \"b.example\"]" },
		{ "domains = a.example on home-a", "domains",
		  "[{\"domain\": \"a.example\", \"federated\": true, \"node\": \"home-a\"}]" },
		{ "federation.dialback_secret = (secret 0a0b0c0d)", "federation.dialback_secret",
		  "{\"secret\": \"0a0b0c0d\"}" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		json_t *value = value_of(rows[i][0], rows[i][1]);
		char *text = json_dumps(value, JSON_ENCODE_ANY);

		assert_string_equal(text, rows[i][2]);
		free(text);
		json_decref(value);
	}
}

static void what_the_table_knows_is_told(void **state)
{
	json_t *list = settings_json(slice_of("limits.depth = 60\nrouter.apply = restart"), NULL);
	json_t *depth = json_array_get(list, 1), *apply = json_array_get(list, 0);

	assert_int_equal(json_array_size(list), 2);
	assert_string_equal(json_string_value(json_object_get(depth, "name")), "limits.depth");
	assert_int_equal(json_integer_value(json_object_get(depth, "default")), 64);
	assert_int_equal(json_integer_value(json_object_get(depth, "most")), 256);
	assert_string_equal(json_string_value(json_object_get(depth, "unit")), "elements");
	assert_int_equal(json_array_size(json_object_get(apply, "choices")), 2);
	json_decref(list);
}

static void the_fields_of_records_are_told(void **state)
{
	json_t *list = settings_json(slice_of("home_servers ="), NULL);
	json_t *fields = json_object_get(json_array_get(list, 0), "fields");
	json_t *port = json_array_get(fields, 2), *pin = json_array_get(fields, 6);

	assert_int_equal(json_array_size(fields), 7);
	assert_string_equal(json_string_value(json_object_get(port, "kind")), "integer");
	assert_int_equal(json_integer_value(json_object_get(port, "most")), 65535);
	assert_string_equal(json_string_value(json_object_get(json_array_get(fields, 4), "kind")),
			    "secret");
	assert_int_equal(json_array_size(json_object_get(json_array_get(fields, 5), "choices")), 3);
	assert_string_equal(json_string_value(json_object_get(pin, "name")), "pin");
	assert_true(json_is_true(json_object_get(pin, "optional")));
	json_decref(list);
}

static void what_cannot_be_read_is_nothing(void **state)
{
	assert_null(settings_json(slice_of("no settings"), NULL));
	assert_null(settings_json(slice_of("limits.depth = 60"), "limits.elements"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(values_have_their_types),
		cmocka_unit_test(what_the_table_knows_is_told),
		cmocka_unit_test(the_fields_of_records_are_told),
		cmocka_unit_test(what_cannot_be_read_is_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
