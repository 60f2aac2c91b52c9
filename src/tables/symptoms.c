#include "tables/symptoms.h"

#define SEVERITY_NONE ""
#define SEVERITY_WARNING "warning"
#define SEVERITY_ERROR "error"
#define SEVERITY_CRITICAL "critical"

const struct symptom_row symptom_rows[SYMPTOM_COUNT] = {
#define X(id, number, name, applies, severity, title, cause, fix, command)                         \
	[SYMPTOM_##id] = { number, name,   SYMPTOM_##applies, SEVERITY_##severity, title, cause,   \
			   fix,	   command },
	SYMPTOMS(X)
#undef X
};

enum symptom symptom_of(unsigned number)
{
	enum symptom symptom = 0;

	while (symptom < SYMPTOM_COUNT && symptom_rows[symptom].number != number)
		symptom++;
	return symptom;
}
