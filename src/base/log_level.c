#include "base/log_level.h"

#include "base/alloc.h"

#include <strings.h>

static const char *const level_names[] = {
	[LOG_LEVEL_ERROR] = "ERROR",
	[LOG_LEVEL_WARN] = "WARN",
	[LOG_LEVEL_INFO] = "INFO",
	[LOG_LEVEL_DEBUG] = "DEBUG",
};

const char *log_level_name(enum log_level level)
{
	return level_names[level];
}

bool log_level_read(const char *name, enum log_level *level)
{
	for (size_t i = 0; i < nitems(level_names); i++) {
		if (strcasecmp(name, level_names[i]) == 0) {
			*level = (enum log_level)i;
			return true;
		}
	}
	return false;
}
