#include "xmpp/s2s_in.h"

#include "base/alloc.h"
#include "xmpp/s2s_dialogue.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#define ID "417GAF25"	/* of the first stream, XEP-0220's */
#define ID2 "05E295A2B" /* of the one under TLS */
#define KEY "b4835385f37fe2895af6c196b59097b16862406db80559900d96bf6fa7d23df3"
#define KEY_SHORT "b4835385..."
#define STARTTLS "<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>"
#define STARTTLS_REQUIRED "<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'><required/></starttls>"
#define FEATURES(what) "<stream:features>" what "</stream:features>"
#define OUR_HEADER(id)                                                                             \
	S2S_HEADER " id='" id "' from='montague.example' to='capulet.example' version='1.0'>"
#define THEIR_HEADER                                                                               \
	"<?xml version='1.0'?><stream:stream xmlns:db='jabber:server:dialback' "                   \
	"xmlns='jabber:server' version='1.0' to='montague.example' from='capulet.example' "        \
	"xmlns:stream='http://etherx.jabber.org/streams' id=''>"
#define CLAIM "<db:result from='capulet.example' to='montague.example'>" KEY "</db:result>"
#define VALID "<db:result from='montague.example' to='capulet.example' type='valid'/>"
#define MESSAGE                                                                                    \
	"<message from='juliet@capulet.example/balcony' to='romeo@montague.example'>"              \
	"<body>o</body></message>"

/* The peer, its view of our session, and the session's clock. */
struct peer {
	struct policy *policy;
	struct s2s_in *in;
	struct dialogue says;
	uint64_t now_ms;
	size_t piece; /* how many bytes come at a time; 0: all */
};

static void run(struct peer *b)
{
	struct buffer *output = s2s_in_output(b->in);
	struct s2s_action action;

	do {
		action = s2s_in_next(b->in);
		dialogue_add(&b->says, &action);
		buffer_append(&b->says.wire, buffer_data(output), buffer_len(output));
		buffer_consume(output, buffer_len(output));
	} while (action.type != S2S_NONE && action.type != S2S_CLOSED);
}

static struct policy *make_policy(enum security_mode security)
{
	struct policy *policy = policy_create();

	policy_set_enabled(policy, true);
	policy_set_security(policy, security);
	policy_set_privacy(policy, PRIVACY_DENY_LIST);
	assert_true(policy_add_local(policy, slice_of("montague.example"), true));
	assert_true(policy_add_local(policy, slice_of("home.example"), true));
	assert_true(policy_add_local(policy, slice_of("hidden.example"), false));
	assert_true(policy_add_denied(policy, slice_of("denied.example")));
	return policy;
}

static void connect_peer(struct peer *b, enum security_mode security)
{
	size_t piece = b->piece;

	*b = (struct peer){ .policy = make_policy(security), .now_ms = 1000, .piece = piece };
	b->in = s2s_in_create(&(struct s2s_in_options){
		.policy = b->policy,
		.stream_ids = { ID, ID2, "C" },
		.timeouts = { .step = 10,
			      .dialback = 30,
			      .verify = 20,
			      .authentication = 60,
			      .idle = 300 },
		.verify_pending_max = 4,
	});
	s2s_in_tell_time(b->in, b->now_ms);
	run(b);
}

static void disconnect_peer(struct peer *b)
{
	s2s_in_destroy(&b->in);
	policy_destroy(&b->policy);
	dialogue_finish(&b->says);
}

static void peer_sends_bytes(struct peer *b, const char *bytes, size_t len)
{
	size_t done = 0;

	while (done < len && !b->says.is_closed) {
		size_t room = b->piece && b->piece < len - done ? b->piece : len - done;
		char *to;

		if (strcmp(s2s_in_state(b->in), "wait-tls") == 0)
			return;
		to = s2s_in_room(b->in, &room);
		room = room < len - done ? room : len - done;
		memcpy(to, bytes + done, room);
		s2s_in_filled(b->in, room);
		done += room;
		run(b);
	}
}

static void peer_sends(struct peer *b, const char *text)
{
	peer_sends_bytes(b, text, strlen(text));
}

static void time_passes(struct peer *b, unsigned seconds)
{
	b->now_ms += (uint64_t)seconds * 1000;
	s2s_in_tell_time(b->in, b->now_ms);
	s2s_in_timeout(b->in);
	run(b);
}

static void tls_comes_up(struct peer *b)
{
	s2s_in_secured(b->in, &(struct s2s_tls){ .certificate_valid = true });
	run(b);
}

static void authority_says(struct peer *b, enum s2s_verdict verdict, enum failure failure)
{
	s2s_in_verified(b->in, b->says.request, verdict, failure);
	run(b);
}

static bool we_sent(struct peer *b, const char *text)
{
	return dialogue_took(&b->says.wire, text);
}

static bool happened(struct peer *b, const char *events)
{
	return dialogue_took(&b->says.events, events);
}

/* A peer whose stream is open: in clear, where that is allowed. */
static void open_peer(struct peer *b)
{
	connect_peer(b, SECURITY_TLS_OPTIONAL);
	peer_sends(b, THEIR_HEADER);
	assert_true(we_sent(b, OUR_HEADER(ID) FEATURES(STARTTLS S2S_DIALBACK_FEATURE)));
	assert_true(happened(b, ""));
}

static void prove_peer(struct peer *b)
{
	open_peer(b);
	peer_sends(b, CLAIM);
	authority_says(b, S2S_VALID, FAILURE_NONE);
	assert_true(we_sent(b, VALID));
	assert_true(happened(b, "verify capulet.example>montague.example " ID " " KEY "\n"
				"ready capulet.example>montague.example " ID "\n"));
	buffer_consume(&b->says.notes, buffer_len(&b->says.notes));
}

/* RFC 6120 9.2 as far as dialback replaces SASL, and XEP-0220 2.2.1 */
static void a_domain_is_proven_under_tls_and_may_send(void **state)
{
	struct peer b = { 0 };

	connect_peer(&b, SECURITY_TLS_REQUIRED);
	assert_string_equal(s2s_in_state(b.in), "wait-header");
	peer_sends(&b, THEIR_HEADER);
	assert_true(we_sent(&b, OUR_HEADER(ID) FEATURES(STARTTLS_REQUIRED)));
	assert_string_equal(s2s_in_state(b.in), "offered");
	peer_sends(&b, STARTTLS);
	assert_true(we_sent(&b, "<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>"));
	assert_true(happened(&b, "start-tls\n"));
	assert_string_equal(s2s_in_state(b.in), "wait-tls");
	tls_comes_up(&b);
	assert_true(s2s_in_is_secured(b.in));
	peer_sends(&b, THEIR_HEADER);
	assert_true(we_sent(&b, OUR_HEADER(ID2) FEATURES(S2S_DIALBACK_FEATURE)));
	peer_sends(&b, CLAIM);
	assert_true(happened(&b, "verify capulet.example>montague.example " ID2 " " KEY "\n"));
	assert_true(we_sent(&b, ""));
	authority_says(&b, S2S_VALID, FAILURE_NONE);
	assert_true(we_sent(&b, VALID));
	assert_true(happened(&b, "ready capulet.example>montague.example " ID2 "\n"));
	assert_string_equal(s2s_in_state(b.in), "ready");
	assert_string_equal(s2s_in_stream_id(b.in), ID2);
	peer_sends(&b, MESSAGE);
	assert_true(happened(&b, "stanza capulet.example>montague.example " MESSAGE "\n"));
	peer_sends(&b, "</stream:stream>");
	assert_true(we_sent(&b, "</stream:stream>"));
	assert_true(happened(&b, "closed none\n"));
	disconnect_peer(&b);
}

