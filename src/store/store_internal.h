/* What the kinds of records in the store's file share. */
#ifndef STORE_STORE_INTERNAL_H
#define STORE_STORE_INTERNAL_H

#include "store/store.h"

#include <sqlite3.h>

sqlite3 *store_database(struct store *store); /* lent */

#endif
