#include "tables/alarms.h"

#define SEVERITY_WARNING "warning"
#define SEVERITY_ALERT "alert"
#define SEVERITY_ERROR "error"
#define SEVERITY_CRITICAL "critical"

const struct alarm_row alarm_rows[ALARM_COUNT] = {
#define X(id, number, severity, title, cause, fix)                                                 \
	[ALARM_##id] = { number, SEVERITY_##severity, title, cause, fix },
	ALARMS(X)
#undef X
};
