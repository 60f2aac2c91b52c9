#include "xmpp/link_session.h"

#include "base/alloc.h"
#include "xmpp/namespaces.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#define A "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define B "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
#define C "cccccccccccccccccccccccccccccccc"

#define HEADER_TO_EDGE                                                                             \
	"<stream:stream xmlns='jabber:server' xmlns:stream='http://etherx.jabber.org/streams' "    \
	"xmlns:l='urn:sallyport:link:1' from='core-a' to='edge-a' version='1.0' l:instance='" A    \
	"'>"
#define HEADER_TO_CORE                                                                             \
	"<stream:stream xmlns='jabber:server' xmlns:stream='http://etherx.jabber.org/streams' "    \
	"xmlns:l='urn:sallyport:link:1' id='id1' from='edge-a' to='core-a' version='1.0' "         \
	"l:instance='" B "'>"
#define FEATURES                                                                                   \
	"<stream:features><l:link role='edge' release='" SALLYPORT_RELEASE                         \
	"' workers='2' stanza-bytes='4194304' last='yes'/></stream:features>"
#define OPEN_TO_EDGE "<l:open worker='0' role='core' last='no'/>"
#define MESSAGE "<message from='x@a.example' to='y@b.example'><body>hi</body></message>"

/* One end of a link, and what it told, a line each. */
struct end {
	struct link_session *session;
	char *told;
	char *sent; /* all output so far */
};

static void note(char **text, const char *more, size_t len)
{
	size_t old = *text ? strlen(*text) : 0;

	*text = xrealloc(*text, old + len + 1);
	memcpy(*text + old, more, len);
	(*text)[old + len] = '\0';
}

static void tell(struct end *e, const struct link_action *action)
{
	static const char *const fates[] = { "delivered", "written", "refused", "uncertain" };
	struct buffer line = { 0 };
	char *text;

	switch (action->type) {
	case LINK_NONE:
		return;
	case LINK_TIMER:
		buffer_printf(&line, "timer %u\n", action->seconds);
		break;
	case LINK_OPENED:
		buffer_printf(&line, "opened %s %.4s last=%d workers=%u\n", action->peer_role,
			      action->peer_instance, action->peer_last, action->peer_workers);
		break;
	case LINK_STANZA:
		buffer_printf(&line, "stanza %.4s %" PRIu64 " %.*s\n", action->origin,
			      action->number, SLICE_ARGS(action->stanza->bytes));
		break;
	case LINK_FATE:
		buffer_printf(&line, "fate %.4s %" PRIu64 "-%" PRIu64 " %s %s\n", action->origin,
			      action->number, action->number_last, fates[action->fate],
			      failure_name(action->failure));
		break;
	case LINK_REALMS:
		buffer_printf(&line, "realms %.*s\n", SLICE_ARGS(action->names));
		break;
	case LINK_CLOSED:
		buffer_printf(&line, "closed%s: %s\n", action->peer_closed ? " by the peer" : "",
			      action->why);
		break;
	}
	text = buffer_take_text(&line);
	note(&e->told, text, strlen(text));
	free(text);
}

static void pull(struct end *e)
{
	struct link_action action;

	do {
		action = link_session_next(e->session);
		tell(e, &action);
	} while (action.type != LINK_NONE);
}

static void receives(struct end *e, const char *bytes, size_t len, size_t piece)
{
	while (len) {
		size_t now = len < piece ? len : piece;
		char *room = link_session_room(e->session, &now);

		if (now > len)
			now = len;
		if (now > piece)
			now = piece;
		memcpy(room, bytes, now);
		link_session_filled(e->session, now);
		pull(e);
		bytes += now;
		len -= now;
	}
}

/* What waits in the output is noted, and goes to `to` unless that is NULL. */
static bool carry(struct end *from, struct end *to, size_t piece)
{
	struct buffer *out = link_session_output(from->session);
	size_t len = buffer_len(out);
	char *bytes;

	if (!len)
		return false;
	bytes = buffer_take_text(out);
	note(&from->sent, bytes, len);
	if (to)
		receives(to, bytes, len, piece);
	free(bytes);
	return true;
}

