#include "process/pcapng.h"

#include <string.h>

enum {
	BLOCK_SECTION = 0x0A0D0D0A,
	BLOCK_INTERFACE = 1,
	BLOCK_PACKET = 6,
	BLOCK_SECRETS = 10,
};
enum { OPTION_END = 0, OPTION_INTERFACE_NAME = 2, OPTION_APPLICATION = 4, OPTION_RESOLUTION = 9 };

#define BYTE_ORDER_MAGIC 0x1A2B3C4D
#define SECRETS_TLS_KEY_LOG 0x544c534b
#define NANOSECONDS 9	     /* ten to the minus nine */
#define BLOCK_FRAME_BYTES 12 /* type, length, and length again */
#define PACKET_HEAD_BYTES 20

/* All in this machine's byte order, which the magic tells. */
static void put_u16(struct buffer *out, uint16_t value)
{
	buffer_append(out, &value, sizeof(value));
}

static void put_u32(struct buffer *out, uint32_t value)
{
	buffer_append(out, &value, sizeof(value));
}

static size_t padding(size_t len)
{
	return (4 - len % 4) % 4;
}

static void put_padded(struct buffer *out, struct slice bytes)
{
	static const char zeros[3];

	buffer_append_slice(out, bytes);
	buffer_append(out, zeros, padding(bytes.len));
}

static void put_option(struct buffer *out, uint16_t code, struct slice value)
{
	put_u16(out, code);
	put_u16(out, (uint16_t)value.len);
	put_padded(out, value);
}

/* `content` is whole words of four bytes; it is emptied. */
static void put_block(struct buffer *out, uint32_t type, struct buffer *content)
{
	uint32_t len = (uint32_t)(buffer_len(content) + BLOCK_FRAME_BYTES);

	put_u32(out, type);
	put_u32(out, len);
	buffer_append(out, buffer_data(content), buffer_len(content));
	put_u32(out, len);
	buffer_finish(content);
}

static void put_section(struct buffer *out, const char *application)
{
	static const int64_t unknown_length = -1;
	struct buffer block = { 0 };

	put_u32(&block, BYTE_ORDER_MAGIC);
	put_u16(&block, 1); /* version 1.0 */
	put_u16(&block, 0);
	buffer_append(&block, &unknown_length, sizeof(unknown_length));
	put_option(&block, OPTION_APPLICATION, slice_of(application));
	put_option(&block, OPTION_END, (struct slice){ 0 });
	put_block(out, BLOCK_SECTION, &block);
}

static void put_interface(struct buffer *out, const struct pcapng_interface *interface)
{
	static const char resolution = NANOSECONDS;
	struct buffer block = { 0 };

	put_u16(&block, interface->link_type);
	put_u16(&block, 0);
	put_u32(&block, interface->snap);
	put_option(&block, OPTION_INTERFACE_NAME, slice_of(interface->name));
	put_option(&block, OPTION_RESOLUTION, (struct slice){ &resolution, 1 });
	put_option(&block, OPTION_END, (struct slice){ 0 });
	put_block(out, BLOCK_INTERFACE, &block);
}

static void put_secrets(struct buffer *out, struct slice secrets)
{
	struct buffer block = { 0 };

	put_u32(&block, SECRETS_TLS_KEY_LOG);
	put_u32(&block, (uint32_t)secrets.len);
	put_padded(&block, secrets);
	put_block(out, BLOCK_SECRETS, &block);
}

void pcapng_begin(struct buffer *out, const char *application,
		  const struct pcapng_interface *interface, struct slice secrets)
{
	put_section(out, application);
	put_interface(out, interface);
	if (secrets.len)
		put_secrets(out, secrets);
}

size_t pcapng_packet_bytes(size_t kept)
{
	return BLOCK_FRAME_BYTES + PACKET_HEAD_BYTES + kept + padding(kept);
}

/* Written in place: there are many. */
void pcapng_packet(struct buffer *out, uint64_t time_ns, uint32_t original, struct slice bytes)
{
	uint32_t len = (uint32_t)pcapng_packet_bytes(bytes.len);

	put_u32(out, BLOCK_PACKET);
	put_u32(out, len);
	put_u32(out, 0); /* of the one interface */
	put_u32(out, (uint32_t)(time_ns >> 32));
	put_u32(out, (uint32_t)time_ns);
	put_u32(out, (uint32_t)bytes.len);
	put_u32(out, original);
	put_padded(out, bytes);
	put_u32(out, len);
}
