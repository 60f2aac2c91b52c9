#include "net/http_text.h"

#include <stdint.h>
#include <string.h>

static int digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* The byte that begins at *at, which is moved behind it; -1: it cannot be read. */
static int next_byte(struct slice text, size_t *at)
{
	char c = text.data[(*at)++];
	int high, low;

	if (c != '%')
		return (unsigned char)c;
	if (text.len - *at < 2)
		return -1;
	high = digit(text.data[(*at)++]);
	low = digit(text.data[(*at)++]);
	return high < 0 || low < 0 ? -1 : high * 16 + low;
}

static bool decode(struct slice text, bool form, char *out, size_t size)
{
	size_t len = 0;

	for (size_t at = 0; at < text.len;) {
		bool plus = form && text.data[at] == '+';
		int byte = next_byte(text, &at);

		if (byte <= 0 || ++len >= size)
			return false;
		if (out)
			out[len - 1] = plus ? ' ' : (char)byte;
	}
	if (out)
		out[len] = '\0';
	return size > 0;
}

bool http_decode(struct slice text, char *out, size_t size)
{
	return decode(text, false, NULL, size) && decode(text, false, out, size);
}

bool http_query(const char *query, const char *name, char *out, size_t size)
{
	size_t name_len = strlen(name);

	while (query && *query) {
		size_t len = strcspn(query, "&");

		if (len > name_len && query[name_len] == '=' &&
		    memcmp(query, name, name_len) == 0) {
			struct slice text = { query + name_len + 1, len - name_len - 1 };

			return decode(text, true, NULL, size) && decode(text, true, out, size);
		}
		query += len;
		query += *query == '&';
	}
	return false;
}

bool http_cookie(const char *header, const char *name, struct slice *value)
{
	size_t name_len = strlen(name);

	while (header && *header) {
		size_t len;

		header += strspn(header, " \t;");
		len = strcspn(header, ";");
		if (len > name_len && header[name_len] == '=' &&
		    memcmp(header, name, name_len) == 0) {
			*value = (struct slice){ header + name_len + 1, len - name_len - 1 };
			while (value->len && strchr(" \t", value->data[value->len - 1]))
				value->len--;
			return true;
		}
		header += len;
	}
	return false;
}

bool http_list_has(const char *header, const char *word)
{
	while (header && *header) {
		size_t len, word_len = strlen(word);

		header += strspn(header, " \t,");
		if (strncmp(header, "W/", 2) == 0)
			header += 2;
		len = strcspn(header, ",; \t");
		if (len == word_len && memcmp(header, word, len) == 0)
			return true;
		header += strcspn(header, ",");
	}
	return false;
}
