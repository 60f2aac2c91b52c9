/*
 * What XML is made of, for the stream reader and the views it lends: characters, references,
 * tags, pieces of content, and the namespace bindings in force. Knows nothing of streams and
 * keeps no input. No I/O.
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
size_t xml_char(const char *at, const char *end, uint32_t *c);

/* The reference at `at`, which holds '&': its length; 0 when broken off, XML_BAD with trouble. */
size_t xml_reference(const char *at, const char *end, uint32_t *c, struct xml_trouble *trouble);

/* First byte of at..end that is not plain text: markup, '&', '>', a control or non-ASCII. */
const char *xml_skip_plain(const char *at, const char *end);
static inline bool xml_is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

enum xml_form { XML_VALUE, XML_TEXT, XML_CDATA };
/* What valid bytes mean, with line ends and values normalised (XML 2.11, 3.3.3): never longer
 * than `raw`. The length written. */
size_t xml_decode(struct slice raw, enum xml_form form, char *out);

/*
 * Whether the name is one to XML 1.0 before its fifth edition too. expat has stayed there, and
 * with it most servers: another name would cost the next hop its stream.
 */
bool xml_name_is_common(struct slice name);

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

/* A namespace declaration; offsets are from `kept`, or where that is NULL from the scope's base. */
struct xml_binding {
	const char *kept;
	uint32_t prefix, uri, uri_len;
	uint32_t up; /* place of the one declared before it on the way to the root */
	uint16_t prefix_len;
	bool is_used; /* for who copies */
};

struct xml_chunk;

/*
 * The namespace declarations in force, and decoded values for as long as a view lives. A *place*
 * is one more than a binding's index; from there the chain of `up` leads to the stream's header.
 */
struct xml_scope {
	const char *content_ns;
	const char *base;  /* the element's first byte; moves with the reader's buffer */
	struct slice lang; /* the header's; absent: data == NULL */
	struct xml_binding *bindings;
	size_t count, room;
	size_t header_count; /* the first are the stream header's */
	struct xml_chunk *chunks, *header_chunks;
	struct xml_binding first[6]; /* enough for most; more are allocated */
};

void xml_scope_init(struct xml_scope *scope, const char *content_ns);
void xml_scope_finish(struct xml_scope *scope);
/* Forgets all but the header's. */
void xml_scope_clear(struct xml_scope *scope);
/* What is in force now is the stream header's: copied, for its bytes go. */
void xml_scope_keep_header(struct xml_scope *scope, const struct xml_tag *tag);

/* Adds a start tag's declarations in front of *place, which moves. Clears tag->is_canonical for
 * those that may not be forwarded as they are. */
bool xml_scope_enter(struct xml_scope *scope, struct xml_tag *tag, size_t *place,
		     struct xml_trouble *trouble);
/* The prefix's namespace, and which binding gives it (0: "xml"). False: not bound. */
bool xml_scope_find(const struct xml_scope *scope, size_t place, struct slice prefix,
		    struct slice *uri, size_t *found);
/* The namespace of an element's name: empty when there is none. */
struct slice xml_scope_element_ns(const struct xml_scope *scope, size_t place,
				  const struct xml_tag *tag);
struct slice xml_binding_prefix(const struct xml_scope *scope, size_t place);
struct slice xml_binding_uri(const struct xml_scope *scope, size_t place);

bool xml_is_declaration(const struct xml_attribute *attribute);
/* An attribute's value decoded, living as long as the scope's chunks. */
struct slice xml_value(struct xml_scope *scope, const struct xml_attribute *attribute);
/* jabber:server, jabber:client, jabber:component:accept or the stream namespace itself. */
bool xml_is_stream_ns(struct slice uri);

/* Fills all of *view but is_canonical; `lang` is what it inherits. */
void xml_view(struct stanza_view *view, struct xml_scope *scope, size_t place,
	      const struct xml_tag *tag, struct slice bytes, struct slice lang);

#endif
