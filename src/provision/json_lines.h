/*
 * JSON lines between nodes: what arrives is cut into lines and read strictly (an object, no key
 * twice, valid UTF-8 without NUL, nesting and values bounded). All zero is an empty reader. No
 * I/O.
 */
#ifndef PROVISION_JSON_LINES_H
#define PROVISION_JSON_LINES_H

#include "base/buffer.h"

#include <jansson.h>
#include <stdbool.h>

#define JSON_LINES_DEPTH_MAX 16	     /* a status in a line is nested four deep */
#define JSON_LINES_VALUES_MAX 200000 /* about what 4 MiB of a status have */

struct json_lines {
	struct buffer bytes;
	size_t searched; /* bytes without an end of line */
};

enum json_lines_result {
	JSON_LINES_MORE, /* no whole line */
	JSON_LINES_OBJECT,
	JSON_LINES_BROKEN,
};

/* An object is the caller's. BROKEN: *why completes "a line ..."; there is no going on. */
enum json_lines_result json_lines_next(struct json_lines *lines, size_t limit, json_t **object,
				       const char **why);
void json_lines_finish(struct json_lines *lines);

/* Takes the object. */
void json_lines_write(struct buffer *out, json_t *object);
/* Whole numbers from 0 up; strings. False, NULL: not there or something else. */
bool json_lines_number(const json_t *object, const char *key, uint64_t *number);
const char *json_lines_string(const json_t *object, const char *key);
/* A string of ours that may quote somebody: what is not UTF-8 becomes '?'. */
json_t *json_lines_text(const char *text);

#endif
