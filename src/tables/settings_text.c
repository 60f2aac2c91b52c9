#include "tables/settings_text.h"

#include "base/alloc.h"

#include <stdio.h>
#include <stdlib.h>

#define SHOWN_BEGINS "(secret "
#define READ_BEGINS "(secret:" /* so that it is one field */
#define BEGINS_LEN (sizeof(READ_BEGINS) - 1)
#define HERE "<<"
#define HERE_END "END"
#define HEX "0123456789abcdef"
#define BLANKS " \t\r"

/* Lines */

struct reader {
	struct slice left;
	unsigned line;
};

static bool next_line(struct reader *reader, struct slice *line)
{
	const char *end;

	if (!reader->left.len)
		return false;
	end = memchr(reader->left.data, '\n', reader->left.len);
	line->data = reader->left.data;
	line->len = end ? (size_t)(end - line->data) : reader->left.len;
	reader->left.data += line->len + (end ? 1 : 0);
	reader->left.len -= line->len + (end ? 1 : 0);
	reader->line++;
	return true;
}

static struct slice trim(struct slice text)
{
	while (text.len && strchr(BLANKS, text.data[0])) {
		text.data++;
		text.len--;
	}
	while (text.len && strchr(BLANKS, text.data[text.len - 1]))
		text.len--;
	return text;
}

static bool begins_here(struct slice text)
{
	return text.len > strlen(HERE) && strncmp(text.data, HERE, strlen(HERE)) == 0;
}

/* Writing */

static void write_field(struct buffer *out, const struct setting_field *field, struct slice text,
			settings_fingerprint_fn *fingerprint)
{
	char digits[SETTINGS_TEXT_DIGITS + 1], *secret;

	if (!field_is_secret(field)) {
		buffer_append_slice(out, text);
		return;
	}
	secret = xstrndup(text.data, text.len);
	fingerprint(secret, digits);
	explicit_bzero(secret, text.len);
	free(secret);
	buffer_printf(out, SHOWN_BEGINS "%s)", digits);
}

static bool has_line(struct slice text, const char *wanted)
{
	struct reader reader = { .left = text };
	struct slice line;

	while (next_line(&reader, &line)) {
		if (slice_is(trim(line), wanted))
			return true;
	}
	return false;
}

static void write_here(struct buffer *out, struct slice text)
{
	char word[sizeof(HERE_END) + 12] = HERE_END;

	for (unsigned i = 1; has_line(text, word); i++)
		snprintf(word, sizeof(word), HERE_END "%u", i);
	buffer_printf(out, HERE "%s\n", word);
	buffer_append_slice(out, text);
	if (text.len && text.data[text.len - 1] != '\n')
		buffer_append_text(out, "\n");
	buffer_printf(out, "%s\n", word);
}

/* Whether it would be read as something else, if it stood behind the name. */
static bool needs_here(struct slice text)
{
	return !text.len || trim(text).len != text.len || memchr(text.data, '\n', text.len) ||
	       begins_here(text);
}

static void write_entry(struct buffer *out, const struct setting *setting, const char *entry,
			settings_fingerprint_fn *fingerprint)
{
	struct slice fields[SETTING_FIELDS_MAX], text;
	size_t count = setting_split(setting, entry, fields);
	struct buffer shown = { 0 };

	for (size_t i = 0; i < count && i < setting->fields_count; i++) {
		if (i)
			buffer_append_text(&shown, " ");
		write_field(&shown, &setting->fields[i], fields[i], fingerprint);
	}
	text = (struct slice){ buffer_data(&shown), buffer_len(&shown) };
	buffer_printf(out, "%s = ", setting->name);
	if (needs_here(text)) {
		write_here(out, text);
	} else {
		buffer_append_slice(out, text);
		buffer_append_text(out, "\n");
	}
	buffer_finish(&shown);
}

void settings_text_write(struct buffer *out, const struct setting *setting,
			 const struct setting_value *value, settings_fingerprint_fn *fingerprint)
{
	if (!value->count)
		buffer_printf(out, "%s =\n", setting->name);
	for (size_t i = 0; i < value->count; i++)
		write_entry(out, setting, value->entries[i], fingerprint);
}

/* Reading */

struct named {
	unsigned line; /* of its first entry; 0: it is not named */
	struct setting_value value;
	size_t size;
};

struct settings_text {
	struct named *named; /* by place in the settings table */
};

static void add(struct named *named, char *entry)
{
	if (named->value.count == named->size) {
		named->size = named->size ? 2 * named->size : 4;
		named->value.entries = xrealloc(named->value.entries, named->size * sizeof(char *));
	}
	named->value.entries[named->value.count++] = entry;
}

/* "(secret 1a2b3c4d)" becomes one field. */
static void join_secrets(char *entry)
{
	for (char *at = entry; (at = strstr(at, SHOWN_BEGINS)); at += BEGINS_LEN) {
		const char *digits = at + BEGINS_LEN;

		if (strspn(digits, HEX) == SETTINGS_TEXT_DIGITS &&
		    digits[SETTINGS_TEXT_DIGITS] == ')')
			at[BEGINS_LEN - 1] = ':';
	}
}

