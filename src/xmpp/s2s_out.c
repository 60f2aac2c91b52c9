#include "xmpp/s2s_out.h"

#include "base/alloc.h"
#include "xmpp/namespaces.h"
#include "xmpp/s2s_session.h"
#include "xmpp/s2s_verifies.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

enum state {
	CONNECTING,
	WAIT_HEADER,
	WAIT_FEATURES,
	WAIT_PROCEED,
	WAIT_TLS,
	IDLE, /* negotiated; may carry db:verify */
	WAIT_KEY,
	WAIT_RESULT,
	READY,
	CLOSING, /* our footer is out, the peer's is not here yet */
	CLOSED,
};

enum input_type {
	INPUT_CONNECTED,
	INPUT_HEADER,
	INPUT_ELEMENT,
	INPUT_SECURED,
	INPUT_WANTED,
	INPUT_KEY,
};

struct input {
	enum input_type type;
	const struct stanza_view *element;
	const struct s2s_tls *tls;
	const char *key;
};

struct s2s_out {
	struct s2s_session base;
	enum state state;
	char local_domain[DOMAIN_BYTES + 1], remote_domain[DOMAIN_BYTES + 1];
	char stream_id[S2S_STREAM_ID_BYTES + 1];
	enum security_mode security;
	bool verify_certificate;
	struct stream_limits limits;
	bool wanted; /* stanzas wait for this stream: prove our domain as soon as it can be */
	bool secured;
	struct s2s_verifies verifies;
	char answer[S2S_WHY_BYTES]; /* the last dialback error, in words */
};

typedef void state_fn(struct s2s_out *s, const struct input *in);
static state_fn connecting, wait_header, wait_features, wait_proceed, wait_tls, idle, wait_key,
	wait_result, ready;

enum timeout { TIMEOUT_NONE, TIMEOUT_STEP, TIMEOUT_DIALBACK, TIMEOUT_IDLE };

static const struct {
	const char *name;
	state_fn *handle;
	enum timeout timeout; /* the setting that says how long the peer may keep us here */
	bool reads;	      /* what the peer sends is taken */
	bool writes;	      /* our stream is open: an error and the footer can be written */
	bool negotiated;      /* db:verify can be sent */
} states[] = {
	[CONNECTING] = { "connecting", connecting, TIMEOUT_NONE, false, false, false },
	[WAIT_HEADER] = { "wait-header", wait_header, TIMEOUT_STEP, true, true, false },
	[WAIT_FEATURES] = { "wait-features", wait_features, TIMEOUT_STEP, true, true, false },
	[WAIT_PROCEED] = { "wait-proceed", wait_proceed, TIMEOUT_STEP, true, true, false },
	[WAIT_TLS] = { "wait-tls", wait_tls, TIMEOUT_STEP, false, false, false },
	[IDLE] = { "idle", idle, TIMEOUT_IDLE, true, true, true },
	[WAIT_KEY] = { "wait-key", wait_key, TIMEOUT_STEP, true, true, true },
	[WAIT_RESULT] = { "wait-result", wait_result, TIMEOUT_DIALBACK, true, true, true },
	[READY] = { "ready", ready, TIMEOUT_IDLE, true, true, true },
	[CLOSING] = { "closing", NULL, TIMEOUT_STEP, true, false, false },
	[CLOSED] = { "closed", NULL, TIMEOUT_NONE, false, false, false },
};

static void fail_verifies(struct s2s_out *s, enum failure failure);

static void arm_state(struct s2s_out *s)
{
	const struct s2s_timeouts *timeouts = &s->base.timeouts;
	const unsigned seconds[] = {
		[TIMEOUT_NONE] = 0,
		[TIMEOUT_STEP] = timeouts->step,
		[TIMEOUT_DIALBACK] = timeouts->dialback,
		[TIMEOUT_IDLE] = timeouts->idle,
	};

	s2s_set_due(&s->base, S2S_DUE_STATE, seconds[states[s->state].timeout]);
}

static void enter(struct s2s_out *s, enum state state)
{
	s->state = state;
	arm_state(s);
	if (state == IDLE || state == READY || state == CLOSING)
		s2s_set_due(&s->base, S2S_DUE_AUTHENTICATION, 0);
}

