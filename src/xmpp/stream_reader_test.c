#include "xmpp/stream_reader.h"

#include "base/alloc.h"
#include "base/buffer.h"
#include "xmpp/namespaces.h"

#include <malloc.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#define HEADER_ATTRIBUTES                                                                          \
	" xmlns='jabber:server' xmlns:db='jabber:server:dialback'"                                 \
	" xmlns:stream='http://etherx.jabber.org/streams'"
#define HEADER "<stream:stream" HEADER_ATTRIBUTES ">"

/* Small ones, so that each can be met. */
static const struct stream_limits small_limits = {
	.stanza_bytes = 400,
	.total_bytes = 800,
	.depth = 3,
	.elements = 5,
	.attributes = 4,
	.name_bytes = 13,
};

static void describe(struct buffer *out, const struct stanza_view *view)
{
	static const char *const kinds[] = { "", "message:", "presence:", "iq:" };

	buffer_printf(out, "%s{%.*s}%.*s%s ", kinds[view->kind], SLICE_ARGS(view->ns),
		      SLICE_ARGS(view->name), view->is_canonical ? "" : "*");
}

/* The events as text, when the bytes come in pieces of that size; freed by the caller. */
static char *events_of(struct slice bytes, size_t piece, const struct stream_limits *limits,
		       const char **why)
{
	struct stream_reader *reader = stream_reader_create(NS_SERVER, limits);
	struct buffer out = { 0 };

	buffer_append_text(&out, "");
	for (size_t at = 0; at < bytes.len; at += piece) {
		const struct stanza_view *view;
		enum stream_event event;

		stream_reader_feed(reader, bytes.data + at,
				   bytes.len - at < piece ? bytes.len - at : piece);
		while ((event = stream_reader_next(reader, &view)) != STREAM_MORE) {
			if (event == STREAM_HEADER || event == STREAM_ELEMENT)
				describe(&out, view);
			else if (event == STREAM_FOOTER)
				buffer_append_text(&out, "end ");
			else
				buffer_printf(&out, "%s ",
					      stream_error_name(stream_reader_error(reader, why)));
		}
	}
	stream_reader_destroy(&reader);
	return buffer_take_text(&out);
}

struct row {
	const char *bytes;
	const char *events; /* without those of HEADER, where `bytes` is an element */
};

static void check(const char *bytes, size_t len, const char *events)
{
	for (size_t piece = 1; piece <= len; piece++) {
		char *exact = xmalloc(len); /* its own block: a sanitizer sees any overrun */
		const char *why = "";
		char *got;

		memcpy(exact, bytes, len);
		got = events_of((struct slice){ exact, len }, piece, &stream_limits_after, &why);
		if (strcmp(got, events) != 0)
			fail_msg("%s\n in pieces of %zu: %s(%s), not %s", bytes, piece, got, why,
				 events);
		free(got);
		free(exact);
	}
}

#define STREAM "{http://etherx.jabber.org/streams}stream* "

static void check_inside(const struct row *rows, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		char *bytes = xasprintf(HEADER "%s", rows[i].bytes);
		char *events = xasprintf(STREAM "%s%s", rows[i].events, *rows[i].events ? " " : "");

		check(bytes, strlen(bytes), events);
		free(bytes);
		free(events);
	}
}

static void check_whole(const struct row *rows, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		char *events = xasprintf("%s ", rows[i].events);

		check(rows[i].bytes, strlen(rows[i].bytes), events);
		free(events);
	}
}

