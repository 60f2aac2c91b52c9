#include "xmpp/stream_text.h"

#include "base/alloc.h"

#include <assert.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

bool xml_fail(struct xml_trouble *trouble, enum stream_error error, const char *why)
{
	*trouble = (struct xml_trouble){ error, why };
	return false;
}

bool xml_fail_nwf(struct xml_trouble *trouble, const char *why)
{
	return xml_fail(trouble, STREAM_ERROR_NOT_WELL_FORMED, why);
}

/* What a byte may be. */
enum {
	START = 1,	 /* first of a name */
	NAME = 2,	 /* later in a name */
	HIGH = 4,	 /* part of a character beyond ASCII */
	STOP_VALUE = 8,	 /* to be looked at in an attribute's value */
	STOP_PLAIN = 16, /* to be looked at in text */
	NOT_URI = 32,	 /* in no URI (RFC 3986), nor IRI */
};

#define STOP (STOP_VALUE | STOP_PLAIN)
#define CONTROL (STOP | NOT_URI)
#define LETTER (START | NAME)
#define FOUR(class) class, class, class, class
#define EIGHT(class) FOUR(class), FOUR(class)
#define SIXTEEN(class) EIGHT(class), EIGHT(class)
#define ALPHABET(class) EIGHT(class), EIGHT(class), EIGHT(class), class, class

/* clang-format off */
static const uint8_t classes[256] = {
	SIXTEEN(CONTROL), SIXTEEN(CONTROL),
	NOT_URI, 0, STOP_VALUE | NOT_URI, 0, 0, 0, STOP, STOP_VALUE,	/* space ! " # $ % & ' */
	0, 0, 0, 0, 0, NAME, NAME, 0,					/* ( ) * + , - . / */
	EIGHT(NAME),
	NAME, NAME, 0, 0, STOP | NOT_URI, 0, STOP_PLAIN | NOT_URI, 0,	/* 8 9 : ; < = > ? */
	0, ALPHABET(LETTER), 0, NOT_URI, 0, NOT_URI, LETTER,		/* @ ... [ \ ] ^ _ */
	NOT_URI, ALPHABET(LETTER), NOT_URI, NOT_URI, NOT_URI, 0, NOT_URI, /* ` ... { | } ~ DEL */
	SIXTEEN(HIGH | STOP), SIXTEEN(HIGH | STOP), SIXTEEN(HIGH | STOP), SIXTEEN(HIGH | STOP),
	SIXTEEN(HIGH | STOP), SIXTEEN(HIGH | STOP), SIXTEEN(HIGH | STOP), SIXTEEN(HIGH | STOP),
};
/* clang-format on */

static uint8_t class_of(char c)
{
	return classes[(unsigned char)c];
}

/* XML 2.2 */
static bool is_xml_char(uint32_t c)
{
	if (c < 0x20)
		return c == '\t' || c == '\n' || c == '\r';
	return c < 0xd800 || (c >= 0xe000 && c < 0xfffe) || (c >= 0x10000 && c < 0x110000);
}

size_t xml_char(const char *at, const char *end, uint32_t *c)
{
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	unsigned char lead = (unsigned char)*at;
	size_t len = lead < 0x80 ? 1 : lead < 0xc2 ? 0 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
	uint32_t value = len == 1 ? lead : lead & (0xffu >> (len + 1));

	if (len == 0 || lead > 0xf4)
		return XML_BAD;
	if ((size_t)(end - at) < len)
		return 0;
	for (size_t i = 1; i < len; i++) {
		unsigned char byte = (unsigned char)at[i];

		if ((byte & 0xc0) != 0x80)
			return XML_BAD;
		value = value << 6 | (byte & 0x3f);
	}
	if (value < least[len] || !is_xml_char(value))
		return XML_BAD;
	*c = value;
	return len;
}

struct range {
	uint32_t first, last;
};

static bool is_in(const struct range *ranges, size_t count, uint32_t c)
{
	for (size_t i = 0; i < count; i++) {
		if (c >= ranges[i].first && c <= ranges[i].last)
			return true;
	}
	return false;
}

/*
 * Beyond ASCII, names have the large blocks of letters that the fourth edition of XML 1.0 knows
 * (appendix B) and no other character: expat reads by that edition, so that a name of the fifth
 * would end the next server's stream.
 */
