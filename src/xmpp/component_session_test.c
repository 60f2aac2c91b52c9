#include "xmpp/component_session.h"

#include "base/alloc.h"
#include "xmpp/namespaces.h"
#include "xmpp/stanza.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#define G "99999999999999999999999999999999"
#define OTHER_G "88888888888888888888888888888888"
#define P "cccccccccccccccccccccccccccccccc"
#define NEW_P "dddddddddddddddddddddddddddddddd"
#define KEY "0123456789abcdef"

/* XEP-0114 example 2; the id is the one of its section 3 */
#define OUR_HEADER                                                                                 \
	"<stream:stream xmlns='jabber:component:accept' "                                          \
	"xmlns:stream='http://etherx.jabber.org/streams' xmlns:a='urn:sallyport:attach:1' "        \
	"to='gateway.home.example'>"
#define HEADER                                                                                     \
	"<?xml version='1.0'?><stream:stream xmlns:stream='http://etherx.jabber.org/streams' "     \
	"xmlns='jabber:component:accept' from='gateway.home.example' id='3BF96D32' "               \
	"xml:lang='en'>"
/* sha1("3BF96D32s3cret") */
#define OUR_HANDSHAKE "<handshake>a984b871214a298f0f743fcd25f99b10838ba12b</handshake>"
#define HANDSHAKE "<handshake xmlns='jabber:component:accept'/>"
#define PING(number)                                                                               \
	"<iq type='get' from='gateway.home.example' to='home.example' id='" KEY "-" number         \
	"'><ping xmlns='urn:xmpp:ping'/></iq>"
#define PONG(number)                                                                               \
	"<iq type='result' to='gateway.home.example' from='home.example' id='" KEY "-" number "'/" \
	">"
#define HELLO(instance, more)                                                                      \
	"<hello xmlns='urn:sallyport:attach:1' instance='" instance "'" more " s2s='no'/>"
#define HAD(number) "<had xmlns='urn:sallyport:attach:1' n='" number "'/>"
#define STATUS(s2s) "<status xmlns='urn:sallyport:attach:1' s2s='" s2s "'/>"
#define NEXT(number) "<next xmlns='urn:sallyport:attach:1' n='" number "'/>"
#define MESSAGE "<message from='a@home.example' to='b@remote.example'><body>hi</body></message>"

struct end {
	struct component_session *session;
	char *told;
	char *sent;
	size_t piece;
};

static void note(char **text, const char *more, size_t len)
{
	size_t old = *text ? strlen(*text) : 0;

	*text = xrealloc(*text, old + len + 1);
	memcpy(*text + old, more, len);
	(*text)[old + len] = '\0';
}

static void tell(struct end *e, const struct component_event *event)
{
	struct buffer line = { 0 };
	char *text;

	switch (event->type) {
	case COMPONENT_NONE:
	case COMPONENT_TIMER: /* looked at where time is the point */
		return;
	case COMPONENT_READY:
		buffer_printf(&line, "ready %" PRIu64 "\n", event->number);
		break;
	case COMPONENT_STANZA:
		buffer_printf(&line, "stanza %.4s %" PRIu64 " %.*s\n",
			      event->origin ? event->origin : "-", event->number,
			      SLICE_ARGS(event->stanza->to));
		break;
	case COMPONENT_DELIVERED:
		buffer_printf(&line, "delivered %" PRIu64 "\n", event->number);
		break;
	case COMPONENT_UNCERTAIN:
		buffer_printf(&line, "uncertain %" PRIu64 "\n", event->number);
		break;
	case COMPONENT_STATUS:
		buffer_printf(&line, "s2s %s\n", component_session_server_s2s(e->session));
		break;
	case COMPONENT_CLOSED:
		buffer_printf(&line, "closed %d %s\n", (int)event->fault, event->why);
		break;
	}
	text = buffer_take_text(&line);
	note(&e->told, text, strlen(text));
	free(text);
}

