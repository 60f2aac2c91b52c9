#include "xmpp/s2s_out.h"

#include "base/alloc.h"
#include "xmpp/s2s_dialogue.h"
#include "xmpp/s2s_session.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define ID "D60000229F" /* of XEP-0220's examples */
#define KEY "b4835385f37fe2895af6c196b59097b16862406db80559900d96bf6fa7d23df3"
#define OUR_HEADER S2S_HEADER " from='capulet.example' to='montague.example' version='1.0'>"
#define THEIR_HEADER_WITH(attributes)                                                              \
	"<stream:stream xmlns:stream='http://etherx.jabber.org/streams' xmlns='jabber:server' "    \
	"xmlns:db='jabber:server:dialback' from='montague.example' "                               \
	"to='capulet.example'" attributes ">"
#define THEIR_HEADER THEIR_HEADER_WITH(" id='" ID "' version='1.0'")
#define STARTTLS "<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>"
#define STARTTLS_REQUIRED "<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'><required/></starttls>"
#define PROCEED "<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>"
#define FEATURES(what) "<stream:features>" what "</stream:features>"
#define RESULT "<db:result from='capulet.example' to='montague.example'>" KEY "</db:result>"
#define ANSWER(rest) "<db:result from='montague.example' to='capulet.example'" rest
#define MAKE_KEY "make-key capulet.example>montague.example " ID "\n"
#define READY_EVENT "ready capulet.example>montague.example " ID "\n"
#define QUESTION(id)                                                                               \
	"<db:verify from='capulet.example' id='" id "' to='montague.example'>k</db:verify>"
#define VERDICT(id, rest) "<db:verify from='montague.example' id='" id "' to='capulet.example'" rest

/* The peer, its view of our session, and the session's clock. */
struct peer {
	struct s2s_out *out;
	struct dialogue says;
	uint64_t now_ms;
	size_t piece; /* how many bytes come at a time; 0: all */
	char not_ready[S2S_WHY_BYTES];
};

static void run(struct peer *b)
{
	struct buffer *output = s2s_out_output(b->out);
	struct s2s_action action;

	do {
		action = s2s_out_next(b->out);
		dialogue_add(&b->says, &action);
		if (action.type == S2S_NOT_READY)
			snprintf(b->not_ready, sizeof(b->not_ready), "%s", action.why);
		buffer_append(&b->says.wire, buffer_data(output), buffer_len(output));
		buffer_consume(output, buffer_len(output));
	} while (action.type != S2S_NONE && action.type != S2S_CLOSED);
}

static bool we_sent(struct peer *b, const char *text)
{
	return dialogue_took(&b->says.wire, text);
}

static bool happened(struct peer *b, const char *events)
{
	return dialogue_took(&b->says.events, events);
}

static void create(struct peer *b, enum security_mode security)
{
	size_t piece = b->piece;

	*b = (struct peer){ .now_ms = 1000, .piece = piece };
	b->out = s2s_out_create(&(struct s2s_out_options){
		.local_domain = "capulet.example",
		.remote_domain = "montague.example",
		.security = security,
		.verify_certificate = true,
		.timeouts = { .step = 10,
			      .dialback = 30,
			      .verify = 20,
			      .authentication = 60,
			      .idle = 300 },
	});
	s2s_out_tell_time(b->out, b->now_ms);
}

static void connect_peer(struct peer *b, enum security_mode security)
{
	create(b, security);
	s2s_out_connected(b->out);
	run(b);
	assert_true(we_sent(b, OUR_HEADER));
}

static void disconnect_peer(struct peer *b)
{
	s2s_out_destroy(&b->out);
	dialogue_finish(&b->says);
}

static void peer_sends(struct peer *b, const char *text)
{
	size_t done = 0, len = strlen(text);

	while (done < len && !b->says.is_closed) {
		size_t room = b->piece && b->piece < len - done ? b->piece : len - done;
		char *to = s2s_out_room(b->out, &room);

		room = room < len - done ? room : len - done;
		memcpy(to, text + done, room);
		s2s_out_filled(b->out, room);
		done += room;
		run(b);
	}
}

static void time_passes(struct peer *b, unsigned seconds)
{
	b->now_ms += (uint64_t)seconds * 1000;
	s2s_out_tell_time(b->out, b->now_ms);
	s2s_out_timeout(b->out);
	run(b);
}

static void tls_comes_up(struct peer *b, bool valid)
{
	s2s_out_secured(b->out, &(struct s2s_tls){ .certificate_valid = valid,
						   .why = valid ? NULL : "expired" });
	run(b);
}

static void we_want_to_send(struct peer *b)
{
	s2s_out_want_ready(b->out);
	run(b);
}

static void we_make_the_key(struct peer *b)
{
	s2s_out_key(b->out, KEY);
	run(b);
}

static void we_ask(struct peer *b, const char *id, uint64_t request)
{
	s2s_out_verify(b->out,
		       &(struct dialback_claim){ "montague.example", "capulet.example", id },
		       slice_of("k"), request);
	run(b);
}

