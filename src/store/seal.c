#include "store/seal.h"

#include "base/alloc.h"
#include "store/hex.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define KEY_BYTES 32
#define NONCE_BYTES 12
#define TAG_BYTES 16
#define EXTRA_BYTES (NONCE_BYTES + TAG_BYTES)
#define PREFIX "sealed:"

struct seal {
	unsigned char key[KEY_BYTES];
};

static bool read_key(struct seal *seal, int fd)
{
	char digits[2 * KEY_BYTES + 1];
	bool whole =
		read(fd, digits, sizeof(digits)) == sizeof(digits) && digits[2 * KEY_BYTES] == '\n';
	size_t len = 0;

	digits[2 * KEY_BYTES] = '\0';
	whole = whole && OPENSSL_hexstr2buf_ex(seal->key, KEY_BYTES, &len, digits, '\0') == 1 &&
		len == KEY_BYTES;
	OPENSSL_cleanse(digits, sizeof(digits));
	return whole;
}

/* Under another name first: a file that is there is whole, whenever we are killed. */
static bool make_key(const char *path)
{
	unsigned char key[KEY_BYTES];
	char digits[2 * KEY_BYTES + 1], *fresh = xasprintf("%s.new", path);
	int fd = open(fresh, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	bool made = fd >= 0 && RAND_priv_bytes(key, sizeof(key)) == 1;

	if (made) {
		hex_write(key, sizeof(key), digits);
		digits[2 * KEY_BYTES] = '\n';
		made = write(fd, digits, sizeof(digits)) == sizeof(digits) && fsync(fd) == 0 &&
		       rename(fresh, path) == 0;
		OPENSSL_cleanse(digits, sizeof(digits));
	}
	OPENSSL_cleanse(key, sizeof(key));
	if (fd >= 0)
		close(fd);
	free(fresh);
	return made;
}

static int open_key(const char *path)
{
	return open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
}

struct seal *seal_open(const char *path, bool create, char **why)
{
	struct seal *seal = xcalloc(1, sizeof(*seal));
	int fd = open_key(path);
	struct stat st;

	if (fd < 0 && errno == ENOENT && create && make_key(path))
		fd = open_key(path);
	if (fd < 0)
		*why = xasprintf("%s: %s; it holds the key of the secrets in the store", path,
				 strerror(errno));
	else if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || st.st_mode & 077)
		*why = xasprintf("%s: others than its owner can read it", path);
	else if (!read_key(seal, fd))
		*why = xasprintf("%s: not a key of Sallyport", path);
	if (fd >= 0)
		close(fd);
	if (*why)
		seal_close(&seal);
	return seal;
}

void seal_close(struct seal **seal)
{
	if (!*seal)
		return;
	OPENSSL_cleanse(*seal, sizeof(**seal));
	free(*seal);
	*seal = NULL;
}

/* Both directions; `out` has room for `len` bytes. False: the tag is not right. */
static bool run(const struct seal *seal, bool closing, const char *setting,
		const unsigned char *nonce, const unsigned char *in, size_t len, unsigned char *out,
		unsigned char *tag)
{
	EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
	int written, ignored;
	bool done;

	done = context &&
	       EVP_CipherInit_ex(context, EVP_aes_256_gcm(), NULL, seal->key, nonce, closing) &&
	       EVP_CipherUpdate(context, NULL, &ignored, (const unsigned char *)setting,
				(int)strlen(setting)) &&
	       EVP_CipherUpdate(context, out, &written, in, (int)len) &&
	       (closing || EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_TAG, TAG_BYTES, tag)) &&
	       EVP_CipherFinal_ex(context, out + written, &ignored) &&
	       (!closing || EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_GET_TAG, TAG_BYTES, tag));
	EVP_CIPHER_CTX_free(context);
	return done;
}

char *seal_close_text(const struct seal *seal, const char *setting, const char *text)
{
	size_t len = strlen(text), prefix = strlen(PREFIX);
	unsigned char *bytes = xmalloc(len + EXTRA_BYTES);
	char *sealed = xmalloc(prefix + (len + EXTRA_BYTES + 2) / 3 * 4 + 1);

	if (RAND_bytes(bytes, NONCE_BYTES) != 1 ||
	    !run(seal, true, setting, bytes, (const unsigned char *)text, len, bytes + NONCE_BYTES,
		 bytes + NONCE_BYTES + len))
		abort(); /* an OpenSSL without randomness or AES */
	memcpy(sealed, PREFIX, prefix);
	EVP_EncodeBlock((unsigned char *)sealed + prefix, bytes, (int)(len + EXTRA_BYTES));
	free(bytes);
	return sealed;
}

bool seal_is_closed(const char *text)
{
	return strncmp(text, PREFIX, strlen(PREFIX)) == 0;
}

/* Whether the text is what these bytes are written as; bits that nothing reads may differ. */
static bool is_encoding(const char *text, const unsigned char *bytes, int count)
{
	char *again = xmalloc((size_t)count / 3 * 4 + 5);
	bool same;

	EVP_EncodeBlock((unsigned char *)again, bytes, count);
	same = strcmp(again, text) == 0;
	free(again);
	return same;
}

/* The bytes of a sealed text, how many in *len; NULL: it is not base64. */
static unsigned char *decode(const char *sealed, size_t *len)
{
	const char *text = sealed + strlen(PREFIX);
	size_t digits = strlen(text);
	unsigned char *bytes = xmalloc(digits / 4 * 3 + 1);
	int count =
		digits % 4 ? -1 : EVP_DecodeBlock(bytes, (const unsigned char *)text, (int)digits);

	for (size_t i = 1; i <= 2 && count > 0 && text[digits - i] == '='; i++)
		count--; /* EVP_DecodeBlock counts the padding as zero bytes */
	if (count < EXTRA_BYTES || !is_encoding(text, bytes, count)) {
		free(bytes);
		return NULL;
	}
	*len = (size_t)count;
	return bytes;
}

char *seal_open_text(const struct seal *seal, const char *setting, const char *sealed)
{
	size_t len;
	unsigned char *bytes = decode(sealed, &len);
	char *text;

	if (!bytes)
		return NULL;
	len -= EXTRA_BYTES;
	text = xmalloc(len + 1);
	text[len] = '\0';
	if (!run(seal, false, setting, bytes, bytes + NONCE_BYTES, len, (unsigned char *)text,
		 bytes + NONCE_BYTES + len)) {
		OPENSSL_cleanse(text, len);
		free(text);
		text = NULL;
	}
	free(bytes);
	return text;
}
