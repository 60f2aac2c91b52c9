/*
 * What is said in the SSH subsystem `pairing`, both sides. JSON lines:
 *
 *	core: {"type":"hello","protocol":1,"release":"0.1.0","node":"core-a","role":"core",
 *	       "link_pin":HEX,"ssh_pin":HEX}
 *	edge: {"type":"offer", the same about itself, "link_address":"192.0.2.1:7400",
 *	       "axl":{"port":8443,"user":"core-a","password":"...","pin":HEX}}   (axl: a home only)
 *	core: {"type":"stored"}		it has pinned the other
 *	edge: {"type":"done"}		so has the other: the code is used up
 *	either: {"type":"refused","why":"..."} instead of the next step, and the end
 *
 * An address whose host is "-" means: the one that was dialled. The side that dials stores first,
 * and takes it back when the other does not come to `done`. No I/O.
 */
#ifndef PROVISION_PAIRING_H
#define PROVISION_PAIRING_H

#include "base/buffer.h"

#include <stdbool.h>

#define PAIRING_LINE_BYTES 4096

struct pairing_self {
	char *node, *role, *link_pin, *ssh_pin; /* hex */
	char *link_address;			/* NULL on who dials */
	unsigned axl_port;			/* 0: no AXL service here */
	char *axl_user;				/* NULL: as the other is named */
	char *axl_password, *axl_pin;
};
void pairing_self_finish(struct pairing_self *self); /* wipes the password */

enum pairing_event_type {
	PAIRING_NONE,
	PAIRING_STORE, /* pin `other`, then say pairing_stored */
	PAIRING_UNDO,  /* what was stored is not to stay */
	PAIRING_DONE,
	PAIRING_FAILED, /* `why`, for both operators */
};
struct pairing_event {
	enum pairing_event_type type;
	const struct pairing_self *other; /* of STORE, DONE; lent until destroyed */
	const char *why;
};

struct pairing;
/* `self` is copied. `dials`: the core's side. `expected_node`: who the code names, NULL on the
 * accepting side. */
struct pairing *pairing_create(const struct pairing_self *self, bool dials,
			       const char *expected_node);
void pairing_destroy(struct pairing **pairing);
void pairing_feed(struct pairing *pairing, struct slice bytes);
void pairing_stored(struct pairing *pairing, bool stored, const char *why);
void pairing_closed(struct pairing *pairing, const char *why); /* the tunnel ended */
struct pairing_event pairing_next(struct pairing *pairing);
struct buffer *pairing_output(struct pairing *pairing); /* the driver sends and consumes it */

#endif
