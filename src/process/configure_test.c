#include "process/configure_stage.h"

#include "base/alloc.h"
#include "ipc/snapshot.h"
#include "ipc/wire.h"
#include "process/view.h"
#include "store/pem.h"
#include "store/secret.h"
#include "tables/events.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

static int set_up(void **state)
{
	return stage_set_up(state, &role_edge);
}

static int set_up_home(void **state)
{
	return stage_set_up(state, &role_home);
}

static int set_up_core(void **state)
{
	return stage_set_up(state, &role_core);
}

/* The snapshot that a process would get. */
static char *view_of(const struct stage *stage, enum process process, const char *file)
{
	struct buffer bytes = { 0 };
	struct snapshot *snapshot;
	struct slice view;
	const char *why;
	char *lines;

	view_write(&stage->node, process, 7, &(struct view_system){ file, file }, NULL, &bytes);
	view = (struct slice){ buffer_data(&bytes), buffer_len(&bytes) };
	snapshot = snapshot_read(view, &why);
	assert_non_null(snapshot);
	assert_int_equal(snapshot_generation(snapshot), 7);
	assert_int_equal(snapshot_revision(snapshot), store_revision(stage->node.store));
	snapshot_destroy(&snapshot);
	lines = stage_lines(view);
	buffer_finish(&bytes);
	return lines;
}

static void federation_is_switched_on_in_the_words_of_the_walkthrough(void **state)
{
	struct stage *stage = *state;

	assert_int_equal(ASK(stage, "get", "federation.enabled"), 0);
	assert_string_equal(stage->text, "federation.enabled = off\n");
	assert_int_equal(ASK(stage, "set", "federation.enabled", "on"), 0);
	assert_string_equal(stage->text, "federation.enabled = on\n");
	assert_int_equal(stage->changed, SEEN_BY_TRAFFIC | SEEN_BY_MANAGE);
	assert_true(stage_logged(stage, "CodeLocation=\"config.changed\" Detail=\"xconfiguration "
					"xcpConfiguration is_federation_enabled - changed from: 0 "
					"to: 1\""));
	assert_int_equal(ASK(stage, "set", "federation.enabled", "on"), 0);
	assert_string_equal(stage->text, "nothing to change\n");
	assert_int_equal(stage->changed, 0);
	assert_int_equal(ASK(stage, "set", "federation.enabled"), 0);
	assert_string_equal(stage->text, "federation.enabled = off\n");
}

static void a_change_is_logged_with_old_and_new(void **state)
{
	struct stage *stage = *state;

	assert_int_equal(ASK(stage, "set", "limits.depth", "32"), 0);
	assert_int_equal(stage->changed, SEEN_BY_TRAFFIC);
	assert_true(stage_logged(stage, "xconfiguration limits.depth - changed from: 64 to: 32\""));
	assert_int_equal(ASK(stage, "set", "federation.allow_list", "B.example", "a.example"), 0);
	assert_string_equal(stage->text, "federation.allow_list = b.example\n"
					 "federation.allow_list = a.example\n");
	assert_true(stage_logged(stage,
				 "xconfiguration federation.allow_list - changed from: (none) "
				 "to: b.example, a.example\""));
}

static void what_cannot_be_is_refused_whole(void **state)
{
	static const struct {
		const char *words[5], *why; /* a NULL ends the words */
	} rows[] = {
		{ { "set", "limits.depth", "abc" },
		  "limits.depth: 'abc' is not a number between 4 and 256" },
		{ { "set", "federation.allow_list", "a.example", "a..example" },
		  "federation.allow_list: 'a..example' is not a domain" },
		{ { "set", "no.such", "1" }, "no.such: no such setting" },
		{ { "get", "no.such" }, "no.such: no such setting" },
		{ { "show", "no.such" }, "no.such: no setting begins so" },
		{ { "set", "link.certificate" },
		  "link.certificate: made by the node itself, not set by hand" },
		{ { "set", "attachments" }, "attachments: not a setting of role edge" },
		{ { "set" }, "set: wrong number of arguments" },
		{ { "node-add", "core-a" }, "node-add: wrong number of arguments" },
		{ { "node-remove", "core-a" }, "core-a: no such node" },
		{ { "frobnicate" }, "frobnicate: no such command" },
	};
	struct stage *stage = *state;
	uint64_t revision = store_revision(stage->node.store);

	for (size_t i = 0; i < nitems(rows); i++) {
		assert_int_equal(stage_ask(stage, rows[i].words), 1);
		assert_string_equal(stage->text, rows[i].why);
		assert_int_equal(stage->changed, 0);
	}
	assert_int_equal(store_revision(stage->node.store), revision);
	assert_true(stage_logged(stage, "CodeLocation=\"config.refused\" Detail=\"author=root "
					"why=\\\"limits.depth: 'abc' is not"));
}