/* XEP-0220 2.2.1, its other answers */
static void the_verdict_becomes_the_answer(void **state)
{
	static const struct {
		enum s2s_verdict verdict;
		enum failure failure;
		const char *answer;
	} rows[] = {
		{ S2S_VERDICT_ERROR, FAILURE_NO_SUCH_DOMAIN,
		  S2S_DIALBACK_ERROR("cancel", "remote-server-not-found") },
		{ S2S_VERDICT_ERROR, FAILURE_HOST_UNKNOWN,
		  S2S_DIALBACK_ERROR("cancel", "remote-server-not-found") },
		{ S2S_VERDICT_ERROR, FAILURE_DIALBACK_ERROR,
		  S2S_DIALBACK_ERROR("cancel", "remote-server-not-found") },
		{ S2S_VERDICT_ERROR, FAILURE_TIMEOUT,
		  S2S_DIALBACK_ERROR("wait", "remote-server-timeout") },
		{ S2S_VERDICT_ERROR, FAILURE_LOST,
		  S2S_DIALBACK_ERROR("wait", "remote-server-timeout") },
	};

	for (size_t i = 0; i < nitems(rows); i++) {
		struct peer b = { 0 };
		char *expected = xasprintf("<db:result from='montague.example' "
					   "to='capulet.example' type='error'>%s</db:result>",
					   rows[i].answer);

		open_peer(&b);
		peer_sends(&b, CLAIM);
		happened(&b, "verify capulet.example>montague.example " ID " " KEY "\n");
		authority_says(&b, rows[i].verdict, rows[i].failure);
		assert_true(we_sent(&b, expected));
		assert_true(happened(&b, ""));
		assert_string_equal(s2s_in_state(b.in), "offered");
		free(expected);
		disconnect_peer(&b);
	}
}

static void an_invalid_key_closes_the_stream(void **state)
{
	struct peer b = { 0 };

	open_peer(&b);
	peer_sends(&b, CLAIM);
	authority_says(&b, S2S_INVALID, FAILURE_NONE);
	assert_true(we_sent(&b, "<db:result from='montague.example' to='capulet.example' "
				"type='invalid'/></stream:stream>"));
	assert_true(happened(&b, "verify capulet.example>montague.example " ID " " KEY "\n"
				 "refused the authoritative server says that the key is invalid\n"
				 "closed dialback-refused\n"));
	disconnect_peer(&b);
}

static void an_invalid_key_leaves_other_pairs_alone(void **state)
{
	struct peer b = { 0 };

	prove_peer(&b);
	peer_sends(&b, "<db:result from='victim.example' to='montague.example'>k</db:result>");
	authority_says(&b, S2S_INVALID, FAILURE_NONE);
	assert_true(we_sent(
		&b, "<db:result from='montague.example' to='victim.example' "
		    "type='error'>" S2S_DIALBACK_ERROR("auth", "forbidden") "</db:result>"));
	assert_true(happened(&b,
			     "verify victim.example>montague.example " ID " k\n"
			     "refused the authoritative server says that the key is invalid\n"));
	peer_sends(&b, MESSAGE);
	assert_true(happened(&b, "stanza capulet.example>montague.example " MESSAGE "\n"));
	disconnect_peer(&b);
}

/* XEP-0220 2.2.2 */
static void we_answer_as_authoritative_server(void **state)
{
	static const char question[] = "<db:verify from='capulet.example' id='417GAF25' "
				       "to='montague.example'>\n " KEY "\n</db:verify>";
	struct peer b = { 0 };

	open_peer(&b);
	peer_sends(&b, question);
	assert_true(happened(&b, "check-key montague.example>capulet.example 417GAF25 " KEY "\n"));
	s2s_in_key_checked(b.in, b.says.request, true);
	run(&b);
	assert_true(we_sent(&b, "<db:verify from='montague.example' id='417GAF25' "
				"to='capulet.example' type='valid'/>"));
	peer_sends(&b, question);
	s2s_in_key_checked(b.in, b.says.request, false);
	run(&b);
	assert_true(we_sent(&b, "<db:verify from='montague.example' id='417GAF25' "
				"to='capulet.example' type='invalid'/>"));
	happened(&b, "check-key montague.example>capulet.example 417GAF25 " KEY "\n");
	buffer_consume(&b.says.notes, buffer_len(&b.says.notes));
	s2s_in_key_checked(b.in, b.says.request, true); /* twice: nobody is asking */
	peer_sends(&b, "</stream:stream>");
	assert_true(we_sent(&b, "</stream:stream>"));
	assert_true(dialogue_took(&b.says.notes, "\n")); /* S2S_NOTE_DIALBACK_ONLY */
	assert_true(happened(&b, "closed none\n"));
	disconnect_peer(&b);
}

static void notes_show_keys_shortened(void **state)
{
	struct peer b = { 0 };

	connect_peer(&b, SECURITY_TLS_OPTIONAL);
	peer_sends(&b, THEIR_HEADER);
	assert_true(dialogue_has(&b.says.notes, "<stream:stream xmlns:db="));
	assert_true(dialogue_has(&b.says.notes, FEATURES(STARTTLS S2S_DIALBACK_FEATURE)));
	peer_sends(&b, CLAIM);
	assert_true(dialogue_has(&b.says.notes,
				 "<db:result from='capulet.example' "
				 "to='montague.example'>" KEY_SHORT "</db:result>\n"));
	peer_sends(&b, "<db:verify id='x' to='montague.example' from='capulet.example'>" KEY
		       "</db:verify>");
	assert_true(dialogue_has(&b.says.notes,
				 "<db:verify from='capulet.example' id='x' "
				 "to='montague.example'>" KEY_SHORT "</db:verify>\n"));
	authority_says(&b, S2S_VALID, FAILURE_NONE);
	s2s_in_key_checked(b.in, 2, true);
	run(&b);
	assert_true(dialogue_has(&b.says.notes, "<db:verify from='montague.example' id='x' "
						"to='capulet.example' type='valid'/>\n"));
	assert_false(dialogue_has(&b.says.notes, "b4835385f"));
	disconnect_peer(&b);
}

