#include "process/configure_stage.h"

#include "base/alloc.h"
#include "store/identity.h"
#include "store/pem.h"
#include "store/secret.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#define SECRET "correct-horse-battery"
#define PIN "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static int set_up(void **state)
{
	return stage_set_up(state, &role_edge);
}

static int set_up_core(void **state)
{
	return stage_set_up(state, &role_core);
}

static int set_up_home(void **state)
{
	return stage_set_up(state, &role_home);
}

static uint64_t revision(const struct stage *stage)
{
	return store_revision(stage->node.store);
}

static char *number(uint64_t revision)
{
	return xasprintf("%" PRIu64, revision);
}

/* FINGERPRINT in the text stands for that of the secret. */
static char *with_fingerprint(const char *text, const char *secret)
{
	char digits[SECRET_FINGERPRINT_DIGITS + 1];
	const char *at = strstr(text, "FINGERPRINT");

	secret_fingerprint(secret, digits);
	assert_non_null(at);
	return xasprintf("%.*s%s%s", (int)(at - text), text, digits, at + strlen("FINGERPRINT"));
}

static void two_revisions_differ_by_lines(void **state)
{
	struct stage *stage = *state;
	char *before = number(revision(stage)), *between;

	assert_int_equal(ASK(stage, "set", "federation.allow_list", "a.example", "b.example"), 0);
	between = number(revision(stage));
	assert_int_equal(ASK(stage, "set", "federation.allow_list", "b.example", "c.example"), 0);
	assert_int_equal(ASK(stage, "set", "limits.depth", "32"), 0);
	assert_int_equal(ASK(stage, "diff", between, "now"), 0);
	assert_string_equal(stage->text, "- federation.allow_list = a.example\n"
					 "+ federation.allow_list = c.example\n"
					 "- limits.depth = 64\n"
					 "+ limits.depth = 32\n");
	assert_int_equal(ASK(stage, "diff", between, before), 0);
	assert_string_equal(stage->text, "- federation.allow_list = a.example\n"
					 "- federation.allow_list = b.example\n");
	assert_int_equal(ASK(stage, "diff", "0", "now"), 0);
	assert_non_null(strstr(stage->text, "+ link.certificate = (set, fingerprint "));
	assert_int_equal(ASK(stage, "diff", "now", "now"), 0);
	assert_string_equal(stage->text, "");
	free(before);
	free(between);
}

static void another_order_is_a_difference(void **state)
{
	struct stage *stage = *state;
	char *before;

	assert_int_equal(ASK(stage, "set", "federation.allow_list", "a.example", "b.example"), 0);
	before = number(revision(stage));
	assert_int_equal(ASK(stage, "set", "federation.allow_list", "b.example", "a.example"), 0);
	assert_int_equal(ASK(stage, "diff", before, "now"), 0);
	assert_string_equal(stage->text,
			    "~ federation.allow_list: the same entries in another order\n");
	free(before);
}

static void secrets_differ_by_fingerprints(void **state)
{
	struct stage *stage = *state;
	char *before = number(revision(stage));
	char *first = xstrdup(store_text(stage->node.store, "federation.dialback_secret"));
	char *line = with_fingerprint("+ federation.dialback_secret = (set, fingerprint "
				      "FINGERPRINT)\n",
				      SECRET);

	assert_int_equal(ASK(stage, "set", "federation.dialback_secret", SECRET), 0);
	assert_int_equal(ASK(stage, "diff", before, "now"), 0);
	assert_non_null(strstr(stage->text, line));
	assert_null(strstr(stage->text, SECRET));
	assert_null(strstr(stage->text, first));
	free(before);
	free(first);
	free(line);
}

static void what_is_no_revision_is_refused(void **state)
{
	static const struct {
		const char *words[4], *why;
	} rows[] = {
		{ { "diff", "now", "yesterday" },
		  "'yesterday' is neither the number of a revision nor `now`" },
		{ { "diff", "-1", "now" }, "'-1' is neither the number of a revision nor `now`" },
		{ { "diff", "", "now" }, "'' is neither the number of a revision nor `now`" },
		{ { "diff", "99999999999999999999", "now" },
		  "'99999999999999999999' is neither the number of a revision nor `now`" },
		{ { "diff", "now" }, "diff: wrong number of arguments" },
		{ { "restore", "--dry-run" }, "restore: wrong number of arguments" },
	};
	struct stage *stage = *state;
	char *next = number(revision(stage) + 1), *why;

	for (size_t i = 0; i < nitems(rows); i++) {
		assert_int_equal(stage_ask(stage, rows[i].words), 1);
		assert_string_equal(stage->text, rows[i].why);
	}
	why = xasprintf("%s: no such revision; the last is %" PRIu64, next, revision(stage));
	assert_int_equal(ASK(stage, "restore", next), 1);
	assert_string_equal(stage->text, why);
	free(next);
	free(why);
}