static void examples_of_rfc_6120_section_9_2_are_read(void **state)
{
	static const struct row rows[] = {
		{ "<?xml version='1.0'?>"
		  "<stream:stream from='im.example.com' to='example.net' version='1.0'"
		  " xmlns='jabber:server' xmlns:stream='http://etherx.jabber.org/streams'>"
		  "<stream:features><starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'>"
		  "<required/></starttls></stream:features>"
		  "<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>"
		  "<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>",
		  STREAM "{http://etherx.jabber.org/streams}features* "
			 "{urn:ietf:params:xml:ns:xmpp-tls}starttls* "
			 "{urn:ietf:params:xml:ns:xmpp-tls}proceed*" },
		{ HEADER
		  "\n<stream:features>\n<mechanisms xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>\n"
		  "<mechanism>EXTERNAL</mechanism>\n</mechanisms>\n</stream:features>\n"
		  "<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='EXTERNAL'>=</auth>"
		  "<success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>",
		  STREAM "{http://etherx.jabber.org/streams}features* "
			 "{urn:ietf:params:xml:ns:xmpp-sasl}auth* "
			 "{urn:ietf:params:xml:ns:xmpp-sasl}success*" },
		{ HEADER "<message from='juliet@im.example.com/balcony' id='ju2ba41c'"
			 " to='romeo@example.net' type='chat' xml:lang='en'>\n"
			 "<body>Art thou not Romeo, and a Montague?</body>\n</message>"
			 "</stream:stream>",
		  STREAM "message:{jabber:server}message end" },
	};

	check_whole(rows, nitems(rows));
}

static void headers_are_read_or_refused(void **state)
{
	static const struct row rows[] = {
		{ HEADER, STREAM "" },
		{ " \r\n" HEADER " \n\t", STREAM "" },
		{ "<?xml version=\"1.0\" encoding='utf-8' standalone='no' ?>\n" HEADER, STREAM "" },
		{ "<?xml version='1.0' encoding='Utf-8'?>" HEADER, STREAM "" },
		{ "<stream:stream" HEADER_ATTRIBUTES "/>", STREAM "end" },
		{ HEADER "</stream:stream >", STREAM "end" },
		{ HEADER "</stream:stream><message/>", STREAM "end" },
		{ "<x" HEADER_ATTRIBUTES ">", "invalid-namespace" },
		{ "<stream:flow" HEADER_ATTRIBUTES ">", "invalid-namespace" },
		{ "<stream:stream xmlns='jabber:server' xmlns:stream='urn:x'>",
		  "invalid-namespace" },
		{ "<stream:stream xmlns='jabber:client'"
		  " xmlns:stream='http://etherx.jabber.org/streams'>",
		  "invalid-namespace" },
		{ "<stream:stream xmlns:stream='http://etherx.jabber.org/streams'>",
		  "invalid-namespace" },
		{ "<stream:stream xmlns='' xmlns:stream='http://etherx.jabber.org/streams'>",
		  "invalid-namespace" },
		{ "<s:stream xmlns='jabber:server' xmlns:s='http://etherx.jabber.org/streams'>",
		  "bad-namespace-prefix" },
		{ "<stream xmlns='http://etherx.jabber.org/streams'>", "bad-namespace-prefix" },
		{ "<stream:stream xmlns='jabber:server'>", "not-well-formed" },
		{ "GET / HTTP/1.1", "not-well-formed" },
		{ "</stream:stream>", "not-well-formed" },
		{ "<![CDATA[x]]>" HEADER, "not-well-formed" },
		{ "<?xml version='1.1'?>" HEADER, "not-well-formed" },
		{ "<?xml encoding='UTF-8'?>" HEADER, "not-well-formed" },
		{ "<?xml version='1.0' standalone='maybe'?>" HEADER, "not-well-formed" },
		{ "<?xml version='1.0'encoding='UTF-8'?>" HEADER, "not-well-formed" },
		{ "<?xml version='1.0' more='x'?>" HEADER, "not-well-formed" },
		{ "<?xml version='1.0'>" HEADER, "not-well-formed" },
	};

	for (size_t i = 0; i < nitems(rows); i++) {
		size_t len = strlen(rows[i].events);
		bool has_space = len && rows[i].events[len - 1] == ' ';
		char *events = xasprintf("%s%s", rows[i].events, has_space ? "" : " ");

		check(rows[i].bytes, strlen(rows[i].bytes), events);
		free(events);
	}
}

