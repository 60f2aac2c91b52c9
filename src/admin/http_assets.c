/* The page's files, as they lie in the binary: compressed, known by their entity tags. */
#include "admin/http_internal.h"

#include "net/http_text.h"

#include <string.h>

static const struct asset *find(const struct http_api *api, const char *path)
{
	for (size_t i = 0; i < api->config.assets_count; i++) {
		if (strcmp(api->config.assets[i].path, path) == 0)
			return &api->config.assets[i];
	}
	return NULL;
}

bool http_asset(const struct http_api *api, struct https_call **call)
{
	const struct asset *asset = find(api, https_path(*call));
	const char *headers[] = { "ETag",
				  NULL,
				  "Cache-Control",
				  "no-cache",
				  "Vary",
				  "Accept-Encoding",
				  "Content-Encoding",
				  "gzip",
				  NULL };

	if (!asset)
		return false;
	headers[1] = asset->etag;
	if (http_list_has(https_header(*call, "If-None-Match"), asset->etag)) {
		headers[6] = NULL;
		http_reply(call, 304, asset->type, headers, (struct slice){ 0 });
	} else if (!http_list_has(https_header(*call, "Accept-Encoding"), "gzip")) {
		http_refuse(call, 406, "the page is there compressed by gzip alone");
	} else {
		http_reply(call, 200, asset->type, headers,
			   (struct slice){ (const char *)asset->gzip, asset->len });
	}
	return true;
}