static void a_revision_is_restored_as_one(void **state)
{
	struct stage *stage = *state;
	char *then, *late;
	uint64_t last;

	assert_int_equal(ASK(stage, "set", "federation.allow_list", "a.example"), 0);
	then = number(revision(stage));
	assert_int_equal(ASK(stage, "set", "federation.allow_list"), 0);
	assert_int_equal(ASK(stage, "set", "limits.depth", "32"), 0);
	late = number(revision(stage));
	last = revision(stage);
	assert_int_equal(ASK(stage, "restore", then), 0);
	assert_string_equal(stage->text, "+ federation.allow_list = a.example\n"
					 "- limits.depth = 32\n"
					 "+ limits.depth = 64\n");
	assert_int_equal(revision(stage), last + 1);
	assert_int_equal(stage->changed, SEEN_BY_TRAFFIC);
	assert_string_equal(store_text(stage->node.store, "limits.depth"), "64");
	assert_int_equal(ASK(stage, "restore", late), 0); /* the way back */
	assert_string_equal(store_text(stage->node.store, "limits.depth"), "32");
	assert_int_equal(ASK(stage, "restore", late), 0);
	assert_string_equal(stage->text, "nothing to change\n");
	free(then);
	free(late);
}

static void what_a_node_is_is_not_restored(void **state)
{
	struct stage *stage = *state;
	struct store *store = stage->node.store;
	char *then = number(revision(stage)), *certificate, *key, *both;

	assert_true(identity_make("example.net", &certificate, &key));
	both = xasprintf("%s%s", key, certificate);
	assert_int_equal(ASK(stage, "set", "tls.certificate", both), 0);
	assert_int_equal(ASK(stage, "set", "federation.dialback_secret", SECRET), 0);
	assert_int_equal(ASK(stage, "set", "limits.depth", "32"), 0);
	assert_int_equal(ASK(stage, "restore", then), 0);
	assert_string_equal(stage->text, "federation.dialback_secret: left as it is now\n"
					 "federation.dialback_secret_previous: left as it is now\n"
					 "tls.certificate: left as it is now\n"
					 "tls.private_key: left as it is now\n"
					 "- limits.depth = 32\n"
					 "+ limits.depth = 64\n");
	assert_string_equal(store_text(store, "federation.dialback_secret"), SECRET);
	assert_string_equal(store_text(store, "tls.certificate"), certificate);
	assert_string_equal(store_text(store, "limits.depth"), "64");
	free(both);
	free(certificate);
	pem_wipe(&key);
	free(then);
}

static void an_export_applied_changes_nothing(void **state)
{
	struct stage *stage = *state;
	char *exported;
	uint64_t revision;

	assert_int_equal(ASK(stage, "set", "federation.dialback_secret", SECRET), 0);
	assert_int_equal(ASK(stage, "set", "federation.allow_list", "a.example", "b.example"), 0);
	assert_int_equal(ASK(stage, "set", "limits.depth", "60"), 0);
	assert_int_equal(ASK(stage, "set", "tls.certificate",
			     store_text(stage->node.store, "link.certificate")),
			 0);
	assert_int_equal(ASK(stage, "node-add", "core-a", "core", "-", PIN), 0);
	assert_int_equal(ASK(stage, "export"), 0);
	assert_non_null(strstr(stage->text, "\nlimits.depth = 60\n"));
	assert_non_null(strstr(stage->text, "\nfederation.dialback_secret = (secret "));
	assert_non_null(strstr(stage->text, "\ntls.certificate = <<END\n-----BEGIN"));
	assert_null(strstr(stage->text, SECRET));
	assert_null(strstr(stage->text, "core-a"));
	exported = xstrdup(stage->text);
	revision = store_revision(stage->node.store);
	assert_int_equal(ASK(stage, "apply", exported), 0);
	assert_string_equal(stage->text, "nothing to change\n");
	assert_int_equal(store_revision(stage->node.store), revision);
	assert_string_equal(store_text(stage->node.store, "federation.dialback_secret"), SECRET);
	free(exported);
}

