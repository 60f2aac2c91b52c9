#include "provision/pairing.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define PIN "1111111111111111111111111111111111111111111111111111111111111111"

static void run(const uint8_t *data, size_t size, bool dials)
{
	char node[] = "core-a", role[] = "core", edge[] = "edge", pin[] = PIN, link[] = "-:7400";
	struct pairing_self self = { .node = node,
				     .role = dials ? role : edge,
				     .link_pin = pin,
				     .ssh_pin = pin,
				     .link_address = dials ? NULL : link };
	struct pairing *p = pairing_create(&self, dials, dials ? "edge-a" : NULL);
	struct pairing_event event;
	bool over = false, stored = false;

	for (size_t at = 0; at < size; at += 101) {
		pairing_feed(p, (struct slice){ (const char *)data + at,
						size - at < 101 ? size - at : 101 });
		while ((event = pairing_next(p)).type != PAIRING_NONE) {
			if (over || (event.type == PAIRING_UNDO && !stored) ||
			    (event.type == PAIRING_DONE && !stored))
				abort();
			over = event.type == PAIRING_DONE || event.type == PAIRING_FAILED;
			if (event.type == PAIRING_STORE) {
				stored = strlen(event.other->link_pin) == 64;
				pairing_stored(p, stored, "no");
			}
		}
	}
	pairing_closed(p, "end");
	if (!over && pairing_next(p).type == PAIRING_NONE)
		abort();
	pairing_destroy(&p);
}

/* Whatever the other side says: one end, and nothing done or undone that was not stored. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	run(data, size, true);
	run(data, size, false);
	return 0;
}
