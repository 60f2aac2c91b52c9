#include "xmpp/stanza.h"

#include "base/alloc.h"
#include "xmpp/namespaces.h"
#include "xmpp/stream_scope.h"

#include <assert.h>
#include <stdlib.h>

static const struct slice no_prefix = { "", 0 };

static void parse_own_tag(const struct stanza_view *view, struct xml_tag *tag)
{
	struct xml_trouble none;
	bool good = xml_tag_parse(view->bytes, NULL, tag, &none);

	assert(good);
	(void)good;
}

struct slice stanza_attribute(const struct stanza_view *view, const char *name, const char *ns)
{
	struct xml_tag tag;
	bool has_ns = ns && *ns;

	parse_own_tag(view, &tag);
	for (size_t i = 0; i < tag.attribute_count; i++) {
		const struct xml_attribute *a = &tag.attributes[i];
		struct slice uri;
		size_t found;

		if (has_ns != (a->prefix > 0) || xml_is_declaration(a) ||
		    !slice_is(xml_local(a->name, a->prefix), name))
			continue;
		if (!has_ns || (xml_scope_find(view->scope, view->place,
					       xml_prefix(a->name, a->prefix), &uri, &found) &&
				slice_is(uri, ns)))
			return xml_value(view->scope, a);
	}
	return (struct slice){ NULL, 0 };
}

bool stanza_is(const struct stanza_view *view, const char *name, const char *ns)
{
	return (!name || slice_is(view->name, name)) && (!ns || slice_is(view->ns, ns));
}

/* Takes the rest of an element off `rest`, after its start tag. */
static void skip_element(struct slice *rest, struct xml_tag *scratch)
{
	size_t depth = 1;
	struct slice text;

	while (depth > 0) {
		if (xml_next_piece(rest, scratch, &text) != XML_PIECE_TAG)
			continue;
		if (scratch->is_end)
			depth--;
		else if (!scratch->is_empty)
			depth++;
	}
}

/* The next child, whatever its name, with what it declares put in force. */
static bool next_child(const struct stanza_view *view, struct slice *rest,
		       struct stanza_view *child)
{
	struct xml_tag tag;
	struct slice text;
	enum xml_piece piece;

	while ((piece = xml_next_piece(rest, &tag, &text)) != XML_PIECE_END) {
		size_t place = view->place;
		struct xml_trouble none;
		const char *start;

		if (piece != XML_PIECE_TAG)
			continue;
		if (tag.is_end)
			return false;
		start = rest->data - tag.len;
		xml_scope_enter(view->scope, &tag, &place, &none);
		xml_view(child, view->scope, place, &tag, (struct slice){ start, 0 }, view->lang);
		if (!tag.is_empty)
			skip_element(rest, &tag);
		child->bytes.len = (size_t)(rest->data - start);
		return true;
	}
	return false;
}

bool stanza_next_child(const struct stanza_view *view, size_t *place, struct stanza_view *child)
{
	struct slice rest = view->bytes;
	struct xml_tag tag;
	bool found;

	if (*place == 0) {
		parse_own_tag(view, &tag);
		*place = tag.is_empty ? view->bytes.len : tag.len;
	}
	rest.data += *place;
	rest.len -= *place;
	found = next_child(view, &rest, child);
	*place = found ? view->bytes.len - rest.len : view->bytes.len;
	return found;
}

bool stanza_child(const struct stanza_view *view, const char *name, const char *ns,
		  struct stanza_view *child)
{
	size_t place = 0, declared = view->scope->count;

	while (stanza_next_child(view, &place, child)) {
		if (stanza_is(child, name, ns))
			return true;
		view->scope->count = declared; /* nobody has seen that one */
	}
	return false;
}

void stanza_text(const struct stanza_view *view, struct buffer *out)
{
	struct slice rest = view->bytes, text;
	struct xml_tag tag;
	size_t depth = 0;
	enum xml_piece piece;

	while ((piece = xml_next_piece(&rest, &tag, &text)) != XML_PIECE_END) {
		if (piece == XML_PIECE_TAG) {
			depth = tag.is_end ? depth - 1 : depth + !tag.is_empty;
		} else if (depth == 1 && text.len) {
			char *to = buffer_reserve(out, text.len);

			buffer_filled(out,
				      xml_decode(text,
						 piece == XML_PIECE_CDATA ? XML_CDATA : XML_TEXT,
						 to));
		}
	}
}

