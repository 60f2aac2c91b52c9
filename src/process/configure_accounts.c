/* The accounts of the web page (admin.accounts): by hand, and as manage says of passwords. */
#include "process/configure_internal.h"

#include "base/alloc.h"

#include <openssl/crypto.h>
#include <stdlib.h>

#define UNSET "unset" /* what no hash is, so that no password fits it */
#define HASH "$argon2id$"

static const struct setting *accounts(void)
{
	return setting_find("admin.accounts");
}

static const char *row_of(struct order *order, const char *name)
{
	struct plan none = { 0 };

	return plan_row(&none, order_store(order), accounts(), name);
}

static bool put(struct order *order, struct slice name, struct slice role, struct slice password,
		char **why)
{
	char *row = xasprintf("%.*s %.*s %.*s", SLICE_ARGS(name), SLICE_ARGS(role),
			      SLICE_ARGS(password));
	struct plan plan = { 0 };
	bool done = plan_put_row(&plan, order_store(order), accounts(), row, why);

	OPENSSL_cleanse(row, strlen(row));
	free(row);
	if (done)
		return order_carry_out(order, &plan, why);
	plan_finish(&plan);
	return false;
}

/* Of one that is there the role; its password stays. */
bool order_account_add(struct order *order, char **why)
{
	const char *there = row_of(order, order->words[0]);
	struct slice fields[SETTING_FIELDS_MAX] = { 0 };

	if (there)
		setting_split(accounts(), there, fields);
	return put(order, slice_of(order->words[0]), slice_of(order->words[1]),
		   there ? fields[2] : slice_of(UNSET), why);
}

bool order_account_password(struct order *order, char **why)
{
	const char *there = row_of(order, order->words[0]);
	struct slice fields[SETTING_FIELDS_MAX];

	if (!there) {
		*why = xasprintf("%s: no such account", order->words[0]);
		return false;
	}
	if (strncmp(order->words[1], HASH, strlen(HASH)) != 0) {
		*why = xasprintf("%s: what is to be the password is no hash", order->words[0]);
		return false;
	}
	setting_split(accounts(), there, fields);
	return put(order, fields[0], fields[1], slice_of(order->words[1]), why);
}

bool order_account_remove(struct order *order, char **why)
{
	struct plan plan = { 0 };

	if (!row_of(order, order->words[0])) {
		*why = xasprintf("%s: no such account", order->words[0]);
		return false;
	}
	if (plan_remove_row(&plan, order_store(order), accounts(), order->words[0], why))
		return order_carry_out(order, &plan, why);
	plan_finish(&plan);
	return false;
}
