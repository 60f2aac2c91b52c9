#include "xmpp/s2s.h"

#include "base/alloc.h"
#include "xmpp/s2s_dialogue.h"
#include "xmpp/s2s_in.h"
#include "xmpp/s2s_out.h"
#include "xmpp/s2s_session.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

/*
 * Both servers are ours. capulet.example initiates to montague.example, which asks back over a
 * second stream: four sessions, two connections, and a driver for each server as small as can be.
 */
struct connection {
	struct s2s_out *out;
	struct s2s_in *in;
	bool out_starts_tls, in_starts_tls, secured, out_closed, in_closed, ready;
};

struct world {
	struct connection there; /* capulet's, to montague: to carry stanzas */
	struct connection back;	 /* montague's, to capulet: to ask about the key */
	struct policy *capulet, *montague;
	struct dialback_secret *secret, *guessed; /* of capulet's servers, and of another's */
	struct buffer stanzas;
	bool lies;	   /* the key is made by somebody who doesn't know the secret */
	uint64_t answered; /* what capulet was asked */
};

static const struct s2s_timeouts timeouts = {
	.step = 10, .dialback = 30, .verify = 20, .authentication = 60, .idle = 300
};

static void open_connection(struct connection *c, const char *from, const char *to,
			    const struct policy *policy, enum security_mode security,
			    const char *id)
{
	c->out = s2s_out_create(&(struct s2s_out_options){ .local_domain = from,
							   .remote_domain = to,
							   .security = security,
							   .verify_certificate = true,
							   .timeouts = timeouts });
	c->in = s2s_in_create(&(struct s2s_in_options){ .policy = policy,
							.stream_ids = { "clear", id, "unused" },
							.timeouts = timeouts,
							.verify_pending_max = 4 });
	s2s_out_tell_time(c->out, 1000);
	s2s_in_tell_time(c->in, 1000);
	s2s_out_connected(c->out);
}

static struct policy *make_policy(const char *local, enum security_mode security)
{
	struct policy *policy = policy_create();

	policy_set_enabled(policy, true);
	policy_set_privacy(policy, PRIVACY_OFF);
	policy_set_security(policy, security);
	assert_true(policy_add_local(policy, slice_of(local), true));
	return policy;
}

static void drive_out(struct world *w, struct connection *c)
{
	char key[DIALBACK_KEY_LEN + 1];

	for (;;) {
		struct s2s_action action = s2s_out_next(c->out);

		switch (action.type) {
		case S2S_NONE:
			return;
		case S2S_CLOSED:
			c->out_closed = true;
			return;
		case S2S_START_TLS:
			c->out_starts_tls = true;
			return;
		case S2S_MAKE_KEY:
			dialback_key(w->lies ? w->guessed : w->secret, &action.claim, key);
			s2s_out_key(c->out, key);
			break;
		case S2S_VERIFIED:
			s2s_in_verified(w->there.in, action.request, action.verdict,
					action.failure);
			break;
		case S2S_READY:
			c->ready = true;
			break;
		default:
			break;
		}
	}
}

static void drive_in(struct world *w, struct connection *c)
{
	for (;;) {
		struct s2s_action action = s2s_in_next(c->in);

		switch (action.type) {
		case S2S_NONE:
			return;
		case S2S_CLOSED:
			c->in_closed = true;
			return;
		case S2S_START_TLS:
			c->in_starts_tls = true;
			return;
		case S2S_CHECK_KEY:
			w->answered++;
			s2s_in_key_checked(c->in, action.request,
					   dialback_verify(w->secret, &action.claim, action.key));
			break;
		case S2S_VERIFY:
			s2s_out_verify(w->back.out, &action.claim, action.key, action.request);
			break;
		case S2S_STANZA:
			buffer_append_slice(&w->stanzas, action.stanza->bytes);
			break;
		default:
			break;
		}
	}
}

