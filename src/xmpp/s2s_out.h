/*
 * An outbound stream: we are the initiating server of one domain pair (RFC 6120 sections 4, 5, 9.2;
 * XEP-0220). One session is one connection's life.
 *
 *   connected: header -> wait-header -> wait-features -> [starttls -> wait-proceed -> wait-tls ->
 *   header -> wait-header -> wait-features] -> idle (negotiated, nothing asked for) ->
 *   [wait-key -> wait-result] -> ready -> closing
 *
 * Two things can be asked of it, in any order, at any time, both or either:
 * - s2s_out_want_ready: prove our domain by dialback, so that stanzas can be written. Features
 *   decide nothing but TLS: a stream without features (version missing in the header) is an old
 *   server, and dialback is tried once TLS is settled; a stream with features but no dialback
 *   feature is tried too (Prosody offers none after TLS, jabberd2 neither).
 * - s2s_out_verify: ask the peer, as authoritative server, about a key that was shown to us.
 *   It is sent as soon as the stream is negotiated, also while our own result is pending, never
 *   queued behind it (interop.md: surprise 5). Bookkeeping matches exactly (from, to, id) of
 *   what is outstanding, each answer once; anything else is refused and counted (SEC-01).
 *   The deadline is timeouts.verify for each; when the stream ends or cannot be negotiated, each
 *   outstanding one gets S2S_VERIFIED with S2S_VERDICT_ERROR before S2S_CLOSED.
 *
 * A peer's own db:verify (it asks us, as authoritative server, on this stream) is answered in any
 * state once TLS is settled (S2S_CHECK_KEY). Stanzas from the peer are refused: streams are
 * one-way. What is in the reader behind <proceed/> is dropped (RFC 6120 5.3.1, SEC-08b). TLS:
 * required and not offered, or refused: closed with FAILURE_NO_TLS; no-tls and the peer requires
 * it: FAILURE_TLS_NOT_WANTED. Certificate not valid and policy wants it: closed with
 * FAILURE_CERTIFICATE_REFUSED right after TLS.
 * Failures of the peer are told apart: its stream error host-unknown/host-gone gives
 * FAILURE_HOST_UNKNOWN, others FAILURE_STREAM_ERROR with its words in `why`; db:result type
 * 'invalid' FAILURE_DIALBACK_REFUSED; type 'error' FAILURE_DIALBACK_ERROR (item-not-found in it:
 * FAILURE_HOST_UNKNOWN): then S2S_NOT_READY, and the stream stays usable for verifying. A peer
 * that ends the stream instead of answering db:result counts as one that answered 'error'.
 */
#ifndef XMPP_S2S_OUT_H
#define XMPP_S2S_OUT_H

#include "xmpp/s2s.h"

struct s2s_out;

#define S2S_OUT_VERIFIES_MAX 256 /* that wait on one stream; more get S2S_VERDICT_ERROR at once */

struct s2s_out_options { /* all copied */
	const char *local_domain, *remote_domain;
	enum security_mode security;
	bool verify_certificate;
	struct s2s_timeouts timeouts;
	const struct stream_limits
		*limits; /* NULL: stream_limits_before; nothing large is expected */
};

struct s2s_out *s2s_out_create(const struct s2s_out_options *options);
void s2s_out_destroy(struct s2s_out **session);

/* Inputs. Before each of them: what time it is (s2s.h). */
void s2s_out_tell_time(struct s2s_out *session, uint64_t now_ms);
void s2s_out_connected(struct s2s_out *session); /* TCP is up: the header goes out */
char *s2s_out_room(struct s2s_out *session, size_t *len);
void s2s_out_filled(struct s2s_out *session, size_t len);
void s2s_out_secured(struct s2s_out *session, const struct s2s_tls *tls);
void s2s_out_timeout(struct s2s_out *session);
/* The connection is gone; NONE: the peer closed it in order. */
void s2s_out_closed(struct s2s_out *session, enum failure failure, const char *why);
void s2s_out_want_ready(struct s2s_out *session);
void s2s_out_key(struct s2s_out *session, const char *key);
void s2s_out_key_checked(struct s2s_out *session, uint64_t request, bool valid);
/* claim.sender_domain is our remote_domain, claim.target_domain our local_domain. Copied. */
void s2s_out_verify(struct s2s_out *session, const struct dialback_claim *claim, struct slice key,
		    uint64_t request);
/* The driver wrote stanzas: idle time begins again. */
void s2s_out_used(struct s2s_out *session);
/* Ends the stream in order: `condition` NULL or a stream error ("system-shutdown") before the
 * footer; `failure` is given back in S2S_CLOSED. Waits for the peer's footer, timeouts.step. */
void s2s_out_close(struct s2s_out *session, const char *condition, enum failure failure);

struct s2s_action s2s_out_next(struct s2s_out *session);
struct buffer *s2s_out_output(struct s2s_out *session);

bool s2s_out_is_ready(const struct s2s_out *session);
/* Idle for timeouts.idle closes by itself with FAILURE_NONE. */
const char *s2s_out_state(const struct s2s_out *session);     /* "wait-features" */
const char *s2s_out_stream_id(const struct s2s_out *session); /* the peer's; "" before its header */

#endif
