#include "admin/status.h"

#include "admin/metrics.h"
#include "admin/series.h"
#include "admin/status_views.h"
#include "base/alloc.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* No line of them is anybody's but ours. */
static void measure(const json_t *status)
{
	char *text = metrics_text(status);

	for (const char *line = text; *line; line += strcspn(line, "\n") + 1) {
		if (strncmp(line, "# ", 2) != 0 && strncmp(line, "sallyport_", 10) != 0)
			abort();
	}
	free(text);
}

/* Charts of it, and of the same again. */
static void sample(const json_t *status)
{
	struct series *series = series_create();

	series_take(series, status, 1000);
	series_take(series, status, 1010);
	json_decref(series_json(series, 1, 1010));
	series_destroy(&series);
}

/* A report from traffic, which hears strangers, or of what other machines told manage: whatever it
 * says, there is a verdict, a text, and each part. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const enum process processes[] = { PROCESS_TRAFFIC, PROCESS_CONTROL,
						  PROCESS_MANAGE };
	static const char *const parts[] = { "alarms",	     "routes",	 "notifications",
					     "home-servers", "streams",	 "domains",
					     "certificates", "accounts", "metrics" };
	json_t *status = status_begin(), *part;
	char *text;

	status_add(status, processes[size % 3], (struct slice){ (const char *)data, size });
	status_judge(status);
	text = status_text(status);
	if (!json_is_string(json_object_get(status, "verdict")) || !*text)
		abort();
	free(text);
	text = status_brief(status);
	if (!*text)
		abort();
	free(text);
	measure(status);
	sample(status);
	for (size_t i = 0; i < nitems(parts); i++) {
		if (!status_view(status, parts[i], NULL, &text, &part) || !*text)
			abort();
		json_decref(part);
		free(text);
	}
	json_decref(status);
	return 0;
}
