/*
 * What must hold of a value beyond its form (tables/settings.h) before it is stored: domains are
 * prepared, certificates parse, nothing is there twice, a private key is that of its certificate.
 */
#ifndef STORE_CHECK_H
#define STORE_CHECK_H

#include "store/store.h"

/* Rewrites the value as it is to be stored: prepared domains, PEM without anything beside it.
 * False and *why (allocated): it cannot be stored. */
bool check_value(const struct setting *setting, struct setting_value *value, char **why);
/* What must hold between settings, once these changes are made. */
bool check_together(const struct store *store, const struct store_change *changes, size_t count,
		    char **why);

#endif
