#include "net/ssh_internal.h"

#include "base/alloc.h"
#include "store/hex.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <stdlib.h>
#include <string.h>

#define RAW_BYTES 32 /* of an Ed25519 key, private and public alike */

struct ssh_identity {
	char *text; /* the private key in OpenSSH's own format */
	char pin[SSH_PIN_LEN + 1];
};

bool ssh_prepare(void)
{
	ssh_set_log_level(SSH_LOG_NONE);
	return ssh_init() == SSH_OK;
}

bool ssh_pin_of(ssh_key key, char pin[SSH_PIN_LEN + 1])
{
	unsigned char *digest = NULL;
	size_t len = 0;
	bool made = ssh_get_publickey_hash(key, SSH_PUBLICKEY_HASH_SHA256, &digest, &len) == 0 &&
		    len == SSH_PIN_LEN / 2;

	if (made)
		hex_write(digest, len, pin);
	else
		pin[0] = '\0';
	ssh_clean_pubkey_hash(&digest);
	return made;
}

const char *ssh_why_no_keys(ssh_session session)
{
	const char *error = ssh_get_error(session);

	/* COMPAT: the errno that libssh 0.10 adds to it may be any old one. */
	return strncmp(error, "Socket error", 12) == 0
		       ? "the connection broke before keys were agreed on"
		       : error;
}

ssh_key ssh_identity_key(const struct ssh_identity *identity)
{
	ssh_key key = NULL;

	if (ssh_pki_import_privkey_base64(identity->text, NULL, NULL, NULL, &key) != SSH_OK)
		return NULL;
	return key;
}

static void wipe(struct ssh_identity **identity)
{
	if ((*identity)->text)
		OPENSSL_cleanse((*identity)->text, strlen((*identity)->text));
	free((*identity)->text);
	free(*identity);
	*identity = NULL;
}

static void put_number(struct buffer *out, uint32_t number)
{
	const unsigned char bytes[] = { (unsigned char)(number >> 24),
					(unsigned char)(number >> 16), (unsigned char)(number >> 8),
					(unsigned char)number };

	buffer_append(out, bytes, sizeof(bytes));
}

static void put_string(struct buffer *out, const void *bytes, size_t len)
{
	put_number(out, (uint32_t)len);
	buffer_append(out, bytes, len);
}

static void put_text(struct buffer *out, const char *text)
{
	put_string(out, text, strlen(text));
}

static void put_key_again(struct buffer *out, struct buffer *part)
{
	put_string(out, buffer_data(part), buffer_len(part));
	OPENSSL_cleanse(buffer_data(part), buffer_len(part));
	buffer_finish(part);
}

/*
 * OpenSSH's format (its PROTOCOL.key). COMPAT: libssh 0.10 reads Ed25519 in PKCS #8 without its
 * public half, and then neither hashes nor offers the key.
 */
static char *write_openssh(const unsigned char private_key[RAW_BYTES],
			   const unsigned char public_key[RAW_BYTES])
{
	static const char magic[] = "openssh-key-v1"; /* with its end */
	struct buffer out = { 0 }, part = { 0 }, text = { 0 };
	unsigned char both[2 * RAW_BYTES];
	char *base64;

	memcpy(both, private_key, RAW_BYTES);
	memcpy(both + RAW_BYTES, public_key, RAW_BYTES);
	buffer_append(&out, magic, sizeof(magic));
	put_text(&out, "none"); /* cipher, key derivation and its options */
	put_text(&out, "none");
	put_text(&out, "");
	put_number(&out, 1);
	put_text(&part, SSH_KEYS);
	put_string(&part, public_key, RAW_BYTES);
	put_key_again(&out, &part);
	put_number(&part, 0); /* twice the same number tells that it was decrypted well */
	put_number(&part, 0);
	put_text(&part, SSH_KEYS);
	put_string(&part, public_key, RAW_BYTES);
	put_string(&part, both, sizeof(both));
	put_text(&part, "");
	for (char padding = 1; buffer_len(&part) % 8; padding++)
		buffer_append(&part, &padding, 1);
	put_key_again(&out, &part);
	OPENSSL_cleanse(both, sizeof(both));

	base64 = xmalloc((buffer_len(&out) + 2) / 3 * 4 + 1);
	EVP_EncodeBlock((unsigned char *)base64, (unsigned char *)buffer_data(&out),
			(int)buffer_len(&out));
	buffer_printf(
		&text,
		"-----BEGIN OPENSSH PRIVATE KEY-----\n%s\n-----END OPENSSH PRIVATE KEY-----\n",
		base64);
	OPENSSL_cleanse(base64, strlen(base64));
	free(base64);
	OPENSSL_cleanse(buffer_data(&out), buffer_len(&out));
	buffer_finish(&out);
	return buffer_take_text(&text);
}

/* NULL: not an Ed25519 key in PEM. */
static char *read_pem(struct slice pem)
{
	unsigned char private_key[RAW_BYTES], public_key[RAW_BYTES];
	size_t private_len = RAW_BYTES, public_len = RAW_BYTES;
	BIO *bio = BIO_new_mem_buf(pem.data ? pem.data : "", (int)pem.len);
	EVP_PKEY *key = PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL);
	char *text = NULL;

	if (key && EVP_PKEY_is_a(key, "ED25519") &&
	    EVP_PKEY_get_raw_private_key(key, private_key, &private_len) &&
	    EVP_PKEY_get_raw_public_key(key, public_key, &public_len))
		text = write_openssh(private_key, public_key);
	OPENSSL_cleanse(private_key, sizeof(private_key));
	EVP_PKEY_free(key);
	BIO_free(bio);
	return text;
}

struct ssh_identity *ssh_identity_create(struct slice private_key, const char **why)
{
	struct ssh_identity *identity = xcalloc(1, sizeof(*identity));
	ssh_key key = NULL;

	identity->text = read_pem(private_key);
	if (identity->text)
		key = ssh_identity_key(identity);
	if (!key || !ssh_pin_of(key, identity->pin)) {
		*why = "not an Ed25519 key in PEM";
		wipe(&identity);
	}
	ssh_key_free(key);
	return identity;
}

void ssh_identity_destroy(struct ssh_identity **identity)
{
	if (*identity)
		wipe(identity);
}

const char *ssh_identity_pin(const struct ssh_identity *identity)
{
	return identity->pin;
}

const char *ssh_end_name(enum ssh_end end)
{
	static const char *const names[] = {
		[SSH_END_REFUSED] = "tcp-refused",  [SSH_END_UNREACHABLE] = "tcp-unreachable",
		[SSH_END_TIMEOUT] = "timeout",	    [SSH_END_HOST_KEY] = "host-key",
		[SSH_END_LOGIN] = "login-refused",  [SSH_END_SUBSYSTEM] = "subsystem-refused",
		[SSH_END_PROTOCOL] = "protocol",    [SSH_END_CLOSED] = "closed",
		[SSH_END_LOST] = "connection-lost",
	};

	return names[end];
}
