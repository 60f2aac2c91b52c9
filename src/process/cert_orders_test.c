#include "process/configure_stage.h"

#include "base/alloc.h"
#include "process/role.h"
#include "store/identity.h"
#include "store/pem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static int opens_edge(void **state)
{
	return stage_set_up(state, &role_edge);
}

static int opens_core(void **state)
{
	return stage_set_up(state, &role_core);
}

static const char *stored(const struct stage *stage, const char *name)
{
	return store_text(stage->node.store, name);
}

/* A certificate in that name for a key of ours, as an authority would make it. */
static char *certificate_for(const char *key_text, const char *name)
{
	EVP_PKEY *key = pem_first_key(key_text);
	char *first, *first_key, *text;
	X509 *certificate;

	assert_true(identity_make(name, &first, &first_key));
	certificate = pem_first_certificate(first);
	assert_true(X509_set_pubkey(certificate, key));
	assert_true(X509_sign(certificate, key, EVP_sha256()));
	text = pem_of_certificate(certificate);
	X509_free(certificate);
	EVP_PKEY_free(key);
	pem_wipe(&first_key);
	free(first);
	return text;
}

static void a_request_is_for_what_is_federated(void **state)
{
	struct stage *stage = *state;

	assert_int_equal(ASK(stage, "cert-csr"), 1);
	assert_non_null(strstr(stage->text, "no domain is federated yet"));
	assert_int_equal(ASK(stage, "cert-csr", "a b"), 1);
	assert_string_equal(stage->text, "a b: not a domain");
	assert_int_equal(ASK(stage, "cert-csr", "192.0.2.1"), 1);
	assert_null(stored(stage, "tls.pending_key"));

	assert_int_equal(ASK(stage, "set", "domains", "a.example on", "b.example off"), 0);
	assert_int_equal(ASK(stage, "cert-csr"), 0);
	assert_memory_equal(stage->text, "-----BEGIN CERTIFICATE REQUEST-----\n", 36);
	assert_non_null(stored(stage, "tls.pending_key"));
	assert_int_equal(stage->changed, 0); /* nobody but control sees the key */
}

static void a_second_request_is_for_the_same_key(void **state)
{
	struct stage *stage = *state;
	char *key;

	assert_int_equal(ASK(stage, "cert-csr", "a.example"), 0);
	key = xstrdup(stored(stage, "tls.pending_key"));
	assert_int_equal(ASK(stage, "cert-csr", "a.example", "b.example"), 0);
	assert_string_equal(stored(stage, "tls.pending_key"), key);
	free(key);
}

static void the_answer_takes_the_key_of_the_request(void **state)
{
	struct stage *stage = *state;
	char *certificate, *key;

	assert_int_equal(ASK(stage, "set", "domains", "a.example on", "b.example on"), 0);
	assert_int_equal(ASK(stage, "cert-csr"), 0);
	key = xstrdup(stored(stage, "tls.pending_key"));
	certificate = certificate_for(key, "a.example");
	assert_int_equal(ASK(stage, "cert-install", certificate), 0);
	assert_non_null(strstr(stage->text, "installed; new streams use it\nnames: a.example\n"));
	assert_non_null(strstr(stage->text, "\nnot covered: b.example; "));
	assert_null(strstr(stage->text, "PRIVATE"));
	assert_string_equal(stored(stage, "tls.private_key"), key);
	assert_string_equal(stored(stage, "tls.certificate"), certificate);
	assert_null(stored(stage, "tls.pending_key"));
	assert_int_equal(stage->changed, SEEN_BY_TRAFFIC);
	free(certificate);
	pem_wipe(&key);
}

static void a_key_in_the_file_is_taken_and_the_request_goes_on(void **state)
{
	struct stage *stage = *state;
	char *certificate, *key, *both, *pending;

	assert_int_equal(ASK(stage, "cert-csr", "a.example"), 0);
	pending = xstrdup(stored(stage, "tls.pending_key"));
	assert_true(identity_make("a.example", &certificate, &key));
	both = xasprintf("%s%s", certificate, key);
	assert_int_equal(ASK(stage, "cert-install", both), 0);
	assert_string_equal(stored(stage, "tls.private_key"), key);
	assert_string_equal(stored(stage, "tls.pending_key"), pending);
	/* renewed for the key in use */
	free(certificate);
	certificate = certificate_for(key, "b.example");
	assert_int_equal(ASK(stage, "cert-install", certificate), 0);
	assert_string_equal(stored(stage, "tls.certificate"), certificate);
	assert_string_equal(stored(stage, "tls.private_key"), key);
	free(certificate);
	free(both);
	pem_wipe(&key);
	pem_wipe(&pending);
}

static void what_does_not_fit_is_refused_and_nothing_changed(void **state)
{
	struct stage *stage = *state;
	char *certificate, *key, *other, *other_key, *both;

	assert_true(identity_make("a.example", &certificate, &key));
	assert_true(identity_make("b.example", &other, &other_key));
	assert_int_equal(ASK(stage, "cert-install", "hello"), 1);
	assert_non_null(strstr(stage->text, "no certificate in PEM"));
	assert_int_equal(ASK(stage, "cert-install", certificate), 1);
	assert_non_null(strstr(stage->text, "no `cert csr` is under way"));
	both = xasprintf("%s%s", certificate, other_key);
	assert_int_equal(ASK(stage, "cert-install", both), 1);
	assert_string_equal(stage->text, "the key in it is not that of its first certificate");
	free(both);
	both = xasprintf("%s%s%s", certificate, key, other);
	assert_int_equal(ASK(stage, "cert-install", both), 1);
	assert_non_null(strstr(stage->text, "did not issue the one before"));
	free(both);
	both = xasprintf("%s-----BEGIN ENCRYPTED PRIVATE KEY-----\nMIIB\n"
			 "-----END ENCRYPTED PRIVATE KEY-----\n",
			 certificate);
	assert_int_equal(ASK(stage, "cert-install", both), 1);
	assert_non_null(strstr(stage->text, "encrypted or broken"));
	free(both);
	assert_int_equal(ASK(stage, "cert-csr", "a.example"), 0);
	assert_int_equal(ASK(stage, "cert-install", certificate), 1);
	assert_non_null(strstr(stage->text, "neither for the key of `cert csr`"));
	assert_null(stored(stage, "tls.certificate"));
	assert_null(stored(stage, "tls.private_key"));
	assert_false(stage_logged(stage, "PRIVATE KEY"));
	free(certificate);
	free(other);
	pem_wipe(&key);
	pem_wipe(&other_key);
}

static void a_core_has_no_certificate_for_the_world(void **state)
{
	struct stage *stage = *state;

	assert_int_equal(ASK(stage, "cert-csr", "a.example"), 1);
	assert_string_equal(stage->text, "only edges have a certificate for the world");
	assert_int_equal(ASK(stage, "cert-install", "x"), 1);
	assert_string_equal(stage->text, "only edges have a certificate for the world");
}

int main(void)
{
#define ON_EDGE(test) cmocka_unit_test_setup_teardown(test, opens_edge, stage_tear_down)
	const struct CMUnitTest tests[] = {
		ON_EDGE(a_request_is_for_what_is_federated),
		ON_EDGE(a_second_request_is_for_the_same_key),
		ON_EDGE(the_answer_takes_the_key_of_the_request),
		ON_EDGE(a_key_in_the_file_is_taken_and_the_request_goes_on),
		ON_EDGE(what_does_not_fit_is_refused_and_nothing_changed),
		cmocka_unit_test_setup_teardown(a_core_has_no_certificate_for_the_world, opens_core,
						stage_tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
