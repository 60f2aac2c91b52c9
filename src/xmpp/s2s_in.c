#include "xmpp/s2s_in.h"

#include "base/alloc.h"
#include "xmpp/namespaces.h"
#include "xmpp/s2s_pairs.h"
#include "xmpp/s2s_session.h"

#include <stdio.h>
#include <stdlib.h>

#define NS_COMPRESS "http://jabber.org/protocol/compress" /* XEP-0138, obsolete */
#define STRIKES_MAX 3 /* negotiations of what was not offered; then the stream ends */

enum state {
	WAIT_HEADER,
	OFFERED, /* features are out, no pair is proven */
	WAIT_TLS,
	READY,	 /* a pair is proven */
	CLOSING, /* our footer is out, the peer's is not here yet */
	CLOSED,
};

struct s2s_in {
	struct s2s_session base;
	enum state state;
	const struct policy *policy;
	char stream_ids[S2S_IN_STREAM_IDS][S2S_STREAM_ID_LEN + 1];
	unsigned stream;				   /* which of them */
	char from[DOMAIN_BYTES + 1], to[DOMAIN_BYTES + 1]; /* of the header; "": absent */
	bool version;					   /* of the header: there was one */
	enum security_mode security;
	bool secured;
	struct stream_limits limits_after;
	unsigned verify_pending_max;
	unsigned strikes;
	bool asked_verify, asked_else; /* for S2S_NOTE_DIALBACK_ONLY */
	struct s2s_pairs pairs;
};

typedef void state_fn(struct s2s_in *s, const struct stanza_view *element);
static state_fn wait_header, offered, ready;

enum timeout { TIMEOUT_NONE, TIMEOUT_STEP, TIMEOUT_IDLE };

static const struct {
	const char *name;
	state_fn *take; /* NULL: nothing is taken from the peer */
	enum timeout timeout;
	bool open; /* our stream is open: db elements, an error and the footer can be written */
} states[] = {
	[WAIT_HEADER] = { "wait-header", wait_header, TIMEOUT_STEP, false },
	[OFFERED] = { "offered", offered, TIMEOUT_STEP, true },
	[WAIT_TLS] = { "wait-tls", NULL, TIMEOUT_STEP, false },
	[READY] = { "ready", ready, TIMEOUT_IDLE, true },
	[CLOSING] = { "closing", NULL, TIMEOUT_STEP, false },
	[CLOSED] = { "closed", NULL, TIMEOUT_NONE, false },
};

static void arm_state(struct s2s_in *s)
{
	const unsigned seconds[] = {
		[TIMEOUT_NONE] = 0,
		[TIMEOUT_STEP] = s->base.timeouts.step,
		[TIMEOUT_IDLE] = s->base.timeouts.idle,
	};

	s2s_set_due(&s->base, S2S_DUE_STATE, seconds[states[s->state].timeout]);
}

static void arm_authentication(struct s2s_in *s)
{
	s2s_set_due(&s->base, S2S_DUE_AUTHENTICATION, s->base.timeouts.authentication);
}

static void enter(struct s2s_in *s, enum state state)
{
	s->state = state;
	arm_state(s);
	if (state == READY || state == CLOSING || state == CLOSED)
		s2s_set_due(&s->base, S2S_DUE_AUTHENTICATION, 0);
}

static bool is_dialback_only(const struct s2s_in *s)
{
	return s->asked_verify && !s->asked_else;
}

static void finish_closing(struct s2s_in *s)
{
	if (is_dialback_only(s))
		s2s_note(&s->base, S2S_NOTE_DIALBACK_ONLY, slice_of(""));
	s2s_forget_asked(&s->base);
	enter(s, CLOSED);
}

static void end(struct s2s_in *s, enum failure failure, const char *why)
{
	s2s_set_end(&s->base, failure, why);
	finish_closing(s);
}

static void send_header(struct s2s_in *s)
{
	bool is_ours = s->to[0] != '\0' && policy_is_federated(s->policy, s->to);

	s2s_write_header(&s->base.output, &(struct s2s_header){ .id = s->stream_ids[s->stream],
								.from = is_ours ? s->to : NULL,
								.to = s->from[0] ? s->from : NULL,
								.version = s->version });
}

/* An error needs a stream to stand in (RFC 6120 4.9.1.1). Under TLS's handshake nothing can be
 * said. */
static void write_end(struct s2s_in *s, const char *condition)
{
	if (s->state == WAIT_HEADER)
		send_header(s);
	if (s->state == WAIT_HEADER || states[s->state].open)
		s2s_write_end(&s->base.output, condition);
}

