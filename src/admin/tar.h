/*
 * A tar.gz, written into memory piece by piece; whoever makes it takes what is there meanwhile. It
 * opens no file.
 */
#ifndef ADMIN_TAR_H
#define ADMIN_TAR_H

#include "base/buffer.h"

#include <stdbool.h>
#include <time.h>

struct tar;

struct tar *tar_create(time_t now); /* the time of its files */
void tar_destroy(struct tar **tar);
/* False, here and below: *why, lent until tar_destroy; there is no going on. */
bool tar_file(struct tar *tar, const char *name, uint64_t size, const char **why);
bool tar_bytes(struct tar *tar, struct slice bytes, const char **why); /* of the file begun last */
bool tar_end(struct tar *tar, const char **why);
struct buffer *tar_output(struct tar *tar);

#endif