static void pull(struct end *e)
{
	struct component_event event;
	struct buffer *out = component_session_output(e->session);

	do {
		event = component_session_next(e->session);
		tell(e, &event);
	} while (event.type != COMPONENT_NONE);
	note(&e->sent, buffer_data(out), buffer_len(out));
	buffer_finish(out);
}

static void server_sends(struct end *e, const char *text)
{
	size_t len = strlen(text);

	while (len) {
		size_t now = len < e->piece ? len : e->piece;

		component_session_feed(e->session, text, now);
		pull(e);
		text += now;
		len -= now;
	}
}

static void server_hangs_up(struct end *e)
{
	component_session_closed(e->session);
	pull(e);
}

static void we_send(struct end *e, uint64_t first, uint64_t last)
{
	for (uint64_t n = first; n <= last; n++)
		component_session_send(e->session, n, slice_of("<presence to='x'/>"));
	component_session_flush(e->session);
	pull(e);
}

static void check(char **text, const char *expected, const char *what, int line)
{
	if (strcmp(*text, expected) != 0)
		fail_msg("line %d, %s:\n%s\nexpected:\n%s", line, what, *text, expected);
	(*text)[0] = '\0';
}
/* All that was sent, or told, since the last look. */
#define we_sent(e, text) check(&(e)->sent, text, "sent", __LINE__)
#define we_told(e, text) check(&(e)->told, text, "told", __LINE__)

static struct end make_end(size_t piece)
{
	struct end e = { .piece = piece,
			 .session = component_session_create(&(struct component_options){
				 .name = "gateway.home.example",
				 .secret = "s3cret",
				 .home_domain = "home.example",
				 .instance = G,
			 }) };

	note(&e.told, "", 0);
	note(&e.sent, "", 0);
	return e;
}

static void end_end(struct end *e)
{
	component_session_destroy(&e->session);
	free(e->told);
	free(e->sent);
}

static void open_end(struct end *e)
{
	component_session_open(e->session, KEY);
	server_sends(e, HEADER HANDSHAKE);
	pull(e);
	e->sent[0] = e->told[0] = '\0';
}

static struct end with_module(void)
{
	struct end e = make_end(1000);

	open_end(&e);
	server_sends(&e, HELLO(P, "") HAD("0"));
	e.sent[0] = e.told[0] = '\0';
	return e;
}

static struct end without_module(void)
{
	struct end e = make_end(1000);

	open_end(&e);
	server_sends(&e, PONG("0"));
	e.sent[0] = e.told[0] = '\0';
	return e;
}

static void the_handshake_is_the_one_of_xep_0114(void **state)
{
	for (size_t piece = 1; piece < 300; piece++) {
		struct end e = make_end(piece);

		component_session_open(e.session, KEY);
		pull(&e);
		we_sent(&e, OUR_HEADER);
		server_sends(&e, HEADER);
		we_sent(&e, OUR_HANDSHAKE);
		assert_string_equal(component_session_state(e.session), "wait-handshake");
		server_sends(&e, HANDSHAKE);
		we_sent(&e, PING("0"));
		we_told(&e, "");
		server_sends(&e, PONG("0"));
		we_told(&e, "ready 1\n");
		we_sent(&e, "");
		assert_true(component_session_is_ready(e.session));
		assert_false(component_session_has_module(e.session));
		end_end(&e);
	}
}

static void no_digest_of_the_secret_alone_is_ever_sent(void **state)
{
	struct end e = make_end(1000);

	component_session_open(e.session, KEY);
	/* as Prosody answers for a component that it does not know */
	server_sends(&e,
		     "<stream:stream xmlns:stream='http://etherx.jabber.org/streams' "
		     "xmlns='jabber:component:accept' version='1.0' id=''><stream:error>"
		     "<host-unknown xmlns='" NS_STREAM_ERRORS "'/><text xmlns='" NS_STREAM_ERRORS
		     "'>no such component</text></stream:error></stream:stream>");
	we_sent(&e, OUR_HEADER "</stream:stream>");
	we_told(&e, "closed 3 the home server says host-unknown: no such component\n");
	end_end(&e);
}