static void sec_14_nothing_but_restricted_xml_in_utf_8(void **state)
{
	static const struct row inside[] = {
		/* DOCTYPE, internal, external and parameter entities */
		{ "<!DOCTYPE x>", "restricted-xml" },
		{ "<!ENTITY x 'y'>", "restricted-xml" },
		{ "<message><!DOCTYPE x SYSTEM 'file:///etc/passwd'></message>", "restricted-xml" },
		{ "<message>&lol;</message>", "restricted-xml" },
		{ "<message>&_.9-;</message>", "restricted-xml" },
		{ "<message to='&xxe;'/>", "restricted-xml" },
		{ "<message>%lol;</message>", "message:{jabber:server}message" },
		/* comment, PI */
		{ "<!-- -->", "restricted-xml" },
		{ "<message><!--x--></message>", "restricted-xml" },
		{ "<?php ?>", "restricted-xml" },
		{ "<message><?x?></message>", "restricted-xml" },
		/* a second XML declaration */
		{ "<?xml version='1.0'?>", "restricted-xml" },
	};
	static const struct row whole[] = {
		{ "<?xml version='1.0'?><?xml version='1.0'?>" HEADER, "restricted-xml" },
		{ "\n<?xml version='1.0'?>" HEADER, "restricted-xml" },
		{ "<?xml version='1.0'?><!DOCTYPE stream [<!ENTITY a 'b'>]>" HEADER,
		  "restricted-xml" },
		{ "<!DOCTYPE stream [<!ENTITY % a SYSTEM 'http://x/'>%a;]>" HEADER,
		  "restricted-xml" },
		{ "<!-- -->" HEADER, "restricted-xml" },
		{ "<?xmlx version='1.0'?>" HEADER, "restricted-xml" },
		{ "<?xml?>" HEADER, "restricted-xml" },
		{ "<?xml version='1.0' encoding='ISO-8859-1'?>" HEADER, "unsupported-encoding" },
		{ "<?xml version='1.0' encoding='UTF-16'?>" HEADER, "unsupported-encoding" },
		{ "<?xml version='1.0' encoding='UTF-7'?>" HEADER, "unsupported-encoding" },
		/* BOM of UTF-16 and of UTF-8 (RFC 6120 11.6) */
		{ "\xff\xfe<", "unsupported-encoding" },
		{ "\xfe\xff", "unsupported-encoding" },
		{ "\xef\xbb\xbf" HEADER, "not-well-formed" },
	};
	static const char utf16le[] = "<\0s\0t\0r\0", utf16be[] = "\0<\0s\0t\0r";
	static const char utf32be[] = "\0\0\xfe\xff\0\0\0<";

	check_inside(inside, nitems(inside));
	check_whole(whole, nitems(whole));
	check(utf16le, sizeof(utf16le), "unsupported-encoding ");
	check(utf16be, sizeof(utf16be), "unsupported-encoding ");
	check(utf32be, sizeof(utf32be), "unsupported-encoding ");
}