/* In clear, with a peer that offers dialback. */
static void open_peer(struct peer *b)
{
	connect_peer(b, SECURITY_TLS_OPTIONAL);
	peer_sends(b, THEIR_HEADER FEATURES(S2S_DIALBACK_FEATURE));
	assert_string_equal(s2s_out_state(b->out), "idle");
	assert_true(we_sent(b, ""));
	assert_true(happened(b, ""));
}

static void prove_us(struct peer *b)
{
	open_peer(b);
	we_want_to_send(b);
	assert_true(happened(b, MAKE_KEY));
	we_make_the_key(b);
	assert_true(we_sent(b, RESULT));
	peer_sends(b, ANSWER(" type='valid'/>"));
	assert_true(happened(b, READY_EVENT));
	assert_true(s2s_out_is_ready(b->out));
}

/* RFC 6120 9.2 as far as dialback replaces SASL, and XEP-0220 2.1.1 */
static void our_domain_is_proven_under_tls(void **state)
{
	struct peer b = { 0 };

	connect_peer(&b, SECURITY_TLS_REQUIRED);
	we_want_to_send(&b);
	assert_string_equal(s2s_out_state(b.out), "wait-header");
	assert_string_equal(s2s_out_stream_id(b.out), "");
	peer_sends(&b, THEIR_HEADER_WITH(" id='in-clear' version='1.0'"));
	assert_string_equal(s2s_out_stream_id(b.out), "in-clear");
	peer_sends(&b, FEATURES(STARTTLS_REQUIRED S2S_DIALBACK_FEATURE));
	assert_true(we_sent(&b, STARTTLS));
	peer_sends(&b, PROCEED);
	assert_true(happened(&b, "start-tls\n"));
	assert_string_equal(s2s_out_state(b.out), "wait-tls");
	tls_comes_up(&b, true);
	assert_true(we_sent(&b, OUR_HEADER));
	peer_sends(&b, THEIR_HEADER);
	peer_sends(&b, FEATURES(S2S_DIALBACK_FEATURE));
	assert_true(happened(&b, MAKE_KEY));
	we_make_the_key(&b);
	assert_true(we_sent(&b, RESULT));
	assert_string_equal(s2s_out_state(b.out), "wait-result");
	assert_int_equal(b.says.timer, 10);
	peer_sends(&b, ANSWER(" type='valid'/>"));
	assert_true(happened(&b, READY_EVENT));
	assert_true(s2s_out_is_ready(b.out));
	disconnect_peer(&b);
}

/* XEP-0220 2.1.1: the other answers, and as Prosody writes them (interop.md, surprise 7) */
static void the_answer_decides(void **state)
{
	static const struct {
		const char *answer, *events, *state;
	} rows[] = {
		{ ANSWER(" type='valid' id='x'>" KEY "</db:result>"), READY_EVENT, "ready" },
		{ ANSWER(" type='valid'></db:result>"), READY_EVENT, "ready" },
		{ ANSWER(" type='invalid'/>"), "closed dialback-refused\n", "closed" },
		{ ANSWER(" type='error'>")
			  S2S_DIALBACK_ERROR("cancel", "item-not-found") "</db:result>",
		  "not-ready host-unknown\n", "idle" },
		{ ANSWER(" type='error'>")
			  S2S_DIALBACK_ERROR("cancel", "remote-connection-failed") "</db:result>",
		  "not-ready dialback-error\n", "idle" },
		{ ANSWER(" type='error'/>"), "not-ready dialback-error\n", "idle" },
		{ "</stream:stream>", "closed dialback-error\n", "closed" },
		{ "<stream:error><host-unknown xmlns='urn:ietf:params:xml:ns:xmpp-streams'/>"
		  "<text xmlns='urn:ietf:params:xml:ns:xmpp-streams'>no</text></stream:error>",
		  "closed host-unknown\n", "closed" },
		{ "<stream:error><not-authorized xmlns='urn:ietf:params:xml:ns:xmpp-streams'/>"
		  "</stream:error></stream:stream>",
		  "closed stream-error\n", "closed" },
		{ "<stream:error/>", "closed stream-error\n", "closed" },
		{ "<a><b></a>", "closed protocol\n", "closed" },
	};

	for (size_t i = 0; i < nitems(rows); i++) {
		struct peer b = { 0 };

		open_peer(&b);
		we_want_to_send(&b);
		we_make_the_key(&b);
		assert_true(happened(&b, MAKE_KEY));
		peer_sends(&b, rows[i].answer);
		assert_true(happened(&b, rows[i].events));
		assert_string_equal(s2s_out_state(b.out), rows[i].state);
		disconnect_peer(&b);
	}
}

static void the_condition_of_a_dialback_error_is_told(void **state)
{
	struct peer b = { 0 };

	open_peer(&b);
	we_want_to_send(&b);
	we_make_the_key(&b);
	peer_sends(&b, ANSWER(" type='error'>") S2S_DIALBACK_ERROR(
			       "cancel", "remote-server-not-found") "</db:result>");
	assert_string_equal(b.not_ready, "the peer answers db:result with an error: "
					 "remote-server-not-found");
	disconnect_peer(&b);
}

