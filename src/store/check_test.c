#include "store/check.h"

#include "base/alloc.h"
#include "store/identity.h"
#include "store/pem.h"
#include "tables/events.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

/* Reads and checks; the sentence of the refusal, or NULL and the value. */
static char *check(const char *name, const char *const *words, size_t count,
		   struct setting_value *value)
{
	const struct setting *setting = setting_find(name);
	char *why = NULL;

	assert_non_null(setting);
	if (!setting_read(setting, words, count, value, &why))
		return why;
	if (!check_value(setting, value, &why))
		setting_value_finish(value);
	return why;
}

static void domains_are_stored_prepared(void **state)
{
	static const struct {
		const char *name, *word, *stored;
	} rows[] = {
		{ "federation.allow_list", "Example.NET", "example.net" },
		{ "federation.allow_list",
		  "b\xc3\xbc"
		  "cher.example",
		  "xn--bcher-kva.example" },
		{ "federation.static_routes", "Example.net 2001:db8::1 5269 0",
		  "example.net 2001:db8::1 5269 0" },
		{ "federation.static_routes", "example.net XMPP.Example.net 5269 0",
		  "example.net xmpp.example.net 5269 0" },
		{ "domains", "Example.NET on home-A", "example.net on home-A" },
	};

	for (size_t i = 0; i < nitems(rows); i++) {
		struct setting_value value;

		assert_null(check(rows[i].name, &rows[i].word, 1, &value));
		assert_string_equal(value.entries[0], rows[i].stored);
		setting_value_finish(&value);
	}
}

static void what_is_no_domain_is_refused(void **state)
{
	static const char *const words[] = { "a..example", "-a.example", "192.0.2.256",
					     ".example" };

	for (size_t i = 0; i < nitems(words); i++) {
		char *expected = xasprintf("federation.allow_list: '%s' is not a domain", words[i]);
		struct setting_value value;
		char *why = check("federation.allow_list", &words[i], 1, &value);

		if (!why)
			fail_msg("%s is taken", words[i]);
		assert_string_equal(why, expected);
		free(why);
		free(expected);
	}
}

static void nothing_may_be_there_twice(void **state)
{
	static const char *const list[] = { "a.example", "b.example", "A.example" };
	static const char *const records[] = { "a.example on", "A.example off" };
	static const char *const routes[] = { "a.example 192.0.2.1 5269 0",
					      "a.example 192.0.2.2 5269 1" };
	struct setting_value value;
	char *why = check("federation.allow_list", list, 3, &value);

	assert_string_equal(why, "federation.allow_list: 'a.example' is there twice");
	free(why);
	why = check("domains", records, 2, &value);
	assert_string_equal(why, "domains: 'a.example' is there twice");
	free(why);
	assert_null(check("federation.static_routes", routes, 2, &value));
	setting_value_finish(&value);
}

static void pem_is_stored_without_what_stands_beside_it(void **state)
{
	char *certificate, *key, *both, *why;
	struct setting_value value;
	const char *words[1];

	assert_true(identity_make("edge-a", &certificate, &key));
	both = xasprintf("my certificate:\n%s%s", certificate, key);
	words[0] = both;
	assert_null(check("tls.certificate", words, 1, &value));
	assert_string_equal(value.entries[0], certificate);
	setting_value_finish(&value);
	assert_null(check("tls.private_key", words, 1, &value));
	assert_string_equal(value.entries[0], key);
	setting_value_finish(&value);

	certificate[100] = certificate[100] == 'A' ? 'B' : 'A';
	certificate[120] = '!';
	words[0] = certificate;
	why = check("tls.certificate", words, 1, &value);
	assert_string_equal(why, "tls.certificate: what was given is not certificates in PEM");
	free(why);
	words[0] = "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n";
	why = check("tls.private_key", words, 1, &value);
	assert_string_equal(why, "tls.private_key: what was given is not a private key in PEM");
	free(why);
	free(both);
	free(certificate);
	pem_wipe(&key);
}

static void a_key_must_be_that_of_the_certificate(void **state)
{
	struct store_change changes[2] = { { .setting = setting_find("tls.certificate") },
					   { .setting = setting_find("tls.private_key") } };
	char *certificates[2], *keys[2], *why = NULL;
	char folder[] = "/tmp/sallyport-check-XXXXXX", *path, *key;
	struct store *store;

	assert_non_null(mkdtemp(folder));
	path = xasprintf("%s/store.db", folder);
	key = xasprintf("%s/secrets.key", folder);
	store = store_open(path, key, &why);
	for (int i = 0; i < 2; i++)
		assert_true(identity_make("edge-a", &certificates[i], &keys[i]));
	changes[0].value = (struct setting_value){ &certificates[0], 1 };
	changes[1].value = (struct setting_value){ &keys[0], 1 };
	assert_true(check_together(store, changes, 2, &why));
	assert_true(check_together(store, changes, 1, &why)); /* no key yet */
	assert_true(store_change(store, "root", changes, 2, &why));
	changes[1].value.entries = &keys[1];
	assert_false(check_together(store, &changes[1], 1, &why));
	free(why);
	changes[0].value.entries = &certificates[1];
	assert_true(check_together(store, changes, 2, &why));
	changes[0].reset = true;
	assert_true(check_together(store, changes, 2, &why));
	for (int i = 0; i < 2; i++) {
		free(certificates[i]);
		pem_wipe(&keys[i]);
	}
	store_close(&store);
	assert_int_equal(remove(path), 0);
	assert_int_equal(remove(key), 0);
	assert_int_equal(remove(folder), 0);
	free(path);
	free(key);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(domains_are_stored_prepared),
		cmocka_unit_test(what_is_no_domain_is_refused),
		cmocka_unit_test(nothing_may_be_there_twice),
		cmocka_unit_test(pem_is_stored_without_what_stands_beside_it),
		cmocka_unit_test(a_key_must_be_that_of_the_certificate),
	};

	log_to(open("/dev/null", O_WRONLY | O_CLOEXEC));
	return cmocka_run_group_tests(tests, NULL, NULL);
}
