/*
 * The last lines of a log: numbered one by one from 1, bounded in lines and in bytes; the oldest
 * make room. No I/O.
 */
#ifndef BASE_LINE_RING_H
#define BASE_LINE_RING_H

#include "base/slice.h"

#include <stdint.h>

struct line_ring;

struct line_ring *line_ring_create(size_t lines, size_t bytes);
void line_ring_destroy(struct line_ring **ring);
void line_ring_resize(struct line_ring *ring, size_t lines); /* the newest stay */

/* Copies the line; its number. */
uint64_t line_ring_add(struct line_ring *ring, struct slice line);
/* The next one has this number, which is not below the one that it would have; when it is above,
 * lines are missing in between. */
void line_ring_skip_to(struct line_ring *ring, uint64_t number);

/* What is there: first..last; first is last + 1 if it is empty. */
uint64_t line_ring_first(const struct line_ring *ring);
uint64_t line_ring_last(const struct line_ring *ring);
/* Lent until the next change; no data: it is not there any more, not yet, or never was. */
struct slice line_ring_get(const struct line_ring *ring, uint64_t number);

#endif
