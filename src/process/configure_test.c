#include "process/configure.h"

#include "base/alloc.h"
#include "ipc/snapshot.h"
#include "ipc/wire.h"
#include "process/view.h"
#include "store/pem.h"
#include "store/secret.h"
#include "tables/events.h"

#include <fcntl.h>
#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

struct stage {
	char folder[40];
	struct bootstrap bootstrap;
	struct node node;
	struct configure configure;
	unsigned changed; /* SEEN_BY_... bits since the last question */
	int log;	  /* a memfd with the log lines */
	char *text;	  /* of the last answer */
};

static void on_changed(void *arg, unsigned seen_by)
{
	struct stage *stage = arg;

	stage->changed |= seen_by;
}

static int set_up_role(void **state, const struct role *role)
{
	struct stage *stage = xcalloc(1, sizeof(*stage));
	char *why = NULL;

	strcpy(stage->folder, "/tmp/sallyport-configure-XXXXXX");
	if (!mkdtemp(stage->folder))
		return -1;
	stage->log = memfd_create("log", 0);
	log_to(stage->log);
	stage->bootstrap = (struct bootstrap){ .role = role,
					       .name = xstrdup("node-a"),
					       .data = xstrdup(stage->folder) };
	if (!node_open(&stage->node, &stage->bootstrap, &why))
		fail_msg("%s", why);
	stage->configure = (struct configure){ &stage->node, on_changed, stage };
	*state = stage;
	return 0;
}

static int set_up(void **state)
{
	return set_up_role(state, &role_edge);
}

static int set_up_home(void **state)
{
	return set_up_role(state, &role_home);
}

static int remove_entry(const char *name, const struct stat *st, int type, struct FTW *at)
{
	return remove(name);
}

