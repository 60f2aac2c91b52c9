#include "process/value_text.h"

#include "base/alloc.h"
#include "store/secret.h"

#include <stdlib.h>

#define ENTRIES_MAX 5 /* of a list in one line */

static void add_field(struct buffer *out, const struct setting_field *field, struct slice text)
{
	char fingerprint[SECRET_FINGERPRINT_DIGITS + 1], *copy;

	if (!field_is_secret(field) && field->kind != FIELD_PEM) {
		buffer_append_slice(out, text);
		return;
	}
	copy = xstrndup(text.data, text.len);
	secret_fingerprint(copy, fingerprint);
	buffer_printf(out, "(set, fingerprint %s)", fingerprint);
	memset(copy, 0, text.len);
	free(copy);
}

static void add_entry(struct buffer *out, const struct setting *setting, const char *entry)
{
	struct slice fields[SETTING_FIELDS_MAX];
	size_t count = setting_split(setting, entry, fields);

	for (size_t i = 0; i < count; i++) {
		if (i)
			buffer_append_text(out, " ");
		add_field(out, &setting->fields[i], fields[i]);
	}
}

static const char *nothing(const struct setting *setting)
{
	return setting->shape == SETTING_ONE ? "(not set)" : "(none)";
}

void value_text_lines(struct buffer *out, const struct setting *setting,
		      const struct setting_value *value)
{
	if (!value->count)
		buffer_printf(out, "%s = %s\n", setting->name, nothing(setting));
	for (size_t i = 0; i < value->count; i++) {
		buffer_printf(out, "%s = ", setting->name);
		add_entry(out, setting, value->entries[i]);
		buffer_append_text(out, "\n");
	}
}

void value_text_line(struct buffer *out, const struct setting *setting,
		     const struct setting_value *value)
{
	if (!value->count)
		buffer_append_text(out, nothing(setting));
	if (value->count > ENTRIES_MAX) {
		buffer_printf(out, "(%zu entries)", value->count);
		return;
	}
	for (size_t i = 0; i < value->count; i++) {
		if (i)
			buffer_append_text(out, ", ");
		add_entry(out, setting, value->entries[i]);
	}
}