static void sec_19a_bytes_on_which_readers_differ_are_refused(void **state)
{
	static const struct row rows[] = {
		/* overlong, surrogates, noncharacters, beyond Unicode, broken sequences */
		{ "<message>\xc0\xbc</message>", "not-well-formed" },
		{ "<message>\xe0\x80\xbc</message>", "not-well-formed" },
		{ "<message>\xf0\x80\x80\xbc</message>", "not-well-formed" },
		{ "<message>\xc1\xbf</message>", "not-well-formed" },
		{ "<message>\xe0\x9f\xbf</message>", "not-well-formed" },
		{ "<message>\xf0\x8f\xbf\xbd</message>", "not-well-formed" },
		{ "<message>\xc2\x80\xe0\xa0\x80\xf0\x90\x80\x80\xf4\x8f\xbf\xbf</message>",
		  "message:{jabber:server}message" },
		{ "<message>\xed\xa0\x80</message>", "not-well-formed" },
		{ "<message>\xed\xbf\xbf</message>", "not-well-formed" },
		{ "<message>\xef\xbf\xbe</message>", "not-well-formed" },
		{ "<message>\xef\xbf\xbf</message>", "not-well-formed" },
		{ "<message>\xf4\x90\x80\x80</message>", "not-well-formed" },
		{ "<message>\xf8\x88\x80\x80\x80</message>", "not-well-formed" },
		{ "<message>\x80</message>", "not-well-formed" },
		{ "<message>\xc3</message>", "not-well-formed" },
		{ "<message>\xe2\x82</message>", "not-well-formed" },
		{ "<message to='\xc0\xbc'/>", "not-well-formed" },
		{ "<message to='\xef\xbf\xbf'/>", "not-well-formed" },
		{ "<message to='\xc3'/>", "not-well-formed" },
		{ "<message \xc0\xbc='x'/>", "not-well-formed" },
		{ "<m\xc0\xbc/>", "not-well-formed" },
		{ "<message>\x01</message>", "not-well-formed" },
		{ "<message>\x0c</message>", "not-well-formed" },
		{ "<message to='\x1f'/>", "not-well-formed" },
		{ "<message>&#0;</message>", "not-well-formed" },
		{ "<message>&#xD800;</message>", "not-well-formed" },
		{ "<message>&#xFFFE;</message>", "not-well-formed" },
		{ "<message>&#x110000;</message>", "not-well-formed" },
		{ "<message>&#x100000041;</message>", "not-well-formed" },
		{ "<message>&#1;</message>", "not-well-formed" },
		{ "<message to='&#x1F;'/>", "not-well-formed" },
		/* what is no reference */
		{ "<message>a & b</message>", "not-well-formed" },
		{ "<message>&amp</message>", "not-well-formed" },
		{ "<message>&;</message>", "not-well-formed" },
		{ "<message>&#;</message>", "not-well-formed" },
		{ "<message>&#x;</message>", "not-well-formed" },
		{ "<message>&#X41;</message>", "not-well-formed" },
		{ "<message>&#4a;</message>", "not-well-formed" },
		{ "<message>&1;</message>", "not-well-formed" },
		{ "<message to='&'/>", "not-well-formed" },
		/* ]]> */
		{ "<message>a]]>b</message>", "not-well-formed" },
		{ "<message>a]]]>b</message>", "not-well-formed" },
		{ "<message>]]></message>", "not-well-formed" },
		{ "<message><a/>]]></message>", "not-well-formed" },
		{ "<message>]&gt;]></message>", "message:{jabber:server}message" },
		{ "<message><![CDATA[a]]>]]></message>", "not-well-formed" },
		{ "<message><![CDATA[a]]]]></message>", "message:{jabber:server}message*" },
		{ "<message>]]<![CDATA[>]]></message>", "message:{jabber:server}message*" },
		{ "<message>]]&gt;]] >]></message>", "message:{jabber:server}message" },
		/* attributes twice, by name or by what it stands for */
		{ "<message to='a' to='b'/>", "not-well-formed" },
		{ "<message xmlns:a='u' xmlns:b='u' a:x='1' b:x='2'/>", "not-well-formed" },
		{ "<message xmlns:a='u' xmlns:b='&#117;' a:x='1' b:x='2'/>", "not-well-formed" },
		{ "<message xmlns:a='u' xmlns:a='v'/>", "not-well-formed" },
		{ "<message xmlns:a='u' xmlns:b='v' a:x='1' b:x='2' x='3'/>",
		  "message:{jabber:server}message" },
		/* declarations */
		{ "<message xmlns:a=''/>", "not-well-formed" },
		{ "<message xmlns:xml='urn:x'/>", "not-well-formed" },
		{ "<message xmlns:xml='http://www.w3.org/XML/1998/namespace'/>",
		  "message:{jabber:server}message*" },
		{ "<message xmlns:x='http://www.w3.org/XML/1998/namespace'/>", "not-well-formed" },
		{ "<message xmlns='http://www.w3.org/XML/1998/namespace'/>", "not-well-formed" },
		{ "<message xmlns:xmlns='urn:x'/>", "not-well-formed" },
		{ "<message xmlns:x='http://www.w3.org/2000/xmlns/'/>", "not-well-formed" },
		{ "<message><x xmlns='http://www.w3.org/2000/xmlns/'/></message>",
		  "not-well-formed" },
		{ "<message><xmlns:x/></message>", "not-well-formed" },
		{ "<message><u:x/></message>", "not-well-formed" },
		{ "<message u:x='1'/>", "not-well-formed" },
		{ "<message><a xmlns:u='urn:u'/><u:b/></message>", "not-well-formed" },
		/* names and namespaces with what readers join them by */
		{ "<message><a|b/></message>", "not-well-formed" },
		{ "<message xmlns:a|b='u'/>", "not-well-formed" },
		{ "<message xmlns:a\x01='u'/>", "not-well-formed" },
		{ "<message xmlns:a\x0c='u'/>", "not-well-formed" },
		{ "<message xmlns:a='u|v'/>", "not-well-formed" },
		{ "<message xmlns:a='u&#10;v'/>", "not-well-formed" },
		{ "<message xmlns:a='u v'/>", "not-well-formed" },
		{ "<:a/>", "not-well-formed" },
		{ "<a:/>", "not-well-formed" },
		{ "<db:a:b/>", "not-well-formed" },
		{ "<db:1/>", "not-well-formed" },
	};

	check_inside(rows, nitems(rows));
}