/* interop.md, surprise 5: whatever the order of claims, questions and verdicts */
static void questions_are_answered_while_a_claim_waits(void **state)
{
	struct peer b = { 0 };

	open_peer(&b);
	peer_sends(&b, CLAIM
		   "<db:verify from='capulet.example' to='home.example' id='7'>k</db:verify>");
	assert_true(happened(&b, "verify capulet.example>montague.example " ID " " KEY "\n"
				 "check-key home.example>capulet.example 7 k\n"));
	s2s_in_key_checked(b.in, 2, true);
	run(&b);
	assert_true(we_sent(&b, "<db:verify from='home.example' id='7' to='capulet.example' "
				"type='valid'/>"));
	s2s_in_verified(b.in, 1, S2S_VALID, FAILURE_NONE);
	run(&b);
	assert_true(we_sent(&b, VALID));
	disconnect_peer(&b);
}

static void several_pairs_share_a_stream(void **state)
{
	struct peer b = { 0 };
	struct dialback_claim pair;
	size_t place = 0;

	prove_peer(&b);
	peer_sends(&b, "<db:result from='chat.capulet.example' to='home.example'>k</db:result>");
	authority_says(&b, S2S_VALID, FAILURE_NONE);
	happened(&b, "verify chat.capulet.example>home.example " ID " k\n"
		     "ready chat.capulet.example>home.example " ID "\n");
	assert_true(s2s_in_next_pair(b.in, &place, &pair));
	assert_true(s2s_in_next_pair(b.in, &place, &pair));
	assert_false(s2s_in_next_pair(b.in, &place, &pair));
	peer_sends(&b, MESSAGE "<presence from='chat.capulet.example' to='home.example'/>" MESSAGE);
	assert_true(happened(&b, "stanza capulet.example>montague.example " MESSAGE "\n"
				 "stanza chat.capulet.example>home.example "
				 "<presence from='chat.capulet.example' to='home.example'/>\n"
				 "stanza capulet.example>montague.example " MESSAGE "\n"));
	/* the senders and targets of two pairs don't mix */
	peer_sends(&b, "<presence from='chat.capulet.example' to='montague.example'/>");
	assert_true(happened(&b, "refused stanza for a pair of domains that is not proven\n"
				 "closed protocol\n"));
	disconnect_peer(&b);
}

static void a_proven_pair_is_not_verified_again(void **state)
{
	struct peer b = { 0 };

	prove_peer(&b);
	peer_sends(&b, CLAIM);
	assert_true(we_sent(&b, VALID));
	assert_true(happened(&b, ""));
	disconnect_peer(&b);
}

/* peers.md, table 3.4, last column; SEC-14, 15, 29 */
static void what_a_stranger_sends_first(void **state)
{
	static const struct {
		const char *says, *we_say, *events;
	} rows[] = {
		{ "<message from='a@capulet.example' to='b@montague.example'/>",
		  S2S_STREAM_ERROR("not-authorized"),
		  "refused stanza before any domain is proven\nclosed protocol\n" },
		{ "<db:verify from='victim.example' to='home.example' id='x' type='valid'/>", "",
		  "refused db:verify answers nothing that was asked\n" },
		{ "<db:result from='capulet.example' to='elsewhere.example'>k</db:result>",
		  "<db:result from='elsewhere.example' to='capulet.example' "
		  "type='error'>" S2S_DIALBACK_ERROR("cancel", "item-not-found") "</db:result>",
		  "refused db:result for a domain that does not federate here\n" },
		{ "<db:result from='capulet.example' to='hidden.example'>k</db:result>",
		  "<db:result from='hidden.example' to='capulet.example' "
		  "type='error'>" S2S_DIALBACK_ERROR("cancel", "item-not-found") "</db:result>",
		  "refused db:result for a domain that does not federate here\n" },
		{ "<db:result to='montague.example'>k</db:result>",
		  "<db:result from='montague.example' type='error'>" S2S_DIALBACK_ERROR(
			  "modify", "bad-request") "</db:result>",
		  "refused dialback without two domains\n" },
		{ "<db:result from='&lt;b&gt;' to='montague.example'>k</db:result>",
		  "<db:result from='montague.example' type='error'>" S2S_DIALBACK_ERROR(
			  "modify", "bad-request") "</db:result>",
		  "refused dialback without two domains\n" },
		{ "<db:result from='capulet.example' to='&lt;b&gt;'>k</db:result>",
		  "<db:result to='capulet.example' type='error'>" S2S_DIALBACK_ERROR(
			  "modify", "bad-request") "</db:result>",
		  "refused dialback without two domains\n" },
		{ "<db:result from='denied.example' to='montague.example'>k</db:result>",
		  "<db:result from='montague.example' to='denied.example' "
		  "type='error'>" S2S_DIALBACK_ERROR("cancel", "not-allowed") "</db:result>",
		  "refused the rules do not allow the pair\n" },
		{ "<db:result from='capulet.example' to='montague.example'> </db:result>",
		  "<db:result from='montague.example' to='capulet.example' "
		  "type='error'>" S2S_DIALBACK_ERROR("modify", "bad-request") "</db:result>",
		  "refused db:result without a key, or with a key too long\n" },
		{ "<db:verify from='capulet.example' to='elsewhere.example' id='1'>k</db:verify>",
		  "<db:verify from='elsewhere.example' id='1' to='capulet.example' "
		  "type='error'>" S2S_DIALBACK_ERROR("cancel", "item-not-found") "</db:verify>",
		  "refused db:verify for a domain that does not federate here\n" },
		{ "<db:verify from='capulet.example' to='home.example'>k</db:verify>",
		  "<db:verify from='home.example' to='capulet.example' "
		  "type='error'>" S2S_DIALBACK_ERROR("modify", "bad-request") "</db:verify>",
		  "refused db:verify without stream id\n" },
		{ "<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='EXTERNAL'>=</auth>",
		  "<failure xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><encryption-required/>"
		  "</failure>",
		  "refused SASL that was not offered\n" },
		{ "<!-- x -->", S2S_STREAM_ERROR("restricted-xml"), NULL },
		{ "<?pi x?>", S2S_STREAM_ERROR("restricted-xml"), NULL },
		{ "<!DOCTYPE x>", S2S_STREAM_ERROR("restricted-xml"), NULL },
		{ "<a>\xc0\xaf</a>", S2S_STREAM_ERROR("not-well-formed"), NULL },
		{ "<a>\xff</a>", S2S_STREAM_ERROR("not-well-formed"), NULL },
		{ "<unknown xmlns='urn:example'/>", S2S_STREAM_ERROR("unsupported-stanza-type"),
		  "refused unknown element\nclosed protocol\n" },
		{ "<stream:error><host-gone xmlns='urn:ietf:params:xml:ns:xmpp-streams'/>"
		  "</stream:error>",
		  "</stream:stream>", "closed stream-error\n" },
	};

	for (size_t i = 0; i < nitems(rows); i++) {
		struct peer b = { 0 };

		open_peer(&b);
		peer_sends(&b, rows[i].says);
		assert_true(we_sent(&b, rows[i].we_say));
		if (rows[i].events)
			assert_true(happened(&b, rows[i].events));
		else
			assert_true(dialogue_has(&b.says.events, "closed protocol\n"));
		disconnect_peer(&b);
	}
}

