/*
 * A growing run of bytes, written at its end and consumed from its front. Plain data: all zero
 * is an empty buffer that owns nothing. It gives its memory back whenever it runs empty, so an
 * idle stream holds none (performance budget: memory per idle stream).
 */
#ifndef BASE_BUFFER_H
#define BASE_BUFFER_H

#include "base/slice.h"

#include <stddef.h>
#include <stdint.h>

struct buffer {
	char *memory;
	size_t start; /* first byte not yet consumed */
	size_t end;   /* one past the last byte written */
	size_t size;  /* of memory */
};

static inline size_t buffer_len(const struct buffer *b)
{
	return b->end - b->start;
}

static inline char *buffer_data(const struct buffer *b)
{
	return b->memory ? b->memory + b->start : NULL;
}

/* Room for at least `len` more bytes at the end; write there, then tell how many with filled. */
char *buffer_reserve(struct buffer *b, size_t len);
void buffer_filled(struct buffer *b, size_t len);

void buffer_append(struct buffer *b, const void *bytes, size_t len);
void buffer_append_text(struct buffer *b, const char *text);
void buffer_append_slice(struct buffer *b, struct slice s);
void buffer_printf(struct buffer *b, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Appends text with & < > ' " written as XML entities: right in text and in attribute values. */
void buffer_append_xml(struct buffer *b, struct slice text);

/* Drops `len` bytes from the front; frees the memory when nothing is left. */
void buffer_consume(struct buffer *b, size_t len);

/* Takes what is in the buffer as a terminated string that the caller frees; leaves it empty. */
char *buffer_take_text(struct buffer *b);

/* Frees everything; the buffer is empty and usable again. */
void buffer_finish(struct buffer *b);

#endif