/* As s2s_set_end said before. */
static void finish_closing(struct s2s_out *s)
{
	fail_verifies(s, s->base.failure == FAILURE_NONE ? FAILURE_LOST : s->base.failure);
	enter(s, CLOSED);
}

static void end(struct s2s_out *s, enum failure failure, const char *why)
{
	s2s_set_end(&s->base, failure, why);
	finish_closing(s);
}

/* The stream ends here and now. `condition`: what the peer is told, or NULL. */
static void fail(struct s2s_out *s, enum failure failure, const char *condition, const char *why)
{
	if (states[s->state].writes)
		s2s_write_end(&s->base.output, condition);
	end(s, failure, why);
}

static void offended(struct s2s_out *s, const char *why)
{
	if (!s2s_offended(&s->base, why))
		fail(s, FAILURE_PROTOCOL, "policy-violation", why);
}

/* Asking the authoritative server */

static void verified(struct s2s_out *s, uint64_t request, enum s2s_verdict verdict,
		     enum failure failure)
{
	s2s_push(&s->base, &(struct s2s_action){ .type = S2S_VERIFIED,
						 .request = request,
						 .verdict = verdict,
						 .failure = failure });
}

/* The question has its verdict. */
static void settle(struct s2s_out *s, struct s2s_verify *verify, enum s2s_verdict verdict,
		   enum failure failure)
{
	verified(s, verify->request, verdict, failure);
	s2s_verifies_remove(&s->verifies, verify);
	s->base.due_ms[S2S_DUE_VERIFY] = s2s_verifies_next_due(&s->verifies);
}

static void fail_verifies(struct s2s_out *s, enum failure failure)
{
	while (s->verifies.first)
		settle(s, s->verifies.first, S2S_VERDICT_ERROR, failure);
}

static void send_verifies(struct s2s_out *s)
{
	for (struct s2s_verify *verify = s->verifies.first; verify; verify = verify->next) {
		if (verify->sent)
			continue;
		verify->sent = true;
		s2s_send_dialback(&s->base,
				  &(struct s2s_dialback){ .name = slice_of("verify"),
							  .from = slice_of(s->local_domain),
							  .id = slice_of(verify->id),
							  .to = slice_of(s->remote_domain),
							  .key = verify->key },
				  S2S_NOTE_VERIFY_SENT);
	}
}

void s2s_out_verify(struct s2s_out *s, const struct dialback_claim *claim, struct slice key,
		    uint64_t request)
{
	struct s2s_verify *verify;

	assert(strcmp(claim->sender_domain, s->remote_domain) == 0);
	assert(strcmp(claim->target_domain, s->local_domain) == 0);
	if (s->state == CLOSING || s->state == CLOSED) {
		verified(s, request, S2S_VERDICT_ERROR, FAILURE_LOST);
		return;
	}
	if (s->verifies.count >= S2S_OUT_VERIFIES_MAX) {
		verified(s, request, S2S_VERDICT_ERROR, FAILURE_QUEUE_FULL);
		return;
	}
	verify = s2s_verifies_add(&s->verifies, claim->stream_id, key);
	verify->request = request;
	verify->due_ms = s->base.now_ms + (uint64_t)s->base.timeouts.verify * 1000;
	s->base.due_ms[S2S_DUE_VERIFY] = s2s_verifies_next_due(&s->verifies);
	if (states[s->state].negotiated)
		send_verifies(s);
}

static bool is_pair(const struct s2s_out *s, const struct stanza_view *element)
{
	char from[DOMAIN_BYTES + 1], to[DOMAIN_BYTES + 1];

	return s2s_domain(element->from, from) && s2s_domain(element->to, to) &&
	       strcmp(from, s->remote_domain) == 0 && strcmp(to, s->local_domain) == 0;
}

static enum failure error_of(const struct stanza_view *answer)
{
	return slice_is(s2s_dialback_condition(answer), "item-not-found") ? FAILURE_HOST_UNKNOWN
									  : FAILURE_DIALBACK_ERROR;
}