static void headers_and_their_answers(void **state)
{
#define HEADER_WITH(attributes)                                                                    \
	"<stream:stream xmlns='jabber:server' xmlns:stream='http://etherx.jabber.org/streams'"     \
	" xmlns:db='jabber:server:dialback' " attributes ">"
	static const char all[] = FEATURES(STARTTLS S2S_DIALBACK_FEATURE);
	static const struct {
		const char *says, *we_say, *then;
	} rows[] = {
		{ HEADER_WITH("version='1.0' from='montague.example' to='home.example'"),
		  " id='" ID "' from='home.example' version='1.0'>",
		  S2S_STREAM_ERROR("invalid-from") },
		{ HEADER_WITH("version='1.0' from='hidden.example' to='home.example'"),
		  " id='" ID "' from='home.example' version='1.0'>",
		  S2S_STREAM_ERROR("invalid-from") },
		{ HEADER_WITH("version='1.0' from='a.example' to='nowhere.example'"),
		  " id='" ID "' to='a.example' version='1.0'>", S2S_STREAM_ERROR("host-unknown") },
		{ HEADER_WITH("version='1.0' to='hidden.example'"), " id='" ID "' version='1.0'>",
		  S2S_STREAM_ERROR("host-unknown") },
		{ HEADER_WITH("version='1.0' to='a b'"), " id='" ID "' version='1.0'>",
		  S2S_STREAM_ERROR("improper-addressing") },
		{ HEADER_WITH("version='1.0'"), " id='" ID "' version='1.0'>", all },
		{ HEADER_WITH("version='2.0' to='home.example'"),
		  " id='" ID "' from='home.example' version='1.0'>", all },
		{ HEADER_WITH("version='1.1' to='HOME.example.'"),
		  " id='" ID "' from='home.example' version='1.0'>", all },
		{ HEADER_WITH("to='home.example'"), " id='" ID "' from='home.example'>", "" },
		{ HEADER_WITH("version='0.9' to='home.example'"),
		  " id='" ID "' from='home.example'>", "" },
		{ "GET /xyzzy HTTP/1.1\r\nHost: home.example\r\n\r\n",
		  " id='" ID "' version='1.0'>", S2S_STREAM_ERROR("not-well-formed") },
		{ "EHLO xyzzy\r\n", " id='" ID "' version='1.0'>",
		  S2S_STREAM_ERROR("not-well-formed") },
		{ "<stream:stream xmlns='jabber:client' version='1.0' to='home.example' "
		  "xmlns:stream='http://etherx.jabber.org/streams'>",
		  " id='" ID "' version='1.0'>", S2S_STREAM_ERROR("invalid-namespace") },
		{ "<stream:stream xmlns='jabber:server' version='1.0' to='home.example' "
		  "xmlns:stream='urn:other'>",
		  " id='" ID "' version='1.0'>", S2S_STREAM_ERROR("invalid-namespace") },
		{ "<?xml version='1.0' encoding='UTF-16'?>", " id='" ID "' version='1.0'>",
		  S2S_STREAM_ERROR("unsupported-encoding") },
	};

	for (size_t i = 0; i < nitems(rows); i++) {
		struct peer b = { 0 };
		char *expected = xasprintf(S2S_HEADER "%s%s", rows[i].we_say, rows[i].then);

		connect_peer(&b, SECURITY_TLS_OPTIONAL);
		peer_sends(&b, rows[i].says);
		assert_true(we_sent(&b, expected));
		free(expected);
		disconnect_peer(&b);
	}
}

/* peers.md, table 3.4: UTF-16 */
static void utf16_is_an_unsupported_encoding(void **state)
{
	static const char bytes[] = "\xff\xfe<\0?\0x\0m\0l\0";
	struct peer b = { 0 };

	connect_peer(&b, SECURITY_TLS_OPTIONAL);
	peer_sends_bytes(&b, bytes, sizeof(bytes) - 1);
	assert_true(we_sent(&b, S2S_HEADER " id='" ID "' version='1.0'>" S2S_STREAM_ERROR(
					"unsupported-encoding")));
	disconnect_peer(&b);
}

/* SEC-15: each closes at a limit, and none reflects what was sent */
static void sec_15_a_stranger_has_little_room(void **state)
{
	static const struct {
		const char *start, *again;
		unsigned times;
	} rows[] = {
		{ "<message>", "0123456789", 2000 },
		{ "<", "n", 40000 },
		{ "<a", " b%u='c'", 3000 },
		{ "", "<d>", 4000 },
		{ "<message>", "<e/>", 20000 },
		{ "<a", " xmlns:n%u='urn:n'", 1000 },
		{ "", " ", 80000 },
		{ "<message>", "01234567", 100000 },
	};

	for (size_t i = 0; i < nitems(rows); i++) {
		struct peer b = { 0 };
		struct buffer bytes = { 0 };

		open_peer(&b);
		buffer_append_text(&bytes, rows[i].start);
		for (unsigned n = 0; n < rows[i].times; n++) {
			const char *at = strchr(rows[i].again, '%');

			if (at == NULL)
				buffer_append_text(&bytes, rows[i].again);
			else
				buffer_printf(&bytes, "%.*s%u%s", (int)(at - rows[i].again),
					      rows[i].again, n, at + 2);
		}
		peer_sends_bytes(&b, buffer_data(&bytes), buffer_len(&bytes));
		assert_true(we_sent(&b, S2S_STREAM_ERROR("policy-violation")));
		assert_true(dialogue_has(&b.says.events, "closed protocol\n"));
		buffer_finish(&bytes);
		disconnect_peer(&b);
	}
}

static void sec_01_answers_that_nobody_asked_for_count_for_nothing(void **state)
{
	static const char *const rows[] = {
		"<db:verify from='capulet.example' to='montague.example' id='" ID
		"' type='valid'/>",
		"<db:result from='capulet.example' to='montague.example' type='valid'/>",
		"<db:verify from='capulet.example' to='montague.example' id='" ID "' type=''/>",
	};

	for (size_t i = 0; i < nitems(rows); i++) {
		struct peer b = { 0 };

		open_peer(&b);
		peer_sends(&b, CLAIM); /* even while that very claim is being verified */
		happened(&b, "verify capulet.example>montague.example " ID " " KEY "\n");
		peer_sends(&b, rows[i]);
		assert_true(we_sent(&b, ""));
		assert_true(dialogue_has(&b.says.events, "refused "));
		peer_sends(&b, MESSAGE);
		assert_true(we_sent(&b, S2S_STREAM_ERROR("not-authorized")));
		disconnect_peer(&b);
	}
}

