/*
 * What our component answers when it is addressed itself: ping, disco#info, version, and an error
 * for all else, as silence would leave a client waiting (RFC 6120 8.2.3, RFC 6121 8.5). No I/O.
 */
#ifndef XMPP_COMPONENT_ANSWERS_H
#define XMPP_COMPONENT_ANSWERS_H

#include "base/buffer.h"
#include "xmpp/stanza.h"

/* Whether `to` is at the domain `name`. Without one, too: the stream's other end is meant. */
bool component_is_asked(const struct stanza_view *stanza, const char *name);

void component_answer(struct buffer *out, const struct stanza_view *stanza);

#endif