static void an_export_leads_back_to_what_it_says(void **state)
{
	static const char attachment[] =
		"main prosody 192.0.2.1 5347 gw.example s3cret-word example.net";
	struct stage *stage = *state;
	char *exported;
	uint64_t last;

	assert_int_equal(ASK(stage, "set", "attachments", attachment), 0);
	assert_int_equal(ASK(stage, "set", "limits.depth", "32"), 0);
	assert_int_equal(ASK(stage, "set", "domains", "example.net on"), 0);
	assert_int_equal(ASK(stage, "export"), 0);
	exported = xstrdup(stage->text);
	assert_null(strstr(exported, "s3cret-word"));
	assert_null(strstr(exported, "PRIVATE KEY"));
	assert_null(strstr(exported, "\nlink."));
	assert_non_null(strstr(exported, "\nattachments = main prosody 192.0.2.1 5347 gw.example "
					 "(secret "));
	last = revision(stage);
	assert_int_equal(ASK(stage, "apply", exported), 0);
	assert_string_equal(stage->text, "nothing to change\n");
	assert_int_equal(revision(stage), last);
	assert_int_equal(ASK(stage, "set", "limits.depth", "16"), 0);
	assert_int_equal(ASK(stage, "set", "domains"), 0);
	assert_int_equal(ASK(stage, "apply", exported), 0);
	assert_string_equal(stage->text, "+ domains = example.net on\n"
					 "- limits.depth = 16\n"
					 "+ limits.depth = 32\n");
	assert_int_equal(revision(stage), last + 3); /* the file is one */
	assert_string_equal(store_text(stage->node.store, "attachments"), attachment);
	free(exported);
}

static void what_a_file_does_not_name_gets_its_default(void **state)
{
	struct stage *stage = *state;
	struct store *store = stage->node.store;

	assert_int_equal(ASK(stage, "set", "federation.dialback_secret", SECRET), 0);
	assert_int_equal(ASK(stage, "set", "limits.depth", "32"), 0);
	assert_int_equal(ASK(stage, "node-pair", "core-a", "core", "-", PIN), 0);
	assert_int_equal(ASK(stage, "apply", "# nothing\nlimits.elements = 200\n"), 0);
	assert_string_equal(stage->text, "- limits.depth = 32\n"
					 "+ limits.depth = 64\n"
					 "- limits.elements = 20000\n"
					 "+ limits.elements = 200\n");
	assert_string_equal(store_text(store, "federation.dialback_secret"), SECRET);
	assert_non_null(store_text(store, "nodes"));
	assert_non_null(store_text(store, "link.private_key"));
}

static void a_file_is_taken_whole_or_not_at_all(void **state)
{
	static const char *const rows[][2] = {
		{ "limits.depth = 32\nlimits.elements = many\n",
		  "line 2: limits.elements: 'many' is not a number between 100 and 1000000" },
		{ "limits.depth = 32\n\nno.such = 1\n", "line 3: no.such: no such setting" },
		{ "limits.depth = 32\nattachments =\n",
		  "line 2: attachments: not a setting of role edge" },
		{ "limits.depth = 32\nnodes =\n", "line 2: nodes: not set by a file" },
		{ "limits.depth = 32\nlink.private_key =\n",
		  "line 2: link.private_key: not set by a file" },
		{ "limits.depth = 32\nfederation.dialback_secret = (secret 00000000)\n",
		  "line 2: federation.dialback_secret: the secret with the fingerprint 00000000 is "
		  "not the one that is in force here; write it out" },
		{ "limits.depth = 32\nfederation.dialback_secret_previous = (secret 00000000)\n",
		  "line 2: federation.dialback_secret_previous: the secret with the fingerprint "
		  "00000000 is not the one that is in force here; write it out" },
		{ "limits.depth", "line 1: not `name = value`" },
		{ "limits.depth = 32\nlimits.depth = 33\n",
		  "line 2: limits.depth: it is there already, in line 1" },
	};
	struct stage *stage = *state;
	uint64_t last = revision(stage);

	for (size_t i = 0; i < nitems(rows); i++) {
		assert_int_equal(ASK(stage, "apply", rows[i][0]), 1);
		assert_string_equal(stage->text, rows[i][1]);
		assert_int_equal(stage->changed, 0);
	}
	assert_int_equal(revision(stage), last);
}

