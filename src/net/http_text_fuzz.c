/* The first line is a query, the second a Cookie header, the rest percent-decoded. */
#include "net/http_text.h"

#include "base/alloc.h"

#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = xstrndup(size ? (const char *)data : "", size), out[32];
	char *cookie = text + strcspn(text, "\n"), *rest;
	struct slice value;

	if (*cookie)
		*cookie++ = '\0';
	rest = cookie + strcspn(cookie, "\n");
	if (*rest)
		*rest++ = '\0';
	if (http_query(text, "a", out, sizeof(out)) && strlen(out) >= sizeof(out))
		abort();
	if (http_cookie(cookie, "a", &value) &&
	    (value.data < cookie || value.data + value.len > rest))
		abort();
	if (http_decode(slice_of(rest), out, sizeof(out)) && strlen(out) >= sizeof(out))
		abort();
	http_list_has(cookie, "gzip");
	free(text);
	return 0;
}
