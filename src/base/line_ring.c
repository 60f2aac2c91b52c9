#include "base/line_ring.h"

#include "base/alloc.h"

#include <stdlib.h>

struct line {
	char *text; /* NULL: missing */
	size_t len;
};

struct line_ring {
	struct line *lines; /* that of number n is at n % size */
	size_t size, bytes, bytes_max;
	uint64_t first, next;
};

struct line_ring *line_ring_create(size_t lines, size_t bytes)
{
	struct line_ring *ring = xcalloc(1, sizeof(*ring));

	ring->lines = xcalloc(lines, sizeof(*ring->lines));
	ring->size = lines;
	ring->bytes_max = bytes;
	ring->first = ring->next = 1;
	return ring;
}

static void drop_first(struct line_ring *ring)
{
	struct line *line = &ring->lines[ring->first++ % ring->size];

	ring->bytes -= line->len;
	free(line->text);
	*line = (struct line){ 0 };
}

void line_ring_destroy(struct line_ring **ring_ref)
{
	struct line_ring *ring = *ring_ref;

	if (!ring)
		return;
	*ring_ref = NULL;
	while (ring->first < ring->next)
		drop_first(ring);
	free(ring->lines);
	free(ring);
}

void line_ring_resize(struct line_ring *ring, size_t lines)
{
	struct line *old = ring->lines;
	size_t old_size = ring->size;

	if (lines == ring->size)
		return;
	while (ring->next - ring->first > lines)
		drop_first(ring);
	ring->lines = xcalloc(lines, sizeof(*ring->lines));
	ring->size = lines;
	for (uint64_t n = ring->first; n < ring->next; n++)
		ring->lines[n % lines] = old[n % old_size];
	free(old);
}

uint64_t line_ring_add(struct line_ring *ring, struct slice line)
{
	while (ring->first < ring->next &&
	       (ring->next - ring->first == ring->size || ring->bytes + line.len > ring->bytes_max))
		drop_first(ring);
	ring->lines[ring->next % ring->size] =
		(struct line){ xstrndup(line.data, line.len), line.len };
	ring->bytes += line.len;
	return ring->next++;
}

void line_ring_skip_to(struct line_ring *ring, uint64_t number)
{
	while (ring->first < ring->next && number - ring->first >= ring->size)
		drop_first(ring);
	if (ring->first == ring->next) /* a gap before the first needs no room */
		ring->first = number;
	ring->next = number;
}

uint64_t line_ring_first(const struct line_ring *ring)
{
	return ring->first;
}

uint64_t line_ring_last(const struct line_ring *ring)
{
	return ring->next - 1;
}

struct slice line_ring_get(const struct line_ring *ring, uint64_t number)
{
	const struct line *line = &ring->lines[number % ring->size];

	if (number < ring->first || number >= ring->next)
		return (struct slice){ 0 };
	return (struct slice){ line->text, line->len };
}
