#include "process/capture_job.h"

#include <stdint.h>
#include <stdlib.h>

/* What is read from either side is within its limits, and comes out as it went in. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice body = { (const char *)data, size };
	struct buffer again = { 0 };
	struct capture_report report;
	struct capture_job job;

	if (capture_job_get(body, &job)) {
		capture_job_put(&again, &job);
		if (strlen(job.interface) > CAPTURE_INTERFACE_BYTES || buffer_len(&again) != size ||
		    memcmp(buffer_data(&again), data, size) != 0)
			abort();
	}
	buffer_finish(&again);
	if (capture_report_get(body, &report)) {
		capture_report_put(&again, &report);
		if (strlen(report.why) > CAPTURE_WHY_BYTES || buffer_len(&again) != size ||
		    memcmp(buffer_data(&again), data, size) != 0)
			abort();
	}
	buffer_finish(&again);
	return 0;
}
