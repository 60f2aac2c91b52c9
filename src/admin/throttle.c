#include "admin/throttle.h"

#include "base/alloc.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#define FORGET_MS 60000
#define FIRST_WAIT_MS 2000
#define LONGEST_WAIT_MS 60000

struct place {
	unsigned failures;
	uint64_t last_ms, until_ms;
};

struct throttle {
	unsigned char key[THROTTLE_KEY_BYTES];
	struct place places[THROTTLE_PLACES];
};

_Static_assert(THROTTLE_KEY_BYTES == crypto_shorthash_KEYBYTES, "the hash takes that key");

struct throttle *throttle_create(const unsigned char key[THROTTLE_KEY_BYTES])
{
	struct throttle *throttle = xcalloc(1, sizeof(*throttle));

	memcpy(throttle->key, key, THROTTLE_KEY_BYTES);
	return throttle;
}

void throttle_destroy(struct throttle **throttle)
{
	free(*throttle);
	*throttle = NULL;
}

static size_t place_of(const struct throttle *throttle, const char *name)
{
	unsigned char hash[crypto_shorthash_BYTES];
	uint16_t place;

	crypto_shorthash(hash, (const unsigned char *)name, strlen(name), throttle->key);
	memcpy(&place, hash, sizeof(place));
	return place % THROTTLE_PLACES;
}

unsigned throttle_wait_s(const struct throttle *throttle, const char *name, uint64_t now_ms)
{
	const struct place *place = &throttle->places[place_of(throttle, name)];

	return place->until_ms > now_ms ? (unsigned)((place->until_ms - now_ms + 999) / 1000) : 0;
}

void throttle_fail(struct throttle *throttle, const char *name, uint64_t now_ms)
{
	struct place *place = &throttle->places[place_of(throttle, name)];
	uint64_t wait_ms = FIRST_WAIT_MS;

	/* It has to behave for a minute after it was let in again. */
	if (now_ms > place->last_ms + FORGET_MS && now_ms > place->until_ms + FORGET_MS)
		place->failures = 0;
	place->last_ms = now_ms;
	if (++place->failures < THROTTLE_FREE)
		return;
	for (unsigned i = THROTTLE_FREE; i < place->failures && wait_ms < LONGEST_WAIT_MS; i++)
		wait_ms *= 2;
	place->until_ms = now_ms + (wait_ms < LONGEST_WAIT_MS ? wait_ms : LONGEST_WAIT_MS);
}

void throttle_forget(struct throttle *throttle, const char *name)
{
	throttle->places[place_of(throttle, name)] = (struct place){ 0 };
}