static void fail(struct s2s_in *s, enum failure failure, const char *condition, const char *why)
{
	write_end(s, condition);
	end(s, failure, why);
}

/* The peer did what it may not, and the stream ends for it. */
static void fail_refused(struct s2s_in *s, const char *condition, const char *why)
{
	s2s_refused(&s->base, why);
	fail(s, FAILURE_PROTOCOL, condition, why);
}

static void offended(struct s2s_in *s, const char *why)
{
	if (!s2s_offended(&s->base, why))
		fail(s, FAILURE_PROTOCOL, "policy-violation", why);
}

/* Before TLS, when it is required, nothing but it is taken. */
static bool needs_tls(const struct s2s_in *s)
{
	return !s->secured && s->security == SECURITY_TLS_REQUIRED;
}

static enum security_mode security_of(const struct s2s_in *s)
{
	return policy_decide(s->policy, s->to, s->from).security;
}

/* Header and features */

static void send_features(struct s2s_in *s)
{
	struct buffer features = { 0 };

	buffer_append_text(&features, "<stream:features>");
	if (needs_tls(s))
		buffer_append_text(&features,
				   "<starttls xmlns='" NS_TLS "'><required/></starttls>");
	else if (!s->secured && s->security == SECURITY_TLS_OPTIONAL)
		buffer_append_text(&features, "<starttls xmlns='" NS_TLS "'/>");
	if (!needs_tls(s))
		buffer_append_text(&features, "<dialback xmlns='" NS_DIALBACK_FEATURE
					      "'><errors/></dialback>");
	buffer_append_text(&features, "</stream:features>");
	buffer_append(&s->base.output, buffer_data(&features), buffer_len(&features));
	s2s_note(&s->base, S2S_NOTE_FEATURES,
		 (struct slice){ buffer_data(&features), buffer_len(&features) });
	buffer_finish(&features);
}

/* One address of the header. Behind TLS it may be left out, and not changed (SEC-06). */
static bool take_address(struct slice text, char kept[DOMAIN_BYTES + 1])
{
	char domain[DOMAIN_BYTES + 1];

	if (text.data == NULL)
		return true;
	if (!s2s_domain(text, domain) || (kept[0] != '\0' && strcmp(kept, domain) != 0))
		return false;
	snprintf(kept, DOMAIN_BYTES + 1, "%s", domain);
	return true;
}

static void wait_header(struct s2s_in *s, const struct stanza_view *header)
{
	s2s_note(&s->base, S2S_NOTE_STREAM_OPEN, header->bytes);
	s->version = s2s_has_version(header);
	if (!take_address(header->from, s->from) || !take_address(header->to, s->to)) {
		fail(s, FAILURE_PROTOCOL, "improper-addressing",
		     "an address of the stream header is no domain, or has changed");
	} else if (s->to[0] && !policy_is_federated(s->policy, s->to)) {
		fail(s, FAILURE_NOT_FEDERATED, "host-unknown",
		     "the stream is for a domain that does not federate here");
	} else if (!policy_is_enabled(s->policy)) {
		fail(s, FAILURE_FEDERATION_OFF, "host-unknown", "federation is off");
	} else if (s->from[0] && policy_is_local(s->policy, s->from)) {
		s->from[0] = '\0'; /* not repeated */
		fail_refused(s, "invalid-from", "the stream claims to come from a local domain");
	} else {
		s->security = security_of(s);
		send_header(s);
		enter(s, OFFERED);
		if (s->version) /* an old server is not sent any (RFC 6120 4.7.5) */
			send_features(s);
	}
}

/* TLS, SASL, compression */

static void take_starttls(struct s2s_in *s)
{
	if (s->secured || s->security == SECURITY_NO_TLS || s->state == READY) {
		buffer_append_text(&s->base.output, "<failure xmlns='" NS_TLS "'/>");
		s2s_refused(&s->base, "starttls that was not offered");
		fail(s, FAILURE_PROTOCOL, NULL, "starttls that was not offered");
	} else if (stream_reader_pending(s->base.reader) > 0) {
		fail_refused(s, "policy-violation", "bytes in clear behind starttls");
	} else {
		buffer_append_text(&s->base.output, "<proceed xmlns='" NS_TLS "'/>");
		s2s_push(&s->base, &(struct s2s_action){ .type = S2S_START_TLS });
		s2s_forget_asked(&s->base); /* what was asked in clear lapses with that stream */
		enter(s, WAIT_TLS);
	}
}

