/*
 * Man pages and completions, made from the tables: a template is copied, and a line `@WHAT FORM@`
 * of it becomes the rows of the table WHAT in FORM. So no page can forget a command, a setting, an
 * alarm or an event, and all say the same as `sallyport help`. Used while building only. No I/O.
 *
 *	commands, settings, alarms, events, modules as roff;
 *	commands, settings as sh or fish: quoted words, for completion/
 *
 * A row of commands for a shell is "WORDS<tab>HELP<tab>OFFERS": OFFERS are the words that may stand
 * behind the command, one space between; @setting is a setting's name, @values then what it may
 * be, @file a file's name. A row of settings is "NAME<tab>CHOICES".
 */
#ifndef CTL_PAGES_H
#define CTL_PAGES_H

#include "base/buffer.h"

#include <stdbool.h>

/* False: *why names the line that asks for what is not there. */
bool pages_fill(struct buffer *out, struct slice template_text, char **why);

struct pages_shell {
	const char *quote; /* what stands for a single quote between two */
	const char *end;   /* of a row */
};

/* A file as a C source that defines `const char NAME[]`. */
void pages_embed(struct buffer *out, const char *name, struct slice text);

/* Text for people in roff: `this` is bold, hyphens are those that can be copied. */
void pages_roff_text(struct buffer *out, const char *text);

void pages_commands_roff(struct buffer *out);
void pages_commands_rows(struct buffer *out, const struct pages_shell *shell);
void pages_settings_roff(struct buffer *out);
void pages_settings_rows(struct buffer *out, const struct pages_shell *shell);
void pages_row(struct buffer *out, struct buffer *row, const struct pages_shell *shell);

#endif
