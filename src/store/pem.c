#include "store/pem.h"

#include "base/alloc.h"

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <stdlib.h>
#include <string.h>

static BIO *open_text(const char *text)
{
	BIO *bio = BIO_new_mem_buf(text, -1);

	if (!bio)
		abort(); /* out of memory */
	return bio;
}

static BIO *open_buffer(void)
{
	BIO *bio = BIO_new(BIO_s_mem());

	if (!bio)
		abort();
	return bio;
}

/* What was written, as text of our own; the BIO is freed. */
static char *take_text(BIO *bio)
{
	char *data;
	long len = BIO_get_mem_data(bio, &data);
	char *text = xstrndup(data, (size_t)len);

	OPENSSL_cleanse(data, (size_t)len);
	BIO_free(bio);
	return text;
}

/* Without it OpenSSL asks for a passphrase on the terminal. */
static int no_passphrase(char *buffer, int size, int writing, void *arg)
{
	return -1;
}

char *pem_certificates(const char *text)
{
	BIO *in = open_text(text), *out = open_buffer();
	size_t count = 0;
	X509 *certificate;
	bool whole;
	char *written;

	while ((certificate = PEM_read_bio_X509(in, NULL, no_passphrase, NULL))) {
		PEM_write_bio_X509(out, certificate);
		X509_free(certificate);
		count++;
	}
	whole = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE; /* the end */
	ERR_clear_error();
	BIO_free(in);
	written = take_text(out);
	if (count && whole)
		return written;
	free(written);
	return NULL;
}

EVP_PKEY *pem_first_key(const char *text)
{
	BIO *in = open_text(text);
	EVP_PKEY *key = PEM_read_bio_PrivateKey(in, NULL, no_passphrase, NULL);

	ERR_clear_error();
	BIO_free(in);
	return key;
}

char *pem_private_key(const char *text)
{
	EVP_PKEY *key = pem_first_key(text);
	char *written = key ? pem_of_key(key) : NULL;

	EVP_PKEY_free(key);
	return written;
}

bool pem_has_private_key(const char *text)
{
	return strstr(text, "PRIVATE KEY-----") != NULL;
}

bool pem_key_fits(const char *certificates, const char *private_key)
{
	X509 *certificate = pem_first_certificate(certificates);
	EVP_PKEY *key = pem_first_key(private_key);
	bool fits = certificate && key && X509_check_private_key(certificate, key) == 1;

	ERR_clear_error();
	EVP_PKEY_free(key);
	X509_free(certificate);
	return fits;
}

X509 *pem_first_certificate(const char *text)
{
	BIO *in = open_text(text);
	X509 *certificate = PEM_read_bio_X509(in, NULL, no_passphrase, NULL);

	ERR_clear_error();
	BIO_free(in);
	return certificate;
}

STACK_OF(X509) * pem_all_certificates(const char *text)
{
	STACK_OF(X509) *all = sk_X509_new_null();
	BIO *in = open_text(text);
	X509 *certificate;

	if (!all)
		abort();
	while ((certificate = PEM_read_bio_X509(in, NULL, no_passphrase, NULL))) {
		if (!sk_X509_push(all, certificate))
			abort();
	}
	ERR_clear_error();
	BIO_free(in);
	return all;
}

char *pem_of_certificate(X509 *certificate)
{
	BIO *out = open_buffer();

	if (!PEM_write_bio_X509(out, certificate))
		abort();
	return take_text(out);
}

char *pem_of_key(EVP_PKEY *key)
{
	BIO *out = open_buffer();

	if (!PEM_write_bio_PKCS8PrivateKey(out, key, NULL, NULL, 0, NULL, NULL))
		abort();
	return take_text(out);
}

char *pem_of_request(X509_REQ *request)
{
	BIO *out = open_buffer();

	if (!PEM_write_bio_X509_REQ(out, request))
		abort();
	return take_text(out);
}

void pem_wipe(char **text)
{
	if (*text)
		OPENSSL_cleanse(*text, strlen(*text));
	free(*text);
	*text = NULL;
}
