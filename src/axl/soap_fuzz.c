#include "axl/soap.h"

#include "base/alloc.h"

#include <assert.h>
#include <stdlib.h>

/* What is read as a request is read again the same from what we write of it. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct slice body = { (const char *)data, size };
	struct axl_request request, again;
	struct axl_response response;
	struct buffer out = { 0 };
	const char *why;

	if (axl_request_read(body, &request, &why)) {
		axl_request_write(&out, &request);
		assert(axl_request_read((struct slice){ buffer_data(&out), buffer_len(&out) },
					&again, &why));
		assert(again.operation == request.operation && again.sequence == request.sequence);
		axl_request_finish(&again);
		buffer_finish(&out);
	}
	axl_request_finish(&request);
	if (axl_response_read(body, &response, &why) && !response.is_fault)
		axl_write_rows(&out, &(struct axl_request){ .version = "14.0" }, &response.rows);
	axl_response_finish(&response);
	buffer_finish(&out);
	return 0;
}
