/*
 * What the inbound and the outbound session are both made of, for s2s_in.c and s2s_out.c alone:
 * the queue of actions, deadlines, the questions that wait for their answers, and the XML that
 * both write. No I/O.
 */
#ifndef XMPP_S2S_SESSION_H
#define XMPP_S2S_SESSION_H

#include "xmpp/s2s.h"

#define S2S_NOTE_BYTES 500	/* of a note's text; what a peer wrote is cut */
#define S2S_WHY_BYTES 240	/* of S2S_CLOSED's why */
#define S2S_STREAM_ID_BYTES 256 /* of a peer's stream id */
#define S2S_OFFENCES_MAX 32	/* answers nobody asked for and the like; then the stream ends */

enum s2s_due { S2S_DUE_STATE, S2S_DUE_AUTHENTICATION, S2S_DUE_VERIFY, S2S_DUE_COUNT };

/* A db:result or db:verify of the peer's that waits for its answer. */
struct s2s_asked {
	struct s2s_asked *next;
	uint64_t request;
	const char *name;	     /* "result" or "verify" */
	struct slice from, to, id;   /* as the peer wrote them, for the answer */
	const char *sender, *target; /* prepared; of a verify: to and from */
	char memory[];
};

struct s2s_session {
	struct stream_reader *reader;
	struct buffer output;
	struct s2s_timeouts timeouts;
	struct s2s_queued *first, *last, *lent;
	struct s2s_asked *asked;
	size_t asked_count;
	uint64_t last_request;
	uint64_t now_ms, armed_ms, due_ms[S2S_DUE_COUNT]; /* 0: none */
	unsigned offences;
	enum failure failure; /* of S2S_CLOSED */
	char why[S2S_WHY_BYTES];
	bool told; /* S2S_CLOSED was pulled */
};

void s2s_session_init(struct s2s_session *session, const struct s2s_timeouts *timeouts,
		      const struct stream_limits *limits);
void s2s_session_finish(struct s2s_session *session);

/* Copies the action with its claim, key and text; `why` is a literal, a stanza stays lent. */
void s2s_push(struct s2s_session *session, const struct s2s_action *action);
bool s2s_pop(struct s2s_session *session, struct s2s_action *action);
/* When nothing is queued and nothing more can be read: a timer to arm, or nothing. */
struct s2s_action s2s_at_rest(struct s2s_session *session);
/* S2S_CLOSED, once; S2S_NONE from then on. */
struct s2s_action s2s_last(struct s2s_session *session);
/* What S2S_CLOSED will say. */
void s2s_set_end(struct s2s_session *session, enum failure failure, const char *why);

void s2s_note(struct s2s_session *session, enum s2s_note note, struct slice text);
void s2s_refused(struct s2s_session *session, const char *why);
/* Refused, and the peer knows better: false when it has done so too often. */
bool s2s_offended(struct s2s_session *session, const char *why);

/* 0 seconds: no deadline. */
void s2s_set_due(struct s2s_session *session, enum s2s_due due, unsigned seconds);
bool s2s_is_due(const struct s2s_session *session, enum s2s_due due);

struct s2s_header {
	const char *id, *from, *to; /* NULL: left out */
	bool version;
};
void s2s_write_header(struct buffer *out, const struct s2s_header *header);
/* `condition`: a stream error, or NULL; then the footer. */
void s2s_write_end(struct buffer *out, const char *condition);
/* "host-unknown: the peer's text", as a peer's stream error says, and its note. */
void s2s_read_stream_error(struct s2s_session *session, const struct stanza_view *element,
			   struct slice *condition, char why[S2S_WHY_BYTES]);
/* Whether a stream header's version is 1.0 or later (RFC 6120 4.7.5). */
bool s2s_has_version(const struct stanza_view *header);

/* A domain as a peer wrote it; false: absent or none. */
bool s2s_domain(struct slice text, char domain[DOMAIN_BYTES + 1]);

/* A db:result or db:verify. Values that are absent are left out. */
struct s2s_dialback {
	struct slice name; /* "result" or "verify" */
	struct slice from, id, to, type, key;
	struct slice condition; /* of type 'error' */
};
/* To the output in full, and noted with a shortened key. */
void s2s_send_dialback(struct s2s_session *session, const struct s2s_dialback *element,
		       enum s2s_note note);
void s2s_note_dialback(struct s2s_session *session, const struct stanza_view *element,
		       enum s2s_note note);
/* The key inside, without white space around it. */
void s2s_read_key(const struct stanza_view *element, struct buffer *key);
/* The condition of a dialback error; empty: it has none. */
struct slice s2s_dialback_condition(const struct stanza_view *element);

/* Answers at once with a dialback error (XEP-0220 2.5), and says why it was refused. */
void s2s_refuse_dialback(struct s2s_session *session, const struct stanza_view *element,
			 const char *condition, const char *why);
/* Notes that an answer is owed; both domains are prepared. */
struct s2s_asked *s2s_ask(struct s2s_session *session, const struct stanza_view *element,
			  const char *sender, const char *target);
struct s2s_asked *s2s_find_asked(struct s2s_session *session, const char *name, uint64_t request);
/* The owed answer goes out: type 'error' with a condition. Frees *asked. */
void s2s_answer(struct s2s_session *session, struct s2s_asked **asked, const char *type,
		const char *condition);
void s2s_forget_asked(struct s2s_session *session);

/* A peer's db:verify without type, about domains that were found right: we are the authoritative
 * server. Asks the driver by S2S_CHECK_KEY, or answers with an error. */
#define S2S_CHECKS_MAX 32 /* key checks of one stream that wait for their answer */
void s2s_take_question(struct s2s_session *session, const struct stanza_view *element,
		       const char *sender, const char *target);
void s2s_key_checked(struct s2s_session *session, uint64_t request, bool valid);

#endif
