#include "admin/http_links.h"

#include "base/alloc.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SECRET_BYTES 16
#define DIGEST_BYTES 32

struct link {
	char name[ACCOUNT_NAME_BYTES]; /* empty: no link */
	unsigned char digest[DIGEST_BYTES];
	uint64_t until_ms;
};

struct links {
	struct link list[LINKS_MAX];
};

struct links *links_create(void)
{
	return xcalloc(1, sizeof(struct links));
}

void links_destroy(struct links **links)
{
	free(*links);
	*links = NULL;
}

static void digest_of(const char *token, unsigned char digest[DIGEST_BYTES])
{
	crypto_generichash(digest, DIGEST_BYTES, (const unsigned char *)token, strlen(token), NULL,
			   0);
}

/* That of the account, or one that is free, or the oldest. */
static struct link *place_for(struct links *links, const char *name)
{
	struct link *place = &links->list[0];

	for (size_t i = 0; i < LINKS_MAX; i++) {
		if (strcmp(links->list[i].name, name) == 0)
			return &links->list[i];
		if (*place->name &&
		    (!*links->list[i].name || links->list[i].until_ms < place->until_ms))
			place = &links->list[i];
	}
	return place;
}

void links_make(struct links *links, const char *name, uint64_t now_ms,
		char token[LINK_TOKEN_BYTES])
{
	struct link *link = place_for(links, name);
	unsigned char bytes[SECRET_BYTES];

	randombytes_buf(bytes, sizeof(bytes));
	sodium_bin2base64(token, LINK_TOKEN_BYTES, bytes, sizeof(bytes),
			  sodium_base64_VARIANT_URLSAFE_NO_PADDING);
	digest_of(token, link->digest);
	snprintf(link->name, sizeof(link->name), "%s", name);
	link->until_ms = now_ms + (uint64_t)LINK_SECONDS * 1000;
}

void links_keep(struct links *links, const struct accounts *accounts)
{
	for (size_t i = 0; i < LINKS_MAX; i++) {
		if (!accounts_find(accounts, links->list[i].name))
			links->list[i] = (struct link){ 0 };
	}
}

bool links_take(struct links *links, const char *token, uint64_t now_ms,
		char name[ACCOUNT_NAME_BYTES])
{
	unsigned char digest[DIGEST_BYTES];

	digest_of(token, digest);
	for (size_t i = 0; i < LINKS_MAX; i++) {
		struct link *link = &links->list[i];

		if (!*link->name || now_ms >= link->until_ms ||
		    sodium_memcmp(link->digest, digest, sizeof(digest)) != 0)
			continue;
		memcpy(name, link->name, sizeof(link->name));
		*link = (struct link){ 0 };
		return true;
	}
	return false;
}
