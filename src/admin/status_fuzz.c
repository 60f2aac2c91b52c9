#include "admin/status.h"

#include "admin/status_views.h"
#include "base/alloc.h"

#include <stdint.h>
#include <stdlib.h>

/* A report from traffic, which hears strangers, or of what other machines told manage: whatever it
 * says, there is a verdict, a text, and each part. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const enum process processes[] = { PROCESS_TRAFFIC, PROCESS_CONTROL,
						  PROCESS_MANAGE };
	static const char *const parts[] = { "alarms", "routes", "notifications", "home-servers" };
	json_t *status = status_begin(), *part;
	char *text;

	status_add(status, processes[size % 3], (struct slice){ (const char *)data, size });
	status_judge(status);
	text = status_text(status);
	if (!json_is_string(json_object_get(status, "verdict")) || !*text)
		abort();
	free(text);
	for (size_t i = 0; i < nitems(parts); i++) {
		if (!status_view(status, parts[i], NULL, &text, &part) || !*text)
			abort();
		json_decref(part);
		free(text);
	}
	json_decref(status);
	return 0;
}
