#include "base/log_escape.h"

#include <stdint.h>
#include <stdio.h>

/* The length of the UTF-8 sequence at `s`, and its code point; 0 if there is none (RFC 3629). */
static size_t utf8_decode(struct slice s, uint32_t *point)
{
	const unsigned char *b = (const unsigned char *)s.data;
	size_t len = b[0] < 0x80 ? 1 : b[0] >> 5 == 6 ? 2 : b[0] >> 4 == 14 ? 3 : 4;
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };

	if (len == 4 && b[0] >> 3 != 30)
		return 0;
	if (len > s.len)
		return 0;
	*point = len == 1 ? b[0] : b[0] & (0x7fu >> len);
	for (size_t i = 1; i < len; i++) {
		if ((b[i] & 0xc0) != 0x80)
			return 0;
		*point = *point << 6 | (b[i] & 0x3fu);
	}
	if (*point < least[len] || *point > 0x10ffff || (*point >= 0xd800 && *point < 0xe000))
		return 0;
	return len;
}

/* What could end the line, or make a terminal or a reader see another text than is there. */
static bool is_unsafe(uint32_t point)
{
	return point < 0x20 || (point >= 0x7f && point < 0xa0) ||
	       (point >= 0x200b && point <= 0x200f) || (point >= 0x2028 && point <= 0x202e) ||
	       (point >= 0x2060 && point <= 0x206f) || point == 0xfeff || point == 0x061c ||
	       (point >= 0xfff9 && point <= 0xfffb) || point >= 0xe0000;
}

/* Most of all text: how many bytes stand for themselves. */
static size_t plain(struct slice text, size_t most)
{
	size_t len = 0;

	while (len < text.len && len < most && text.data[len] >= ' ' && text.data[len] <= '~' &&
	       text.data[len] != '"' && text.data[len] != '\\')
		len++;
	return len;
}

size_t log_escape(char *out, size_t size, struct slice text, bool quotes)
{
	size_t used = 0;

	while (text.len) {
		char piece[16];
		uint32_t point = 0;
		size_t len = plain(text, size - used - strlen(LOG_ESCAPE_CUT));
		int n;

		if (len) {
			memcpy(out + used, text.data, len);
			used += len;
			text.data += len;
			text.len -= len;
			continue;
		}
		len = utf8_decode(text, &point);

		if (!len)
			n = snprintf(piece, sizeof(piece), "\\x%02x", (unsigned char)text.data[0]);
		else if (quotes && (point == '"' || point == '\\'))
			n = snprintf(piece, sizeof(piece), "\\%c", (int)point);
		else if (is_unsafe(point))
			n = snprintf(piece, sizeof(piece), point > 0xffff ? "\\U%08x" : "\\u%04x",
				     point);
		else
			n = snprintf(piece, sizeof(piece), "%.*s", (int)len, text.data);
		if (used + (size_t)n + strlen(LOG_ESCAPE_CUT) > size) {
			memcpy(out + used, LOG_ESCAPE_CUT, strlen(LOG_ESCAPE_CUT));
			return used + strlen(LOG_ESCAPE_CUT);
		}
		memcpy(out + used, piece, (size_t)n);
		used += (size_t)n;
		text.data += len ? len : 1;
		text.len -= len ? len : 1;
	}
	return used;
}

bool log_is_safe(struct slice text)
{
	while (text.len) {
		bool is_ascii = *text.data >= ' ' && *text.data < 0x7f; /* most of it */
		uint32_t point = 0;
		size_t len = is_ascii ? 1 : utf8_decode(text, &point);

		if (!len || (!is_ascii && is_unsafe(point)))
			return false;
		text.data += len;
		text.len -= len;
	}
	return true;
}