static bool is_high_name_char(uint32_t c)
{
	static const struct range letters[] = {
		{ 0xc0, 0xd6 },	    { 0xd8, 0xf6 },	{ 0xf8, 0x131 },    { 0x134, 0x13e },
		{ 0x141, 0x148 },   { 0x14a, 0x17e },	{ 0x388, 0x38a },   { 0x38e, 0x3a1 },
		{ 0x3a3, 0x3ce },   { 0x401, 0x40c },	{ 0x40e, 0x44f },   { 0x451, 0x45c },
		{ 0x45e, 0x481 },   { 0x5d0, 0x5ea },	{ 0x621, 0x63a },   { 0x641, 0x64a },
		{ 0x905, 0x939 },   { 0xe01, 0xe2e },	{ 0x1e00, 0x1e9b }, { 0x3041, 0x3094 },
		{ 0x30a1, 0x30fa }, { 0x4e00, 0x9fa5 }, { 0xac00, 0xd7a3 },
	};

	return is_in(letters, nitems(letters), c);
}

static size_t bad_reference(struct xml_trouble *trouble, const char *why)
{
	xml_fail_nwf(trouble, why);
	return XML_BAD;
}

static bool character_reference(struct slice digits, uint32_t *c)
{
	unsigned base = 10;
	uint32_t value = 0;
	size_t i = 0;

	if (digits.len && digits.data[0] == 'x') {
		base = 16;
		i = 1;
	}
	if (i == digits.len)
		return false;
	for (; i < digits.len; i++) {
		char d = digits.data[i];
		unsigned digit = d >= '0' && d <= '9'	? (unsigned)(d - '0')
				 : d >= 'a' && d <= 'f' ? (unsigned)(d - 'a' + 10)
				 : d >= 'A' && d <= 'F' ? (unsigned)(d - 'A' + 10)
							: 16;

		if (digit >= base)
			return false;
		value = value * base + digit;
		if (value > 0x10ffff)
			return false;
	}
	*c = value;
	return is_xml_char(value);
}

size_t xml_reference(const char *at, const char *end, uint32_t *c, struct xml_trouble *trouble)
{
	enum { LONGEST = 32 }; /* so that one that goes on for ever is not read again and again */
	static const struct {
		const char *name;
		char c;
	} entities[] = {
		{ "lt", '<' }, { "gt", '>' }, { "amp", '&' }, { "apos", '\'' }, { "quot", '"' }
	};
	size_t max = (size_t)(end - at) < LONGEST ? (size_t)(end - at) : LONGEST, len = 1;
	struct slice name;

	while (len < max && ((class_of(at[len]) & (NAME | HIGH)) || at[len] == '#'))
		len++;
	if (len == max && max < LONGEST)
		return 0;
	if (len == max || at[len] != ';')
		return bad_reference(trouble, "a '&' that begins no reference");
	name = (struct slice){ at + 1, len - 1 };
	for (size_t i = 0; i < nitems(entities); i++) {
		if (slice_is(name, entities[i].name)) {
			*c = (unsigned char)entities[i].c;
			return len + 1;
		}
	}
	if (name.len && name.data[0] == '#') {
		if (!character_reference((struct slice){ name.data + 1, name.len - 1 }, c))
			return bad_reference(trouble, "a reference to no character");
		return len + 1;
	}
	if (name.len && (class_of(name.data[0]) & (START | HIGH))) {
		xml_fail(trouble, STREAM_ERROR_RESTRICTED_XML, "an entity other than the five");
		return XML_BAD;
	}
	return bad_reference(trouble, "a '&' that begins no reference");
}

static const char *skip_plain(const char *at, const char *end)
{
#ifdef __SSE2__
	const __m128i space = _mm_set1_epi8(' '), two = _mm_set1_epi8(2);
	const __m128i angle = _mm_set1_epi8('>'), ampersand = _mm_set1_epi8('&');

	while (end - at >= 16) {
		__m128i bytes = _mm_loadu_si128((const __m128i *)(const void *)at);
		/* signed: below space are the controls and all that is not ASCII */
		__m128i found = _mm_or_si128(
			_mm_cmplt_epi8(bytes, space),
			_mm_or_si128(_mm_cmpeq_epi8(_mm_or_si128(bytes, two), angle), /* '<' '>' */
				     _mm_cmpeq_epi8(bytes, ampersand)));
		int mask = _mm_movemask_epi8(found);

		if (mask)
			return at + __builtin_ctz((unsigned)mask);
		at += 16;
	}
#endif
	while (at < end && !(class_of(*at) & STOP_PLAIN))
		at++;
	return at;
}

const char *xml_skip_text(const char *at, const char *end)
{
	for (;;) {
		at = skip_plain(at, end);
		if (at == end || !(class_of(*at) & HIGH))
			return at;
		while (at < end && (class_of(*at) & HIGH)) {
			uint32_t c;
			size_t len = xml_char(at, end, &c);

			if (len == 0 || len == XML_BAD)
				return at;
			at += len;
		}
	}
}

