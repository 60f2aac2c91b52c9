#include "ctl/pages.h"

#include "base/alloc.h"
#include "tables/settings.h"

#include <ctype.h>
#include <inttypes.h>

static const struct {
	const char *one, *many; /* as a sentence begins */
} kinds[] = {
	[FIELD_FLAG] = { "on or off", "on, off" },
	[FIELD_SECRET] = { "A secret", "secrets" },
	[FIELD_NAME] = { "A name", "names" },
	[FIELD_WORD] = { "A word", "words" },
	[FIELD_UUID] = { "A UUID", "UUIDs" },
	[FIELD_DOMAIN] = { "A domain", "domains" },
	[FIELD_HOST] = { "A domain or an IP address", "domains and IP addresses" },
	[FIELD_ADDRESS] = { "An IP address", "IP addresses" },
	[FIELD_NETWORK] = { "A network, such as 192.0.2.0/24", "networks, such as 192.0.2.0/24" },
	[FIELD_ENDPOINT] = { "An address and port, such as 192.0.2.1:7400",
			     "addresses and ports, such as 192.0.2.1:7400" },
	[FIELD_PIN] = { "The SHA-256 of a public key in hex", "SHA-256 of public keys in hex" },
	[FIELD_PEM] = { "Certificates in PEM", "certificates in PEM" },
	[FIELD_PRIVATE_KEY] = { "A private key in PEM", "private keys in PEM" },
	[FIELD_MODULE] = { "A module of the log", "modules of the log" },
};

static void choices(struct buffer *out, const struct setting_field *field)
{
	for (size_t i = 0; i < nitems(field->choices) && field->choices[i]; i++) {
		buffer_append_text(out, i ? ", " : "");
		pages_roff_text(out, field->choices[i]);
	}
}

static void form_one(struct buffer *out, const struct setting *row)
{
	const struct setting_field *field = &row->fields[0];

	if (field->kind == FIELD_CHOICE)
		choices(out, field);
	else if (field->kind == FIELD_INTEGER)
		buffer_printf(out, "%" PRId64 " to %" PRId64 " %s", field->min, field->max,
			      row->unit);
	else
		pages_roff_text(out, kinds[field->kind].one);
	if (field->kind == FIELD_SECRET)
		buffer_printf(out, " of %" PRId64 " to 256 characters", field->min);
	if (row->otherwise) {
		buffer_append_text(out, "; default ");
		pages_roff_text(out, row->otherwise);
	} else if (field->kind == FIELD_SECRET) {
		buffer_append_text(out,
				   row->random ? "; default made at random" : "; default none");
	}
}

static void form_records(struct buffer *out, const struct setting *row)
{
	buffer_append_text(out, "Rows:");
	for (size_t i = 0; i < row->fields_count; i++) {
		const struct setting_field *field = &row->fields[i];

		buffer_printf(out, " %s", field->optional ? "[" : "");
		pages_roff_text(out, field->name);
		buffer_append_text(out, field->optional ? "]" : "");
		if (field->kind != FIELD_CHOICE && field->kind != FIELD_FLAG)
			continue;
		buffer_append_text(out, " (");
		if (field->kind == FIELD_CHOICE)
			choices(out, field);
		else
			buffer_append_text(out, kinds[FIELD_FLAG].many);
		buffer_append_text(out, ")");
	}
}

static void form_list(struct buffer *out, const struct setting *row)
{
	buffer_append_text(out, "A list of ");
	if (row->fields[0].kind == FIELD_CHOICE)
		choices(out, &row->fields[0]);
	else
		pages_roff_text(out, kinds[row->fields[0].kind].many);
}

static void roles(struct buffer *out, unsigned roles)
{
	static const struct {
		unsigned role;
		const char *name;
	} names[] = { { ROLE_EDGE, "edge" }, { ROLE_CORE, "core" }, { ROLE_HOME, "home" } };
	const char *between = "";

	if (roles == ROLE_ALL)
		return;
	buffer_append_text(out, "Only on ");
	for (size_t i = 0; i < nitems(names); i++) {
		if (!(roles & names[i].role))
			continue;
		buffer_printf(out, "%s%s", between, names[i].name);
		between = " and ";
	}
	buffer_append_text(out, " nodes.\n");
}

static void setting_roff(struct buffer *out, const struct setting *row)
{
	buffer_append_text(out, ".TP\n.B ");
	pages_roff_text(out, row->name);
	buffer_append_text(out, "\n");
	if (row->shape == SETTING_ONE)
		form_one(out, row);
	else if (row->shape == SETTING_LIST)
		form_list(out, row);
	else
		form_records(out, row);
	buffer_printf(out, ".\n%c", toupper((unsigned char)row->help[0]));
	pages_roff_text(out, row->help + 1);
	buffer_append_text(out, ".\n");
	if (row->reason) {
		buffer_append_text(out, "The limits: ");
		pages_roff_text(out, row->reason);
		buffer_append_text(out, ".\n");
	}
	roles(out, row->roles);
}

void pages_settings_roff(struct buffer *out)
{
	for (size_t i = 0; i < settings_count; i++) {
		if (!settings[i].internal)
			setting_roff(out, &settings[i]);
	}
}

void pages_settings_rows(struct buffer *out, const struct pages_shell *shell)
{
	for (size_t i = 0; i < settings_count; i++) {
		const struct setting_field *field = &settings[i].fields[0];
		struct buffer row = { 0 };

		if (settings[i].internal)
			continue;
		buffer_printf(&row, "%s\t", settings[i].name);
		if (settings[i].shape == SETTING_ONE && field->kind == FIELD_FLAG)
			buffer_append_text(&row, "on off");
		for (size_t c = 0; c < nitems(field->choices) && field->choices[c] &&
				   settings[i].shape != SETTING_RECORDS;
		     c++)
			buffer_printf(&row, "%s%s", c ? " " : "", field->choices[c]);
		pages_row(out, &row, shell);
	}
}
