/*
 * An answer that goes into a file, piece by piece (data "base64"): a new one that its owner alone
 * may read, never over one that is there.
 */
#ifndef CTL_SAVE_H
#define CTL_SAVE_H

#include "ctl/protocol.h"

struct save;

/* NULL, false: *why, freed by the caller. */
struct save *save_open(const char *path, char **why);
bool save_piece(void *save, const struct reply *piece); /* for client_pieces; false: it failed */
/* `whole`: all came; otherwise, and when anything failed, the file is deleted again. */
bool save_close(struct save **save, bool whole, char **why);

#endif