/* Only what was asked on this very stream, (from, to, id), and each answer once (XEP-0220 3.1). */
static void take_verify_answer(struct s2s_out *s, const struct stanza_view *element)
{
	struct s2s_verify *verify = NULL;

	if (is_pair(s, element))
		verify = s2s_verifies_find(&s->verifies, element->id);

	s2s_note_dialback(&s->base, element, S2S_NOTE_VERIFY_RECEIVED);
	if (verify == NULL)
		offended(s, "db:verify answers nothing that was asked");
	else if (slice_is(element->type, "valid"))
		settle(s, verify, S2S_VALID, FAILURE_NONE);
	else if (slice_is(element->type, "invalid"))
		settle(s, verify, S2S_INVALID, FAILURE_NONE);
	else if (slice_is(element->type, "error"))
		settle(s, verify, S2S_VERDICT_ERROR, error_of(element));
	else
		offended(s, "db:verify of an unknown type");
	if (s->state == IDLE || s->state == READY)
		arm_state(s);
}

/* The peer asks us, the authoritative server of our own domain. */
static void take_verify_question(struct s2s_out *s, const struct stanza_view *element)
{
	char from[DOMAIN_BYTES + 1], to[DOMAIN_BYTES + 1];

	s2s_note_dialback(&s->base, element, S2S_NOTE_RECEIVED);
	if (!s2s_domain(element->from, from) || !s2s_domain(element->to, to))
		s2s_refuse_dialback(&s->base, element, "bad-request",
				    "db:verify without two domains");
	else if (strcmp(to, s->local_domain) != 0)
		s2s_refuse_dialback(&s->base, element, "item-not-found",
				    "db:verify for a domain that this stream is not of");
	else
		s2s_take_question(&s->base, element, to, from);
}

/* Negotiation */

static void send_header(struct s2s_out *s)
{
	s2s_write_header(&s->base.output, &(struct s2s_header){ .from = s->local_domain,
								.to = s->remote_domain,
								.version = true });
	enter(s, WAIT_HEADER);
}

static void ask_for_key(struct s2s_out *s)
{
	if (s->stream_id[0] == '\0') {
		fail(s, FAILURE_PROTOCOL, "undefined-condition", "the peer's stream has no id");
		return;
	}
	s->wanted = false;
	s2s_push(&s->base, &(struct s2s_action){
				   .type = S2S_MAKE_KEY,
				   .claim = { s->local_domain, s->remote_domain, s->stream_id } });
	enter(s, WAIT_KEY);
}

/* From here on elements are small, but there may be many in the stream's life. */
static void negotiated(struct s2s_out *s)
{
	s->limits.total_bytes = 0;
	stream_reader_set_limits(s->base.reader, &s->limits);
	if (s->wanted)
		ask_for_key(s);
	else
		enter(s, IDLE);
	if (states[s->state].negotiated)
		send_verifies(s);
}

static void connecting(struct s2s_out *s, const struct input *in)
{
	if (in->type != INPUT_CONNECTED)
		return;
	s2s_set_due(&s->base, S2S_DUE_AUTHENTICATION, s->base.timeouts.authentication);
	send_header(s);
}

static void wait_header(struct s2s_out *s, const struct input *in)
{
	struct slice id;

	if (in->type != INPUT_HEADER)
		return;
	s2s_note(&s->base, S2S_NOTE_STREAM_OPEN, in->element->bytes);
	id = in->element->id;
	if (id.len > S2S_STREAM_ID_BYTES) {
		fail(s, FAILURE_PROTOCOL, "policy-violation", "stream id too long");
		return;
	}
	snprintf(s->stream_id, sizeof(s->stream_id), "%.*s", SLICE_ARGS(id));
	if (s2s_has_version(in->element))
		enter(s, WAIT_FEATURES);
	else if (s->secured || s->security != SECURITY_TLS_REQUIRED)
		negotiated(s); /* an old server sends no features (RFC 6120 4.7.5) */
	else
		fail(s, FAILURE_NO_TLS, NULL, "old server without stream features");
}

static void wait_features(struct s2s_out *s, const struct input *in)
{
	struct stanza_view starttls, required;
	bool offered, is_required;

	if (in->type != INPUT_ELEMENT)
		return;
	if (!stanza_is(in->element, "features", NS_STREAMS)) {
		offended(s, "sent something before its features");
		return;
	}
	s2s_note(&s->base, S2S_NOTE_FEATURES, in->element->bytes);
	offered = !s->secured && stanza_child(in->element, "starttls", NS_TLS, &starttls);
	is_required = offered && stanza_child(&starttls, "required", NS_TLS, &required);
	if (offered && s->security != SECURITY_NO_TLS) {
		buffer_append_text(&s->base.output, "<starttls xmlns='" NS_TLS "'/>");
		enter(s, WAIT_PROCEED);
	} else if (!s->secured && s->security == SECURITY_TLS_REQUIRED) {
		fail(s, FAILURE_NO_TLS, NULL, "starttls is not offered");
	} else if (is_required) {
		fail(s, FAILURE_TLS_NOT_WANTED, NULL, "starttls is required");
	} else {
		negotiated(s);
	}
}

