/*
 * The fates that a link tells its peer, put together until they are written: one <l:fate/> for
 * each origin, fate and failure, with its numbers as ranges. All zero is empty. No I/O.
 */
#ifndef XMPP_LINK_FATES_H
#define XMPP_LINK_FATES_H

#include "base/buffer.h"
#include "xmpp/link_session.h"

/* More kinds at a time are seldom, and then some go out earlier. */
#define LINK_FATES_KINDS 32

struct link_fate_kind;
struct link_fates {
	struct link_fate_kind *kinds; /* LINK_FATES_KINDS of them, or NULL: none */
	size_t count;
};

/* Writes to `out` what there is no more room for. */
void link_fates_add(struct link_fates *fates, struct buffer *out, const char *origin,
		    uint64_t number, enum link_fate fate, enum failure failure);
void link_fates_write(struct link_fates *fates, struct buffer *out);
void link_fates_finish(struct link_fates *fates);

/* The name of a fate on the wire; `*fate` is touched only when it is one. */
bool link_fate_read(struct slice name, enum link_fate *fate);

#endif
