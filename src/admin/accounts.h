/*
 * Who may use the web page, from the setting admin.accounts, and whether a password is somebody's:
 * argon2id, which is meant to take long (some 60 ms and 64 MiB), so passwords wait in line and are
 * looked at one at a time, each in a wake-up of its own. A name that is nobody's, or has no
 * password yet, takes as long as another. Passwords are wiped when they have been looked at.
 */
#ifndef ADMIN_ACCOUNTS_H
#define ADMIN_ACCOUNTS_H

#include "ctl/grammar.h"
#include "ipc/snapshot.h"
#include "net/loop.h"

#define ACCOUNT_NAME_BYTES 64
#define ACCOUNT_MARK_BYTES 16
#define ACCOUNT_HASH_BYTES 128
#define ACCOUNTS_WAITING_MAX 4 /* passwords in line */
#define PASSWORD_LETTERS_MIN 10
#define PASSWORD_BYTES_MAX 1024

struct account {
	char name[ACCOUNT_NAME_BYTES];
	enum access access;
	char hash[ACCOUNT_HASH_BYTES];
};

struct accounts;

bool accounts_prepare(void); /* once, before the sandbox; false: libsodium cannot start */

struct accounts *accounts_create(struct loop *loop);
void accounts_destroy(struct accounts **accounts); /* what is in line is not answered */
void accounts_apply(struct accounts *accounts, const struct snapshot *snapshot);
/* Lent until the next accounts_apply; NULL: there is none. */
const struct account *accounts_find(const struct accounts *accounts, const char *name);
/* What changes when the account's password or role does. */
void accounts_mark(const char *hash, enum access access, unsigned char mark[ACCOUNT_MARK_BYTES]);

bool accounts_has_room(const struct accounts *accounts); /* for a password in line */
/* `hash` is that of the password that was to be hashed, NULL after a check. */
typedef void accounts_fn(void *arg, bool right, const char *hash);
/* Answered once, later. False: too many are in line. The password is right if it is the account's
 * when it is looked at, not before. */
bool accounts_check(struct accounts *accounts, const char *name, const char *password,
		    accounts_fn *answer, void *arg);
bool accounts_hash(struct accounts *accounts, const char *password, accounts_fn *answer, void *arg);
/* Whether it is good enough to be somebody's; *why completes "the password ...". */
bool accounts_password_is_good(const char *password, const char **why);

#endif
