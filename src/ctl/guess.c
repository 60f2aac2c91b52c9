#include "ctl/guess.h"

#include "base/alloc.h"
#include "ctl/grammar.h"

#include <stdlib.h>
#include <string.h>

#define WORD_MAX 32 /* bytes; no command is so long */

static size_t least(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* Letters to change, add, leave out or swap with their neighbour (Damerau and Levenshtein). */
static size_t distance(const char *a, const char *b)
{
	size_t rows[WORD_MAX + 1][WORD_MAX + 1];
	size_t a_len = strlen(a), b_len = strlen(b);

	for (size_t i = 0; i <= a_len; i++)
		rows[i][0] = i;
	for (size_t j = 0; j <= b_len; j++)
		rows[0][j] = j;
	for (size_t i = 1; i <= a_len; i++) {
		for (size_t j = 1; j <= b_len; j++) {
			size_t cost = a[i - 1] != b[j - 1];
			size_t best = least(rows[i - 1][j] + 1, rows[i][j - 1] + 1);

			best = least(best, rows[i - 1][j - 1] + cost);
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
				best = least(best, rows[i - 2][j - 2] + 1);
			rows[i][j] = best;
		}
	}
	return rows[a_len][b_len];
}

/* As many of the words as the command has, with a space between; NULL: too few, or too long. */
static char *typed(const char *const *words, size_t count, const char *command)
{
	size_t wanted = 1;
	char *text;

	for (const char *c = command; *c; c++)
		wanted += *c == ' ';
	if (wanted > count)
		return NULL;
	text = xstrdup(words[0]);
	for (size_t i = 1; i < wanted; i++) {
		char *longer = xasprintf("%s %s", text, words[i]);

		free(text);
		text = longer;
	}
	if (strlen(text) > WORD_MAX) {
		free(text);
		return NULL;
	}
	return text;
}

const char *guess_command(const char *const *words, size_t count)
{
	const char *found = NULL;
	size_t best = SIZE_MAX;

	for (size_t i = 0; i < commands_count; i++) {
		const char *command = commands[i].words;
		char *text = typed(words, count, command);
		size_t far = text ? distance(text, command) : SIZE_MAX;

		/* a slip in three letters, two at most */
		if (text && far < best && far <= least(strlen(text) / 3, 2)) {
			best = far;
			found = command;
		}
		free(text);
	}
	return found;
}