/* An element being written again. */
struct level {
	size_t place;		 /* what is in force in the original */
	size_t count;		 /* bindings before it */
	struct slice default_ns; /* in the copy; data == NULL: the stream's */
	bool is_bare;		 /* written without the prefix it had */
};

struct copier {
	const struct stanza_view *view;
	struct xml_scope *scope;
	struct buffer out;
	struct buffer levels; /* of struct level */
	struct xml_tag tag;
	const char *why; /* it may not be copied */
};

static struct level *top_level(struct copier *c)
{
	return (struct level *)(void *)(c->levels.memory + c->levels.end) - 1;
}

static void put_declaration(struct buffer *out, struct slice prefix, struct slice uri)
{
	buffer_append_text(out, prefix.len ? " xmlns:" : " xmlns");
	buffer_append_slice(out, prefix);
	buffer_append_text(out, "='");
	buffer_append_xml(out, uri);
	buffer_append_text(out, "'");
}

static void put_lang(struct buffer *out, struct slice lang)
{
	buffer_append_text(out, " xml:lang='");
	buffer_append_xml(out, lang);
	buffer_append_text(out, "'");
}

/* As it was written, references too, but normalised: nothing left to a second reader. */
static void put_value(struct buffer *out, struct slice raw)
{
	for (size_t i = 0; i < raw.len; i++) {
		char c = raw.data[i];

		if (c == '\r' && i + 1 < raw.len && raw.data[i + 1] == '\n')
			continue;
		c = xml_is_space(c) ? ' ' : c;
		buffer_append(out, &c, 1);
	}
}

/* '>' is escaped in all of it: what stood before may now be a ']]' that was in a CDATA section. */
static void put_text(struct buffer *out, struct slice raw, bool is_cdata)
{
	for (size_t i = 0; i < raw.len; i++) {
		char c = raw.data[i];

		if (c == '\r') {
			if (i + 1 < raw.len && raw.data[i + 1] == '\n')
				continue;
			c = '\n';
		}
		if (c == '>')
			buffer_append_text(out, "&gt;");
		else if (c == '<')
			buffer_append_text(out, "&lt;");
		else if (c == '&' && is_cdata)
			buffer_append_text(out, "&amp;");
		else
			buffer_append(out, &c, 1);
	}
}

static bool has_lang(const struct xml_tag *tag)
{
	for (size_t i = 0; i < tag->attribute_count; i++) {
		if (slice_is(tag->attributes[i].name, "xml:lang"))
			return true;
	}
	return false;
}

/* What the element itself does not declare but inherits. */
static size_t inherited_place(struct copier *c)
{
	size_t place = c->view->place;

	parse_own_tag(c->view, &c->tag);
	for (size_t i = 0; i < c->tag.attribute_count; i++) {
		const struct xml_attribute *a = &c->tag.attributes[i];

		if (xml_is_declaration(a) && !slice_is(a->name, "xmlns:xml"))
			place = c->scope->bindings[place - 1].up;
	}
	return place;
}

static void mark_used(struct copier *c, size_t place, struct slice name, size_t prefix,
		      size_t inherited_count)
{
	struct slice uri;
	size_t found;

	if (prefix && xml_scope_find(c->scope, place, xml_prefix(name, prefix), &uri, &found) &&
	    found && found <= inherited_count)
		c->scope->bindings[found - 1].is_used = true;
}

/* Enters the tag's declarations: its own level, to be left with leave_level. */
static struct level *enter_level(struct copier *c, size_t inherited)
{
	struct level level = { .place = inherited, .count = c->scope->count };
	struct xml_trouble none;

	if (buffer_len(&c->levels)) {
		level.place = top_level(c)->place;
		level.default_ns = top_level(c)->default_ns;
	}
	xml_scope_enter(c->scope, &c->tag, &level.place, &none);
	buffer_append(&c->levels, &level, sizeof(level));
	return top_level(c);
}

