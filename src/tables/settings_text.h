/*
 * Settings as a text that people keep, compare and apply: `name = entry`, a line for each entry; a
 * name alone is a setting without one. An entry of several lines, or one that looks like syntax,
 * stands between `name = <<END` and `END` (or any other word). Blank lines and those that begin
 * with # are passed over. Secrets never stand in it: a field that is one is written
 * `(secret 1a2b3c4d)`, its fingerprint. No I/O.
 */
#ifndef TABLES_SETTINGS_TEXT_H
#define TABLES_SETTINGS_TEXT_H

#include "base/buffer.h"
#include "tables/settings.h"

#define SETTINGS_TEXT_DIGITS 8 /* of a fingerprint */

typedef void settings_fingerprint_fn(const char *secret,
				     char fingerprint[SETTINGS_TEXT_DIGITS + 1]);

void settings_text_write(struct buffer *out, const struct setting *setting,
			 const struct setting_value *value, settings_fingerprint_fn *fingerprint);

struct settings_text; /* what such a text says */
/* NULL and *why (allocated): "line 3: ...". Forms of entries are not looked at. */
struct settings_text *settings_text_read(struct slice text, char **why);
void settings_text_destroy(struct settings_text **text);
/* NULL: the text does not name it. *line is where it does. */
const struct setting_value *settings_text_value(const struct settings_text *text,
						const struct setting *setting, unsigned *line);
/* Whether a field of an entry that was read stands for a secret, by this fingerprint. */
bool settings_text_is_secret(struct slice field, char fingerprint[SETTINGS_TEXT_DIGITS + 1]);

#endif