static void wait_proceed(struct s2s_out *s, const struct input *in)
{
	if (in->type != INPUT_ELEMENT)
		return;
	if (stanza_is(in->element, "proceed", NS_TLS)) {
		s2s_push(&s->base, &(struct s2s_action){ .type = S2S_START_TLS });
		enter(s, WAIT_TLS);
	} else if (stanza_is(in->element, "failure", NS_TLS)) {
		fail(s, FAILURE_NO_TLS, NULL, "starttls was offered and then refused");
	} else {
		offended(s, "sent something before <proceed/>");
	}
}

/* What was read in clear behind <proceed/> goes with the old stream (RFC 6120 5.3.1). */
static void wait_tls(struct s2s_out *s, const struct input *in)
{
	if (in->type != INPUT_SECURED)
		return;
	if (s->verify_certificate && !in->tls->certificate_valid) {
		fail(s, FAILURE_CERTIFICATE_REFUSED, NULL, in->tls->why);
		return;
	}
	s->secured = true;
	s->stream_id[0] = '\0';
	stream_reader_restart(s->base.reader);
	send_header(s);
}

/* Proving our domain */

static void refuse_element(struct s2s_out *s, const struct stanza_view *element)
{
	if (stanza_is(element, "result", NS_DIALBACK)) {
		s2s_note_dialback(&s->base, element, S2S_NOTE_RECEIVED);
		offended(s, "db:result answers nothing that was asked");
	} else if (element->kind != STANZA_OTHER) {
		offended(s, "stanza on a stream that is ours to send on");
	} else if (!stanza_is(element, "features", NS_STREAMS)) {
		offended(s, "unknown element");
	} /* features may come again, after others were negotiated */
}

static void idle(struct s2s_out *s, const struct input *in)
{
	if (in->type == INPUT_WANTED)
		ask_for_key(s);
	else if (in->type == INPUT_ELEMENT)
		refuse_element(s, in->element);
}

static void wait_key(struct s2s_out *s, const struct input *in)
{
	char seconds[16];

	if (in->type == INPUT_ELEMENT) {
		refuse_element(s, in->element);
	} else if (in->type == INPUT_KEY) {
		s2s_send_dialback(&s->base,
				  &(struct s2s_dialback){ .name = slice_of("result"),
							  .from = slice_of(s->local_domain),
							  .to = slice_of(s->remote_domain),
							  .key = slice_of(in->key) },
				  S2S_NOTE_SENT);
		snprintf(seconds, sizeof(seconds), "%u", s->base.timeouts.dialback);
		s2s_note(&s->base, S2S_NOTE_DIALBACK_TIMER, slice_of(seconds));
		enter(s, WAIT_RESULT);
	}
}

static void describe_error(struct s2s_out *s, const struct stanza_view *element)
{
	struct slice condition = s2s_dialback_condition(element);

	snprintf(s->answer, sizeof(s->answer), "the peer answers db:result with an error%s%.*s",
		 condition.len ? ": " : "", condition.len < 40 ? (int)condition.len : 40,
		 condition.len ? condition.data : "");
}

static void take_result(struct s2s_out *s, const struct stanza_view *element)
{
	s2s_note_dialback(&s->base, element, S2S_NOTE_RECEIVED);
	if (slice_is(element->type, "valid")) {
		s2s_push(&s->base,
			 &(struct s2s_action){
				 .type = S2S_READY,
				 .claim = { s->local_domain, s->remote_domain, s->stream_id } });
		enter(s, READY);
	} else if (slice_is(element->type, "invalid")) {
		fail(s, FAILURE_DIALBACK_REFUSED, NULL, "the peer says that our key is invalid");
	} else if (slice_is(element->type, "error")) {
		describe_error(s, element);
		s2s_push(&s->base, &(struct s2s_action){ .type = S2S_NOT_READY,
							 .failure = error_of(element),
							 .why = s->answer });
		enter(s, IDLE);
	} else {
		offended(s, "db:result of an unknown type");
	}
}

