#include "admin/settings_json.h"

#include "base/alloc.h"
#include "ctl/protocol.h"
#include "tables/settings_text.h"

#include <stdlib.h>

static json_t *field_json(const struct setting_field *field, struct slice text)
{
	char fingerprint[SETTINGS_TEXT_DIGITS + 1];
	json_t *value;
	char *copy;

	if (field_is_secret(field))
		return json_pack("{s:s}", "secret",
				 settings_text_is_secret(text, fingerprint) ? fingerprint : "");
	if (field->kind == FIELD_FLAG)
		return json_boolean(slice_is(text, "on"));
	if (field->kind != FIELD_INTEGER)
		return protocol_string(text);
	copy = xstrndup(text.data, text.len);
	value = json_integer(strtoll(copy, NULL, 10));
	free(copy);
	return value;
}

static json_t *entry_json(const struct setting *setting, const char *entry)
{
	struct slice fields[SETTING_FIELDS_MAX];
	size_t count = setting_split(setting, entry, fields);
	json_t *object;

	if (setting->shape != SETTING_RECORDS)
		return field_json(&setting->fields[0], slice_of(entry));
	object = json_object();
	for (size_t i = 0; i < count; i++)
		json_object_set_new(object, setting->fields[i].name,
				    field_json(&setting->fields[i], fields[i]));
	return object;
}

static json_t *value_json(const struct setting *setting, const struct setting_value *value)
{
	json_t *list;

	if (setting->shape == SETTING_ONE)
		return value->count ? entry_json(setting, value->entries[0]) : json_null();
	list = json_array();
	for (size_t i = 0; i < value->count; i++)
		json_array_append_new(list, entry_json(setting, value->entries[i]));
	return list;
}

static const char *kind_name(const struct setting_field *field)
{
	switch (field->kind) {
	case FIELD_FLAG:
		return "flag";
	case FIELD_CHOICE:
		return "choice";
	case FIELD_INTEGER:
		return "integer";
	case FIELD_SECRET:
	case FIELD_PRIVATE_KEY:
		return "secret";
	default:
		return "text";
	}
}

/* What one may write in a field: an integer's limits, a choice's choices. */
static void add_limits(json_t *object, const struct setting_field *field)
{
	json_t *choices = json_array();

	if (field->kind == FIELD_INTEGER) {
		json_object_set_new(object, "least", json_integer(field->min));
		json_object_set_new(object, "most", json_integer(field->max));
	}
	for (size_t i = 0; i < nitems(field->choices) && field->choices[i]; i++)
		json_array_append_new(choices, json_string(field->choices[i]));
	if (json_array_size(choices))
		json_object_set(object, "choices", choices);
	json_decref(choices);
}

static json_t *record_fields_json(const struct setting *setting)
{
	json_t *list = json_array();

	for (size_t i = 0; i < setting->fields_count; i++) {
		const struct setting_field *field = &setting->fields[i];
		json_t *object = json_pack("{s:s, s:s, s:b}", "name", field->name, "kind",
					   kind_name(field), "optional", field->optional);

		add_limits(object, field);
		json_array_append_new(list, object);
	}
	return list;
}

static json_t *setting_json(const struct setting *setting, const struct setting_value *value)
{
	static const char *const effects[] = {
		[EFFECT_AT_ONCE] = "at once", [EFFECT_NEW_STREAMS] = "new streams"
	};
	const struct setting_field *field = &setting->fields[0];
	bool is_records = setting->shape == SETTING_RECORDS;
	json_t *object = json_object();
	struct setting_value otherwise;

	setting_default(setting, &otherwise);
	json_object_set_new(object, "name", json_string(setting->name));
	json_object_set_new(object, "value", value_json(setting, value));
	json_object_set_new(object, "default", value_json(setting, &otherwise));
	json_object_set_new(object, "kind", json_string(is_records ? "records" : kind_name(field)));
	if (is_records) {
		json_object_set_new(object, "fields", record_fields_json(setting));
	} else {
		if (field->kind == FIELD_INTEGER)
			json_object_set_new(object, "unit",
					    json_string(setting->unit ? setting->unit : ""));
		add_limits(object, field);
	}
	json_object_set_new(object, "effect", json_string(effects[setting->effect]));
	json_object_set_new(object, "internal", json_boolean(setting->internal));
	json_object_set_new(object, "help", json_string(setting->help));
	setting_value_finish(&otherwise);
	return object;
}

json_t *settings_json(struct slice values, const char *name)
{
	char *why = NULL;
	struct settings_text *text = settings_text_read(values, &why);
	json_t *list = text ? json_array() : NULL;

	for (size_t i = 0; list && i < settings_count; i++) {
		unsigned line;
		const struct setting_value *value = settings_text_value(text, &settings[i], &line);

		if (value && (!name || strcmp(settings[i].name, name) == 0))
			json_array_append_new(list, setting_json(&settings[i], value));
	}
	settings_text_destroy(&text);
	free(why);
	if (list && !json_array_size(list)) {
		json_decref(list);
		list = NULL;
	}
	return list;
}
