#include "xmpp/stream_reader.h"

#include "base/alloc.h"
#include "base/buffer.h"
#include "xmpp/namespaces.h"
#include "xmpp/stream_scope.h"

#include <stdint.h>
#include <stdlib.h>
#include <strings.h>

/* Before authentication half of all for one element: with what the reader itself takes, the
 * memory of a connection stays under 8 KiB. */
const struct stream_limits stream_limits_before = {
	.stanza_bytes = 4096,
	.total_bytes = 8192,
	.depth = 8,
	.elements = 32,
	.attributes = 16,
	.name_bytes = 256,
};
const struct stream_limits stream_limits_after = {
	.stanza_bytes = (size_t)512 << 10,
	.depth = 64,
	.elements = 20000,
	.attributes = 64,
	.name_bytes = 1024,
};

/* Where in the grammar the next byte to look at stands. */
enum place {
	AT_START,   /* first of the stream */
	IN_XMLDECL, /* it began with <? */
	AT_LEVEL,   /* outside of all elements below the stream, or before the stream's own tag */
	IN_TEXT,
	IN_CDATA,
	IN_TAG, /* or any other markup: `at` is on its '<' */
	AT_END, /* no more comes */
};

/* An open element: its name, for the end tag, and how many namespaces it declared. */
struct level {
	uint32_t name;
	uint16_t name_len;
	uint16_t declared;
};

struct stream_reader {
	struct stream_limits limits;
	struct buffer in; /* from the first byte of what is not complete, or is lent */
	size_t lent;	  /* bytes at the front that were handed out: dropped with the next call */
	size_t taken;	  /* bytes dropped since the stream began */
	size_t at;	  /* what is before it in `in` has been looked at */
	size_t run;	  /* where the text or CDATA section began */
	size_t spaces;	  /* since the last element */

	/* The end of a tag that was broken off is looked for before it is read again. */
	size_t seek; /* 0: not broken off */
	char quote;
	size_t word;   /* bytes since a space, '=', '/' or a quote outside of values */
	size_t values; /* that are over */

	enum place place;
	bool has_header, is_closing; /* is_closing: <stream:stream/> */
	bool is_canonical;
	size_t depth, elements;
	struct level *levels;
	size_t level_room;
	struct level first_levels[8]; /* enough for most; more are allocated */

	struct xml_scope scope;
	struct stanza_view view;
	struct xml_trouble trouble;
};

/* What a step came to. */
enum step { STEP_ON, STEP_STARVED, STEP_FAILED, STEP_HEADER, STEP_ELEMENT, STEP_FOOTER };

static size_t at_most(size_t value, size_t max)
{
	return value < max ? value : max;
}

void stream_reader_set_limits(struct stream_reader *r, const struct stream_limits *limits)
{
	r->limits = *limits;
	r->limits.stanza_bytes = at_most(limits->stanza_bytes, UINT32_MAX / 2);
	r->limits.attributes = at_most(limits->attributes, XML_ATTRIBUTES_MAX);
	r->limits.name_bytes = at_most(limits->name_bytes, XML_NAME_MAX);
}

struct stream_reader *stream_reader_create(const char *content_ns,
					   const struct stream_limits *limits)
{
	struct stream_reader *r = xcalloc(1, sizeof(*r));

	xml_scope_init(&r->scope, content_ns);
	r->levels = r->first_levels;
	r->level_room = nitems(r->first_levels);
	stream_reader_set_limits(r, limits);
	return r;
}

static void free_levels(struct stream_reader *r)
{
	if (r->levels != r->first_levels)
		free(r->levels);
	r->levels = r->first_levels;
	r->level_room = nitems(r->first_levels);
}

void stream_reader_destroy(struct stream_reader **reader)
{
	struct stream_reader *r = *reader;

	if (!r)
		return;
	free_levels(r);
	buffer_finish(&r->in);
	xml_scope_finish(&r->scope);
	free(r);
	*reader = NULL;
}

