#include "router/worker.h"

#include <openssl/rand.h>
#include <stdlib.h>

static void random_bytes(void *bytes, size_t len)
{
	if (RAND_bytes(bytes, (int)len) != 1)
		abort();
}

void worker_random_hex(char *text, size_t len, bool upper)
{
	const char *digits = upper ? "0123456789ABCDEF" : "0123456789abcdef";

	random_bytes(text, len);
	for (size_t i = 0; i < len; i++)
		text[i] = digits[(unsigned char)text[i] & 15];
	text[len] = '\0';
}

uint32_t worker_random(void *arg, uint32_t bound)
{
	uint32_t value, limit;

	if (bound < 2)
		return 0;
	limit = UINT32_MAX - UINT32_MAX % bound;
	do
		random_bytes(&value, sizeof(value));
	while (value >= limit);
	return value % bound;
}

uint64_t worker_back_off_ms(unsigned failures, uint64_t first_ms, uint64_t most_ms)
{
	uint64_t wait = first_ms;

	while (failures-- > 1 && wait < most_ms)
		wait *= 2;
	if (wait > most_ms)
		wait = most_ms;
	return wait / 2 + worker_random(NULL, (uint32_t)(wait / 2 + 1));
}

static void add_attribute(struct buffer *out, const char *name, struct slice value)
{
	if (!value.data)
		return;
	buffer_printf(out, " %s='", name);
	buffer_append_xml(out, value);
	buffer_append_text(out, "'");
}

struct stanza *worker_hollow(const struct stanza_view *view)
{
	struct buffer xml = { 0 };
	struct stanza *stanza;

	buffer_append_text(&xml, "<");
	buffer_append_slice(&xml, view->name);
	add_attribute(&xml, "from", view->from);
	add_attribute(&xml, "to", view->to);
	add_attribute(&xml, "id", view->id);
	add_attribute(&xml, "type", view->type);
	buffer_append_text(&xml, "/>");
	stanza = stanza_make((struct slice){ buffer_data(&xml), buffer_len(&xml) });
	buffer_finish(&xml);
	return stanza;
}

void worker_write_out(struct conn *conn, struct buffer *output)
{
	if (!buffer_len(output))
		return;
	if (conn) {
		struct buffer *out = conn_out(conn);

		if (buffer_len(out)) {
			buffer_append(out, buffer_data(output), buffer_len(output));
			buffer_finish(output);
		} else { /* nothing waits: the buffer itself changes hands */
			buffer_finish(out);
			*out = *output;
			*output = (struct buffer){ 0 };
		}
		conn_flush(conn);
	} else {
		buffer_finish(output);
	}
}