static void a_broken_request_is_refused(void **state)
{
	static const char bytes[] = "\0\3\0\0\0\3set\0\0\0\4root\0\0\0\x63x";
	struct stage *stage = *state;

	for (size_t len = 0; len < sizeof(bytes); len++) {
		struct buffer reply = { 0 };
		struct configure_try try;

		configure(&stage->configure, (struct slice){ bytes, len }, &reply, &try);
		assert_int_equal(buffer_data(&reply)[0], 1);
		buffer_finish(&reply);
	}
}

static void secrets_are_never_shown(void **state)
{
	static const char secret[] = "correct-horse-battery";
	struct stage *stage = *state;
	char fingerprint[SECRET_FINGERPRINT_DIGITS + 1], *expected, *first;

	first = xstrdup(store_text(stage->node.store, "federation.dialback_secret"));
	assert_int_equal(strlen(first), SECRET_DIGITS);
	secret_fingerprint(secret, fingerprint);
	expected = xasprintf("federation.dialback_secret = (set, fingerprint %s)\n", fingerprint);
	assert_int_equal(ASK(stage, "set", "federation.dialback_secret", secret), 0);
	assert_non_null(strstr(stage->text, expected));
	assert_int_equal(ASK(stage, "show"), 0);
	assert_non_null(strstr(stage->text, expected));
	assert_null(strstr(stage->text, secret));
	assert_null(strstr(stage->text, first));
	assert_null(strstr(stage->text, "PRIVATE KEY"));
	assert_int_equal(ASK(stage, "history"), 0);
	assert_null(strstr(stage->text, secret));
	assert_null(strstr(stage->text, first));
	assert_false(stage_logged(stage, secret));
	assert_false(stage_logged(stage, first));
	assert_int_equal(ASK(stage, "set", "federation.dialback_secret", "hunter2"), 1);
	assert_null(strstr(stage->text, "hunter2"));
	assert_false(stage_logged(stage, "hunter2"));
	free(expected);
	free(first);
}

static void the_secret_before_is_kept_when_it_is_changed(void **state)
{
	struct stage *stage = *state;
	struct store *store = stage->node.store;
	char *first = xstrdup(store_text(store, "federation.dialback_secret"));
	uint64_t revision = store_revision(store);

	assert_null(store_text(store, "federation.dialback_secret_previous"));
	assert_int_equal(ASK(stage, "set", "federation.dialback_secret", "correct-horse-battery"),
			 0);
	assert_string_equal(store_text(store, "federation.dialback_secret_previous"), first);
	assert_int_equal(store_revision(store), revision + 1);
	assert_int_equal(ASK(stage, "set", "federation.dialback_secret"), 0); /* a random one */
	assert_int_equal(strlen(store_text(store, "federation.dialback_secret")), SECRET_DIGITS);
	assert_string_equal(store_text(store, "federation.dialback_secret_previous"),
			    "correct-horse-battery");
	assert_int_equal(ASK(stage, "set", "federation.dialback_secret_previous"), 0);
	assert_null(store_text(store, "federation.dialback_secret_previous"));
	free(first);
}

static void certificate_and_key_are_changed_at_once(void **state)
{
	struct stage *stage = *state;
	struct store *store = stage->node.store;

	for (int i = 0; i < 2; i++) {
		char *certificate, *key, *both;

		assert_true(identity_make("example.net", &certificate, &key));
		both = xasprintf("%s%s", key, certificate);
		assert_int_equal(ASK(stage, "set", "tls.certificate", both), 0);
		assert_string_equal(store_text(store, "tls.certificate"), certificate);
		assert_string_equal(store_text(store, "tls.private_key"), key);
		free(both);
		free(certificate);
		pem_wipe(&key);
	}
	assert_int_equal(
		ASK(stage, "set", "tls.certificate", store_text(store, "link.certificate")), 1);
	assert_non_null(strstr(stage->text, "not the key of tls.certificate"));
}

