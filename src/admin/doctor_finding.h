/* One finding as JSON, see doctor.h. */
#ifndef ADMIN_DOCTOR_FINDING_H
#define ADMIN_DOCTOR_FINDING_H

#include "tables/symptoms.h"

#include <jansson.h>

/* `severity`: NULL for the symptom's own. Takes `seen`. Subject and seen may quote anybody. */
json_t *doctor_finding(enum symptom symptom, const char *node, const char *severity,
		       const char *subject, char *seen);
/* Text that may be anybody's, as a string of one line and bounded length. */
json_t *doctor_line(const char *text);
/* Of something that has a number: its "symptom"; SYMPTOM_COUNT: none, or none that we know. */
enum symptom doctor_symptom(const json_t *said);

#endif