static size_t put_utf8(uint32_t c, char *out)
{
	size_t len = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;

	if (len == 1) {
		*out = (char)c;
		return 1;
	}
	for (size_t i = len - 1; i > 0; i--) {
		out[i] = (char)(0x80 | (c & 0x3f));
		c >>= 6;
	}
	out[0] = (char)((0xf00 >> len & 0xff) | c);
	return len;
}

size_t xml_decode(struct slice raw, enum xml_form form, char *out)
{
	size_t len = 0;
	struct xml_trouble none;

	for (size_t i = 0; i < raw.len; i++) {
		char c = raw.data[i];
		uint32_t meant;

		if (c == '&' && form != XML_CDATA) {
			i += xml_reference(raw.data + i, raw.data + raw.len, &meant, &none) - 1;
			len += put_utf8(meant, out + len);
			continue;
		}
		if (c == '\r') {
			if (i + 1 < raw.len && raw.data[i + 1] == '\n')
				i++;
			c = '\n';
		}
		if (form == XML_VALUE && (c == '\n' || c == '\t'))
			c = ' ';
		out[len++] = c;
	}
	return len;
}

bool xml_is_uri(struct slice uri)
{
	for (size_t i = 0; i < uri.len; i++) {
		if (class_of(uri.data[i]) & NOT_URI)
			return false;
	}
	return true;
}

static const char *skip_space(const char *at, const char *end)
{
	while (at < end && xml_is_space(*at))
		at++;
	return at;
}

/* After the name at `at` without a colon; `at` itself when there is none. */
static const char *skip_ncname(const char *at, const char *end)
{
	const char *start = at;

	for (;;) {
		uint32_t c;
		size_t len;

		if (at == start && at < end && (class_of(*at) & START))
			at++;
		while (at < end && at > start && (class_of(*at) & NAME))
			at++;
		if (at == end || !(class_of(*at) & HIGH))
			break;
		len = xml_char(at, end, &c);
		if (len == 0 || len == XML_BAD || !is_high_name_char(c))
			break;
		at += len;
	}
	return at;
}

/* After the name at `at`, with prefix or without; NULL with trouble. */
static const char *parse_name(const char *at, const char *end, size_t max, struct xml_tag *tag,
			      struct slice *name, size_t *prefix, struct xml_trouble *trouble)
{
	const char *after = skip_ncname(at, end);

	*prefix = 0;
	/* What is too long already is so whatever follows: a broken-off name must not look
	 * otherwise. */
	if ((size_t)(after - at) > max) {
		xml_fail(trouble, STREAM_ERROR_POLICY_VIOLATION, "limits.name_bytes");
		return NULL;
	}
	if (after > at && after < end && *after == ':') {
		const char *local = after + 1;

		*prefix = (size_t)(after - at);
		after = skip_ncname(local, end);
		if (after == local)
			after = at;
	}
	*name = (struct slice){ at, (size_t)(after - at) };
	if (after == at) {
		xml_fail_nwf(trouble, "a name is missing or not one");
		return NULL;
	}
	if (name->len > max) {
		xml_fail(trouble, STREAM_ERROR_POLICY_VIOLATION, "limits.name_bytes");
		return NULL;
	}
	return after;
}

/* First byte of at..end that a value may not just hold. */
static const char *skip_plain_value(const char *at, const char *end)
{
#ifdef __SSE2__
	const __m128i space = _mm_set1_epi8(' '), one = _mm_set1_epi8(1);
	const __m128i quote = _mm_set1_epi8('"'), apostrophe = _mm_set1_epi8('\'');
	const __m128i angle = _mm_set1_epi8('<');

	while (end - at >= 16) {
		__m128i bytes = _mm_loadu_si128((const __m128i *)(const void *)at);
		__m128i found = _mm_or_si128(
			_mm_or_si128(_mm_cmplt_epi8(bytes, space), _mm_cmpeq_epi8(bytes, quote)),
			_mm_or_si128(_mm_cmpeq_epi8(_mm_or_si128(bytes, one), apostrophe), /* ' & */
				     _mm_cmpeq_epi8(bytes, angle)));
		int mask = _mm_movemask_epi8(found);

		if (mask)
			return at + __builtin_ctz((unsigned)mask);
		at += 16;
	}
#endif
	while (at < end && !(class_of(*at) & STOP_VALUE))
		at++;
	return at;
}

/* After the closing quote; NULL with trouble. */
static const char *parse_value(const char *at, const char *end, struct xml_tag *tag,
			       struct xml_attribute *attribute, struct xml_trouble *trouble)
{
	char quote;
	const char *start = at + 1;

