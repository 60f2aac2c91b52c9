/*
 * A writer of OpenMetrics 1.0 text: families, each begun, given samples and ended. It keeps the
 * rules that a reader of the format insists on: suffixes by type, escapes, no set of labels twice.
 * No I/O.
 */
#ifndef ADMIN_OPENMETRICS_H
#define ADMIN_OPENMETRICS_H

#include "base/buffer.h"

#include <jansson.h>

#define OPENMETRICS_TYPE "application/openmetrics-text; version=1.0.0; charset=utf-8"

struct openmetrics_label {
	const char *name, *value;
};
#define OPENMETRICS_NO_LABEL ((const struct openmetrics_label[]){ { NULL, NULL } })
#define OPENMETRICS_LABEL(name, value)                                                             \
	((const struct openmetrics_label[]){ { name, value }, { NULL, NULL } })

/* A family that is being written. */
struct openmetrics {
	struct buffer *out;
	const char *name, *suffix;
	json_t *seen; /* label sets: one that came twice would spoil the whole answer */
};

/* `name` is without the prefix "sallyport_"; unit NULL: none; else the name ends in it. */
struct openmetrics openmetrics_begin(struct buffer *out, const char *name, const char *type,
				     const char *unit, const char *help);
void openmetrics_end(struct openmetrics *family);

/* Labels end with a name of NULL. A set of them that was there already is passed over. */
void openmetrics_sample(struct openmetrics *family, const struct openmetrics_label *labels,
			json_int_t value);
void openmetrics_thousandths(struct openmetrics *family, const struct openmetrics_label *labels,
			     json_int_t value);
/* With a suffix and a value as they are to be written. */
void openmetrics_text(struct openmetrics *family, const char *suffix,
		      const struct openmetrics_label *labels, const char *value);

#endif