static void after_a_dialback_error_the_stream_still_verifies_and_may_try_again(void **state)
{
	struct peer b = { 0 };

	open_peer(&b);
	we_want_to_send(&b);
	we_make_the_key(&b);
	peer_sends(&b, ANSWER(" type='error'/>"));
	assert_true(happened(&b, MAKE_KEY "not-ready dialback-error\n"));
	we_sent(&b, RESULT);
	we_ask(&b, "1", 7);
	assert_true(we_sent(&b, QUESTION("1")));
	we_want_to_send(&b);
	we_make_the_key(&b);
	assert_true(we_sent(&b, RESULT));
	disconnect_peer(&b);
}

/* XEP-0220 2.1.2 */
static void we_ask_the_authoritative_server(void **state)
{
	static const struct {
		const char *answer, *events;
	} rows[] = {
		{ VERDICT("417GAF25", " type='valid'/>"), "verified 7 valid none\n" },
		{ VERDICT("417GAF25", " type='invalid'/>"), "verified 7 invalid none\n" },
		{ VERDICT("417GAF25", " type='error'>")
			  S2S_DIALBACK_ERROR("cancel", "item-not-found") "</db:verify>",
		  "verified 7 error host-unknown\n" },
		{ VERDICT("417GAF25", " type='error'/>"), "verified 7 error dialback-error\n" },
		{ VERDICT("417GAF25", " type='valid'>k</db:verify>"), "verified 7 valid none\n" },
	};

	for (size_t i = 0; i < nitems(rows); i++) {
		struct peer b = { 0 };

		open_peer(&b);
		we_ask(&b, "417GAF25", 7);
		assert_true(we_sent(&b, QUESTION("417GAF25")));
		assert_true(happened(&b, ""));
		peer_sends(&b, rows[i].answer);
		assert_true(happened(&b, rows[i].events));
		disconnect_peer(&b);
	}
}

static void questions_wait_for_the_negotiation_and_for_nothing_else(void **state)
{
	struct peer b = { 0 };

	create(&b, SECURITY_TLS_OPTIONAL);
	we_ask(&b, "1", 1); /* before there is a connection */
	s2s_out_connected(b.out);
	we_want_to_send(&b);
	we_ask(&b, "2", 2);
	assert_true(we_sent(&b, OUR_HEADER));
	peer_sends(&b, THEIR_HEADER FEATURES(""));
	assert_true(we_sent(&b, QUESTION("1") QUESTION("2")));
	we_ask(&b, "3", 3); /* while the key is made */
	assert_true(we_sent(&b, QUESTION("3")));
	we_make_the_key(&b);
	we_ask(&b, "4", 4); /* while our result is pending: surprise 5 */
	assert_true(we_sent(&b, RESULT QUESTION("4")));
	peer_sends(&b, VERDICT("4", " type='valid'/>") VERDICT("2", " type='invalid'/>"));
	assert_true(happened(&b, MAKE_KEY "verified 4 valid none\nverified 2 invalid none\n"));
	peer_sends(&b, ANSWER(" type='valid'/>"));
	peer_sends(&b, VERDICT("1", " type='valid'/>"));
	assert_true(happened(&b, READY_EVENT "verified 1 valid none\n"));
	disconnect_peer(&b);
}

/* interop.md, surprises 5 and 6 */
static void we_answer_the_peers_questions_in_any_state(void **state)
{
	static const char question[] = "<db:verify id='9' to='capulet.example' "
				       "from='montague.example'> key </db:verify>";
	static const char event[] = "check-key capulet.example>montague.example 9 key\n";
	struct peer b = { 0 };

	open_peer(&b);
	peer_sends(&b, question);
	assert_true(happened(&b, event));
	s2s_out_key_checked(b.out, b.says.request, true);
	run(&b);
	assert_true(we_sent(&b, "<db:verify from='capulet.example' id='9' to='montague.example' "
				"type='valid'/>"));
	we_want_to_send(&b);
	we_make_the_key(&b);
	we_sent(&b, RESULT);
	peer_sends(&b, question);
	assert_true(happened(&b, MAKE_KEY "check-key capulet.example>montague.example 9 key\n"));
	s2s_out_key_checked(b.out, b.says.request, false);
	run(&b);
	assert_true(we_sent(&b, "<db:verify from='capulet.example' id='9' to='montague.example' "
				"type='invalid'/>"));
	peer_sends(&b,
		   "<db:verify id='9' to='other.example' from='montague.example'>k</db:verify>");
	assert_true(we_sent(
		&b, "<db:verify from='other.example' id='9' to='montague.example' "
		    "type='error'>" S2S_DIALBACK_ERROR("cancel", "item-not-found") "</db:verify>"));
	disconnect_peer(&b);
}