static void the_module_is_known_by_its_hello(void **state)
{
	for (size_t piece = 1; piece < 200; piece++) {
		struct end e = make_end(piece);

		open_end(&e);
		server_sends(&e, HELLO(P, ""));
		we_sent(&e, "<a:hello instance='" G "' had='0' open=''/><a:r/>");
		we_told(&e, ""); /* not before it knows us */
		server_sends(&e, HAD("0"));
		we_told(&e, "ready 1\n");
		assert_true(component_session_has_module(e.session));
		assert_string_equal(component_session_server_s2s(e.session), "no");
		/* the answer to the first ping is late, and means nothing any more */
		server_sends(&e, PONG("0"));
		we_told(&e, "");
		end_end(&e);
	}
}

static void the_module_may_say_at_any_time_whether_its_server_federates(void **state)
{
	struct end e = make_end(7);

	open_end(&e);
	server_sends(&e, HELLO(P, "") STATUS("yes"));
	we_told(&e, "s2s yes\n");
	server_sends(&e, HAD("0") STATUS("no") STATUS("no") STATUS("perhaps"));
	we_told(&e, "ready 1\ns2s no\ns2s \n");
	end_end(&e);
	e = make_end(7);
	open_end(&e);
	server_sends(&e, STATUS("yes")); /* before it said who it is */
	we_told(&e, "closed 5 unsupported-stanza-type: an unexpected element <status/>\n");
	end_end(&e);
}

static void what_we_send_is_wrapped_and_acknowledged(void **state)
{
	struct end e = with_module();

	we_send(&e, 1, 2);
	we_sent(&e, "<a:s n='1'><presence to='x'/></a:s><a:s n='2'><presence to='x'/></a:s><a:r/>");
	we_send(&e, 3, 3);
	we_sent(&e, "<a:s n='3'><presence to='x'/></a:s>"); /* one question at a time */
	server_sends(&e, HAD("2"));
	we_told(&e, "delivered 2\n");
	we_sent(&e, "<a:r/>");
	server_sends(&e, HAD("3"));
	we_told(&e, "delivered 3\n");
	we_sent(&e, "");
	end_end(&e);
}

static void what_the_module_sends_is_counted_and_settled(void **state)
{
	struct end e = with_module();

	server_sends(&e, NEXT("5") MESSAGE MESSAGE NEXT("9") MESSAGE);
	we_told(&e, "stanza cccc 5 b@remote.example\nstanza cccc 6 b@remote.example\n"
		    "stanza cccc 9 b@remote.example\n");
	component_session_settle(e.session, P, 6);
	component_session_settle(e.session, P, 5);
	component_session_settle(e.session, P, 7);     /* it never came */
	component_session_settle(e.session, NEW_P, 9); /* nor this, from there */
	component_session_flush(e.session);
	pull(&e);
	we_sent(&e, "<a:settled n='5-6'/>");
	component_session_settle(e.session, P, 6); /* once is enough */
	component_session_flush(e.session);
	pull(&e);
	we_sent(&e, "");
	/* the stream ends, and the hello tells the rest */
	server_hangs_up(&e);
	we_told(&e, "closed 0 the connection ended in ready\n");
	open_end(&e);
	server_sends(&e, HELLO(P, " peer='" G "' had='0'"));
	we_sent(&e, "<a:hello instance='" G "' had='9' open='9'/><a:r/>");
	/* settled before we are ready, and behind the hello: it is told when we are */
	component_session_settle(e.session, P, 9);
	server_sends(&e, NEXT("9") MESSAGE MESSAGE HAD("0"));
	component_session_flush(e.session);
	pull(&e);
	we_told(&e, "stanza cccc 10 b@remote.example\nready 1\n");
	we_sent(&e, "<a:settled n='9'/>");
	end_end(&e);
}

