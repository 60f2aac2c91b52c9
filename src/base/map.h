/*
 * A hash map from byte strings to pointers. The hash is SipHash under a random key, so nobody
 * outside can choose names that collide. Keys are copied, values are the caller's. All zero is
 * an empty map.
 */
#ifndef BASE_MAP_H
#define BASE_MAP_H

#include "base/slice.h"

#include <stdint.h>

struct map_entry;
struct map {
	struct map_entry **slots;
	size_t count, size;
};

void *map_get(const struct map *map, struct slice key);	       /* NULL: not there */
void *map_put(struct map *map, struct slice key, void *value); /* the value before, or NULL */
void *map_remove(struct map *map, struct slice key);	       /* the value removed, or NULL */

/* Walks all entries in no order: start with *place = 0; NULL at the end. The map must not change
 * meanwhile, except that the entry just returned may be removed. `key` may be NULL. */
void *map_next(const struct map *map, size_t *place, struct slice *key);
void map_finish(struct map *map); /* frees the keys; the values stay the caller's */

#endif