static void grammar_is_kept_strictly(void **state)
{
	static const struct row rows[] = {
		{ "<message>", "" },
		{ "<message", "" },
		{ "<message to='>'", "" },
		{ "text", "not-well-formed" },
		{ "&amp;", "not-well-formed" },
		{ "<![CDATA[x]]>", "not-well-formed" },
		{ "<message/>x", "message:{jabber:server}message not-well-formed" },
		{ " \t\r\n<message/>  <iq/>",
		  "message:{jabber:server}message iq:{jabber:server}iq" },
		{ "<message></iq>", "not-well-formed" },
		{ "<message></messag>", "not-well-formed" },
		{ "<message></message x='1'>", "not-well-formed" },
		{ "<message></message/>", "not-well-formed" },
		{ "<message><a></message></a>", "not-well-formed" },
		{ "</message>", "not-well-formed" },
		{ "< message/>", "not-well-formed" },
		{ "<message / >", "not-well-formed" },
		{ "<message to=a/>", "not-well-formed" },
		{ "<message to/>", "not-well-formed" },
		{ "<message to='a'id='b'/>", "not-well-formed" },
		{ "<message to='<'/>", "not-well-formed" },
		{ "<message to = \"a'>\"\n id\t=\r'b\"'  />", "message:{jabber:server}message" },
		{ "<message><![INCLUDE[x]]></message>", "not-well-formed" },
		{ "<message><b\xc3\xa9 \xe4\xb8\x80='1'/></message>",
		  "message:{jabber:server}message" },
		{ "<message><\xc2\xb7/></message>", "not-well-formed" },
		/* names of the fifth edition only, which expat refuses */
		{ "<message><a\xc2\xb7/></message>", "not-well-formed" },
		{ "<message><a\xf0\x90\x80\x80/></message>", "not-well-formed" },
		{ "<message \xf0\x90\x80\x80='1'/>", "not-well-formed" },
		{ "<message xmlns:\xf0\x90\x80\x80='urn:x'/>", "not-well-formed" },
		{ "<message>\xf0\x9f\x98\x80\xc2\x85\x7f</message>",
		  "message:{jabber:server}message" },
		{ "<message "
		  "to='\xf0\x9f\x98\x80'>&lt;&gt;&amp;&apos;&quot;&#65;&#x1F600;</message>",
		  "message:{jabber:server}message" },
	};

	check_inside(rows, nitems(rows));
}

static void only_proven_bytes_are_canonical(void **state)
{
	static const struct row rows[] = {
		{ "<message xml:lang='en'/>", "message:{jabber:server}message" },
		{ "<message xmlns:a='urn:a' a:x='1'><a:b/><c xmlns='urn:c'><d/></c></message>",
		  "message:{jabber:server}message" },
		{ "<message><a xmlns=''/></message>", "message:{jabber:server}message" },
		{ "<message xmlns='jabber:server'/>", "message:{jabber:server}message*" },
		{ "<s:message xmlns:s='jabber:server'/>", "message:{jabber:server}message*" },
		{ "<message><a xmlns='jabber:client'/></message>",
		  "message:{jabber:server}message*" },
		{ "<message xmlns:s='jabber:component:accept'/>",
		  "message:{jabber:server}message*" },
		{ "<message xmlns:s='http://etherx.jabber.org/streams'/>",
		  "message:{jabber:server}message*" },
		{ "<message><a xmlns='jabber&#58;client'/></message>",
		  "message:{jabber:server}message*" },
		{ "<message><db:x/></message>", "message:{jabber:server}message*" },
		{ "<message db:x='1'/>", "message:{jabber:server}message*" },
		{ "<message><![CDATA[]]></message>", "message:{jabber:server}message*" },
		{ "<message>\r\n</message>", "message:{jabber:server}message*" },
		{ "<message to='\n'/>", "message:{jabber:server}message*" },
		{ "<message to='\t'/>", "message:{jabber:server}message*" },
		{ "<message to='&#10;'>\n\t</message>", "message:{jabber:server}message" },
		{ "<message/><message xmlns='jabber:server'/><message/>",
		  "message:{jabber:server}message message:{jabber:server}message*"
		  " message:{jabber:server}message" },
	};

	check_inside(rows, nitems(rows));
}

