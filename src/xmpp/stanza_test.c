#include "xmpp/stanza.h"

#include "base/alloc.h"
#include "xmpp/namespaces.h"
#include "xmpp/stream_reader.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#define HEADER                                                                                     \
	"<stream:stream xmlns='jabber:server' xmlns:stream='http://etherx.jabber.org/streams'"     \
	" xmlns:db='jabber:server:dialback' xmlns:odd='urn:odd' xmlns:s='jabber:server'"

/* A reader that has just read that element. */
static struct stream_reader *read_one(const char *header_end, const char *bytes,
				      const struct stanza_view **view)
{
	struct stream_reader *reader = stream_reader_create(NS_SERVER, &stream_limits_after);

	stream_reader_feed(reader, HEADER, sizeof(HEADER) - 1);
	stream_reader_feed(reader, header_end, strlen(header_end));
	stream_reader_feed(reader, bytes, strlen(bytes));
	assert_int_equal(stream_reader_next(reader, view), STREAM_HEADER);
	if (stream_reader_next(reader, view) != STREAM_ELEMENT)
		fail_msg("not read: %s", bytes);
	return reader;
}

static void assert_slice(struct slice got, const char *want)
{
	if (!want)
		assert_null(got.data);
	else if (!slice_is(got, want))
		fail_msg("%.*s, not %s", SLICE_ARGS(got), want);
}

static void check_copy(const char *header_end, const char *bytes, const char *copy)
{
	const struct stanza_view *view;
	struct stream_reader *reader = read_one(header_end, bytes, &view);
	const char *why = NULL;
	struct stanza *stanza = stanza_copy(view, &why);

	if (!copy) {
		if (stanza)
			fail_msg("%s was copied as %.*s", bytes, SLICE_ARGS(stanza->bytes));
		assert_non_null(why);
	} else {
		if (!stanza)
			fail_msg("%s: %s", bytes, why);
		assert_slice(stanza->bytes, copy);
	}
	stanza_destroy(&stanza);
	stream_reader_destroy(&reader);
}

static void what_is_canonical_is_copied_as_it_is(void **state)
{
	static const char *const rows[] = {
		"<message to='a' \n from = \"b\"><body>x &amp; > y</body></message>",
		"<message xmlns:a='urn:a' a:x='1'><a:b/><c xmlns='urn:c'><d/></c></message>",
		"<message><a xmlns=''><b/></a></message>",
		"<message><p:x xmlns:p='urn:p'><body/></p:x></message>",
		"<iq xml:lang='en'/>",
		"<message><message/></message>",
	};

	for (size_t i = 0; i < nitems(rows); i++)
		check_copy(">", rows[i], rows[i]);
}