#define PIN "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static void nodes_are_added_listed_and_removed(void **state)
{
	struct stage *stage = *state;
	char *self = xasprintf("name = node-a\nrole = edge\npin = %s\nssh-pin = %s\n",
			       stage->node.pin, stage->node.ssh_pin);

	assert_int_equal(ASK(stage, "node-self"), 0);
	assert_string_equal(stage->text, self);
	assert_int_equal(ASK(stage, "node-add", "core-a", "core", "-", PIN), 0);
	assert_int_equal(ASK(stage, "node-add", "core-b", "core", "-", PIN), 0);
	assert_int_equal(ASK(stage, "node-add", "core-a", "core", "-", PIN), 1);
	assert_string_equal(stage->text, "core-a: there is a node of this name");
	assert_int_equal(ASK(stage, "node-add", "node-a", "core", "-", PIN), 1);
	assert_non_null(strstr(stage->text, "this node's own name"));
	assert_int_equal(ASK(stage, "node-list"), 0);
	assert_string_equal(stage->text, "core-a core address=- pin=" PIN
					 "\ncore-b core address=- pin=" PIN "\n");
	assert_int_equal(ASK(stage, "node-remove", "core-a"), 0);
	assert_int_equal(ASK(stage, "node-list"), 0);
	assert_string_equal(stage->text, "core-b core address=- pin=" PIN "\n");
	assert_int_equal(ASK(stage, "node-remove", "core-b"), 0);
	assert_int_equal(ASK(stage, "node-list"), 0);
	assert_string_equal(stage->text, "");
	free(self);
}

#define OTHER_PIN "fedcba9876543210fedcba9876543210fedcba9876543210fedcba9876543210"
#define SECRET_TEXT "sesame-open-yourself"

static void pair_edge(struct stage *stage, const char *name)
{
	assert_int_equal(ASK(stage, "node-pair", name, "edge", "192.0.2.1:7400", PIN,
			     "192.0.2.1:2222", OTHER_PIN),
			 0);
}

static void a_core_follows_its_edges(void **state)
{
	struct stage *stage = *state;
	struct store *store = stage->node.store;

	assert_int_equal(ASK(stage, "edge-told", "edge-a", "7", "on", "1a2b3c4d"), 1);
	assert_string_equal(stage->text, "edge-a: no such node");
	pair_edge(stage, "edge-a");
	pair_edge(stage, "edge-b");
	assert_int_equal(ASK(stage, "edge-told", "edge-a", "7", "on", "1a2b3c4d"), 0);
	assert_string_equal(store_text(store, "federation.enabled"), "on");
	assert_string_equal(store_text(store, "edges"), "edge-a 7 on 1a2b3c4d");
	assert_true(stage_logged(stage, "xconfiguration xcpConfiguration is_federation_enabled - "
					"changed from: 0 to: 1"));
	assert_int_equal(stage->changed & SEEN_BY_TRAFFIC, SEEN_BY_TRAFFIC);
	assert_int_equal(ASK(stage, "edge-told", "edge-b", "3", "on", "1a2b3c4d"), 0);
	assert_int_equal(ASK(stage, "edge-told", "edge-a", "8", "off", "1a2b3c4d"), 0);
	assert_string_equal(store_text(store, "federation.enabled"), "on");
	assert_int_equal(ASK(stage, "node-remove", "edge-b"), 0);
	assert_string_equal(store_text(store, "federation.enabled"), "off");
	assert_string_equal(store_text(store, "edges"), "edge-a 8 off 1a2b3c4d");
	assert_int_equal(ASK(stage, "edge-told", "edge-a", "9", "perhaps", "1a2b3c4d"), 1);
}

