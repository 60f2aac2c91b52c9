#include "xmpp/number_ranges.h"

#include "base/alloc.h"

#include <inttypes.h>
#include <stdlib.h>

/* The place of the first range that ends at or behind `number`. */
static size_t find(const struct number_ranges *set, uint64_t number)
{
	size_t low = 0, high = set->count;

	if (high && set->items[high - 1].last < number)
		return high;
	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (set->items[middle].last < number)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static void insert(struct number_ranges *set, size_t at, uint64_t first, uint64_t last)
{
	if (set->count == set->size) {
		set->size = set->size ? set->size * 2 : 4;
		set->items = xrealloc(set->items, set->size * sizeof(*set->items));
	}
	memmove(set->items + at + 1, set->items + at, (set->count - at) * sizeof(*set->items));
	set->items[at] = (struct number_range){ first, last };
	set->count++;
}

static void drop(struct number_ranges *set, size_t at)
{
	set->count--;
	memmove(set->items + at, set->items + at + 1, (set->count - at) * sizeof(*set->items));
	if (!set->count)
		number_ranges_finish(set);
}

void number_ranges_add(struct number_ranges *set, uint64_t number)
{
	size_t at = find(set, number);
	bool behind = at > 0 && set->items[at - 1].last + 1 == number;
	bool before = at < set->count && number < UINT64_MAX && set->items[at].first == number + 1;

	if (at < set->count && set->items[at].first <= number)
		return;
	if (behind && before) {
		set->items[at - 1].last = set->items[at].last;
		drop(set, at);
	} else if (behind) {
		set->items[at - 1].last = number;
	} else if (before) {
		set->items[at].first = number;
	} else {
		insert(set, at, number, number);
	}
}

void number_ranges_remove(struct number_ranges *set, uint64_t number)
{
	size_t at = find(set, number);
	struct number_range *range = set->items + at;

	if (at == set->count || range->first > number)
		return;
	if (range->first == range->last) {
		drop(set, at);
	} else if (range->first == number) {
		range->first++;
	} else if (range->last == number) {
		range->last--;
	} else {
		uint64_t last = range->last;

		range->last = number - 1;
		insert(set, at + 1, number + 1, last);
	}
}

bool number_ranges_has(const struct number_ranges *set, uint64_t number)
{
	size_t at = find(set, number);

	return at < set->count && set->items[at].first <= number;
}

void number_ranges_write(const struct number_ranges *set, struct buffer *out)
{
	for (size_t i = 0; i < set->count; i++) {
		const struct number_range *range = set->items + i;

		buffer_printf(out, "%s%" PRIu64, i ? " " : "", range->first);
		if (range->last > range->first)
			buffer_printf(out, "-%" PRIu64, range->last);
	}
}

/* Cuts what stands before `end` off the front of the text; all of it when `end` is not there. */
static struct slice cut(struct slice *text, char end)
{
	const char *at = text->len ? memchr(text->data, end, text->len) : NULL;
	struct slice front = { text->data, at ? (size_t)(at - text->data) : text->len };

	text->data = at ? at + 1 : text->data + text->len;
	text->len -= front.len + (at != NULL);
	return front;
}

static bool read_range(struct slice text, struct number_range *range)
{
	bool is_single = !text.len || !memchr(text.data, '-', text.len);
	struct slice first = cut(&text, '-');

	if (!number_read(first, &range->first))
		return false;
	if (is_single) {
		range->last = range->first;
		return true;
	}
	return number_read(text, &range->last) && range->first < range->last;
}

bool number_ranges_read(struct number_ranges *set, struct slice text)
{
	struct number_range range;
	bool more = text.data != NULL;

	while (more && set->count < NUMBER_RANGES_MAX) {
		more = text.len && memchr(text.data, ' ', text.len);
		if (!read_range(cut(&text, ' '), &range))
			goto fail;
		/* below or touching the one before: not the one text of a set */
		if (set->count && range.first <= set->items[set->count - 1].last + 1)
			goto fail;
		if (set->count && set->items[set->count - 1].last == UINT64_MAX)
			goto fail;
		insert(set, set->count, range.first, range.last);
	}
	if (set->count && !more)
		return true;
fail:
	number_ranges_finish(set);
	return false;
}

void number_ranges_finish(struct number_ranges *set)
{
	free(set->items);
	*set = (struct number_ranges){ 0 };
}

bool number_read(struct slice text, uint64_t *number)
{
	uint64_t value = 0;

	if (!text.len || (text.len > 1 && text.data[0] == '0'))
		return false;
	for (size_t i = 0; i < text.len; i++) {
		unsigned digit = (unsigned)((unsigned char)text.data[i]) - '0';

		if (digit > 9 || value > (UINT64_MAX - digit) / 10)
			return false;
		value = value * 10 + digit;
	}
	*number = value;
	return true;
}
