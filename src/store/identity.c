#include "store/identity.h"

#include "base/alloc.h"
#include "store/hex.h"
#include "store/pem.h"

#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>

#define VALID_DAYS 7305 /* 20 years: the pin is what counts, and nobody renews it by hand */
#define SSH_KEY_BYTES 32
#define EARLY_DAYS 1 /* clocks of the other nodes may be behind */

static bool set_serial(X509 *certificate)
{
	unsigned char bytes[8];
	BIGNUM *number;
	bool set;

	if (RAND_bytes(bytes, sizeof(bytes)) != 1)
		return false;
	bytes[0] &= 0x7f;
	number = BN_bin2bn(bytes, sizeof(bytes), NULL);
	set = number && BN_to_ASN1_INTEGER(number, X509_get_serialNumber(certificate));
	BN_free(number);
	return set;
}

static bool add_extension(X509 *certificate, int nid, const char *value)
{
	X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, NULL, nid, value);
	bool added = extension && X509_add_ext(certificate, extension, -1);

	X509_EXTENSION_free(extension);
	return added;
}

static bool add_name(X509 *certificate, const char *node)
{
	char *value = xasprintf("DNS:%s", node);
	bool added = add_extension(certificate, NID_subject_alt_name, value);

	free(value);
	return added;
}

static bool fill(X509 *certificate, EVP_PKEY *key, const char *node)
{
	X509_NAME *name = X509_get_subject_name(certificate);

	return X509_set_version(certificate, X509_VERSION_3) && set_serial(certificate) &&
	       X509_time_adj_ex(X509_getm_notBefore(certificate), -EARLY_DAYS, 0, NULL) &&
	       X509_time_adj_ex(X509_getm_notAfter(certificate), VALID_DAYS, 0, NULL) &&
	       X509_NAME_add_entry_by_NID(name, NID_commonName, MBSTRING_UTF8,
					  (const unsigned char *)node, -1, -1, 0) &&
	       X509_set_issuer_name(certificate, name) && X509_set_pubkey(certificate, key) &&
	       add_extension(certificate, NID_basic_constraints, "critical,CA:FALSE") &&
	       add_extension(certificate, NID_key_usage, "critical,digitalSignature") &&
	       add_extension(certificate, NID_ext_key_usage, "serverAuth,clientAuth") &&
	       add_name(certificate, node) && X509_sign(certificate, key, EVP_sha256());
}

bool identity_make(const char *node, char **certificate_pem, char **private_key)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *certificate = X509_new();
	bool made = key && certificate && fill(certificate, key, node);

	if (made) {
		*certificate_pem = pem_of_certificate(certificate);
		*private_key = pem_of_key(key);
	}
	X509_free(certificate);
	EVP_PKEY_free(key);
	return made;
}

bool identity_pin(const char *certificate_pem, char pin[IDENTITY_PIN_DIGITS + 1])
{
	X509 *certificate = pem_first_certificate(certificate_pem);
	unsigned char *der = NULL, digest[EVP_MAX_MD_SIZE];
	int len = certificate ? i2d_X509_PUBKEY(X509_get_X509_PUBKEY(certificate), &der) : -1;
	bool made = len > 0 && EVP_Q_digest(NULL, "SHA256", NULL, der, (size_t)len, digest, NULL);

	if (made)
		hex_write(digest, IDENTITY_PIN_DIGITS / 2, pin);
	OPENSSL_free(der);
	X509_free(certificate);
	return made;
}

bool identity_make_ssh(char **private_key)
{
	EVP_PKEY *key = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");

	if (key)
		*private_key = pem_of_key(key);
	EVP_PKEY_free(key);
	return key;
}

bool identity_ssh_pin(const char *private_key, char pin[IDENTITY_PIN_DIGITS + 1])
{
	/* the public key as SSH writes it (RFC 8709 4): two strings, each after its length */
	unsigned char blob[] = "\0\0\0\013ssh-ed25519\0\0\0\040................................";
	unsigned char digest[EVP_MAX_MD_SIZE];
	size_t blob_len = sizeof(blob) - 1, len = SSH_KEY_BYTES;
	EVP_PKEY *key = pem_first_key(private_key);
	bool made = key && EVP_PKEY_is_a(key, "ED25519") &&
		    EVP_PKEY_get_raw_public_key(key, blob + blob_len - len, &len) &&
		    EVP_Q_digest(NULL, "SHA256", NULL, blob, blob_len, digest, NULL);

	if (made)
		hex_write(digest, IDENTITY_PIN_DIGITS / 2, pin);
	EVP_PKEY_free(key);
	return made;
}
