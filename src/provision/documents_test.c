#include "provision/documents.h"

#include "base/alloc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static struct buffer bytes;

static void add(const char *const *fields)
{
	struct snapshot_record record = { 0 };

	while (*fields)
		record.fields[record.count++] = slice_of(*fields++);
	snapshot_add(&bytes, &record);
}
#define ADD(...) add((const char *const[]){ __VA_ARGS__, NULL })

static struct snapshot *begin(const char *role)
{
	buffer_finish(&bytes);
	snapshot_begin(&bytes, 1, 17);
	snapshot_add_text(&bytes, "node.role", role);
	return NULL;
}

static void makes(const char *other, const char *role, const char *expected)
{
	const char *why;
	struct snapshot *snapshot =
		snapshot_read((struct slice){ buffer_data(&bytes), buffer_len(&bytes) }, &why);
	json_t *document;
	char *text;

	assert_non_null(snapshot);
	document = document_make(snapshot, other, role);
	text = document ? json_dumps(document, JSON_COMPACT) : xstrdup("nothing");
	assert_string_equal(text, expected);
	free(text);
	json_decref(document);
	snapshot_destroy(&snapshot);
	buffer_finish(&bytes);
}

static void an_edge_tells_a_core_its_federation_but_no_secret(void **state)
{
	begin("edge");
	ADD("federation.enabled", "on");
	ADD("federation.security_mode", "tls-required");
	ADD("federation.privacy_mode", "allow-list");
	ADD("federation.use_static_routes", "off");
	ADD("federation.dialback_secret", "this-is-the-secret");
	ADD(DOCUMENTS_FINGERPRINT, "1a2b3c4d");
	makes("core-a", "core",
	      "{\"federation\":{\"enabled\":true,\"security_mode\":\"tls-required\","
	      "\"privacy_mode\":\"allow-list\",\"use_static_routes\":false,"
	      "\"secret\":\"1a2b3c4d\"}}");
}

static void domains(void)
{
	begin("core");
	ADD("domains", "a.example", "on", "home-a");
	ADD("domains", "b.example", "off", "home-b");
	ADD("domains", "c.example", "on");
	ADD("edges", "edge-a", "4", "on", "1a2b3c4d");
	ADD("edges", "edge-b", "9", "off", "99999999");
}

static void a_core_tells_an_edge_all_domains_and_secrets(void **state)
{
	domains();
	makes("edge-a", "edge",
	      "{\"domains\":[{\"domain\":\"a.example\",\"federated\":true},"
	      "{\"domain\":\"b.example\",\"federated\":false},"
	      "{\"domain\":\"c.example\",\"federated\":true}],"
	      "\"secrets\":[{\"edge\":\"edge-a\",\"secret\":\"1a2b3c4d\"},"
	      "{\"edge\":\"edge-b\",\"secret\":\"99999999\"}]}");
}

static void a_core_tells_a_home_node_what_it_serves(void **state)
{
	domains();
	makes("home-b", "home", "{\"domains\":[{\"domain\":\"b.example\",\"federated\":false}]}");
	domains();
	makes("home-x", "home", "{\"domains\":[]}");
}

static void all_others_tell_nothing(void **state)
{
	static const char *const rows[][2] = {
		{ "home", "core" },
		{ "edge", "home" },
		{ "edge", "edge" },
		{ "core", "core" },
	};
	const char *why = NULL;

	for (size_t i = 0; i < nitems(rows); i++) {
		begin(rows[i][0]);
		makes("x", rows[i][1], "nothing");
		assert_null(document_read(NULL, rows[i][1], "x", rows[i][0], 1, &why));
		assert_string_equal(why, "a node of its role has no settings to tell us");
	}
}

