#include "xmpp/dialback.h"

#include "base/alloc.h"

#include <assert.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <stdlib.h>

#define SHA256_BYTES 32

struct dialback_secret {
	EVP_MAC_CTX *current;
	EVP_MAC_CTX *previous; /* NULL: none */
};

/* These calls fail for want of memory only; like base/alloc.h, we don't go on without it. */
static void must(bool done)
{
	if (!done)
		abort();
}

static void write_hex(const unsigned char *bytes, size_t count, char *text)
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < count; i++) {
		text[2 * i] = digits[bytes[i] >> 4];
		text[2 * i + 1] = digits[bytes[i] & 0xf];
	}
	text[2 * count] = '\0';
}

static void sha256(const char *text, size_t len, unsigned char digest[SHA256_BYTES])
{
	must(EVP_Digest(text, len, digest, NULL, EVP_sha256(), NULL));
}

/* Keyed once; each key is made with a copy, so that the secret itself stays constant. */
static EVP_MAC_CTX *keyed_hmac(const char *secret)
{
	char digest_name[] = "SHA256";
	const OSSL_PARAM params[] = {
		OSSL_PARAM_utf8_string(OSSL_MAC_PARAM_DIGEST, digest_name, sizeof(digest_name) - 1),
		OSSL_PARAM_END,
	};
	EVP_MAC *mac = EVP_MAC_fetch(NULL, "HMAC", NULL);
	EVP_MAC_CTX *hmac = EVP_MAC_CTX_new(mac);
	unsigned char digest[SHA256_BYTES];
	char key[2 * SHA256_BYTES + 1];

	sha256(secret, strlen(secret), digest);
	write_hex(digest, sizeof(digest), key);
	must(hmac && EVP_MAC_init(hmac, (unsigned char *)key, sizeof(key) - 1, params));
	EVP_MAC_free(mac);
	OPENSSL_cleanse(digest, sizeof(digest));
	OPENSSL_cleanse(key, sizeof(key));
	return hmac;
}

struct dialback_secret *dialback_secret_create(const char *text, const char *previous)
{
	struct dialback_secret *secret;

	if (strlen(text) < DIALBACK_SECRET_MIN ||
	    (previous && strlen(previous) < DIALBACK_SECRET_MIN))
		return NULL;
	secret = xcalloc(1, sizeof(*secret));
	secret->current = keyed_hmac(text);
	secret->previous = previous ? keyed_hmac(previous) : NULL;
	return secret;
}

void dialback_secret_destroy(struct dialback_secret **secret)
{
	if (!*secret)
		return;
	EVP_MAC_CTX_free((*secret)->current); /* OpenSSL wipes an HMAC's key */
	EVP_MAC_CTX_free((*secret)->previous);
	free(*secret);
	*secret = NULL;
}

static void add(EVP_MAC_CTX *hmac, const char *text)
{
	must(EVP_MAC_update(hmac, (const unsigned char *)text, strlen(text)));
}

/* The stream id is another server's and may have spaces; it stands last, and a prepared domain has
 * none, so no two claims give the same text. */
static void make_key(const EVP_MAC_CTX *keyed, const struct dialback_claim *claim,
		     char key[DIALBACK_KEY_LEN + 1])
{
	EVP_MAC_CTX *hmac = EVP_MAC_CTX_dup(keyed);
	unsigned char digest[SHA256_BYTES];

	assert(!strchr(claim->target_domain, ' ') && !strchr(claim->sender_domain, ' '));
	must(hmac != NULL);
	add(hmac, claim->target_domain);
	add(hmac, " ");
	add(hmac, claim->sender_domain);
	add(hmac, " ");
	add(hmac, claim->stream_id);
	must(EVP_MAC_final(hmac, digest, NULL, sizeof(digest)));
	EVP_MAC_CTX_free(hmac);
	write_hex(digest, sizeof(digest), key);
}

void dialback_key(const struct dialback_secret *secret, const struct dialback_claim *claim,
		  char key[DIALBACK_KEY_LEN + 1])
{
	make_key(secret->current, claim, key);
}

static bool is_key_of(const EVP_MAC_CTX *keyed, const struct dialback_claim *claim,
		      const char theirs[DIALBACK_KEY_LEN])
{
	char ours[DIALBACK_KEY_LEN + 1];

	make_key(keyed, claim, ours);
	return CRYPTO_memcmp(ours, theirs, DIALBACK_KEY_LEN) == 0;
}

/* All the work is done whatever the key is: its length, the first wrong digit and which of the
 * secrets made it show in no time. */
bool dialback_verify(const struct dialback_secret *secret, const struct dialback_claim *claim,
		     struct slice key)
{
	char theirs[DIALBACK_KEY_LEN] = { 0 }; /* no digit: equals no key of ours */
	bool current, previous;

	if (key.len == DIALBACK_KEY_LEN)
		memcpy(theirs, key.data, DIALBACK_KEY_LEN);
	current = is_key_of(secret->current, claim, theirs);
	previous = secret->previous && is_key_of(secret->previous, claim, theirs);
	return current || previous;
}
