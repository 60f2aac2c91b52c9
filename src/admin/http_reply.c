/* Answers of the admin port, each with the headers that keep a page to itself. */
#include "admin/http_internal.h"

#include "base/alloc.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#define EXTRA_MAX 10

static const char policy[] =
	"default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
	"connect-src 'self'; font-src 'self'; base-uri 'none'; form-action 'none'; "
	"frame-ancestors 'none'";

static const char *const common[] = {
	"Content-Security-Policy",
	policy,
	"Referrer-Policy",
	"no-referrer",
	"Cross-Origin-Opener-Policy",
	"same-origin",
	"Cross-Origin-Resource-Policy",
	"same-origin",
	"Strict-Transport-Security",
	"max-age=31536000",
};

struct headers {
	const char *list[nitems(common) + EXTRA_MAX + 1];
};

static void gather(struct headers *headers, const char *const *extra)
{
	size_t count = 0;

	memcpy(headers->list, common, sizeof(common));
	while (extra && extra[count]) {
		assert(count < EXTRA_MAX);
		headers->list[nitems(common) + count] = extra[count];
		count++;
	}
	headers->list[nitems(common) + count] = NULL;
}

void http_reply(struct https_call **call, int status, const char *type, const char *const *extra,
		struct slice body)
{
	struct headers headers;

	gather(&headers, extra);
	https_reply(call, status, type, headers.list, body);
}

void http_stream(struct https_call *call, const char *type, const char *const *extra,
		 https_gone_fn *gone, void *arg)
{
	struct headers headers;

	gather(&headers, extra);
	https_stream_begin(call, type, headers.list, gone, arg);
}

void http_reply_json(struct https_call **call, int status, const char *const *headers, json_t *json)
{
	char *text = json_dumps(json, JSON_COMPACT);

	json_decref(json);
	http_reply(call, status, HTTP_JSON, headers, slice_of(text));
	free(text);
}

static void refuse(struct https_call **call, int status, const char *const *headers,
		   const char *why)
{
	http_reply_json(call, status, headers,
			json_pack("{s:o}", "error", protocol_string(slice_of(why))));
}

void http_refuse(struct https_call **call, int status, const char *why)
{
	static const char *const allow[] = { "Allow", "GET, POST", NULL };

	refuse(call, status, status == 405 ? allow : NULL, why);
}

void http_refuse_for(struct https_call **call, unsigned seconds, const char *why)
{
	char text[16];
	const char *const headers[] = { "Retry-After", text, NULL };

	snprintf(text, sizeof(text), "%u", seconds);
	refuse(call, 429, headers, why);
}