static struct end make_end(bool dials)
{
	struct link_options options = {
		.dials = dials,
		.node = dials ? "core-a" : "edge-a",
		.peer = dials ? "edge-a" : "core-a",
		.role = dials ? "core" : "edge",
		.instance = dials ? A : B,
		.workers = 2,
		.last = !dials,
	};
	struct end e = { .session = link_session_create(&options, dials ? NULL : "id1") };

	note(&e.told, "", 0);
	note(&e.sent, "", 0);
	link_session_connected(e.session);
	pull(&e);
	return e;
}

static void end_end(struct end *e)
{
	link_session_destroy(&e->session);
	free(e->told);
	free(e->sent);
}

static void forget(struct end *e)
{
	e->told[0] = e->sent[0] = '\0';
}

/* Both ways until nobody has anything to say. */
static void converse(struct end *a, struct end *b, size_t piece)
{
	bool more = true;

	while (more) {
		more = carry(a, b, piece);
		more = carry(b, a, piece) || more;
	}
}

static void open_link(struct end *core, struct end *edge)
{
	*core = make_end(true);
	*edge = make_end(false);
	converse(core, edge, 1000);
	forget(core);
	forget(edge);
}

static void two_ends_open_as_the_protocol_says(void **state)
{
	for (size_t piece = 1; piece < 500; piece += piece < 20 ? 1 : 37) {
		struct end core = make_end(true), edge = make_end(false);

		converse(&core, &edge, piece);
		assert_string_equal(core.sent, HEADER_TO_EDGE OPEN_TO_EDGE);
		assert_string_equal(edge.sent, HEADER_TO_CORE FEATURES "<l:opened/>");
		assert_string_equal(core.told, "timer 10\ntimer 10\ntimer 10\n"
					       "opened edge bbbb last=1 workers=2\ntimer 5\n");
		assert_string_equal(edge.told, "timer 10\ntimer 10\n"
					       "opened core aaaa last=0 workers=0\ntimer 5\n");
		assert_true(link_session_is_open(core.session));
		end_end(&core);
		end_end(&edge);
	}
}

static void stanzas_carry_origin_and_number_and_name_each_once(void **state)
{
	struct end core, edge;

	open_link(&core, &edge);
	link_session_send(core.session, A, 500, slice_of(MESSAGE));
	link_session_send(core.session, A, 501, slice_of("<presence to='b.example'/>"));
	link_session_send(core.session, C, 502, slice_of(MESSAGE));
	link_session_send(core.session, A, 502, slice_of(MESSAGE));
	link_session_send(core.session, A, 510, slice_of(MESSAGE));
	converse(&core, &edge, 7);
	assert_string_equal(core.sent,
			    "<l:origin k='1' i='" A "'/><l:next k='1' n='500'/>" MESSAGE
			    "<presence to='b.example'/><l:origin k='2' i='" C
			    "'/><l:next k='2' n='502'/>" MESSAGE "<l:next k='1' n='502'/>" MESSAGE
			    "<l:next k='1' n='510'/>" MESSAGE);
	assert_string_equal(edge.told, "stanza aaaa 500 " MESSAGE "\n"
				       "stanza aaaa 501 <presence to='b.example'/>\n"
				       "stanza cccc 502 " MESSAGE "\nstanza aaaa 502 " MESSAGE "\n"
				       "stanza aaaa 510 " MESSAGE "\n");
	/* and the other way, on the same stream */
	link_session_send(edge.session, B, 1, slice_of(MESSAGE));
	converse(&core, &edge, 1000);
	assert_string_equal(core.told, "stanza bbbb 1 " MESSAGE "\n");
	end_end(&core);
	end_end(&edge);
}

