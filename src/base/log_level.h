/* How serious a line of the log is; the first is the most serious. No I/O. */
#ifndef BASE_LOG_LEVEL_H
#define BASE_LOG_LEVEL_H

#include <stdbool.h>

enum log_level { LOG_LEVEL_ERROR, LOG_LEVEL_WARN, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG };

const char *log_level_name(enum log_level level);	      /* "ERROR", "WARN", "INFO", "DEBUG" */
bool log_level_read(const char *name, enum log_level *level); /* case does not matter */

#endif