void stream_reader_restart(struct stream_reader *r)
{
	struct stream_limits limits = r->limits;
	const char *content_ns = r->scope.content_ns;

	free_levels(r);
	buffer_finish(&r->in);
	xml_scope_finish(&r->scope);
	*r = (struct stream_reader){ .levels = r->first_levels,
				     .level_room = nitems(r->first_levels) };
	xml_scope_init(&r->scope, content_ns);
	stream_reader_set_limits(r, &limits);
}

size_t stream_reader_pending(const struct stream_reader *r)
{
	return buffer_len(&r->in) - r->lent;
}

static size_t total_left(const struct stream_reader *r)
{
	size_t gone = r->taken + r->lent;

	if (r->limits.total_bytes == 0)
		return SIZE_MAX;
	return r->limits.total_bytes > gone ? r->limits.total_bytes - gone : 0;
}

char *stream_reader_room(struct stream_reader *r, size_t *len)
{
	size_t max = at_most(r->limits.stanza_bytes, total_left(r));
	size_t pending = stream_reader_pending(r);
	char *room;

	/* Never more than the limits let us look at: that keeps the memory within them. */
	max = max > pending ? max - pending : 1;
	room = buffer_reserve(&r->in, *len ? at_most(*len, max) : 1);
	*len = at_most(r->in.size - r->in.end, max);
	return room;
}

void stream_reader_filled(struct stream_reader *r, size_t len)
{
	buffer_filled(&r->in, len);
}

void stream_reader_feed(struct stream_reader *r, const char *bytes, size_t len)
{
	buffer_append(&r->in, bytes, len);
}

enum stream_error stream_reader_error(const struct stream_reader *r, const char **why)
{
	if (why)
		*why = r->trouble.why;
	return r->trouble.error;
}

const char *stream_error_name(enum stream_error error)
{
	static const char *const names[] = {
		[STREAM_ERROR_NONE] = "none",
		[STREAM_ERROR_RESTRICTED_XML] = "restricted-xml",
		[STREAM_ERROR_UNSUPPORTED_ENCODING] = "unsupported-encoding",
		[STREAM_ERROR_NOT_WELL_FORMED] = "not-well-formed",
		[STREAM_ERROR_POLICY_VIOLATION] = "policy-violation",
		[STREAM_ERROR_INVALID_NAMESPACE] = "invalid-namespace",
		[STREAM_ERROR_BAD_NAMESPACE_PREFIX] = "bad-namespace-prefix",
	};

	return names[error];
}

static enum step fail(struct stream_reader *r, enum stream_error error, const char *why)
{
	xml_fail(&r->trouble, error, why);
	return STEP_FAILED;
}

static enum step not_well_formed(struct stream_reader *r, const char *why)
{
	return fail(r, STREAM_ERROR_NOT_WELL_FORMED, why);
}

/* Drops `len` bytes from the front: what was read on the level of the stream. */
static void drop(struct stream_reader *r, size_t len)
{
	buffer_consume(&r->in, len);
	r->taken += len;
}

/* The bytes that may be looked at now. */
static struct slice window(const struct stream_reader *r)
{
	size_t len = at_most(buffer_len(&r->in), at_most(r->limits.stanza_bytes, total_left(r)));

	return (struct slice){ buffer_data(&r->in), len };
}

/*
 * The declaration at a stream's very start: version 1.0, encoding UTF-8 if any, standalone if any
 * (XML 2.8). The pseudo-attribute `name` and its value, if it is next.
 */