static void fates_that_are_alike_go_out_as_ranges_at_the_flush(void **state)
{
	struct end core, edge;

	open_link(&core, &edge);
	for (uint64_t n = 500; n <= 520; n++)
		link_session_fate(edge.session, A, n, LINK_DELIVERED, FAILURE_NONE);
	link_session_fate(edge.session, A, 521, LINK_REFUSED, FAILURE_NOT_ON_ALLOW_LIST);
	link_session_fate(edge.session, C, 1, LINK_WRITTEN, FAILURE_NONE);
	link_session_fate(edge.session, A, 522, LINK_DELIVERED, FAILURE_NONE);
	link_session_fate(edge.session, A, 523, LINK_UNCERTAIN, FAILURE_NONE);
	link_session_fate(edge.session, A, 524, LINK_REFUSED, FAILURE_EXPIRED);
	assert_int_equal(buffer_len(link_session_output(edge.session)), 0);
	link_session_flush(edge.session);
	converse(&core, &edge, 5);
	assert_string_equal(edge.sent,
			    "<l:fate o='" A "' is='delivered' n='500-520 522'/><l:fate o='" A
			    "' is='refused' n='521' why='not-on-allow-list'/><l:fate o='" C
			    "' is='written' n='1'/><l:fate o='" A
			    "' is='uncertain' n='523'/><l:fate o='" A
			    "' is='refused' n='524' why='expired'/>");
	assert_string_equal(core.told, "fate aaaa 500-520 delivered none\n"
				       "fate aaaa 522-522 delivered none\n"
				       "fate aaaa 521-521 refused not-on-allow-list\n"
				       "fate cccc 1-1 written none\n"
				       "fate aaaa 523-523 uncertain none\n"
				       "fate aaaa 524-524 refused expired\n");
	forget(&edge);
	link_session_flush(edge.session);
	assert_int_equal(buffer_len(link_session_output(edge.session)), 0);
	end_end(&core);
	end_end(&edge);
}

static void more_fates_than_one_element_takes_become_several(void **state)
{
	struct end core, edge;
	char origin[] = A;
	size_t lines = 0;

	open_link(&core, &edge);
	for (uint64_t n = 0; n < 3000; n += 2)
		link_session_fate(edge.session, A, n, LINK_DELIVERED, FAILURE_NONE);
	for (unsigned i = 0; i < 100; i++) {
		snprintf(origin, sizeof(origin), "%032x", i);
		link_session_fate(edge.session, origin, 1, LINK_WRITTEN, FAILURE_NONE);
	}
	link_session_flush(edge.session);
	converse(&core, &edge, 1000);
	for (const char *at = core.told; (at = strchr(at, '\n')); at++)
		lines++;
	assert_int_equal(lines, 1500 + 100);
	assert_true(link_session_is_open(core.session));
	end_end(&core);
	end_end(&edge);
}

static void realms_go_over_as_they_are(void **state)
{
	struct end core, edge;

	open_link(&core, &edge);
	link_session_realms(core.session, "edge-a-example-net edge-b-example-net");
	link_session_realms(core.session, "");
	converse(&core, &edge, 9);
	assert_string_equal(edge.told, "realms edge-a-example-net edge-b-example-net\nrealms \n");
	end_end(&core);
	end_end(&edge);
}

static void silence_is_met_with_a_ping_and_then_the_end(void **state)
{
	struct end core, edge;

	open_link(&core, &edge);
	link_session_timeout(core.session); /* it has heard <l:opened/> since */
	assert_int_equal(buffer_len(link_session_output(core.session)), 0);
	link_session_timeout(core.session);
	converse(&core, &edge, 1000);
	assert_string_equal(core.sent, "<l:ping/>");
	assert_string_equal(edge.sent, "<l:pong/>");
	link_session_timeout(core.session);
	link_session_timeout(core.session);
	carry(&core, NULL, 0); /* this ping is lost */
	link_session_timeout(core.session);
	pull(&core);
	assert_non_null(
		strstr(core.told, "closed: connection-timeout: silent for up to 15 seconds\n"));
	converse(&core, &edge, 1000);
	assert_non_null(
		strstr(edge.told, "closed: the peer says connection-timeout: silent for up to 15"));
	end_end(&core);
	end_end(&edge);
}

