#include "router/watches.h"

#include <stdio.h>

static size_t find(const struct watches *watches, const char *target)
{
	size_t i = 0;

	while (i < watches->count && strcmp(watches->all[i].target, target) != 0)
		i++;
	return i;
}

static void end(struct watches *watches, size_t i)
{
	watches->all[i] = watches->all[--watches->count];
}

bool watches_set(struct watches *watches, const char *target, unsigned seconds, uint64_t now_ms)
{
	size_t i = find(watches, target);

	if (!seconds) {
		if (i < watches->count)
			end(watches, i);
		return true;
	}
	if (i == WATCHES_MAX)
		return false;
	if (i == watches->count)
		watches->count++;
	snprintf(watches->all[i].target, sizeof(watches->all[i].target), "%s", target);
	watches->all[i].until_ms = now_ms + seconds * UINT64_C(1000);
	return true;
}

uint64_t watches_expire(struct watches *watches, uint64_t now_ms)
{
	uint64_t next_ms = 0;

	for (size_t i = 0; i < watches->count;) {
		uint64_t until_ms = watches->all[i].until_ms;

		if (until_ms <= now_ms) {
			end(watches, i);
			continue;
		}
		if (!next_ms || until_ms - now_ms < next_ms)
			next_ms = until_ms - now_ms;
		i++;
	}
	return next_ms;
}

bool watches_have(const struct watches *watches, const char *target)
{
	return find(watches, target) < watches->count;
}
