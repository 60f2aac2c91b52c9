/*
 * Our side of a component stream (XEP-0114): how a home server that serves the users is attached.
 *
 * We dial, say which component we are, prove the secret, and from then on both sides send stanzas.
 * One session is the attachment's life, not one connection's: it is opened again and again, and
 * knows at each opening what became of what was under way. No I/O, no clock, no random source:
 * the driver calls the inputs below, then pulls events until COMPONENT_NONE and writes out what
 * component_session_output holds.
 *
 * Custody. What we send is numbered by the driver, 1, 2, 3, ...; each number ends in exactly one
 * COMPONENT_DELIVERED or COMPONENT_UNCERTAIN. There are two kinds of server:
 *
 * - With mod_sallyport (namespace urn:sallyport:attach:1, prefix a): each stanza of ours travels
 *   inside <a:s n='7'>, so that the module hands it on once, and <a:r/> asks for <a:had n='7'/>.
 *   What the module sends is counted from <a:next n='1'/> on; the module keeps each stanza until
 *   <a:settled n='1-20 22'/> names it. At an opening both say where they stand,
 *
 *       module: <a:hello instance='P' peer='G' had='7' s2s='no'/>
 *       we:     <a:hello instance='G' had='22' open='21'/>
 *
 *   and go on behind that; <a:r/> behind our hello makes sure that the module knows us before we
 *   send. `peer` is the gateway it knows last, `had` up to where it has had that one's stanzas;
 *   ours says up to where we have had the module's, and `open` which of these are not settled.
 *   A module of another instance has forgotten: what its predecessor had
 *   not acknowledged is uncertain. When we are another instance, the module sends again what is
 *   open, under the numbers it has had, and its instance and number are the stanza's origin: who
 *   has had that origin knows the repeat.
 *   When `s2s` becomes another, the module says <a:status s2s='yes'/>.
 *   Stanzas to the component's own name are no remote traffic: they come without a number.
 * - Without it: after a batch we ping the home domain (XEP-0199), and its answer, an error too,
 *   says that everything before has been read. What was not so answered when a stream ends is
 *   uncertain, and what the server sent and we did not read is lost: XEP-0114 has no better.
 *
 * Which kind it is shows behind <handshake/>: the module's hello comes there, and before the answer
 * to a ping that we send at once.
 *
 * What the component itself is asked (ping, disco, ...) is answered here and not handed up.
 */
#ifndef XMPP_COMPONENT_SESSION_H
#define XMPP_COMPONENT_SESSION_H

#include "base/buffer.h"

#include <stdbool.h>
#include <stdint.h>

#define COMPONENT_INSTANCE_LEN 32 /* lowercase hex digits: 128 random bits */
#define COMPONENT_OPEN_MAX 16384  /* ranges of the module's stanzas not settled yet */
#define COMPONENT_SECONDS_STEP 15 /* for each step until ready, the TCP connection apart */
#define COMPONENT_SECONDS_QUIET                                                                    \
	15 /* then we ping; a dead peer is noticed within three of these                           \
	    */

struct component_session;
struct stanza_view;

struct component_options { /* all copied */
	const char *name;  /* of the component, as the home server's configuration has it */
	const char *secret;
	const char *home_domain;   /* which domain is pinged */
	const char *instance;	   /* of this process, COMPONENT_INSTANCE_LEN digits */
	size_t limit_stanza_bytes; /* of what we read; 0: the reader's default */
};

enum component_event_type {
	COMPONENT_NONE,	  /* nothing until the next input */
	COMPONENT_TIMER,  /* arm the session's one timer: `seconds` */
	COMPONENT_READY,  /* send now: what is not settled, from `number` on, and what is new */
	COMPONENT_STANZA, /* `stanza`, lent until the next call; `origin` and `number`, or NULL */
	COMPONENT_DELIVERED, /* ours up to `number`, and not settled yet, have been acknowledged */
	COMPONENT_UNCERTAIN, /* ours up to `number`, and not settled yet: nobody can know */
	COMPONENT_STATUS,    /* the server federates past us now, or no longer */
	COMPONENT_CLOSED,    /* send what is in the output, close the connection; `why` */
};

enum component_fault {
	COMPONENT_FAULT_NONE,	  /* the home server said good-bye, or its connection ended */
	COMPONENT_FAULT_CONFLICT, /* another gateway is connected under our name */
	COMPONENT_FAULT_SECRET,	  /* the secret is wrong */
	COMPONENT_FAULT_HOST,	  /* the server does not know the component's name */
	COMPONENT_FAULT_SILENT,	  /* a step took too long, or the peer is dead */
	COMPONENT_FAULT_PROTOCOL, /* what it sent was not XMPP as we know it */
};

struct component_event {
	enum component_event_type type;
	unsigned seconds;
	uint64_t number;
	const struct stanza_view *stanza;
	const char *origin;	    /* of STANZA: the module's instance; NULL: there is none */
	enum component_fault fault; /* of CLOSED */
	const char *why;	    /* of CLOSED, for people; valid until the next opening */
};

struct component_session *component_session_create(const struct component_options *options);
void component_session_destroy(struct component_session **session); /* wipes the secret */

/* TCP is up. `unguessable` makes this stream's ping ids; any 16 or more random characters. */
void component_session_open(struct component_session *session, const char *unguessable);
void component_session_feed(struct component_session *session, const char *bytes, size_t len);
void component_session_timeout(struct component_session *session);
/* The connection is gone, whoever ended it. A later COMPONENT_CLOSED says why if we know. */
void component_session_closed(struct component_session *session);
/* Ends the stream in good order. */
void component_session_close(struct component_session *session);

struct component_event component_session_next(struct component_session *session);

/* What is to be written to the connection; the driver consumes it. */
struct buffer *component_session_output(struct component_session *session);

bool component_session_is_ready(const struct component_session *session);
bool component_session_has_module(const struct component_session *session); /* once ready */
/* "no", "yes", or "" when the server does not say: whether it federates past us. */
const char *component_session_server_s2s(const struct component_session *session);
const char *component_session_state(const struct component_session *session); /* for status */

/*
 * Appends a stanza to the output, when ready: bytes in the content namespace of a component
 * stream, which is inherited. Numbers go up by one; after COMPONENT_READY they go on from its
 * number.
 */
void component_session_send(struct component_session *session, uint64_t number,
			    struct slice stanza);

/* What came with `origin` and `number` has its fate: the module may forget it. */
void component_session_settle(struct component_session *session, const char *origin,
			      uint64_t number);

/* The end of a wake-up: asks for an acknowledgement if one is due, tells the module what settled.
 */
void component_session_flush(struct component_session *session);

#endif
