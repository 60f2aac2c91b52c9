#include "admin/accounts.h"

#include "base/alloc.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SALT_BYTES 16
#define DIGEST_BYTES 32

_Static_assert(ACCOUNT_HASH_BYTES >= crypto_pwhash_STRBYTES, "a hash fits");

/* A password in line. */
struct wait {
	struct wait *next;
	bool checks;		       /* else it is to be hashed */
	char name[ACCOUNT_NAME_BYTES]; /* whose password it should be */
	char *password;
	accounts_fn *answer;
	void *arg;
};

struct accounts {
	struct loop *loop;
	struct account *list;
	size_t count;
	char nobodys[ACCOUNT_HASH_BYTES]; /* a hash that no password has */
	struct wait *first, **last;
	size_t waiting;
	struct loop_task turn;
};

bool accounts_prepare(void)
{
	return sodium_init() >= 0;
}

/* In the form of crypto_pwhash_str, with its parameters: checked against, it costs the same. */
static void make_nobodys(char hash[ACCOUNT_HASH_BYTES])
{
	unsigned char bytes[DIGEST_BYTES];
	char salt[32], digest[64];

	randombytes_buf(bytes, sizeof(bytes));
	sodium_bin2base64(salt, sizeof(salt), bytes, SALT_BYTES,
			  sodium_base64_VARIANT_ORIGINAL_NO_PADDING);
	randombytes_buf(bytes, sizeof(bytes));
	sodium_bin2base64(digest, sizeof(digest), bytes, sizeof(bytes),
			  sodium_base64_VARIANT_ORIGINAL_NO_PADDING);
	snprintf(hash, ACCOUNT_HASH_BYTES, "$argon2id$v=19$m=%u,t=%u,p=1$%s$%s",
		 crypto_pwhash_MEMLIMIT_INTERACTIVE / 1024, crypto_pwhash_OPSLIMIT_INTERACTIVE,
		 salt, digest);
}

static void drop_wait(struct wait *wait)
{
	sodium_memzero(wait->password, strlen(wait->password));
	free(wait->password);
	free(wait);
}

/* That of the account, or one that costs the same. */
static const char *hash_of(const struct accounts *accounts, const char *name)
{
	const struct account *account = accounts_find(accounts, name);
	bool has_password = account && strncmp(account->hash, crypto_pwhash_STRPREFIX,
					       strlen(crypto_pwhash_STRPREFIX)) == 0;

	return has_password ? account->hash : accounts->nobodys;
}

static void take_turn(struct loop_task *task)
{
	struct accounts *accounts = (void *)((char *)task - offsetof(struct accounts, turn));
	struct wait *wait = accounts->first;
	char hash[ACCOUNT_HASH_BYTES] = "";
	bool right;

	accounts->first = wait->next;
	if (!accounts->first)
		accounts->last = &accounts->first;
	else
		loop_defer_to_next(accounts->loop, &accounts->turn);
	accounts->waiting--;
	if (wait->checks)
		right = crypto_pwhash_str_verify(hash_of(accounts, wait->name), wait->password,
						 strlen(wait->password)) == 0;
	else
		right = crypto_pwhash_str(hash, wait->password, strlen(wait->password),
					  crypto_pwhash_OPSLIMIT_INTERACTIVE,
					  crypto_pwhash_MEMLIMIT_INTERACTIVE) == 0;
	wait->answer(wait->arg, right, *hash ? hash : NULL);
	drop_wait(wait);
}

struct accounts *accounts_create(struct loop *loop)
{
	struct accounts *accounts = xcalloc(1, sizeof(*accounts));

	accounts->loop = loop;
	accounts->last = &accounts->first;
	accounts->turn.run = take_turn;
	make_nobodys(accounts->nobodys);
	return accounts;
}

static void clear(struct accounts *accounts)
{
	free(accounts->list);
	accounts->list = NULL;
	accounts->count = 0;
}

void accounts_destroy(struct accounts **accounts_ref)
{
	struct accounts *accounts = *accounts_ref;

	if (!accounts)
		return;
	*accounts_ref = NULL;
	loop_undefer(accounts->loop, &accounts->turn);
	while (accounts->first) {
		struct wait *wait = accounts->first;

		accounts->first = wait->next;
		drop_wait(wait);
	}
	clear(accounts);
	free(accounts);
}

static void copy(char *to, size_t size, struct slice text)
{
	snprintf(to, size, "%.*s", SLICE_ARGS(text));
}

static enum access access_of(struct slice role)
{
	return slice_is(role, "admin")	    ? ACCESS_ADMIN
	       : slice_is(role, "operator") ? ACCESS_OPERATE
					    : ACCESS_VIEW;
}

void accounts_apply(struct accounts *accounts, const struct snapshot *snapshot)
{
	struct snapshot_record r;

	clear(accounts);
	for (size_t place = 0; snapshot_each(snapshot, "admin.accounts", &place, &r);) {
		struct account *account;

		accounts->list =
			xrealloc(accounts->list, (accounts->count + 1) * sizeof(*accounts->list));
		account = &accounts->list[accounts->count++];
		*account = (struct account){ .access = access_of(r.fields[2]) };
		copy(account->name, sizeof(account->name), r.fields[1]);
		copy(account->hash, sizeof(account->hash), r.fields[3]);
	}
}

const struct account *accounts_find(const struct accounts *accounts, const char *name)
{
	for (size_t i = 0; i < accounts->count; i++) {
		if (strcmp(accounts->list[i].name, name) == 0)
			return &accounts->list[i];
	}
	return NULL;
}

void accounts_mark(const char *hash, enum access access, unsigned char mark[ACCOUNT_MARK_BYTES])
{
	char text[ACCOUNT_HASH_BYTES + 8];
	int len = snprintf(text, sizeof(text), "%d %s", (int)access, hash);

	crypto_generichash(mark, ACCOUNT_MARK_BYTES, (const unsigned char *)text, (size_t)len, NULL,
			   0);
}

bool accounts_has_room(const struct accounts *accounts)
{
	return accounts->waiting < ACCOUNTS_WAITING_MAX;
}

/* `name` NULL: it is to be hashed. */
static bool wait_in_line(struct accounts *accounts, const char *name, const char *password,
			 accounts_fn *answer, void *arg)
{
	struct wait *wait;

	if (!accounts_has_room(accounts))
		return false;
	wait = xcalloc(1, sizeof(*wait));
	*wait = (struct wait){
		.checks = name, .password = xstrdup(password), .answer = answer, .arg = arg
	};
	snprintf(wait->name, sizeof(wait->name), "%s", name ? name : "");
	*accounts->last = wait;
	accounts->last = &wait->next;
	accounts->waiting++;
	loop_defer_to_next(accounts->loop, &accounts->turn);
	return true;
}

bool accounts_check(struct accounts *accounts, const char *name, const char *password,
		    accounts_fn *answer, void *arg)
{
	return wait_in_line(accounts, name, password, answer, arg);
}

bool accounts_hash(struct accounts *accounts, const char *password, accounts_fn *answer, void *arg)
{
	return wait_in_line(accounts, NULL, password, answer, arg);
}

bool accounts_password_is_good(const char *password, const char **why)
{
	size_t letters = 0;

	for (const char *c = password; *c; c++)
		letters += ((unsigned char)*c & 0xc0) != 0x80;
	if (letters < PASSWORD_LETTERS_MIN)
		*why = "is shorter than 10 characters";
	else if (strlen(password) > PASSWORD_BYTES_MAX)
		*why = "is longer than 1024 bytes";
	else
		return true;
	return false;
}