static void a_stream_that_breaks_loses_and_repeats_nothing(void **state)
{
	struct end e = with_module();

	we_send(&e, 1, 9);
	server_hangs_up(&e);
	we_told(&e, "closed 0 the connection ended in ready\n");
	open_end(&e);
	server_sends(&e, HELLO(P, " peer='" G "' had='7'") HAD("7"));
	we_told(&e, "delivered 7\nready 8\n");
	e.sent[0] = '\0';
	we_send(&e, 8, 9);
	we_sent(&e, "<a:s n='8'><presence to='x'/></a:s><a:s n='9'><presence to='x'/></a:s><a:r/>");
	end_end(&e);
}

static void another_module_makes_uncertain_what_its_predecessor_had(void **state)
{
	struct end e = with_module();

	server_sends(&e, NEXT("1") MESSAGE);
	we_send(&e, 1, 5);
	server_sends(&e, HAD("5"));
	we_send(&e, 6, 8);
	server_hangs_up(&e);
	e.told[0] = '\0';
	open_end(&e);
	server_sends(&e, HELLO(NEW_P, ""));
	we_sent(&e, "<a:hello instance='" G "' had='0' open=''/><a:r/>");
	server_sends(&e, NEXT("1") MESSAGE HAD("0"));
	we_told(&e, "uncertain 8\nstanza dddd 1 b@remote.example\nready 9\n");
	component_session_settle(e.session, P, 1); /* of the old one: nobody waits for it */
	we_send(&e, 9, 9);
	we_sent(&e, "<a:s n='9'><presence to='x'/></a:s><a:r/>");
	end_end(&e);
}

static void another_gateway_in_between_makes_uncertain_too(void **state)
{
	struct end e = with_module();

	we_send(&e, 1, 3);
	server_hangs_up(&e);
	open_end(&e);
	server_sends(&e, HELLO(P, " peer='" OTHER_G "' had='2'") HAD("0"));
	we_told(&e, "uncertain 3\nready 4\n");
	/* its count of ours begins anew, so silence is met with an answer of 0 */
	e.sent[0] = '\0';
	component_session_timeout(e.session);
	component_session_timeout(e.session);
	pull(&e);
	we_sent(&e, "<a:r/>");
	server_sends(&e, HAD("0"));
	we_send(&e, 4, 4);
	server_sends(&e, HAD("4"));
	we_told(&e, "delivered 4\n");
	end_end(&e);
}

static void a_break_before_the_module_knew_us_makes_nothing_uncertain(void **state)
{
	struct end e = make_end(1000);

	open_end(&e);
	server_sends(&e, HELLO(P, ""));
	server_hangs_up(&e);
	we_told(&e, "closed 0 the connection ended in wait-had\n");
	open_end(&e);
	server_sends(&e, HELLO(P, "") HAD("0"));
	we_told(&e, "ready 1\n");
	end_end(&e);
}

static void a_break_while_opening_keeps_what_a_module_may_yet_confirm(void **state)
{
	struct end e = with_module();

	we_send(&e, 1, 3);
	server_hangs_up(&e);
	component_session_open(e.session, KEY);
	server_sends(&e, HEADER HANDSHAKE);
	server_hangs_up(&e); /* before it said what it is */
	component_session_open(e.session, KEY);
	server_hangs_up(&e);
	we_told(&e, "closed 0 the connection ended in ready\n"
		    "closed 0 the connection ended in wait-kind\n"
		    "closed 0 the connection ended in wait-header\n");
	open_end(&e);
	server_sends(&e, HELLO(P, " peer='" G "' had='2'") HAD("2"));
	we_told(&e, "delivered 2\nready 3\n");
	end_end(&e);
}

