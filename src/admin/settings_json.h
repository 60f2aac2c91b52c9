/*
 * Settings for programs: what control answers to the verb `values` (tables/settings_text.h), with
 * all that the table says of each. A list of
 *
 *	{"name","value","default","kind","unit","least","most","choices","fields","effect",
 *	 "internal","help"}
 *
 * fields: of records, in their order, {"name","kind","optional","least","most","choices"}.
 * value: a string, number, true or false, or null; a list of these; of records a list of objects.
 * A secret is {"secret":FINGERPRINT}. No I/O.
 */
#ifndef ADMIN_SETTINGS_JSON_H
#define ADMIN_SETTINGS_JSON_H

#include "base/slice.h"

#include <jansson.h>

/* `name`: that setting alone, or NULL. The caller's; NULL: the text cannot be read, or names none.
 */
json_t *settings_json(struct slice values, const char *name);

#endif
