#include "tables/settings.h"

#include "base/alloc.h"
#include "base/buffer.h"
#include "tables/events.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <stdlib.h>

#define NAME_BYTES 63
#define U_LABELS_BYTES 1024 /* of a domain not yet prepared; then 253 is the limit */
#define SECRET_BYTES 256
#define WORD_BYTES 128
#define PIN_DIGITS 64
#define DIGITS "0123456789"
#define LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"

typedef bool check_fn(const struct setting_field *field, const char *text);

static bool check_flag(const struct setting_field *field, const char *text)
{
	return strcmp(text, "on") == 0 || strcmp(text, "off") == 0;
}

static bool check_choice(const struct setting_field *field, const char *text)
{
	for (size_t i = 0; i < nitems(field->choices) && field->choices[i]; i++) {
		if (strcmp(field->choices[i], text) == 0)
			return true;
	}
	return false;
}

/* Decimal digits only, without leading zeros, so that equal numbers are equal texts. */
static bool read_number(const char *text, int64_t min, int64_t max)
{
	size_t len = strlen(text);
	int64_t number;

	if (len == 0 || len > 18 || strspn(text, DIGITS) != len || (text[0] == '0' && len > 1))
		return false;
	number = strtoll(text, NULL, 10);
	return number >= min && number <= max;
}

static bool check_integer(const struct setting_field *field, const char *text)
{
	return read_number(text, field->min, field->max);
}

static bool check_word(const struct setting_field *field, const char *text)
{
	size_t len = strlen(text);

	for (size_t i = 0; i < len; i++) {
		if (text[i] <= ' ' || text[i] >= 0x7f)
			return false;
	}
	return len > 0 && len <= WORD_BYTES;
}

/* RFC 9562 4, in the lower case that it prefers. */
static bool check_uuid(const struct setting_field *field, const char *text)
{
	static const char form[] = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";

	if (strlen(text) != sizeof(form) - 1)
		return false;
	for (size_t i = 0; form[i]; i++) {
		if (form[i] == '-' ? text[i] != '-' : !strchr("0123456789abcdef", text[i]))
			return false;
	}
	return true;
}

static bool check_secret(const struct setting_field *field, const char *text)
{
	size_t len = strlen(text);

	for (size_t i = 0; i < len; i++) {
		if ((unsigned char)text[i] <= ' ' || text[i] == 0x7f)
			return false;
	}
	return len >= (size_t)field->min && len <= SECRET_BYTES;
}

static bool check_name(const struct setting_field *field, const char *text)
{
	size_t len = strlen(text);

	return len > 0 && len <= NAME_BYTES && strspn(text, LETTERS DIGITS "-.") == len &&
	       text[0] != '-' && text[0] != '.';
}

/* What no domain can hold; the rest is settled when it is prepared (policy/domain.h). */
static bool check_domain(const struct setting_field *field, const char *text)
{
	size_t len = strlen(text);

	for (size_t i = 0; i < len; i++) {
		if ((unsigned char)text[i] <= ' ' || strchr("\"&'/<>@\\*", text[i]))
			return false;
	}
	return len > 0 && len <= U_LABELS_BYTES;
}

static bool is_address(const char *text, unsigned *bits)
{
	unsigned char bytes[16];

	*bits = 32;
	if (inet_pton(AF_INET, text, bytes) == 1)
		return true;
	*bits = 128;
	return inet_pton(AF_INET6, text, bytes) == 1;
}

static bool check_address(const struct setting_field *field, const char *text)
{
	unsigned bits;

	return is_address(text, &bits);
}

static bool check_network(const struct setting_field *field, const char *text)
{
	const char *slash = strchr(text, '/');
	char address[INET6_ADDRSTRLEN];
	unsigned bits;

	if (!slash || (size_t)(slash - text) >= sizeof(address))
		return false;
	memcpy(address, text, (size_t)(slash - text));
	address[slash - text] = '\0';
	return is_address(address, &bits) && read_number(slash + 1, 0, bits);
}

