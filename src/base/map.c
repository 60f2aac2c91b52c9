#include "base/map.h"

#include "base/alloc.h"

#include <pthread.h>
#include <stdlib.h>
#include <sys/random.h>

struct map_entry {
	struct map_entry *next; /* in the same slot */
	uint64_t hash;
	void *value;
	size_t len;
	char key[];
};

static uint64_t secret[2];
static pthread_once_t secret_made = PTHREAD_ONCE_INIT;

static void make_secret(void)
{
	if (getrandom(secret, sizeof(secret), 0) != sizeof(secret))
		abort();
}

static uint64_t rotate(uint64_t x, int bits)
{
	return x << bits | x >> (64 - bits);
}

/* SipHash-1-3 (Aumasson, Bernstein): the variant that language runtimes use for their tables. */
static void sip_round(uint64_t v[4])
{
	v[0] += v[1];
	v[2] += v[3];
	v[1] = rotate(v[1], 13) ^ v[0];
	v[3] = rotate(v[3], 16) ^ v[2];
	v[0] = rotate(v[0], 32);
	v[2] += v[1];
	v[0] += v[3];
	v[1] = rotate(v[1], 17) ^ v[2];
	v[3] = rotate(v[3], 21) ^ v[0];
	v[2] = rotate(v[2], 32);
}

static uint64_t hash_of(struct slice key)
{
	uint64_t v[4], word;
	size_t i;

	pthread_once(&secret_made, make_secret);
	v[0] = secret[0] ^ 0x736f6d6570736575;
	v[1] = secret[1] ^ 0x646f72616e646f6d;
	v[2] = secret[0] ^ 0x6c7967656e657261;
	v[3] = secret[1] ^ 0x7465646279746573;
	for (i = 0; i + 8 <= key.len; i += 8) {
		memcpy(&word, key.data + i, 8);
		v[3] ^= word;
		sip_round(v);
		v[0] ^= word;
	}
	word = (uint64_t)key.len << 56;
	for (size_t shift = 0; i < key.len; i++, shift += 8)
		word |= (uint64_t)(unsigned char)key.data[i] << shift;
	v[3] ^= word;
	sip_round(v);
	v[0] ^= word;
	v[2] ^= 0xff;
	for (i = 0; i < 3; i++)
		sip_round(v);
	return v[0] ^ v[1] ^ v[2] ^ v[3];
}

/* The link that points to the entry, or the slot's last link (to NULL). */
static struct map_entry **find(const struct map *map, struct slice key, uint64_t hash)
{
	struct map_entry **link = &map->slots[hash & (map->size - 1)];

	while (*link && ((*link)->hash != hash || (*link)->len != key.len ||
			 memcmp((*link)->key, key.data, key.len) != 0))
		link = &(*link)->next;
	return link;
}

static void grow(struct map *map)
{
	size_t size = map->size ? map->size * 2 : 16;
	struct map_entry **slots = xcalloc(size, sizeof(struct map_entry *));

	for (size_t i = 0; i < map->size; i++) {
		for (struct map_entry *e = map->slots[i], *next; e; e = next) {
			next = e->next;
			e->next = slots[e->hash & (size - 1)];
			slots[e->hash & (size - 1)] = e;
		}
	}
	free(map->slots);
	map->slots = slots;
	map->size = size;
}

void *map_get(const struct map *map, struct slice key)
{
	struct map_entry *entry = map->size ? *find(map, key, hash_of(key)) : NULL;

	return entry ? entry->value : NULL;
}

void *map_put(struct map *map, struct slice key, void *value)
{
	uint64_t hash = hash_of(key);
	struct map_entry **link, *entry;
	void *before;

	if (map->count >= map->size)
		grow(map);
	link = find(map, key, hash);
	if (!*link) {
		entry = xmalloc(sizeof(*entry) + key.len);
		*entry = (struct map_entry){ .hash = hash, .len = key.len };
		if (key.len)
			memcpy(entry->key, key.data, key.len);
		*link = entry;
		map->count++;
	}
	before = (*link)->value;
	(*link)->value = value;
	return before;
}

void *map_remove(struct map *map, struct slice key)
{
	struct map_entry **link, *entry;
	void *value;

	if (!map->size)
		return NULL;
	link = find(map, key, hash_of(key));
	entry = *link;
	if (!entry)
		return NULL;
	*link = entry->next;
	value = entry->value;
	free(entry);
	map->count--;
	return value;
}

/* *place is slot and position in it; going from the position's end to its front keeps the walk
 * right when the entry just returned is removed. */
void *map_next(const struct map *map, size_t *place, struct slice *key)
{
	size_t slot = *place >> 16, depth = *place & 0xffff;

	for (; slot < map->size; slot++, depth = 0) {
		struct map_entry *entry = map->slots[slot];
		size_t left = 0, skip;

		for (struct map_entry *e = entry; e; e = e->next)
			left++;
		if (depth == 0)
			depth = left + 1;
		if (depth > left + 1)
			depth = left + 1;
		if (depth <= 1)
			continue;
		skip = depth - 2;
		while (skip--)
			entry = entry->next;
		*place = slot << 16 | (depth - 1);
		if (key)
			*key = (struct slice){ entry->key, entry->len };
		return entry->value;
	}
	*place = slot << 16;
	return NULL;
}

void map_finish(struct map *map)
{
	for (size_t i = 0; i < map->size; i++) {
		for (struct map_entry *e = map->slots[i], *next; e; e = next) {
			next = e->next;
			free(e);
		}
	}
	free(map->slots);
	*map = (struct map){ 0 };
}
