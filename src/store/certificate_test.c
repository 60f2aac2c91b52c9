#include "store/certificate.h"

#include "base/alloc.h"
#include "store/pem.h"

#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#define DAY 86400
#define SRV "otherName:1.3.6.1.5.5.7.8.7;IA5:_xmpp-server."

static EVP_PKEY *new_key(void)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");

	assert_non_null(key);
	return key;
}

static void set_name(X509_NAME *name, const char *common)
{
	assert_true(X509_NAME_add_entry_by_NID(name, NID_commonName, MBSTRING_UTF8,
					       (const unsigned char *)common, -1, -1, 0));
}

static void extend(X509 *certificate, int nid, const char *value)
{
	X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, NULL, nid, value);

	assert_non_null(extension);
	assert_true(X509_add_ext(certificate, extension, -1));
	X509_EXTENSION_free(extension);
}

/* Valid from so many days on until so many; names as openssl.cnf has them, NULL: it is a CA. */
static X509 *new_certificate(const char *common, EVP_PKEY *key, const char *issuer,
			     EVP_PKEY *issuer_key, int from_days, int to_days, const char *names)
{
	X509 *certificate = X509_new();

	assert_non_null(certificate);
	assert_true(X509_set_version(certificate, X509_VERSION_3));
	ASN1_INTEGER_set(X509_get_serialNumber(certificate), 7);
	X509_time_adj_ex(X509_getm_notBefore(certificate), from_days, 0, NULL);
	X509_time_adj_ex(X509_getm_notAfter(certificate), to_days, 0, NULL);
	set_name(X509_get_subject_name(certificate), common);
	set_name(X509_get_issuer_name(certificate), issuer);
	assert_true(X509_set_pubkey(certificate, key));
	if (names)
		extend(certificate, NID_subject_alt_name, names);
	else
		extend(certificate, NID_basic_constraints, "critical,CA:TRUE");
	assert_true(X509_sign(certificate, issuer_key, EVP_sha256()));
	return certificate;
}

static X509 *named(const char *names)
{
	EVP_PKEY *key = new_key();
	X509 *certificate = new_certificate("a", key, "a", key, -1, 30, names);

	EVP_PKEY_free(key);
	return certificate;
}

static void a_domain_is_covered_by_dns_name_or_srv_name(void **state)
{
	static const struct {
		const char *names, *domain;
		bool covered;
	} rows[] = {
		{ "DNS:a.example", "a.example", true },
		{ "DNS:A.Example", "a.example", true },
		{ "DNS:a.example", "b.a.example", false },
		{ "DNS:*.x.example", "a.x.example", true },
		{ "DNS:*.x.example", "b.a.x.example", false },
		{ "DNS:*.example", "a.example", false }, /* a whole top-level domain */
		{ "DNS:*a.example", "aa.example", false },
		{ SRV "a.example", "a.example", true },
		{ SRV "a.example", "b.example", false },
		{ "otherName:1.3.6.1.5.5.7.8.7;IA5:_xmpp-client.a.example", "a.example", false },
		{ "otherName:1.3.6.1.5.5.7.8.5;UTF8:a.example", "a.example", false },
		{ "DNS:xn--bcher-kva.example", "xn--bcher-kva.example", true },
		{ "IP:192.0.2.1", "a", false }, /* the subject's name is nobody's claim */
	};

	for (size_t i = 0; i < nitems(rows); i++) {
		X509 *certificate = named(rows[i].names);

		if (certificate_covers(certificate, rows[i].domain) != rows[i].covered)
			fail_msg("%s, %s", rows[i].names, rows[i].domain);
		X509_free(certificate);
	}
}

static void names_are_shown_and_what_is_no_name_is_not(void **state)
{
	X509 *certificate = named("DNS:a.example," SRV "a.example,IP:192.0.2.1,DNS:b.example");
	char *names = certificate_names(certificate), *issuer = certificate_issuer(certificate);
	char digits[CERTIFICATE_FINGERPRINT_DIGITS + 1];

	assert_string_equal(names, "a.example,_xmpp-server.a.example,b.example");
	assert_string_equal(issuer, "CN=a");
	certificate_fingerprint(certificate, digits);
	assert_int_equal(strspn(digits, "0123456789abcdef"), CERTIFICATE_FINGERPRINT_DIGITS);
	free(names);
	free(issuer);
	X509_free(certificate);
	certificate = named("DNS:a\033[2J.example");
	names = certificate_names(certificate);
	assert_string_equal(names, "");
	free(names);
	X509_free(certificate);
}

