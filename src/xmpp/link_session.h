/*
 * The router link between two of our nodes (docs/protocols.md): an XML stream in jabber:server
 * over TLS whose pins are already checked. One side dials, after that both send stanzas alike. One
 * session is one connection's life. No I/O, no clock: inputs, then actions until LINK_NONE.
 *
 *   C: <stream:stream xmlns='jabber:server' xmlns:stream='http://etherx.jabber.org/streams'
 *        xmlns:l='urn:sallyport:link:1' from='core-a' to='edge-a' version='1.0' l:instance='9f...'>
 *   S: <stream:stream ... id='...' from='edge-a' to='core-a' version='1.0' l:instance='41...'>
 *      <stream:features><l:link role='edge' release='0.1' workers='2' stanza-bytes='4194304'
 *        last='yes'/></stream:features>
 *   C: <l:open worker='0' role='core' last='no'/>      S: <l:opened/>, or a stream error
 *   <l:origin k='1' i='9f...'/>  names an origin once for each stream and direction, k from 1 up
 *   <l:next k='1' n='500'/>      the stanzas that follow are numbers 500, 501, ... of origin k;
 *                                needed only where the run breaks
 *   <l:fate o='9f...' is='delivered' n='500-520 522'/>   fates of stanzas the other side sent us
 *   <l:fate o='9f...' is='refused' n='521' why='not-on-allow-list'/>   why: name of a failure
 *   <l:realms names='edge-a-example-net edge-b-example-net'/>
 *   <l:ping/> <l:pong/>          the link is dead after LINK_SECONDS_DEAD of silence
 *
 * `last` says whether that node gives stanzas away itself (s2s, attachments) and so is the last to
 * remember them. Stanzas keep their bytes. A stanza without an origin in force, a number that
 * overflows, or anything unknown in the link's namespace closes with the reason.
 */
#ifndef XMPP_LINK_SESSION_H
#define XMPP_LINK_SESSION_H

#include "base/buffer.h"
#include "tables/failures.h"
#include "xmpp/stanza.h"

#include <stdint.h>

#define LINK_INSTANCE_LEN 32 /* lowercase hex: 128 random bits, new at each start of a worker */
#define LINK_NAME_BYTES 63   /* of a node: letters, digits, hyphens, dots */
#define LINK_ORIGINS_MAX 256 /* named in one stream and direction; a sender needs few */
#define LINK_REALMS_MAX 256  /* names in one <l:realms/> */
#define LINK_STANZA_BYTES ((size_t)4 << 20) /* above every limit at the doors */
#define LINK_SECONDS_STEP 10		    /* each step until opened */
#define LINK_SECONDS_PING 5		    /* of silence, then a ping */
#define LINK_SECONDS_DEAD 15

struct link_session;

enum link_fate {
	LINK_DELIVERED, /* the next server acknowledged it */
	LINK_WRITTEN,	/* the next server's TCP acknowledged it */
	LINK_REFUSED,	/* not delivered; the failure says why: the entry node bounces it */
	LINK_UNCERTAIN, /* nobody can know */
};

struct link_options { /* all copied */
	bool dials;
	const char *node; /* our name */
	const char *peer; /* the name pinned for the key that the peer showed */
	const char *role; /* "edge", "core", "home" */
	const char *instance;
	unsigned workers;
	bool last;
};

enum link_action_type {
	LINK_NONE,
	LINK_TIMER,  /* arm the one timer: `seconds` */
	LINK_OPENED, /* both sides may send: peer_role, peer_instance, peer_last */
	LINK_STANZA, /* `stanza`, lent until the next call, of `origin` and `number` */
	LINK_FATE,   /* of ours: `origin`, `number` to `number_last`, `fate`, `failure`; the peer's
		      * claim, so `origin` may be nobody's and the range any */
	LINK_REALMS, /* `names`: separated by single spaces, checked as node names */
	LINK_CLOSED, /* write what is in the output, close; `why`. The last action */
};

struct link_action {
	enum link_action_type type;
	unsigned seconds;
	const struct stanza_view *stanza;
	const char *origin; /* instance, terminated; lent until the next call */
	uint64_t number, number_last;
	enum link_fate fate;
	enum failure failure;
	const char *peer_role, *peer_instance;
	bool peer_last;
	unsigned peer_workers; /* 0 when we accept: it does not say */
	struct slice names;
	const char *why;  /* for people; valid until destroy */
	bool peer_closed; /* in order: system-shutdown or a plain footer */
};

/* `stream_id`: random text for the accepting side's header; NULL when it dials. */
struct link_session *link_session_create(const struct link_options *options, const char *stream_id);
void link_session_destroy(struct link_session **session);

void link_session_connected(struct link_session *session); /* TLS is up and pinned; both sides */
char *link_session_room(struct link_session *session, size_t *len);
void link_session_filled(struct link_session *session, size_t len);
void link_session_timeout(struct link_session *session);
void link_session_closed(struct link_session *session, const char *why);
/* In order; `condition`: a stream error, or NULL; `text` for the peer's log, or NULL. */
void link_session_close(struct link_session *session, const char *condition, const char *text);

struct link_action link_session_next(struct link_session *session);
struct buffer *link_session_output(struct link_session *session);

bool link_session_is_open(const struct link_session *session);
const char *link_session_state(const struct link_session *session);

/*
 * When open: appended to the output; else nothing, as what is unsettled is sent again anyway.
 * `stanza` is canonical. After LINK_ORIGINS_MAX origins the stream ends in order: a new one
 * names afresh.
 */
void link_session_send(struct link_session *session, const char *origin, uint64_t number,
		       struct slice stanza);
/* Fates of what the peer sent; neighbours that are alike go out as one element with ranges, at
 * the next link_session_flush. */
void link_session_fate(struct link_session *session, const char *origin, uint64_t number,
		       enum link_fate fate, enum failure failure);
void link_session_realms(struct link_session *session, const char *names);
/* The end of a wake-up: writes what was put together. */
void link_session_flush(struct link_session *session);

#endif