static void sec_19b_only_the_content_namespace_has_stanzas(void **state)
{
	static const struct row rows[] = {
		{ "<message xmlns='jabber:client'/>", "{jabber:client}message*" },
		{ "<message xmlns=''/>", "{}message*" },
		{ "<message xmlns='urn:x'/>", "{urn:x}message*" },
		{ "<s:message xmlns:s='jabber:server'/>", "message:{jabber:server}message*" },
		{ "<db:message/>", "{jabber:server:dialback}message*" },
		{ "<body/>", "{jabber:server}body" },
		{ "<message><message/></message>", "message:{jabber:server}message" },
		{ "<message></stream:stream>", "not-well-formed" },
		{ "<message><stream:error/></message>", "message:{jabber:server}message*" },
		{ "<message/><stream:features/>",
		  "message:{jabber:server}message {http://etherx.jabber.org/streams}features*" },
	};

	check_inside(rows, nitems(rows));
}

static void sec_15_every_limit_stops_and_says_its_name(void **state)
{
	static const struct {
		const char *before, *repeated;
		size_t times;
		const char *after, *why;
	} rows[] = {
		{ HEADER "<message>", "x", 400, "</message>", "limits.stanza_bytes" },
		{ HEADER "<message>", "x", 20000, "", "limits.stanza_bytes" },
		{ HEADER "<message to='", "x", 20000, "", "limits.stanza_bytes" },
		{ HEADER "<", "x", 40000, "", "limits.name_bytes" },
		{ HEADER "<", "x", 60, "", "limits.name_bytes" },
		{ HEADER "<m ", "x", 60, "", "limits.name_bytes" },
		{ HEADER "<m a='1' b='1' c='1' d='1' e='1'", " ", 60, "", "limits.attributes" },
		{ HEADER "<m a='1' b='1' c='1' d='1'", " ", 60, "e", "limits.attributes" },
		{ HEADER, " ", 401, "", "limits.stanza_bytes" },
		{ "", " ", 401, "", "limits.stanza_bytes" },
		{ "<?xml ", " ", 401, "", "limits.stanza_bytes" },
		{ HEADER, "<message/>", 90, "", "limits.total_bytes" },
		{ HEADER "<message>", "<a/>", 4, "</message>", NULL },
		{ HEADER "<message>", "<a/>", 5, "</message>", "limits.elements" },
		{ HEADER, "<a>", 3, "</a></a></a>", NULL },
		{ HEADER, "<a>", 4, "", "limits.depth" },
		{ HEADER "<m a='1' b='1' c='1' d='1'", "", 0, "/>", NULL },
		{ HEADER "<m a='1' b='1' c='1' d='1'", " x='1'", 1, "/>", "limits.attributes" },
		{ HEADER "<m xmlns:a='1' xmlns:b='1' c='1' d='1'", " xmlns='1'", 1, "/>",
		  "limits.attributes" },
		{ HEADER "<", "x", 13, "/>", NULL },
		{ HEADER "<", "x", 14, "/>", "limits.name_bytes" },
		{ HEADER "<m ", "x", 14, "='1'/>", "limits.name_bytes" },
		{ HEADER "<db:", "x", 11, "/>", "limits.name_bytes" },
	};

	for (size_t i = 0; i < nitems(rows); i++) {
		struct buffer bytes = { 0 };

		buffer_append_text(&bytes, rows[i].before);
		for (size_t n = 0; n < rows[i].times; n++)
			buffer_append_text(&bytes, rows[i].repeated);
		buffer_append_text(&bytes, rows[i].after);
		for (size_t piece = 1; piece <= buffer_len(&bytes); piece = piece * 2 + 1) {
			const char *why = NULL;
			char *events =
				events_of((struct slice){ buffer_data(&bytes), buffer_len(&bytes) },
					  piece, &small_limits, &why);

			if (rows[i].why) {
				assert_non_null(strstr(events, "policy-violation"));
				assert_non_null(why);
				assert_string_equal(why, rows[i].why);
			} else {
				assert_null(why);
				assert_non_null(strstr(events, "jabber:server}"));
			}
			free(events);
		}
		buffer_finish(&bytes);
	}
}