static void what_is_not_canonical_is_written_again(void **state)
{
	static const struct {
		const char *bytes, *copy;
	} rows[] = {
		/* the content namespace is inherited, whatever way it was written */
		{ "<message xmlns='jabber:server'/>", "<message/>" },
		{ "<s:message to='a'><s:body>x</s:body></s:message>",
		  "<message to='a'><body>x</body></message>" },
		{ "<m:message xmlns:m='jabber:server'><body/></m:message>",
		  "<message><body/></message>" },
		{ "<message><body xmlns='jabber&#x3a;server'/></message>",
		  "<message><body/></message>" },
		{ "<s:message xmlns='urn:x'><y><z/></y><s:body/></s:message>",
		  "<message><y xmlns='urn:x'><z/></y><body/></message>" },
		{ "<message xmlns:u='jabber:client' xmlns:v='urn:v'><v:x/></message>",
		  "<message xmlns:v='urn:v'><v:x/></message>" },
		/* prefixes that the stream declares */
		{ "<message odd:a='1'><odd:b><odd:c/></odd:b></message>",
		  "<message xmlns:odd='urn:odd' odd:a='1'><odd:b><odd:c/></odd:b></message>" },
		{ "<message><odd:b xmlns:odd='urn:even'/><odd:c/></message>",
		  "<message xmlns:odd='urn:odd'><odd:b xmlns:odd='urn:even'/><odd:c/></message>" },
		{ "<db:result from='a' to='b'>k</db:result>",
		  "<db:result xmlns:db='jabber:server:dialback' from='a' to='b'>k</db:result>" },
		/* others' default namespaces */
		{ "<x xmlns='urn:x'><y/></x>", "<x xmlns='urn:x'><y/></x>" },
		{ "<message xmlns=''/>", "<message xmlns=''/>" },
		{ "<odd:x xmlns='urn:x'><y/><z xmlns=''/></odd:x>",
		  "<odd:x xmlns:odd='urn:odd' xmlns='urn:x'><y/><z xmlns=''/></odd:x>" },
		{ "<message><a xmlns='urn:a&amp;b' b='&quot;'/></message>",
		  "<message><a xmlns='urn:a&amp;b' b='&quot;'/></message>" },
		/* characters */
		{ "<message><![CDATA[<a b=\"c\">&amp;]]></message>",
		  "<message>&lt;a b=\"c\"&gt;&amp;amp;</message>" },
		/* a ']]' out of CDATA must not meet a '>' */
		{ "<message><![CDATA[]]]]>></message>", "<message>]]&gt;</message>" },
		{ "<message><![CDATA[]]]]>&gt;</message>", "<message>]]&gt;</message>" },
		{ "<message>a\r\nb\rc\nd&#13;</message>", "<message>a\nb\nc\nd&#13;</message>" },
		{ "<message to='a\r\nb\tc\rd\n&#10;'/>", "<message to='a b c d &#10;'/>" },
		{ "<message to='it&apos;s' id=\"'&#38;\">\r</message>",
		  "<message to='it&apos;s' id=\"'&#38;\">\n</message>" },
		{ "<message xmlns:xml='http://www.w3.org/XML/1998/namespace' xml:lang='a'/>",
		  "<message xml:lang='a'/>" },
		/* forwarded inside of a payload */
		{ "<message><f xmlns='urn:f'><message "
		  "xmlns='jabber:client'><body/></message></f></message>",
		  "<message><f xmlns='urn:f'><message "
		  "xmlns='jabber:client'><body/></message></f></message>" },
		{ "<message><![CDATA[]]><f xmlns='urn:f'><message xmlns='jabber:client'><d "
		  "xmlns='urn:d'/>"
		  "</message><g/></f></message>",
		  "<message><f xmlns='urn:f'><message xmlns='jabber:client'><d xmlns='urn:d'/>"
		  "</message><g/></f></message>" },
		{ "<message><\xc3\xa9 \xe4\xb8\x80='1'/></message>",
		  "<message><\xc3\xa9 \xe4\xb8\x80='1'/></message>" },
	};

	for (size_t i = 0; i < nitems(rows); i++)
		check_copy(">", rows[i].bytes, rows[i].copy);
}

static void what_could_change_its_namespace_is_refused(void **state)
{
	static const char *const rows[] = {
		"<message xmlns='jabber:client'/>",
		"<c:message xmlns:c='jabber:client'/>",
		"<message><body xmlns='jabber:client'/></message>",
		"<message><x xmlns='jabber:component:accept'/></message>",
		"<message><f xmlns='urn:f'><c:message xmlns:c='jabber:client'/></f></message>",
		"<message><f xmlns='urn:f'><x xmlns='jabber:component:accept'/></f></message>",
		"<message><f:f xmlns:f='urn:f'><message xmlns='jabber:client'/></f:f></message>",
		"<message><x xmlns='urn:x'><s:message/></x></message>",
		"<message><x xmlns='urn:x'><message xmlns='jabber:server'/></x></message>",
		"<message><odd:x xmlns='urn:x'><y/><s:message/></odd:x></message>",
		"<message><x xmlns=''><s:message/></x></message>",
		"<message s:to='x'/>",
		"<message xmlns:c='jabber:client' c:to='x'/>",
		"<message stream:to='x'/>",
		"<message><stream:error/></message>",
		"<message><stream xmlns='http://etherx.jabber.org/streams'/></message>",
		"<stream:features/>",
	};

	for (size_t i = 0; i < nitems(rows); i++)
		check_copy(">", rows[i], NULL);
}