static bool take_pseudo(struct slice *rest, const char *name, struct slice *value)
{
	const char *at = rest->data, *end = rest->data + rest->len, *close;

	if (at == end || !xml_is_space(*at))
		return false;
	while (at < end && xml_is_space(*at))
		at++;
	if ((size_t)(end - at) < strlen(name) || memcmp(at, name, strlen(name)) != 0)
		return false;
	at += strlen(name);
	while (at < end && xml_is_space(*at))
		at++;
	if (at == end || *at++ != '=')
		return false;
	while (at < end && xml_is_space(*at))
		at++;
	if (at == end || (*at != '\'' && *at != '"'))
		return false;
	close = memchr(at + 1, *at, (size_t)(end - at - 1));
	if (!close)
		return false;
	*value = (struct slice){ at + 1, (size_t)(close - at - 1) };
	*rest = (struct slice){ close + 1, (size_t)(end - close - 1) };
	return true;
}

static enum step check_xmldecl(struct stream_reader *r, struct slice rest)
{
	struct slice value;

	if (!take_pseudo(&rest, "version", &value) || !slice_is(value, "1.0"))
		return not_well_formed(r, "an XML declaration without version 1.0");
	if (take_pseudo(&rest, "encoding", &value) &&
	    (value.len != 5 || strncasecmp(value.data, "utf-8", 5) != 0))
		return fail(r, STREAM_ERROR_UNSUPPORTED_ENCODING, "an encoding other than UTF-8");
	if (take_pseudo(&rest, "standalone", &value) && !slice_is(value, "yes") &&
	    !slice_is(value, "no"))
		return not_well_formed(r, "standalone is neither yes nor no");
	while (rest.len && xml_is_space(rest.data[0]))
		rest = (struct slice){ rest.data + 1, rest.len - 1 };
	return rest.len ? not_well_formed(r, "an XML declaration with something else in it")
			: STEP_ON;
}

static enum step in_xmldecl(struct stream_reader *r, struct slice in)
{
	static const char open[] = "<?xml";
	const size_t open_len = sizeof(open) - 1;
	size_t from = r->at > open_len ? r->at : open_len;
	const char *end;

	if (memcmp(in.data, open, at_most(in.len, open_len)) != 0 ||
	    (in.len > open_len && !xml_is_space(in.data[open_len])))
		return fail(r, STREAM_ERROR_RESTRICTED_XML, "a processing instruction");
	if (in.len <= from)
		return STEP_STARVED;
	end = memchr(in.data + from, '>', in.len - from);
	r->at = in.len;
	if (!end)
		return STEP_STARVED;
	r->at = 0;
	r->place = AT_LEVEL;
	if (end[-1] != '?')
		return not_well_formed(r, "an XML declaration that does not end");
	if (check_xmldecl(r, (struct slice){ in.data + open_len,
					     (size_t)(end - 1 - in.data) - open_len }) != STEP_ON)
		return STEP_FAILED;
	drop(r, (size_t)(end + 1 - in.data));
	return STEP_ON;
}

/* What UTF-16 and UTF-32 begin with, with mark or without. */
static enum step at_start(struct stream_reader *r, struct slice in)
{
	unsigned char first, second;

	if (in.len == 0)
		return STEP_STARVED;
	first = (unsigned char)in.data[0];
	if (first == 0 || first >= 0xfe)
		return fail(r, STREAM_ERROR_UNSUPPORTED_ENCODING, "not UTF-8");
	if (first != '<') {
		r->place = AT_LEVEL;
		return STEP_ON;
	}
	if (in.len < 2)
		return STEP_STARVED;
	second = (unsigned char)in.data[1];
	if (second == 0)
		return fail(r, STREAM_ERROR_UNSUPPORTED_ENCODING, "not UTF-8");
	r->place = second == '?' ? IN_XMLDECL : AT_LEVEL;
	return STEP_ON;
}

static enum step at_level(struct stream_reader *r, struct slice in)
{
	size_t spaces = 0;

