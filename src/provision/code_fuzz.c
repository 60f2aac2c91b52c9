#include "provision/code.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

/* What is read as a code is written as the same bytes. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char text[512], again[CODE_TEXT_BYTES];
	struct pairing_code code;
	const char *why = NULL;

	if (size >= sizeof(text))
		return 0;
	memcpy(text, data, size);
	text[size] = '\0';
	if (code_read(text, &code, &why)) {
		code_write(&code, again);
		if (strcmp(again, text) != 0)
			abort();
	} else if (!why) {
		abort();
	}
	return 0;
}