static void leave_level(struct copier *c)
{
	c->scope->count = top_level(c)->count;
	c->levels.end -= sizeof(struct level);
}

/* Marks the prefixes that it inherits and uses: the copy has to declare them. */
static void find_used(struct copier *c, size_t inherited)
{
	struct slice rest = c->view->bytes, text;
	size_t inherited_count = c->scope->count;
	enum xml_piece piece;

	for (size_t place = inherited; place; place = c->scope->bindings[place - 1].up)
		c->scope->bindings[place - 1].is_used = false;
	while ((piece = xml_next_piece(&rest, &c->tag, &text)) != XML_PIECE_END) {
		size_t place;

		if (piece != XML_PIECE_TAG)
			continue;
		if (c->tag.is_end) {
			leave_level(c);
			continue;
		}
		place = enter_level(c, inherited)->place;
		mark_used(c, place, c->tag.name, c->tag.prefix, inherited_count);
		for (size_t i = 0; i < c->tag.attribute_count; i++) {
			const struct xml_attribute *a = &c->tag.attributes[i];

			if (!xml_is_declaration(a))
				mark_used(c, place, a->name, a->prefix, inherited_count);
		}
		if (c->tag.is_empty)
			leave_level(c);
	}
}

/*
 * What a client once got, carried inside of a payload (XEP-0297; archives and carbons send nothing
 * else): no stream of ours has jabber:client as its content, so it stays what it is. Directly in a
 * stanza it would be native to the client that gets it, unseen by the servers between.
 */
static bool is_forwarded(const struct copier *c, const struct level *level, struct slice ns)
{
	return slice_is(ns, NS_CLIENT) && !slice_is(ns, c->scope->content_ns) &&
	       c->tag.prefix == 0 && level->default_ns.data != NULL;
}

/* Settles how the element's name is written, or why it may not be. */
static bool check_name(struct copier *c, struct level *level, struct slice ns)
{
	if (slice_is(ns, NS_STREAMS))
		c->why = "an element in the stream namespace";
	else if (is_forwarded(c, level, ns))
		return true;
	else if (xml_is_stream_ns(ns) && !slice_is(ns, c->scope->content_ns))
		c->why = "an element in the content namespace of other streams";
	else if (xml_is_stream_ns(ns) && level->default_ns.data)
		c->why = "an element in the content namespace inside of another";
	level->is_bare = xml_is_stream_ns(ns);
	return !c->why;
}

static void put_default(struct copier *c, struct level *level, struct slice uri)
{
	if (!uri.data || (xml_is_stream_ns(uri) && !slice_is(uri, NS_CLIENT)) ||
	    (level->default_ns.data && slice_equals(level->default_ns, uri)))
		return;
	put_declaration(&c->out, no_prefix, uri);
	level->default_ns = uri;
}

/* The default namespace is declared as the original does, and where the copy has lost it. */
static void put_declarations(struct copier *c, struct level *level, struct slice ns)
{
	if (!level->is_bare && c->tag.prefix == 0)
		put_default(c, level, ns);
	for (size_t place = c->scope->count; place > level->count; place--) {
		struct slice prefix = xml_binding_prefix(c->scope, place);
		struct slice uri = xml_binding_uri(c->scope, place);

		if (prefix.len == 0 && c->tag.prefix && !level->is_bare)
			put_default(c, level, uri);
		else if (prefix.len && !xml_is_stream_ns(uri))
			put_declaration(&c->out, prefix, uri);
	}
}

static void put_inherited(struct copier *c, size_t inherited)
{
	for (size_t place = inherited; place; place = c->scope->bindings[place - 1].up) {
		if (c->scope->bindings[place - 1].is_used &&
		    !xml_is_stream_ns(xml_binding_uri(c->scope, place)))
			put_declaration(&c->out, xml_binding_prefix(c->scope, place),
					xml_binding_uri(c->scope, place));
	}
}