static void a_row_with_too_many_fields_is_refused(void **state)
{
	struct stage *stage = *state;

	for (int fields = 8; fields < 60; fields += 7) {
		struct buffer file = { 0 };
		char *text;

		buffer_append_text(&file, "home_servers = one");
		for (int i = 1; i < fields; i++)
			buffer_append_text(&file, " x");
		text = buffer_take_text(&file);
		assert_int_equal(ASK(stage, "apply", text), 1);
		assert_non_null(strstr(stage->text, "line 1: home_servers: "));
		free(text);
	}
}

static void a_secret_in_a_file_is_that_of_the_same_record(void **state)
{
	struct stage *stage = *state;
	char *same = with_fingerprint("home_servers = one b.example.net 8443 axl "
				      "(secret FINGERPRINT) ca\n",
				      SECRET);
	char *other = with_fingerprint("home_servers = two b.example.net 8443 axl "
				       "(secret FINGERPRINT) ca\n",
				       SECRET);

	assert_int_equal(ASK(stage, "set", "home_servers",
			     "one a.example.net 8443 axl " SECRET " ca",
			     "two a.example.net 8443 axl another-secret ca"),
			 0);
	assert_int_equal(ASK(stage, "apply", same), 0);
	assert_string_equal(store_text(stage->node.store, "home_servers"),
			    "one b.example.net 8443 axl " SECRET " ca");
	assert_null(strstr(stage->text, SECRET));
	assert_false(stage_logged(stage, SECRET));
	assert_int_equal(ASK(stage, "apply", other), 1);
	assert_non_null(strstr(stage->text, "is not the one that is in force here"));
	assert_string_equal(store_text(stage->node.store, "home_servers"),
			    "one b.example.net 8443 axl " SECRET " ca");
	free(same);
	free(other);
}

static void a_secret_that_a_file_brings_keeps_the_one_before(void **state)
{
	struct stage *stage = *state;
	struct store *store = stage->node.store;
	char *first = xstrdup(store_text(store, "federation.dialback_secret"));

	assert_int_equal(ASK(stage, "apply", "federation.dialback_secret = " SECRET "\n"), 0);
	assert_null(strstr(stage->text, SECRET));
	assert_null(strstr(stage->text, first));
	assert_string_equal(store_text(store, "federation.dialback_secret"), SECRET);
	assert_string_equal(store_text(store, "federation.dialback_secret_previous"), first);
	free(first);
}

static void a_certificate_in_a_file_may_bring_its_key(void **state)
{
	struct stage *stage = *state;
	struct store *store = stage->node.store;
	char *certificate, *key, *file;

	assert_true(identity_make("example.net", &certificate, &key));
	file = xasprintf("tls.certificate = <<END\n%s%sEND\n", key, certificate);
	assert_int_equal(ASK(stage, "apply", file), 0);
	assert_string_equal(store_text(store, "tls.certificate"), certificate);
	assert_string_equal(store_text(store, "tls.private_key"), key);
	assert_int_equal(ASK(stage, "apply", ""), 0);
	assert_string_equal(store_text(store, "tls.certificate"), certificate);
	free(file);
	free(certificate);
	pem_wipe(&key);
}

static void a_dry_run_tells_and_changes_nothing(void **state)
{
	static const struct {
		const char *words[5], *text;
		bool tried;
	} rows[] = {
		{ { "set", "--dry-run", "federation.enabled", "off" },
		  "- federation.enabled = on\n"
		  "+ federation.enabled = off\n"
		  "federation.enabled: in force at once, for what is open too\n"
		  "federation.enabled: off closes all streams with other domains, and nobody "
		  "inside reaches the world until it is on again\n"
		  "no process and no service is restarted\n"
		  "traffic: well\n",
		  true },
		{ { "set", "--dry-run", "limits.depth", "32" },
		  "- limits.depth = 64\n"
		  "+ limits.depth = 32\n"
		  "limits.depth: for new streams; those open go on as they were\n"
		  "no process and no service is restarted\n"
		  "traffic: well\n",
		  true },
		{ { "set", "--dry-run", "dns.dnssec", "on" },
		  "- dns.dnssec = off\n"
		  "+ dns.dnssec = on\n"
		  "dns.dnssec: in force at once, for what is open too\n"
		  "no process and no service is restarted\n",
		  false },
		{ { "apply", "--dry-run", "federation.enabled = on\nlimits.depth = 64\n" },
		  "nothing to change\n",
		  false },
		{ { "set", "--dry-run", "federation.enabled", "on" },
		  "nothing to change\n",
		  false },
	};
	struct stage *stage = *state;
	uint64_t last;

	assert_int_equal(ASK(stage, "set", "federation.enabled", "on"), 0);
	last = revision(stage);
	for (size_t i = 0; i < nitems(rows); i++) {
		assert_int_equal(stage_ask(stage, rows[i].words), 0);
		assert_string_equal(stage->text, rows[i].text);
		assert_int_equal(stage->tried, rows[i].tried);
		assert_int_equal(stage->changed, 0);
	}
	assert_int_equal(revision(stage), last);
	assert_string_equal(store_text(stage->node.store, "federation.enabled"), "on");
}

