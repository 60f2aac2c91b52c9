/*
 * The reader against expat: what we take, expat takes with the same tree; what stanza_copy gives,
 * expat reads as the same tree inside of each of our streams; how the bytes arrive changes nothing.
 */
#include "base/alloc.h"
#include "base/buffer.h"
#include "xmpp/namespaces.h"
#include "xmpp/stream_scope.h"

#include <stdio.h>
#include <stdlib.h>

#include <expat.h>

#define HEADER(content_ns, uri)                                                                    \
	"<stream:stream xmlns='" content_ns "' xmlns:stream='" NS_STREAMS "'"                      \
	" xmlns:db='" uri ":1' xmlns:a='" uri ":2' xmlns:b='" uri ":3'>"
#define HERE(content_ns) HEADER(content_ns, "urn:here")
/* The next stream binds the same prefixes to something else. */
#define THERE(content_ns) HEADER(content_ns, "urn:there")

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed);
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max_size);

static void disagree(const char *what, struct slice one, struct slice other)
{
	fprintf(stderr, "%s:\n%.*s\n---\n%.*s\n", what, SLICE_ARGS(one), SLICE_ARGS(other));
	abort();
}

static struct slice contents(const struct buffer *b)
{
	return (struct slice){ buffer_data(b), buffer_len(b) };
}

/* A tree as text, the same from both readers. */
struct dump {
	struct buffer out;
	const char *content_ns; /* written as C: what the others map it to */
	size_t depth;
	struct buffer attributes[XML_ATTRIBUTES_MAX]; /* of the element being written */
	size_t attribute_count;
};

static void dump_name(struct dump *d, struct buffer *out, struct slice ns, struct slice local)
{
	buffer_append_text(out, "{");
	buffer_append_slice(out, slice_is(ns, d->content_ns) ? slice_of("C") : ns);
	buffer_append_text(out, "}");
	buffer_append_slice(out, local);
}

static void dump_attribute(struct dump *d, struct slice ns, struct slice local, struct slice value)
{
	struct buffer *out = &d->attributes[d->attribute_count++];

	dump_name(d, out, ns, local);
	buffer_append_text(out, "='");
	buffer_append_xml(out, value);
	buffer_append(out, "'", 2); /* terminated, to be sorted */
}

static int by_text(const void *a, const void *b)
{
	return strcmp(buffer_data(a), buffer_data(b));
}

static void dump_start(struct dump *d, struct slice ns, struct slice local)
{
	d->depth++;
	buffer_append_text(&d->out, "<");
	dump_name(d, &d->out, ns, local);
	qsort(d->attributes, d->attribute_count, sizeof(d->attributes[0]), by_text);
	for (size_t i = 0; i < d->attribute_count; i++) {
		buffer_append_text(&d->out, " ");
		buffer_append_text(&d->out, buffer_data(&d->attributes[i]));
		buffer_finish(&d->attributes[i]);
	}
	d->attribute_count = 0;
	buffer_append_text(&d->out, ">");
}

static void dump_end(struct dump *d)
{
	d->depth--;
	buffer_append_text(&d->out, "</>");
}

/* What we read, by the pieces and bindings behind the view. */
static void dump_tag(struct dump *d, struct xml_scope *scope, size_t place, struct xml_tag *tag,
		     struct slice lang)
{
	for (size_t i = 0; i < tag->attribute_count; i++) {
		const struct xml_attribute *a = &tag->attributes[i];
		struct slice uri = { "", 0 };
		size_t found;

		if (xml_is_declaration(a))
			continue;
		if (slice_is(a->name, "xml:lang"))
			lang.data = NULL;
		if (a->prefix)
			xml_scope_find(scope, place, xml_prefix(a->name, a->prefix), &uri, &found);
		dump_attribute(d, uri, xml_local(a->name, a->prefix), xml_value(scope, a));
	}
	if (lang.data)
		dump_attribute(d, slice_of(NS_XML), slice_of("lang"), lang);
	dump_start(d, xml_scope_element_ns(scope, place, tag), xml_local(tag->name, tag->prefix));
}

static void dump_text(struct dump *d, struct slice raw, enum xml_form form)
{
	char *decoded = xmalloc(raw.len + 1);

	buffer_append_xml(&d->out, (struct slice){ decoded, xml_decode(raw, form, decoded) });
	free(decoded);
}