static bool check_endpoint(const struct setting_field *field, const char *text)
{
	const char *colon = strrchr(text, ':');
	char address[INET6_ADDRSTRLEN + 2];
	size_t len = colon ? (size_t)(colon - text) : 0;
	unsigned bits;

	if (strcmp(text, "-") == 0)
		return true;
	if (!len || len >= sizeof(address) || !read_number(colon + 1, 1, 65535))
		return false;
	memcpy(address, text, len);
	address[len] = '\0';
	if (address[0] != '[')
		return is_address(address, &bits) && bits == 32;
	if (address[len - 1] != ']')
		return false;
	address[len - 1] = '\0';
	return is_address(address + 1, &bits) && bits == 128;
}

static bool check_pin(const struct setting_field *field, const char *text)
{
	return strlen(text) == PIN_DIGITS && strspn(text, DIGITS "abcdef") == PIN_DIGITS;
}

static bool check_pem(const struct setting_field *field, const char *text)
{
	for (const char *c = text; *c; c++) {
		if ((unsigned char)*c < ' ' && !strchr("\n\r\t", *c))
			return false;
	}
	return strstr(text, "-----BEGIN ") != NULL;
}

static bool check_module(const struct setting_field *field, const char *text)
{
	for (enum event_module module = 0; module < EVENT_MODULE_COUNT; module++) {
		if (strcmp(event_module_name(module), text) == 0)
			return true;
	}
	return false;
}

static const struct {
	check_fn *check;
	const char *what; /* NULL: it depends on the field */
	bool secret;
} kinds[] = {
	[FIELD_FLAG] = { check_flag, "on or off" },
	[FIELD_CHOICE] = { check_choice, NULL },
	[FIELD_INTEGER] = { check_integer, NULL },
	[FIELD_SECRET] = { check_secret, NULL, true },
	[FIELD_NAME] = { check_name, "a name of letters, digits, hyphens and dots, at most 63" },
	[FIELD_WORD] = { check_word, "a word of printable ASCII, at most 128 characters" },
	[FIELD_UUID] = { check_uuid, "a UUID in lower case" },
	[FIELD_DOMAIN] = { check_domain, "a domain" },
	[FIELD_HOST] = { check_domain, "a domain or an IP address" },
	[FIELD_ADDRESS] = { check_address, "an IP address" },
	[FIELD_NETWORK] = { check_network, "a network such as 192.0.2.0/24" },
	[FIELD_ENDPOINT] = { check_endpoint,
			     "an address and port such as 192.0.2.1:7400 or [2001:db8::1]:7400, "
			     "or -" },
	[FIELD_PIN] = { check_pin, "64 hexadecimal digits in lower case" },
	[FIELD_PEM] = { check_pem, "certificates in PEM" },
	[FIELD_PRIVATE_KEY] = { check_pem, "a private key in PEM", true },
	[FIELD_MODULE] = { check_module, "a module of the log" },
};

bool field_is_secret(const struct setting_field *field)
{
	return kinds[field->kind].secret;
}

/* "a number between 4 and 256" */
static void describe(struct buffer *out, const struct setting_field *field)
{
	switch (field->kind) {
	case FIELD_CHOICE:
		for (size_t i = 0; i < nitems(field->choices) && field->choices[i]; i++)
			buffer_printf(out, i ? ", %s" : "one of %s", field->choices[i]);
		break;
	case FIELD_INTEGER:
		buffer_printf(out, "a number between %" PRId64 " and %" PRId64, field->min,
			      field->max);
		break;
	case FIELD_SECRET:
		buffer_printf(out, "of %" PRId64 " to %d characters without white space",
			      field->min, SECRET_BYTES);
		break;
	default:
		buffer_append_text(out, kinds[field->kind].what);
	}
}

char *setting_refusal(const struct setting *setting, const struct setting_field *field,
		      struct slice text)
{
	struct buffer out = { 0 };

	buffer_printf(&out, "%s: ", setting->name);
	if (field->name)
		buffer_printf(&out, "%s ", field->name);
	if (field_is_secret(field) || field->kind == FIELD_PEM)
		buffer_append_text(&out, "what was given is not ");
	else
		buffer_printf(&out, "'%.*s' is not ", SLICE_ARGS(text));
	describe(&out, field);
	return buffer_take_text(&out);
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

size_t setting_split(const struct setting *setting, const char *entry,
		     struct slice fields[SETTING_FIELDS_MAX])
{
	size_t count = 0;

