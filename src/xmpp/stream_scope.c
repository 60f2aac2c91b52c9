#include "xmpp/stream_scope.h"

#include "base/alloc.h"
#include "xmpp/namespaces.h"

#include <stdlib.h>

struct xml_chunk {
	struct xml_chunk *next;
	char bytes[];
};

static char *new_chunk(struct xml_chunk **chunks, size_t len)
{
	struct xml_chunk *chunk = xmalloc(sizeof(*chunk) + len);

	chunk->next = *chunks;
	*chunks = chunk;
	return chunk->bytes;
}

static void free_chunks(struct xml_chunk **chunks)
{
	while (*chunks) {
		struct xml_chunk *chunk = *chunks;

		*chunks = chunk->next;
		free(chunk);
	}
}

void xml_scope_init(struct xml_scope *scope, const char *content_ns)
{
	*scope = (struct xml_scope){ .content_ns = content_ns,
				     .bindings = scope->first,
				     .room = nitems(scope->first) };
}

void xml_scope_finish(struct xml_scope *scope)
{
	free_chunks(&scope->chunks);
	free_chunks(&scope->header_chunks);
	if (scope->bindings != scope->first)
		free(scope->bindings);
}

void xml_scope_clear(struct xml_scope *scope)
{
	free_chunks(&scope->chunks);
	scope->count = scope->header_count;
	if (scope->bindings != scope->first && scope->count <= nitems(scope->first)) {
		memcpy(scope->first, scope->bindings, scope->count * sizeof(scope->first[0]));
		free(scope->bindings);
		scope->bindings = scope->first;
		scope->room = nitems(scope->first);
	}
}

struct slice xml_binding_prefix(const struct xml_scope *scope, size_t place)
{
	const struct xml_binding *b = &scope->bindings[place - 1];

	return (struct slice){ (b->kept ? b->kept : scope->base) + b->prefix, b->prefix_len };
}

struct slice xml_binding_uri(const struct xml_scope *scope, size_t place)
{
	const struct xml_binding *b = &scope->bindings[place - 1];

	return (struct slice){ (b->kept ? b->kept : scope->base) + b->uri, b->uri_len };
}

static char *keep_binding(struct xml_chunk **chunks, struct xml_binding *binding,
			  struct slice prefix, struct slice uri)
{
	char *kept = new_chunk(chunks, prefix.len + uri.len);

	memcpy(kept, prefix.data, prefix.len);
	memcpy(kept + prefix.len, uri.data, uri.len);
	binding->kept = kept;
	binding->prefix = 0;
	binding->uri = (uint32_t)prefix.len;
	return kept;
}

void xml_scope_keep_header(struct xml_scope *scope, const struct xml_tag *tag)
{
	for (size_t place = 1; place <= scope->count; place++)
		keep_binding(&scope->header_chunks, &scope->bindings[place - 1],
			     xml_binding_prefix(scope, place), xml_binding_uri(scope, place));
	scope->header_count = scope->count;
	for (size_t i = 0; i < tag->attribute_count; i++) {
		const struct xml_attribute *attribute = &tag->attributes[i];
		char *lang;

		if (!slice_is(attribute->name, "xml:lang"))
			continue;
		lang = new_chunk(&scope->header_chunks, attribute->value.len);
		scope->lang = (struct slice){ lang, xml_decode(attribute->value, XML_VALUE, lang) };
	}
}

struct slice xml_value(struct xml_scope *scope, const struct xml_attribute *attribute)
{
	char *decoded;

	if (attribute->is_plain)
		return attribute->value;
	decoded = new_chunk(&scope->chunks, attribute->value.len);
	return (struct slice){ decoded, xml_decode(attribute->value, XML_VALUE, decoded) };
}

bool xml_is_stream_ns(struct slice uri)
{
	return slice_is(uri, NS_SERVER) || slice_is(uri, NS_CLIENT) ||
	       slice_is(uri, NS_COMPONENT) || slice_is(uri, NS_STREAMS);
}

bool xml_is_declaration(const struct xml_attribute *attribute)
{
	return attribute->prefix ? slice_is(xml_prefix(attribute->name, attribute->prefix), "xmlns")
				 : slice_is(attribute->name, "xmlns");
}

/* Namespaces in XML 3: what must not be declared. */
static bool may_declare(struct slice prefix, struct slice uri, struct xml_trouble *trouble)
{
	if (slice_is(prefix, "xmlns") || slice_is(uri, NS_XMLNS))
		return xml_fail_nwf(trouble, "the prefix or namespace of xmlns declared");
	if (slice_is(prefix, "xml") != slice_is(uri, NS_XML))
		return xml_fail_nwf(trouble, "the prefix or namespace of xml declared");
	if (prefix.len && uri.len == 0)
		return xml_fail_nwf(trouble, "a prefix bound to nothing");
	if (!xml_is_uri(uri))
		return xml_fail_nwf(trouble, "a namespace that is not a URI");
	return true;
}

