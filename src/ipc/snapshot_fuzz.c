#include "ipc/snapshot.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *why;
	struct snapshot *snapshot = snapshot_read((struct slice){ (const char *)data, size }, &why);
	struct snapshot_record record;
	size_t place = 0, bytes = 0;

	if (!snapshot)
		return 0;
	while (snapshot_next(snapshot, &place, &record)) {
		for (size_t i = 0; i < record.count; i++)
			bytes += record.fields[i].len;
	}
	if (bytes > size || place + 24 != size)
		abort();
	snapshot_int(snapshot, "timeouts.dns", 0);
	snapshot_destroy(&snapshot);
	return 0;
}