	while (spaces < in.len && xml_is_space(in.data[spaces]))
		spaces++;
	r->spaces += spaces;
	if (r->spaces > r->limits.stanza_bytes)
		return fail(r, STREAM_ERROR_POLICY_VIOLATION, "limits.stanza_bytes");
	if (spaces) {
		drop(r, spaces);
		return STEP_ON;
	}
	if (in.len == 0)
		return STEP_STARVED;
	if (in.data[0] != '<')
		return not_well_formed(r, "text between elements");
	r->spaces = 0;
	r->place = IN_TAG;
	return STEP_ON;
}

/* What xml_skip_text stops at: its length, or 0 with *step. */
static size_t special(struct stream_reader *r, struct slice in, enum step *step)
{
	const char *at = in.data + r->at, *end = in.data + in.len;
	bool is_cdata = r->place == IN_CDATA;
	size_t len = 1;
	uint32_t c;

	if (*at == '&' && !is_cdata) {
		len = xml_reference(at, end, &c, &r->trouble);
	} else if (*at == '>') {
		if (r->at - r->run >= 2 && at[-1] == ']' && at[-2] == ']') {
			xml_fail_nwf(&r->trouble, "]]> in text");
			len = XML_BAD;
		}
	} else if (*at != '<' && *at != '&') {
		len = xml_char(at, end, &c);
		if (len == XML_BAD)
			xml_fail_nwf(&r->trouble, "a character that is not one");
		if (*at == '\r')
			r->is_canonical = false;
	}
	*step = len == XML_BAD ? STEP_FAILED : STEP_STARVED;
	return len == XML_BAD ? 0 : len;
}

static enum step in_text(struct stream_reader *r, struct slice in)
{
	for (;;) {
		enum step step;
		size_t len;

		r->at = (size_t)(xml_skip_text(in.data + r->at, in.data + in.len) - in.data);
		if (r->at == in.len)
			return STEP_STARVED;
		if (in.data[r->at] == '<') {
			r->place = IN_TAG;
			return STEP_ON;
		}
		len = special(r, in, &step);
		if (len == 0)
			return step;
		r->at += len;
	}
}

static void begin_text(struct stream_reader *r, size_t at, enum place place)
{
	r->at = r->run = at;
	r->place = place;
}

static enum step in_cdata(struct stream_reader *r, struct slice in)
{
	for (;;) {
		const char *at;
		enum step step;
		size_t len;

		r->at = (size_t)(xml_skip_text(in.data + r->at, in.data + in.len) - in.data);
		if (r->at == in.len)
			return STEP_STARVED;
		at = in.data + r->at;
		if (*at == '>' && r->at - r->run >= 2 && at[-1] == ']' && at[-2] == ']') {
			begin_text(r, r->at + 1, IN_TEXT);
			return STEP_ON;
		}
		len = special(r, in, &step);
		if (len == 0)
			return step;
		r->at += len;
	}
}

static enum step open_cdata(struct stream_reader *r, struct slice rest)
{
	static const char open[] = "<![CDATA[";
	const size_t open_len = sizeof(open) - 1;

	if (rest.len >= 3 && rest.data[2] != '[')
		return fail(r, STREAM_ERROR_RESTRICTED_XML, "a comment or document type");
	if (memcmp(rest.data, open, at_most(rest.len, open_len)) != 0)
		return not_well_formed(r, "a section that is not CDATA");
	if (rest.len < open_len)
		return STEP_STARVED;
	if (r->depth == 0)
		return not_well_formed(r, "text between elements");
	r->is_canonical = false;
	begin_text(r, r->at + open_len, IN_CDATA);
	return STEP_ON;
}

/*
 * Looks at what has come of a tag that was broken off, from where it stopped looking: is its end
 * there, or more than the limits allow? Names may be broken off within a character, so that they
 * are too long for certain only behind its last byte.
 */
enum seen { SEEN_NOTHING, SEEN_END, SEEN_TOO_MUCH };

