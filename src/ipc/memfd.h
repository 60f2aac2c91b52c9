/*
 * Bytes in a sealed memfd: whoever gets the descriptor can read them, and nobody, the sender
 * included, can change or shorten them under the reader.
 */
#ifndef IPC_MEMFD_H
#define IPC_MEMFD_H

#include "base/slice.h"

int memfd_seal(const char *name, struct slice bytes); /* -1: errno says why */
/* Maps it read-only after checking kind, seals and size; the descriptor stays the caller's. */
bool memfd_map(int fd, size_t max, struct slice *bytes, const char **why);
void memfd_unmap(struct slice bytes);

#endif
