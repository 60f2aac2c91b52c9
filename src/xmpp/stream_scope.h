/*
 * The namespace declarations in force where the stream reader is, or where a view of what it has
 * read is looked into; and the values decoded for that view. No I/O.
 */
#ifndef XMPP_STREAM_SCOPE_H
#define XMPP_STREAM_SCOPE_H

#include "xmpp/stream_text.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

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
