/*
 * Stanzas, and any other child of a stream: a view of one that was read, lent by the stream
 * reader, and a copy of our own that can be queued, forwarded and bounced. No I/O.
 *
 * A copy's bytes are canonical: they read as the same tree on any of our streams whose content
 * namespace they inherit (jabber:server, jabber:client, jabber:component:accept), whatever
 * prefixes that stream binds. xml:lang of the stream it came on is written into it.
 */
#ifndef XMPP_STANZA_H
#define XMPP_STANZA_H

#include "base/buffer.h"
#include "base/slice.h"

#include <stdbool.h>
#include <stddef.h>

enum stanza_kind { STANZA_OTHER, STANZA_MESSAGE, STANZA_PRESENCE, STANZA_IQ };

struct xml_scope;

/*
 * A well-formed element directly below the stream, or (by stanza_child) one inside it. All is
 * lent: until the next call of the reader. Values are decoded; an absent one has data == NULL.
 */
struct stanza_view {
	enum stanza_kind kind; /* OTHER unless a message, presence or iq in the content namespace */
	struct slice name;     /* without prefix */
	struct slice ns;       /* namespace URI; empty: none */
	struct slice to, from, id, type; /* attributes without prefix */
	struct slice lang;  /* xml:lang: its own, or what it inherits from the stream */
	struct slice bytes; /* the element as it arrived, from '<' to '>' */
	bool is_canonical;  /* these bytes may be forwarded as they are */
	/* the reader's own; others keep out */
	struct xml_scope *scope; /* namespace declarations in force */
	size_t place;		 /* of the innermost one */
};

/* An attribute's decoded value; ns "" or NULL: without prefix. Absent: data == NULL. */
struct slice stanza_attribute(const struct stanza_view *view, const char *name, const char *ns);
bool stanza_is(const struct stanza_view *view, const char *name, const char *ns);

/*
 * Children: start with *place = 0; false at the end. The first child of that name and namespace
 * (NULL: any). `child` must not be `view`. Costs a walk over the bytes: for small elements.
 */
bool stanza_next_child(const struct stanza_view *view, size_t *place, struct stanza_view *child);
bool stanza_child(const struct stanza_view *view, const char *name, const char *ns,
		  struct stanza_view *child);
/* The decoded text directly inside, appended to `out`. */
void stanza_text(const struct stanza_view *view, struct buffer *out);

/* A stanza of our own: one block of memory, freed by stanza_destroy. */
struct stanza {
	enum stanza_kind kind;
	/* decoded and NUL-terminated; absent: data == NULL */
	struct slice to, from, id, type, lang;
	struct slice bytes; /* canonical */
	char memory[];
};

/*
 * A copy for forwarding: the bytes themselves where they are canonical, otherwise written again
 * with every prefix declared inside. Whichever of our streams it is sent on, a second reader sees
 * each element of the content namespace in that stream's content namespace, and every other in
 * exactly the namespace it had here. NULL and *why where that cannot be had:
 *  - an element or attribute in one of the *other* stream content namespaces, for on a stream of
 *    that kind it would become native. Except jabber:client as the default namespace inside of a
 *    payload, which is how XEP-0297 forwards and XEP-0313 archives messages: no stream of ours has
 *    that content;
 *  - an element in the content namespace below a default namespace that is another's, for it
 *    could only be written by naming the content namespace. One written with a prefix, or with a
 *    declaration that changes nothing (<s:message/>), is written without;
 *  - an attribute in the content namespace, anything in the stream namespace;
 *  - more than STANZA_COPY_MAX bytes when written again.
 */
#define STANZA_COPY_MAX ((size_t)4 << 20) /* what a link between nodes takes */
struct stanza *stanza_copy(const struct stanza_view *view, const char **why);
/* A stanza of our own making: `bytes` is canonical XML of one stanza; aborts when it isn't. */
struct stanza *stanza_make(struct slice bytes);
void stanza_destroy(struct stanza **stanza);
/* Memory it takes, for limits. */
size_t stanza_cost(const struct stanza *stanza);

/* Whether its sender may be sent an error for it: not for errors and not for results
 * (RFC 6120 8.3.1, 8.2.3), and not without a sender. */
bool stanza_may_bounce(const struct stanza *stanza);
/*
 * The error for its sender (RFC 6120 8.3): addresses turned round, `type` 'cancel' or 'wait' or
 * 'auth' or 'modify', `condition` one of the defined conditions, `text` for the user.
 */
struct stanza *stanza_bounce(const struct stanza *stanza, const char *type, const char *condition,
			     const char *text);

#endif
