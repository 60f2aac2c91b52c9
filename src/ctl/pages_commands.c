#include "ctl/grammar.h"
#include "ctl/pages.h"
#include "tables/events.h"

#include <ctype.h>

/* A run of an argument's form: KEY= and words as they are typed, what stands for something in
 * capitals, or what lies between. */
static size_t run_len(const char *text)
{
	size_t len = 0;

	while (isalnum((unsigned char)text[len]) || text[len] == '-' || text[len] == ':')
		len++;
	return text[len] == '=' ? len + 1 : len;
}

static void arguments_roff(struct buffer *out, const char *text)
{
	while (*text) {
		size_t len = run_len(text);

		if (!len) {
			buffer_append(out, text++, 1);
			continue;
		}
		buffer_append_text(out, isupper((unsigned char)*text) ? "\\fI" : "\\fB");
		for (size_t i = 0; i < len; i++)
			buffer_printf(out, text[i] == '-' ? "\\%c" : "%c", text[i]);
		buffer_append_text(out, "\\fR");
		text += len;
	}
}

void pages_commands_roff(struct buffer *out)
{
	for (size_t i = 0; i < commands_count; i++) {
		const struct command *command = &commands[i];

		if (command->section)
			buffer_printf(out, ".SS %s\n", command->section);
		buffer_append_text(out, ".TP\n\\fB");
		pages_roff_text(out, command->words);
		buffer_printf(out, "\\fR%s", *command->arguments ? " " : "");
		arguments_roff(out, command->arguments);
		buffer_printf(out, "\n%c", toupper((unsigned char)command->help[0]));
		pages_roff_text(out, command->help + 1);
		buffer_append_text(out, ".\n");
		if (command->more) {
			pages_roff_text(out, command->more);
			buffer_append_text(out, "\n");
		}
	}
}

static void offer(struct buffer *row, size_t begin, struct slice word)
{
	buffer_printf(row, "%s%.*s", buffer_len(row) > begin ? " " : "", SLICE_ARGS(word));
}

static void offer_modules(struct buffer *row, size_t begin)
{
	for (size_t i = 0; i < EVENT_MODULE_COUNT; i++)
		offer(row, begin, slice_of(event_module_name((enum event_module)i)));
}

/* What stands for something: NAME is a setting's where `setting` says so. */
static void offer_meant(struct buffer *row, size_t begin, struct slice word, bool setting)
{
	if (slice_is(word, "FILE"))
		offer(row, begin, slice_of("@file"));
	else if (slice_is(word, "MODULE"))
		offer_modules(row, begin);
	else if (setting && (slice_is(word, "NAME") || slice_is(word, "PREFIX")))
		offer(row, begin, slice_of("@setting"));
	else if (setting && slice_is(word, "VALUE"))
		offer(row, begin, slice_of("@values"));
}

/* One of `a|b|C`, or of what follows the key in `key=a|b|C`. */
static void offer_choice(struct buffer *row, size_t begin, struct slice key, struct slice word,
			 bool setting)
{
	bool meant = word.len && isupper((unsigned char)*word.data);

	if (key.len)
		buffer_printf(row, "%s%.*s%.*s", buffer_len(row) > begin ? " " : "",
			      SLICE_ARGS(key), meant ? 0 : (int)word.len, word.data);
	else if (meant)
		offer_meant(row, begin, word, setting);
	else
		offer(row, begin, word);
}

static void offer_arguments(struct buffer *row, const char *text, bool setting)
{
	size_t begin = buffer_len(row);
	struct slice key = { 0 };

	while (*text) {
		size_t len = run_len(text);

		if (!len) {
			if (*text++ == ' ')
				key = (struct slice){ 0 };
			continue;
		}
		if (text[len - 1] == '=' && islower((unsigned char)*text)) {
			key = (struct slice){ text, len };
		} else if (text[len - 1] != '=') {
			offer_choice(row, begin, key, (struct slice){ text, len }, setting);
		} else {
			key = (struct slice){ 0 };
		}
		text += len;
	}
}

void pages_commands_rows(struct buffer *out, const struct pages_shell *shell)
{
	for (size_t i = 0; i < commands_count; i++) {
		const struct command *command = &commands[i];
		struct buffer row = { 0 };

		buffer_printf(&row, "%s\t%s\t", command->words, command->help);
		offer_arguments(&row, command->arguments,
				strncmp(command->words, "config ", 7) == 0);
		pages_row(out, &row, shell);
	}
}
