/*
 * An inbound stream: we are the receiving server, and the authoritative one when we are asked
 * (RFC 6120 sections 4, 5, 9.2; XEP-0220). One session is one connection's life.
 *
 *   wait-header -> offered (features sent) -> [wait-tls -> wait-header -> offered] ->
 *   ready (a pair is proven) -> closing
 *
 * Header: `to` must be a local federated domain while federation is on, else host-unknown; `from`
 * a local domain: invalid-from (SEC-21c). Either may be missing (dialback names the pair later).
 * A header without version gets none back and no features. version 2.0 is answered with 1.0.
 * The header after TLS may not change `from` or `to` (improper-addressing, SEC-06); missing keeps.
 * Features: starttls (with <required/> when TLS is required) before TLS unless no-tls; dialback
 * with <errors/> once TLS is settled, before TLS too when TLS is not required. Compression and
 * SASL are not offered: <auth/> gets failure (encryption-required before TLS, else
 * invalid-mechanism), <compress/> unsupported-method (SEC-13).
 *
 * <starttls/>: <proceed/>, then S2S_START_TLS; anything read behind <starttls/> closes the stream
 * (SEC-08a). Before TLS, when it is required, nothing but <starttls/> is taken (SEC-07): db:result
 * and db:verify get a dialback error policy-violation, a stanza closes with policy-violation.
 *
 * db:result (a claim): several domains on one stream, each pair at once only once pending; refused
 * with a dialback error (the stream stays): target not federated here: item-not-found; policy
 * refuses: not-allowed; sender local or malformed: not-acceptable / bad-request; more than
 * `verify_pending_max` at a time: resource-constraint. Otherwise S2S_VERIFY; its verdict becomes
 * type='valid' (S2S_READY), 'invalid', or 'error' remote-server-timeout / remote-server-not-found.
 * After 'invalid' the stream is closed (XEP-0220 2.2.1); when it carries other pairs or claims, the
 * peer gets the dialback error forbidden instead, and they live on. A pair that is proven already
 * is valid at once.
 * db:verify (we are authoritative): target of the question must be local federated; answered
 * valid/invalid by S2S_CHECK_KEY at once, in every state; unknown domain: dialback error
 * item-not-found. db:verify or db:result with a type are answers nobody asked for on an inbound
 * stream: refused and counted, the stream goes on (SEC-01a, c).
 *
 * Stanzas: before any pair is proven: stream error not-authorized. Then the prepared domains of
 * from and to must be a proven pair: from not proven or no from: invalid-from, closed; to not
 * proven for that from: likewise unless `to` is a federated local domain for which the sender's
 * domain is allowed by policy - then it is still refused, as XEP-0220 proves pairs: host-unknown if
 * not served, else invalid-from. Missing or malformed `to`: improper-addressing.
 * Only children of the stream in jabber:server are stanzas; anything else after authentication is
 * unsupported-stanza-type, closed.
 *
 * Deadlines: each step; authentication in all (a verifying peer that only asks db:verify is not
 * cut while it asks); idle. A stream that carried only db:verify notes S2S_NOTE_DIALBACK_ONLY when
 * the peer closes. Reader limits: before until a pair is proven, then after.
 */
#ifndef XMPP_S2S_IN_H
#define XMPP_S2S_IN_H

#include "xmpp/s2s.h"

struct s2s_in;

#define S2S_IN_PAIRS_MAX 256 /* proven on one stream; further claims get resource-constraint */
#define S2S_IN_STREAM_IDS 3  /* one for each stream header that a connection can have */

struct s2s_in_options { /* all copied but policy, which outlives the session or is replaced */
	const struct policy *policy;
	const char *stream_ids[S2S_IN_STREAM_IDS]; /* S2S_STREAM_ID_LEN hex digits each, random */
	struct s2s_timeouts timeouts;
	const struct stream_limits *limits_before, *limits_after; /* NULL: the defaults */
	unsigned verify_pending_max;				  /* limits.verify_pending */
};

struct s2s_in *s2s_in_create(const struct s2s_in_options *options);
void s2s_in_destroy(struct s2s_in **session);

/* Before each input: what time it is (s2s.h). */
void s2s_in_tell_time(struct s2s_in *session, uint64_t now_ms);
char *s2s_in_room(struct s2s_in *session, size_t *len);
void s2s_in_filled(struct s2s_in *session, size_t len);
void s2s_in_secured(struct s2s_in *session, const struct s2s_tls *tls);
void s2s_in_timeout(struct s2s_in *session);
void s2s_in_closed(struct s2s_in *session, enum failure failure, const char *why);
void s2s_in_key_checked(struct s2s_in *session, uint64_t request, bool valid);
/* verdict ERROR: `failure` says why and becomes the dialback error's condition. */
void s2s_in_verified(struct s2s_in *session, uint64_t request, enum s2s_verdict verdict,
		     enum failure failure);
/* New settings: pairs that are no longer allowed are forgotten. A stream that has lost its last one
 * is closed with policy-violation, so that the peer knows and asks again when it may; so is one
 * without TLS that now needs it. Federation off: system-shutdown; `to` no longer served: host-gone.
 */
void s2s_in_set_policy(struct s2s_in *session, const struct policy *policy);
/* Why s2s_in_set_policy would close the stream; NONE: it would not. */
enum failure s2s_in_objection(const struct s2s_in *session, const struct policy *policy);
/* As s2s_out_close. */
void s2s_in_close(struct s2s_in *session, const char *condition, enum failure failure);

struct s2s_action s2s_in_next(struct s2s_in *session);
struct buffer *s2s_in_output(struct s2s_in *session);

const char *s2s_in_state(const struct s2s_in *session);
const char *s2s_in_stream_id(const struct s2s_in *session); /* of the current stream */
/* What the header named, "" where it did not; nothing is proven by it. */
const char *s2s_in_to(const struct s2s_in *session);
const char *s2s_in_from(const struct s2s_in *session);
bool s2s_in_is_secured(const struct s2s_in *session);
/* Walks the proven pairs: start with *place = 0; false at the end. */
bool s2s_in_next_pair(const struct s2s_in *session, size_t *place, struct dialback_claim *pair);

#endif
