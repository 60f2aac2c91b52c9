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

/* What was written is read as what it was. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *why = NULL, *written, *again;
	struct settings_text *text =
		settings_text_read((struct slice){ (const char *)data, size }, &why);

	assert(!text == (why != NULL));
	free(why);
	if (!text)
		return 0;
	written = write_all(text);
	settings_text_destroy(&text);
	text = settings_text_read(slice_of(written), &why);
	assert(text);
	again = write_all(text);
	assert(strcmp(again, written) == 0);
	settings_text_destroy(&text);
	free(written);
	free(again);
	return 0;
}