static void the_language_of_the_stream_is_written_in(void **state)
{
	check_copy(" xml:lang='en'>", "<message/>", "<message xml:lang='en'/>");
	check_copy(" xml:lang='e&apos;n'>", "<message to='a'>x</message>",
		   "<message xml:lang='e&apos;n' to='a'>x</message>");
	check_copy(" xml:lang='en'>", "<message xml:lang='de'/>", "<message xml:lang='de'/>");
	check_copy(" xml:lang='en'>", "<message xml:lang=''/>", "<message xml:lang=''/>");
	check_copy(" xml:lang='en'>", "<s:message id='1'/>", "<message xml:lang='en' id='1'/>");
}

static void what_is_written_again_has_a_limit(void **state)
{
	struct buffer bytes = { 0 };

	/* each child needs the declaration that its parent had to give up */
	buffer_append_text(&bytes, "<s:message xmlns='urn:");
	for (size_t i = 0; i < 8000; i++)
		buffer_append_text(&bytes, "x");
	buffer_append_text(&bytes, "'>");
	for (size_t i = 0; i < 10000; i++)
		buffer_append_text(&bytes, "<a/>");
	buffer_append(&bytes, "</s:message>", sizeof("</s:message>"));
	check_copy(">", buffer_data(&bytes), NULL);
	buffer_finish(&bytes);
}

static void a_copy_has_its_values_decoded_and_terminated(void **state)
{
	const struct stanza_view *view;
	struct stream_reader *reader = read_one(
		" xml:lang='en'>", "<iq to='a@b' from='c&amp;d' id='' type='get'><q/></iq>", &view);
	const char *why = NULL;
	struct stanza *stanza = stanza_copy(view, &why);

	stream_reader_destroy(&reader);
	assert_int_equal(stanza->kind, STANZA_IQ);
	assert_string_equal(stanza->to.data, "a@b");
	assert_string_equal(stanza->from.data, "c&d");
	assert_string_equal(stanza->id.data, "");
	assert_string_equal(stanza->type.data, "get");
	assert_string_equal(stanza->lang.data, "en");
	assert_true(stanza_cost(stanza) > sizeof(*stanza) + stanza->bytes.len);
	stanza_destroy(&stanza);
	assert_null(stanza);
	stanza_destroy(&stanza);
}

static void children_and_text_are_found(void **state)
{
	const struct stanza_view *view;
	struct stream_reader *reader = read_one(
		">",
		"<message xmlns:p='urn:p'>one<a xmlns='urn:a'>no<b/></a> &amp; <![CDATA[<two>]]>"
		"<p:c id='7' p:id='8'/><a/><a xmlns='urn:&#97;' xmlns:p='urn:q'><p:d>x</p:d></a>"
		"\r\n</message>",
		&view);
	struct stanza_view child, grandchild;
	struct buffer text = { 0 };
	size_t place = 0, count = 0;
	char *got;

	assert_true(stanza_is(view, "message", NS_SERVER));
	assert_false(stanza_is(view, "message", NS_CLIENT));
	assert_true(stanza_is(view, "message", NULL));
	while (stanza_next_child(view, &place, &child))
		count++;
	assert_int_equal(count, 4);
	assert_false(stanza_next_child(view, &place, &child));

	assert_true(stanza_child(view, "c", "urn:p", &child));
	assert_slice(child.id, "7");
	assert_slice(stanza_attribute(&child, "id", "urn:p"), "8");
	assert_slice(stanza_attribute(&child, "id", NULL), "7");
	assert_slice(child.bytes, "<p:c id='7' p:id='8'/>");
	assert_false(stanza_child(&child, NULL, NULL, &grandchild));
	assert_true(stanza_child(view, "a", NS_SERVER, &child));
	assert_slice(child.bytes, "<a/>");
	assert_false(stanza_child(view, "b", NULL, &child));
	assert_true(stanza_child(view, "a", "urn:a", &child));
	assert_slice(child.bytes, "<a xmlns='urn:a'>no<b/></a>");
	assert_true(stanza_child(&child, "b", "urn:a", &grandchild));

	assert_true(stanza_next_child(
		view, &(size_t){ (size_t)(child.bytes.data - view->bytes.data) + child.bytes.len },
		&child));
	assert_true(stanza_is(&child, "c", "urn:p"));
	stanza_text(view, &text);
	got = buffer_take_text(&text);
	assert_string_equal(got, "one & <two>\n");
	free(got);
	stream_reader_destroy(&reader);
}