static void a_dry_run_shows_no_secret(void **state)
{
	struct stage *stage = *state;

	assert_int_equal(ASK(stage, "set", "--dry-run", "federation.dialback_secret", SECRET), 0);
	assert_non_null(strstr(stage->text, "+ federation.dialback_secret = (set, fingerprint "));
	assert_null(strstr(stage->text, SECRET));
	assert_false(stage_logged(stage, SECRET));
}

static void a_dry_run_refuses_what_would_be_refused(void **state)
{
	static const char *const rows[][5] = {
		{ "set", "--dry-run", "limits.depth", "abc" },
		{ "set", "--dry-run", "link.certificate" },
		{ "set", "--dry-run" },
		{ "apply", "--dry-run", "limits.depth = abc\n" },
		{ "restore", "--dry-run", "1000" },
		{ "get", "--dry-run" },
	};
	struct stage *stage = *state;

	for (size_t i = 0; i < nitems(rows); i++) {
		assert_int_equal(stage_ask(stage, rows[i]), 1);
		assert_false(stage->tried);
	}
}

static void values_are_all_of_them_without_secrets(void **state)
{
	struct stage *stage = *state;

	assert_int_equal(ASK(stage, "values", "federation.enabled"), 0);
	assert_string_equal(stage->text, "federation.enabled = off\n");
	assert_int_equal(ASK(stage, "values"), 0);
	assert_non_null(strstr(stage->text, "\ntls.certificate =\n"));
	assert_non_null(strstr(stage->text, "\nlink.private_key = (secret "));
	assert_null(strstr(stage->text, "PRIVATE KEY"));
	assert_null(
		strstr(stage->text, store_text(stage->node.store, "federation.dialback_secret")));
}

static void the_candidate_that_traffic_is_asked_about_is_what_would_be(void **state)
{
	struct stage *stage = *state;

	assert_int_equal(ASK(stage, "set", "--dry-run", "limits.depth", "32"), 0);
	assert_non_null(strstr(stage->candidate, "\nlimits.depth|32\n"));
	assert_null(strstr(stage->candidate, "\nlimits.depth|64\n"));
	assert_non_null(strstr(stage->candidate, "\nfederation.enabled|off\n"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, stage_tear_down)
#define AT(role, name) cmocka_unit_test_setup_teardown(name, set_up_##role, stage_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(two_revisions_differ_by_lines),
		TEST(another_order_is_a_difference),
		TEST(secrets_differ_by_fingerprints),
		TEST(what_is_no_revision_is_refused),
		TEST(a_revision_is_restored_as_one),
		TEST(what_a_node_is_is_not_restored),
		TEST(an_export_applied_changes_nothing),
		AT(home, an_export_leads_back_to_what_it_says),
		TEST(what_a_file_does_not_name_gets_its_default),
		TEST(a_file_is_taken_whole_or_not_at_all),
		AT(core, a_row_with_too_many_fields_is_refused),
		AT(core, a_secret_in_a_file_is_that_of_the_same_record),
		TEST(a_secret_that_a_file_brings_keeps_the_one_before),
		TEST(a_certificate_in_a_file_may_bring_its_key),
		TEST(a_dry_run_tells_and_changes_nothing),
		TEST(a_dry_run_shows_no_secret),
		TEST(a_dry_run_refuses_what_would_be_refused),
		TEST(values_are_all_of_them_without_secrets),
		TEST(the_candidate_that_traffic_is_asked_about_is_what_would_be),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
