/*
 * Encryption of secrets at rest: AES-256-GCM under a key that lies in a file of its own, so that a
 * copy of the store alone, a backup for instance, tells no password and no private key. What is
 * sealed names its setting as associated data, so that it cannot be moved to another.
 */
#ifndef STORE_SEAL_H
#define STORE_SEAL_H

#include <stdbool.h>

struct seal;

/* Of the key in that file, which is made if it is not there and `create`. NULL and *why. */
struct seal *seal_open(const char *path, bool create, char **why);
void seal_close(struct seal **seal); /* wipes the key */

/* "sealed:BASE64", the caller's. */
char *seal_close_text(const struct seal *seal, const char *setting, const char *text);
bool seal_is_closed(const char *text);
/* The text, the caller's, who wipes it; NULL: it was sealed with another key, or is broken. */
char *seal_open_text(const struct seal *seal, const char *setting, const char *sealed);

#endif
