/* What was accepted must be accepted again, as it is: the store reads it so at its next start. */
#include "base/alloc.h"
#include "store/check.h"
#include "store/record.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* One for all: made at the first call. */
static const struct seal *the_seal(void)
{
	static struct seal *seal;
	char folder[] = "/tmp/check-fuzz-XXXXXX", path[64], *why = NULL;

	if (seal)
		return seal;
	if (!mkdtemp(folder))
		abort();
	snprintf(path, sizeof(path), "%s/key", folder);
	seal = seal_open(path, true, &why);
	if (!seal || unlink(path) < 0 || rmdir(folder) < 0)
		abort();
	return seal;
}

static void stays_as_it_is(const struct setting *setting, const struct setting_value *value)
{
	struct setting_value again, stored;
	char *text = record_write(the_seal(), setting, value), *why = NULL;

	if (!record_read(the_seal(), setting, text, &stored))
		abort();
	if (!setting_read(setting, (const char *const *)stored.entries, stored.count, &again, &why))
		abort();
	if (!check_value(setting, &again, &why) || !setting_value_equals(value, &again))
		abort();
	setting_value_finish(&stored);
	setting_value_finish(&again);
	free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	const struct setting *setting;
	struct setting_value words, value;
	char *text, *why = NULL;

	if (!len)
		return 0;
	setting = &settings[bytes[0] % settings_count];
	text = xstrndup((const char *)bytes + 1, len - 1); /* entries, as a column holds them */
	record_read(NULL, NULL, text, &words);
	if (setting_read(setting, (const char *const *)words.entries, words.count, &value, &why)) {
		if (check_value(setting, &value, &why))
			stays_as_it_is(setting, &value);
		setting_value_finish(&value);
	}
	setting_value_finish(&words);
	free(why);
	free(text);
	return 0;
}