void s2s_in_secured(struct s2s_in *s, const struct s2s_tls *tls)
{
	(void)tls; /* a certificate proves no pair here: dialback does (SEC-05) */
	if (s->state != WAIT_TLS)
		return;
	s->secured = true;
	s->stream++;
	stream_reader_restart(s->base.reader);
	enter(s, WAIT_HEADER);
}

static void strike(struct s2s_in *s, const char *why)
{
	s2s_refused(&s->base, why);
	if (++s->strikes >= STRIKES_MAX)
		fail(s, FAILURE_PROTOCOL, "policy-violation", why);
}

static void take_sasl(struct s2s_in *s, const struct stanza_view *element)
{
	const char *condition = "malformed-request";

	if (slice_is(element->name, "auth"))
		condition = s->secured ? "invalid-mechanism" : "encryption-required";
	else if (slice_is(element->name, "abort"))
		condition = "aborted";
	buffer_printf(&s->base.output, "<failure xmlns='" NS_SASL "'><%s/></failure>", condition);
	strike(s, "SASL that was not offered");
}

static void take_compress(struct s2s_in *s)
{
	buffer_append_text(&s->base.output,
			   "<failure xmlns='" NS_COMPRESS "'><unsupported-method/></failure>");
	strike(s, "compression that was not offered");
}

/* Dialback */

static size_t claims(const struct s2s_in *s)
{
	size_t count = 0;

	for (const struct s2s_asked *asked = s->base.asked; asked; asked = asked->next)
		count += strcmp(asked->name, "result") == 0;
	return count;
}

static bool is_claimed(const struct s2s_in *s, const char *sender, const char *target)
{
	const struct s2s_asked *asked = s->base.asked;

	while (asked && (strcmp(asked->name, "result") != 0 || strcmp(asked->sender, sender) != 0 ||
			 strcmp(asked->target, target) != 0))
		asked = asked->next;
	return asked != NULL;
}

/* The condition of the dialback error for a claim that may not even be verified, or NULL. */
static const char *claim_refused(const struct s2s_in *s, const char *sender, const char *target,
				 const char **why)
{
	struct policy_decision decision;

	*why = "db:result for a domain that does not federate here";
	if (!policy_is_enabled(s->policy) || !policy_is_federated(s->policy, target))
		return "item-not-found";
	*why = "db:result claims a local domain";
	if (policy_is_local(s->policy, sender))
		return "not-acceptable";
	decision = policy_decide(s->policy, target, sender);
	*why = "the rules do not allow the pair";
	if (decision.refused != FAILURE_NONE)
		return "not-allowed";
	*why = "db:result before TLS, which is required";
	if (!s->secured && decision.security == SECURITY_TLS_REQUIRED)
		return "policy-violation";
	*why = "too many domain pairs on one stream";
	if (s->pairs.count + claims(s) >= S2S_IN_PAIRS_MAX)
		return "resource-constraint";
	*why = "too many db:result at a time";
	return claims(s) >= s->verify_pending_max ? "resource-constraint" : NULL;
}

/* XEP-0220 2.2.1 */
static void take_claim(struct s2s_in *s, const struct stanza_view *element, const char *sender,
		       const char *target)
{
	const char *why, *condition = claim_refused(s, sender, target, &why);
	struct s2s_asked *asked;
	struct buffer key = { 0 };

	if (s2s_pairs_find(&s->pairs, sender, target)) {
		asked = s2s_ask(&s->base, element, sender, target);
		s2s_answer(&s->base, &asked, "valid", NULL);
		return;
	}
	if (is_claimed(s, sender, target)) {
		offended(s, "db:result again before its answer");
		return;
	}
	s2s_read_key(element, &key);
	if (condition == NULL && (buffer_len(&key) == 0 || buffer_len(&key) > DIALBACK_KEY_MAX)) {
		condition = "bad-request";
		why = "db:result without a key, or with a key too long";
	}
	if (condition) {
		s2s_refuse_dialback(&s->base, element, condition, why);
	} else {
		asked = s2s_ask(&s->base, element, sender, target);
		s2s_push(&s->base, &(struct s2s_action){
					   .type = S2S_VERIFY,
					   .request = asked->request,
					   .claim = { sender, target, s->stream_ids[s->stream] },
					   .key = { buffer_data(&key), buffer_len(&key) } });
	}
	buffer_finish(&key);
}

