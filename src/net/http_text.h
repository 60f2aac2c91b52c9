/*
 * What strangers write into the head of a request beyond what evhttp reads: query, cookies, and
 * percent signs in both. Strict: what is not written as it should be is not there. No I/O.
 */
#ifndef NET_HTTP_TEXT_H
#define NET_HTTP_TEXT_H

#include "base/slice.h"

#include <stdbool.h>
#include <stddef.h>

/* Percent signs undone (RFC 3986 2.1). False, and nothing written: a broken one, a NUL, or more
 * than fits with its end. */
bool http_decode(struct slice text, char *out, size_t size);

/* The first parameter of that name in a query, "a=b&c=d", where + is a space. `query` may be NULL.
 * False: there is none, or it cannot be read. */
bool http_query(const char *query, const char *name, char *out, size_t size);

/* The first cookie of that name in a header (RFC 6265 4.2.1); `header` may be NULL. Lent by it. */
bool http_cookie(const char *header, const char *name, struct slice *value);

/* Whether a list such as that of If-None-Match or Accept-Encoding has the word; parameters behind
 * a semicolon and what is a weak entity tag's are passed over. */
bool http_list_has(const char *header, const char *word);

#endif
