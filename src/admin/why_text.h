/* A report of admin/why_report.h for a terminal of 80 columns: cause and fix first, then the
 * ladder. No I/O. */
#ifndef ADMIN_WHY_TEXT_H
#define ADMIN_WHY_TEXT_H

#include <jansson.h>

char *why_text(const json_t *report); /* to be freed */

#endif
