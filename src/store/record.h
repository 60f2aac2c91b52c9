/*
 * How a value stands in a column: its entries, joined by a character that none of them can hold
 * (setting_read refuses control characters).
 */
#ifndef STORE_RECORD_H
#define STORE_RECORD_H

#include "tables/settings.h"

char *record_join(const struct setting_value *value);
void record_split(const char *text, struct setting_value *value);

#endif