static void a_module_that_is_gone_leaves_its_stanzas_uncertain(void **state)
{
	struct end e = with_module();

	we_send(&e, 1, 3);
	server_hangs_up(&e);
	open_end(&e);
	server_sends(&e, PONG("3"));
	we_told(&e, "uncertain 3\nready 4\n");
	assert_string_equal(component_session_server_s2s(e.session), "");
	end_end(&e);
}

static void without_the_module_the_home_domains_answer_acknowledges(void **state)
{
	struct end e = without_module();

	we_send(&e, 1, 2);
	we_sent(&e, "<presence to='x'/><presence to='x'/>" PING("2"));
	we_send(&e, 3, 3);
	we_sent(&e, "<presence to='x'/>");
	/* none of these is the answer */
	server_sends(&e, "<iq type='result' to='gateway.home.example' "
			 "from='evil.example' id='" KEY "-2'/>"
			 "<iq type='result' to='gateway.home.example' "
			 "from='home.example' id='" KEY "-3'/>"
			 "<iq type='result' to='gateway.home.example' "
			 "from='home.example' id='" KEY "'/>"
			 "<message to='gateway.home.example' type='error' "
			 "from='home.example' id='" KEY "-2'/>");
	we_told(&e, "");
	server_sends(&e, "<iq type='error' to='gateway.home.example' from='Home.Example' id='" KEY
			 "-2'/>"); /* an error says as much */
	we_told(&e, "delivered 2\n");
	we_sent(&e, PING("3"));
	server_sends(&e, MESSAGE);
	we_told(&e, "stanza - 0 b@remote.example\n");
	component_session_settle(e.session, NULL, 0);
	server_hangs_up(&e);
	we_told(&e, "uncertain 3\nclosed 0 the connection ended in ready\n");
	open_end(&e);
	server_sends(&e, PONG("3"));
	we_told(&e, "ready 4\n");
	end_end(&e);
}

static void what_the_component_is_asked_is_answered_here(void **state)
{
#define ASK(more, inside)                                                                          \
	"<iq from='a@home.example/r' to='gateway.home.example' id='q'" more ">" inside "</iq>"
#define ANSWER(type, inside)                                                                       \
	"<iq type='" type "' from='gateway.home.example' to='a@home.example/r' id='q'>" inside     \
	"</iq>"
#define UNAVAILABLE                                                                                \
	"<error type='cancel'><service-unavailable xmlns='" NS_STANZA_ERRORS "'/></error>"
	static const struct {
		const char *heard, *answer;
	} rows[] = {
		{ ASK(" type='get'", "<ping xmlns='urn:xmpp:ping'/>"), ANSWER("result", "") },
		{ ASK(" type='get'", "<query xmlns='http://jabber.org/protocol/disco#info'/>"),
		  ANSWER("result",
			 "<query xmlns='http://jabber.org/protocol/disco#info'>"
			 "<identity category='component' type='s2s' name='Sallyport'/>"
			 "<feature var='http://jabber.org/protocol/disco#info'/>"
			 "<feature var='urn:xmpp:ping'/><feature var='jabber:iq:version'/>"
			 "</query>") },
		{ ASK(" type='get'", "<query xmlns='jabber:iq:version'/>"),
		  ANSWER("result", "<query xmlns='jabber:iq:version'><name>Sallyport</name>"
				   "<version>" SALLYPORT_RELEASE "</version></query>") },
		{ ASK(" type='get'",
		      "<query xmlns='http://jabber.org/protocol/disco#info' node='n'/>"),
		  ANSWER("error", UNAVAILABLE) },
		{ ASK(" type='set'", "<ping xmlns='urn:xmpp:ping'/>"),
		  ANSWER("error", UNAVAILABLE) },
		{ ASK(" type='get'", "<vCard xmlns='vcard-temp'/>"), ANSWER("error", UNAVAILABLE) },
		{ ASK(" type='result'", ""), "" },
		{ ASK(" type='error'", ""), "" },
		{ "<message to='x@GATEWAY.home.example/r@2' from='a@b'/>",
		  "<message type='error' from='x@GATEWAY.home.example/r@2' to='a@b'>" UNAVAILABLE
		  "</message>" },
		{ "<message to='gateway.home.example' from='a@b' type='error'/>", "" },
		{ "<presence to='gateway.home.example' from='a@b'/>", "" },
		{ "<presence from='a@b'/>", "" },
	};
	struct end e = with_module(), plain = without_module();

	for (size_t i = 0; i < nitems(rows); i++) {
		/* without a number, and so before any <next/> */
		server_sends(&e, rows[i].heard);
		we_sent(&e, rows[i].answer);
		server_sends(&plain, rows[i].heard);
		we_sent(&plain, rows[i].answer);
	}
	server_sends(&e, NEXT("1") ASK(" type='result'", "") MESSAGE);
	we_told(&e, "stanza cccc 1 b@remote.example\n");
	end_end(&e);
	end_end(&plain);
}