static void a_link_closed_in_order_takes_the_last_fates_along(void **state)
{
	struct end core, edge;

	open_link(&core, &edge);
	link_session_fate(edge.session, A, 1, LINK_DELIVERED, FAILURE_NONE);
	link_session_close(edge.session, "system-shutdown", "until <later>");
	assert_false(link_session_is_open(edge.session));
	/* and from here on nothing is taken any more */
	link_session_send(edge.session, B, 1, slice_of(MESSAGE));
	link_session_fate(edge.session, A, 2, LINK_DELIVERED, FAILURE_NONE);
	link_session_flush(edge.session);
	link_session_close(edge.session, NULL, NULL);
	converse(&core, &edge, 3);
	assert_string_equal(edge.sent, "<l:fate o='" A "' is='delivered' n='1'/><stream:error>"
				       "<system-shutdown xmlns='" NS_STREAM_ERRORS
				       "'/><text xmlns='" NS_STREAM_ERRORS
				       "'>until &lt;later&gt;</text></stream:error>"
				       "</stream:stream>");
	pull(&edge);
	assert_string_equal(edge.told, "closed: until <later>\n");
	assert_string_equal(core.told, "fate aaaa 1-1 delivered none\n"
				       "closed by the peer: the peer says system-shutdown: "
				       "until <later>\n");
	end_end(&core);
	end_end(&edge);
}

static void too_many_origins_end_the_stream_in_order(void **state)
{
	struct end core, edge;
	char origin[LINK_INSTANCE_LEN + 1];

	open_link(&core, &edge);
	for (unsigned i = 0; i <= LINK_ORIGINS_MAX; i++) {
		assert_true(link_session_is_open(core.session));
		snprintf(origin, sizeof(origin), "%032x", i);
		link_session_send(core.session, origin, 1, slice_of(MESSAGE));
	}
	assert_false(link_session_is_open(core.session));
	converse(&core, &edge, 1000);
	assert_non_null(strstr(edge.told, "closed by the peer: the peer ended the stream\n"));
	end_end(&core);
	end_end(&edge);
}

static void a_lost_connection_is_told_once(void **state)
{
	struct end core, edge;

	open_link(&core, &edge);
	link_session_closed(core.session, "reset by peer");
	link_session_closed(core.session, "again");
	link_session_timeout(core.session);
	pull(&core);
	pull(&core);
	assert_string_equal(core.told, "closed: reset by peer\n");
	assert_string_equal(link_session_state(core.session), "closed");
	end_end(&core);
	end_end(&edge);
}

static void each_step_has_its_time(void **state)
{
	static const struct {
		bool dials;
		const char *heard, *step;
	} rows[] = {
		{ true, "", "wait-header" },
		{ true, HEADER_TO_CORE, "wait-features" },
		{ true, HEADER_TO_CORE FEATURES, "wait-opened" },
		{ false, "", "wait-header" },
		{ false, HEADER_TO_EDGE, "wait-open" },
	};

	for (size_t i = 0; i < nitems(rows); i++) {
		struct end e = make_end(rows[i].dials);
		char expected[100];

		receives(&e, rows[i].heard, strlen(rows[i].heard), 1000);
		assert_string_equal(link_session_state(e.session), rows[i].step);
		link_session_timeout(e.session);
		pull(&e);
		snprintf(expected, sizeof(expected),
			 "closed: connection-timeout: no answer within 10 seconds in %s\n",
			 rows[i].step);
		assert_non_null(strstr(e.told, expected));
		carry(&e, NULL, 0);
		assert_non_null(strstr(e.sent, "</stream:stream>"));
		assert_ptr_equal(strstr(e.sent, "<stream:stream"), e.sent);
		end_end(&e);
	}
}

