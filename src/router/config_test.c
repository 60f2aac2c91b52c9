#include "router/config.h"

#include "base/alloc.h"
#include "store/identity.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

static char *certificate, *private_key;

static void add(struct buffer *out, const char *const *fields)
{
	struct snapshot_record record = { 0 };

	while (fields[record.count]) {
		record.fields[record.count] = slice_of(fields[record.count]);
		record.count++;
	}
	snapshot_add(out, &record);
}
#define ADD(out, ...) add(out, (const char *const[]){ __VA_ARGS__, NULL })

static void begin(struct buffer *out)
{
	snapshot_begin(out, 1, 7);
	ADD(out, "node.name", "core-a");
	ADD(out, "node.role", "core");
	ADD(out, "link.certificate", certificate);
	ADD(out, "link.private_key", private_key);
}

static struct config *read(struct buffer *bytes, const char **why)
{
	struct snapshot *snapshot =
		snapshot_read((struct slice){ buffer_data(bytes), buffer_len(bytes) }, why);
	struct config *config;

	assert_non_null(snapshot);
	config = config_create(snapshot, why);
	snapshot_destroy(&snapshot);
	buffer_finish(bytes);
	return config;
}

static void settings_that_are_not_set_have_the_designs_defaults(void **state)
{
	struct buffer bytes = { 0 };
	const char *why = NULL;
	struct config *config;

	begin(&bytes);
	config = read(&bytes, &why);
	assert_non_null(config);
	assert_int_equal(config->role, ROLE_CORE);
	assert_int_equal(config->revision, 7);
	assert_false(policy_is_enabled(config->policy));
	assert_int_equal(config->limits_after.stanza_bytes, 524288);
	assert_int_equal(config->limits_before.depth, 8);
	assert_int_equal(config->timeouts.dialback, 30);
	assert_int_equal(config->timeouts.verify, 25);
	assert_null(config->stream_tls);
	config_destroy(&config);
}

static void lists_and_records_are_read(void **state)
{
	struct buffer bytes = { 0 };
	const char *why = NULL;
	struct policy_decision decision;
	struct config *config;

	begin(&bytes);
	ADD(&bytes, "federation.enabled", "on");
	ADD(&bytes, "federation.allow_list", "far.example");
	ADD(&bytes, "federation.use_static_routes", "on");
	ADD(&bytes, "federation.static_routes", "far.example", "192.0.2.7", "5270", "3");
	ADD(&bytes, "domains", "home.example", "on", "home-a");
	ADD(&bytes, "domains", "hidden.example", "off");
	ADD(&bytes, "nodes", "edge-a", "edge", "192.0.2.1:7400", "aa");
	ADD(&bytes, "nodes", "home-a", "home", "-", "bb");
	ADD(&bytes, "attachments", "users", "prosody", "192.0.2.5", "5347", "gw.home.example", "s",
	    "home.example");
	ADD(&bytes, "dial.allowed_networks", "10.0.0.0/8");
	ADD(&bytes, "limits.depth", "20");
	config = read(&bytes, &why);
	assert_non_null(config);
	decision = policy_decide(config->policy, "home.example", "far.example");
	assert_int_equal(decision.refused, FAILURE_NONE);
	assert_int_equal(decision.routes_count, 1);
	assert_int_equal(decision.routes[0].port, 5270);
	assert_true(policy_is_local(config->policy, "hidden.example"));
	assert_false(policy_is_federated(config->policy, "hidden.example"));
	assert_string_equal(config->domains[0].via, "home-a");
	assert_null(config->domains[1].via);
	assert_string_equal(config_find_node(config, "edge-a")->address, "192.0.2.1:7400");
	assert_null(config_find_node(config, "home-a")->address);
	assert_null(config_find_node(config, "nobody"));
	assert_int_equal(config->attachments[0].port, 5347);
	assert_int_equal(config->allowed_networks_count, 1);
	assert_int_equal(config->limits_after.depth, 20);
	config_destroy(&config);
}

