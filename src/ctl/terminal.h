/*
 * What a stream of ours is: a terminal of some width, with or without colours, or a file. And how
 * somebody who waits at one is told so.
 */
#ifndef CTL_TERMINAL_H
#define CTL_TERMINAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

struct terminal {
	bool is; /* one at all */
	bool colour;
	size_t columns; /* 0: not known */
};

/* Colours: on a terminal that has them, unless NO_COLOR is set and not empty. */
struct terminal terminal_look(FILE *stream);

/* On standard error, once a second: a line that counts on a terminal, now and then one in a file.
 */
void terminal_say_waiting(unsigned seconds);
void terminal_end_waiting(void); /* the counting line goes */

#endif