static void the_servers_errors_say_what_is_wrong(void **state)
{
#define ERROR(condition)                                                                           \
	"<stream:error><" condition " xmlns='" NS_STREAM_ERRORS "'/></stream:error>"
	static const struct {
		const char *heard;
		const char *told;
	} rows[] = {
		{ ERROR("conflict"), "closed 1 the home server says conflict\n" },
		{ ERROR("not-authorized"), "closed 2 the home server says not-authorized\n" },
		{ ERROR("host-unknown"), "closed 3 the home server says host-unknown\n" },
		{ ERROR("system-shutdown"), "closed 0 the home server says system-shutdown\n" },
		{ ERROR("connection-timeout"),
		  "closed 4 the home server says connection-timeout\n" },
		{ ERROR("invalid-from"), "closed 5 the home server says invalid-from\n" },
		{ "<stream:error/>", "closed 5 the home server says undefined-condition\n" },
		{ "</stream:stream>", "closed 0 the home server ended the stream\n" },
	};

	for (size_t i = 0; i < nitems(rows); i++) {
		struct end e = make_end(1000);

		component_session_open(e.session, KEY);
		server_sends(&e, HEADER);
		server_sends(&e, rows[i].heard);
		we_told(&e, rows[i].told);
		we_sent(&e, OUR_HEADER OUR_HANDSHAKE "</stream:stream>");
		server_hangs_up(&e);
		we_told(&e, "");
		end_end(&e);
	}
}

static void what_is_not_the_protocol_closes_with_the_reason(void **state)
{
	static const struct {
		bool module;
		const char *heard;
		const char *condition;
	} rows[] = {
		{ true, MESSAGE, "bad-format" },
		{ true, NEXT("0"), "bad-format" },
		{ true, NEXT("x"), "bad-format" },
		{ true, NEXT("9223372036854775808"), "bad-format" },
		{ true, HAD("1"), "bad-format" },
		{ true, HAD("-1"), "bad-format" },
		{ true, HELLO(P, ""), "unsupported-stanza-type" },
		{ true, "<a:b xmlns:a='urn:sallyport:attach:1'/>", "unsupported-stanza-type" },
		{ false, HAD("0"), "unsupported-stanza-type" },
		{ false, NEXT("1"), "unsupported-stanza-type" },
		{ false, HELLO(P, ""), "unsupported-stanza-type" },
		{ false, HANDSHAKE, "unsupported-stanza-type" },
		{ false, "<!-- -->", "restricted-xml" },
		{ false, "<message>", NULL }, /* not complete: nothing yet */
		{ false, "<message></presence>", "not-well-formed" },
	};

	for (size_t i = 0; i < nitems(rows); i++) {
		struct end e = rows[i].module ? with_module() : without_module();
		char error[100], closed[100];

		server_sends(&e, rows[i].heard);
		if (!rows[i].condition) {
			we_told(&e, "");
			end_end(&e);
			continue;
		}
		snprintf(error, sizeof(error), "<stream:error><%s xmlns=", rows[i].condition);
		snprintf(closed, sizeof(closed), "closed 5 %s: ", rows[i].condition);
		if (strstr(e.sent, error) != e.sent || strstr(e.told, closed) != e.told)
			fail_msg("%s\n%s\n%s", rows[i].heard, e.sent, e.told);
		end_end(&e);
	}
}

