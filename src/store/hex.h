/* Bytes as lowercase hex digits, terminated. */
#ifndef STORE_HEX_H
#define STORE_HEX_H

#include <stddef.h>

static inline void hex_write(const unsigned char *bytes, size_t len, char *text)
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < len; i++) {
		text[2 * i] = digits[bytes[i] >> 4];
		text[2 * i + 1] = digits[bytes[i] & 15];
	}
	text[2 * len] = '\0';
}

#endif