	if (at == end || (*at != '\'' && *at != '"')) {
		xml_fail_nwf(trouble, "an attribute's value is not quoted");
		return NULL;
	}
	quote = *at++;
	attribute->is_plain = true;
	for (;;) {
		uint32_t c;
		size_t len;

		at = skip_plain_value(at, end);
		if (at == end) {
			xml_fail_nwf(trouble, "an attribute's value does not end");
			return NULL;
		}
		if (*at == quote)
			break;
		if (*at == '&') {
			attribute->is_plain = false;
			len = xml_reference(at, end, &c, trouble);
			if (len == XML_BAD)
				return NULL;
		} else if (*at == '<') {
			len = XML_BAD;
		} else {
			len = xml_char(at, end, &c);
			if (len == 1 && c < 0x20)
				tag->is_canonical = attribute->is_plain = false;
		}
		if (len == 0 || len == XML_BAD) {
			xml_fail_nwf(trouble, "a character that no value may hold");
			return NULL;
		}
		at += len;
	}
	attribute->value = (struct slice){ start, (size_t)(at - start) };
	return at + 1;
}

static bool has_attribute(const struct xml_tag *tag, struct slice name)
{
	for (size_t i = 0; i < tag->attribute_count; i++) {
		if (slice_equals(tag->attributes[i].name, name))
			return true;
	}
	return false;
}

static const char *parse_attribute(const char *at, const char *end,
				   const struct stream_limits *limits, struct xml_tag *tag,
				   struct xml_trouble *trouble)
{
	struct xml_attribute *attribute = &tag->attributes[tag->attribute_count];
	size_t name_max = limits ? limits->name_bytes : XML_NAME_MAX;

	if (tag->is_end) {
		xml_fail_nwf(trouble, "an end tag with more than its name");
		return NULL;
	}
	if (tag->attribute_count == (limits ? limits->attributes : XML_ATTRIBUTES_MAX)) {
		xml_fail(trouble, STREAM_ERROR_POLICY_VIOLATION, "limits.attributes");
		return NULL;
	}
	at = parse_name(at, end, name_max, tag, &attribute->name, &attribute->prefix, trouble);
	if (!at)
		return NULL;
	if (has_attribute(tag, attribute->name)) {
		xml_fail_nwf(trouble, "an attribute twice");
		return NULL;
	}
	at = skip_space(at, end);
	if (at == end || *at != '=') {
		xml_fail_nwf(trouble, "an attribute without a value");
		return NULL;
	}
	at = parse_value(skip_space(at + 1, end), end, tag, attribute, trouble);
	tag->attribute_count++;
	return at;
}

static bool end_tag(struct xml_tag *tag, const char *start, const char *after)
{
	tag->len = (size_t)(after - start);
	return true;
}

bool xml_tag_parse(struct slice bytes, const struct stream_limits *limits, struct xml_tag *tag,
		   struct xml_trouble *trouble)
{
	const char *at = bytes.data + 1, *end = bytes.data + bytes.len;
	size_t name_max = limits ? limits->name_bytes : XML_NAME_MAX;

	tag->attribute_count = 0;
	tag->is_canonical = true;
	tag->is_empty = false;
	tag->is_end = at < end && *at == '/';
	at = parse_name(at + tag->is_end, end, name_max, tag, &tag->name, &tag->prefix, trouble);
	while (at && at < end) {
		const char *next = skip_space(at, end);

		if (next == end)
			break;
		if (*next == '>')
			return end_tag(tag, bytes.data, next + 1);
		if (*next == '/' && end - next >= 2 && next[1] == '>' && !tag->is_end) {
			tag->is_empty = true;
			return end_tag(tag, bytes.data, next + 2);
		}
		if (next == at)
			return xml_fail_nwf(trouble, "no white space before an attribute");
		at = parse_attribute(next, end, limits, tag, trouble);
	}
	return at ? xml_fail_nwf(trouble, "a tag that does not end") : false;
}

enum xml_piece xml_next_piece(struct slice *rest, struct xml_tag *tag, struct slice *text)
{
	static const char open[] = "<![CDATA[";
	enum xml_piece piece = XML_PIECE_TEXT;
	struct xml_trouble none;
	size_t len;

	if (rest->len == 0)
		return XML_PIECE_END;
	if (rest->data[0] != '<') {
		const char *end = memchr(rest->data, '<', rest->len);

		len = end ? (size_t)(end - rest->data) : rest->len;
		*text = (struct slice){ rest->data, len };
	} else if (rest->data[1] == '!') {
		const char *start = rest->data + sizeof(open) - 1;
		const char *end = memmem(start, rest->len - (sizeof(open) - 1), "]]>", 3);

		*text = (struct slice){ start, (size_t)(end - start) };
		len = (size_t)(end + 3 - rest->data);
		piece = XML_PIECE_CDATA;
	} else {
		bool good = xml_tag_parse(*rest, NULL, tag, &none);

		assert(good);
		(void)good;
		len = tag->len;
		piece = XML_PIECE_TAG;
	}
	rest->data += len;
	rest->len -= len;
	return piece;
}