static void an_edge_that_cannot_secure_what_it_must_says_so(void **state)
{
	struct buffer bytes = { 0 };
	const char *why = NULL;
	struct config *config;

	begin(&bytes);
	ADD(&bytes, "federation.enabled", "on");
	config = read(&bytes, &why);
	assert_null(config->fault); /* a core needs none */
	config_destroy(&config);
	snapshot_begin(&bytes, 1, 7);
	ADD(&bytes, "node.role", "edge");
	ADD(&bytes, "link.certificate", certificate);
	ADD(&bytes, "link.private_key", private_key);
	ADD(&bytes, "federation.enabled", "on");
	config = read(&bytes, &why);
	assert_non_null(strstr(config->fault, "tls.certificate is not set"));
	config_destroy(&config);
}

static void what_cannot_be_used_is_refused_with_its_reason(void **state)
{
	static const struct {
		const char *name, *value, *why;
	} rows[] = {
		{ "federation.security_mode", "tls-maybe", "federation.security_mode" },
		{ "federation.privacy_mode", "public", "federation.privacy_mode" },
		{ "tls.certificate", "no PEM", "certificate" },
	};

	for (size_t i = 0; i < nitems(rows); i++) {
		struct buffer bytes = { 0 };
		const char *why = NULL;

		begin(&bytes);
		ADD(&bytes, rows[i].name, rows[i].value);
		assert_null(read(&bytes, &why));
		assert_non_null(strstr(why, rows[i].why));
	}
}

static int make_identity(void **state)
{
	return identity_make("core-a", &certificate, &private_key) ? 0 : -1;
}

static int drop_identity(void **state)
{
	free(certificate);
	free(private_key);
	return 0;
}

static void a_home_node_federates_without_a_setting_for_it(void **state)
{
	struct buffer bytes = { 0 };
	const char *why = NULL;
	struct config *config;

	snapshot_begin(&bytes, 1, 7);
	ADD(&bytes, "node.name", "home-a");
	ADD(&bytes, "node.role", "home");
	ADD(&bytes, "link.certificate", certificate);
	ADD(&bytes, "link.private_key", private_key);
	ADD(&bytes, "router.apply", "restart");
	ADD(&bytes, "xmpps2snodes", "1", "cm-2_s2scp-1.edge-a");
	ADD(&bytes, "xmpps2snodes", "2", "another_component.edge-b");
	config = read(&bytes, &why);
	assert_non_null(config);
	assert_true(policy_is_enabled(config->policy));
	assert_true(config->gated);
	assert_false(config->loads_live);
	assert_int_equal(config->stored.count, 2);
	assert_true(realm_table_meets(&config->stored, "edge-x edge-a"));
	assert_false(realm_table_meets(&config->stored, "edge-b edge edge-aa"));
	assert_false(realm_table_meets(&config->stored, ""));
	config_destroy(&config);
}

static void an_edge_is_used_while_it_makes_the_keys_of_the_first_enabled_one(void **state)
{
	struct buffer bytes = { 0 };
	const char *why = NULL;
	struct config *config;

	begin(&bytes);
	for (const char *name = "abcde"; *name; name++)
		ADD(&bytes, "nodes", ((char[]){ *name, 0 }), "edge", "-", "pin");
	ADD(&bytes, "edges", "d", "1", "on", "same");
	ADD(&bytes, "edges", "c", "1", "on", "other");
	ADD(&bytes, "edges", "b", "1", "on", "same");
	ADD(&bytes, "edges", "a", "1", "off", "other");
	config = read(&bytes, &why);
	assert_non_null(config);
	assert_false(config_uses_edge(config, "a")); /* not enabled */
	assert_true(config_uses_edge(config, "b"));
	assert_false(config_uses_edge(config, "c")); /* another secret */
	assert_true(config_uses_edge(config, "d"));
	assert_false(config_uses_edge(config, "e")); /* told nothing */
	config_destroy(&config);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(settings_that_are_not_set_have_the_designs_defaults),
		cmocka_unit_test(lists_and_records_are_read),
		cmocka_unit_test(an_edge_that_cannot_secure_what_it_must_says_so),
		cmocka_unit_test(what_cannot_be_used_is_refused_with_its_reason),
		cmocka_unit_test(a_home_node_federates_without_a_setting_for_it),
		cmocka_unit_test(an_edge_is_used_while_it_makes_the_keys_of_the_first_enabled_one),
	};

	return cmocka_run_group_tests(tests, make_identity, drop_identity);
}
