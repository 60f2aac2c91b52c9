/*
 * A slice: bytes that somebody else owns, with their length; not terminated. Plain data.
 * An absent value (an attribute that was not there) has data == NULL; an empty one has not.
 */
#ifndef BASE_SLICE_H
#define BASE_SLICE_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

struct slice {
	const char *data;
	size_t len;
};

/* For printf("%.*s", SLICE_ARGS(s)). */
#define SLICE_ARGS(s) (int)(s).len, ((s).data ? (s).data : "")

static inline struct slice slice_of(const char *text)
{
	return (struct slice){ text, text ? strlen(text) : 0 };
}

static inline bool slice_equals(struct slice a, struct slice b)
{
	return a.len == b.len && (a.len == 0 || memcmp(a.data, b.data, a.len) == 0);
}

static inline bool slice_is(struct slice s, const char *text)
{
	return s.data != NULL && s.len == strlen(text) && memcmp(s.data, text, s.len) == 0;
}

#endif
