#include "admin/doctor_finding.h"

#include "admin/doctor.h"
#include "base/alloc.h"
#include "ctl/protocol.h"

#include <stdlib.h>
#include <string.h>

#define NUMBERS_MAX 1000 /* of symptoms; far more than there are */

/* A word to any shell: names, domains in whatever script, addresses. */
static bool is_plain(const char *subject)
{
	static const char others[] = "0123456789.-_:";
	const char *c = subject;

	for (; *c; c++) {
		bool letter = (*c | 0x20) >= 'a' && (*c | 0x20) <= 'z';

		if (!letter && (unsigned char)*c < 0x80 && !strchr(others, *c))
			return false;
	}
	return *subject && *subject != '-';
}

/* The text with {} replaced; the caller's. It is a command that people paste, and another node may
 * have said the subject. */
static char *fill_in(const char *text, const char *subject)
{
	const char *place = strstr(text, "{}");

	if (!place)
		return xstrdup(text);
	return xasprintf("%.*s%s%s", (int)(place - text), text, is_plain(subject) ? subject : "...",
			 place + 2);
}

/* Takes the text. */
static json_t *line(char *text)
{
	size_t len = strlen(text);
	json_t *string;

	if (len > DOCTOR_SEEN_BYTES) {
		len = DOCTOR_SEEN_BYTES;
		while (len && ((unsigned char)text[len] & 0xc0) == 0x80)
			len--;
	}
	for (size_t i = 0; i < len; i++) {
		if ((unsigned char)text[i] < ' ' || text[i] == 0x7f)
			text[i] = '?';
	}
	string = protocol_string((struct slice){ text, len });
	free(text);
	return string;
}

json_t *doctor_finding(enum symptom symptom, const char *node, const char *severity,
		       const char *subject, char *seen)
{
	const struct symptom_row *row = &symptom_rows[symptom];
	json_t *command = *row->command ? line(fill_in(row->command, subject)) : json_null();

	return json_pack("{s:i, s:o, s:s, s:s, s:o, s:o, s:s, s:s, s:o, s:[]}", "symptom",
			 (int)row->number, "node", line(xstrdup(node)), "severity",
			 severity ? severity : row->severity, "title", row->title, "subject",
			 line(xstrdup(subject)), "seen", line(seen), "cause", row->cause, "fix",
			 row->fix, "command", command, "consequences");
}

json_t *doctor_line(const char *text)
{
	return line(xstrdup(text));
}

enum symptom doctor_symptom(const json_t *said)
{
	json_int_t number = json_integer_value(json_object_get(said, "symptom"));

	return number > 0 && number < NUMBERS_MAX ? symptom_of((unsigned)number) : SYMPTOM_COUNT;
}