/* XEP-0220 2.2.2. While it asks, the peer is not cut for proving nothing. */
static void take_question(struct s2s_in *s, const struct stanza_view *element, const char *sender,
			  const char *target)
{
	if (s->state == OFFERED)
		arm_authentication(s);
	if (!policy_is_enabled(s->policy) || !policy_is_federated(s->policy, sender))
		s2s_refuse_dialback(&s->base, element, "item-not-found",
				    "db:verify for a domain that does not federate here");
	else if (policy_is_local(s->policy, target))
		s2s_refuse_dialback(&s->base, element, "not-acceptable",
				    "db:verify claims to come from a local domain");
	else
		s2s_take_question(&s->base, element, sender, target);
}

static void take_dialback(struct s2s_in *s, const struct stanza_view *element)
{
	bool is_verify = stanza_is(element, "verify", NS_DIALBACK);
	char from[DOMAIN_BYTES + 1], to[DOMAIN_BYTES + 1];

	s2s_note_dialback(&s->base, element, S2S_NOTE_RECEIVED);
	if (is_verify && element->type.data == NULL)
		s->asked_verify = true;
	else
		s->asked_else = true;
	if (element->type.data)
		offended(s, is_verify ? "db:verify answers nothing that was asked"
				      : "db:result answers nothing that was asked");
	else if (needs_tls(s))
		s2s_refuse_dialback(&s->base, element, "policy-violation",
				    "dialback before TLS, which is required");
	else if (!s2s_domain(element->from, from) || !s2s_domain(element->to, to))
		s2s_refuse_dialback(&s->base, element, "bad-request",
				    "dialback without two domains");
	else if (is_verify)
		take_question(s, element, to, from);
	else
		take_claim(s, element, from, to);
}

void s2s_in_key_checked(struct s2s_in *s, uint64_t request, bool valid)
{
	if (states[s->state].open)
		s2s_key_checked(&s->base, request, valid);
}

static void accept(struct s2s_in *s, struct s2s_asked *asked)
{
	struct s2s_action action = { .type = S2S_READY,
				     .claim = { asked->sender, asked->target,
						s->stream_ids[s->stream] } };

	s2s_pairs_add(&s->pairs, asked->sender, asked->target);
	s2s_push(&s->base, &action);
	s2s_answer(&s->base, &asked, "valid", NULL);
	stream_reader_set_limits(s->base.reader, &s->limits_after);
	enter(s, READY);
}

/* XEP-0220 wants the stream closed behind 'invalid' (2.2.1), and offers forbidden instead for the
 * sake of other pairs (2.1.2). */
static void reject(struct s2s_in *s, struct s2s_asked *asked)
{
	bool is_alone = s->pairs.first == NULL && claims(s) == 1;

	s2s_refused(&s->base, "the authoritative server says that the key is invalid");
	s2s_answer(&s->base, &asked, is_alone ? "invalid" : "error", is_alone ? NULL : "forbidden");
	if (is_alone)
		fail(s, FAILURE_DIALBACK_REFUSED, NULL,
		     "the authoritative server says that the key is invalid");
}

/* An error of the authoritative server's own always becomes remote-server-not-found
 * (XEP-0220 2.5). */
static const char *condition_of(enum failure failure)
{
	if (failure == FAILURE_NONE || failure == FAILURE_DIALBACK_ERROR)
		return "remote-server-not-found";
	return failure_rows[failure].condition;
}

void s2s_in_verified(struct s2s_in *s, uint64_t request, enum s2s_verdict verdict,
		     enum failure failure)
{
	struct s2s_asked *asked = s2s_find_asked(&s->base, "result", request);

	if (asked == NULL || !states[s->state].open)
		return;
	if (s->state == OFFERED)
		arm_state(s);
	if (verdict == S2S_INVALID)
		reject(s, asked);
	else if (verdict == S2S_VERDICT_ERROR)
		s2s_answer(&s->base, &asked, "error", condition_of(failure));
	else if (policy_decide(s->policy, asked->target, asked->sender).refused != FAILURE_NONE)
		s2s_answer(&s->base, &asked, "error", "not-allowed"); /* by new settings */
	else
		accept(s, asked);
}

/* Stanzas */

static void take_stanza(struct s2s_in *s, const struct stanza_view *element)
{
	const char *condition;
	const struct s2s_proven *pair = s2s_pairs_of(&s->pairs, s->policy, element, &condition);

	if (pair == NULL) {
		fail_refused(s, condition, "stanza for a pair of domains that is not proven");
		return;
	}
	s2s_push(&s->base, &(struct s2s_action){ .type = S2S_STANZA,
						 .claim = { pair->sender, pair->target,
							    s->stream_ids[s->stream] },
						 .stanza = element });
}

