#include "admin/status.h"

#include "base/alloc.h"

#include <stdint.h>
#include <stdlib.h>

/* A report from traffic, which hears strangers: whatever it says, there is a verdict and a text. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	json_t *status = status_begin();
	char *text;

	status_add(status, size & 1 ? PROCESS_TRAFFIC : PROCESS_CONTROL,
		   (struct slice){ (const char *)data, size });
	status_judge(status);
	text = status_text(status);
	if (!json_is_string(json_object_get(status, "verdict")) || !*text)
		abort();
	free(text);
	json_decref(status);
	return 0;
}
