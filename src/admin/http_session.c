#include "admin/http_session.h"

#include "base/alloc.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DIGEST_BYTES 32

struct entry {
	struct entry *next;
	struct session session;
	unsigned char digest[DIGEST_BYTES]; /* of the token */
	unsigned char mark[ACCOUNT_MARK_BYTES], next_mark[ACCOUNT_MARK_BYTES];
	uint64_t used_ms;
};

struct sessions {
	struct entry *first;
	size_t count, max;
	uint64_t idle_ms, numbers;
	sessions_ended_fn *ended;
	void *arg;
};

struct sessions *sessions_create(sessions_ended_fn *ended, void *arg)
{
	struct sessions *sessions = xcalloc(1, sizeof(*sessions));

	sessions->ended = ended;
	sessions->arg = arg;
	sessions->max = 1; /* until it is told */
	return sessions;
}

/* It is out of the list before anybody hears of its end. */
static void end(struct sessions *sessions, struct entry **at, const char *why)
{
	struct entry *entry = *at;

	*at = entry->next;
	sessions->count--;
	if (why)
		sessions->ended(sessions->arg, &entry->session, why);
	sodium_memzero(entry, sizeof(*entry));
	free(entry);
}

void sessions_destroy(struct sessions **sessions_ref)
{
	struct sessions *sessions = *sessions_ref;

	if (!sessions)
		return;
	*sessions_ref = NULL;
	while (sessions->first)
		end(sessions, &sessions->first, NULL);
	free(sessions);
}

/* Of that account's, or with NULL of all; NULL: there is none. */
static struct entry **silent_longest(struct sessions *sessions, const char *name)
{
	struct entry **found = NULL;

	for (struct entry **at = &sessions->first; *at; at = &(*at)->next) {
		if ((!name || strcmp((*at)->session.name, name) == 0) &&
		    (!found || (*at)->used_ms < (*found)->used_ms))
			found = at;
	}
	return found;
}

static bool is_silent(const struct sessions *sessions, const struct entry *entry, uint64_t now_ms)
{
	return now_ms - entry->used_ms >= sessions->idle_ms;
}

static void make_token(char token[SESSION_TOKEN_BYTES])
{
	unsigned char bytes[SESSION_SECRET_BYTES];

	randombytes_buf(bytes, sizeof(bytes));
	sodium_bin2base64(token, SESSION_TOKEN_BYTES, bytes, sizeof(bytes),
			  sodium_base64_VARIANT_URLSAFE_NO_PADDING);
	sodium_memzero(bytes, sizeof(bytes));
}

static void digest_of(struct slice token, unsigned char digest[DIGEST_BYTES])
{
	crypto_generichash(digest, DIGEST_BYTES, (const unsigned char *)token.data, token.len, NULL,
			   0);
}

void sessions_bound(struct sessions *sessions, size_t max, uint64_t idle_ms, uint64_t now_ms)
{
	sessions->max = max;
	sessions->idle_ms = idle_ms;
	while (sessions->count > max)
		end(sessions, silent_longest(sessions, NULL), "more than limits.sessions");
}

const struct session *sessions_open(struct sessions *sessions, const struct account *account,
				    const char *from, uint64_t now_ms,
				    char token[SESSION_TOKEN_BYTES])
{
	struct entry *entry;
	struct entry **gives_way = NULL;

	if (sessions->count >= sessions->max) {
		gives_way = silent_longest(sessions, account->name);
		end(sessions, gives_way ? gives_way : silent_longest(sessions, NULL),
		    "more than limits.sessions");
	}
	entry = xcalloc(1, sizeof(*entry));
	make_token(token);
	digest_of(slice_of(token), entry->digest);
	make_token(entry->session.csrf);
	entry->session.number = ++sessions->numbers;
	entry->session.access = account->access;
	snprintf(entry->session.name, sizeof(entry->session.name), "%s", account->name);
	snprintf(entry->session.from, sizeof(entry->session.from), "%s", from);
	accounts_mark(account->hash, account->access, entry->mark);
	memcpy(entry->next_mark, entry->mark, sizeof(entry->mark));
	entry->used_ms = now_ms;
	entry->next = sessions->first;
	sessions->first = entry;
	sessions->count++;
	return &entry->session;
}

const struct session *sessions_find(struct sessions *sessions, struct slice token, bool use,
				    uint64_t now_ms)
{
	unsigned char digest[DIGEST_BYTES];

	if (token.len != SESSION_TOKEN_BYTES - 1)
		return NULL;
	digest_of(token, digest);
	for (struct entry *entry = sessions->first; entry; entry = entry->next) {
		if (sodium_memcmp(entry->digest, digest, sizeof(digest)) != 0)
			continue;
		if (is_silent(sessions, entry, now_ms))
			return NULL; /* the next sweep ends it */
		if (use)
			entry->used_ms = now_ms;
		return &entry->session;
	}
	return NULL;
}

static struct entry **find(struct sessions *sessions, uint64_t number)
{
	struct entry **at = &sessions->first;

	while (*at && (*at)->session.number != number)
		at = &(*at)->next;
	return at;
}

void sessions_end(struct sessions *sessions, uint64_t number, const char *why)
{
	struct entry **at = find(sessions, number);

	if (*at)
		end(sessions, at, why);
}

void sessions_expect(struct sessions *sessions, uint64_t number, const char *hash)
{
	struct entry *entry = *find(sessions, number);

	if (entry)
		accounts_mark(hash, entry->session.access, entry->next_mark);
}

/* NULL: it goes on. */
static const char *judge(struct sessions *sessions, struct entry *entry,
			 const struct accounts *accounts, uint64_t now_ms)
{
	const struct account *account = accounts_find(accounts, entry->session.name);
	unsigned char mark[ACCOUNT_MARK_BYTES];

	if (is_silent(sessions, entry, now_ms))
		return "silence";
	if (!account)
		return "the account was removed";
	accounts_mark(account->hash, account->access, mark);
	if (memcmp(mark, entry->next_mark, sizeof(mark)) == 0)
		memcpy(entry->mark, mark, sizeof(mark));
	if (memcmp(mark, entry->mark, sizeof(mark)) == 0)
		return NULL;
	return account->access != entry->session.access ? "the account has another role"
							: "the account has another password";
}

void sessions_sweep(struct sessions *sessions, const struct accounts *accounts, uint64_t now_ms)
{
	struct entry **at = &sessions->first;

	while (*at) {
		const char *why = judge(sessions, *at, accounts, now_ms);

		if (why)
			end(sessions, at, why);
		else
			at = &(*at)->next;
	}
}