static void put_attributes(struct copier *c, const struct level *level)
{
	for (size_t i = 0; i < c->tag.attribute_count && !c->why; i++) {
		const struct xml_attribute *a = &c->tag.attributes[i];
		struct slice uri;
		size_t found;

		if (xml_is_declaration(a))
			continue;
		if (a->prefix &&
		    xml_scope_find(c->scope, level->place, xml_prefix(a->name, a->prefix), &uri,
				   &found) &&
		    xml_is_stream_ns(uri))
			c->why = "an attribute in a namespace of streams";
		buffer_append_text(&c->out, " ");
		buffer_append_slice(&c->out, a->name);
		buffer_append_text(&c->out, "=");
		buffer_append(&c->out, a->value.data - 1, 1); /* its quote */
		put_value(&c->out, a->value);
		buffer_append(&c->out, a->value.data - 1, 1);
	}
}

static void put_start(struct copier *c, size_t inherited)
{
	bool is_root = buffer_len(&c->levels) == 0;
	struct level *level = enter_level(c, inherited);
	struct slice ns = xml_scope_element_ns(c->scope, level->place, &c->tag);

	if (!check_name(c, level, ns))
		return;
	buffer_append_text(&c->out, "<");
	buffer_append_slice(&c->out,
			    level->is_bare ? xml_local(c->tag.name, c->tag.prefix) : c->tag.name);
	if (is_root) {
		put_inherited(c, inherited);
		if (!has_lang(&c->tag) && c->view->lang.data)
			put_lang(&c->out, c->view->lang);
	}
	put_declarations(c, level, ns);
	put_attributes(c, level);
	buffer_append_text(&c->out, c->tag.is_empty ? "/>" : ">");
	if (c->tag.is_empty)
		leave_level(c);
}

static void put_end(struct copier *c)
{
	buffer_append_text(&c->out, "</");
	buffer_append_slice(&c->out, top_level(c)->is_bare ? xml_local(c->tag.name, c->tag.prefix)
							   : c->tag.name);
	buffer_append_text(&c->out, ">");
	leave_level(c);
}

/* Writes the element again into c->out; false with c->why when that may not be. */
static bool write_again(struct copier *c)
{
	struct slice rest = c->view->bytes, text;
	size_t inherited = inherited_place(c), count = c->scope->count;
	enum xml_piece piece;

	find_used(c, inherited);
	while (!c->why && (piece = xml_next_piece(&rest, &c->tag, &text)) != XML_PIECE_END) {
		if (piece != XML_PIECE_TAG)
			put_text(&c->out, text, piece == XML_PIECE_CDATA);
		else if (c->tag.is_end)
			put_end(c);
		else
			put_start(c, inherited);
		if (buffer_len(&c->out) > STANZA_COPY_MAX)
			c->why = "too long when written again";
	}
	c->scope->count = count;
	buffer_finish(&c->levels);
	return !c->why;
}

static struct slice put_slice(char **to, struct slice s)
{
	struct slice put = { *to, s.len };

	if (!s.data)
		return s;
	memcpy(*to, s.data, s.len);
	(*to)[s.len] = '\0';
	*to += s.len + 1;
	return put;
}

static size_t size_of(struct slice s)
{
	return s.data ? s.len + 1 : 0;
}

/* One block with all of the view's values, and room for `len` bytes that the caller puts. */
static struct stanza *new_stanza(const struct stanza_view *view, size_t len, char **bytes)
{
	size_t values = size_of(view->to) + size_of(view->from) + size_of(view->id) +
			size_of(view->type) + size_of(view->lang);
	struct stanza *stanza = xmalloc(sizeof(*stanza) + values + len);
	char *to = stanza->memory;

	stanza->kind = view->kind;
	stanza->to = put_slice(&to, view->to);
	stanza->from = put_slice(&to, view->from);
	stanza->id = put_slice(&to, view->id);
	stanza->type = put_slice(&to, view->type);
	stanza->lang = put_slice(&to, view->lang);
	stanza->bytes = (struct slice){ to, len };
	*bytes = to;
	return stanza;
}

/* Canonical bytes, with the language put in behind the name where it only inherited one. */
static struct stanza *copy_bytes(const struct stanza_view *view)
{
	struct buffer lang = { 0 };
	struct stanza *stanza;
	size_t name_end = 1 + view->name.len;
	char *to;

