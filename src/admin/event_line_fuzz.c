/* Whatever comes in, an event's JSON can be read back and turns no terminal. */
#include "admin/event_line.h"
#include "base/log_escape.h"

#include <assert.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct slice line = { (const char *)bytes, size };
	struct event_line event;
	json_t *json, *again;
	char *text;

	if (!event_line_read(&event, line))
		return 0;
	(void)event_line_names(&event, "example.net");
	json = event_line_json(&event, 1);
	text = json_dumps(json, JSON_COMPACT);
	assert(log_is_safe(slice_of(text)));
	again = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
	assert(json_equal(json, again));
	json_decref(json);
	json_decref(again);
	free(text);
	return 0;
}