/* Moves what one has written to the other; false: nothing had been. */
static bool carry(struct connection *c)
{
	struct buffer *output = s2s_out_output(c->out);
	bool any = buffer_len(output) > 0 || buffer_len(s2s_in_output(c->in)) > 0;

	while (buffer_len(output) > 0) {
		size_t len = buffer_len(output);
		char *room = s2s_in_room(c->in, &len);

		len = len < buffer_len(output) ? len : buffer_len(output);
		memcpy(room, buffer_data(output), len);
		s2s_in_filled(c->in, len);
		buffer_consume(output, len);
	}
	output = s2s_in_output(c->in);
	while (buffer_len(output) > 0) {
		size_t len = buffer_len(output);
		char *room = s2s_out_room(c->out, &len);

		len = len < buffer_len(output) ? len : buffer_len(output);
		memcpy(room, buffer_data(output), len);
		s2s_out_filled(c->out, len);
		buffer_consume(output, len);
	}
	return any;
}

static bool turn(struct world *w, struct connection *c)
{
	const struct s2s_tls tls = { .certificate_valid = true };
	bool any;

	drive_out(w, c);
	drive_in(w, c);
	any = carry(c);
	if (c->out_starts_tls && c->in_starts_tls && !c->secured) {
		c->secured = true;
		s2s_in_secured(c->in, &tls);
		s2s_out_secured(c->out, &tls);
		any = true;
	}
	return any;
}

/* A round may leave work for the one that follows, without a byte under way. */
static void settle_down(struct world *w)
{
	int quiet = 0;

	for (int i = 0; quiet < 2 && i < 100; i++) {
		bool any = turn(w, &w->there);

		any |= turn(w, &w->back);
		quiet = any ? 0 : quiet + 1;
	}
	assert_int_equal(quiet, 2);
}

static void begin(struct world *w, enum security_mode capulet, enum security_mode montague)
{
	w->capulet = make_policy("capulet.example", capulet);
	w->montague = make_policy("montague.example", montague);
	w->secret = dialback_secret_create("s3cr3tf0rd14lb4ck", NULL);
	w->guessed = dialback_secret_create("d14lb4ck43v3r-guess", NULL);
	open_connection(&w->there, "capulet.example", "montague.example", w->montague, capulet,
			"D60000229F");
	open_connection(&w->back, "montague.example", "capulet.example", w->capulet, montague,
			"417GAF25");
	s2s_out_want_ready(w->there.out);
	settle_down(w);
}

static void finish(struct world *w)
{
	struct connection *connections[] = { &w->there, &w->back };

	for (size_t i = 0; i < nitems(connections); i++) {
		s2s_out_destroy(&connections[i]->out);
		s2s_in_destroy(&connections[i]->in);
	}
	policy_destroy(&w->capulet);
	policy_destroy(&w->montague);
	dialback_secret_destroy(&w->secret);
	dialback_secret_destroy(&w->guessed);
	buffer_finish(&w->stanzas);
}

/* peers.md, table 3.3: initiator's and receiver's mode, and what comes of it */
static void two_of_us_agree_as_their_modes_say(void **state)
{
	static const struct {
		enum security_mode initiator, receiver;
		bool ready, secured;
	} rows[] = {
		{ SECURITY_TLS_REQUIRED, SECURITY_TLS_REQUIRED, true, true },
		{ SECURITY_TLS_REQUIRED, SECURITY_TLS_OPTIONAL, true, true },
		{ SECURITY_TLS_OPTIONAL, SECURITY_TLS_REQUIRED, true, true },
		{ SECURITY_TLS_OPTIONAL, SECURITY_TLS_OPTIONAL, true, true },
		{ SECURITY_TLS_OPTIONAL, SECURITY_NO_TLS, true, false },
		{ SECURITY_NO_TLS, SECURITY_TLS_OPTIONAL, true, false },
		{ SECURITY_NO_TLS, SECURITY_NO_TLS, true, false },
		{ SECURITY_TLS_REQUIRED, SECURITY_NO_TLS, false, false },
		{ SECURITY_NO_TLS, SECURITY_TLS_REQUIRED, false, false },
	};

	for (size_t i = 0; i < nitems(rows); i++) {
		struct world w = { 0 };

		begin(&w, rows[i].initiator, rows[i].receiver);
		assert_int_equal(w.there.ready, rows[i].ready);
		assert_int_equal(w.there.secured, rows[i].secured);
		assert_int_equal(w.answered, rows[i].ready);
		finish(&w);
	}
}

