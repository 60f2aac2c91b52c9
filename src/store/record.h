/*
 * How a value stands in a column: its entries, joined by a character that none of them can hold
 * (setting_read refuses control characters), and sealed if its setting is secret.
 */
#ifndef STORE_RECORD_H
#define STORE_RECORD_H

#include "store/seal.h"
#include "tables/settings.h"

/* The caller's. */
char *record_write(const struct seal *seal, const struct setting *setting,
		   const struct setting_value *value);
/* `setting` NULL: one of another release, of which only what is not sealed can be read. False: it
 * was sealed with another key. */
bool record_read(const struct seal *seal, const struct setting *setting, const char *text,
		 struct setting_value *value);

#endif