	for (size_t i = 0; i < SETTING_FIELDS_MAX; i++)
		fields[i] = (struct slice){ 0 };
	if (setting->shape != SETTING_RECORDS) {
		fields[0] = slice_of(entry);
		return 1;
	}
	for (;;) {
		const char *start;

		while (is_blank(*entry))
			entry++;
		if (!*entry)
			return count;
		for (start = entry; *entry && !is_blank(*entry);)
			entry++;
		if (count < SETTING_FIELDS_MAX)
			fields[count] = (struct slice){ start, (size_t)(entry - start) };
		count++;
	}
}

static bool read_field(const struct setting *setting, const struct setting_field *field,
		       struct slice text, struct buffer *out, char **why)
{
	char *copy = xstrndup(text.data, text.len);
	bool fits = kinds[field->kind].check(field, copy);

	if (!fits)
		*why = setting_refusal(setting, field, text);
	buffer_append_slice(out, text);
	free(copy);
	return fits;
}

static size_t fields_needed(const struct setting *setting)
{
	size_t needed = setting->fields_count;

	while (needed && setting->fields[needed - 1].optional)
		needed--;
	return needed;
}

/* "nodes: a row is NAME ROLE ADDRESS PIN" */
static char *row_refusal(const struct setting *setting)
{
	struct buffer out = { 0 };

	buffer_printf(&out, "%s: a row is", setting->name);
	for (size_t i = 0; i < setting->fields_count; i++)
		buffer_printf(&out, setting->fields[i].optional ? " [%s]" : " %s",
			      setting->fields[i].name);
	return buffer_take_text(&out);
}

static bool read_entry(const struct setting *setting, const char *word, char **entry, char **why)
{
	struct slice fields[SETTING_FIELDS_MAX];
	size_t count;
	struct buffer out = { 0 };

	if (strlen(word) > SETTING_ENTRY_BYTES) {
		*why = xasprintf("%s: longer than %d bytes", setting->name, SETTING_ENTRY_BYTES);
		return false;
	}
	count = setting_split(setting, word, fields);
	if (count < fields_needed(setting) || count > setting->fields_count) {
		*why = row_refusal(setting);
		return false;
	}
	for (size_t i = 0; i < count; i++) {
		if (i)
			buffer_append_text(&out, " ");
		if (!read_field(setting, &setting->fields[i], fields[i], &out, why)) {
			buffer_finish(&out);
			return false;
		}
	}
	*entry = buffer_take_text(&out);
	return true;
}

bool setting_read(const struct setting *setting, const char *const *words, size_t count,
		  struct setting_value *value, char **why)
{
	size_t max = setting->shape == SETTING_ONE ? 1 : SETTING_ENTRIES_MAX;
	struct setting_value read = { 0 };

	if (count > max) {
		*why = xasprintf("%s: %zu values where at most %zu may be", setting->name, count,
				 max);
		return false;
	}
	read.entries = xcalloc(count ? count : 1, sizeof(*read.entries));
	for (; read.count < count; read.count++) {
		if (!read_entry(setting, words[read.count], &read.entries[read.count], why)) {
			setting_value_finish(&read);
			return false;
		}
	}
	*value = read;
	return true;
}

void setting_default(const struct setting *setting, struct setting_value *value)
{
	*value = (struct setting_value){ .entries = xcalloc(1, sizeof(*value->entries)) };
	if (setting->otherwise)
		value->entries[value->count++] = xstrdup(setting->otherwise);
}

bool setting_value_equals(const struct setting_value *a, const struct setting_value *b)
{
	if (a->count != b->count)
		return false;
	for (size_t i = 0; i < a->count; i++) {
		if (strcmp(a->entries[i], b->entries[i]) != 0)
			return false;
	}
	return true;
}

void setting_value_copy(const struct setting_value *from, struct setting_value *to)
{
	*to = (struct setting_value){ xcalloc(from->count ? from->count : 1, sizeof(char *)),
				      from->count };
	for (size_t i = 0; i < from->count; i++)
		to->entries[i] = xstrdup(from->entries[i]);
}

/* Any of them may be a secret. */
static void wipe(char *entry)
{
	explicit_bzero(entry, strlen(entry));
	free(entry);
}

void setting_value_finish(struct setting_value *value)
{
	for (size_t i = 0; i < value->count; i++)
		wipe(value->entries[i]);
	free(value->entries);
	*value = (struct setting_value){ 0 };
}
