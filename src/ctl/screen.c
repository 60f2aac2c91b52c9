#include "ctl/screen.h"

#include "base/alloc.h"
#include "base/buffer.h"

/* The length of the control character that the text begins with; 0: it is none. */
static size_t control_at(const unsigned char *at, size_t left)
{
	if (at[0] < 0x20 || at[0] == 0x7f)
		return at[0] != '\n' && at[0] != '\t';
	if (left >= 2 && at[0] == 0xc2 && at[1] >= 0x80 && at[1] <= 0x9f)
		return 2; /* C1: U+0080 to U+009F */
	if (left >= 3 && at[0] == 0xe2 && at[1] == 0x80 &&
	    (at[2] == 0x8e || at[2] == 0x8f || (at[2] >= 0xaa && at[2] <= 0xae)))
		return 3; /* U+200E, U+200F, U+202A to U+202E */
	if (left >= 3 && at[0] == 0xe2 && at[1] == 0x81 && at[2] >= 0xa6 && at[2] <= 0xa9)
		return 3; /* U+2066 to U+2069 */
	return 0;
}

char *screen_text(struct slice text)
{
	const unsigned char *from = (const unsigned char *)text.data;
	char *clean = xmalloc(text.len + 1), *to = clean;

	for (size_t i = 0; i < text.len;) {
		size_t control = control_at(from + i, text.len - i);

		*to++ = control ? '?' : (char)from[i];
		i += control ? control : 1;
	}
	*to = '\0';
	return clean;
}

/* "! ..." and "warning: ..." of a status. */
static bool complains(const char *line)
{
	return strncmp(line, "! ", 2) == 0 || strncmp(line, "warning: ", 9) == 0;
}

/* The bytes of a line that fill at most so many columns. */
static size_t fitting(const char *line, size_t len, size_t columns)
{
	size_t at = 0, shown = 0;

	for (; at < len; at++) {
		bool starts = ((unsigned char)line[at] & 0xc0) != 0x80;

		if (starts && shown == columns)
			break;
		shown += starts;
	}
	return at;
}

char *screen_cut(const char *text, size_t columns)
{
	struct buffer out = { 0 };
	bool first = true;

	for (; *text; first = false) {
		size_t len = strcspn(text, "\n"), fits = fitting(text, len, columns);

		if (fits == len || first || complains(text) || columns < 2)
			buffer_append(&out, text, len);
		else
			buffer_printf(&out, "%.*s\xe2\x80\xa6",
				      (int)fitting(text, len, columns - 1), text);
		text += len;
		if (*text)
			buffer_append(&out, text++, 1);
	}
	return buffer_take_text(&out);
}

#define RED "\033[31m"
#define YELLOW "\033[33m"
#define GREEN "\033[32m"
#define BOLD "\033[1m"
#define PLAIN "\033[0m"

static const char *colour_of(const char *line, bool first, bool wrong, bool warned)
{
	if (first)
		return wrong ? BOLD RED : warned ? BOLD YELLOW : BOLD GREEN;
	if (complains(line))
		return *line == '!' ? RED : YELLOW;
	return NULL;
}

char *screen_coloured(const char *text, bool wrong)
{
	bool first = true, warned = strstr(text, "\nwarning: ") != NULL;
	struct buffer out = { 0 };

	for (; *text; first = false) {
		size_t len = strcspn(text, "\n");
		const char *colour = colour_of(text, first, wrong, warned);

		buffer_printf(&out, "%s%.*s%s", colour ? colour : "", (int)len, text,
			      colour ? PLAIN : "");
		text += len;
		if (*text)
			buffer_append(&out, text++, 1);
	}
	return buffer_take_text(&out);
}
