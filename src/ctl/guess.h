/* What somebody may have meant who mistyped a command. No I/O. */
#ifndef CTL_GUESS_H
#define CTL_GUESS_H

#include <stddef.h>

/* The words of a command that differ from these by a slip or two; NULL: nothing is near. */
const char *guess_command(const char *const *words, size_t count);

#endif
