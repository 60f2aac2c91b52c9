/*
 * The strict reader of XML streams: the subset of RFC 6120 section 11 and nothing else. UTF-8
 * only; no DTD, comment or processing instruction; the five entities and character references.
 * Whatever it accepts is unambiguous. Limits count from the first byte. Any split of the input
 * gives the same events. No I/O.
 *
 * Pulled: give it bytes, then call stream_reader_next until STREAM_MORE. After STREAM_FOOTER or
 * STREAM_ERROR nothing but STREAM_MORE comes, and what is fed is dropped. It holds the bytes of the
 * element that is not complete yet and no others, and no memory for them while idle.
 */
#ifndef XMPP_STREAM_READER_H
#define XMPP_STREAM_READER_H

#include "xmpp/stanza.h"

#include <stdbool.h>
#include <stddef.h>

/* Each bounds what one element below the stream, or the stream header, may have. */
struct stream_limits {
	size_t stanza_bytes; /* from '<' to '>', and between elements white space */
	size_t total_bytes;  /* of the whole stream since it began; 0: no limit */
	size_t depth;	     /* elements inside one another, the stanza itself is 1 */
	size_t elements;     /* the stanza and all in it */
	/* Of one element, namespace declarations included, and at most 128; four times as many
	 * declarations may be in force at once. */
	size_t attributes;
	size_t name_bytes; /* of one element's or attribute's name, with prefix */
};
extern const struct stream_limits stream_limits_before; /* defaults before authentication */
extern const struct stream_limits stream_limits_after;	/* defaults after it */

enum stream_event {
	STREAM_MORE,	/* nothing complete: feed me */
	STREAM_HEADER,	/* *element is the stream's start tag: attributes, no children */
	STREAM_ELEMENT, /* *element is a whole element below the stream */
	STREAM_FOOTER,	/* </stream:stream> */
	STREAM_ERROR,	/* see stream_reader_error */
};

/* What to tell the peer (RFC 6120 4.9.3). */
enum stream_error {
	STREAM_ERROR_NONE,
	STREAM_ERROR_RESTRICTED_XML,
	STREAM_ERROR_UNSUPPORTED_ENCODING,
	STREAM_ERROR_NOT_WELL_FORMED,
	STREAM_ERROR_POLICY_VIOLATION,
	STREAM_ERROR_INVALID_NAMESPACE,
	STREAM_ERROR_BAD_NAMESPACE_PREFIX,
};

/*
 * `content_ns`: the stream's default namespace must be this one (NS_SERVER, NS_COMPONENT).
 * Limits are copied. The stream's root must be {http://etherx.jabber.org/streams}stream.
 */
struct stream_reader *stream_reader_create(const char *content_ns,
					   const struct stream_limits *limits);
void stream_reader_destroy(struct stream_reader **reader);

/* Other limits from the next element on (after authentication). */
void stream_reader_set_limits(struct stream_reader *reader, const struct stream_limits *limits);

/* Room for up to *len bytes (raised or lowered to what there is), then how many were written
 * there: a socket can be read straight into the reader. Views become stale. */
char *stream_reader_room(struct stream_reader *reader, size_t *len);
void stream_reader_filled(struct stream_reader *reader, size_t len);
/* The same by copying. */
void stream_reader_feed(struct stream_reader *reader, const char *bytes, size_t len);

/* *element is lent until the next call of any function here but those that only look. */
enum stream_event stream_reader_next(struct stream_reader *reader,
				     const struct stanza_view **element);

/*
 * A new stream on the same connection, after TLS or SASL. Drops every byte and event not yet
 * taken: what came in clear must not be read as if it had come under TLS. Limits stay.
 */
void stream_reader_restart(struct stream_reader *reader);
/* Bytes that were read and not yet taken: after <starttls/> there must be none (RFC 6120 5.3.1). */
size_t stream_reader_pending(const struct stream_reader *reader);

/* After STREAM_ERROR: the condition, and for people what was wrong, naming the limit if one was
 * passed ("limits.depth"). */
enum stream_error stream_reader_error(const struct stream_reader *reader, const char **why);
const char *stream_error_name(enum stream_error error); /* "restricted-xml" */

#endif
