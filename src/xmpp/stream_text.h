/*
 * What XML is made of, for the stream reader and the views it lends: characters, references,
 * tags, pieces of content. Knows nothing of namespaces nor of streams, and keeps nothing. No I/O.
 */
#ifndef XMPP_STREAM_TEXT_H
#define XMPP_STREAM_TEXT_H

#include "xmpp/stream_reader.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct xml_trouble {
	enum stream_error error;
	const char *why;
};
/* Always false, so that it can be returned at once. */
bool xml_fail(struct xml_trouble *trouble, enum stream_error error, const char *why);
bool xml_fail_nwf(struct xml_trouble *trouble, const char *why);

/* One character: its length; 0 when it is broken off, XML_BAD when it is not UTF-8 or not a Char.
 */
#define XML_BAD ((size_t)-1)
#define XML_CHAR_BYTES 4 /* the longest */
size_t xml_char(const char *at, const char *end, uint32_t *c);

/* The reference at `at`, which holds '&': its length; 0 when broken off, XML_BAD with trouble. */
size_t xml_reference(const char *at, const char *end, uint32_t *c, struct xml_trouble *trouble);

/* First byte of at..end to be looked at in text: '<', '&', '>', a control, or a character beyond
 * ASCII that is broken off or wrong. */
const char *xml_skip_text(const char *at, const char *end);
static inline bool xml_is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

enum xml_form { XML_VALUE, XML_TEXT, XML_CDATA };
/* What valid bytes mean, with line ends and values normalised (XML 2.11, 3.3.3): never longer
 * than `raw`. The length written. */
size_t xml_decode(struct slice raw, enum xml_form form, char *out);

/* Readers join namespace and name by a character they hope is in no URI: so we let it be in none.
 */
bool xml_is_uri(struct slice uri);

#define XML_ATTRIBUTES_MAX 128 /* whatever the limits say; bounds the stack */
#define XML_NAME_MAX 65535

struct xml_attribute {
	struct slice name;  /* with prefix */
	size_t prefix;	    /* its length; 0: none */
	struct slice value; /* as written between the quotes */
	bool is_plain;	    /* and as it reads: no reference, nothing to normalise */
};

struct xml_tag {
	struct slice name; /* with prefix */
	size_t prefix;	   /* its length; 0: none */
	size_t len;	   /* from '<' to '>' */
	bool is_end, is_empty;
	bool is_canonical; /* could be forwarded, as far as a tag alone can tell */
	size_t attribute_count;
	struct xml_attribute attributes[XML_ATTRIBUTES_MAX];
};

/*
 * The tag at the beginning of `bytes`, whatever follows it. False with trouble when it is wrong,
 * and just so when it is broken off: only who knows that it is whole may believe the trouble.
 * Only names and bytes are looked at, not namespaces. limits NULL: it was read before.
 */
bool xml_tag_parse(struct slice bytes, const struct stream_limits *limits, struct xml_tag *tag,
		   struct xml_trouble *trouble);

static inline struct slice xml_prefix(struct slice name, size_t prefix)
{
	return (struct slice){ name.data, prefix };
}

static inline struct slice xml_local(struct slice name, size_t prefix)
{
	size_t skip = prefix ? prefix + 1 : 0;

	return (struct slice){ name.data + skip, name.len - skip };
}

enum xml_piece { XML_PIECE_END, XML_PIECE_TAG, XML_PIECE_TEXT, XML_PIECE_CDATA };
/* Takes the next piece off the front of `rest`, bytes that have been read before. */
enum xml_piece xml_next_piece(struct slice *rest, struct xml_tag *tag, struct slice *text);

#endif
