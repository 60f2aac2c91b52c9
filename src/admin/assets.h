/* The web page's files, in the binary: web/build.mjs writes the table. */
#ifndef ADMIN_ASSETS_H
#define ADMIN_ASSETS_H

#include <stddef.h>

struct asset {
	const char *path; /* "/", "/app.js" */
	const char *type;
	const char *etag; /* with its quotes */
	const unsigned char *gzip;
	size_t len;
};
extern const struct asset assets[];
extern const size_t assets_count;

#endif
