#include "store/secret.h"

#include "base/alloc.h"
#include "store/hex.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <stdlib.h>
#include <string.h>

/* Keeps it from being the hash of the same text anywhere else. */
#define LABEL "sallyport secret fingerprint\n"

bool secret_make(char secret[SECRET_DIGITS + 1])
{
	unsigned char bytes[SECRET_DIGITS / 2];

	if (RAND_priv_bytes(bytes, sizeof(bytes)) != 1)
		return false;
	hex_write(bytes, sizeof(bytes), secret);
	OPENSSL_cleanse(bytes, sizeof(bytes));
	return true;
}

void secret_fingerprint(const char *text, char fingerprint[SECRET_FINGERPRINT_DIGITS + 1])
{
	char *labelled = xasprintf(LABEL "%s", text);
	size_t len = strlen(labelled);
	unsigned char digest[EVP_MAX_MD_SIZE];

	if (!EVP_Q_digest(NULL, "SHA256", NULL, labelled, len, digest, NULL))
		abort(); /* an OpenSSL without SHA-256 */
	hex_write(digest, SECRET_FINGERPRINT_DIGITS / 2, fingerprint);
	OPENSSL_cleanse(labelled, len);
	free(labelled);
}
