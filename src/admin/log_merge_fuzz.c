#include "admin/log_merge.h"

#include <stdlib.h>

/* Cut anywhere into logs, all bytes come out, each line once and as long as was said. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct log_merge merge = { 0 };
	struct slice line;
	uint64_t said, bytes = 0;
	size_t from = 0;

	for (size_t i = 0; i <= size; i++) {
		if (i < size && data[i] != 0)
			continue;
		if (log_merge_add(&merge, (struct slice){ (const char *)data + from, i - from }))
			from = i + 1;
		else
			break;
	}
	said = log_merge_bytes(&merge);
	while (log_merge_next(&merge, &line))
		bytes += line.len + 1;
	if (bytes != said)
		abort();
	return 0;
}
