/* Times for people: UTC, as ISO 8601 has it. Reads no clock. */
#ifndef BASE_UTC_H
#define BASE_UTC_H

#include <stdint.h>

#define UTC_BYTES 32

/* "2026-01-31T23:59:59Z"; of seconds since 1970 that no calendar holds, empty. */
void utc_text(int64_t seconds, char text[UTC_BYTES]);

#endif
