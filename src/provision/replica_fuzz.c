#include "provision/replica.h"

#include <stdlib.h>

/* Whatever the other says: after CLOSED nothing more comes, and each event has what it needs. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct replica *r = replica_create(
		&(struct replica_options){ "core-a", "core", "0.1.0", "edge-a", "edge", 15000 });
	struct replica_clock clock = { 1000, 1800000000000 };
	struct replica_event e;
	json_t *own = json_pack("{}");
	bool closed = false;

	replica_publish(r, 7, own);
	replica_report(r, own);
	replica_open(r, &clock);
	for (size_t at = 0; at < size; at += 61) {
		clock.now_ms += 7;
		replica_feed(
			r,
			(struct slice){ (const char *)data + at, size - at < 61 ? size - at : 61 },
			&clock);
		while ((e = replica_next(r)).type != REPLICA_NONE) {
			if (closed ||
			    ((e.type == REPLICA_NAKED || e.type == REPLICA_CLOSED) && !e.why))
				abort();
			closed = e.type == REPLICA_CLOSED;
			if (e.type == REPLICA_SETTINGS)
				replica_answer(r, e.revision, json_object_size(e.document) > 0,
					       "empty");
			buffer_finish(replica_output(r));
		}
		replica_timeout(r, &clock);
	}
	json_decref(own);
	replica_destroy(&r);
	return 0;
}