/* What a peer must not do, and the stream error that it gets. */
static const struct {
	bool dials;
	const char *heard;
	const char *condition;
	const char *why; /* a part of it */
} wrongs[] = {
#define TO_EDGE(from, to, version, instance)                                                       \
	"<stream:stream xmlns='jabber:server' xmlns:stream='http://etherx.jabber.org/streams' "    \
	"xmlns:l='urn:sallyport:link:1' from='" from "' to='" to "' version='" version             \
	"' l:instance='" instance "'>"
	/* headers */
	{ false, TO_EDGE("core-b", "edge-a", "1.0", A), "invalid-from", "pinned for core-a" },
	{ false, TO_EDGE("core-a", "edge-b", "1.0", A), "host-unknown", "this is edge-a" },
	{ false, TO_EDGE("core-a", "edge-a", "2.0", A), "unsupported-version", "" },
	{ false, TO_EDGE("core-a", "edge-a", "1.0", "aa"), "bad-format", "instance" },
	{ false, TO_EDGE("core-a", "edge-a", "1.0", A "a"), "bad-format", "instance" },
	{ false, TO_EDGE("core-a", "edge-a", "1.0", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"),
	  "bad-format", "instance" },
	{ false,
	  "<stream:stream xmlns='jabber:server' xmlns:stream='http://etherx.jabber.org/streams'>",
	  "invalid-from", "" },
	{ false,
	  "<stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'>",
	  "invalid-namespace", "" },
	{ false, "GET / HTTP/1.1\r\n\r\n", "not-well-formed", "" },
	{ false, "<!DOCTYPE x>", "restricted-xml", "" },
	/* opening */
	{ false, HEADER_TO_EDGE MESSAGE, "undefined-condition", "not open yet" },
	{ false, HEADER_TO_EDGE "<l:ping/>", "undefined-condition", "not open yet" },
	{ false, HEADER_TO_EDGE "<l:open worker='2' role='core' last='no'/>", "bad-format", "" },
	{ false, HEADER_TO_EDGE "<l:open worker='0' role='moon' last='no'/>", "bad-format", "" },
	{ false, HEADER_TO_EDGE "<l:open worker='0' role='core' last='2'/>", "bad-format", "" },
	{ false, HEADER_TO_EDGE "<l:open role='core' last='no'/>", "bad-format", "" },
	{ true, HEADER_TO_CORE "<stream:features/>", "undefined-condition", "features" },
	{ true, HEADER_TO_CORE "<l:opened/>", "undefined-condition", "features" },
	{ true, HEADER_TO_CORE MESSAGE, "undefined-condition", "features" },
	{ true,
	  HEADER_TO_CORE "<stream:features><l:link role='edge' workers='0' stanza-bytes='4194304' "
			 "last='yes'/></stream:features>",
	  "bad-format", "" },
	{ true,
	  HEADER_TO_CORE "<stream:features><l:link role='edge' workers='2' stanza-bytes='65536' "
			 "last='yes'/></stream:features>",
	  "policy-violation", "65536" },
	{ true, HEADER_TO_CORE FEATURES MESSAGE, "undefined-condition", "not open yet" },
/* open */
#define OPENED HEADER_TO_EDGE OPEN_TO_EDGE
#define ORIGIN "<l:origin k='1' i='" A "'/>"
	{ false, OPENED MESSAGE, "bad-format", "without an origin" },
	{ false, OPENED ORIGIN MESSAGE, "bad-format", "without an origin" },
	{ false, OPENED "<l:origin k='2' i='" A "'/>", "bad-format", "out of turn" },
	{ false, OPENED "<l:origin k='0' i='" A "'/>", "bad-format", "out of turn" },
	{ false, OPENED "<l:origin k='1' i='core-a'/>", "bad-format", "out of turn" },
	{ false, OPENED ORIGIN ORIGIN, "bad-format", "out of turn" },
	{ false, OPENED ORIGIN "<l:origin k='2' i='" A "'/>", "bad-format", "twice" },
	{ false, OPENED ORIGIN "<l:next k='2' n='1'/>", "bad-format", "unknown origin" },
	{ false, OPENED ORIGIN "<l:next k='1' n='-1'/>", "bad-format", "unknown origin" },
	{ false, OPENED ORIGIN "<l:next k='1' n='18446744073709551616'/>", "bad-format", "next" },
	{ false, OPENED ORIGIN "<l:next k='1' n='18446744073709551615'/>" MESSAGE MESSAGE,
	  "bad-format", "overflows" },
	{ false, OPENED "<l:fate o='core-a' is='delivered' n='1'/>", "bad-format", "malformed" },
	{ false, OPENED "<l:fate o='" B "' is='lost' n='1'/>", "bad-format", "malformed" },
	{ false, OPENED "<l:fate o='" B "' is='delivered' n='2-1'/>", "bad-format", "numbers" },
	{ false, OPENED "<l:fate o='" B "' is='delivered'/>", "bad-format", "numbers" },
	{ false, OPENED "<l:fate o='" B "' is='refused' n='1'/>", "bad-format", "reason" },
	{ false, OPENED "<l:fate o='" B "' is='refused' n='1' why='none'/>", "bad-format",
	  "reason" },
	{ false, OPENED "<l:realms/>", "bad-format", "names" },
	{ false, OPENED "<l:realms names='a  b'/>", "bad-format", "malformed name" },
	{ false, OPENED "<l:realms names='a '/>", "bad-format", "malformed name" },
	{ false, OPENED "<l:realms names='../b'/>", "bad-format", "malformed name" },
	{ false, OPENED "<l:open worker='0' role='core' last='no'/>", "unsupported-stanza-type",
	  "<open/>" },
	{ false, OPENED "<l:news/>", "unsupported-stanza-type", "<news/>" },
	{ false, OPENED "<x xmlns='urn:x'/>", "unsupported-stanza-type", "<x/>" },
	{ false, OPENED "text", "not-well-formed", "" },
};

static void what_a_peer_must_not_do_closes_with_the_reason(void **state)
{
	for (size_t i = 0; i < nitems(wrongs); i++) {
		struct end e = make_end(wrongs[i].dials);
		char error[200], closed[200];

		receives(&e, wrongs[i].heard, strlen(wrongs[i].heard), 10000);
		carry(&e, NULL, 0);
		snprintf(error, sizeof(error), "<stream:error><%s xmlns=", wrongs[i].condition);
		snprintf(closed, sizeof(closed), "closed: %s: ", wrongs[i].condition);
		if (!strstr(e.sent, error) || !strstr(e.told, closed) ||
		    !strstr(strstr(e.told, closed), wrongs[i].why))
			fail_msg("%s\n%s\n%s", wrongs[i].heard, e.sent, e.told);
		assert_ptr_equal(strstr(e.sent, "<stream:stream"), e.sent);
		assert_non_null(strstr(e.sent, "</stream:error></stream:stream>"));
		end_end(&e);
	}
}

static void how_bytes_arrive_makes_no_difference(void **state)
{
	for (size_t i = 0; i < nitems(wrongs); i++) {
		struct end whole = make_end(wrongs[i].dials);
		size_t len = strlen(wrongs[i].heard);

		receives(&whole, wrongs[i].heard, len, len);
		carry(&whole, NULL, 0);
		for (size_t piece = 1; piece < len; piece += 1 + piece / 8) {
			struct end e = make_end(wrongs[i].dials);

			receives(&e, wrongs[i].heard, len, piece);
			carry(&e, NULL, 0);
			assert_string_equal(e.sent, whole.sent);
			assert_string_equal(e.told, whole.told);
			end_end(&e);
		}
		end_end(&whole);
	}
}

static void a_stanza_as_large_as_the_door_lets_in_passes(void **state)
{
	struct end core, edge;
	struct buffer big = { 0 };

	open_link(&core, &edge);
	buffer_append_text(&big, "<message to='a@b'><body>");
	memset(buffer_reserve(&big, 1 << 20), 'x', 1 << 20);
	buffer_filled(&big, 1 << 20);
	buffer_append_text(&big, "</body></message>");
	link_session_send(core.session, A, 1,
			  (struct slice){ buffer_data(&big), buffer_len(&big) });
	converse(&core, &edge, 4096);
	assert_non_null(strstr(edge.told, "stanza aaaa 1 <message"));
	assert_true(link_session_is_open(edge.session));
	buffer_finish(&big);
	end_end(&core);
	end_end(&edge);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(two_ends_open_as_the_protocol_says),
		cmocka_unit_test(stanzas_carry_origin_and_number_and_name_each_once),
		cmocka_unit_test(fates_that_are_alike_go_out_as_ranges_at_the_flush),
		cmocka_unit_test(more_fates_than_one_element_takes_become_several),
		cmocka_unit_test(realms_go_over_as_they_are),
		cmocka_unit_test(silence_is_met_with_a_ping_and_then_the_end),
		cmocka_unit_test(a_link_closed_in_order_takes_the_last_fates_along),
		cmocka_unit_test(too_many_origins_end_the_stream_in_order),
		cmocka_unit_test(a_lost_connection_is_told_once),
		cmocka_unit_test(each_step_has_its_time),
		cmocka_unit_test(what_a_peer_must_not_do_closes_with_the_reason),
		cmocka_unit_test(how_bytes_arrive_makes_no_difference),
		cmocka_unit_test(a_stanza_as_large_as_the_door_lets_in_passes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
