#include "provision/code.h"

#include "provision/form.h"

#include <stdio.h>
#include <string.h>

#define PIN_BYTES 32
#define PIN_CHARS 43 /* in base64url without padding */

static const char base32[] = "abcdefghijklmnopqrstuvwxyz234567";
static const char base64[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/* RFC 4648 with digits of `bits` bits each, without padding. */
static void encode(const unsigned char *bytes, size_t len, unsigned bits, const char *digits,
		   char *text)
{
	unsigned held = 0, value = 0;

	for (size_t i = 0; i < len; i++) {
		value = value << 8 | bytes[i];
		for (held += 8; held >= bits; held -= bits)
			*text++ = digits[value >> (held - bits) & ((1U << bits) - 1)];
		value &= (1U << held) - 1;
	}
	if (held)
		*text++ = digits[value << (bits - held)];
	*text = '\0';
}

/* The digits must be those that encode would write: the bits left over are zero. */
static bool decode(const char *text, size_t chars, unsigned bits, const char *digits,
		   unsigned char *bytes)
{
	unsigned held = 0, value = 0;

	for (size_t i = 0; i < chars; i++) {
		const char *digit = text[i] ? strchr(digits, text[i]) : NULL;

		if (!digit)
			return false;
		value = value << bits | (unsigned)(digit - digits);
		held += bits;
		if (held >= 8) {
			held -= 8;
			*bytes++ = (unsigned char)(value >> held);
		}
		value &= (1U << held) - 1;
	}
	return value == 0;
}

static void pin_to_bytes(const char *pin, unsigned char bytes[PIN_BYTES])
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < PIN_BYTES; i++)
		bytes[i] = (unsigned char)((strchr(digits, pin[2 * i]) - digits) << 4 |
					   (strchr(digits, pin[2 * i + 1]) - digits));
}

static void bytes_to_pin(const unsigned char bytes[PIN_BYTES], char *pin)
{
	for (size_t i = 0; i < PIN_BYTES; i++)
		snprintf(pin + 2 * i, 3, "%02x", bytes[i]);
}

void code_secret(const unsigned char random[CODE_SECRET_BYTES], char secret[CODE_SECRET_CHARS + 1])
{
	encode(random, CODE_SECRET_BYTES, 5, base32, secret);
}

void code_write(const struct pairing_code *code, char text[CODE_TEXT_BYTES])
{
	unsigned char bytes[PIN_BYTES];
	char pin[PIN_CHARS + 1];

	pin_to_bytes(code->pin, bytes);
	encode(bytes, PIN_BYTES, 6, base64, pin);
	snprintf(text, CODE_TEXT_BYTES, "%s@%s/%s/%s", code->node, code->address, pin,
		 code->secret);
}

/* Up to the separator, which is skipped; false: it is not there, or that is too much. */
static bool take(const char **text, char separator, char *out, size_t size)
{
	const char *end = separator ? strchr(*text, separator) : *text + strlen(*text);
	size_t len = end ? (size_t)(end - *text) : 0;

	if (!end || len >= size)
		return false;
	memcpy(out, *text, len);
	out[len] = '\0';
	*text = end + 1;
	return true;
}

static bool refuse(const char **why, const char *reason)
{
	*why = reason;
	return false;
}

bool code_read(const char *text, struct pairing_code *code, const char **why)
{
	struct pairing_code read;
	char pin[PIN_CHARS + 1], ip[FORM_ENDPOINT_BYTES + 1];
	unsigned char bytes[PIN_BYTES];
	uint16_t port;

	if (!take(&text, '@', read.node, sizeof(read.node)) || !form_is_name(read.node))
		return refuse(why, "does not begin with a node's name and '@'");
	if (!take(&text, '/', read.address, sizeof(read.address)) ||
	    !form_endpoint(read.address, ip, &port))
		return refuse(why, "is cut off or changed: no address and port behind the name");
	if (!take(&text, '/', pin, sizeof(pin)) || strlen(pin) != PIN_CHARS ||
	    !decode(pin, PIN_CHARS, 6, base64, bytes))
		return refuse(why, "is cut off or changed: no whole fingerprint behind the "
				   "address");
	bytes_to_pin(bytes, read.pin);
	if (!take(&text, '\0', read.secret, sizeof(read.secret)) ||
	    strlen(read.secret) != CODE_SECRET_CHARS ||
	    !decode(read.secret, CODE_SECRET_CHARS, 5, base32, bytes))
		return refuse(why, "is cut off or changed: no whole secret at its end");
	*code = read;
	return true;
}
