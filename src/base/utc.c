#include "base/utc.h"

#include <time.h>

void utc_text(int64_t seconds, char text[UTC_BYTES])
{
	time_t when = (time_t)seconds;
	struct tm parts;

	if (!gmtime_r(&when, &parts) || !strftime(text, UTC_BYTES, "%Y-%m-%dT%H:%M:%SZ", &parts))
		text[0] = '\0';
}