static void sec_01_and_not_too_often(void **state)
{
	struct peer b = { 0 };

	open_peer(&b);
	for (int i = 0; i < 100 && !b.says.is_closed; i++)
		peer_sends(&b, "<db:verify from='a.example' to='b.example' id='x' type='valid'/>");
	assert_true(we_sent(&b, S2S_STREAM_ERROR("policy-violation")));
	disconnect_peer(&b);
}

static void sec_06_addresses_do_not_change_under_tls(void **state)
{
	static const struct {
		const char *says, *we_say;
	} rows[] = {
		{ HEADER_WITH("version='1.0' from='evil.example' to='montague.example'"),
		  OUR_HEADER(ID2) S2S_STREAM_ERROR("improper-addressing") },
		{ HEADER_WITH("version='1.0' from='capulet.example' to='home.example'"),
		  OUR_HEADER(ID2) S2S_STREAM_ERROR("improper-addressing") },
		{ HEADER_WITH("version='1.0'"), OUR_HEADER(ID2) FEATURES(S2S_DIALBACK_FEATURE) },
		{ THEIR_HEADER, OUR_HEADER(ID2) FEATURES(S2S_DIALBACK_FEATURE) },
	};

	for (size_t i = 0; i < nitems(rows); i++) {
		struct peer b = { 0 };

		open_peer(&b);
		peer_sends(&b, STARTTLS);
		we_sent(&b, "<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>");
		tls_comes_up(&b);
		peer_sends(&b, rows[i].says);
		assert_true(we_sent(&b, rows[i].we_say));
		disconnect_peer(&b);
	}
}

static void sec_07_required_tls_comes_first(void **state)
{
	static const struct {
		const char *says, *we_say, *events;
	} rows[] = {
		{ CLAIM,
		  "<db:result from='montague.example' to='capulet.example' "
		  "type='error'>" S2S_DIALBACK_ERROR("modify", "policy-violation") "</db:result>",
		  "refused dialback before TLS, which is required\n" },
		{ "<db:verify from='capulet.example' to='montague.example' id='i'>k</db:verify>",
		  "<db:verify from='montague.example' id='i' to='capulet.example' "
		  "type='error'>" S2S_DIALBACK_ERROR("modify", "policy-violation") "</db:verify>",
		  "refused dialback before TLS, which is required\n" },
		{ MESSAGE, S2S_STREAM_ERROR("policy-violation"),
		  "refused sent in clear, and TLS is required\nclosed protocol\n" },
	};

	for (size_t i = 0; i < nitems(rows); i++) {
		struct peer b = { 0 };

		connect_peer(&b, SECURITY_TLS_REQUIRED);
		peer_sends(&b, THEIR_HEADER);
		we_sent(&b, OUR_HEADER(ID) FEATURES(STARTTLS_REQUIRED));
		peer_sends(&b, rows[i].says);
		assert_true(we_sent(&b, rows[i].we_say));
		assert_true(happened(&b, rows[i].events));
		disconnect_peer(&b);
	}
}

static void sec_07_without_version_nothing_gets_past_required_tls(void **state)
{
	struct peer b = { 0 };

	connect_peer(&b, SECURITY_TLS_REQUIRED);
	peer_sends(&b, HEADER_WITH("to='montague.example' from='capulet.example'"));
	assert_true(we_sent(&b, S2S_HEADER " id='" ID
					   "' from='montague.example' to='capulet.example'>"));
	peer_sends(&b, CLAIM);
	assert_true(happened(&b, "refused dialback before TLS, which is required\n"));
	disconnect_peer(&b);
}

static void sec_07_without_tls_none_is_offered_or_taken(void **state)
{
	struct peer b = { 0 };

	connect_peer(&b, SECURITY_NO_TLS);
	peer_sends(&b, THEIR_HEADER);
	assert_true(we_sent(&b, OUR_HEADER(ID) FEATURES(S2S_DIALBACK_FEATURE)));
	peer_sends(&b, STARTTLS);
	assert_true(we_sent(&b, "<failure xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>"
				"</stream:stream>"));
	assert_true(happened(&b, "refused starttls that was not offered\nclosed protocol\n"));
	disconnect_peer(&b);
}

static void starttls_comes_too_late_behind_a_proven_pair(void **state)
{
	struct peer b = { 0 };

	prove_peer(&b);
	peer_sends(&b, STARTTLS);
	assert_true(we_sent(&b, "<failure xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>"
				"</stream:stream>"));
	disconnect_peer(&b);
}

static void who_is_proven_has_more_room(void **state)
{
	struct peer b = { 0 };
	struct buffer stanza = { 0 };

	prove_peer(&b);
	buffer_append_text(&stanza, "<message from='juliet@capulet.example' "
				    "to='romeo@montague.example'><body>");
	for (int i = 0; i < 20000; i++)
		buffer_append_text(&stanza, "o ");
	buffer_append_text(&stanza, "</body></message>");
	for (int i = 0; i < 3; i++) {
		peer_sends_bytes(&b, buffer_data(&stanza), buffer_len(&stanza));
		assert_true(dialogue_has(&b.says.events, "stanza capulet.example>"));
		buffer_consume(&b.says.events, buffer_len(&b.says.events));
	}
	assert_true(we_sent(&b, ""));
	buffer_finish(&stanza);
	disconnect_peer(&b);
}

static void sec_08_nothing_in_clear_follows_starttls(void **state)
{
	struct peer b = { 0 };

	open_peer(&b);
	peer_sends(&b, STARTTLS CLAIM MESSAGE);
	assert_true(we_sent(&b, S2S_STREAM_ERROR("policy-violation")));
	assert_true(happened(&b, "refused bytes in clear behind starttls\nclosed protocol\n"));
	disconnect_peer(&b);
}

static void claims_in_clear_lapse_with_tls(void **state)
{
	struct peer b = { 0 };

	open_peer(&b);
	peer_sends(&b, CLAIM);
	peer_sends(&b, STARTTLS);
	authority_says(&b, S2S_VALID, FAILURE_NONE);
	tls_comes_up(&b);
	authority_says(&b, S2S_VALID, FAILURE_NONE);
	peer_sends(&b, THEIR_HEADER);
	authority_says(&b, S2S_VALID, FAILURE_NONE);
	assert_true(happened(&b, "verify capulet.example>montague.example " ID " " KEY "\n"
				 "start-tls\n"));
	peer_sends(&b, MESSAGE);
	assert_true(happened(&b, "refused stanza before any domain is proven\nclosed protocol\n"));
	disconnect_peer(&b);
}

