#include "tables/failures.h"

#include "base/alloc.h"

#include <string.h>

#define TYPE_CANCEL "cancel"
#define TYPE_WAIT "wait"
#define TYPE_MODIFY "modify"

const struct failure_row failure_rows[FAILURE_COUNT] = {
	[FAILURE_NONE] = { "none", TYPE_CANCEL, "undefined-condition", false, "", "" },
#define X(id, name, type, condition, retry, text, advice)                                          \
	[FAILURE_##id] = { name, TYPE_##type, condition, retry, text, advice },
	FAILURES(X)
#undef X
};

enum failure failure_read(const char *name, unsigned long len)
{
	for (size_t i = 1; i < nitems(failure_rows); i++) {
		if (strlen(failure_rows[i].name) == len &&
		    memcmp(failure_rows[i].name, name, len) == 0)
			return (enum failure)i;
	}
	return FAILURE_NONE;
}