static void two_edges_cannot_have_one_realm(void **state)
{
	struct stage *stage = *state;

	pair_edge(stage, "edge-a.example");
	pair_edge(stage, "edge-a.example"); /* again is fine */
	assert_int_equal(ASK(stage, "node-pair", "edge.a-example", "edge", "192.0.2.2:7400", PIN),
			 1);
	assert_string_equal(stage->text,
			    "nodes: edge.a-example has the realm edge-a-example, as "
			    "edge-a.example has; home servers could not tell them apart, so one "
			    "needs another name");
	assert_int_equal(ASK(stage, "node-pair", "edge.a-example", "home", "192.0.2.2:7400", PIN),
			 0);
}

static void assert_rows(const struct stage *stage, const char *name, const char *expected)
{
	const struct setting_value *value = store_value(stage->node.store, setting_find(name));
	struct buffer rows = { 0 };
	char *text;

	for (size_t i = 0; i < value->count; i++)
		buffer_printf(&rows, "%s%s", i ? ", " : "", value->entries[i]);
	text = buffer_take_text(&rows);
	assert_string_equal(text, expected);
	free(text);
}

static void an_edge_takes_the_domains_of_its_cores(void **state)
{
	struct stage *stage = *state;

	assert_int_equal(ASK(stage, "domains-told", "core-a", "4", "a.example on", "b.example off"),
			 0);
	assert_rows(stage, "domains", "a.example on core-a, b.example off core-a");
	assert_int_equal(ASK(stage, "domains-told", "core-b", "9", "c.example on", "b.example on"),
			 0);
	assert_rows(stage, "domains",
		    "c.example on core-b, b.example on core-b, a.example on core-a");
	assert_int_equal(ASK(stage, "domains-told", "core-a", "5"), 0);
	assert_rows(stage, "domains", "c.example on core-b, b.example on core-b");
	assert_int_equal(ASK(stage, "domains-told", "core-b", "10"), 0);
	assert_rows(stage, "domains", "");
	assert_int_equal(ASK(stage, "domains-told", "core-b", "11", "not a domain on"), 1);
	assert_int_equal(ASK(stage, "domains-told", "core-a", "6", "a.example on"), 0);
	assert_int_equal(ASK(stage, "domains-told", "core-b", "12", "b.example on"), 0);
	assert_int_equal(ASK(stage, "node-pair", "core-a", "core", "-", PIN, "-", PIN), 0);
	assert_int_equal(ASK(stage, "node-remove", "core-a"), 0);
	assert_rows(stage, "domains", "b.example on core-b");
}

static void a_home_node_takes_the_domains_as_they_are_told(void **state)
{
	struct stage *stage = *state;

	assert_int_equal(ASK(stage, "domains-told", "core-a", "4", "a.example on"), 0);
	assert_rows(stage, "domains", "a.example on");
	assert_int_equal(ASK(stage, "domains-told", "core-a", "5", "b.example on"), 0);
	assert_rows(stage, "domains", "b.example on");
}

static void home_servers_are_added_changed_and_removed(void **state)
{
	static const char *const wrong[][6] = {
		{ "home-server-add", "cups", "user=axl", "password=" SECRET_TEXT, "port=8443" },
		{ "home-server-add", "cups", "user=axl", "password=" SECRET_TEXT, "verify=ca" },
		{ "home-server-add", "cups", "address=cups", "user=axl", "password=" SECRET_TEXT },
		{ "home-server-add", "cups", "address=cups:8443", "user=axl", "verify=ca" },
		{ "home-server-password", "cups", SECRET_TEXT },
		{ "home-server-remove", "cups" },
	};
	struct stage *stage = *state;

	for (size_t i = 0; i < nitems(wrong); i++) {
		assert_int_equal(stage_ask(stage, wrong[i]), 1);
		assert_null(strstr(stage->text, SECRET_TEXT));
	}
	assert_int_equal(ASK(stage, "home-server-add", "cups", "user=axl", "password=" SECRET_TEXT,
			     "address=Cups.example.net:8443"),
			 0);
	assert_null(strstr(stage->text, SECRET_TEXT));
	assert_rows(stage, "home_servers", "cups cups.example.net 8443 axl " SECRET_TEXT " ca");
	assert_int_equal(ASK(stage, "home-server-add", "home-a", "address=[2001:db8::1]:8443",
			     "user=core-a", "password=" SECRET_TEXT, "verify=" PIN),
			 0);
	assert_int_equal(ASK(stage, "home-server-password", "cups", "another-password"), 0);
	assert_int_equal(ASK(stage, "home-server-remove", "home-a"), 0);
	assert_rows(stage, "home_servers", "cups cups.example.net 8443 axl another-password ca");
	assert_false(stage_logged(stage, SECRET_TEXT));
	assert_int_equal(ASK(stage, "realms-written", "edge-a", "edge-b"), 0);
	assert_rows(stage, "axl.realms", "edge-a, edge-b");
	assert_int_equal(ASK(stage, "realms-written"), 0);
	assert_rows(stage, "axl.realms", "");
}