static void sec_11_sasl_fails_and_the_third_time_closes(void **state)
{
	static const char auth[] = "<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' "
				   "mechanism='EXTERNAL'>=</auth>";
	struct peer b = { 0 };

	open_peer(&b);
	peer_sends(&b, STARTTLS);
	tls_comes_up(&b);
	peer_sends(&b, THEIR_HEADER);
	buffer_consume(&b.says.wire, buffer_len(&b.says.wire));
	peer_sends(&b, auth);
	assert_true(we_sent(&b, "<failure xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>"
				"<invalid-mechanism/></failure>"));
	peer_sends(&b, "<response xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>");
	assert_true(we_sent(&b, "<failure xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>"
				"<malformed-request/></failure>"));
	peer_sends(&b, auth);
	assert_true(we_sent(&b,
			    "<failure xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>"
			    "<invalid-mechanism/></failure>" S2S_STREAM_ERROR("policy-violation")));
	disconnect_peer(&b);
}

static void sec_13_compression_is_refused_at_every_stage(void **state)
{
	static const char compress[] = "<compress xmlns='http://jabber.org/protocol/compress'>"
				       "<method>zlib</method></compress>";
	static const char failure[] = "<failure xmlns='http://jabber.org/protocol/compress'>"
				      "<unsupported-method/></failure>";
	struct peer b = { 0 };

	connect_peer(&b, SECURITY_TLS_REQUIRED);
	peer_sends(&b, THEIR_HEADER);
	buffer_consume(&b.says.wire, buffer_len(&b.says.wire));
	peer_sends(&b, compress);
	assert_true(we_sent(&b, failure));
	disconnect_peer(&b);
	prove_peer(&b);
	peer_sends(&b, compress);
	assert_true(we_sent(&b, failure));
	disconnect_peer(&b);
}

static void sec_19b_only_a_top_level_stanza_of_jabber_server_is_one(void **state)
{
#define ADDRESSES " from='juliet@capulet.example' to='romeo@montague.example'"
	static const char *const payload[] = {
		"<message" ADDRESSES "><stream:error xmlns:x='y'/></message>",
		"<message" ADDRESSES "><message" ADDRESSES "/></message>",
		"<message" ADDRESSES "><db:result from='a.example' to='home.example' "
		"type='valid'/></message>",
	};
	static const char *const refused[] = {
		"<message xmlns='jabber:client'" ADDRESSES "/>",
		"<message xmlns=''" ADDRESSES "/>",
		"<stream:features/>",
		"<stream:message" ADDRESSES "/>",
		"<body>x</body>",
	};

	for (size_t i = 0; i < nitems(payload); i++) {
		struct peer b = { 0 };
		char *expected =
			xasprintf("stanza capulet.example>montague.example %s\n", payload[i]);

		prove_peer(&b);
		peer_sends(&b, payload[i]);
		assert_true(happened(&b, expected));
		free(expected);
		disconnect_peer(&b);
	}
	for (size_t i = 0; i < nitems(refused); i++) {
		struct peer b = { 0 };

		prove_peer(&b);
		peer_sends(&b, refused[i]);
		assert_true(we_sent(&b, S2S_STREAM_ERROR("unsupported-stanza-type")));
		assert_true(happened(&b, "refused unknown element\nclosed protocol\n"));
		disconnect_peer(&b);
	}
}

static void sec_19b_a_stream_end_inside_a_stanza_is_not_well_formed(void **state)
{
	struct peer b = { 0 };

	prove_peer(&b);
	peer_sends(&b, "<message" ADDRESSES "></stream:stream>");
	assert_true(we_sent(&b, S2S_STREAM_ERROR("not-well-formed")));
	disconnect_peer(&b);
}

static void sec_20_only_the_proven_pair_passes(void **state)
{
#define STANZA(from, to) "<iq type='get' id='1'" from to "/>"
#define FROM(jid) " from='" jid "'"
#define TO(jid) " to='" jid "'"
	static const struct {
		const char *says, *condition; /* NULL: it passes */
	} rows[] = {
		{ STANZA(FROM("capulet.example"), TO("montague.example")), NULL },
		{ STANZA(FROM("CAPULET.example"), TO("montague.example.")), NULL },
		{ STANZA(FROM("j@capulet.example/a/b@c"), TO("r@montague.example/x/y")), NULL },
		{ STANZA(FROM("victim.example"), TO("montague.example")), "invalid-from" },
		{ STANZA(FROM("romeo@montague.example"), TO("montague.example")), "invalid-from" },
		{ STANZA("", TO("montague.example")), "invalid-from" },
		{ STANZA(FROM(""), TO("montague.example")), "invalid-from" },
		{ STANZA(FROM("sub.capulet.example"), TO("montague.example")), "invalid-from" },
		{ STANZA(FROM("capulet.example@x"), TO("montague.example")), "invalid-from" },
		{ STANZA(FROM("capulet.example."), TO("montague.example")), NULL },
		{ STANZA(FROM("x/capulet.example"), TO("montague.example")), "invalid-from" },
		{ STANZA(FROM("capulet.example"), TO("home.example")), "invalid-from" },
		{ STANZA(FROM("capulet.example"), TO("hidden.example")), "host-unknown" },
		{ STANZA(FROM("capulet.example"), TO("relay.example")), "host-unknown" },
		{ STANZA(FROM("capulet.example"), TO("sub.montague.example")), "host-unknown" },
		{ STANZA(FROM("capulet.example"), TO("192.0.2.1")), "host-unknown" },
		{ STANZA(FROM("capulet.example"), ""), "improper-addressing" },
		{ STANZA(FROM("capulet.example"), TO("@")), "improper-addressing" },
		{ STANZA(FROM("capulet.example"), TO("a b")), "improper-addressing" },
	};

	for (size_t i = 0; i < nitems(rows); i++) {
		struct peer b = { 0 };
		char *text;

		prove_peer(&b);
		peer_sends(&b, MESSAGE); /* the shortcut of the last pair must not widen */
		happened(&b, "stanza capulet.example>montague.example " MESSAGE "\n");
		peer_sends(&b, rows[i].says);
		if (rows[i].condition) {
			text = xasprintf("<stream:error><%s "
					 "xmlns='urn:ietf:params:xml:ns:xmpp-streams'/>"
					 "</stream:error></stream:stream>",
					 rows[i].condition);
			assert_true(we_sent(&b, text));
			assert_true(happened(&b, "refused stanza for a pair of domains that is not "
						 "proven\nclosed protocol\n"));
		} else {
			text = xasprintf("stanza capulet.example>montague.example %s\n",
					 rows[i].says);
			assert_true(happened(&b, text));
		}
		free(text);
		disconnect_peer(&b);
	}
}