static void a_malformed_hello_closes(void **state)
{
	static const char *const rows[] = {
		HELLO("c", ""),
		HELLO(P, " peer='" G "'"),
		HELLO(P, " peer='" G "' had='x'"),
		"<hello xmlns='urn:sallyport:attach:1'/>",
	};

	for (size_t i = 0; i < nitems(rows); i++) {
		struct end e = make_end(1000);

		open_end(&e);
		server_sends(&e, rows[i]);
		assert_ptr_equal(strstr(e.told, "closed 5 bad-format: "), e.told);
		end_end(&e);
	}
}

static void a_module_that_contradicts_itself_is_not_believed(void **state)
{
	struct end e = with_module();

	we_send(&e, 1, 3);
	server_sends(&e, HAD("2")); /* asked when it had been sent three */
	assert_non_null(strstr(e.told, "closed 5 undefined-condition: the module lost stanzas\n"));
	e.told[0] = '\0';
	open_end(&e);
	server_sends(&e, HELLO(P, " peer='" G "' had='4'") HAD("4")); /* never sent */
	we_told(&e, "uncertain 3\nready 4\n");
	end_end(&e);
}

/* The seconds of the timer that is armed, 0: none. */
static unsigned armed(struct end *e)
{
	struct component_event event;
	unsigned seconds = 0;

	while ((event = component_session_next(e->session)).type != COMPONENT_NONE) {
		if (event.type == COMPONENT_TIMER)
			seconds = event.seconds;
		tell(e, &event);
	}
	pull(e);
	return seconds;
}

static void each_step_has_its_time(void **state)
{
	static const struct {
		const char *heard, *step;
	} rows[] = {
		{ "", "wait-header" },
		{ HEADER, "wait-handshake" },
		{ HEADER HANDSHAKE, "wait-kind" },
		{ HEADER HANDSHAKE HELLO(P, ""), "wait-had" },
	};

	for (size_t i = 0; i < nitems(rows); i++) {
		struct end e = make_end(1000);
		char expected[100];

		component_session_open(e.session, KEY);
		component_session_feed(e.session, rows[i].heard, strlen(rows[i].heard));
		assert_int_equal(armed(&e), COMPONENT_SECONDS_STEP);
		component_session_timeout(e.session);
		pull(&e);
		snprintf(expected, sizeof(expected),
			 "closed 4 connection-timeout: no answer within 15 seconds in %s\n",
			 rows[i].step);
		we_told(&e, expected);
		end_end(&e);
	}
}

static void a_dead_server_is_noticed_within_three_times(void **state)
{
	struct end e = without_module();

	component_session_timeout(e.session); /* it has just become ready */
	assert_int_equal(armed(&e), COMPONENT_SECONDS_QUIET);
	we_sent(&e, "");
	component_session_timeout(e.session);
	assert_int_equal(armed(&e), COMPONENT_SECONDS_QUIET);
	we_sent(&e, PING("0"));
	server_sends(&e, PONG("0"));
	component_session_timeout(e.session);
	component_session_timeout(e.session);
	assert_int_equal(armed(&e), COMPONENT_SECONDS_QUIET);
	component_session_timeout(e.session);
	pull(&e);
	we_told(&e, "closed 4 connection-timeout: no answer within 30 seconds\n");
	end_end(&e);
}

static void a_server_that_talks_and_does_not_answer_is_dead_too(void **state)
{
	struct end e = without_module();

	we_send(&e, 1, 1);
	for (int i = 0; i < 3; i++) {
		assert_true(component_session_is_ready(e.session));
		server_sends(&e, MESSAGE);
		component_session_timeout(e.session);
	}
	e.told[0] = '\0';
	pull(&e);
	we_told(&e, "uncertain 1\nclosed 4 connection-timeout: no answer within 30 seconds\n");
	end_end(&e);
}

