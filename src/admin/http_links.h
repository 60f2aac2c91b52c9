/*
 * One-time links: whoever has one sets the password of its account, once and within a quarter of an
 * hour. A new one for an account voids the one before. Known by their hashes, in memory only. No
 * I/O, no clock.
 */
#ifndef ADMIN_HTTP_LINKS_H
#define ADMIN_HTTP_LINKS_H

#include "admin/accounts.h"

#define LINK_TOKEN_BYTES 23 /* 128 bits as base64url, with its end */
#define LINK_SECONDS 900
#define LINKS_MAX 16 /* a new one takes the place of the oldest */

struct links;

struct links *links_create(void);
void links_destroy(struct links **links);
void links_make(struct links *links, const char *name, uint64_t now_ms,
		char token[LINK_TOKEN_BYTES]);
void links_keep(struct links *links, const struct accounts *accounts); /* the others are void */
/* The account's name, copied; it is void from then on. False: it is void already, or was never
 * made. */
bool links_take(struct links *links, const char *token, uint64_t now_ms,
		char name[ACCOUNT_NAME_BYTES]);

#endif