static enum seen look_for_tag_end(struct stream_reader *r, struct slice in)
{
	for (; r->seek < in.len; r->seek++) {
		char c = in.data[r->seek];

		if (r->quote) {
			if (c == r->quote) {
				r->quote = 0;
				r->values++;
			}
		} else if (c == '>') {
			return SEEN_END;
		} else if (c == '\'' || c == '"') {
			r->quote = c;
			r->word = 0;
		} else if (xml_is_space(c) || c == '=' || c == '/') {
			r->word = 0;
		} else if (r->values >= r->limits.attributes ||
			   ++r->word > r->limits.name_bytes + XML_CHAR_BYTES - 1) {
			return SEEN_TOO_MUCH;
		}
	}
	return SEEN_NOTHING;
}

/* No two attributes may have the same name in the same namespace (Namespaces in XML 6.3). */
static bool attribute_is_unique(const struct stream_reader *r, const struct xml_tag *tag,
				size_t which, size_t place, struct slice uri)
{
	const struct xml_attribute *a = &tag->attributes[which];

	for (size_t i = 0; i < which; i++) {
		const struct xml_attribute *b = &tag->attributes[i];
		struct slice other;
		size_t found;

		if (b->prefix == 0 || xml_is_declaration(b) ||
		    !slice_equals(xml_local(a->name, a->prefix), xml_local(b->name, b->prefix)))
			continue;
		if (xml_scope_find(&r->scope, place, xml_prefix(b->name, b->prefix), &other,
				   &found) &&
		    slice_equals(uri, other))
			return false;
	}
	return true;
}

static bool check_attributes(struct stream_reader *r, struct xml_tag *tag, size_t place)
{
	for (size_t i = 0; i < tag->attribute_count; i++) {
		const struct xml_attribute *a = &tag->attributes[i];
		struct slice uri;
		size_t found;

		if (a->prefix == 0 || xml_is_declaration(a))
			continue;
		if (!xml_scope_find(&r->scope, place, xml_prefix(a->name, a->prefix), &uri, &found))
			return xml_fail_nwf(&r->trouble, "a prefix that is not declared");
		if (found && found <= r->scope.header_count)
			tag->is_canonical = false;
		if (!attribute_is_unique(r, tag, i, place, uri))
			return xml_fail_nwf(&r->trouble, "an attribute twice");
	}
	return true;
}

/* All that a start tag must be beyond its own grammar. */
static bool check_start(struct stream_reader *r, struct xml_tag *tag)
{
	size_t place = r->scope.count, found;
	struct slice uri;

	if (!xml_scope_enter(&r->scope, tag, &place, &r->trouble))
		return false;
	if (r->has_header && r->scope.count - r->scope.header_count > 4 * r->limits.attributes)
		return xml_fail(&r->trouble, STREAM_ERROR_POLICY_VIOLATION, "limits.attributes");
	if (tag->prefix) {
		if (!xml_scope_find(&r->scope, place, xml_prefix(tag->name, tag->prefix), &uri,
				    &found))
			return xml_fail_nwf(&r->trouble, "a prefix that is not declared");
		if (found && found <= r->scope.header_count)
			tag->is_canonical = false;
	}
	if (!check_attributes(r, tag, place))
		return false;
	return true;
}

static enum step take_header(struct stream_reader *r, struct xml_tag *tag)
{
	struct slice ns, content = { "", 0 };
	size_t found;

	if (!check_start(r, tag))
		return STEP_FAILED;
	ns = xml_scope_element_ns(&r->scope, r->scope.count, tag);
	if (!slice_is(ns, NS_STREAMS) || !slice_is(xml_local(tag->name, tag->prefix), "stream"))
		return fail(r, STREAM_ERROR_INVALID_NAMESPACE, "the root is not a stream's");
	if (!slice_is(tag->name, "stream:stream"))
		return fail(r, STREAM_ERROR_BAD_NAMESPACE_PREFIX, "the prefix is not 'stream'");
	xml_scope_find(&r->scope, r->scope.count, (struct slice){ "", 0 }, &content, &found);
	if (!slice_is(content, r->scope.content_ns))
		return fail(r, STREAM_ERROR_INVALID_NAMESPACE, "another content namespace");
	xml_scope_keep_header(&r->scope, tag);
	r->has_header = true;
	r->is_closing = tag->is_empty;
	xml_view(&r->view, &r->scope, r->scope.count, tag,
		 (struct slice){ r->scope.base, tag->len }, (struct slice){ NULL, 0 });
	r->lent = tag->len;
	return STEP_HEADER;
}

