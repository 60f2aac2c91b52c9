/*
 * What the inbound and the outbound server-to-server session have in common: the actions they
 * ask of their driver. A session is an engine: it is given bytes and inputs, and pulled for
 * actions until S2S_NONE; it owns no socket, clock, random source or log. Its output buffer holds
 * protocol text to be written before anything else; the driver consumes it after each action and
 * each input. Domains in options and actions are prepared (policy/domain.h).
 *
 * The clock: the driver calls .._tell_time(session, now_ms) before every input (create counts as
 * none), with any clock that never goes back. The session keeps all deadlines and asks for its one
 * timer only when the nearest of them is earlier than what is armed; so the timer may fire early,
 * and .._timeout then asks for it anew. An input that comes too late, or to a session that has
 * ended, is ignored, so an asynchronous answer needs no care.
 */
#ifndef XMPP_S2S_H
#define XMPP_S2S_H

#include "policy/policy.h"
#include "xmpp/dialback.h"
#include "xmpp/stream_reader.h"

#include <stdint.h>

/* Hex digits, upper case: the xcoder of the connection, 9 of them, and then 128 random bits. */
#define S2S_STREAM_ID_LEN 41

enum s2s_action_type {
	S2S_NONE,
	S2S_TIMER,     /* arm the session's one timer, moving it: `seconds`, never 0 */
	S2S_START_TLS, /* once the output is written; answered by .._secured or .._closed */
	S2S_MAKE_KEY,  /* out: make the dialback key for `claim`; answer s2s_out_key */
	S2S_CHECK_KEY, /* both: is `key` ours for `claim`? Answer .._key_checked(request) */
	S2S_VERIFY,    /* in: ask the authoritative server of claim.sender_domain about `key`;
			* answer s2s_in_verified(request), within the deadline the driver keeps */
	S2S_VERIFIED,  /* out: the answer to s2s_out_verify(request): `verdict` */
	S2S_READY,     /* out: stanzas may be written now. in: claim.sender_domain may send to
			* claim.target_domain from now on */
	S2S_NOT_READY, /* out: the peer answered with a dialback error: `failure`, `why`. What waits
			* will not be written here; the stream stays, for verifying, until it is
			* closed or idle */
	S2S_STANZA,    /* `stanza` came, its pair is proven: claim has both domains */
	S2S_REFUSED,   /* something the peer may not do was refused: `why`, counted, logged;
			* the stream goes on unless S2S_CLOSED follows */
	S2S_NOTE,      /* something to log: `note`, `text` */
	S2S_CLOSED,    /* the session ended: write what is in the output, close the connection.
			* `failure` and `why` (lent until destroy). The last action */
};

/* What an outbound or inbound session tells for the log; `text` is XML as sent or received, with
 * dialback keys already shortened. */
enum s2s_note {
	S2S_NOTE_SENT,		 /* db:result, db:verify and their answers: "sending:: ..." */
	S2S_NOTE_RECEIVED,	 /* likewise: "received:: ..." */
	S2S_NOTE_STREAM_OPEN,	 /* the peer's stream header came */
	S2S_NOTE_DIALBACK_TIMER, /* db:result was sent; text: seconds as decimal */
	S2S_NOTE_VERIFY_SENT, /* our db:verify: "DBVerify stream is open. Sending db:verify packet:
				 " */
	S2S_NOTE_VERIFY_RECEIVED, /* its answer: "DBVerify Packet Received " */
	S2S_NOTE_DIALBACK_ONLY,	  /* in: the peer closes; the stream carried db:verify and nothing
				     else */
	S2S_NOTE_FEATURES,	  /* the features that were offered or received */
	S2S_NOTE_PEER_ERROR,	  /* the peer's stream error, word for word */
};

enum s2s_verdict { S2S_VALID, S2S_INVALID, S2S_VERDICT_ERROR };

struct s2s_action {
	enum s2s_action_type type;
	unsigned seconds;
	uint64_t request;
	struct dialback_claim claim; /* lent until the next call */
	struct slice key;
	enum s2s_verdict verdict;
	enum failure failure;
	enum s2s_note note;
	struct slice text;
	const struct stanza_view *stanza; /* lent until the next call */
	const char *why;
};

/* What TLS showed of the peer (net/tls.h fills it in). */
struct s2s_tls {
	bool certificate_valid; /* chain and name */
	const char *why;	/* what is wrong with it; NULL: nothing */
};

struct s2s_timeouts {		 /* seconds */
	unsigned step;		 /* each step of the set-up (timeouts.step) */
	unsigned dialback;	 /* for the answer to our db:result (timeouts.dialback) */
	unsigned verify;	 /* for the answer to our db:verify (timeouts.verify) */
	unsigned authentication; /* from TCP to proven (timeouts.authentication) */
	unsigned idle;		 /* no stanza either way: close (timeouts.idle) */
};

#endif
