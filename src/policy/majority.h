/*
 * Which dialback secret counts when the edges of one core differ: what most of them have, so that
 * one edge, which stands in the DMZ, cannot put out all others; the first one's, if as many have
 * another. Edges that have another take no part. No I/O.
 */
#ifndef POLICY_MAJORITY_H
#define POLICY_MAJORITY_H

#include "base/slice.h"

#include <stddef.h>

/* Of fingerprints in the order of the settings; absent if there are none. */
struct slice majority(const struct slice *fingerprints, size_t count);

#endif
