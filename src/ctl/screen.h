/*
 * Text for a terminal: what came from a peer must not move its cursor, change its title or turn
 * its letters round. No I/O.
 */
#ifndef CTL_SCREEN_H
#define CTL_SCREEN_H

#include "base/slice.h"

#include <stdbool.h>

/*
 * A terminated copy, freed by the caller, in which each control character but newline and tab,
 * C1 ones and those of text direction included, is a '?'. The text is UTF-8.
 */
char *screen_text(struct slice text);

/* Each line cut to so many columns, but for those that say what is wrong; the caller's. */
char *screen_cut(const char *text, size_t columns);
/* A status in colour: its verdict, and the lines that say what is wrong; the caller's. */
char *screen_coloured(const char *text, bool wrong);

#endif