static void sec_01_only_what_was_asked_is_answered_and_once(void **state)
{
	static const char *const forged[] = {
		"<db:verify from='victim.example' id='1' to='capulet.example' type='valid'/>",
		"<db:verify from='montague.example' id='1' to='victim.example' type='valid'/>",
		"<db:verify from='capulet.example' id='1' to='montague.example' type='valid'/>",
		VERDICT("2", " type='valid'/>"),
		VERDICT("", " type='valid'/>"),
		VERDICT("1 ", " type='valid'/>"),
		VERDICT("1", " type='VALID'/>"),
		VERDICT("1", " type=''/>"),
		"<db:verify from='montague.example' to='capulet.example' type='valid'/>",
		ANSWER(" type='valid'/>"),
	};
	struct peer b = { 0 };

	open_peer(&b);
	we_ask(&b, "1", 1);
	for (size_t i = 0; i < nitems(forged); i++) {
		peer_sends(&b, forged[i]);
		assert_true(dialogue_has(&b.says.events, "refused db:"));
		assert_false(dialogue_has(&b.says.events, "verified"));
		buffer_consume(&b.says.events, buffer_len(&b.says.events));
	}
	peer_sends(&b, VERDICT("1", " type='valid'/>"));
	assert_true(happened(&b, "verified 1 valid none\n"));
	peer_sends(&b, VERDICT("1", " type='valid'/>"));
	assert_true(happened(&b, "refused db:verify answers nothing that was asked\n"));
	we_ask(&b, "3", 3);
	time_passes(&b, 20);
	assert_true(happened(&b, "verified 3 error timeout\n"));
	peer_sends(&b, VERDICT("3", " type='valid'/>"));
	assert_true(happened(&b, "refused db:verify answers nothing that was asked\n"));
	disconnect_peer(&b);
}

static void sec_01_a_result_before_we_asked_or_for_others_counts_for_nothing(void **state)
{
	static const char *const forged[] = {
		"<db:result from='victim.example' to='capulet.example' type='valid'/>",
		"<db:result from='montague.example' to='other.example' type='valid'/>",
		"<db:result from='montague.example' type='valid'/>",
		ANSWER(" type='maybe'/>"),
		ANSWER(">k</db:result>"),
	};
	struct peer b = { 0 };

	open_peer(&b);
	we_want_to_send(&b);
	peer_sends(&b, ANSWER(" type='valid'/>")); /* the key isn't even made */
	assert_true(happened(&b, MAKE_KEY "refused db:result answers nothing that was asked\n"));
	we_make_the_key(&b);
	for (size_t i = 0; i < nitems(forged); i++) {
		peer_sends(&b, forged[i]);
		assert_true(dialogue_has(&b.says.events, "refused db:result"));
		assert_false(s2s_out_is_ready(b.out));
	}
	disconnect_peer(&b);
}

static void sec_01d_the_end_of_the_stream_answers_what_was_asked(void **state)
{
	static const struct {
		const char *says, *events;
	} rows[] = {
		{ "</stream:stream>", "verified 1 error connection-lost\n"
				      "verified 2 error connection-lost\nclosed none\n" },
		{ "<stream:error><host-unknown xmlns='urn:ietf:params:xml:ns:xmpp-streams'/>"
		  "</stream:error>",
		  "verified 1 error host-unknown\nverified 2 error host-unknown\n"
		  "closed host-unknown\n" },
		{ "<!DOCTYPE a>", "verified 1 error protocol\nverified 2 error protocol\n"
				  "closed protocol\n" },
	};

	for (size_t i = 0; i < nitems(rows); i++) {
		struct peer b = { 0 };

		open_peer(&b);
		we_ask(&b, "1", 1);
		we_ask(&b, "2", 2);
		peer_sends(&b, rows[i].says);
		assert_true(happened(&b, rows[i].events));
		disconnect_peer(&b);
	}
}

/* peers.md, table 3.3, the initiator's side */
static void sec_07_tls_is_as_the_settings_say(void **state)
{
	static const struct {
		enum security_mode security;
		const char *features, *we_say, *events, *state;
	} rows[] = {
		{ SECURITY_TLS_REQUIRED, FEATURES(""), "</stream:stream>", "closed no-tls\n",
		  "closed" },
		{ SECURITY_TLS_REQUIRED, FEATURES(STARTTLS), STARTTLS, "", "wait-proceed" },
		{ SECURITY_TLS_REQUIRED, FEATURES(STARTTLS_REQUIRED), STARTTLS, "",
		  "wait-proceed" },
		{ SECURITY_TLS_OPTIONAL, FEATURES(""), "", "", "idle" },
		{ SECURITY_TLS_OPTIONAL, FEATURES(STARTTLS), STARTTLS, "", "wait-proceed" },
		{ SECURITY_NO_TLS, FEATURES(STARTTLS), "", "", "idle" },
		{ SECURITY_NO_TLS, FEATURES(STARTTLS_REQUIRED), "</stream:stream>",
		  "closed tls-not-wanted\n", "closed" },
		{ SECURITY_NO_TLS, FEATURES(""), "", "", "idle" },
	};

	for (size_t i = 0; i < nitems(rows); i++) {
		struct peer b = { 0 };

		connect_peer(&b, rows[i].security);
		peer_sends(&b, THEIR_HEADER);
		peer_sends(&b, rows[i].features);
		assert_true(we_sent(&b, rows[i].we_say));
		assert_true(happened(&b, rows[i].events));
		assert_string_equal(s2s_out_state(b.out), rows[i].state);
		disconnect_peer(&b);
	}
}

