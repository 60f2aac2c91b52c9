#include "base/buffer.h"

#include "base/alloc.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

char *buffer_reserve(struct buffer *b, size_t len)
{
	size_t used = buffer_len(b);

	if (b->size - b->end >= len && b->memory)
		return b->memory + b->end;
	/* Moving to the front is enough when that frees at least half: amortised constant. */
	if (b->memory && b->start > 0 && b->size - used >= len && b->start >= used) {
		memmove(b->memory, b->memory + b->start, used);
	} else {
		size_t size = b->size ? b->size : 256;
		char *memory;

		while (size - used < len)
			size *= 2;
		memory = xmalloc(size);
		if (used && b->memory)
			memcpy(memory, b->memory + b->start, used);
		free(b->memory);
		b->memory = memory;
		b->size = size;
	}
	b->start = 0;
	b->end = used;
	return b->memory + b->end;
}

void buffer_filled(struct buffer *b, size_t len)
{
	assert(len <= b->size - b->end);
	b->end += len;
}

void buffer_append(struct buffer *b, const void *bytes, size_t len)
{
	if (len == 0)
		return;
	memcpy(buffer_reserve(b, len), bytes, len);
	b->end += len;
}

void buffer_append_text(struct buffer *b, const char *text)
{
	buffer_append(b, text, strlen(text));
}

void buffer_append_slice(struct buffer *b, struct slice s)
{
	buffer_append(b, s.data, s.len);
}

void buffer_printf(struct buffer *b, const char *format, ...)
{
	va_list args, again;
	int len;

	va_start(args, format);
	va_copy(again, args);
	len = vsnprintf(NULL, 0, format, args);
	assert(len >= 0);
	vsnprintf(buffer_reserve(b, (size_t)len + 1), (size_t)len + 1, format, again);
	b->end += (size_t)len;
	va_end(again);
	va_end(args);
}

void buffer_append_xml(struct buffer *b, struct slice text)
{
	static const char *const entities[256] = {
		['&'] = "&amp;",  ['<'] = "&lt;",  ['>'] = "&gt;",   ['\''] = "&apos;",
		['"'] = "&quot;", ['\t'] = "&#9;", ['\n'] = "&#10;", ['\r'] = "&#13;",
	};
	size_t plain = 0; /* start of the run that needs no escaping */

	if (!text.len)
		return;
	for (size_t i = 0; i < text.len; i++) {
		const char *entity = entities[(unsigned char)text.data[i]];

		if (!entity)
			continue;
		buffer_append(b, text.data + plain, i - plain);
		buffer_append_text(b, entity);
		plain = i + 1;
	}
	buffer_append(b, text.data + plain, text.len - plain);
}

void buffer_consume(struct buffer *b, size_t len)
{
	assert(len <= buffer_len(b));
	b->start += len;
	if (b->start == b->end)
		buffer_finish(b);
}

char *buffer_take_text(struct buffer *b)
{
	char *text = xstrndup(buffer_data(b), buffer_len(b));

	buffer_finish(b);
	return text;
}

void buffer_finish(struct buffer *b)
{
	free(b->memory);
	*b = (struct buffer){ 0 };
}