static void accounts_are_added_change_and_go(void **state)
{
	static const char hash[] = "$argon2id$v=19$m=65536,t=2,p=1$c2FsdA$ZGlnZXN0";
	struct stage *stage = *state;

	assert_int_equal(ASK(stage, "account-add", "anna", "viewer"), 0);
	assert_int_equal(stage->changed, SEEN_BY_MANAGE);
	assert_rows(stage, "admin.accounts", "anna viewer unset");
	assert_int_equal(ASK(stage, "account-password", "anna", hash), 0);
	assert_null(strstr(stage->text, hash));
	assert_int_equal(ASK(stage, "account-add", "anna", "admin"), 0);
	assert_rows(stage, "admin.accounts",
		    "anna admin $argon2id$v=19$m=65536,t=2,p=1$c2FsdA$ZGlnZXN0");
	assert_int_equal(ASK(stage, "account-password", "anna", "sesame-open"), 1);
	assert_null(strstr(stage->text, "sesame"));
	assert_int_equal(ASK(stage, "account-password", "berta", hash), 1);
	assert_string_equal(stage->text, "berta: no such account");
	assert_int_equal(ASK(stage, "account-add", "berta", "root"), 1);
	assert_int_equal(ASK(stage, "account-remove", "berta"), 1);
	assert_int_equal(ASK(stage, "account-remove", "anna"), 0);
	assert_rows(stage, "admin.accounts", "");
	assert_false(stage_logged(stage, hash));
}

static void the_table_of_edges_is_stored_as_axl_says(void **state)
{
	static const char row[] = "055c13d9-943d-459d-a3c6-af1d1176936d cm-2_s2scp-1.edge-a";
	struct stage *stage = *state;

	assert_int_equal(ASK(stage, "rows-set", row), 0);
	assert_rows(stage, "xmpps2snodes", row);
	assert_int_equal(ASK(stage, "rows-set", "one cm-2_s2scp-1.edge-a"), 1);
	assert_int_equal(ASK(stage, "rows-set", row, row), 1);
	assert_rows(stage, "xmpps2snodes", row);
	assert_int_equal(ASK(stage, "rows-set"), 0);
	assert_rows(stage, "xmpps2snodes", "");
	assert_int_equal(ASK(stage, "axl-user-put", "core-a", "a-password", "axl"), 0);
	assert_int_equal(ASK(stage, "axl-user-put", "core-a", "b-password", "axl"), 0);
	assert_rows(stage, "axl.users", "core-a b-password axl");
	assert_int_equal(ASK(stage, "node-pair", "core-a", "core", "-", PIN, "-", OTHER_PIN), 0);
	assert_int_equal(ASK(stage, "node-remove", "core-a"), 0);
	assert_rows(stage, "axl.users", ""); /* made at the pairing */
}

static void a_dialback_secret_is_not_empty_or_short(void **state)
{
	struct stage *stage = *state;
	char *before = xstrdup(store_text(stage->node.store, "federation.dialback_secret"));

	assert_int_not_equal(ASK(stage, "set", "federation.dialback_secret", ""), 0);
	assert_int_not_equal(ASK(stage, "set", "federation.dialback_secret", "fifteen-letters"), 0);
	assert_null(strstr(stage->text, "fifteen-letters"));
	assert_string_equal(store_text(stage->node.store, "federation.dialback_secret"), before);
	free(before);
}