static void what_one_sends_the_other_takes(void **state)
{
	static const char message[] = "<message from='juliet@capulet.example/balcony' "
				      "to='romeo@montague.example'><body>o</body></message>";
	struct world w = { 0 };

	begin(&w, SECURITY_TLS_REQUIRED, SECURITY_TLS_REQUIRED);
	assert_true(s2s_out_is_ready(w.there.out));
	assert_string_equal(s2s_out_stream_id(w.there.out), "D60000229F");
	assert_string_equal(s2s_in_state(w.there.in), "ready");
	assert_string_equal(s2s_out_state(w.back.out), "idle");
	buffer_append_text(s2s_out_output(w.there.out), message);
	settle_down(&w);
	assert_true(dialogue_took(&w.stanzas, message));
	s2s_out_close(w.there.out, NULL, FAILURE_NONE);
	s2s_in_close(w.back.in, "system-shutdown", FAILURE_SHUTDOWN);
	settle_down(&w);
	assert_true(w.there.out_closed && w.there.in_closed);
	assert_true(w.back.out_closed && w.back.in_closed);
	finish(&w);
}

static void who_does_not_know_the_secret_is_found_out(void **state)
{
	struct world w = { .lies = true };

	begin(&w, SECURITY_TLS_REQUIRED, SECURITY_TLS_REQUIRED);
	assert_int_equal(w.answered, 1);
	assert_false(w.there.ready);
	assert_true(w.there.out_closed && w.there.in_closed);
	finish(&w);
}

/* The rest: what both share and a dialogue doesn't show well. */

static void everything_that_a_peer_chose_is_cut_in_notes(void **state)
{
	struct s2s_session session;
	struct s2s_action action;
	struct buffer text = { 0 };
	struct slice long_text;

	s2s_session_init(&session, &timeouts, &stream_limits_before);
	for (int i = 0; i < 10000; i++)
		buffer_append_text(&text, "x");
	long_text = (struct slice){ buffer_data(&text), buffer_len(&text) };
	/* one value hides no other */
	s2s_send_dialback(&session,
			  &(struct s2s_dialback){ .name = slice_of("verify"),
						  .id = long_text,
						  .to = slice_of("a.example"),
						  .key = long_text },
			  S2S_NOTE_SENT);
	assert_true(s2s_pop(&session, &action));
	assert_true(action.text.len < 400);
	assert_non_null(strstr(action.text.data, "x' to='a.example'>xxxxxxxx...</db:verify>"));
	/* and all of them together have an end */
	s2s_send_dialback(&session,
			  &(struct s2s_dialback){ .name = slice_of("verify"),
						  .id = long_text,
						  .from = long_text,
						  .to = long_text },
			  S2S_NOTE_SENT);
	assert_true(s2s_pop(&session, &action));
	assert_int_equal(action.text.len, S2S_NOTE_BYTES);
	buffer_finish(&text);
	s2s_session_finish(&session);
}

static void a_timer_is_asked_for_only_when_it_must_be_earlier(void **state)
{
	struct s2s_session session;

	s2s_session_init(&session, &timeouts, &stream_limits_before);
	assert_int_equal(s2s_at_rest(&session).type, S2S_NONE);
	session.now_ms = 500;
	s2s_set_due(&session, S2S_DUE_STATE, 10);
	assert_int_equal(s2s_at_rest(&session).seconds, 10);
	assert_int_equal(s2s_at_rest(&session).type, S2S_NONE);
	session.now_ms = 1600;
	s2s_set_due(&session, S2S_DUE_STATE, 10); /* later: the timer may fire early */
	assert_int_equal(s2s_at_rest(&session).type, S2S_NONE);
	s2s_set_due(&session, S2S_DUE_VERIFY, 2);
	assert_int_equal(s2s_at_rest(&session).seconds, 2);
	session.now_ms = 3601;
	session.armed_ms = 0; /* as a timeout does */
	assert_true(s2s_is_due(&session, S2S_DUE_VERIFY));
	assert_false(s2s_is_due(&session, S2S_DUE_STATE));
	s2s_set_due(&session, S2S_DUE_VERIFY, 0);
	assert_int_equal(s2s_at_rest(&session).seconds, 8);
	s2s_session_finish(&session);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(two_of_us_agree_as_their_modes_say),
		cmocka_unit_test(what_one_sends_the_other_takes),
		cmocka_unit_test(who_does_not_know_the_secret_is_found_out),
		cmocka_unit_test(everything_that_a_peer_chose_is_cut_in_notes),
		cmocka_unit_test(a_timer_is_asked_for_only_when_it_must_be_earlier),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