	if (view->lang.data && view->lang.data == view->scope->lang.data)
		put_lang(&lang, view->lang);
	stanza = new_stanza(view, view->bytes.len + buffer_len(&lang), &to);
	memcpy(to, view->bytes.data, name_end);
	if (buffer_len(&lang))
		memcpy(to + name_end, buffer_data(&lang), buffer_len(&lang));
	memcpy(to + name_end + buffer_len(&lang), view->bytes.data + name_end,
	       view->bytes.len - name_end);
	buffer_finish(&lang);
	return stanza;
}

struct stanza *stanza_copy(const struct stanza_view *view, const char **why)
{
	struct copier c = { .view = view, .scope = view->scope };
	struct stanza *stanza = NULL;
	char *to;

	if (view->is_canonical)
		return copy_bytes(view);
	if (write_again(&c)) {
		stanza = new_stanza(view, buffer_len(&c.out), &to);
		memcpy(to, buffer_data(&c.out), buffer_len(&c.out));
	} else {
		*why = c.why;
	}
	buffer_finish(&c.out);
	return stanza;
}

struct stanza *stanza_make(struct slice bytes)
{
	static const char header[] =
		"<stream:stream xmlns='" NS_SERVER "' xmlns:stream='" NS_STREAMS "'>";
	const struct stream_limits limits = { .stanza_bytes = bytes.len + sizeof(header),
					      .depth = SIZE_MAX,
					      .elements = SIZE_MAX,
					      .attributes = XML_ATTRIBUTES_MAX,
					      .name_bytes = XML_NAME_MAX };
	struct stream_reader *reader = stream_reader_create(NS_SERVER, &limits);
	const struct stanza_view *view;
	struct stanza *stanza;

	stream_reader_feed(reader, header, sizeof(header) - 1);
	stream_reader_feed(reader, bytes.data, bytes.len);
	if (stream_reader_next(reader, &view) != STREAM_HEADER ||
	    stream_reader_next(reader, &view) != STREAM_ELEMENT || view->kind == STANZA_OTHER ||
	    !view->is_canonical || stream_reader_pending(reader) != 0)
		abort(); /* our own mistake */
	stanza = copy_bytes(view);
	stream_reader_destroy(&reader);
	return stanza;
}

void stanza_destroy(struct stanza **stanza)
{
	free(*stanza);
	*stanza = NULL;
}

size_t stanza_cost(const struct stanza *stanza)
{
	return sizeof(*stanza) + size_of(stanza->to) + size_of(stanza->from) + size_of(stanza->id) +
	       size_of(stanza->type) + size_of(stanza->lang) + stanza->bytes.len;
}

bool stanza_may_bounce(const struct stanza *stanza)
{
	return stanza->kind != STANZA_OTHER && stanza->from.len &&
	       !slice_is(stanza->type, "error") &&
	       !(stanza->kind == STANZA_IQ && slice_is(stanza->type, "result"));
}

static void put_attribute(struct buffer *out, const char *name, struct slice value)
{
	if (!value.data)
		return;
	buffer_printf(out, " %s='", name);
	buffer_append_xml(out, value);
	buffer_append_text(out, "'");
}

struct stanza *stanza_bounce(const struct stanza *stanza, const char *type, const char *condition,
			     const char *text)
{
	static const char *const names[] = {
		[STANZA_MESSAGE] = "message", [STANZA_PRESENCE] = "presence", [STANZA_IQ] = "iq"
	};
	struct buffer out = { 0 };
	struct stanza *bounce;

	assert(stanza->kind != STANZA_OTHER);
	buffer_printf(&out, "<%s type='error'", names[stanza->kind]);
	put_attribute(&out, "from", stanza->to);
	put_attribute(&out, "to", stanza->from);
	put_attribute(&out, "id", stanza->id);
	buffer_printf(&out, "><error type='%s'><%s xmlns='" NS_STANZA_ERRORS "'/>", type,
		      condition);
	if (text && *text) {
		buffer_append_text(&out, "<text xmlns='" NS_STANZA_ERRORS "' xml:lang='en'>");
		buffer_append_xml(&out, slice_of(text));
		buffer_append_text(&out, "</text>");
	}
	buffer_printf(&out, "</error></%s>", names[stanza->kind]);
	bounce = stanza_make((struct slice){ buffer_data(&out), buffer_len(&out) });
	buffer_finish(&out);
	return bounce;
}
