/*
 * Memory. Every function here aborts when memory runs out, so callers never check; what a peer
 * can make grow is bounded elsewhere, by limits with names.
 */
#ifndef BASE_ALLOC_H
#define BASE_ALLOC_H

#include <stddef.h>

#define nitems(array) (sizeof(array) / sizeof((array)[0]))

void *xmalloc(size_t size);
void *xcalloc(size_t count, size_t size); /* zeroed */
void *xrealloc(void *old, size_t size);
char *xstrdup(const char *text);	       /* NULL gives NULL */
char *xstrndup(const char *bytes, size_t len); /* terminated copy */
char *xasprintf(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
