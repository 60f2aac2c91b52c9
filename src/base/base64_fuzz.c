#include "base/base64.h"

#include <stdlib.h>

/* What is taken comes out again as the same text. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice text = { (const char *)data, size };
	struct buffer bytes = { 0 }, again = { 0 };

	if (base64_decode(&bytes, text)) {
		base64_encode(&again, (struct slice){ buffer_data(&bytes), buffer_len(&bytes) });
		if (buffer_len(&again) != size ||
		    (size && memcmp(buffer_data(&again), data, size) != 0))
			abort();
	}
	buffer_finish(&bytes);
	buffer_finish(&again);
	return 0;
}