/* States */

static bool take_negotiation(struct s2s_in *s, const struct stanza_view *element)
{
	if (slice_is(element->ns, NS_DIALBACK) &&
	    (slice_is(element->name, "result") || slice_is(element->name, "verify")))
		take_dialback(s, element);
	else if (stanza_is(element, "starttls", NS_TLS))
		take_starttls(s);
	else if (slice_is(element->ns, NS_SASL))
		take_sasl(s, element);
	else if (stanza_is(element, "compress", NS_COMPRESS))
		take_compress(s);
	else
		return false;
	return true;
}

static void offered(struct s2s_in *s, const struct stanza_view *element)
{
	arm_state(s);
	if (take_negotiation(s, element))
		return;
	s->asked_else = true;
	if (needs_tls(s))
		fail_refused(s, "policy-violation", "sent in clear, and TLS is required");
	else if (element->kind != STANZA_OTHER)
		fail_refused(s, "not-authorized", "stanza before any domain is proven");
	else
		fail_refused(s, "unsupported-stanza-type", "unknown element");
}

static void ready(struct s2s_in *s, const struct stanza_view *element)
{
	arm_state(s);
	if (element->kind != STANZA_OTHER)
		take_stanza(s, element);
	else if (!take_negotiation(s, element))
		fail_refused(s, "unsupported-stanza-type", "unknown element");
}

/* The door: what means the same in every state. */

static void take_stream_error(struct s2s_in *s, const struct stanza_view *element)
{
	struct slice condition;
	char why[S2S_WHY_BYTES];

	s2s_read_stream_error(&s->base, element, &condition, why);
	fail(s, FAILURE_STREAM_ERROR, NULL, why);
}

static void take(struct s2s_in *s, enum stream_event event, const struct stanza_view *element)
{
	const char *why;
	enum stream_error error;

	if (event == STREAM_ERROR) {
		error = stream_reader_error(s->base.reader, &why);
		fail_refused(s, stream_error_name(error), why);
	} else if (event == STREAM_FOOTER) {
		fail(s, FAILURE_NONE, NULL, "the peer closed the stream");
	} else if (stanza_is(element, "error", NS_STREAMS)) {
		take_stream_error(s, element);
	} else {
		states[s->state].take(s, element);
	}
}

/* Ours is closed: only the peer's end matters. */
static void take_closing(struct s2s_in *s, enum stream_event event)
{
	if (event == STREAM_FOOTER || event == STREAM_ERROR)
		finish_closing(s);
}

/* False: nothing more until the next input. */
static bool read_on(struct s2s_in *s)
{
	const struct stanza_view *element;
	enum stream_event event;

	if (states[s->state].take == NULL && s->state != CLOSING)
		return false;
	event = stream_reader_next(s->base.reader, &element);
	if (event == STREAM_MORE)
		return false;
	if (s->state == CLOSING)
		take_closing(s, event);
	else
		take(s, event, element);
	return true;
}

struct s2s_action s2s_in_next(struct s2s_in *s)
{
	struct s2s_action action;

	while (!s2s_pop(&s->base, &action)) {
		if (!read_on(s))
			return s->state == CLOSED ? s2s_last(&s->base) : s2s_at_rest(&s->base);
	}
	return action;
}

/* Life */

struct s2s_in *s2s_in_create(const struct s2s_in_options *options)
{
	struct s2s_in *s = xcalloc(1, sizeof(*s));

	s2s_session_init(&s->base, &options->timeouts,
			 options->limits_before ? options->limits_before : &stream_limits_before);
	s->limits_after = options->limits_after ? *options->limits_after : stream_limits_after;
	for (size_t i = 0; i < S2S_IN_STREAM_IDS; i++)
		snprintf(s->stream_ids[i], sizeof(s->stream_ids[i]), "%s", options->stream_ids[i]);
	s->policy = options->policy;
	s->verify_pending_max = options->verify_pending_max;
	s->version = true;
	return s;
}

void s2s_in_destroy(struct s2s_in **session)
{
	struct s2s_in *s = *session;

	*session = NULL;
	if (s == NULL)
		return;
	s2s_pairs_finish(&s->pairs);
	s2s_session_finish(&s->base);
	free(s);
}

