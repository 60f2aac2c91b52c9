#include "ctl/bootstrap.h"

#include "base/alloc.h"

#include <confuse.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char *complaint; /* libconfuse reports through a function without an argument of ours */

static void complain(cfg_t *cfg, const char *format, va_list args)
	__attribute__((format(printf, 2, 0)));
static void complain(cfg_t *cfg, const char *format, va_list args)
{
	char text[256];

	vsnprintf(text, sizeof(text), format, args);
	free(complaint);
	complaint = cfg && cfg->filename && cfg->line
			    ? xasprintf("%s:%d: %s", cfg->filename, cfg->line, text)
			    : xstrdup(text);
}

static char *socket_of(cfg_t *cfg)
{
	const char *path = cfg_getstr(cfg, "control_socket"), *data = cfg_getstr(cfg, "data");

	if (path)
		return xstrdup(path);
	return data ? xasprintf("%s/control.sock", data) : NULL;
}

char *bootstrap_socket(const char *file, char **why)
{
	/* libconfuse passes over an unknown option, but stumbles over an unknown section. */
	cfg_opt_t listen[] = { CFG_END() };
	cfg_opt_t options[] = {
		CFG_STR("data", NULL, CFGF_NONE),
		CFG_STR("control_socket", NULL, CFGF_NONE),
		CFG_SEC("listen", listen, CFGF_TITLE | CFGF_MULTI),
		CFG_END(),
	};
	cfg_t *cfg = cfg_init(options, CFGF_IGNORE_UNKNOWN);
	char *path = NULL;

	cfg_set_error_function(cfg, complain);
	switch (cfg_parse(cfg, file)) {
	case CFG_SUCCESS:
		path = socket_of(cfg);
		if (!path)
			*why = xasprintf("%s names neither data nor control_socket", file);
		break;
	case CFG_FILE_ERROR:
		*why = xasprintf("cannot read %s: %s", file, strerror(errno));
		break;
	default:
		*why = complaint ? complaint : xasprintf("%s cannot be understood", file);
		complaint = NULL;
	}
	free(complaint);
	complaint = NULL;
	cfg_free(cfg);
	return path;
}