/* The view of the element below the stream, whose declarations are in force. */
static void view_element(struct stream_reader *r, const struct xml_tag *tag)
{
	xml_view(&r->view, &r->scope, r->scope.count, tag, (struct slice){ r->scope.base, r->at },
		 r->scope.lang);
}

/* It is whole: it ends before `at`. */
static enum step take_element(struct stream_reader *r)
{
	if (r->view.bytes.data != r->scope.base) { /* the bytes have moved since its start tag */
		struct xml_trouble none;
		struct xml_tag tag;

		xml_tag_parse((struct slice){ r->scope.base, r->at }, NULL, &tag, &none);
		view_element(r, &tag);
	}
	r->view.bytes.len = r->at;
	r->view.is_canonical = r->is_canonical;
	r->lent = r->at;
	return STEP_ELEMENT;
}

static void push_level(struct stream_reader *r, const struct xml_tag *tag, size_t declared)
{
	if (r->depth == r->level_room) {
		size_t size = r->level_room * sizeof(*r->levels);
		bool is_first = r->levels == r->first_levels;

		r->levels = xrealloc(is_first ? NULL : r->levels, size * 2);
		if (is_first)
			memcpy(r->levels, r->first_levels, size);
		r->level_room *= 2;
	}
	r->levels[r->depth++] = (struct level){ .name = (uint32_t)(tag->name.data - r->scope.base),
						.name_len = (uint16_t)tag->name.len,
						.declared = (uint16_t)declared };
}

static enum step leave(struct stream_reader *r)
{
	r->depth--;
	if (r->depth == 0)
		return take_element(r);
	r->scope.count -= r->levels[r->depth].declared;
	begin_text(r, r->at, IN_TEXT);
	return STEP_ON;
}

static enum step take_start(struct stream_reader *r, struct xml_tag *tag)
{
	size_t before = r->scope.count;

	if (r->depth == r->limits.depth)
		return fail(r, STREAM_ERROR_POLICY_VIOLATION, "limits.depth");
	if (r->elements == r->limits.elements)
		return fail(r, STREAM_ERROR_POLICY_VIOLATION, "limits.elements");
	if (!check_start(r, tag))
		return STEP_FAILED;
	if (r->depth == 0) {
		size_t found;
		struct slice uri;

		/* It has to inherit the content namespace, not declare what may be the same. */
		r->is_canonical = tag->prefix == 0 &&
				  xml_scope_find(&r->scope, r->scope.count, (struct slice){ "", 0 },
						 &uri, &found) &&
				  found <= r->scope.header_count;
	}
	r->is_canonical = r->is_canonical && tag->is_canonical;
	r->elements++;
	push_level(r, tag, r->scope.count - before);
	if (r->depth == 1)
		view_element(r, tag);
	r->at += tag->len;
	begin_text(r, r->at, IN_TEXT);
	return tag->is_empty ? leave(r) : STEP_ON;
}

static enum step take_end(struct stream_reader *r, const struct xml_tag *tag)
{
	if (r->depth == 0) {
		if (!r->has_header || !slice_is(tag->name, "stream:stream"))
			return not_well_formed(r, "an end tag that ends nothing");
		r->lent = tag->len;
		return STEP_FOOTER;
	}
	if (!slice_equals(tag->name, (struct slice){ r->scope.base + r->levels[r->depth - 1].name,
						     r->levels[r->depth - 1].name_len }))
		return not_well_formed(r, "an end tag of another name");
	r->at += tag->len;
	return leave(r);
}