static void history_tells_who_changed_what(void **state)
{
	struct stage *stage = *state;

	assert_int_equal(ASK(stage, "set", "limits.depth", "32"), 0);
	assert_int_equal(ASK(stage, "history"), 0);
	assert_non_null(strstr(stage->text, "Z root: limits.depth from 64 to 32\n"));
	assert_non_null(strstr(stage->text, "Z sallyportd: link.certificate from (not set) to "));
}

static void each_process_sees_what_it_needs_and_no_other_secret(void **state)
{
	struct stage *stage = *state;
	const char *secret = store_text(stage->node.store, "federation.dialback_secret");
	char *line = xasprintf("\nfederation.dialback_secret|%s\n", secret), *view;
	char fingerprint[SECRET_FINGERPRINT_DIGITS + 1], *fingerprint_line;
	char *ssh_pin = xasprintf("\nnode.ssh-pin|%s\n", stage->node.ssh_pin);

	secret_fingerprint(secret, fingerprint);
	fingerprint_line = xasprintf("\nsecret.fingerprint|%s\n", fingerprint);
	assert_int_equal(ASK(stage, "set", "domains", "a.example on", "b.example off home-a"), 0);
	assert_int_equal(ASK(stage, "set", "federation.allow_list", "c.example", "d.example"), 0);
	view = view_of(stage, PROCESS_TRAFFIC, "/dev/null");
	assert_non_null(strstr(view, "\nnode.name|node-a\nnode.role|edge\nnode.pin|"));
	assert_non_null(strstr(view, "\ndomains|a.example|on\ndomains|b.example|off|home-a\n"));
	assert_non_null(strstr(view, "\nfederation.allow_list|c.example\n"
				     "federation.allow_list|d.example\n"));
	assert_non_null(strstr(view, line));
	assert_non_null(strstr(view, "\nlimits.depth|64\n"));
	assert_non_null(strstr(view, "\nlink.private_key|-----BEGIN PRIVATE KEY-----\n"));
	assert_null(strstr(view, "dns.servers"));
	free(view);

	view = view_of(stage, PROCESS_MANAGE, "/dev/null");
	assert_non_null(strstr(view, "\nnode.name|node-a\n"));
	assert_non_null(strstr(view, "\nfederation.enabled|off\n"));
	assert_null(strstr(view, secret));
	assert_non_null(strstr(view, ssh_pin));
	assert_non_null(strstr(view, fingerprint_line));
	assert_non_null(strstr(view, "\nssh.private_key|-----BEGIN PRIVATE KEY-----\n"));
	assert_null(strstr(view, "\nlink.private_key"));
	free(view);
	free(ssh_pin);
	free(fingerprint_line);

	view = view_of(stage, PROCESS_RESOLVER, "/dev/null");
	assert_null(strstr(view, secret));
	assert_null(strstr(view, "PRIVATE KEY"));
	assert_null(strstr(view, "\nfederation"));
	free(view);
	free(line);
}

static void an_edge_trusts_whom_the_system_trusts_if_it_is_told_nobody(void **state)
{
	struct stage *stage = *state;
	char path[] = "/tmp/sallyport-trust-XXXXXX", *view;
	FILE *file = fdopen(mkstemp(path), "w");

	fputs("authorities", file);
	fclose(file);
	view = view_of(stage, PROCESS_TRAFFIC, path);
	assert_non_null(strstr(view, "\ntls.trust|authorities\n"));
	free(view);
	view = view_of(stage, PROCESS_TRAFFIC, "/nowhere");
	assert_null(strstr(view, "tls.trust"));
	free(view);
	assert_int_equal(
		ASK(stage, "set", "tls.trust", store_text(stage->node.store, "link.certificate")),
		0);
	view = view_of(stage, PROCESS_TRAFFIC, path);
	assert_null(strstr(view, "authorities"));
	free(view);
	assert_int_equal(unlink(path), 0);
}