static void a_child_copied_declares_what_it_inherits(void **state)
{
	const struct stanza_view *view;
	struct stream_reader *reader = read_one(
		">", "<iq xmlns:p='urn:p' xmlns:q='urn:q'><a xmlns='urn:a'><b p:x='1'/></a></iq>",
		&view);
	struct stanza_view a, b;
	const char *why = NULL;
	struct stanza *copy;

	assert_true(stanza_child(view, "a", NULL, &a));
	assert_true(stanza_child(&a, "b", "urn:a", &b));
	copy = stanza_copy(&b, &why);
	assert_slice(copy->bytes, "<b xmlns:p='urn:p' xmlns='urn:a' p:x='1'/>");
	stanza_destroy(&copy);
	stream_reader_destroy(&reader);
}

static void errors_and_results_are_not_bounced(void **state)
{
	static const struct {
		const char *bytes;
		bool may;
	} rows[] = {
		{ "<message from='a'/>", true },
		{ "<message from='a' type='chat'/>", true },
		{ "<message from='a' type='error'/>", false },
		{ "<message/>", false },
		{ "<message from=''/>", false },
		{ "<presence from='a' type='subscribe'/>", true },
		{ "<presence from='a' type='error'/>", false },
		{ "<iq from='a' type='get'/>", true },
		{ "<iq from='a' type='set'/>", true },
		{ "<iq from='a' type='result'/>", false },
		{ "<iq from='a' type='error'/>", false },
	};

	for (size_t i = 0; i < nitems(rows); i++) {
		struct stanza *stanza = stanza_make(slice_of(rows[i].bytes));

		assert_int_equal(stanza_may_bounce(stanza), rows[i].may);
		stanza_destroy(&stanza);
	}
}

/* RFC 6120 8.3 */
static void a_bounce_goes_back_to_the_sender(void **state)
{
	struct stanza *stanza = stanza_make(
		slice_of("<iq type='get' from='a@x/\"1&apos;' to='b@y' id='&lt;1>'><q/></iq>"));
	struct stanza *bounce =
		stanza_bounce(stanza, "cancel", "remote-server-not-found", "no <such> domain");

	assert_slice(bounce->bytes,
		     "<iq type='error' from='b@y' to='a@x/&quot;1&apos;' id='&lt;1&gt;'>"
		     "<error type='cancel'><remote-server-not-found"
		     " xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/>"
		     "<text xmlns='urn:ietf:params:xml:ns:xmpp-stanzas' xml:lang='en'>"
		     "no &lt;such&gt; domain</text></error></iq>");
	assert_slice(bounce->to, "a@x/\"1'");
	assert_false(stanza_may_bounce(bounce));
	stanza_destroy(&bounce);
	stanza_destroy(&stanza);

	stanza = stanza_make(slice_of("<message from='a'/>"));
	bounce = stanza_bounce(stanza, "wait", "remote-server-timeout", NULL);
	assert_slice(bounce->bytes,
		     "<message type='error' to='a'><error type='wait'><remote-server-timeout"
		     " xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></message>");
	stanza_destroy(&bounce);
	stanza_destroy(&stanza);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_canonical_is_copied_as_it_is),
		cmocka_unit_test(what_is_not_canonical_is_written_again),
		cmocka_unit_test(what_could_change_its_namespace_is_refused),
		cmocka_unit_test(the_language_of_the_stream_is_written_in),
		cmocka_unit_test(what_is_written_again_has_a_limit),
		cmocka_unit_test(a_copy_has_its_values_decoded_and_terminated),
		cmocka_unit_test(children_and_text_are_found),
		cmocka_unit_test(a_child_copied_declares_what_it_inherits),
		cmocka_unit_test(errors_and_results_are_not_bounced),
		cmocka_unit_test(a_bounce_goes_back_to_the_sender),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
