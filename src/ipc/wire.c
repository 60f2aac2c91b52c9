#include "ipc/wire.h"

#include "base/alloc.h"

static void put(struct buffer *out, uint64_t value, unsigned bytes)
{
	char *at = buffer_reserve(out, bytes);

	for (unsigned i = 0; i < bytes; i++)
		at[i] = (char)(unsigned char)(value >> (8 * (bytes - 1 - i)));
	buffer_filled(out, bytes);
}

void wire_put_u8(struct buffer *out, uint8_t value)
{
	put(out, value, 1);
}

void wire_put_u16(struct buffer *out, uint16_t value)
{
	put(out, value, 2);
}

void wire_put_u32(struct buffer *out, uint32_t value)
{
	put(out, value, 4);
}

void wire_put_u64(struct buffer *out, uint64_t value)
{
	put(out, value, 8);
}

void wire_put_slice(struct buffer *out, struct slice bytes)
{
	wire_put_u32(out, (uint32_t)bytes.len);
	if (bytes.len)
		buffer_append(out, bytes.data, bytes.len);
}

void wire_put_text(struct buffer *out, const char *text)
{
	wire_put_slice(out, slice_of(text));
}

static struct slice take(struct wire *in, size_t len)
{
	struct slice taken = { "", 0 };

	if (in->failed || in->left.len < len) {
		in->failed = true;
		return taken;
	}
	if (len) {
		taken = (struct slice){ in->left.data, len };
		in->left.data += len;
		in->left.len -= len;
	}
	return taken;
}

static uint64_t get(struct wire *in, unsigned bytes)
{
	struct slice taken = take(in, bytes);
	uint64_t value = 0;

	for (size_t i = 0; i < taken.len; i++)
		value = value << 8 | (unsigned char)taken.data[i];
	return value;
}

uint8_t wire_get_u8(struct wire *in)
{
	return (uint8_t)get(in, 1);
}

uint16_t wire_get_u16(struct wire *in)
{
	return (uint16_t)get(in, 2);
}

uint32_t wire_get_u32(struct wire *in)
{
	return (uint32_t)get(in, 4);
}

uint64_t wire_get_u64(struct wire *in)
{
	return get(in, 8);
}

struct slice wire_get_slice(struct wire *in)
{
	return take(in, wire_get_u32(in));
}

char *wire_get_text(struct wire *in, size_t max)
{
	struct slice bytes = wire_get_slice(in);

	if (bytes.len > max || memchr(bytes.data, '\0', bytes.len)) {
		in->failed = true;
		bytes.len = 0;
	}
	return xstrndup(bytes.data, bytes.len);
}

bool wire_is_done(const struct wire *in)
{
	return !in->failed && in->left.len == 0;
}