static int tear_down(void **state)
{
	struct stage *stage = *state;
	int removed;

	node_close(&stage->node);
	bootstrap_finish(&stage->bootstrap);
	removed = nftw(stage->folder, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
	close(stage->log);
	free(stage->text);
	free(stage);
	return removed;
}

/* Words up to a NULL, the verb first; the author is "root". The status of the answer. */
static int ask_words(struct stage *stage, const char *const *words)
{
	struct buffer request = { 0 }, reply = { 0 };
	struct wire in;
	size_t count = 0;
	int status;

	while (words[count])
		count++;
	wire_put_u16(&request, (uint16_t)(count + 1));
	wire_put_text(&request, words[0]);
	wire_put_text(&request, "root");
	for (size_t i = 1; i < count; i++)
		wire_put_text(&request, words[i]);
	stage->changed = 0;
	configure(&stage->configure, (struct slice){ buffer_data(&request), buffer_len(&request) },
		  &reply);
	in = wire_read((struct slice){ buffer_data(&reply), buffer_len(&reply) });
	status = wire_get_u8(&in);
	free(stage->text);
	stage->text = wire_get_text(&in, SIZE_MAX);
	assert_true(wire_is_done(&in));
	buffer_finish(&request);
	buffer_finish(&reply);
	return status;
}

#define ASK(stage, ...) ask_words(stage, (const char *const[]){ __VA_ARGS__, NULL })

static bool was_logged(const struct stage *stage, const char *text)
{
	static char lines[262144];
	ssize_t len = pread(stage->log, lines, sizeof(lines) - 1, 0);

	assert_true(len >= 0 && len < (ssize_t)sizeof(lines) - 1);
	lines[len] = '\0';
	return strstr(lines, text) != NULL;
}

/* The snapshot that a process would get, as lines of its fields between bars. */
static char *view_of(const struct stage *stage, enum process process, const char *file)
{
	struct buffer bytes = { 0 }, text = { 0 };
	struct snapshot_record record;
	struct snapshot *snapshot;
	const char *why;
	size_t place = 0;

	view_write(&stage->node, process, 7, &(struct view_system){ file, file }, &bytes);
	snapshot = snapshot_read((struct slice){ buffer_data(&bytes), buffer_len(&bytes) }, &why);
	assert_non_null(snapshot);
	assert_int_equal(snapshot_generation(snapshot), 7);
	assert_int_equal(snapshot_revision(snapshot), store_revision(stage->node.store));
	buffer_append_text(&text, "\n");
	while (snapshot_next(snapshot, &place, &record)) {
		for (size_t i = 0; i < record.count; i++)
			buffer_printf(&text, "%s%.*s", i ? "|" : "", SLICE_ARGS(record.fields[i]));
		buffer_append_text(&text, "\n");
	}
	snapshot_destroy(&snapshot);
	buffer_finish(&bytes);
	return buffer_take_text(&text);
}

static void federation_is_switched_on_in_the_words_of_the_walkthrough(void **state)
{
	struct stage *stage = *state;

	assert_int_equal(ASK(stage, "get", "federation.enabled"), 0);
	assert_string_equal(stage->text, "federation.enabled = off\n");
	assert_int_equal(ASK(stage, "set", "federation.enabled", "on"), 0);
	assert_string_equal(stage->text, "federation.enabled = on\n");
	assert_int_equal(stage->changed, SEEN_BY_TRAFFIC | SEEN_BY_MANAGE);
	assert_true(was_logged(stage, "CodeLocation=\"config.changed\" Detail=\"xconfiguration "
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
	assert_true(was_logged(stage, "xconfiguration limits.depth - changed from: 64 to: 32\""));
	assert_int_equal(ASK(stage, "set", "federation.allow_list", "B.example", "a.example"), 0);
	assert_string_equal(stage->text, "federation.allow_list = b.example\n"
					 "federation.allow_list = a.example\n");
	assert_true(was_logged(stage, "xconfiguration federation.allow_list - changed from: (none) "
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
		assert_int_equal(ask_words(stage, rows[i].words), 1);
		assert_string_equal(stage->text, rows[i].why);
		assert_int_equal(stage->changed, 0);
	}
	assert_int_equal(store_revision(stage->node.store), revision);
	assert_true(was_logged(stage, "CodeLocation=\"config.refused\" Detail=\"author=root "
				      "why=\\\"limits.depth: 'abc' is not"));
}

static void a_broken_request_is_refused(void **state)
{
	static const char bytes[] = "\0\3\0\0\0\3set\0\0\0\4root\0\0\0\x63x";
	struct stage *stage = *state;

	for (size_t len = 0; len < sizeof(bytes); len++) {
		struct buffer reply = { 0 };

		configure(&stage->configure, (struct slice){ bytes, len }, &reply);
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
	assert_false(was_logged(stage, secret));
	assert_false(was_logged(stage, first));
	assert_int_equal(ASK(stage, "set", "federation.dialback_secret", "hunter2"), 1);
	assert_null(strstr(stage->text, "hunter2"));
	assert_false(was_logged(stage, "hunter2"));
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
	char *self = xasprintf("name = node-a\nrole = edge\npin = %s\nssh = %s\n", stage->node.pin,
			       stage->node.ssh_pin);

	assert_int_equal(ASK(stage, "node-self"), 0);
	assert_string_equal(stage->text, self);
	assert_int_equal(ASK(stage, "node-add", "core-a", "core", "-", PIN), 0);
	assert_int_equal(ASK(stage, "node-add", "core-b", "core", "-", PIN), 0);
	assert_int_equal(ASK(stage, "node-add", "core-a", "core", "-", PIN), 1);
	assert_string_equal(stage->text, "nodes: 'core-a' is there twice");
	assert_int_equal(ASK(stage, "node-list"), 0);
	assert_string_equal(stage->text, "core-a core - " PIN "\ncore-b core - " PIN "\n");
	assert_int_equal(ASK(stage, "node-remove", "core-a"), 0);
	assert_int_equal(ASK(stage, "node-list"), 0);
	assert_string_equal(stage->text, "core-b core - " PIN "\n");
	assert_int_equal(ASK(stage, "node-remove", "core-b"), 0);
	assert_int_equal(ASK(stage, "node-list"), 0);
	assert_string_equal(stage->text, "");
	free(self);
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
	assert_false(was_logged(stage, "s3cret-word"));
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

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

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
		TEST(a_dialback_secret_is_not_empty_or_short),
		TEST(history_tells_who_changed_what),
		TEST(each_process_sees_what_it_needs_and_no_other_secret),
		TEST(an_edge_trusts_whom_the_system_trusts_if_it_is_told_nobody),
		TEST(the_resolver_gets_the_systems_servers_if_it_is_told_none),
		cmocka_unit_test_setup_teardown(an_attachments_secret_is_hidden_in_its_row,
						set_up_home, tear_down),
		TEST(a_node_keeps_its_identity_and_its_data_to_itself),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
