/*
 * Which realms belong into the home servers' tables, and which are there by us, as the settings
 * say. No I/O.
 */
#ifndef AXL_WANTED_H
#define AXL_WANTED_H

#include "axl/text_list.h"
#include "ipc/snapshot.h"

/* Realms of edges in `nodes` whose federation is on by `edges`, and whose secret's fingerprint is
 * that of most of them (of the first, if as many have another): the keys of others would be
 * refused. */
void axl_wanted(const struct snapshot *snapshot, struct text_list *realms);
void axl_written(const struct snapshot *snapshot, struct text_list *realms); /* axl.realms */

#endif