static void declarations_in_force_are_limited_too(void **state)
{
	struct stream_limits limits = small_limits;
	const char *why = NULL;
	char *events;

	limits.depth = 20;
	limits.elements = 20;
	events = events_of(slice_of(HEADER "<a xmlns:a='a' xmlns:b='a' xmlns:c='a' xmlns:d='a'>"
					   "<a xmlns:a='a' xmlns:b='a' xmlns:c='a' xmlns:d='a'>"
					   "<a xmlns:a='a' xmlns:b='a' xmlns:c='a' xmlns:d='a'>"
					   "<a xmlns:a='a' xmlns:b='a' xmlns:c='a' xmlns:d='a'>"
					   "<a xmlns:a='a'>"),
			   1000, &limits, &why);
	assert_string_equal(events, STREAM "policy-violation ");
	assert_string_equal(why, "limits.attributes");
	free(events);
}

static void other_limits_hold_from_the_next_element(void **state)
{
	struct stream_reader *reader = stream_reader_create(NS_SERVER, &small_limits);
	static const char bytes[] = HEADER "<a><b><c/></b></a><a><b><c><d/></c></b></a>";
	const struct stanza_view *view;

	stream_reader_feed(reader, bytes, sizeof(bytes) - 1);
	assert_int_equal(stream_reader_next(reader, &view), STREAM_HEADER);
	assert_int_equal(stream_reader_next(reader, &view), STREAM_ELEMENT);
	stream_reader_set_limits(reader, &stream_limits_after);
	assert_int_equal(stream_reader_next(reader, &view), STREAM_ELEMENT);
	stream_reader_destroy(&reader);
}

static void a_restart_drops_what_was_not_taken(void **state)
{
	struct stream_reader *reader = stream_reader_create(NS_SERVER, &stream_limits_before);
	static const char bytes[] = HEADER "<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/><a";
	const struct stanza_view *view;

	stream_reader_feed(reader, bytes, sizeof(bytes) - 1);
	assert_int_equal(stream_reader_next(reader, &view), STREAM_HEADER);
	assert_int_equal(stream_reader_next(reader, &view), STREAM_ELEMENT);
	assert_int_equal(stream_reader_pending(reader), 2);
	stream_reader_restart(reader);
	assert_int_equal(stream_reader_pending(reader), 0);
	assert_int_equal(stream_reader_next(reader, &view), STREAM_MORE);
	stream_reader_feed(reader, HEADER, sizeof(HEADER) - 1);
	assert_int_equal(stream_reader_next(reader, &view), STREAM_HEADER);
	stream_reader_destroy(&reader);
}

/* Writes into the reader as a driver does. False once it has refused. */
static bool pour(struct stream_reader *reader, const char *bytes, size_t len)
{
	while (len > 0) {
		const struct stanza_view *view;
		size_t room_len = 16384;
		char *room = stream_reader_room(reader, &room_len);
		size_t piece = len < room_len ? len : room_len;
		enum stream_event event;

		assert_true(room_len > 0);
		memcpy(room, bytes, piece);
		stream_reader_filled(reader, piece);
		while ((event = stream_reader_next(reader, &view)) != STREAM_MORE) {
			if (event == STREAM_ERROR)
				return false;
		}
		bytes += piece;
		len -= piece;
	}
	return true;
}

