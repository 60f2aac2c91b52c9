#include "admin/why_report.h"
#include "admin/why_text.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* Traffic, which hears strangers, answers; and an edge says the same to a core. Whatever it says,
 * there is a headline and a text, of lines that a terminal can show. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	json_t *report = why_report((struct slice){ (const char *)data, size });
	json_t *other;
	char *text;

	if (!report)
		return 0;
	if (!*json_string_value(json_object_get(report, "headline")))
		abort();
	other = why_heard(report, "edge-a", "far.example");
	if (!*json_string_value(json_object_get(other, "headline")))
		abort();
	report = why_merge(report, json_pack("[o, {s:i}]", other, "attempts", 5));
	text = why_text(report);
	for (const char *c = text; *c; c++) {
		if ((unsigned char)*c < ' ' && *c != '\n')
			abort();
	}
	free(text);
	json_decref(report);
	return 0;
}