/* interop.md, surprise 9 */
static void an_old_server_without_features_is_tried_once_tls_is_settled(void **state)
{
	struct peer b = { 0 };

	connect_peer(&b, SECURITY_TLS_OPTIONAL);
	we_want_to_send(&b);
	peer_sends(&b, THEIR_HEADER_WITH(" id='" ID "'"));
	assert_true(happened(&b, MAKE_KEY));
	disconnect_peer(&b);
	connect_peer(&b, SECURITY_TLS_REQUIRED);
	peer_sends(&b, THEIR_HEADER_WITH(" id='" ID "'"));
	assert_true(happened(&b, "closed no-tls\n"));
	disconnect_peer(&b);
}

static void a_refused_starttls_is_no_tls(void **state)
{
	struct peer b = { 0 };

	connect_peer(&b, SECURITY_TLS_OPTIONAL);
	peer_sends(&b, THEIR_HEADER FEATURES(STARTTLS));
	peer_sends(&b, "<failure xmlns='urn:ietf:params:xml:ns:xmpp-tls'/></stream:stream>");
	assert_true(happened(&b, "closed no-tls\n"));
	disconnect_peer(&b);
}

static void an_invalid_certificate_is_refused_right_after_tls(void **state)
{
	struct peer b = { 0 };

	connect_peer(&b, SECURITY_TLS_REQUIRED);
	we_ask(&b, "1", 1);
	peer_sends(&b, THEIR_HEADER FEATURES(STARTTLS));
	peer_sends(&b, PROCEED);
	we_sent(&b, STARTTLS);
	tls_comes_up(&b, false);
	assert_true(we_sent(&b, ""));
	assert_true(happened(&b, "start-tls\nverified 1 error certificate-refused\n"
				 "closed certificate-refused\n"));
	disconnect_peer(&b);
}

static void sec_08b_what_follows_proceed_in_clear_is_dropped(void **state)
{
	struct peer b = { 0 };

	connect_peer(&b, SECURITY_TLS_REQUIRED);
	we_want_to_send(&b);
	peer_sends(&b, THEIR_HEADER FEATURES(STARTTLS));
	we_sent(&b, STARTTLS);
	peer_sends(&b, PROCEED THEIR_HEADER_WITH(" id='evil' version='1.0'")
			       FEATURES(S2S_DIALBACK_FEATURE));
	tls_comes_up(&b, true);
	assert_true(we_sent(&b, OUR_HEADER));
	assert_true(happened(&b, "start-tls\n"));
	assert_string_equal(s2s_out_state(b.out), "wait-header");
	assert_string_equal(s2s_out_stream_id(b.out), "");
	disconnect_peer(&b);
}

static void stanzas_from_the_peer_are_refused(void **state)
{
	struct peer b = { 0 };

	prove_us(&b);
	peer_sends(&b, "<message from='a@montague.example' to='b@capulet.example'/>");
	assert_true(happened(&b, "refused stanza on a stream that is ours to send on\n"));
	peer_sends(&b, FEATURES("<sm xmlns='urn:xmpp:sm:3'/>")); /* interop.md, surprise 19 */
	assert_true(happened(&b, ""));
	for (int i = 0; i < 100 && !b.says.is_closed; i++)
		peer_sends(&b, "<message/>");
	assert_true(we_sent(&b, S2S_STREAM_ERROR("policy-violation")));
	disconnect_peer(&b);
}

static void an_answer_has_to_come_in_its_place(void **state)
{
	static const struct {
		const char *before, *says, *refused;
	} rows[] = {
		{ THEIR_HEADER, ANSWER(" type='valid'/>"), "something before its features" },
		{ THEIR_HEADER, VERDICT("1", " type='valid'/>"), "something before its features" },
		{ THEIR_HEADER FEATURES(STARTTLS), VERDICT("1", " type='valid'/>"),
		  "something before <proceed/>" },
		{ THEIR_HEADER FEATURES(""), PROCEED, "unknown element" },
	};

	for (size_t i = 0; i < nitems(rows); i++) {
		struct peer b = { 0 };

		connect_peer(&b, SECURITY_TLS_OPTIONAL);
		we_ask(&b, "1", 1);
		peer_sends(&b, rows[i].before);
		peer_sends(&b, rows[i].says);
		assert_true(dialogue_has(&b.says.events, rows[i].refused));
		assert_false(dialogue_has(&b.says.events, "verified"));
		assert_false(b.says.is_closed);
		disconnect_peer(&b);
	}
}

static void questions_to_us_that_make_no_sense_get_an_error(void **state)
{
	struct peer b = { 0 };

	open_peer(&b);
	peer_sends(&b, "<db:verify id='9' to='capulet.example'>k</db:verify>");
	assert_true(we_sent(
		&b, "<db:verify from='capulet.example' id='9' type='error'>" S2S_DIALBACK_ERROR(
			    "modify", "bad-request") "</db:verify>"));
	for (int i = 0; i < S2S_CHECKS_MAX; i++)
		peer_sends(&b, "<db:verify id='9' to='capulet.example' from='b.example'>k"
			       "</db:verify>");
	assert_true(we_sent(&b, ""));
	peer_sends(&b, "<db:verify id='9' to='capulet.example' from='b.example'>k</db:verify>");
	assert_true(we_sent(&b, "<db:verify from='capulet.example' id='9' to='b.example' "
				"type='error'>" S2S_DIALBACK_ERROR(
					"wait", "resource-constraint") "</db:verify>"));
	s2s_out_key_checked(b.out, 1, true); /* the oldest of several */
	assert_true(dialogue_has(s2s_out_output(b.out), "type='valid'"));
	disconnect_peer(&b);
}

