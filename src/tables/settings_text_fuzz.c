#include "tables/settings_text.h"

#include "base/alloc.h"

#include <assert.h>
#include <stdlib.h>

static void fingerprint(const char *secret, char digits[SETTINGS_TEXT_DIGITS + 1])
{
	memcpy(digits, "0a0b0c0d", SETTINGS_TEXT_DIGITS + 1);
}

static char *write_all(const struct settings_text *text)
{
	struct buffer out = { 0 };

	for (size_t i = 0; i < settings_count; i++) {
		unsigned line;
		const struct setting_value *value = settings_text_value(text, &settings[i], &line);

		if (value)
			settings_text_write(&out, &settings[i], value, fingerprint);
	}
	return buffer_take_text(&out);
}

/* What was written can be read. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *why = NULL, *written;
	struct settings_text *text =
		settings_text_read((struct slice){ (const char *)data, size }, &why);

	if (text) {
		written = write_all(text);
		settings_text_destroy(&text);
		free(written);
	}
	free(why);
	return 0;
}