/* The first time told is that of the connection. */
void s2s_in_tell_time(struct s2s_in *s, uint64_t now_ms)
{
	bool is_first = s->base.due_ms[S2S_DUE_STATE] == 0 && s->state == WAIT_HEADER;

	s->base.now_ms = now_ms;
	if (is_first) {
		arm_state(s);
		arm_authentication(s);
	}
}

char *s2s_in_room(struct s2s_in *s, size_t *len)
{
	return stream_reader_room(s->base.reader, len);
}

void s2s_in_filled(struct s2s_in *s, size_t len)
{
	stream_reader_filled(s->base.reader, len);
}

/* While we owe an answer, the peer may be silent; the verifying has a deadline of its own. */
static void state_is_over(struct s2s_in *s)
{
	char why[64];

	snprintf(why, sizeof(why), "silent in state %s", states[s->state].name);
	if (s->state == CLOSING)
		finish_closing(s);
	else if (s->state == OFFERED && s->base.asked_count > 0)
		arm_state(s);
	else if (s->state == READY || is_dialback_only(s))
		s2s_in_close(s, NULL, FAILURE_NONE);
	else
		fail(s, FAILURE_TIMEOUT, "connection-timeout", why);
}

void s2s_in_timeout(struct s2s_in *s)
{
	s->base.armed_ms = 0;
	if (s2s_is_due(&s->base, S2S_DUE_AUTHENTICATION))
		fail(s, FAILURE_TIMEOUT, "connection-timeout", "proving a domain took too long");
	else if (s2s_is_due(&s->base, S2S_DUE_STATE))
		state_is_over(s);
}

void s2s_in_closed(struct s2s_in *s, enum failure failure, const char *why)
{
	if (s->state == CLOSING)
		finish_closing(s);
	else if (s->state != CLOSED)
		end(s, failure, why);
}

void s2s_in_close(struct s2s_in *s, const char *condition, enum failure failure)
{
	if (s->state == CLOSING || s->state == CLOSED)
		return;
	if (s->state == WAIT_TLS) {
		end(s, failure, condition);
		return;
	}
	write_end(s, condition);
	s2s_set_end(&s->base, failure, condition);
	s2s_forget_asked(&s->base);
	enter(s, CLOSING);
}

enum failure s2s_in_objection(const struct s2s_in *s, const struct policy *policy)
{
	if (!states[s->state].open)
		return FAILURE_NONE;
	if (!policy_is_enabled(policy))
		return FAILURE_FEDERATION_OFF;
	if (s->to[0] && !policy_is_federated(policy, s->to))
		return FAILURE_NOT_FEDERATED;
	if (!s->secured && s->security != SECURITY_TLS_REQUIRED &&
	    policy_decide(policy, s->to, s->from).security == SECURITY_TLS_REQUIRED)
		return FAILURE_NO_TLS;
	return s->state == READY ? s2s_pairs_refused(&s->pairs, policy) : FAILURE_NONE;
}

void s2s_in_set_policy(struct s2s_in *s, const struct policy *policy)
{
	enum failure failure = s2s_in_objection(s, policy);

	s2s_pairs_keep_allowed(&s->pairs, policy);
	s->policy = policy;
	if (!states[s->state].open)
		return;
	s->security = security_of(s);
	if (failure != FAILURE_NONE)
		s2s_in_close(s,
			     failure == FAILURE_FEDERATION_OFF	? "system-shutdown"
			     : failure == FAILURE_NOT_FEDERATED ? "host-gone"
								: "policy-violation",
			     failure);
}

struct buffer *s2s_in_output(struct s2s_in *s)
{
	return &s->base.output;
}

const char *s2s_in_state(const struct s2s_in *s)
{
	return states[s->state].name;
}

const char *s2s_in_stream_id(const struct s2s_in *s)
{
	return s->stream_ids[s->stream];
}

const char *s2s_in_to(const struct s2s_in *s)
{
	return s->to;
}

const char *s2s_in_from(const struct s2s_in *s)
{
	return s->from;
}

bool s2s_in_is_secured(const struct s2s_in *s)
{
	return s->secured;
}

bool s2s_in_next_pair(const struct s2s_in *s, size_t *place, struct dialback_claim *pair)
{
	const struct s2s_proven *at = s->pairs.first;

	for (size_t i = 0; at && i < *place; i++)
		at = at->next;
	if (at == NULL)
		return false;
	(*place)++;
	*pair = (struct dialback_claim){ at->sender, at->target, s->stream_ids[s->stream] };
	return true;
}