static void a_stream_id_has_a_length(void **state)
{
	struct peer b = { 0 };
	char *header = xasprintf("<stream:stream xmlns:stream='http://etherx.jabber.org/streams' "
				 "xmlns='jabber:server' id='%0300d' version='1.0'>",
				 7);

	connect_peer(&b, SECURITY_TLS_OPTIONAL);
	peer_sends(&b, header);
	assert_true(we_sent(&b, S2S_STREAM_ERROR("policy-violation")));
	free(header);
	disconnect_peer(&b);
}

static void a_broken_or_lost_stream_ends_the_closing_too(void **state)
{
	struct peer b = { 0 };

	prove_us(&b);
	s2s_out_close(b.out, NULL, FAILURE_SHUTDOWN);
	peer_sends(&b, "</message>");
	assert_true(happened(&b, "closed shutdown\n"));
	disconnect_peer(&b);
	prove_us(&b);
	s2s_out_close(b.out, NULL, FAILURE_SHUTDOWN);
	s2s_out_closed(b.out, FAILURE_LOST, "reset");
	run(&b);
	assert_true(happened(&b, "closed shutdown\n"));
	disconnect_peer(&b);
}

static void an_idle_stream_stays_while_a_question_is_open(void **state)
{
	struct peer b = { 0 };

	prove_us(&b);
	time_passes(&b, 290);
	we_ask(&b, "1", 1);
	we_sent(&b, QUESTION("1"));
	time_passes(&b, 10);
	assert_true(we_sent(&b, ""));
	peer_sends(&b, VERDICT("1", " type='valid'/>"));
	assert_true(happened(&b, "verified 1 valid none\n"));
	disconnect_peer(&b);
}

static void a_stream_without_id_cannot_be_proven(void **state)
{
	struct peer b = { 0 };

	connect_peer(&b, SECURITY_TLS_OPTIONAL);
	we_want_to_send(&b);
	peer_sends(&b, THEIR_HEADER_WITH(" version='1.0'") FEATURES(""));
	assert_true(happened(&b, "closed protocol\n"));
	disconnect_peer(&b);
}

static void notes_are_those_of_the_walk_through(void **state)
{
	struct peer b = { 0 };

	open_peer(&b);
	we_want_to_send(&b);
	we_make_the_key(&b);
	assert_true(dialogue_has(&b.says.notes, THEIR_HEADER "\n"));
	assert_true(dialogue_has(&b.says.notes, FEATURES(S2S_DIALBACK_FEATURE) "\n"));
	assert_true(dialogue_has(&b.says.notes, "<db:result from='capulet.example' "
						"to='montague.example'>b4835385...</db:result>\n"
						"30\n"));
	s2s_out_verify(
		b.out,
		&(struct dialback_claim){ "montague.example", "capulet.example", "05E295A2B" },
		slice_of(KEY), 1);
	peer_sends(&b, VERDICT("05E295A2B", " type='valid'>" KEY "</db:verify>"));
	assert_true(dialogue_has(&b.says.notes,
				 "<db:verify from='capulet.example' id='05E295A2B' "
				 "to='montague.example'>b4835385...</db:verify>\n"
				 "<db:verify from='montague.example' id='05E295A2B' "
				 "to='capulet.example' type='valid'>b4835385...</db:verify>\n"));
	assert_false(dialogue_has(&b.says.notes, "b4835385f"));
	peer_sends(&b, "<stream:error><reset xmlns='urn:ietf:params:xml:ns:xmpp-streams'/>"
		       "</stream:error>");
	assert_true(dialogue_has(&b.says.notes, "<stream:error><reset "));
	disconnect_peer(&b);
}

static void a_silent_peer_is_left_at_each_step(void **state)
{
	static const struct {
		const char *says[3], *state;
	} rows[] = {
		{ { "" }, "wait-header" },
		{ { THEIR_HEADER }, "wait-features" },
		{ { THEIR_HEADER FEATURES(STARTTLS) }, "wait-proceed" },
		{ { THEIR_HEADER FEATURES(STARTTLS), PROCEED }, "wait-tls" },
		{ { THEIR_HEADER FEATURES("") }, "wait-key" },
	};

	for (size_t i = 0; i < nitems(rows); i++) {
		struct peer b = { 0 };

		connect_peer(&b, SECURITY_TLS_OPTIONAL);
		we_want_to_send(&b);
		for (size_t n = 0; n < 3 && rows[i].says[n]; n++)
			peer_sends(&b, rows[i].says[n]);
		assert_string_equal(s2s_out_state(b.out), rows[i].state);
		time_passes(&b, 9);
		assert_false(b.says.is_closed);
		time_passes(&b, 1);
		assert_true(dialogue_has(&b.says.events, "closed timeout\n"));
		disconnect_peer(&b);
	}
}