static void wait_result(struct s2s_out *s, const struct input *in)
{
	if (in->type != INPUT_ELEMENT)
		return;
	if (stanza_is(in->element, "result", NS_DIALBACK) && in->element->type.data &&
	    is_pair(s, in->element))
		take_result(s, in->element);
	else
		refuse_element(s, in->element);
}

static void ready(struct s2s_out *s, const struct input *in)
{
	if (in->type == INPUT_ELEMENT)
		refuse_element(s, in->element);
}

/* The door: what means the same in every state. */

static void handle(struct s2s_out *s, const struct input *in)
{
	const struct stanza_view *element = in->element;
	bool is_settled = states[s->state].negotiated;

	if (s->state == CLOSING || s->state == CLOSED)
		return; /* what the peer still has to say comes too late */
	if (in->type == INPUT_ELEMENT && stanza_is(element, "error", NS_STREAMS)) {
		struct slice condition;
		char why[S2S_WHY_BYTES];
		bool is_unknown;

		s2s_read_stream_error(&s->base, element, &condition, why);
		is_unknown =
			slice_is(condition, "host-unknown") || slice_is(condition, "host-gone");
		fail(s, is_unknown ? FAILURE_HOST_UNKNOWN : FAILURE_STREAM_ERROR, NULL, why);
	} else if (in->type == INPUT_ELEMENT && is_settled &&
		   stanza_is(element, "verify", NS_DIALBACK)) {
		if (element->type.data)
			take_verify_answer(s, element);
		else
			take_verify_question(s, element);
	} else {
		states[s->state].handle(s, in);
	}
}

/* The peer's footer, or its end of the connection: in good order, or with something undone. */
static enum failure failure_at_end(const struct s2s_out *s)
{
	if (s->state == IDLE || s->state == READY)
		return FAILURE_NONE;
	return s->state == WAIT_RESULT ? FAILURE_DIALBACK_ERROR : FAILURE_LOST;
}

static void take_footer(struct s2s_out *s)
{
	if (s->state == CLOSING)
		finish_closing(s);
	else
		fail(s, failure_at_end(s), NULL, "the peer closed the stream");
}

static void take_reader_error(struct s2s_out *s)
{
	const char *why;
	enum stream_error error = stream_reader_error(s->base.reader, &why);

	if (s->state == CLOSING)
		finish_closing(s);
	else
		fail(s, FAILURE_PROTOCOL, stream_error_name(error), why);
}

/* False: nothing more until the next input. */
static bool read_on(struct s2s_out *s)
{
	const struct stanza_view *element;

	if (!states[s->state].reads)
		return false;
	switch (stream_reader_next(s->base.reader, &element)) {
	case STREAM_MORE:
		return false;
	case STREAM_HEADER:
		handle(s, &(struct input){ .type = INPUT_HEADER, .element = element });
		break;
	case STREAM_ELEMENT:
		handle(s, &(struct input){ .type = INPUT_ELEMENT, .element = element });
		break;
	case STREAM_FOOTER:
		take_footer(s);
		break;
	case STREAM_ERROR:
		take_reader_error(s);
		break;
	}
	return true;
}

struct s2s_action s2s_out_next(struct s2s_out *s)
{
	struct s2s_action action;

	while (!s2s_pop(&s->base, &action)) {
		if (!read_on(s))
			return s->state == CLOSED ? s2s_last(&s->base) : s2s_at_rest(&s->base);
	}
	return action;
}

/* Inputs */

struct s2s_out *s2s_out_create(const struct s2s_out_options *options)
{
	struct s2s_out *s = xcalloc(1, sizeof(*s));

	assert(strlen(options->local_domain) <= DOMAIN_BYTES);
	assert(strlen(options->remote_domain) <= DOMAIN_BYTES);
	s->limits = options->limits ? *options->limits : stream_limits_before;
	s2s_session_init(&s->base, &options->timeouts, &s->limits);
	snprintf(s->local_domain, sizeof(s->local_domain), "%s", options->local_domain);
	snprintf(s->remote_domain, sizeof(s->remote_domain), "%s", options->remote_domain);
	s->security = options->security;
	s->verify_certificate = options->verify_certificate;
	return s;
}

