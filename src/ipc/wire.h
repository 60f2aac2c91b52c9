/*
 * How values are laid out in messages and snapshots: big-endian integers, and bytes with a u32
 * length before them. Writing appends to a buffer. Reading never goes past the end: the first
 * value that is not there sets `failed`, which stays, and every later one reads as zero or empty;
 * so a decoder reads all it wants and asks once. Slices read are lent by the bytes. No I/O.
 */
#ifndef IPC_WIRE_H
#define IPC_WIRE_H

#include "base/buffer.h"
#include "base/slice.h"

#include <stdbool.h>
#include <stdint.h>

void wire_put_u8(struct buffer *out, uint8_t value);
void wire_put_u16(struct buffer *out, uint16_t value);
void wire_put_u32(struct buffer *out, uint32_t value);
void wire_put_u64(struct buffer *out, uint64_t value);
void wire_put_slice(struct buffer *out, struct slice bytes);
void wire_put_text(struct buffer *out, const char *text); /* NULL as empty */

struct wire {
	struct slice left;
	bool failed;
};

static inline struct wire wire_read(struct slice bytes)
{
	return (struct wire){ .left = bytes };
}

uint8_t wire_get_u8(struct wire *in);
uint16_t wire_get_u16(struct wire *in);
uint32_t wire_get_u32(struct wire *in);
uint64_t wire_get_u64(struct wire *in);
struct slice wire_get_slice(struct wire *in);
/* A terminated copy that the caller frees; fails on a NUL inside and on more than max bytes. */
char *wire_get_text(struct wire *in, size_t max);
/* Nothing failed and nothing is left. */
bool wire_is_done(const struct wire *in);

#endif
