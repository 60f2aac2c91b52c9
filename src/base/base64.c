#include "base/base64.h"

static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void base64_encode(struct buffer *out, struct slice bytes)
{
	const unsigned char *in = (const unsigned char *)bytes.data;
	size_t len = (bytes.len + 2) / 3 * 4;
	char *at;

	if (!bytes.len)
		return;
	at = buffer_reserve(out, len);
	for (size_t i = 0; i < bytes.len; i += 3) {
		size_t left = bytes.len - i;
		uint32_t group = (uint32_t)in[i] << 16;

		if (left > 1)
			group |= (uint32_t)in[i + 1] << 8;
		if (left > 2)
			group |= in[i + 2];
		*at++ = digits[group >> 18];
		*at++ = digits[group >> 12 & 63];
		*at++ = left > 1 ? digits[group >> 6 & 63] : '=';
		*at++ = left > 2 ? digits[group & 63] : '=';
	}
	buffer_filled(out, len);
}

/* -1: no digit. */
static int value_of(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	return c == '+' ? 62 : c == '/' ? 63 : -1;
}

/* One group of `digits_count` digits; false: one is none, or bits stand where none may. */
static bool decode_group(const char *text, size_t digits_count, unsigned char bytes[3])
{
	uint32_t group = 0;

	for (size_t i = 0; i < 4; i++) {
		int value = i < digits_count ? value_of(text[i]) : 0;

		if (value < 0)
			return false;
		group = group << 6 | (uint32_t)value;
	}
	bytes[0] = (unsigned char)(group >> 16);
	bytes[1] = (unsigned char)(group >> 8);
	bytes[2] = (unsigned char)group;
	return digits_count == 4 || (group & (digits_count == 3 ? 0xffu : 0xffffu)) == 0;
}

bool base64_decode(struct buffer *out, struct slice text)
{
	size_t before = buffer_len(out), padding = 0;

	if (text.len % 4)
		return false;
	while (padding < 2 && padding < text.len && text.data[text.len - 1 - padding] == '=')
		padding++;
	for (size_t i = 0; i < text.len; i += 4) {
		size_t count = i + 4 == text.len ? 4 - padding : 4;
		unsigned char bytes[3];

		if (!decode_group(text.data + i, count, bytes)) {
			out->end -= buffer_len(out) - before;
			if (!before)
				buffer_finish(out);
			return false;
		}
		buffer_append(out, bytes, count - 1);
	}
	return true;
}