/* The element and all in it; with the language it inherits, for a copy has that. */
static void dump_view(struct dump *d, const struct stanza_view *view, struct slice lang)
{
	struct slice rest = view->bytes, text;
	struct xml_scope *scope = view->scope;
	size_t count = scope->count, place = view->place, depth = 0;
	size_t places[128], counts[128];
	struct xml_tag tag;
	enum xml_piece piece;
	struct xml_trouble none;

	while ((piece = xml_next_piece(&rest, &tag, &text)) != XML_PIECE_END) {
		if (piece != XML_PIECE_TAG) {
			dump_text(d, text, piece == XML_PIECE_CDATA ? XML_CDATA : XML_TEXT);
			continue;
		}
		if (!tag.is_end) {
			places[depth] = place;
			counts[depth++] = scope->count;
			if (depth > 1) /* its own are in force */
				xml_scope_enter(scope, &tag, &place, &none);
			dump_tag(d, scope, place, &tag,
				 depth == 1 ? lang : (struct slice){ NULL, 0 });
		}
		if (tag.is_end || tag.is_empty) {
			place = places[--depth];
			scope->count = counts[depth];
			dump_end(d);
		}
	}
	scope->count = count;
}

static struct slice take_part(const char **text)
{
	const char *end = strchr(*text, '\n');
	struct slice part = { *text, end ? (size_t)(end - *text) : strlen(*text) };

	*text = end ? end + 1 : NULL;
	return part;
}

/* "uri\nlocal\nprefix" or "local" */
static void split_triplet(const char *text, struct slice *ns, struct slice *local)
{
	struct slice first = take_part(&text);

	*ns = text ? first : (struct slice){ "", 0 };
	*local = text ? take_part(&text) : first;
}

static void on_start(void *user, const char *name, const char **attributes)
{
	struct dump *d = user;
	struct slice ns, local;

	for (; *attributes; attributes += 2) {
		split_triplet(attributes[0], &ns, &local);
		dump_attribute(d, ns, local, slice_of(attributes[1]));
	}
	split_triplet(name, &ns, &local);
	dump_start(d, ns, local);
}

static void on_end(void *user, const char *name)
{
	dump_end(user);
}

static void on_text(void *user, const char *text, int len)
{
	struct dump *d = user;

	if (d->depth > 1)
		buffer_append_xml(&d->out, (struct slice){ text, (size_t)len });
}

static bool expat_reads(struct dump *d, struct slice bytes)
{
	XML_Parser parser = XML_ParserCreateNS("UTF-8", '\n');
	bool good;

	XML_SetReturnNSTriplet(parser, 1);
	XML_SetUserData(parser, d);
	XML_SetElementHandler(parser, on_start, on_end);
	XML_SetCharacterDataHandler(parser, on_text);
	/* all in one call: newer releases put off a token that came in parts */
	good = XML_Parse(parser, bytes.data, (int)bytes.len, 0) == XML_STATUS_OK;
	if (!good)
		fprintf(stderr, "expat: %s\n", XML_ErrorString(XML_GetErrorCode(parser)));
	XML_ParserFree(parser);
	return good;
}

/* On a stream with that header: expat sees the tree we saw, we see canonical bytes. */
static void check_on_stream(struct slice bytes, const char *header, const char *content_ns,
			    struct slice tree, bool is_stanza)
{
	struct stream_reader *reader = stream_reader_create(content_ns, &stream_limits_after);
	struct dump d = { .content_ns = content_ns };
	struct buffer stream = { 0 };
	const struct stanza_view *view;
	size_t skip;

	buffer_append_text(&stream, header);
	if (!expat_reads(&d, contents(&stream)))
		abort();
	skip = buffer_len(&d.out);
	buffer_finish(&d.out);
	d.depth = 0;
	buffer_append_slice(&stream, bytes);
	if (!expat_reads(&d, contents(&stream)))
		disagree("expat refuses a copy", bytes, tree);
	buffer_consume(&d.out, skip);
	if (!slice_equals(contents(&d.out), tree))
		disagree("a copy reads otherwise", contents(&d.out), tree);
	buffer_finish(&d.out);
	stream_reader_feed(reader, buffer_data(&stream), buffer_len(&stream));
	stream_reader_next(reader, &view);
	if (stream_reader_next(reader, &view) != STREAM_ELEMENT ||
	    !slice_equals(view->bytes, bytes) || stream_reader_pending(reader))
		disagree("we refuse a copy", bytes, tree);
	if (is_stanza && (!view->is_canonical || view->kind == STANZA_OTHER) &&
	    !memmem(bytes.data, bytes.len, NS_CLIENT, strlen(NS_CLIENT)))
		disagree("a copy is not canonical", bytes, tree);
	buffer_finish(&stream);
	stream_reader_destroy(&reader);
}

