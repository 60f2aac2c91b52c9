#include "store/identity.h"

#include "base/alloc.h"
#include "store/pem.h"
#include "store/secret.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void an_identity_is_a_certificate_with_its_key(void **state)
{
	char *certificate, *key, name[128];
	X509 *read;

	assert_true(identity_make("edge-a", &certificate, &key));
	assert_true(pem_key_fits(certificate, key));
	read = pem_first_certificate(certificate);
	X509_NAME_get_text_by_NID(X509_get_subject_name(read), NID_commonName, name, sizeof(name));
	assert_string_equal(name, "edge-a");
	assert_int_equal(X509_verify(read, X509_get0_pubkey(read)), 1);
	assert_true(X509_cmp_current_time(X509_get0_notBefore(read)) < 0);
	X509_free(read);
	free(certificate);
	pem_wipe(&key);
}

/* Made with `openssl x509 -pubkey | openssl pkey -pubin -outform DER | sha256sum`. */
static void a_pin_is_the_hash_of_the_public_key(void **state)
{
	static const char certificate[] =
		"-----BEGIN CERTIFICATE-----\n"
		"MIIBfDCCASGgAwIBAgIUNfWeuR6uxRHJtkB1NnYPQCpkRhYwCgYIKoZIzj0EAwIw\n"
		"EjEQMA4GA1UEAwwHZXhhbXBsZTAgFw0yNjExMjQwNjM4MzRaGA8yMTI2MTAzMTA2\n"
		"MzgzNFowEjEQMA4GA1UEAwwHZXhhbXBsZTBZMBMGByqGSM49AgEGCCqGSM49AwEH\n"
		"A0IABOVn+7fAop97+K4wZ/Vsv0RmF7wMNgksg6PDh4l0WuoVI0seAtJuWkvySQ3j\n"
		"QOrEC0pWlU7Ok33Zb0CYkExDQXejUzBRMB0GA1UdDgQWBBRl+KvzIhwekul6fwab\n"
		"M8J9ekam0TAfBgNVHSMEGDAWgBRl+KvzIhwekul6fwabM8J9ekam0TAPBgNVHRMB\n"
		"Af8EBTADAQH/MAoGCCqGSM49BAMCA0kAMEYCIQDqxsyG44FrN0pKtDPaqA1U4BWY\n"
		"ectjcLdH00+/tXEMQgIhANs622BckJvHpsUwgTiC2otZIEjpaXytJfavNf9PbSG/\n"
		"-----END CERTIFICATE-----\n";
	char pin[IDENTITY_PIN_DIGITS + 1];

	assert_true(identity_pin(certificate, pin));
	assert_string_equal(pin,
			    "185479370a846194d689c868778c5ec5cb0ceb2e4df9492dd482939675f47a61");
	assert_false(identity_pin("no certificate", pin));
}

/* Made with `openssl genpkey -algorithm ed25519`, the pin with `ssh-keygen -lf`. */
static void an_ssh_pin_is_the_fingerprint_that_ssh_shows(void **state)
{
	static const char key[] =
		"-----BEGIN PRIVATE KEY-----\n"
		"MC4CAQAwBQYDK2VwBCIEIC93z7iFDjETZpWTgLBewHsLNdqi3WFVIu2nivPcnOW7\n"
		"-----END PRIVATE KEY-----\n";
	char pin[IDENTITY_PIN_DIGITS + 1], *certificate, *other;

	assert_true(identity_ssh_pin(key, pin));
	assert_string_equal(pin,
			    "35eea1e646a3acad5e0df26f0cb7367738a9ec6a922679b7d17d4704018fe088");
	assert_false(identity_ssh_pin("no key", pin));
	assert_true(identity_make("edge-a", &certificate, &other));
	assert_false(identity_ssh_pin(other, pin));
	free(certificate);
	pem_wipe(&other);
}

static void no_two_ssh_keys_are_alike(void **state)
{
	char *keys[2], pins[2][IDENTITY_PIN_DIGITS + 1];

	for (int i = 0; i < 2; i++) {
		assert_true(identity_make_ssh(&keys[i]));
		assert_true(identity_ssh_pin(keys[i], pins[i]));
		pem_wipe(&keys[i]);
	}
	assert_string_not_equal(pins[0], pins[1]);
}

static void no_two_identities_are_alike(void **state)
{
	char *certificates[2], *keys[2], pins[2][IDENTITY_PIN_DIGITS + 1];

	for (int i = 0; i < 2; i++) {
		assert_true(identity_make("edge-a", &certificates[i], &keys[i]));
		assert_true(identity_pin(certificates[i], pins[i]));
	}
	assert_string_not_equal(pins[0], pins[1]);
	assert_false(pem_key_fits(certificates[0], keys[1]));
	for (int i = 0; i < 2; i++) {
		free(certificates[i]);
		pem_wipe(&keys[i]);
	}
}

static void a_fingerprint_tells_secrets_apart_and_nothing_else(void **state)
{
	char a[SECRET_FINGERPRINT_DIGITS + 1], b[SECRET_FINGERPRINT_DIGITS + 1];
	char secret[SECRET_DIGITS + 1], other[SECRET_DIGITS + 1];

	assert_true(secret_make(secret));
	assert_true(secret_make(other));
	assert_int_equal(strspn(secret, "0123456789abcdef"), SECRET_DIGITS);
	assert_string_not_equal(secret, other);
	secret_fingerprint(secret, a);
	secret_fingerprint(other, b);
	assert_string_not_equal(a, b);
	assert_null(strstr(secret, a));
	secret_fingerprint(secret, b);
	assert_string_equal(a, b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_identity_is_a_certificate_with_its_key),
		cmocka_unit_test(a_pin_is_the_hash_of_the_public_key),
		cmocka_unit_test(an_ssh_pin_is_the_fingerprint_that_ssh_shows),
		cmocka_unit_test(no_two_ssh_keys_are_alike),
		cmocka_unit_test(no_two_identities_are_alike),
		cmocka_unit_test(a_fingerprint_tells_secrets_apart_and_nothing_else),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