static void sec_21a_few_claims_are_verified_at_a_time(void **state)
{
	struct peer b = { 0 };

	open_peer(&b);
	for (int i = 0; i < 20; i++) {
		char *claim = xasprintf(
			"<db:result from='d%d.example' to='montague.example'>k</db:result>", i);

		peer_sends(&b, claim);
		free(claim);
		if (i == 3)
			assert_true(we_sent(&b, ""));
		if (i == 4)
			assert_true(we_sent(&b,
					    "<db:result from='montague.example' "
					    "to='d4.example' type='error'>" S2S_DIALBACK_ERROR(
						    "wait", "resource-constraint") "</db:result>"));
	}
	assert_int_equal(b.says.request, 4);
	authority_says(&b, S2S_VERDICT_ERROR, FAILURE_TIMEOUT);
	peer_sends(&b, CLAIM);
	assert_int_equal(b.says.request, 5);
	peer_sends(&b, CLAIM); /* again: not verified twice, and not answered twice */
	assert_int_equal(b.says.request, 5);
	assert_true(dialogue_has(&b.says.events, "refused db:result again before its answer\n"));
	disconnect_peer(&b);
}

static void sec_21c_nobody_outside_claims_a_domain_of_ours(void **state)
{
	static const char *const locals[] = { "montague.example", "home.example",
					      "hidden.example" };

	for (size_t i = 0; i < nitems(locals); i++) {
		struct peer b = { 0 };
		char *text = xasprintf("<db:result from='%s' to='montague.example'>k</db:result>",
				       locals[i]);

		open_peer(&b);
		peer_sends(&b, text);
		assert_true(happened(&b, "refused db:result claims a local domain\n"));
		free(text);
		text = xasprintf("<db:result from='montague.example' to='%s' "
				 "type='error'>" S2S_DIALBACK_ERROR(
					 "modify", "not-acceptable") "</db:result>",
				 locals[i]);
		assert_true(we_sent(&b, text));
		free(text);
		text = xasprintf("<db:verify from='%s' to='montague.example' id='1'>k</db:verify>",
				 locals[i]);
		peer_sends(&b, text);
		assert_true(happened(&b, "refused db:verify claims to come from a local domain\n"));
		free(text);
		disconnect_peer(&b);
	}
}

static void a_silent_peer_is_closed_at_each_step(void **state)
{
	struct peer b = { 0 };

	connect_peer(&b, SECURITY_TLS_OPTIONAL);
	assert_int_equal(b.says.timer, 10);
	time_passes(&b, 9);
	assert_int_equal(b.says.timer, 1);
	time_passes(&b, 1);
	assert_true(we_sent(&b, S2S_HEADER
			    " id='" ID "' version='1.0'>" S2S_STREAM_ERROR("connection-timeout")));
	assert_true(happened(&b, "closed timeout\n"));
	disconnect_peer(&b);
	open_peer(&b);
	time_passes(&b, 10);
	assert_true(we_sent(&b, S2S_STREAM_ERROR("connection-timeout")));
	disconnect_peer(&b);
	open_peer(&b);
	peer_sends(&b, STARTTLS);
	time_passes(&b, 10);
	assert_true(we_sent(&b, "<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>"));
	assert_true(happened(&b, "start-tls\nclosed timeout\n"));
	disconnect_peer(&b);
}

static void while_it_is_verified_a_peer_may_be_silent(void **state)
{
	struct peer b = { 0 };

	open_peer(&b);
	peer_sends(&b, CLAIM);
	time_passes(&b, 15);
	time_passes(&b, 15);
	assert_false(b.says.is_closed);
	authority_says(&b, S2S_VERDICT_ERROR, FAILURE_TIMEOUT);
	time_passes(&b, 9);
	assert_false(b.says.is_closed);
	time_passes(&b, 1);
	assert_true(b.says.is_closed);
	disconnect_peer(&b);
	open_peer(&b);
	peer_sends(&b, CLAIM);
	time_passes(&b, 60); /* but not for ever */
	assert_true(b.says.is_closed);
	disconnect_peer(&b);
}

static void proving_has_a_deadline_that_questions_move(void **state)
{
	static const char question[] =
		"<db:verify from='capulet.example' to='home.example' id='7'>k</db:verify>";
	struct peer b = { 0 };

	open_peer(&b);
	for (int i = 0; i < 20; i++) {
		peer_sends(&b, question);
		s2s_in_key_checked(b.in, b.says.request, true);
		time_passes(&b, 8);
	}
	assert_false(b.says.is_closed);
	for (int i = 0; i < 8; i++) {
		peer_sends(&b, "<db:result from='denied.example' to='home.example'>k</db:result>");
		time_passes(&b, 8);
	}
	assert_true(b.says.is_closed);
	disconnect_peer(&b);
}

static void a_peer_that_only_asked_is_let_go_in_peace(void **state)
{
	struct peer b = { 0 };

	open_peer(&b);
	peer_sends(&b, "<db:verify from='capulet.example' to='home.example' id='7'>k</db:verify>");
	s2s_in_key_checked(b.in, b.says.request, true);
	run(&b);
	happened(&b, "check-key home.example>capulet.example 7 k\n");
	buffer_consume(&b.says.wire, buffer_len(&b.says.wire));
	time_passes(&b, 10);
	assert_true(we_sent(&b, "</stream:stream>"));
	s2s_in_closed(b.in, FAILURE_NONE, NULL);
	run(&b);
	assert_true(happened(&b, "closed none\n"));
	disconnect_peer(&b);
}

static void an_idle_stream_is_closed_in_order(void **state)
{
	struct peer b = { 0 };

	prove_peer(&b);
	time_passes(&b, 200);
	peer_sends(&b, MESSAGE);
	time_passes(&b, 200);
	happened(&b, "stanza capulet.example>montague.example " MESSAGE "\n");
	assert_true(we_sent(&b, ""));
	time_passes(&b, 100);
	assert_true(we_sent(&b, "</stream:stream>"));
	assert_string_equal(s2s_in_state(b.in), "closing");
	peer_sends(&b, MESSAGE "</stream:stream>");
	assert_true(happened(&b, "closed none\n"));
	assert_int_equal(s2s_in_next(b.in).type, S2S_NONE);
	disconnect_peer(&b);
}

static void we_close_in_order_and_do_not_wait_for_ever(void **state)
{
	struct peer b = { 0 };

	prove_peer(&b);
	s2s_in_close(b.in, "system-shutdown", FAILURE_SHUTDOWN);
	run(&b);
	assert_true(we_sent(&b, S2S_STREAM_ERROR("system-shutdown")));
	time_passes(&b, 10);
	assert_true(we_sent(&b, ""));
	assert_true(happened(&b, "closed shutdown\n"));
	disconnect_peer(&b);
	open_peer(&b); /* while TLS is set up, nothing can be said */
	peer_sends(&b, STARTTLS);
	we_sent(&b, "<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>");
	s2s_in_close(b.in, "system-shutdown", FAILURE_SHUTDOWN);
	run(&b);
	assert_true(we_sent(&b, ""));
	assert_true(happened(&b, "start-tls\nclosed shutdown\n"));
	disconnect_peer(&b);
	connect_peer(&b, SECURITY_TLS_REQUIRED); /* no header yet: an error needs one */
	s2s_in_close(b.in, "system-shutdown", FAILURE_SHUTDOWN);
	run(&b);
	assert_true(we_sent(&b, S2S_HEADER " id='" ID
					   "' version='1.0'>" S2S_STREAM_ERROR("system-shutdown")));
	disconnect_peer(&b);
}