static void check_copy(const struct stanza_view *view)
{
	struct dump d = { .content_ns = NS_SERVER };
	const char *why = NULL;
	struct stanza *stanza = stanza_copy(view, &why);
	bool is_stanza = view->kind != STANZA_OTHER;

	dump_view(&d, view, view->lang);
	if (stanza) {
		check_on_stream(stanza->bytes, THERE(NS_SERVER), NS_SERVER, contents(&d.out),
				is_stanza);
		check_on_stream(stanza->bytes, THERE(NS_COMPONENT), NS_COMPONENT, contents(&d.out),
				is_stanza);
		if (stanza_may_bounce(stanza)) {
			struct stanza *bounce = stanza_bounce(stanza, "wait", "conflict", "<&>");

			stanza_destroy(&bounce);
		}
	} else if (!why) {
		abort();
	}
	stanza_destroy(&stanza);
	buffer_finish(&d.out);
}

/* Children and text as others find them: the same as in the tree. */
static void check_children(const struct stanza_view *view, size_t depth)
{
	struct stanza_view child, again;
	struct buffer text = { 0 };
	struct dump one = { .content_ns = NS_SERVER }, other = { .content_ns = NS_SERVER };
	size_t place = 0;

	stanza_text(view, &text);
	buffer_finish(&text);
	while (depth < 4 && stanza_next_child(view, &place, &child)) {
		char *name = xstrndup(child.name.data, child.name.len);
		char *ns = xstrndup(child.ns.data, child.ns.len);

		if (!stanza_child(view, name, ns, &again) || again.bytes.data > child.bytes.data)
			abort();
		free(name);
		free(ns);
		dump_view(&one, &child, (struct slice){ NULL, 0 });
		check_children(&child, depth + 1);
		dump_view(&other, &child, (struct slice){ NULL, 0 });
		if (!slice_equals(contents(&one.out), contents(&other.out)))
			abort();
	}
	buffer_finish(&one.out);
	buffer_finish(&other.out);
}

/* The events as text, and the tree of all that was taken. */
struct run {
	struct buffer events;
	struct dump tree;
	size_t taken; /* bytes up to the last event but an error */
};

static void run_event(struct run *run, struct stream_reader *reader, enum stream_event event,
		      const struct stanza_view *view, bool look_close)
{
	const char *why = NULL;

	switch (event) {
	case STREAM_HEADER:
	case STREAM_ELEMENT:
		buffer_printf(&run->events, "%d%d%d ", event, view->kind, view->is_canonical);
		buffer_append_slice(&run->events, view->bytes);
		if (!look_close)
			break;
		dump_view(&run->tree, view, (struct slice){ NULL, 0 });
		if (event == STREAM_ELEMENT) {
			check_copy(view);
			check_children(view, 0);
		}
		break;
	case STREAM_FOOTER:
		buffer_append_text(&run->events, "end");
		break;
	default:
		buffer_append_text(&run->events,
				   stream_error_name(stream_reader_error(reader, &why)));
		buffer_append_text(&run->events, why);
	}
}

static void run_reader(struct run *run, struct slice bytes, size_t piece,
		       const struct stream_limits *limits, bool look_close)
{
	struct stream_reader *reader = stream_reader_create(NS_SERVER, limits);

	for (size_t at = 0; at < bytes.len; at += piece) {
		size_t len = bytes.len - at < piece ? bytes.len - at : piece;
		const struct stanza_view *view = NULL;
		enum stream_event event;

		stream_reader_feed(reader, bytes.data + at, len);
		while ((event = stream_reader_next(reader, &view)) != STREAM_MORE) {
			if (event != STREAM_ERROR && event != STREAM_FOOTER)
				run->taken = at + len - stream_reader_pending(reader);
			run_event(run, reader, event, view, look_close);
		}
	}
	stream_reader_destroy(&reader);
}