static void the_result_has_its_own_deadline(void **state)
{
	struct peer b = { 0 };

	open_peer(&b);
	we_want_to_send(&b);
	we_make_the_key(&b);
	we_sent(&b, RESULT);
	we_ask(&b, "1", 1);
	we_sent(&b, QUESTION("1"));
	time_passes(&b, 20); /* the question's deadline, which doesn't move the result's */
	assert_true(happened(&b, MAKE_KEY "verified 1 error timeout\n"));
	time_passes(&b, 9);
	assert_false(b.says.is_closed);
	assert_int_equal(b.says.timer, 1);
	time_passes(&b, 1);
	assert_true(we_sent(&b, S2S_STREAM_ERROR("connection-timeout")));
	assert_true(happened(&b, "closed timeout\n"));
	disconnect_peer(&b);
}

static void each_question_has_its_own_deadline_from_when_it_was_asked(void **state)
{
	struct peer b = { 0 };

	connect_peer(&b, SECURITY_TLS_OPTIONAL);
	we_ask(&b, "1", 1);
	time_passes(&b, 8);
	peer_sends(&b, THEIR_HEADER);
	we_ask(&b, "2", 2);
	time_passes(&b, 8);
	peer_sends(&b, FEATURES(""));
	assert_true(we_sent(&b, QUESTION("1") QUESTION("2")));
	time_passes(&b, 4);
	assert_true(happened(&b, "verified 1 error timeout\n"));
	time_passes(&b, 7);
	assert_true(happened(&b, ""));
	time_passes(&b, 1);
	assert_true(happened(&b, "verified 2 error timeout\n"));
	disconnect_peer(&b);
}

static void setting_up_has_a_deadline_in_all(void **state)
{
	struct peer b = { 0 };

	connect_peer(&b, SECURITY_TLS_REQUIRED);
	we_want_to_send(&b);
	time_passes(&b, 9);
	peer_sends(&b, THEIR_HEADER);
	time_passes(&b, 9);
	peer_sends(&b, FEATURES(STARTTLS));
	time_passes(&b, 9);
	peer_sends(&b, PROCEED);
	time_passes(&b, 9);
	tls_comes_up(&b, true);
	time_passes(&b, 9);
	peer_sends(&b, THEIR_HEADER FEATURES(""));
	we_make_the_key(&b);
	time_passes(&b, 14);
	assert_false(b.says.is_closed);
	time_passes(&b, 1);
	assert_true(dialogue_has(&b.says.events, "closed timeout\n"));
	disconnect_peer(&b);
}

static void an_idle_stream_is_closed_in_order(void **state)
{
	struct peer b = { 0 };

	prove_us(&b);
	time_passes(&b, 200);
	s2s_out_used(b.out);
	time_passes(&b, 299);
	assert_true(we_sent(&b, ""));
	time_passes(&b, 1);
	assert_true(we_sent(&b, "</stream:stream>"));
	assert_string_equal(s2s_out_state(b.out), "closing");
	we_ask(&b, "1", 1);
	assert_true(happened(&b, "verified 1 error connection-lost\n"));
	peer_sends(&b, ANSWER(" type='valid'/>") "</stream:stream>");
	assert_true(we_sent(&b, ""));
	assert_true(happened(&b, "closed none\n"));
	disconnect_peer(&b);
}

static void we_close_in_order_and_do_not_wait_for_ever(void **state)
{
	struct peer b = { 0 };

	prove_us(&b);
	we_ask(&b, "1", 1);
	we_sent(&b, QUESTION("1"));
	s2s_out_close(b.out, "system-shutdown", FAILURE_SHUTDOWN);
	run(&b);
	assert_true(we_sent(&b, S2S_STREAM_ERROR("system-shutdown")));
	assert_true(happened(&b, "verified 1 error shutdown\n"));
	time_passes(&b, 10);
	assert_true(happened(&b, "closed shutdown\n"));
	disconnect_peer(&b);
	create(&b, SECURITY_TLS_REQUIRED); /* nobody to say it to */
	s2s_out_close(b.out, "system-shutdown", FAILURE_SHUTDOWN);
	run(&b);
	assert_true(we_sent(&b, ""));
	assert_true(happened(&b, "closed shutdown\n"));
	disconnect_peer(&b);
}

static void the_end_of_the_connection_is_told_apart(void **state)
{
	static const struct {
		const char *says;
		enum failure failure;
		const char *event;
	} rows[] = {
		{ "", FAILURE_NONE, "closed connection-lost\n" },
		{ "", FAILURE_TCP_REFUSED, "closed tcp-refused\n" },
		{ THEIR_HEADER FEATURES(STARTTLS), FAILURE_NONE, "closed connection-lost\n" },
		{ THEIR_HEADER FEATURES(""), FAILURE_NONE, "closed none\n" }, /* surprise 12 */
		{ THEIR_HEADER FEATURES(""), FAILURE_LOST, "closed connection-lost\n" },
	};

	for (size_t i = 0; i < nitems(rows); i++) {
		struct peer b = { 0 };

		connect_peer(&b, SECURITY_TLS_OPTIONAL);
		peer_sends(&b, rows[i].says);
		s2s_out_closed(b.out, rows[i].failure, NULL);
		run(&b);
		assert_true(happened(&b, rows[i].event));
		assert_int_equal(s2s_out_next(b.out).type, S2S_NONE);
		disconnect_peer(&b);
	}
}