static void a_lost_connection_ends_the_session(void **state)
{
	struct peer b = { 0 };

	open_peer(&b);
	peer_sends(&b, CLAIM);
	s2s_in_closed(b.in, FAILURE_LOST, "reset by peer");
	run(&b);
	assert_true(happened(&b, "verify capulet.example>montague.example " ID " " KEY "\n"
				 "closed connection-lost\n"));
	authority_says(&b, S2S_VALID, FAILURE_NONE);
	s2s_in_close(b.in, NULL, FAILURE_NONE);
	assert_int_equal(s2s_in_next(b.in).type, S2S_NONE);
	assert_true(we_sent(&b, ""));
	disconnect_peer(&b);
}

static void new_settings_apply_to_open_streams(void **state)
{
	struct policy *policy = make_policy(SECURITY_TLS_OPTIONAL);
	struct peer b = { 0 };

	/* the sender is denied now, and hears so: what it wrote on would be lost */
	policy_add_denied(policy, slice_of("capulet.example"));
	prove_peer(&b);
	s2s_in_set_policy(b.in, policy);
	run(&b);
	assert_true(we_sent(&b, S2S_STREAM_ERROR("policy-violation")));
	disconnect_peer(&b);
	/* a verdict that comes later doesn't help */
	open_peer(&b);
	peer_sends(&b, CLAIM);
	s2s_in_set_policy(b.in, policy);
	authority_says(&b, S2S_VALID, FAILURE_NONE);
	assert_true(we_sent(
		&b, "<db:result from='montague.example' to='capulet.example' "
		    "type='error'>" S2S_DIALBACK_ERROR("cancel", "not-allowed") "</db:result>"));
	disconnect_peer(&b);
	/* TLS is required now */
	policy_destroy(&policy);
	policy = make_policy(SECURITY_TLS_REQUIRED);
	prove_peer(&b);
	s2s_in_set_policy(b.in, policy);
	run(&b);
	assert_true(we_sent(&b, S2S_STREAM_ERROR("policy-violation")));
	disconnect_peer(&b);
	/* federation is off now */
	policy_set_enabled(policy, false);
	prove_peer(&b);
	s2s_in_set_policy(b.in, policy);
	run(&b);
	assert_true(we_sent(&b, S2S_STREAM_ERROR("system-shutdown")));
	disconnect_peer(&b);
	policy_destroy(&policy);
}

static void federation_switched_off_knows_no_host(void **state)
{
	struct peer b = { 0 };

	connect_peer(&b, SECURITY_TLS_OPTIONAL);
	policy_set_enabled(b.policy, false);
	peer_sends(&b, THEIR_HEADER);
	assert_true(we_sent(&b, OUR_HEADER(ID) S2S_STREAM_ERROR("host-unknown")));
	assert_true(happened(&b, "closed federation-off\n"));
	disconnect_peer(&b);
}

static void any_split_of_the_bytes_gives_the_same(void **state)
{
	static const char bytes[] = THEIR_HEADER CLAIM
		"<db:verify from='capulet.example' to='home.example' id='7'>k</db:verify>"
		"<db:result from='x.example' to='y.example'>k</db:result>"
		"<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/> \n"
		"<db:result from='a' to='b' type='valid'/>" MESSAGE "</stream:stream>";
	char *events = NULL, *wire = NULL;

	for (size_t piece = 0; piece < sizeof(bytes); piece++) {
		struct peer b = { .piece = piece };

		connect_peer(&b, SECURITY_TLS_OPTIONAL);
		peer_sends(&b, bytes);
		if (piece == 0) {
			events = buffer_take_text(&b.says.events);
			wire = buffer_take_text(&b.says.wire);
			assert_non_null(strstr(events, "closed protocol\n"));
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
		cmocka_unit_test(a_domain_is_proven_under_tls_and_may_send),
		cmocka_unit_test(the_verdict_becomes_the_answer),
		cmocka_unit_test(an_invalid_key_closes_the_stream),
		cmocka_unit_test(an_invalid_key_leaves_other_pairs_alone),
		cmocka_unit_test(we_answer_as_authoritative_server),
		cmocka_unit_test(notes_show_keys_shortened),
		cmocka_unit_test(questions_are_answered_while_a_claim_waits),
		cmocka_unit_test(several_pairs_share_a_stream),
		cmocka_unit_test(a_proven_pair_is_not_verified_again),
		cmocka_unit_test(what_a_stranger_sends_first),
		cmocka_unit_test(headers_and_their_answers),
		cmocka_unit_test(utf16_is_an_unsupported_encoding),
		cmocka_unit_test(sec_15_a_stranger_has_little_room),
		cmocka_unit_test(sec_01_answers_that_nobody_asked_for_count_for_nothing),
		cmocka_unit_test(sec_01_and_not_too_often),
		cmocka_unit_test(sec_06_addresses_do_not_change_under_tls),
		cmocka_unit_test(sec_07_required_tls_comes_first),
		cmocka_unit_test(sec_07_without_version_nothing_gets_past_required_tls),
		cmocka_unit_test(sec_07_without_tls_none_is_offered_or_taken),
		cmocka_unit_test(starttls_comes_too_late_behind_a_proven_pair),
		cmocka_unit_test(who_is_proven_has_more_room),
		cmocka_unit_test(sec_08_nothing_in_clear_follows_starttls),
		cmocka_unit_test(claims_in_clear_lapse_with_tls),
		cmocka_unit_test(sec_11_sasl_fails_and_the_third_time_closes),
		cmocka_unit_test(sec_13_compression_is_refused_at_every_stage),
		cmocka_unit_test(sec_19b_only_a_top_level_stanza_of_jabber_server_is_one),
		cmocka_unit_test(sec_19b_a_stream_end_inside_a_stanza_is_not_well_formed),
		cmocka_unit_test(sec_20_only_the_proven_pair_passes),
		cmocka_unit_test(sec_21a_few_claims_are_verified_at_a_time),
		cmocka_unit_test(sec_21c_nobody_outside_claims_a_domain_of_ours),
		cmocka_unit_test(a_silent_peer_is_closed_at_each_step),
		cmocka_unit_test(while_it_is_verified_a_peer_may_be_silent),
		cmocka_unit_test(proving_has_a_deadline_that_questions_move),
		cmocka_unit_test(a_peer_that_only_asked_is_let_go_in_peace),
		cmocka_unit_test(an_idle_stream_is_closed_in_order),
		cmocka_unit_test(we_close_in_order_and_do_not_wait_for_ever),
		cmocka_unit_test(a_lost_connection_ends_the_session),
		cmocka_unit_test(new_settings_apply_to_open_streams),
		cmocka_unit_test(federation_switched_off_knows_no_host),
		cmocka_unit_test(any_split_of_the_bytes_gives_the_same),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