static void check_splits(struct slice bytes, const struct stream_limits *limits)
{
	const size_t pieces[] = { 1, 2 + bytes.len % 61 };
	struct run whole = { 0 };

	run_reader(&whole, bytes, bytes.len, limits, false);
	for (size_t i = 0; i < nitems(pieces); i++) {
		struct run split = { 0 };

		run_reader(&split, bytes, pieces[i], limits, false);
		if (!slice_equals(contents(&whole.events), contents(&split.events)))
			disagree("a split changes the events", contents(&whole.events),
				 contents(&split.events));
		buffer_finish(&split.events);
	}
	buffer_finish(&whole.events);
}

/* expat's tree of the bytes that we took must be ours. */
static void check_tree(struct slice bytes)
{
	struct run run = { .tree.content_ns = NS_SERVER };
	struct dump d = { .content_ns = NS_SERVER };

	run_reader(&run, bytes, bytes.len, &stream_limits_after, true);
	bytes.len = run.taken;
	if (run.taken) {
		if (!expat_reads(&d, bytes))
			disagree("expat refuses what we take", bytes, contents(&run.events));
		if (!slice_equals(contents(&d.out), contents(&run.tree.out)))
			disagree("trees differ", contents(&d.out), contents(&run.tree.out));
	}
	buffer_finish(&d.out);
	buffer_finish(&run.tree.out);
	buffer_finish(&run.events);
}

static void check_all(struct slice bytes)
{
	static const struct stream_limits small_limits = { .stanza_bytes = 300,
							   .total_bytes = 500,
							   .depth = 3,
							   .elements = 4,
							   .attributes = 4,
							   .name_bytes = 14 };

	check_splits(bytes, &stream_limits_after);
	check_splits(bytes, &small_limits);
	check_tree(bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice bytes = { (const char *)data, size };
	struct buffer inside = { 0 };

	if (size == 0)
		return 0;
	check_all(bytes);
	buffer_append_text(&inside, HERE(NS_SERVER));
	buffer_append_slice(&inside, bytes);
	check_all(contents(&inside));
	buffer_finish(&inside);
	return 0;
}

/* What random bytes would take too long to say. */
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed)
{
	static const char *const words[] = {
		"<message>",
		"</message>",
		"<message/>",
		"<a>",
		"</a>",
		"<a/>",
		"<b:a>",
		"</b:a>",
		"<s:message>",
		"</s:message>",
		" xmlns='jabber:server'",
		" xmlns='jabber:client'",
		" xmlns='jabber:component:accept'",
		" xmlns='" NS_STREAMS "'",
		" xmlns:a='jabber:server'",
		" xmlns:b='jabber:client'",
		" xmlns:s='jabber:server'",
		" xmlns='urn:x'",
		" xmlns=''",
		" xmlns:a=''",
		" xmlns:a='urn:x'",
		" xmlns:b='urn:x'",
		" xmlns:xml='" NS_XML "'",
		" xmlns:a='" NS_XMLNS "'",
		" xml:lang='en'",
		" a:x='1'",
		" b:x='2'",
		" x='1'",
		" to='a'",
		"<![CDATA[",
		"]]>",
		"]]",
		">",
		"&amp;",
		"&lt;",
		"&#10;",
		"&#x10FFFF;",
		"&#xD800;",
		"&",
		";",
		"\r\n",
		"\r",
		"\n",
		"\t",
		"'",
		"\"",
		"\xc3\xa9",
		"\xe2\x82\xac",
		"\xf0\x9f\x98\x80",
		"\xef\xbf\xbf",
		"\xed\xa0\x80",
		"\xc0\xbc",
		"\xe0\x80\xbc",
		"\xf0\x80\x80\xbc",
		"\xf4\x90\x80\x80",
		"<!--",
		"<?x?>",
		"<!DOCTYPE a>",
		"</stream:stream>",
		"<stream:error/>",
		"&#00000000000000000065;",
	};
	const char *word = words[seed / 7 % nitems(words)];
	size_t len = strlen(word), at = size ? seed / 1009 % (size + 1) : 0;

	if (seed % 2 || size + len > max_size)
		return LLVMFuzzerMutate(data, size, max_size);
	memmove(data + at + len, data + at, size - at);
	memcpy(data + at, word, len);
	return size + len;
}