static struct xml_binding *add_binding(struct xml_scope *scope)
{
	if (scope->count == scope->room) {
		size_t size = scope->room * sizeof(*scope->bindings);
		struct xml_binding *more = xrealloc(
			scope->bindings == scope->first ? NULL : scope->bindings, size * 2);

		if (scope->bindings == scope->first)
			memcpy(more, scope->first, size);
		scope->bindings = more;
		scope->room *= 2;
	}
	return &scope->bindings[scope->count++];
}

static bool declare(struct xml_scope *scope, struct xml_tag *tag,
		    const struct xml_attribute *attribute, size_t *place,
		    struct xml_trouble *trouble)
{
	struct slice uri = xml_value(scope, attribute);
	struct slice prefix = { attribute->name.data, 0 };
	struct xml_binding *binding;

	if (attribute->prefix)
		prefix = xml_local(attribute->name, attribute->prefix);
	if (!may_declare(prefix, uri, trouble))
		return false;
	if (slice_is(prefix, "xml") || xml_is_stream_ns(uri))
		tag->is_canonical = false;
	if (slice_is(prefix, "xml"))
		return true;
	binding = add_binding(scope);
	*binding = (struct xml_binding){ .up = (uint32_t)*place,
					 .prefix_len = (uint16_t)prefix.len,
					 .uri_len = (uint32_t)uri.len };
	if (attribute->is_plain) {
		binding->prefix = (uint32_t)(prefix.data - scope->base);
		binding->uri = (uint32_t)(uri.data - scope->base);
	} else {
		keep_binding(&scope->chunks, binding, prefix, uri);
	}
	*place = scope->count;
	return true;
}

bool xml_scope_enter(struct xml_scope *scope, struct xml_tag *tag, size_t *place,
		     struct xml_trouble *trouble)
{
	for (size_t i = 0; i < tag->attribute_count; i++) {
		if (xml_is_declaration(&tag->attributes[i]) &&
		    !declare(scope, tag, &tag->attributes[i], place, trouble))
			return false;
	}
	return true;
}

bool xml_scope_find(const struct xml_scope *scope, size_t place, struct slice prefix,
		    struct slice *uri, size_t *found)
{
	if (slice_is(prefix, "xml")) {
		*uri = slice_of(NS_XML);
		*found = 0;
		return true;
	}
	for (; place; place = scope->bindings[place - 1].up) {
		if (!slice_equals(xml_binding_prefix(scope, place), prefix))
			continue;
		*uri = xml_binding_uri(scope, place);
		*found = place;
		return true;
	}
	return false;
}

struct slice xml_scope_element_ns(const struct xml_scope *scope, size_t place,
				  const struct xml_tag *tag)
{
	struct slice uri = { "", 0 };
	size_t found;

	xml_scope_find(scope, place, xml_prefix(tag->name, tag->prefix), &uri, &found);
	return uri;
}

static enum stanza_kind kind_of(const struct xml_scope *scope, const struct stanza_view *view)
{
	if (!slice_is(view->ns, scope->content_ns))
		return STANZA_OTHER;
	return slice_is(view->name, "message")	  ? STANZA_MESSAGE
	       : slice_is(view->name, "presence") ? STANZA_PRESENCE
	       : slice_is(view->name, "iq")	  ? STANZA_IQ
						  : STANZA_OTHER;
}

void xml_view(struct stanza_view *view, struct xml_scope *scope, size_t place,
	      const struct xml_tag *tag, struct slice bytes, struct slice lang)
{
	*view = (struct stanza_view){ .name = xml_local(tag->name, tag->prefix),
				      .ns = xml_scope_element_ns(scope, place, tag),
				      .lang = lang,
				      .bytes = bytes,
				      .scope = scope,
				      .place = place };
	view->kind = kind_of(scope, view);
	for (size_t i = 0; i < tag->attribute_count; i++) {
		const struct xml_attribute *attribute = &tag->attributes[i];
		struct slice *to = slice_is(attribute->name, "to")	   ? &view->to
				   : slice_is(attribute->name, "from")	   ? &view->from
				   : slice_is(attribute->name, "id")	   ? &view->id
				   : slice_is(attribute->name, "type")	   ? &view->type
				   : slice_is(attribute->name, "xml:lang") ? &view->lang
									   : NULL;

		if (to)
			*to = xml_value(scope, attribute);
	}
}
