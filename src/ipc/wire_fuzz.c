#include "ipc/wire.h"

#include <stdlib.h>

/* The input is read as a list of calls and, from the other end, as what they read. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct wire in = wire_read((struct slice){ (const char *)data, size });

	for (size_t i = size; i > 0 && !in.failed; i--) {
		struct slice bytes;
		char *text;

		switch (data[i - 1] % 6) {
		case 0:
			wire_get_u8(&in);
			break;
		case 1:
			wire_get_u16(&in);
			break;
		case 2:
			wire_get_u32(&in);
			break;
		case 3:
			wire_get_u64(&in);
			break;
		case 4:
			bytes = wire_get_slice(&in);
			for (size_t at = 0; at < bytes.len; at++)
				size += bytes.data[at] == 'x'; /* touches each byte */
			size = size > 1 ? size : 1;
			break;
		default:
			text = wire_get_text(&in, 64);
			if (strlen(text) > 64)
				abort();
			free(text);
		}
	}
	return 0;
}