/* Limits of the stream's whole life are for strangers. */
static void a_stream_may_verify_for_ever(void **state)
{
	struct peer b = { 0 };

	open_peer(&b);
	for (unsigned i = 0; i < 1000; i++) {
		we_ask(&b, "1", i);
		peer_sends(&b, VERDICT("1", " type='valid'/>"));
	}
	assert_false(b.says.is_closed);
	assert_true(dialogue_has(&b.says.events, "verified 999 valid none\n"));
	disconnect_peer(&b);
}

static void what_waits_on_one_stream_is_bounded(void **state)
{
	struct peer b = { 0 };

	connect_peer(&b, SECURITY_TLS_OPTIONAL);
	for (unsigned i = 0; i < S2S_OUT_VERIFIES_MAX; i++)
		we_ask(&b, "1", i);
	assert_true(happened(&b, ""));
	we_ask(&b, "1", 999);
	assert_true(happened(&b, "verified 999 error queue-full\n"));
	disconnect_peer(&b);
}

static void any_split_of_the_bytes_gives_the_same(void **state)
{
	static const char bytes[] = THEIR_HEADER FEATURES("<x xmlns='urn:x'/>" S2S_DIALBACK_FEATURE)
		VERDICT("1", " type='valid'/>") VERDICT("2", " type='valid'/>")
			ANSWER(" type='valid'>" KEY "</db:result>") "<message/> \n</stream:stream>";
	char *events = NULL, *wire = NULL;

	for (size_t piece = 0; piece < sizeof(bytes); piece++) {
		struct peer b = { .piece = piece };

		connect_peer(&b, SECURITY_TLS_OPTIONAL);
		we_ask(&b, "1", 1);
		peer_sends(&b, bytes);
		if (piece == 0) {
			events = buffer_take_text(&b.says.events);
			wire = buffer_take_text(&b.says.wire);
			assert_non_null(strstr(events, "closed none\n"));
		} else {
			assert_true(happened(&b, events));
			assert_true(we_sent(&b, wire));
		}
		disconnect_peer(&b);
	}
	free(events);
	free(wire);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(our_domain_is_proven_under_tls),
		cmocka_unit_test(the_answer_decides),
		cmocka_unit_test(
			after_a_dialback_error_the_stream_still_verifies_and_may_try_again),
		cmocka_unit_test(the_condition_of_a_dialback_error_is_told),
		cmocka_unit_test(we_ask_the_authoritative_server),
		cmocka_unit_test(questions_wait_for_the_negotiation_and_for_nothing_else),
		cmocka_unit_test(we_answer_the_peers_questions_in_any_state),
		cmocka_unit_test(sec_01_only_what_was_asked_is_answered_and_once),
		cmocka_unit_test(sec_01_a_result_before_we_asked_or_for_others_counts_for_nothing),
		cmocka_unit_test(sec_01d_the_end_of_the_stream_answers_what_was_asked),
		cmocka_unit_test(sec_07_tls_is_as_the_settings_say),
		cmocka_unit_test(an_old_server_without_features_is_tried_once_tls_is_settled),
		cmocka_unit_test(a_refused_starttls_is_no_tls),
		cmocka_unit_test(an_invalid_certificate_is_refused_right_after_tls),
		cmocka_unit_test(sec_08b_what_follows_proceed_in_clear_is_dropped),
		cmocka_unit_test(stanzas_from_the_peer_are_refused),
		cmocka_unit_test(an_answer_has_to_come_in_its_place),
		cmocka_unit_test(questions_to_us_that_make_no_sense_get_an_error),
		cmocka_unit_test(a_stream_id_has_a_length),
		cmocka_unit_test(a_broken_or_lost_stream_ends_the_closing_too),
		cmocka_unit_test(an_idle_stream_stays_while_a_question_is_open),
		cmocka_unit_test(a_stream_without_id_cannot_be_proven),
		cmocka_unit_test(notes_are_those_of_the_walk_through),
		cmocka_unit_test(a_silent_peer_is_left_at_each_step),
		cmocka_unit_test(the_result_has_its_own_deadline),
		cmocka_unit_test(each_question_has_its_own_deadline_from_when_it_was_asked),
		cmocka_unit_test(setting_up_has_a_deadline_in_all),
		cmocka_unit_test(an_idle_stream_is_closed_in_order),
		cmocka_unit_test(we_close_in_order_and_do_not_wait_for_ever),
		cmocka_unit_test(the_end_of_the_connection_is_told_apart),
		cmocka_unit_test(a_stream_may_verify_for_ever),
		cmocka_unit_test(what_waits_on_one_stream_is_bounded),
		cmocka_unit_test(any_split_of_the_bytes_gives_the_same),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