/* The lines up to one that is the word, each with its end, but for one alone; NULL: no such line.
 */
static char *read_here(struct reader *reader, struct slice word)
{
	unsigned before = reader->line;
	struct buffer out = { 0 };
	struct slice line;

	while (next_line(reader, &line)) {
		if (slice_equals(trim(line), word)) {
			if (reader->line == before + 2 && buffer_len(&out) > 1)
				out.end--;
			return buffer_take_text(&out);
		}
		buffer_append_slice(&out, line);
		buffer_append_text(&out, "\n");
	}
	buffer_finish(&out);
	return NULL;
}

static char *read_entry(struct reader *reader, struct slice text, char **why)
{
	unsigned begun = reader->line;
	char *entry;

	if (begins_here(text)) {
		text.data += strlen(HERE);
		text.len -= strlen(HERE);
		entry = read_here(reader, text);
	} else {
		entry = xstrndup(text.data, text.len);
	}
	if (entry)
		join_secrets(entry);
	else
		*why = xasprintf("line %u: no line '%.*s' ends what begins here", begun,
				 SLICE_ARGS(text));
	return entry;
}

static const struct setting *find(struct slice name)
{
	for (size_t i = 0; i < settings_count; i++) {
		if (slice_is(name, settings[i].name))
			return &settings[i];
	}
	return NULL;
}

/* What does not look like a name may be a line of a key, and is not repeated. */
static char *refuse_name(const struct reader *reader, struct slice name)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyz0123456789._";
	char *text = xstrndup(name.data, name.len);
	bool is_name = name.len && strspn(text, letters) == name.len;
	char *why = xasprintf("line %u: %s: no such setting", reader->line,
			      is_name ? text : "what is before =");

	explicit_bzero(text, name.len);
	free(text);
	return why;
}

static bool take_line(struct settings_text *text, struct reader *reader, struct slice line,
		      char **why)
{
	const char *equals = memchr(line.data, '=', line.len);
	struct slice name, value;
	const struct setting *setting;
	struct named *named;
	char *entry;

	if (!equals) {
		*why = xasprintf("line %u: not `name = value`", reader->line);
		return false;
	}
	name = trim((struct slice){ line.data, (size_t)(equals - line.data) });
	value = trim((struct slice){ equals + 1, line.len - (size_t)(equals + 1 - line.data) });
	setting = find(name);
	if (!setting) {
		*why = refuse_name(reader, name);
		return false;
	}
	named = &text->named[setting - settings];
	if (named->line && (setting->shape == SETTING_ONE || !value.len || !named->value.count)) {
		*why = xasprintf("line %u: %s: it is there already, in line %u", reader->line,
				 setting->name, named->line);
		return false;
	}
	if (!named->line)
		named->line = reader->line;
	if (!value.len)
		return true;
	entry = read_entry(reader, value, why);
	if (entry)
		add(named, entry);
	return entry != NULL;
}

/* 0: there is none. */
static unsigned line_with_nul(struct slice bytes)
{
	const char *nul = memchr(bytes.data ? bytes.data : "", '\0', bytes.len);
	unsigned line = 1;

	for (const char *c = bytes.data; nul && c < nul; c++)
		line += *c == '\n';
	return nul ? line : 0;
}

struct settings_text *settings_text_read(struct slice bytes, char **why)
{
	unsigned nul = line_with_nul(bytes);
	struct settings_text *text = xcalloc(1, sizeof(*text));
	struct reader reader = { .left = bytes };
	struct slice line;
	bool read = !nul;

	if (nul)
		*why = xasprintf("line %u: a NUL byte", nul);
	text->named = xcalloc(settings_count, sizeof(*text->named));
	while (read && next_line(&reader, &line)) {
		line = trim(line);
		if (line.len && line.data[0] != '#')
			read = take_line(text, &reader, line, why);
	}
	if (!read)
		settings_text_destroy(&text);
	return text;
}

void settings_text_destroy(struct settings_text **text_ref)
{
	struct settings_text *text = *text_ref;

	if (!text)
		return;
	*text_ref = NULL;
	for (size_t i = 0; i < settings_count; i++)
		setting_value_finish(&text->named[i].value);
	free(text->named);
	free(text);
}

const struct setting_value *settings_text_value(const struct settings_text *text,
						const struct setting *setting, unsigned *line)
{
	const struct named *named = &text->named[setting - settings];

	*line = named->line;
	return named->line ? &named->value : NULL;
}

bool settings_text_is_secret(struct slice field, char fingerprint[SETTINGS_TEXT_DIGITS + 1])
{
	if (field.len != BEGINS_LEN + SETTINGS_TEXT_DIGITS + 1 ||
	    strncmp(field.data, READ_BEGINS, BEGINS_LEN) != 0 || field.data[field.len - 1] != ')')
		return false;
	memcpy(fingerprint, field.data + BEGINS_LEN, SETTINGS_TEXT_DIGITS);
	fingerprint[SETTINGS_TEXT_DIGITS] = '\0';
	return strspn(fingerprint, HEX) == SETTINGS_TEXT_DIGITS;
}