/* A leaf, the one between, the root; `order` says which are given, and in what order. */
static void chain_is(const char *order, int from_days, int to_days, const char *refusal)
{
	EVP_PKEY *keys[] = { new_key(), new_key(), new_key() };
	X509 *all[] = { new_certificate("leaf", keys[0], "middle", keys[1], from_days, to_days,
					"DNS:a.example"),
			new_certificate("middle", keys[1], "root", keys[2], -1, 30, NULL),
			new_certificate("root", keys[2], "root", keys[2], -1, 30, NULL) };
	char *text = xstrdup(""), *why = NULL;

	for (; *order; order++) {
		char *one = pem_of_certificate(all[*order - '0']);
		char *longer = xasprintf("%s%s", text, one);

		free(text);
		free(one);
		text = longer;
	}
	if (certificate_check_chain(text, time(NULL), &why))
		assert_null(refusal);
	else if (!refusal || !why || strncmp(why, refusal, strlen(refusal)) != 0)
		fail_msg("%s, not %s", why ? why : "nothing", refusal ? refusal : "taken");
	free(why);
	free(text);
	for (size_t i = 0; i < nitems(all); i++) {
		X509_free(all[i]);
		EVP_PKEY_free(keys[i]);
	}
}

static void a_chain_is_in_order_and_valid_now(void **state)
{
	chain_is("0", -1, 30, NULL);
	chain_is("01", -1, 30, NULL);
	chain_is("012", -1, 30, NULL);
	chain_is("02", -1, 30, "certificate 2 in it (CN=root) did not issue the one before");
	chain_is("021", -1, 30, "certificate 2 in it (CN=root) did not issue the one before");
	chain_is("10", -1, 30, "certificate 2 in it (CN=leaf) did not issue the one before");
	chain_is("00", -1, 30, "certificate 2 in it (CN=leaf) did not issue the one before");
	chain_is("0", -9, -1, "the certificate of CN=leaf ended on ");
	chain_is("0", 2, 30, "the certificate of CN=leaf does not begin before ");
}

static void an_issuer_by_name_alone_is_none(void **state)
{
	EVP_PKEY *keys[] = { new_key(), new_key(), new_key() };
	X509 *leaf = new_certificate("leaf", keys[0], "ca", keys[1], -1, 30, "DNS:a.example");
	X509 *other = new_certificate("ca", keys[2], "ca", keys[2], -1, 30, NULL);
	char *first = pem_of_certificate(leaf), *second = pem_of_certificate(other);
	char *text = xasprintf("%s%s", first, second), *why = NULL;

	assert_false(certificate_check_chain(text, time(NULL), &why));
	assert_non_null(strstr(why, "(CN=ca) did not issue the one before"));
	free(why);
	free(text);
	free(first);
	free(second);
	X509_free(leaf);
	X509_free(other);
	for (size_t i = 0; i < nitems(keys); i++)
		EVP_PKEY_free(keys[i]);
}

static void a_request_is_signed_and_has_each_name_twice(void **state)
{
	static const char *const names[] = { "a.example", "b.example" };
	char *key_text = certificate_new_key(), *text;
	EVP_PKEY *key = pem_first_key(key_text);
	BIO *bio;
	X509_REQ *request;
	STACK_OF(X509_EXTENSION) * extensions;
	GENERAL_NAMES *listed;
	X509_EXTENSION *extension;

	text = certificate_request(key, names, nitems(names));
	assert_non_null(text);
	bio = BIO_new_mem_buf(text, -1);
	request = PEM_read_bio_X509_REQ(bio, NULL, NULL, NULL);
	assert_non_null(request);
	assert_int_equal(X509_REQ_verify(request, key), 1);
	extensions = X509_REQ_get_extensions(request);
	extension = X509v3_get_ext(extensions,
				   X509v3_get_ext_by_NID(extensions, NID_subject_alt_name, -1));
	listed = X509V3_EXT_d2i(extension);
	assert_int_equal(sk_GENERAL_NAME_num(listed), 4);
	GENERAL_NAMES_free(listed);
	sk_X509_EXTENSION_pop_free(extensions, X509_EXTENSION_free);
	X509_REQ_free(request);
	BIO_free(bio);
	EVP_PKEY_free(key);
	pem_wipe(&key_text);
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_domain_is_covered_by_dns_name_or_srv_name),
		cmocka_unit_test(names_are_shown_and_what_is_no_name_is_not),
		cmocka_unit_test(a_chain_is_in_order_and_valid_now),
		cmocka_unit_test(an_issuer_by_name_alone_is_none),
		cmocka_unit_test(a_request_is_signed_and_has_each_name_twice),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
