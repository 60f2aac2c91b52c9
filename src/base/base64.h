/*
 * Base64 (RFC 4648 section 4), strict: whole groups of four, padding where it belongs, nothing
 * else.
 */
#ifndef BASE_BASE64_H
#define BASE_BASE64_H

#include "base/buffer.h"

#include <stdbool.h>

void base64_encode(struct buffer *out, struct slice bytes); /* appends */
/* Appends what it stands for; false: it is not Base64, and nothing is appended. */
bool base64_decode(struct buffer *out, struct slice text);

#endif