/* The tag at `rest`; starved where it is wrong or broken off. */
static enum step read_tag(struct stream_reader *r, struct slice rest)
{
	struct xml_tag tag;

	if (!xml_tag_parse(rest, &r->limits, &tag, &r->trouble))
		return STEP_STARVED;
	if (tag.is_end)
		return take_end(r, &tag);
	return r->has_header ? take_start(r, &tag) : take_header(r, &tag);
}

static enum step in_tag(struct stream_reader *r, struct slice in)
{
	struct slice rest = { in.data + r->at, in.len - r->at };
	enum step step;

	if (rest.len < 2)
		return STEP_STARVED;
	if (rest.data[1] == '?')
		return fail(r, STREAM_ERROR_RESTRICTED_XML, "a processing instruction");
	if (rest.data[1] == '!')
		return open_cdata(r, rest);
	if (r->seek == 0) {
		step = read_tag(r, rest);
		if (step != STEP_STARVED)
			return step;
		/* Wrong, or only broken off? Its end tells, so that both look alike however the
		 * bytes arrive. */
		r->seek = r->at + 1;
		r->quote = 0;
		r->word = r->values = 0;
	}
	if (look_for_tag_end(r, in) == SEEN_NOTHING)
		return STEP_STARVED;
	/* Read again, it succeeds, or says what was wrong first. */
	rest.len = r->seek + 1 - r->at;
	r->seek = 0;
	step = read_tag(r, rest);
	return step == STEP_STARVED ? STEP_FAILED : step;
}

/* There is nothing more to look at: because it has not come, or because it may not be so long. */
static enum step starve(struct stream_reader *r, struct slice in)
{
	if (in.len == r->limits.stanza_bytes)
		return fail(r, STREAM_ERROR_POLICY_VIOLATION, "limits.stanza_bytes");
	if (buffer_len(&r->in) > in.len)
		return fail(r, STREAM_ERROR_POLICY_VIOLATION, "limits.total_bytes");
	return STEP_STARVED;
}

/* Takes back what was lent. */
static void release(struct stream_reader *r)
{
	drop(r, r->lent);
	if (r->lent) {
		r->lent = 0;
		r->at = 0;
		r->elements = 0;
		r->place = AT_LEVEL;
		free_levels(r);
		xml_scope_clear(&r->scope);
	}
}

static enum step advance(struct stream_reader *r)
{
	static enum step (*const steps[])(struct stream_reader *, struct slice) = {
		[AT_START] = at_start, [IN_XMLDECL] = in_xmldecl, [AT_LEVEL] = at_level,
		[IN_TEXT] = in_text,   [IN_CDATA] = in_cdata,	  [IN_TAG] = in_tag,
	};
	struct slice in = window(r);
	enum step came;

	r->scope.base = in.data;
	came = steps[r->place](r, in);
	return came == STEP_STARVED ? starve(r, in) : came;
}

static enum stream_event end(struct stream_reader *r, enum stream_event event)
{
	r->place = AT_END;
	r->is_closing = false;
	buffer_finish(&r->in);
	r->lent = 0;
	return event;
}

enum stream_event stream_reader_next(struct stream_reader *r, const struct stanza_view **element)
{
	if (r->is_closing)
		return end(r, STREAM_FOOTER);
	release(r);
	if (r->place == AT_END)
		return end(r, STREAM_MORE);
	for (;;) {
		switch (advance(r)) {
		case STEP_ON:
			break;
		case STEP_STARVED:
			return STREAM_MORE;
		case STEP_FAILED:
			return end(r, STREAM_ERROR);
		case STEP_FOOTER:
			return end(r, STREAM_FOOTER);
		case STEP_HEADER:
			*element = &r->view;
			return STREAM_HEADER;
		case STEP_ELEMENT:
			*element = &r->view;
			return STREAM_ELEMENT;
		}
	}
}
