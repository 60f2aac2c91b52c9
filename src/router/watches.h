/*
 * What people follow for a time: domains, and streams by their xcoder. Whatever is logged about
 * these is written whatever the levels say; nothing else is. Plain data, no I/O: the driver tells
 * the time, and keeps the timer.
 */
#ifndef ROUTER_WATCHES_H
#define ROUTER_WATCHES_H

#include "policy/domain.h"

#include <stdbool.h>
#include <stdint.h>

#define WATCHES_MAX 8
#define WATCHES_SECONDS_MAX 86400

struct watches {
	size_t count;
	struct {
		char target[DOMAIN_BYTES + 1];
		uint64_t until_ms;
	} all[WATCHES_MAX];
};

/* `seconds` 0 ends it; one that is there gets a new end. False: WATCHES_MAX others are there. */
bool watches_set(struct watches *watches, const char *target, unsigned seconds, uint64_t now_ms);
/* Ends what is over; in how many ms the next one ends, 0: none is left. */
uint64_t watches_expire(struct watches *watches, uint64_t now_ms);
bool watches_have(const struct watches *watches, const char *target);

#endif
