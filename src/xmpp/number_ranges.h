/*
 * Sets of stanza numbers, and their text in our protocols: "500-520 522", ascending, ranges that
 * neither touch nor overlap, so that a set has exactly one text. All zero is an empty set that
 * owns nothing. No I/O.
 */
#ifndef XMPP_NUMBER_RANGES_H
#define XMPP_NUMBER_RANGES_H

#include "base/buffer.h"

#include <stdbool.h>
#include <stdint.h>

/* In one text: bounds what one element of a peer can make us hold, and the element. */
#define NUMBER_RANGES_MAX 256

struct number_range {
	uint64_t first, last; /* both belong to it */
};

struct number_ranges {
	struct number_range *items;
	size_t count, size;
};

/* Cheapest at the upper end. A number that is there, or is not, stays so. */
void number_ranges_add(struct number_ranges *set, uint64_t number);
void number_ranges_remove(struct number_ranges *set, uint64_t number);
bool number_ranges_has(const struct number_ranges *set, uint64_t number);

void number_ranges_write(const struct number_ranges *set, struct buffer *out);
/* Into an empty set; false, and the set stays empty, when the text is not one as above. */
bool number_ranges_read(struct number_ranges *set, struct slice text);
void number_ranges_finish(struct number_ranges *set);

/* Decimal digits without leading zeros that fit; `*number` is touched only then. */
bool number_read(struct slice text, uint64_t *number);

#endif
