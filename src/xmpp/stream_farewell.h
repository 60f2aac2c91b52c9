/*
 * How streams between our nodes and to home servers end: our stream error and footer, and the
 * peer's error put in words for people (RFC 6120 4.9). No I/O.
 */
#ifndef XMPP_STREAM_FAREWELL_H
#define XMPP_STREAM_FAREWELL_H

#include "base/buffer.h"
#include "xmpp/stanza.h"

#define STREAM_CONDITION_LEN 40	 /* the longest defined one has 24 characters */
#define STREAM_FAREWELL_TEXT 200 /* of the peer's own words, in bytes: they go to a log line */

/* `condition` NULL: only the footer. `text` may be NULL; it is escaped. */
void stream_farewell_write(struct buffer *out, const char *condition, const char *text);

bool stream_farewell_is_error(const struct stanza_view *element);
/* The peer's condition, "undefined-condition" when it names none; words as "condition: text". */
void stream_farewell_read(const struct stanza_view *error, char condition[STREAM_CONDITION_LEN + 1],
			  struct buffer *words);

#endif