void s2s_out_destroy(struct s2s_out **session)
{
	struct s2s_out *s = *session;

	*session = NULL;
	if (s == NULL)
		return;
	while (s->verifies.first)
		s2s_verifies_remove(&s->verifies, s->verifies.first);
	s2s_session_finish(&s->base);
	free(s);
}

void s2s_out_tell_time(struct s2s_out *s, uint64_t now_ms)
{
	s->base.now_ms = now_ms;
}

void s2s_out_connected(struct s2s_out *s)
{
	handle(s, &(struct input){ .type = INPUT_CONNECTED });
}

char *s2s_out_room(struct s2s_out *s, size_t *len)
{
	return stream_reader_room(s->base.reader, len);
}

void s2s_out_filled(struct s2s_out *s, size_t len)
{
	stream_reader_filled(s->base.reader, len);
}

void s2s_out_secured(struct s2s_out *s, const struct s2s_tls *tls)
{
	handle(s, &(struct input){ .type = INPUT_SECURED, .tls = tls });
}

/* A stream that neither carries stanzas nor waits for an answer has done its work. */
static void state_is_over(struct s2s_out *s)
{
	char why[64];

	if (states[s->state].timeout == TIMEOUT_IDLE) {
		if (s->verifies.first)
			arm_state(s);
		else
			s2s_out_close(s, NULL, FAILURE_NONE);
	} else if (s->state == CLOSING) {
		finish_closing(s);
	} else {
		snprintf(why, sizeof(why), "no answer in state %s", states[s->state].name);
		fail(s, FAILURE_TIMEOUT, "connection-timeout", why);
	}
}

static void expire_verifies(struct s2s_out *s)
{
	struct s2s_verify *verify = s->verifies.first;

	while (verify) {
		struct s2s_verify *next = verify->next;

		if (verify->due_ms <= s->base.now_ms)
			settle(s, verify, S2S_VERDICT_ERROR, FAILURE_TIMEOUT);
		verify = next;
	}
}

void s2s_out_timeout(struct s2s_out *s)
{
	s->base.armed_ms = 0;
	expire_verifies(s);
	if (s2s_is_due(&s->base, S2S_DUE_AUTHENTICATION))
		fail(s, FAILURE_TIMEOUT, "connection-timeout", "setting up took too long");
	else if (s2s_is_due(&s->base, S2S_DUE_STATE))
		state_is_over(s);
}

void s2s_out_closed(struct s2s_out *s, enum failure failure, const char *why)
{
	if (s->state == CLOSED)
		return;
	if (s->state == CLOSING)
		finish_closing(s);
	else if (failure == FAILURE_NONE)
		end(s, failure_at_end(s), why ? why : "the peer closed the connection");
	else
		end(s, failure, why);
}

void s2s_out_want_ready(struct s2s_out *s)
{
	if (!states[s->state].negotiated)
		s->wanted = true;
	else
		handle(s, &(struct input){ .type = INPUT_WANTED });
}

void s2s_out_key(struct s2s_out *s, const char *key)
{
	handle(s, &(struct input){ .type = INPUT_KEY, .key = key });
}

void s2s_out_key_checked(struct s2s_out *s, uint64_t request, bool valid)
{
	if (states[s->state].negotiated)
		s2s_key_checked(&s->base, request, valid);
}

void s2s_out_used(struct s2s_out *s)
{
	if (s->state == READY)
		arm_state(s);
}

void s2s_out_close(struct s2s_out *s, const char *condition, enum failure failure)
{
	if (s->state == CLOSING || s->state == CLOSED)
		return;
	if (!states[s->state].writes) {
		end(s, failure, condition);
		return;
	}
	s2s_write_end(&s->base.output, condition);
	s2s_set_end(&s->base, failure, condition);
	fail_verifies(s, failure == FAILURE_NONE ? FAILURE_LOST : failure);
	enter(s, CLOSING);
}

struct buffer *s2s_out_output(struct s2s_out *s)
{
	return &s->base.output;
}

bool s2s_out_is_ready(const struct s2s_out *s)
{
	return s->state == READY;
}

const char *s2s_out_state(const struct s2s_out *s)
{
	return states[s->state].name;
}

const char *s2s_out_stream_id(const struct s2s_out *s)
{
	return s->stream_id;
}
