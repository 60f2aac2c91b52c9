#include "store/record.h"

#include "base/alloc.h"
#include "base/buffer.h"

#define SEPARATOR '\x1e' /* ASCII's own: record separator */

char *record_join(const struct setting_value *value)
{
	struct buffer out = { 0 };

	for (size_t i = 0; i < value->count; i++) {
		if (i)
			buffer_append(&out, (const char[]){ SEPARATOR }, 1);
		buffer_append_text(&out, value->entries[i]);
	}
	return buffer_take_text(&out);
}

void record_split(const char *text, struct setting_value *value)
{
	size_t count = *text ? 1 : 0;

	for (const char *c = text; *c; c++)
		count += *c == SEPARATOR;
	*value = (struct setting_value){ .entries = xcalloc(count ? count : 1, sizeof(char *)) };
	while (value->count < count) {
		size_t len = strcspn(text, (const char[]){ SEPARATOR, '\0' });

		value->entries[value->count++] = xstrndup(text, len);
		text += len + 1;
	}
}