static void an_orderly_end_hears_the_server_out(void **state)
{
	struct end e = without_module();

	we_send(&e, 1, 1);
	e.sent[0] = '\0';
	component_session_close(e.session);
	component_session_close(e.session);
	pull(&e);
	we_sent(&e, "</stream:stream>");
	assert_false(component_session_is_ready(e.session));
	component_session_flush(e.session);
	server_sends(&e, MESSAGE "<message to='gateway.home.example' from='a@b'/>" PONG("1"));
	server_sends(&e, "</stream:stream>");
	we_told(&e, "stanza - 0 b@remote.example\ndelivered 1\n"
		    "closed 0 the home server ended the stream\n");
	we_sent(&e, "");
	/* or does not wait for ever */
	open_end(&e);
	component_session_close(e.session);
	assert_int_equal(armed(&e), COMPONENT_SECONDS_STEP);
	component_session_timeout(e.session);
	pull(&e);
	we_told(&e, "closed 0 closed here\n");
	end_end(&e);
}

static void how_bytes_arrive_makes_no_difference(void **state)
{
	static const char script[] = HELLO(P, "") NEXT("3") MESSAGE HAD(
		"0") "<iq from='a@b' to='gateway.home.example' id='1' type='get'/>" MESSAGE
		     "<stream:error><reset xmlns='" NS_STREAM_ERRORS
		     "'/></stream:error></stream:stream>";
	struct end whole = make_end(sizeof(script));

	open_end(&whole);
	server_sends(&whole, script);
	for (size_t piece = 1; piece < sizeof(script); piece++) {
		struct end e = make_end(piece);

		open_end(&e);
		server_sends(&e, script);
		assert_string_equal(e.told, whole.told);
		assert_string_equal(e.sent, whole.sent);
		end_end(&e);
	}
	end_end(&whole);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_handshake_is_the_one_of_xep_0114),
		cmocka_unit_test(no_digest_of_the_secret_alone_is_ever_sent),
		cmocka_unit_test(the_module_is_known_by_its_hello),
		cmocka_unit_test(the_module_may_say_at_any_time_whether_its_server_federates),
		cmocka_unit_test(what_we_send_is_wrapped_and_acknowledged),
		cmocka_unit_test(what_the_module_sends_is_counted_and_settled),
		cmocka_unit_test(a_stream_that_breaks_loses_and_repeats_nothing),
		cmocka_unit_test(another_module_makes_uncertain_what_its_predecessor_had),
		cmocka_unit_test(another_gateway_in_between_makes_uncertain_too),
		cmocka_unit_test(a_break_before_the_module_knew_us_makes_nothing_uncertain),
		cmocka_unit_test(a_break_while_opening_keeps_what_a_module_may_yet_confirm),
		cmocka_unit_test(a_module_that_is_gone_leaves_its_stanzas_uncertain),
		cmocka_unit_test(without_the_module_the_home_domains_answer_acknowledges),
		cmocka_unit_test(what_the_component_is_asked_is_answered_here),
		cmocka_unit_test(the_servers_errors_say_what_is_wrong),
		cmocka_unit_test(what_is_not_the_protocol_closes_with_the_reason),
		cmocka_unit_test(a_malformed_hello_closes),
		cmocka_unit_test(a_module_that_contradicts_itself_is_not_believed),
		cmocka_unit_test(each_step_has_its_time),
		cmocka_unit_test(a_dead_server_is_noticed_within_three_times),
		cmocka_unit_test(a_server_that_talks_and_does_not_answer_is_dead_too),
		cmocka_unit_test(an_orderly_end_hears_the_server_out),
		cmocka_unit_test(how_bytes_arrive_makes_no_difference),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