static void memory_before_authentication_is_within_8_kib_whatever_is_sent(void **state)
{
	static const struct {
		const char *before, *repeated;
	} rows[] = {
		{ HEADER "<message>", "x" },
		{ HEADER "<", "x" },
		{ HEADER "<message ", "a='1'" },
		{ HEADER, "<a>" },
		{ HEADER "<message>", "<a/>" },
		{ HEADER "<a xmlns:a='&#65;' xmlns:b='&#65;' xmlns:c='&#65;' xmlns:d='&#65;'>",
		  "x" },
		{ HEADER, "<a xmlns:a='&#65;' xmlns:b='a' xmlns:c='a' xmlns:d='a' xmlns:e='a'>" },
		{ HEADER, " " },
		{ "<?xml ", " " },
	};

	for (size_t i = 0; i < nitems(rows); i++) {
		size_t before = mallinfo2().uordblks, most = 0;
		struct stream_reader *reader =
			stream_reader_create(NS_SERVER, &stream_limits_before);
		bool good = pour(reader, rows[i].before, strlen(rows[i].before));

		for (size_t n = 0; good && n < 40000; n++) {
			size_t used = mallinfo2().uordblks - before;

			most = used > most ? used : most;
			good = pour(reader, rows[i].repeated, strlen(rows[i].repeated));
		}
		assert_false(good);
		assert_true(most <= 8192); /* nothing to see where a sanitizer has its own malloc */
		stream_reader_destroy(&reader);
	}
}

static void an_idle_reader_holds_less_than_1_kib(void **state)
{
	size_t before = mallinfo2().uordblks;
	struct stream_reader *reader = stream_reader_create(NS_SERVER, &stream_limits_after);

	assert_true(pour(reader, HEADER, sizeof(HEADER) - 1));
	assert_true(pour(reader, "<iq/>\n", 6));
	assert_true(mallinfo2().uordblks - before <= 1024);
	stream_reader_destroy(&reader);
}

static void views_have_decoded_attributes(void **state)
{
	struct stream_reader *reader = stream_reader_create(NS_SERVER, &stream_limits_after);
	static const char bytes[] =
		"<stream:stream xml:lang='de' version='1.0' id='a&amp;b'" HEADER_ATTRIBUTES ">"
		"<message to='a&lt;\r\nb' id='' xmlns:x='urn:x' x:id='2'><body>b</body></message>";
	const struct stanza_view *view;

	stream_reader_feed(reader, bytes, sizeof(bytes) - 1);
	assert_int_equal(stream_reader_next(reader, &view), STREAM_HEADER);
	assert_true(slice_is(view->id, "a&b"));
	assert_true(slice_is(view->lang, "de"));
	assert_true(slice_is(stanza_attribute(view, "version", ""), "1.0"));
	assert_null(view->to.data);
	assert_int_equal(stream_reader_next(reader, &view), STREAM_ELEMENT);
	assert_true(slice_is(view->to, "a< b"));
	assert_true(slice_is(view->id, ""));
	assert_true(slice_is(view->lang, "de")); /* what it inherits */
	assert_true(slice_is(stanza_attribute(view, "id", "urn:x"), "2"));
	assert_null(stanza_attribute(view, "id", "urn:y").data);
	assert_null(view->from.data);
	assert_true(view->bytes.data[view->bytes.len - 1] == '>');
	stream_reader_destroy(&reader);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(examples_of_rfc_6120_section_9_2_are_read),
		cmocka_unit_test(headers_are_read_or_refused),
		cmocka_unit_test(sec_14_nothing_but_restricted_xml_in_utf_8),
		cmocka_unit_test(sec_19a_bytes_on_which_readers_differ_are_refused),
		cmocka_unit_test(sec_19b_only_the_content_namespace_has_stanzas),
		cmocka_unit_test(grammar_is_kept_strictly),
		cmocka_unit_test(only_proven_bytes_are_canonical),
		cmocka_unit_test(sec_15_every_limit_stops_and_says_its_name),
		cmocka_unit_test(declarations_in_force_are_limited_too),
		cmocka_unit_test(other_limits_hold_from_the_next_element),
		cmocka_unit_test(a_restart_drops_what_was_not_taken),
		cmocka_unit_test(memory_before_authentication_is_within_8_kib_whatever_is_sent),
		cmocka_unit_test(an_idle_reader_holds_less_than_1_kib),
		cmocka_unit_test(views_have_decoded_attributes),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