static void the_resolver_gets_the_systems_servers_if_it_is_told_none(void **state)
{
	struct stage *stage = *state;
	char path[] = "/tmp/sallyport-resolv-XXXXXX", *view;
	FILE *file = fdopen(mkstemp(path), "w");

	fputs("# made by hand\nsearch example\nnameserver 192.0.2.53\noptions edns0\n"
	      "nameserver\t2001:db8::53\nnameserver nonsense\n",
	      file);
	fclose(file);
	view = view_of(stage, PROCESS_RESOLVER, path);
	assert_non_null(strstr(view, "\ndns.servers|192.0.2.53\ndns.servers|2001:db8::53\n"));
	assert_null(strstr(view, "nonsense"));
	free(view);
	view = view_of(stage, PROCESS_RESOLVER, "/nowhere/resolv.conf");
	assert_non_null(strstr(view, "\ndns.servers|127.0.0.1\n"));
	free(view);
	assert_int_equal(ASK(stage, "set", "dns.servers", "203.0.113.53"), 0);
	assert_int_equal(stage->changed, SEEN_BY_RESOLVER);
	view = view_of(stage, PROCESS_RESOLVER, path);
	assert_non_null(strstr(view, "\ndns.servers|203.0.113.53\n"));
	assert_null(strstr(view, "192.0.2.53"));
	free(view);
	assert_int_equal(unlink(path), 0);
}

static void an_attachments_secret_is_hidden_in_its_row(void **state)
{
	struct stage *stage = *state;
	char *view;

	assert_int_equal(ASK(stage, "set", "attachments",
			     "main prosody 192.0.2.1 5347 gw.example s3cret-word example.net"),
			 0);
	assert_null(strstr(stage->text, "s3cret-word"));
	assert_non_null(strstr(stage->text, "attachments = main prosody 192.0.2.1 5347 gw.example "
					    "(set, fingerprint "));
	assert_false(stage_logged(stage, "s3cret-word"));
	view = view_of(stage, PROCESS_TRAFFIC, "/dev/null");
	assert_non_null(strstr(view, "\nattachments|main|prosody|192.0.2.1|5347|gw.example|"
				     "s3cret-word|example.net\n"));
	assert_null(strstr(view, "\ntls."));
	free(view);
	assert_null(store_text(stage->node.store, "federation.dialback_secret"));
}

static void a_node_keeps_its_identity_and_its_data_to_itself(void **state)
{
	struct stage *stage = *state;
	struct node second;
	char pin[IDENTITY_PIN_DIGITS + 1], *why = NULL;

	snprintf(pin, sizeof(pin), "%s", stage->node.pin);
	assert_false(node_open(&second, &stage->bootstrap, &why));
	assert_non_null(strstr(why, "another sallyportd runs on this data"));
	free(why);
	node_close(&stage->node);
	assert_true(node_verify(&stage->bootstrap, &why));
	assert_true(node_open(&stage->node, &stage->bootstrap, &why));
	assert_string_equal(stage->node.pin, pin);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, stage_tear_down)

#define AT(role, name) cmocka_unit_test_setup_teardown(name, set_up_##role, stage_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(federation_is_switched_on_in_the_words_of_the_walkthrough),
		TEST(a_change_is_logged_with_old_and_new),
		TEST(what_cannot_be_is_refused_whole),
		TEST(a_broken_request_is_refused),
		TEST(secrets_are_never_shown),
		TEST(the_secret_before_is_kept_when_it_is_changed),
		TEST(certificate_and_key_are_changed_at_once),
		TEST(nodes_are_added_listed_and_removed),
		AT(core, a_core_follows_its_edges),
		AT(core, two_edges_cannot_have_one_realm),
		TEST(an_edge_takes_the_domains_of_its_cores),
		AT(home, a_home_node_takes_the_domains_as_they_are_told),
		AT(core, home_servers_are_added_changed_and_removed),
		AT(home, accounts_are_added_change_and_go),
		AT(home, the_table_of_edges_is_stored_as_axl_says),
		TEST(a_dialback_secret_is_not_empty_or_short),
		TEST(history_tells_who_changed_what),
		TEST(each_process_sees_what_it_needs_and_no_other_secret),
		TEST(an_edge_trusts_whom_the_system_trusts_if_it_is_told_nobody),
		TEST(the_resolver_gets_the_systems_servers_if_it_is_told_none),
		AT(home, an_attachments_secret_is_hidden_in_its_row),
		TEST(a_node_keeps_its_identity_and_its_data_to_itself),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
