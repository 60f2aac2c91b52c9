#include "store/record.h"

#include "base/alloc.h"
#include "base/buffer.h"

#include <openssl/crypto.h>
#include <stdlib.h>

#define SEPARATOR '\x1e' /* ASCII's own: record separator */

static void wipe(char *text)
{
	OPENSSL_cleanse(text, strlen(text));
	free(text);
}

static char *join(const struct setting_value *value)
{
	struct buffer out = { 0 };

	for (size_t i = 0; i < value->count; i++) {
		if (i)
			buffer_append(&out, (const char[]){ SEPARATOR }, 1);
		buffer_append_text(&out, value->entries[i]);
	}
	return buffer_take_text(&out);
}

static void split(const char *text, struct setting_value *value)
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

char *record_write(const struct seal *seal, const struct setting *setting,
		   const struct setting_value *value)
{
	char *text = join(value), *sealed;

	if (!setting_is_secret(setting) || !value->count)
		return text;
	sealed = seal_close_text(seal, setting->name, text);
	wipe(text);
	return sealed;
}

bool record_read(const struct seal *seal, const struct setting *setting, const char *text,
		 struct setting_value *value)
{
	char *opened;

	if (!setting || !setting_is_secret(setting) || !seal_is_closed(text)) {
		split(text, value);
		return true;
	}
	opened = seal_open_text(seal, setting->name, text);
	if (!opened)
		return false;
	split(opened, value);
	wipe(opened);
	return true;
}