static const struct {
	const char *own, *other, *document, *words; /* NULL: refused with */
	const char *why;
} reads[] = {
	{ "core", "edge", "{\"federation\":{\"enabled\":true,\"secret\":\"1a2b\"},\"x\":1}",
	  "edge-told|n-1|17|on|1a2b|", NULL },
	{ "core", "edge", "{\"federation\":{\"enabled\":false,\"secret\":\"1a2b\"}}",
	  "edge-told|n-1|17|off|1a2b|", NULL },
	{ "edge", "core",
	  "{\"domains\":[{\"domain\":\"a.example\",\"federated\":true},"
	  "{\"domain\":\"b\\u00fccher.example\",\"federated\":false}],\"secrets\":7}",
	  "domains-told|n-1|17|a.example on|b\xc3\xbc"
	  "cher.example off|",
	  NULL },
	{ "home", "core", "{\"domains\":[]}", "domains-told|n-1|17|", NULL },
	{ "core", "edge", "{}", NULL, "federation.enabled is missing" },
	{ "core", "edge", "{\"federation\":[]}", NULL, "federation.enabled is missing" },
	{ "core", "edge", "{\"federation\":{\"enabled\":1,\"secret\":\"1\"}}", NULL,
	  "federation.enabled is missing" },
	{ "core", "edge", "{\"federation\":{\"enabled\":true,\"secret\":\"1 2\"}}", NULL,
	  "federation.secret is not a fingerprint" },
	{ "core", "edge", "{\"federation\":{\"enabled\":true,\"secret\":\"\"}}", NULL,
	  "federation.secret is not a fingerprint" },
	{ "edge", "core", "{\"domains\":{}}", NULL, "the list of domains is missing" },
	{ "edge", "core", "{\"domains\":[1]}", NULL,
	  "a row of its domains lacks domain or federated" },
	{ "edge", "core", "{\"domains\":[{\"domain\":\"a on\",\"federated\":true}]}", NULL,
	  "a row of its domains lacks domain or federated" },
	{ "edge", "core", "{\"domains\":[{\"domain\":\"a\",\"federated\":\"on\"}]}", NULL,
	  "a row of its domains lacks domain or federated" },
};

static void documents_become_words_for_control(void **state)
{
	for (size_t i = 0; i < nitems(reads); i++) {
		json_t *document = json_loads(reads[i].document, 0, NULL);
		struct buffer joined = { 0 };
		const char *why = NULL;
		char **words =
			document_read(document, reads[i].own, "n-1", reads[i].other, 17, &why);
		char *text;

		for (char **word = words; word && *word; word++)
			buffer_printf(&joined, "%s|", *word);
		if (words) {
			text = buffer_take_text(&joined);
			assert_string_equal(text, reads[i].words);
			free(text);
		} else {
			assert_null(reads[i].words);
			assert_string_equal(why, reads[i].why);
		}
		document_free_words(words);
		json_decref(document);
	}
}

static void too_many_domains_are_refused(void **state)
{
	json_t *list = json_array(), *document = json_pack("{s:o}", "domains", list);
	const char *why;
	char **words;

	for (int i = 0; i < 4000; i++)
		json_array_append_new(
			list, json_pack("{s:s, s:b}", "domain", "a.example", "federated", 1));
	words = document_read(document, "edge", "core-a", "core", 1, &why);
	assert_non_null(words);
	document_free_words(words);
	json_array_append_new(list, json_null());
	assert_null(document_read(document, "edge", "core-a", "core", 1, &why));
	assert_string_equal(why, "it has more than 4000 domains");
	json_decref(document);
}

static void take_secret(void *arg, const char *edge, const char *fingerprint)
{
	buffer_printf(arg, "%s %s|", edge, fingerprint);
}

static void secrets_are_read_row_by_row(void **state)
{
	json_t *document = json_loads(
		"{\"secrets\":[{\"edge\":\"edge-a\",\"secret\":\"1a2b3c4d\"},7,{},"
		"{\"edge\":\"a b\",\"secret\":\"1\"},{\"edge\":\"edge-b\",\"secret\":\"9999\"}]}",
		0, NULL);
	struct buffer seen = { 0 };
	char *text;

	document_each_secret(document, take_secret, &seen);
	text = buffer_take_text(&seen);
	assert_string_equal(text, "edge-a 1a2b3c4d|edge-b 9999|");
	free(text);
	json_decref(document);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_edge_tells_a_core_its_federation_but_no_secret),
		cmocka_unit_test(a_core_tells_an_edge_all_domains_and_secrets),
		cmocka_unit_test(a_core_tells_a_home_node_what_it_serves),
		cmocka_unit_test(all_others_tell_nothing),
		cmocka_unit_test(documents_become_words_for_control),
		cmocka_unit_test(too_many_domains_are_refused),
		cmocka_unit_test(secrets_are_read_row_by_row),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
