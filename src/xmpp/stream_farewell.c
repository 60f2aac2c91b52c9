#include "xmpp/stream_farewell.h"

#include "xmpp/namespaces.h"

#include <stdio.h>

void stream_farewell_write(struct buffer *out, const char *condition, const char *text)
{
	if (condition) {
		buffer_printf(out, "<stream:error><%s xmlns='" NS_STREAM_ERRORS "'/>", condition);
		if (text) {
			buffer_append_text(out, "<text xmlns='" NS_STREAM_ERRORS "'>");
			buffer_append_xml(out, slice_of(text));
			buffer_append_text(out, "</text>");
		}
		buffer_append_text(out, "</stream:error>");
	}
	buffer_append_text(out, "</stream:stream>");
}

bool stream_farewell_is_error(const struct stanza_view *element)
{
	return stanza_is(element, "error", NS_STREAMS);
}

/* At most STREAM_FAREWELL_TEXT bytes, cut between characters. */
static void append_text(const struct stanza_view *text, struct buffer *words)
{
	struct buffer all = { 0 };
	size_t len;

	stanza_text(text, &all);
	len = buffer_len(&all);
	if (len > STREAM_FAREWELL_TEXT) {
		len = STREAM_FAREWELL_TEXT;
		while (len && ((unsigned char)buffer_data(&all)[len] & 0xc0) == 0x80)
			len--;
	}
	if (len) {
		buffer_append_text(words, ": ");
		buffer_append(words, buffer_data(&all), len);
	}
	buffer_finish(&all);
}

void stream_farewell_read(const struct stanza_view *error, char condition[STREAM_CONDITION_LEN + 1],
			  struct buffer *words)
{
	struct stanza_view child, text = { 0 };
	size_t place = 0;
	bool has_text = false;

	snprintf(condition, STREAM_CONDITION_LEN + 1, "undefined-condition");
	while (stanza_next_child(error, &place, &child)) {
		if (!slice_is(child.ns, NS_STREAM_ERRORS))
			continue;
		if (slice_is(child.name, "text")) {
			text = child;
			has_text = true;
		} else {
			snprintf(condition, STREAM_CONDITION_LEN + 1, "%.*s",
				 SLICE_ARGS(child.name));
		}
	}
	buffer_append_text(words, condition);
	if (has_text)
		append_text(&text, words);
}
